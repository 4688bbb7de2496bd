"""The ordered rules, as a table a lawyer can read."""

import datetime as dt
from typing import Any

import pytest

from cabinets.enums import ClientKind, LegalAid, SendingMode
from dunning.enums import Code, Entry, Reason, Tone
from dunning.policy import RULES, Facts, StepFacts, decide
from invoices.enums import InvoiceKind, StopKind

ON = dt.date(2026, 11, 24)
J3 = StepFacts(offset_days=3, tone=Tone.COURTEOUS)
J10 = StepFacts(offset_days=10, tone=Tone.SOLUTIONS)
J30 = StepFacts(offset_days=30, tone=Tone.FIRM)
J45 = StepFacts(offset_days=45, tone=Tone.FORMAL)
# On a short ladder the tone, and not the day, says how firm a step is.
SOON_FIRM = StepFacts(offset_days=15, tone=Tone.FIRM)
SOON_FORMAL = StepFacts(offset_days=30, tone=Tone.FORMAL)
NOON = {"settlements_declared_on": ON}


def facts(**given: Any) -> Facts:
    return Facts(**{**NOON, "has_answered": True, **given})


def test_lets_an_unremarkable_invoice_leave() -> None:
    assert decide(facts(), on=ON).code == Code.SEND


STOPS: list[tuple[dict[str, Any], Code]] = [
    ({"platform_suspended": True}, Code.KILL_SWITCH),
    ({"firm_suspended": True}, Code.KILL_SWITCH),
    ({"activated_on": None}, Code.NOT_LIVE),
    ({"subscription_suspended": True}, Code.NOT_LIVE),
    ({"night_abnormal": True}, Code.NIGHT_ABNORMAL),
    ({"is_open": False}, Code.CLOSED),
    ({"is_never_reminded": True}, Code.NEVER),
    ({"owed_cents": 0}, Code.PAID),
    ({"owed_cents": -1}, Code.PAID),
    ({"stops": frozenset({StopKind.PAYMENT_IN_FLIGHT})}, Code.PAYMENT_IN_FLIGHT),
    ({"stops": frozenset({StopKind.CLAIMED_PAID})}, Code.CLAIMED_PAID),
    ({"client_credit_cents": 144_000}, Code.CLIENT_IN_CREDIT),
    ({"paid_within_grace": True}, Code.GRACE),
    ({"settlements_declared_on": None}, Code.STALE_SOURCE),
    ({"settlements_declared_on": ON - dt.timedelta(days=8)}, Code.STALE_SOURCE),
    (
        {"settlements_declared_on": ON - dt.timedelta(days=2), "feed_fresh_until_on": ON - dt.timedelta(days=1)},
        Code.STALE_SOURCE,
    ),
    ({"stops": frozenset({StopKind.INSOLVENCY})}, Code.INSOLVENCY),
    ({"stops": frozenset({StopKind.OVER_INDEBTEDNESS})}, Code.OVER_INDEBTEDNESS),
    ({"legal_aid": LegalAid.TOTAL}, Code.LEGAL_AID_TOTAL),
    ({"legal_aid": LegalAid.PARTIAL}, Code.LEGAL_AID_PARTIAL),
    (
        # T33: an agreement of 2 March notified on 20 March, eighteen days later.
        {
            "legal_aid": LegalAid.PARTIAL,
            "fee_agreement_on": dt.date(2026, 3, 2),
            "batonnier_notified_on": dt.date(2026, 3, 20),
        },
        Code.LEGAL_AID_PARTIAL,
    ),
    ({"stops": frozenset({StopKind.PROTECTED_PERSON})}, Code.PROTECTED_PERSON),
    ({"stops": frozenset({StopKind.WRONG_RECIPIENT})}, Code.WRONG_RECIPIENT),
    ({"is_address_stopped": True}, Code.WRONG_RECIPIENT),
    ({"kind": ClientKind.CONSUMER, "mandate_ended_on": dt.date(2024, 11, 23)}, Code.PRESCRIBED),
    ({"kind": ClientKind.PROFESSIONAL, "mandate_ended_on": dt.date(2021, 11, 23)}, Code.PRESCRIBED),
    ({"stops": frozenset({StopKind.DISPUTE})}, Code.DISPUTE),
    ({"stops": frozenset({StopKind.MEDIATION})}, Code.MEDIATION),
    ({"stops": frozenset({StopKind.BATONNIER_SEISED})}, Code.BATONNIER_SEISED),
    ({"hearing_near": True}, Code.HEARING),
    ({"stops": frozenset({StopKind.HOLD})}, Code.HOLD),
    ({"stops": frozenset({StopKind.PROMISE})}, Code.PROMISE),
    ({"stops": frozenset({StopKind.PLAN})}, Code.PLAN),
    ({"stops": frozenset({StopKind.REPLIED})}, Code.REPLIED),
    ({"has_address": False}, Code.NO_ADDRESS),
    ({"is_address_refused": True}, Code.BOUNCED),
    ({"last_contact_on": ON - dt.timedelta(days=6)}, Code.CONTACT_CAP),
    ({"contacts_in_30_days": 4}, Code.CONTACT_CAP),
    ({"has_pending_reminder": True}, Code.CONTACT_CAP),
    ({"last_step_on": ON - dt.timedelta(days=6)}, Code.MIN_GAP),
    ({"invoice_kind": InvoiceKind.PROVISION, "step": J30}, Code.PROVISION_END),
    ({"invoice_kind": InvoiceKind.PROVISION, "step": SOON_FIRM}, Code.PROVISION_END),
    ({"step": StepFacts(offset_days=3, tone=Tone.COURTEOUS, text_fault="R12")}, Code.TEXT_REFUSED),
    (
        {"step": StepFacts(offset_days=30, tone=Tone.FIRM, needs_rate=True), "is_rate_missing": True},
        Code.RATE_MISSING,
    ),
    ({"step": StepFacts(offset_days=-7, tone=Tone.NOTICE), "due_on": ON - dt.timedelta(days=1)}, Code.NOTICE_OVER),
    ({"step": None}, Code.LADDER_DONE),
]


@pytest.mark.parametrize(("given", "code"), STOPS)
def test_stops_on_each_fact(given: dict[str, Any], code: Code) -> None:
    assert decide(facts(**given), on=ON).code == code


def test_has_a_row_above_for_every_stop_rule() -> None:
    assert {code for _, code in STOPS} == {code for code, _ in RULES}


def test_reads_the_rules_in_the_order_of_the_codes() -> None:
    assert [code for code, _ in RULES] == list(Code)[: len(RULES)]


@pytest.mark.parametrize(
    "given",
    [
        {"settlements_declared_on": ON - dt.timedelta(days=7)},
        {"settlements_declared_on": ON - dt.timedelta(days=1), "feed_fresh_until_on": ON - dt.timedelta(days=1)},
        {"settlements_declared_on": None, "feed_fresh_until_on": ON},
        {"last_contact_on": ON - dt.timedelta(days=7)},
        {"last_step_on": ON - dt.timedelta(days=7)},
        {"contacts_in_30_days": 3},
        {"kind": ClientKind.CONSUMER, "mandate_ended_on": dt.date(2024, 11, 24)},
        {"client_credit_cents": 143_999},
        {"invoice_kind": InvoiceKind.PROVISION, "step": J10},
        {"step": StepFacts(offset_days=-7, tone=Tone.NOTICE), "due_on": ON},
        {"step": StepFacts(offset_days=30, tone=Tone.FIRM), "is_rate_missing": True},
        {
            "legal_aid": LegalAid.PARTIAL,
            "fee_agreement_on": dt.date(2026, 3, 2),
            "batonnier_notified_on": dt.date(2026, 3, 17),
        },
    ],
)
def test_lets_leave_at_the_edge_of_each_rule(given: dict[str, Any]) -> None:
    assert decide(facts(**given), on=ON).code == Code.SEND


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"step": J30, "owed_cents": 500_001}, (Reason.AMOUNT,)),
        ({"step": J30, "owed_cents": 500_000}, ()),
        ({"step": J10, "owed_cents": 900_000}, ()),
        ({"is_strategic": True}, (Reason.STRATEGIC,)),
        ({"step": J45}, (Reason.FORMAL,)),
        ({"step": J45, "has_answered": False}, (Reason.FORMAL, Reason.NO_ANSWER)),
        ({"step": J30, "has_answered": False}, ()),
        ({"step": J30, "fee_agreement_on": None}, (Reason.NO_AGREEMENT,)),
        ({"step": J10, "fee_agreement_on": None}, ()),
        ({"activated_on": ON - dt.timedelta(days=13)}, (Reason.NEW_FIRM,)),
        ({"activated_on": ON - dt.timedelta(days=14)}, ()),
        ({"needs_two_approvals": True}, (Reason.TWO_PEOPLE,)),
        ({"entry": Entry.LATE}, (Reason.LATE_ENTRY,)),
        ({"entry": Entry.LATE, "last_step_on": ON - dt.timedelta(days=7), "step": J10}, ()),
        ({"step": SOON_FIRM, "has_answered": False}, ()),
        ({"step": SOON_FIRM, "owed_cents": 500_001}, (Reason.AMOUNT,)),
        ({"step": SOON_FORMAL, "has_answered": False}, (Reason.FORMAL, Reason.NO_ANSWER)),
        ({"mode": SendingMode.APPROVE_ALL}, (Reason.FIRM_MODE,)),
        ({"mode": SendingMode.APPROVE_FROM_FIRM}, ()),
        ({"mode": SendingMode.APPROVE_FROM_FIRM, "step": SOON_FIRM}, (Reason.FIRM_MODE,)),
        ({"step": StepFacts(offset_days=3, tone=Tone.COURTEOUS, needs_approval=True)}, (Reason.STEP_ASKS,)),
        ({"kind": ClientKind.UNKNOWN, "step": J30}, (Reason.KIND_UNKNOWN,)),
        ({"kind": ClientKind.UNKNOWN}, ()),
        ({"is_territory_known": False, "step": J30}, (Reason.FAR_TERRITORY,)),
        ({"step": StepFacts(offset_days=3, tone=Tone.COURTEOUS, is_written=False)}, (Reason.NO_TEXT,)),
        ({"kind": ClientKind.CONSUMER, "issued_on": dt.date(2024, 11, 23)}, (Reason.LIMITATION,)),
    ],
)
def test_asks_a_person_for_each_reason(given: dict[str, Any], reasons: tuple[Reason, ...]) -> None:
    verdict = decide(facts(**given), on=ON)

    assert (verdict.code, verdict.reasons) == (Code.NEEDS_APPROVAL if reasons else Code.SEND, reasons)


def test_stops_on_the_first_rule_when_several_apply() -> None:
    both = facts(owed_cents=0, stops=frozenset({StopKind.DISPUTE}), has_address=False)

    assert decide(both, on=ON).code == Code.PAID
