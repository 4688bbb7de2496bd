"""Errors speak French, and a violation report leaves no trace of a person."""

import json
import logging

import pytest
from django.http import Http404
from django.test import RequestFactory

from config import views
from config.context import SEARCH_URL


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (views.bad_request(RequestFactory().get("/x/")), 400, "Rien n’a été enregistré"),
        (views.permission_denied(RequestFactory().get("/x/")), 403, "Un associé ou un administrateur"),
        (views.csrf_failure(RequestFactory().post("/x/")), 403, "Ce formulaire a expiré"),
        (views.page_not_found(RequestFactory().get("/x/")), 404, "Cette page n’existe pas"),
        (views.server_error(RequestFactory().get("/x/")), 500, "La faute est de notre côté"),
    ],
)
def test_an_error_says_what_to_do(answer: object, status: int, words: str) -> None:
    page = answer.content.decode()  # type: ignore[attr-defined]

    assert (answer.status_code, page.count("<h1>")) == (status, 1)  # type: ignore[attr-defined]
    assert words in page
    assert "Quittance" not in page


def test_only_a_member_is_offered_a_search() -> None:
    request = RequestFactory().get("/x/")
    visitor = views.page_not_found(request).content.decode()
    request.member = object()  # type: ignore[attr-defined]

    member = views.page_not_found(request).content.decode()

    assert (f'action="{SEARCH_URL}"' in visitor, f'action="{SEARCH_URL}"' in member) == (False, True)


def test_a_violation_report_keeps_the_directive_and_forgets_the_page(caplog: pytest.LogCaptureFixture) -> None:
    body = {"csp-report": {"violated-directive": "style-src 'self'", "document-uri": "https://example.test/p/secret/"}}
    request = RequestFactory().post("/csp/", json.dumps(body), content_type="application/csp-report")

    with caplog.at_level(logging.WARNING, logger="config.views"):
        answer = views.csp_report(request)

    assert answer.status_code == 204
    assert [(record.getMessage(), record.directive) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("csp.violation", "style-src")
    ]
    assert "secret" not in caplog.text


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"csp-report": 3}'])
def test_an_unreadable_report_is_accepted(body: bytes) -> None:
    request = RequestFactory().post("/csp/", body, content_type="application/csp-report")

    assert views.csp_report(request).status_code == 204


def test_the_page_of_components_is_for_operators() -> None:
    request = RequestFactory().get("/style/")
    request.user = type("Person", (), {"is_staff": False})()

    with pytest.raises(Http404):
        views.style(request)
