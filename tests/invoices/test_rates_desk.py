"""The operators' page of rates: what is missing is asked for, what is entered is confirmed by somebody, or not used."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client as Browser

from cabinets.admin import OPERATOR
from cabinets.enums import ClientKind
from cabinets.models import OperatorAct, User
from cabinets.scoping import working_for
from invoices.law.rates import HalfYear
from invoices.models import InterestRate, Invoice
from invoices.services.claims import Statement, statement_of
from invoices.services.rates import confirmed_rates, halves_to_confirm, missing_half
from tests.cabinets.test_admin import DESK, desk, operator
from tests.factories.cabinets import make_cabinet, make_dossier
from tests.factories.invoices import make_invoice

LIST = f"{DESK}invoices/interestrate/"
H2 = {"year": "2026", "half": "2", "legal_percent": "2.50", "ecb_percent": "2.15", "source": "Arrêté du 20 juin 2026"}
__all__ = ["desk", "operator"]
pytestmark = pytest.mark.usefixtures("committed")


def of_the_second_half() -> InterestRate | None:
    return InterestRate.objects.filter(year=2026, half=2).first()


def asked_in_july() -> Statement:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        make_invoice(
            dossier=make_dossier(kind=ClientKind.PROFESSIONAL), due_on=dt.date(2026, 6, 15), total_cents=120_000
        )
        invoices = list(Invoice.objects.select_related("dossier"))
        return statement_of(invoices=invoices, on=dt.date(2026, 7, 15))[invoices[0].pk]


def test_the_missing_half_year_is_asked_for_on_the_first_page_and_above_the_list(desk: Browser) -> None:
    for url in (DESK, LIST):
        assert "Taux à saisir ou à confirmer\u00a0: second semestre 2026" in desk.get(url).content.decode()
    page = desk.get(f"{LIST}add/").content.decode()

    assert 'name="year" value="2026"' in page
    assert halves_to_confirm(on=dt.date(2026, 11, 24)) == [HalfYear(2026, 2)]


def test_a_rate_that_was_entered_is_not_used_until_somebody_confirms_it(desk: Browser, operator: User) -> None:
    desk.post(f"{LIST}add/", H2)
    rate = of_the_second_half()
    assert rate is not None
    assert (rate.confirmed_at, missing_half(on=dt.date(2026, 11, 24))) == (None, HalfYear(2026, 2))
    assert asked_in_july().missing_half == HalfYear(2026, 2)

    desk.post(f"{LIST}{rate.pk}/change/", {**H2, "is_confirmed": "on"})

    rate.refresh_from_db()
    assert (rate.confirmed_by_id, rate.confirmed_at is not None) == (operator.pk, True)
    assert confirmed_rates().legal(HalfYear(2026, 2)) == Decimal("2.50")
    # Fifteen days at each half-year's 12,15 %.
    assert asked_in_july().interest_cents == 1198
    assert "Taux à saisir" not in desk.get(DESK).content.decode()


def test_a_corrected_rate_is_journalled_with_what_it_said_before(desk: Browser) -> None:
    desk.post(f"{LIST}add/", {**H2, "is_confirmed": "on"})
    rate = of_the_second_half()
    assert rate is not None

    desk.post(f"{LIST}{rate.pk}/change/", {**H2, "legal_percent": "2.51"})

    act = OperatorAct.objects.using(OPERATOR).order_by("-pk").first()
    assert act is not None
    assert (act.event, act.facts["before"][:2], act.facts["after"][:2]) == (
        "interestrate.corrected",
        ["2.50", "2.15"],
        ["2.51", "2.15"],
    )
    rate.refresh_from_db()
    assert (rate.legal_percent, rate.confirmed_at) == (Decimal("2.51"), None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"legal_percent": "6.67"}, "créanciers particuliers"),
        ({"ecb_percent": "21"}, "entre 0 et 20"),
        ({"legal_percent": "-1"}, "entre 0 et 20"),
        ({"half": "3"}, "premier ou le second"),
    ],
)
def test_a_rate_nobody_published_is_refused(desk: Browser, change: dict[str, str], words: str) -> None:
    answer = desk.post(f"{LIST}add/", {**H2, **change, "is_confirmed": "on"})

    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert of_the_second_half() is None


def test_a_half_year_keeps_its_name_and_is_never_removed(desk: Browser) -> None:
    desk.post(f"{LIST}add/", {**H2, "is_confirmed": "on"})
    rate = of_the_second_half()
    assert rate is not None

    desk.post(f"{LIST}{rate.pk}/change/", {**H2, "year": "2030", "is_confirmed": "on"})

    assert desk.post(f"{LIST}{rate.pk}/delete/", {"post": "yes"}).status_code == 403
    assert of_the_second_half() == rate
