"""Accessories stand beside an invoice: exact on their day, waived with a reason, alive after the principal is paid."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinets.enums import ClientKind, Role
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, JournalEntry
from dunning.enums import LetterState, ReminderState
from dunning.models import Letter
from invoices.enums import ClaimKind, InvoiceKind, StopKind
from invoices.errors import InvoiceError, OverpaidError
from invoices.law.interest import RateMode
from invoices.law.rates import HalfYear
from invoices.models import AccessoryClaim, Invoice, Standstill
from invoices.services import claims
from tests.factories.cabinets import make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

D = dt.date
pytestmark = pytest.mark.usefixtures("cabinet")


def owe(kind: ClientKind = ClientKind.PROFESSIONAL, *, due: dt.date, euros: int = 1200, **facts: Any) -> Invoice:
    dossier = make_dossier(kind=kind, contract_rate=facts.pop("contract_rate", None))
    return make_invoice(dossier=dossier, due_on=due, total_cents=euros * 100, **facts)


def say(invoice: Invoice, on: dt.date) -> claims.Statement:
    fresh = Invoice.objects.select_related("dossier").get(pk=invoice.pk)
    return claims.statement_of(invoices=[fresh], on=on)[invoice.pk]


def present(invoice: Invoice, on: dt.date, **facts: Any) -> None:
    reminder = make_reminder(make_case(invoice=invoice, rank=4), state=ReminderState.ACCEPTED)
    Letter(
        reminder=reminder,
        client_id=invoice.client_id,
        route="post_desk",
        **{"state": LetterState.PRESENTED, "presented_on": on, **facts},
    ).save(force_insert=True)


def stop(kind: StopKind, invoice: Invoice, started_on: dt.date) -> None:
    Standstill(kind=kind, client_id=invoice.client_id, started_on=started_on).save(force_insert=True)


def test_a_late_professional_owes_interest_by_half_year_and_forty_euros() -> None:
    said = say(owe(due=D(2025, 6, 15), euros=10000), D(2025, 7, 30))

    assert (said.principal_cents, said.interest_cents, said.indemnity_cents) == (1_000_000, 15390, 4000)
    assert said.total_cents == 1_019_390
    assert (said.rate_mode, said.rate_percent, said.rate_half) == (RateMode.BCE10, Decimal("12.15"), HalfYear(2025, 2))
    assert (said.first_day, said.last_day) == (D(2025, 6, 16), D(2025, 7, 30))
    assert [part.days for part in said.slices] == [15, 30]


def test_a_missing_rate_is_said_and_no_amount_is() -> None:
    said = say(owe(due=D(2026, 6, 15)), D(2026, 7, 15))

    assert (said.interest_cents, said.missing_half, said.rate_percent) == (None, HalfYear(2026, 2), None)
    assert (said.indemnity_cents, said.total_cents, said.is_interest_known) == (4000, 124_000, False)


@pytest.mark.parametrize("kind", [ClientKind.CONSUMER, ClientKind.NON_PRO_LEGAL, ClientKind.UNKNOWN])
def test_who_is_no_professional_owes_nothing_before_a_formal_notice_is_presented(kind: ClientKind) -> None:
    invoice = owe(kind, due=D(2025, 4, 1))
    before = say(invoice, D(2025, 6, 10))
    present(invoice, D(2025, 5, 20))
    after = say(invoice, D(2025, 6, 10))

    assert (before.interest_cents, before.indemnity_cents, before.total_cents) == (0, 0, 120_000)
    assert (after.interest_cents, after.indemnity_cents, after.rate_mode) == (256, 0, RateMode.LEGAL)


@pytest.mark.parametrize(
    "facts",
    [{"state": LetterState.RETURNED}, {"is_registered": False}, {"presented_on": None}, {"state": LetterState.VOID}],
)
def test_a_letter_that_was_presented_to_nobody_starts_nothing(facts: dict[str, Any]) -> None:
    invoice = owe(ClientKind.CONSUMER, due=D(2025, 4, 1))
    present(invoice, D(2025, 5, 20), **facts)

    assert say(invoice, D(2025, 6, 10)).interest_cents == 0


def test_the_referral_to_the_batonnier_counts_as_a_formal_notice_when_there_is_none() -> None:
    invoice = owe(ClientKind.CONSUMER, due=D(2025, 4, 1))
    stop(StopKind.BATONNIER_SEISED, invoice, D(2025, 5, 20))

    assert say(invoice, D(2025, 6, 10)).interest_cents == 256


def test_interest_stops_on_the_eve_of_the_judgment_and_of_an_admission() -> None:
    firm, person = owe(due=D(2025, 3, 31), euros=8000), owe(ClientKind.CONSUMER, due=D(2025, 12, 1))
    stop(StopKind.INSOLVENCY, firm, D(2025, 5, 10))
    present(person, D(2025, 12, 31))
    stop(StopKind.OVER_INDEBTEDNESS, person, D(2026, 2, 10))

    assert (say(firm, D(2025, 12, 31)).interest_cents, say(firm, D(2025, 12, 31)).indemnity_cents) == (11241, 4000)
    assert say(person, D(2026, 2, 9)).interest_cents == say(person, D(2026, 6, 30)).interest_cents == 345


def test_a_provision_bears_nothing() -> None:
    provision = owe(due=D(2025, 4, 1))
    Invoice.objects.update(kind=InvoiceKind.PROVISION)

    assert say(provision, D(2025, 5, 1)).accessories_cents == 0


def test_a_payment_lowers_the_principal_from_its_own_day() -> None:
    invoice = owe(due=D(2025, 3, 31))
    make_payment(invoice=invoice, on=D(2025, 4, 15), cents=60_000)

    said = say(invoice, D(2025, 4, 30))

    assert [(part.days, part.principal_cents) for part in said.slices] == [(15, 120_000), (15, 60_000)]
    assert (said.principal_cents, said.interest_cents, said.indemnity_cents) == (60_000, 973, 4000)


def test_what_was_settled_on_no_known_day_was_never_late() -> None:
    invoice = owe(due=D(2025, 3, 31), settled_cents=60_000)

    assert (say(invoice, D(2025, 4, 30)).interest_cents, say(invoice, D(2025, 4, 30)).principal_cents) == (648, 60_000)


def test_a_contract_rate_under_the_floor_is_flagged_and_a_right_one_is_not() -> None:
    low = say(owe(due=D(2024, 2, 1), contract_rate=Decimal("10.00")), D(2024, 3, 1))
    right = say(owe(due=D(2024, 2, 1), contract_rate=Decimal("15.21")), D(2024, 3, 1))

    assert (low.is_rate_too_low, low.rate_percent, right.is_rate_too_low) == (True, Decimal("10.00"), False)


def test_what_is_asked_is_written_down_beside_the_invoice_and_never_on_it() -> None:
    invoice = owe(due=D(2025, 3, 31))
    before = Invoice.objects.values().get(pk=invoice.pk)

    claims.ask(invoices=[Invoice.objects.select_related("dossier").get(pk=invoice.pk)], on=D(2025, 4, 30))
    claims.ask(invoices=[Invoice.objects.select_related("dossier").get(pk=invoice.pk)], on=D(2025, 5, 1))

    assert list(AccessoryClaim.objects.order_by("kind").values_list("kind", "cents", "asked_cents", "opened_on")) == [
        ("indemnity", 4000, 4000, D(2025, 4, 1)),
        ("interest", 1340, 1340, D(2025, 4, 1)),
    ]
    assert Invoice.objects.values().get(pk=invoice.pk) == before


def test_a_waiver_is_kept_with_its_reason_and_the_sum_is_asked_no_more(owner: Any) -> None:
    invoice = owe(due=D(2025, 3, 31))

    row = claims.waive(
        invoice_id=invoice.pk, kind=ClaimKind.INDEMNITY, by=owner, reason=" Geste commercial ", on=D(2025, 4, 30)
    )

    assert (row.waived_by, row.waiver_reason, row.outstanding_cents) == (owner, "Geste commercial", 0)
    said = say(invoice, D(2025, 4, 30))
    assert (said.indemnity_cents, said.is_indemnity_waived, said.interest_cents) == (0, True, 1297)
    assert JournalEntry.objects.filter(event="accessoryclaim.waived", subject_id=invoice.pk).count() == 1


def test_interest_that_cannot_be_computed_can_be_given_up(owner: Any) -> None:
    invoice = owe(due=D(2026, 6, 15))
    claims.waive(invoice_id=invoice.pk, kind=ClaimKind.INTEREST, by=owner, reason="Accord", on=D(2026, 7, 15))

    said = say(invoice, D(2026, 7, 15))
    assert (said.is_interest_waived, said.interest_cents, said.total_cents) == (True, 0, 124_000)


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.ADMIN, Role.ACCOUNTANT])
def test_only_a_lawyer_waives(role: Role) -> None:
    invoice = owe(due=D(2025, 3, 31))

    with pytest.raises(RightMissingError):
        claims.waive(
            invoice_id=invoice.pk,
            kind=ClaimKind.INTEREST,
            by=make_member(role=role),
            reason="Geste",
            on=D(2025, 4, 30),
        )

    assert not AccessoryClaim.objects.exists()


def test_a_public_buyers_interest_cannot_be_waived_and_a_waiver_has_a_reason(owner: Any) -> None:
    public, private = owe(ClientKind.PUBLIC, due=D(2025, 3, 31)), owe(due=D(2025, 3, 31))

    with pytest.raises(InvoiceError, match="acheteur public"):
        claims.waive(invoice_id=public.pk, kind=ClaimKind.INTEREST, by=owner, reason="Geste", on=D(2025, 4, 30))
    with pytest.raises(InvoiceError, match="pourquoi"):
        claims.waive(invoice_id=private.pk, kind=ClaimKind.INTEREST, by=owner, reason="  ", on=D(2025, 4, 30))

    assert not AccessoryClaim.objects.exists()


def test_accessories_are_paid_interest_first_and_a_payment_can_be_taken_back() -> None:
    invoice = owe(due=D(2025, 3, 31))

    claims.settle_claims(invoice_id=invoice.pk, cents=3000, on=D(2025, 4, 30))
    assert dict(AccessoryClaim.objects.values_list("kind", "settled_cents")) == {"interest": 1297, "indemnity": 1703}
    assert (say(invoice, D(2025, 4, 30)).interest_cents, say(invoice, D(2025, 4, 30)).indemnity_cents) == (0, 2297)
    claims.settle_claims(invoice_id=invoice.pk, cents=-3000, on=D(2025, 4, 30))

    assert dict(AccessoryClaim.objects.values_list("kind", "settled_cents")) == {"interest": 0, "indemnity": 0}


def test_more_than_is_due_is_refused_and_nothing_is_kept() -> None:
    invoice = owe(due=D(2025, 3, 31))

    with pytest.raises(OverpaidError, match="dépasse de 0,01"):
        claims.settle_claims(invoice_id=invoice.pk, cents=5298, on=D(2025, 4, 30))

    assert not AccessoryClaim.objects.exists()


def test_the_indemnity_is_due_once_an_invoice_whole_however_much_was_paid() -> None:
    first, second = owe(due=D(2025, 3, 31)), owe(due=D(2025, 3, 31))
    make_payment(invoice=second, on=D(2025, 4, 15), cents=60_000)
    for day in range(1, 7):
        claims.ask(invoices=list(Invoice.objects.select_related("dossier")), on=D(2025, 4, 20 + day))

    assert sum(say(one, D(2025, 4, 30)).indemnity_cents for one in (first, second)) == 8000
    assert AccessoryClaim.objects.filter(kind=ClaimKind.INDEMNITY).count() == 2


@pytest.mark.parametrize("count", [1, 5])
def test_a_page_of_invoices_costs_five_queries(count: int) -> None:
    for _ in range(count):
        owe(due=D(2025, 3, 31))
    invoices = list(Invoice.objects.select_related("dossier"))

    with CaptureQueriesContext(connection) as asked:
        claims.statement_of(invoices=invoices, on=D(2025, 4, 30))

    assert len(asked) == 5


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([ClientKind.PROFESSIONAL, ClientKind.PUBLIC, ClientKind.CONSUMER]),
    days=st.lists(st.integers(0, 400), min_size=2, max_size=4),
    presented=st.none() | st.integers(0, 200),
    judged=st.none() | st.integers(1, 300),
)
def test_waiting_never_lowers_what_is_claimed(
    cabinet: Cabinet, kind: ClientKind, days: list[int], presented: int | None, judged: int | None
) -> None:
    invoice = owe(kind, due=D(2024, 6, 1))
    if presented is not None:
        present(invoice, D(2024, 6, 1) + dt.timedelta(days=presented))
    if judged is not None:
        stop(StopKind.INSOLVENCY, invoice, D(2024, 6, 1) + dt.timedelta(days=judged))

    said = [say(invoice, D(2024, 6, 1) + dt.timedelta(days=day)).accessories_cents for day in sorted(days)]

    assert said == sorted(said)
