"""R67–R75, as far as the product goes today, and the payment plans."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind
from invoices.law.e_invoicing import MANDATORY, STATUSES, Effect, effect_of
from invoices.law.plans import refusal
from invoices.models import Invoice

D = dt.date


def test_r68_what_was_done_for_a_client_is_no_column_of_an_invoice() -> None:
    assert not {field.name for field in Invoice._meta.fields} & {"lines", "description", "service", "label"}


@pytest.mark.parametrize(
    ("codes", "effect"),
    [
        ((200, 201, 202, 203, 204, 205, 209), Effect.RUN),
        ((206,), Effect.UNDISPUTED_PART),
        ((207, 208), Effect.PAUSE),
        ((211,), Effect.PAUSE_FIVE_DAYS),
        ((212,), Effect.CLOSE_OR_CONTINUE),
        ((213, 221), Effect.STOP_WITHOUT_ACCESSORIES),
        ((210,), Effect.STOP),
        ((220,), Effect.CLOSE),
    ],
)
def test_r72_t72_each_status_has_its_effect(codes: tuple[int, ...], effect: Effect) -> None:
    assert {effect_of(code) for code in codes} == {effect}
    assert sum(one[1] is effect for one in STATUSES.values()) == len(codes)


def test_r72_without_a_status_reminders_run_and_four_statuses_are_mandatory() -> None:
    assert effect_of(None) is Effect.RUN
    assert set(STATUSES) >= MANDATORY


@pytest.mark.parametrize(
    ("kind", "on", "last", "cost", "words"),
    [
        pytest.param(ClientKind.CONSUMER, D(2026, 11, 20), D(2026, 12, 20), 0, "après l’échéance", id="T76"),
        (ClientKind.UNKNOWN, D(2026, 11, 20), D(2026, 12, 20), 0, "après l’échéance"),
        (ClientKind.CONSUMER, D(2026, 11, 21), D(2026, 12, 20), 1, "sans frais"),
        (ClientKind.CONSUMER, D(2026, 11, 21), D(2027, 2, 22), 0, "trois mois"),
    ],
)
def test_t76_a_plan_for_a_consumer_is_on_a_debt_already_due_free_and_short(
    kind: ClientKind, on: dt.date, last: dt.date, cost: int, words: str
) -> None:
    assert words in refusal(kind=kind, due_on=D(2026, 11, 20), on=on, last_instalment_on=last, extra_cost_cents=cost)


def test_t76_a_free_and_short_plan_after_the_due_date_may_be_offered_and_a_professionals_is_free() -> None:
    due, after = D(2026, 11, 20), D(2026, 11, 21)

    assert refusal(kind=ClientKind.CONSUMER, due_on=due, on=after, last_instalment_on=D(2027, 2, 21)) == ""
    assert refusal(kind=ClientKind.PROFESSIONAL, due_on=due, on=D(2026, 1, 1), last_instalment_on=D(2028, 1, 1)) == ""
