"""The request of a signed-in person, as every view of a firm receives it."""

from django.http import HttpRequest, HttpResponse

from cabinets.models import Cabinet, Membership, User

# A form posted from a page that tells no referrer says "Origin: null", which the protection of forms refuses: a page
# with a form tells its own site where it comes from, and no other.
FORM_REFERRER, PAGE_REFERRER = "same-origin", "no-referrer"


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


def keep_home(response: HttpResponse) -> HttpResponse:
    """Keep the address of a page with a form, which holds a token, on this site: no other is told of it."""
    response["Referrer-Policy"] = FORM_REFERRER
    return response
