"""The operators' desk says no in words: nonsense in any query, in any form, or in the name of any row."""

from typing import Any
from urllib.parse import quote_from_bytes
from uuid import UUID

import pytest
from django.test import Client as Browser
from django.urls import NoReverseMatch, reverse
from hypothesis import given

from cabinets.admin import OPERATOR, site
from cabinets.models import OperatorAct
from cabinets.scoping import working_for
from tests.cabinets.test_admin import DESK, desk, operator
from tests.factories.cabinets import make_cabinet, make_member
from tests.security.forms import Form, read_page
from tests.security.nonsense import NONSENSE, Submission, submissions
from tests.security.test_fuzz import bounded, faults_of

__all__ = ["desk", "operator"]
pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
PARAMETERS = ("q", "o", "p", "e", "all", "_popup", "_to_field", "_changelist_filters", "id", "id__exact", "cabinet")
FEWEST_FORMS, FEWEST_LISTS = 8, 12


def named(model: Any, page: str, *args: object) -> str | None:
    try:
        return reverse(f"{site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return None


LISTS = sorted(filter(None, (named(model, "changelist") for model in site._registry)))


def test_nonsense_in_the_query_of_any_list_is_no_error(desk: Browser) -> None:
    desk.raise_request_exception = False
    wrong = []
    for place, address in enumerate(LISTS):
        for number, parameter in enumerate(PARAMETERS):
            value = NONSENSE[(place * len(PARAMETERS) + number) % len(NONSENSE)][:500]
            answer = desk.get(address, QUERY_STRING=f"{parameter}={quote_from_bytes(value)}")
            wrong += [f"{address}?{parameter}={value!r}: {one}" for one in faults_of(answer)]

    assert wrong == []
    assert len(LISTS) >= FEWEST_LISTS


NAMES = ["%00", "-1", "x" * 300, "_5C", "_", "9" * 30, "%ED%A0%80", "00000000-0000-4000-8000-000000000000"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_no_row_is_no_error(desk: Browser, name: str) -> None:
    desk.raise_request_exception = False
    wrong = []
    for address in LISTS:
        for page in ("change", "history", "delete"):
            answer = desk.get(f"{address}{name}/{page}/")
            wrong += [f"{address}{name}/{page}/: {one}" for one in faults_of(answer)]

    assert wrong == []


def strikes(desk: Browser, form: Form, *, foreign: list[UUID]) -> list[str]:
    """Send nonsense to one form; return what was wrong with the answers."""
    wrong: list[str] = []

    @bounded(2)  # type: ignore[untyped-decorator]
    @given(submissions(form, foreign))
    def send(sent: Submission) -> None:
        answer = desk.generic("POST", form.action, sent.body, content_type=sent.content_type)
        wrong.extend(f"{form.action}: {one} after {sent!r}" for one in faults_of(answer))

    send()
    return wrong


def test_nonsense_in_any_form_is_refused_in_words(desk: Browser) -> None:
    desk.raise_request_exception = False
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    addresses = [f"{address}add/" for address in LISTS]
    addresses += [f"{DESK}cabinets/cabinet/{firm.pk}/change/", f"{DESK}cabinets/membership/{member.pk}/change/", *LISTS]
    forms = []
    for address in addresses:
        page = desk.get(address)
        if page.status_code == 200:
            forms += [
                one
                for one in read_page(page.content.decode(), page=address)[0]
                if one.method == "post" and "logout" not in one.action
            ]
    wrong = [fault for form in forms for fault in strikes(desk, form, foreign=[firm.pk, member.pk])]

    assert wrong == []
    assert len({form.action for form in forms}) >= FEWEST_FORMS
    assert not OperatorAct.objects.using(OPERATOR).filter(event__endswith=".deleted").exists()
