"""The request of a signed-in person, as every view of a firm receives it."""

from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from cabinets.models import Cabinet, Membership, User

# A form posted from a page that tells no referrer says "Origin: null", which the protection of forms refuses: a page
# with a form tells its own site where it comes from, and no other.
FORM_REFERRER, PAGE_REFERRER = "same-origin", "no-referrer"
Answer = TypeVar("Answer", bound=HttpResponseBase)


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


def as_download(content: bytes, *, media_type: str, name: str) -> HttpResponse:
    """Answer with a file that is saved, and that nothing shows in the page nor runs, whatever it holds."""
    return to_save(HttpResponse(content, content_type=media_type), name=name)


def to_save(response: Answer, *, name: str) -> Answer:
    """Make an answer a file to save. Its name is what somebody chose: no line break of it reaches a header."""
    plain = "".join(mark if mark.isprintable() else " " for mark in name)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=plain) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def keep_home(response: HttpResponse) -> HttpResponse:
    """Keep the address of a page with a form, which holds a token, on this site: no other is told of it."""
    response["Referrer-Policy"] = FORM_REFERRER
    return response
