"""The firm of a request: found from the person, opened in the database around the view and its rendering."""

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from cabinets.models import Cabinet, Membership
from cabinets.scoping import acting_for, tenant_atomic

CHOSEN = "cabinet"


class CabinetMiddleware:
    """Open the firm's transaction around a signed-in person's view; roll it back when the answer is an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Answer inside the firm's scope, or outside any scope for visitors and operators."""
        request.cabinet, request.member = None, None
        if not request.user.is_authenticated or request.path.startswith(settings.OPERATOR_PATH):
            return self.get_response(request)
        place = membership_of(person_id=request.user.pk, wanted=request.session.get(CHOSEN))
        if place is None:
            return self.get_response(request)
        member_id, cabinet_id = place
        with acting_for(cabinet_id=cabinet_id, member_id=member_id), tenant_atomic():
            request.cabinet = Cabinet.objects.get(pk=cabinet_id)
            request.member = Membership.objects.get(pk=member_id)
            request.member.user = request.user
            response = self.get_response(request)
            if response.status_code >= HTTP_SERVER_ERROR:
                transaction.set_rollback(True)
            return response


HTTP_SERVER_ERROR = 500


def membership_of(*, person_id: UUID, wanted: str | None = None) -> tuple[UUID, UUID] | None:
    """Return the membership and the firm a person enters: the one they chose, else the first, else None."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT membership_id, cabinet_id FROM quittance_memberships(%s)", [person_id])
        places = [(UUID(str(member)), UUID(str(firm))) for member, firm in cursor.fetchall()]
    return next((place for place in places if str(place[1]) == wanted), places[0] if places else None)


class SessionMiddleware:
    """Keep a session's last use, and end it after thirty idle minutes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Flush an idle session before anybody is recognised by it."""
        now = timezone.now()
        seen = request.session.get("seen_at")
        if seen and now - dt.datetime.fromisoformat(seen) > dt.timedelta(seconds=settings.SESSION_IDLE_SECONDS):
            request.session.flush()
            return (
                HttpResponseRedirect(f"{settings.LOGIN_URL}?expiree=1")
                if request.method == "GET"
                else self.get_response(request)
            )
        return self.get_response(request)


def new_request_id() -> str:
    """Return 16 random hexadecimal characters that name a request in logs and in the journal."""
    return secrets.token_hex(8)
