"""The request of a signed-in person, as every view of a firm receives it."""

from django.http import HttpRequest

from cabinets.models import Cabinet, Membership, User


class CabinetRequest(HttpRequest):
    """A request with its firm and its person."""

    user: User
    cabinet: Cabinet
    member: Membership
    request_id: str


def address_of(request: HttpRequest) -> str | None:
    """Return the address a request comes from, as the server saw it."""
    return request.META.get("REMOTE_ADDR") or None


def agent_of(request: HttpRequest) -> str:
    """Return the browser's name, cut to what the journal keeps."""
    return str(request.headers.get("user-agent", ""))[:120]
