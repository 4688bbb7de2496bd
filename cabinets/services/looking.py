"""An operator looks at a firm's pages: what the session remembers, what the database confirms, what is refused.

The session only names the answer; whether it is open is read again at each request, through the operators' role.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse

from cabinets import journal
from cabinets.enums import SUPPORT_RIGHTS, Role
from cabinets.errors import ReadOnlyError
from cabinets.models import Membership, SupportRequest, User
from cabinets.scoping import working_for
from cabinets.services import support
from cabinets.support_rules import State

LOOK = "support"
# Shown on the pages themselves; every other file stays where it is.
PICTURES = frozenset({"firm_logo"})
_READS = ("SELECT", "WITH", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET", "DECLARE", "FETCH", "CLOSE")
_LOCKS = re.compile(r"\bFOR (NO KEY )?UPDATE\b")
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE)\b")
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Look:
    """An access that is open: whose firm, under which answer, until when."""

    cabinet_id: UUID
    answer_id: UUID
    ends_at: dt.datetime


def enter(*, request: HttpRequest, asked: SupportRequest) -> bool:
    """Begin to look, when the answer allows it now; the firm's journal says when."""
    request.session[LOOK] = str(asked.pk)
    look = current(request)
    if look is None:
        leave(request)
        return False
    with working_for(cabinet_id=look.cabinet_id, member_id=look.answer_id):
        journal.record("support.entered", asked, access=str(look.answer_id))
    return True


def leave(request: HttpRequest) -> None:
    """Stop looking; the access itself lasts as long as it was given for."""
    request.session.pop(LOOK, None)


def is_look(request: HttpRequest) -> bool:
    """Say whether a session asks to look."""
    return LOOK in request.session


def current(request: HttpRequest) -> Look | None:
    """Return the access a session names, when the database says it is open at this very moment."""
    user = request.user
    if not isinstance(user, User) or not (user.is_staff and user.is_active):
        return None
    named = str(request.session.get(LOOK, ""))
    found = support.seen_by_operators().filter(pk=named, operator_id=user.pk).first() if named else None
    if found is None or support.state(found) is not State.OPEN or found.answer.ends_at is None:
        return None
    return Look(cabinet_id=found.cabinet_id, answer_id=found.answer.pk, ends_at=found.answer.ends_at)


def viewer(look: Look, *, user: User) -> Membership:
    """Return the operator as a page knows its reader: nobody's row, every file, and reading alone."""
    member = Membership(
        id=look.answer_id, cabinet_id=look.cabinet_id, user=user, role=Role.ACCOUNTANT, sees_every_file=True
    )
    member.only = SUPPORT_RIGHTS
    return member


@contextmanager
def reading_only() -> Iterator[None]:
    """Refuse, at the cursor, whatever is not a reading; the journal alone is written."""
    with connection.execute_wrapper(_guard):
        yield


def _guard(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
    if not journal.is_a_line(sql):
        said = str(sql).lstrip(" (\n").upper()
        # A WITH may hide a writing.
        writes = said.startswith("WITH") and _WRITES.search(_LOCKS.sub("", said))
        if not said.startswith(_READS) or writes:
            raise ReadOnlyError("an operator who looks at a firm writes nothing")
    return execute(sql, params, many, context)


def is_shown(request: HttpRequest, response: HttpResponse) -> bool:
    """Say whether an answer is a page; a file, whatever it is, is not given."""
    match = request.resolver_match
    if response.status_code in REDIRECTS or (match is not None and match.url_name in PICTURES):
        return True
    is_page = response.get("Content-Type", "").startswith("text/html")
    return is_page and "attachment" not in response.get("Content-Disposition", "")


def let_go(response: HttpResponse) -> None:
    """Close the file of an answer that is not given; closing the answer itself would end the request."""
    for close in response._resource_closers:  # type: ignore[attr-defined]  # Django's own list, absent from the stubs
        close()


def page_of(request: HttpRequest) -> str:
    """Return the address of a page, without what was typed to find it."""
    return request.path[:200]
