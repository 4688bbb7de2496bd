"""Pages leave compressed for who can read them so; files leave as they are."""

import gzip

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.middleware import CompressedPagesMiddleware

LONG = "Rien ne part sans votre accord. " * 200


def answer(content_type: str, *, accepts: str = "br, gzip") -> HttpResponse:
    """Send a long answer of a type through the middleware."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(LONG, content_type=content_type)

    response = CompressedPagesMiddleware(view)(RequestFactory().get("/", HTTP_ACCEPT_ENCODING=accepts))
    assert isinstance(response, HttpResponse)
    return response


def test_a_page_leaves_compressed_and_reads_the_same() -> None:
    page = answer("text/html; charset=utf-8")

    assert page["Content-Encoding"] == "gzip"
    assert page["Vary"] == "Accept-Encoding"
    assert len(page.content) < len(LONG) / 10
    assert gzip.decompress(page.content).decode() == LONG


def test_a_browser_that_asks_for_nothing_gets_the_page_as_it_is() -> None:
    assert answer("text/html", accepts="identity").content.decode() == LONG


def test_a_file_keeps_its_length() -> None:
    file = answer("text/csv; charset=utf-8")

    assert "Content-Encoding" not in file
    assert file.content.decode() == LONG
