"""The firm of a request: found from the person, opened in the database around the view and its rendering."""

import datetime as dt
import logging
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from cabinets import journal
from cabinets.errors import ArchivedError, FileLostError, ReadOnlyError
from cabinets.models import Cabinet, Membership
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.sealing import ARCHIVED
from cabinets.services import archive, looking, lost_files, visiting

logger = logging.getLogger(__name__)

CHOSEN = "cabinet"
# A link opens its own firm, whoever is signed in: a debtor's, an invitation's, the address a provider announces to.
LINKS = ("/p/", "/s/", "/invitation/", "/veto/", "/retours/", "/notifications/courrier/")
TOUCHED_EVERY = dt.timedelta(minutes=1)


class CabinetMiddleware:
    """Open the firm's transaction around a signed-in person's view; roll it back when the answer is an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Answer inside the firm's scope, or outside any scope for visitors and operators."""
        request.cabinet, request.member, request.is_visit, request.look = None, None, False, None
        request.lost_file = None
        if request.user.is_authenticated and visiting.is_visitor(request) and not visiting.may_read(request):
            return render(request, "cabinets/visit_refused.html", status=403)
        if not request.user.is_authenticated or request.path.startswith((settings.OPERATOR_PATH, *LINKS)):
            return self.get_response(request)
        if looking.is_look(request):
            return self._shown_to_an_operator(request)
        place = membership_of(person_id=request.user.pk, wanted=request.session.get(CHOSEN))
        if place is None:
            return self.get_response(request)
        member_id, cabinet_id = place
        with acting_for(cabinet_id=cabinet_id, member_id=member_id):
            with tenant_atomic():
                request.cabinet = Cabinet.objects.get(pk=cabinet_id)
                request.member = Membership.objects.get(pk=member_id)
                request.member.user = request.user
                request.suspended_by = who_suspended(request.cabinet)
                request.is_visit = visiting.is_visit(request, request.cabinet)
                response = self.get_response(request)
                if response.status_code >= HTTP_SERVER_ERROR or request.lost_file is not None:
                    transaction.set_rollback(True)
                if not response.has_header("Cache-Control"):
                    add_never_cache_headers(response)  # what one person of a firm read stays on no disk
            if request.lost_file is not None:
                with tenant_atomic():
                    lost_files.note(request.lost_file, place=request.resolver_match.url_name)
            return response

    def _shown_to_an_operator(self, request: Any) -> HttpResponse:
        """Answer whom a partner let in, in the firm's scope: a page that is read, or a refusal, and a line of it."""
        look = looking.current(request)
        if look is None:
            looking.leave(request)
            return render(request, "cabinets/support_over.html", {"desk": settings.OPERATOR_PATH}, status=403)
        with acting_for(cabinet_id=look.cabinet_id, member_id=look.answer_id), tenant_atomic(), looking.reading_only():
            request.cabinet, request.look = Cabinet.objects.get(pk=look.cabinet_id), look
            request.member = looking.viewer(look, user=request.user)
            request.suspended_by = who_suspended(request.cabinet)
            response = self._page(request) if visiting.may_read(request) else None
            if response is not None and response.status_code < HTTP_SERVER_ERROR:
                journal.record("support.looked", None, page=looking.page_of(request))
            if response is None:
                journal.record("support.kept_out", None, page=looking.page_of(request), method=str(request.method))
                response = render(request, "cabinets/support_refused.html", status=403)
            return response

    def _page(self, request: Any) -> HttpResponse | None:
        """Return the page asked for; None for a file, which leaves no trace of having been given."""
        with transaction.atomic():
            response = self.get_response(request)
            is_shown = looking.is_shown(request, response)
            if not is_shown or response.status_code >= HTTP_SERVER_ERROR:
                transaction.set_rollback(True)
        if is_shown or response.status_code >= HTTP_SERVER_ERROR:
            return response
        looking.let_go(response)
        return None

    def process_view(self, request: Any, view: Any, _args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        """Shut every page of a client who is in the archive, but those that tell of it, to who has not opened it."""
        client_id = kwargs.get("client_id")
        if request.member is None or client_id is None or getattr(view, "reads_archive", False):
            return None
        if not archive.is_withheld(client_id=client_id, member=request.member):
            return None
        return render(request, "cabinets/archived.html", {"why": ARCHIVED}, status=403)

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        """Answer by a page what only reads, what the archive withholds and what is lost; nothing is written.

        A sealed file that is gone or altered is told besides: in the logs, and in the firm's journal.
        """
        if isinstance(exception, ArchivedError):
            page = render(request, "cabinets/archived.html", {"why": str(exception)}, status=403)
            transaction.set_rollback(True)
            return page
        if isinstance(exception, FileLostError):
            request.lost_file = exception
            lost_files.warn(exception, place=request.resolver_match.url_name)
            return HttpResponse(render_to_string("410.html", {"member": request.member}), status=410)
        if not isinstance(exception, ReadOnlyError):
            return None
        logger.warning("look.kept_from_writing")
        return HttpResponse(status=403, content_type="text/plain")


HTTP_SERVER_ERROR = 500


def who_suspended(cabinet: Cabinet) -> str:
    """Name the person who suspended every sending, for the banner; nothing when nobody did."""
    if cabinet.suspended_at is None or cabinet.suspended_by_id is None:
        return ""
    return str(Membership.objects.select_related("user").get(pk=cabinet.suspended_by_id).user)


def membership_of(*, person_id: UUID, wanted: str | None = None) -> tuple[UUID, UUID] | None:
    """Return the membership and the firm a person enters: the one they chose, else the first, else None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT membership_id, cabinet_id FROM quittance_memberships(%s)", [person_id])
        places = [(UUID(str(member)), UUID(str(firm))) for member, firm in cursor.fetchall()]
    return next((place for place in places if str(place[1]) == wanted), places[0] if places else None)


class SessionMiddleware:
    """Keep a session's last use, and end it after thirty idle minutes or twelve hours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Flush an old session before anybody is recognised by it, and say so on the sign-in page."""
        if SESSION_KEY not in request.session:
            return self.get_response(request)
        now = timezone.now()
        if not is_over(request.session, now=now):
            touch(request.session, now=now)
            return self.get_response(request)
        request.session.flush()
        response = self.get_response(request)
        place = response.get("Location", "")
        if place.startswith(settings.LOGIN_URL):
            response["Location"] = f"{place}{'&' if '?' in place else '?'}expiree=1"
        return response


def is_over(session: Any, *, now: dt.datetime) -> bool:
    """Say whether a session was left alone too long, or opened too long ago."""
    limits = (("seen_at", settings.SESSION_IDLE_SECONDS), ("started_at", settings.SESSION_LONGEST_SECONDS))
    return any(
        name in session and now - dt.datetime.fromisoformat(session[name]) > dt.timedelta(seconds=seconds)
        for name, seconds in limits
    )


def touch(session: Any, *, now: dt.datetime) -> None:
    """Note the last use, at most once a minute."""
    seen = session.get("seen_at")
    if seen is None or now - dt.datetime.fromisoformat(seen) >= TOUCHED_EVERY:
        session["seen_at"] = now.isoformat()
        session.setdefault("started_at", now.isoformat())


def new_request_id() -> str:
    """Return 16 random hexadecimal characters that name a request in logs and in the journal."""
    return secrets.token_hex(8)
