"""The ordered stop rules: the facts of one invoice and a day in, one decision out.

A lawyer can read `RULES` from top to bottom: the first rule that applies decides (engine.md § 4). The set-based planner
(`planning.sql`) must answer the same on the same facts; the sender asks these very functions again before it speaks.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cabinets.enums import ClientKind, LegalAid, SendingMode
from dunning.enums import Code, Entry, Reason, Tone
from invoices.enums import InvoiceKind, StopKind
from payments.freshness import are_payments_stale

CONTACT_GAP_DAYS = 7
CONTACTS_PER_30_DAYS = 4
CONTACT_WINDOW_DAYS = 30
FIRM_FROM_DAYS = 30
PROVISION_LAST_DAY = 10
NEW_FIRM_DAYS = 14
NOTICE_TO_BATONNIER_DAYS = 15
FIRM_TONES = frozenset({Tone.FIRM, Tone.FORMAL})
CONSUMER_YEARS = 2
OTHER_YEARS = 5


@dataclass(frozen=True, slots=True)
class StepFacts:
    """The step that is next."""

    offset_days: int
    tone: Tone
    needs_rate: bool = False
    needs_approval: bool = False
    text_fault: str = ""
    is_written: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the rules look at, for one invoice on one night; money in cents, days in the firm's calendar."""

    platform_suspended: bool = False
    firm_suspended: bool = False
    activated_on: dt.date | None = dt.date(2020, 1, 1)
    subscription_suspended: bool = False
    night_abnormal: bool = False

    is_open: bool = True
    is_never_reminded: bool = False
    owed_cents: int = 144_000
    stops: frozenset[StopKind] = frozenset()
    client_credit_cents: int = 0
    client_owed_cents: int = 144_000
    paid_within_grace: bool = False
    settlements_declared_on: dt.date | None = dt.date(2020, 1, 1)
    feed_fresh_until_on: dt.date | None = None

    kind: ClientKind = ClientKind.PROFESSIONAL
    invoice_kind: InvoiceKind = InvoiceKind.INVOICE
    legal_aid: LegalAid = LegalAid.NONE
    fee_agreement_on: dt.date | None = dt.date(2020, 1, 1)
    batonnier_notified_on: dt.date | None = None
    mandate_ended_on: dt.date | None = None
    issued_on: dt.date = dt.date(2026, 10, 15)
    due_on: dt.date = dt.date(2026, 11, 14)
    performed_on: dt.date | None = None
    hearing_near: bool = False
    is_territory_known: bool = True

    has_address: bool = True
    is_address_stopped: bool = False
    is_address_refused: bool = False
    has_pending_reminder: bool = False
    last_contact_on: dt.date | None = None
    contacts_in_30_days: int = 0
    last_step_on: dt.date | None = None
    min_gap_days: int = 7

    step: StepFacts | None = field(default_factory=lambda: StepFacts(offset_days=3, tone=Tone.COURTEOUS))
    is_rate_missing: bool = False

    mode: SendingMode = SendingMode.AUTOMATIC
    threshold_cents: int = 500_000
    is_strategic: bool = False
    needs_two_approvals: bool = False
    entry: Entry = Entry.NORMAL
    has_answered: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule that decided, and why a person must approve when one must."""

    code: Code
    reasons: tuple[Reason, ...] = ()


Rule = Callable[[Facts, dt.date], bool]


def decide(facts: Facts, *, on: dt.date) -> Verdict:
    """Return the first rule that applies; a reminder leaves by itself only when none does."""
    for code, applies in RULES:
        if applies(facts, on):
            return Verdict(code=code)
    if reasons := reasons_to_ask(facts, on=on):
        return Verdict(code=Code.NEEDS_APPROVAL, reasons=reasons)
    return Verdict(code=Code.SEND)


def reasons_to_ask(facts: Facts, *, on: dt.date) -> tuple[Reason, ...]:
    """Return every reason for which a person must approve, in the order of `ASKS`."""
    return tuple(reason for reason, applies in ASKS if applies(facts, on))


def out_of_turn(facts: Facts) -> Facts:
    """Return the facts less the calendar (contact cap, minimum gap): all that a person may overrule, with a reason.

    Every other rule reads what it read: those that come after the calendar would else be hidden behind it.
    """
    return replace(facts, last_contact_on=None, contacts_in_30_days=0, has_pending_reminder=False, min_gap_days=0)


def last_day_of_limitation(facts: Facts) -> dt.date:
    """Return the last day of the limitation period: two years for a consumer, five otherwise (law.md R26–R28).

    The period runs from the end of the mandate; while that is unknown, from the service or the invoice, prudently.
    """
    start = facts.mandate_ended_on or facts.performed_on or facts.issued_on
    years = CONSUMER_YEARS if facts.kind in {ClientKind.CONSUMER, ClientKind.UNKNOWN} else OTHER_YEARS
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # 29 February has no twin in a common year: the period ends on the last day of February.
        return start.replace(year=start.year + years, day=28)


def is_source_stale(facts: Facts, on: dt.date) -> bool:
    """Say whether the payments received lately are unknown."""
    return are_payments_stale(
        declared_on=facts.settlements_declared_on, feed_fresh_until_on=facts.feed_fresh_until_on, on=on
    )


def is_credit_enough(facts: Facts, on: dt.date) -> bool:
    """Say whether what the client holds at the firm covers all the client owes."""
    return 0 < facts.client_owed_cents <= facts.client_credit_cents


def lacks_partial_aid_formalities(facts: Facts, on: dt.date) -> bool:
    """Say whether partial legal aid lacks its agreement, or the notice to the bâtonnier within fifteen days (R33)."""
    if facts.legal_aid != LegalAid.PARTIAL:
        return False
    agreed, notified = facts.fee_agreement_on, facts.batonnier_notified_on
    return agreed is None or notified is None or (notified - agreed).days > NOTICE_TO_BATONNIER_DAYS


def is_prescribed(facts: Facts, on: dt.date) -> bool:
    """Say whether limitation has run out for certain: a provisional start asks a person instead."""
    return facts.mandate_ended_on is not None and on > last_day_of_limitation(facts)


def is_too_soon_for_the_debtor(facts: Facts, on: dt.date) -> bool:
    """Say whether the debtor was contacted in the last seven days, four times in thirty, or is about to be (R54)."""
    recent = facts.last_contact_on is not None and (on - facts.last_contact_on).days < CONTACT_GAP_DAYS
    return recent or facts.contacts_in_30_days >= CONTACTS_PER_30_DAYS or facts.has_pending_reminder


def is_too_soon_for_the_invoice(facts: Facts, on: dt.date) -> bool:
    """Say whether the last step that really left is closer than the scenario's minimum gap."""
    return facts.last_step_on is not None and (on - facts.last_step_on).days < facts.min_gap_days


def is_end_of_provision(facts: Facts, on: dt.date) -> bool:
    """Say whether a provision would go further than J+10: a person takes over (R34)."""
    step = facts.step
    is_late_step = step is not None and (step.offset_days > PROVISION_LAST_DAY or step.tone in FIRM_TONES)
    return facts.invoice_kind == InvoiceKind.PROVISION and is_late_step


def is_notice_over(facts: Facts, on: dt.date) -> bool:
    """Say whether a notice before the due date would come after it: the ladder goes on with the next step."""
    return facts.step is not None and facts.step.tone == Tone.NOTICE and on > facts.due_on


def _stop(kind: StopKind) -> Rule:
    return lambda facts, on: kind in facts.stops


# fmt: off
RULES: tuple[tuple[Code, Rule], ...] = (
    (Code.KILL_SWITCH, lambda facts, on: facts.platform_suspended or facts.firm_suspended),
    (Code.NOT_LIVE, lambda facts, on: facts.activated_on is None or facts.subscription_suspended),
    (Code.NIGHT_ABNORMAL, lambda facts, on: facts.night_abnormal),
    (Code.CLOSED, lambda facts, on: not facts.is_open),
    (Code.NEVER, lambda facts, on: facts.is_never_reminded),
    (Code.PAID, lambda facts, on: facts.owed_cents <= 0),
    (Code.PAYMENT_IN_FLIGHT, _stop(StopKind.PAYMENT_IN_FLIGHT)),
    (Code.CLAIMED_PAID, _stop(StopKind.CLAIMED_PAID)),
    (Code.CLIENT_IN_CREDIT, is_credit_enough),
    (Code.GRACE, lambda facts, on: facts.paid_within_grace),
    (Code.STALE_SOURCE, is_source_stale),
    (Code.INSOLVENCY, _stop(StopKind.INSOLVENCY)),
    (Code.OVER_INDEBTEDNESS, _stop(StopKind.OVER_INDEBTEDNESS)),
    (Code.LEGAL_AID_TOTAL, lambda facts, on: facts.legal_aid == LegalAid.TOTAL),
    (Code.LEGAL_AID_PARTIAL, lacks_partial_aid_formalities),
    (Code.PROTECTED_PERSON, _stop(StopKind.PROTECTED_PERSON)),
    (Code.WRONG_RECIPIENT, lambda facts, on: facts.is_address_stopped or StopKind.WRONG_RECIPIENT in facts.stops),
    (Code.PRESCRIBED, is_prescribed),
    (Code.DISPUTE, _stop(StopKind.DISPUTE)),
    (Code.MEDIATION, _stop(StopKind.MEDIATION)),
    (Code.BATONNIER_SEISED, _stop(StopKind.BATONNIER_SEISED)),
    (Code.HEARING, lambda facts, on: facts.hearing_near),
    (Code.HOLD, _stop(StopKind.HOLD)),
    (Code.PROMISE, _stop(StopKind.PROMISE)),
    (Code.PLAN, _stop(StopKind.PLAN)),
    (Code.REPLIED, _stop(StopKind.REPLIED)),
    (Code.NO_ADDRESS, lambda facts, on: not facts.has_address),
    (Code.BOUNCED, lambda facts, on: facts.is_address_refused),
    (Code.CONTACT_CAP, is_too_soon_for_the_debtor),
    (Code.MIN_GAP, is_too_soon_for_the_invoice),
    (Code.PROVISION_END, is_end_of_provision),
    (Code.TEXT_REFUSED, lambda facts, on: facts.step is not None and facts.step.text_fault != ""),
    (Code.RATE_MISSING, lambda facts, on: facts.step is not None and facts.step.needs_rate and facts.is_rate_missing),
    (Code.NOTICE_OVER, is_notice_over),
    (Code.LADDER_DONE, lambda facts, on: facts.step is None),
)


def _firm(facts: Facts, on: dt.date) -> bool:
    """Say whether the step speaks firmly, by its day or by its tone: a short ladder is firm sooner."""
    step = facts.step
    return step is not None and (step.offset_days >= FIRM_FROM_DAYS or step.tone in FIRM_TONES)


def _after_firm(facts: Facts, on: dt.date) -> bool:
    step = facts.step
    return step is not None and (step.offset_days > FIRM_FROM_DAYS or step.tone == Tone.FORMAL)


def _is_read_first(facts: Facts, on: dt.date) -> bool:
    if facts.mode == SendingMode.APPROVE_FROM_FIRM:
        return _firm(facts, on)
    return facts.mode == SendingMode.APPROVE_ALL

ASKS: tuple[tuple[Reason, Rule], ...] = (
    (Reason.AMOUNT, lambda facts, on: _firm(facts, on) and facts.owed_cents > facts.threshold_cents),
    (Reason.STRATEGIC, lambda facts, on: facts.is_strategic),
    (Reason.FORMAL, lambda facts, on: facts.step is not None and facts.step.tone == Tone.FORMAL),
    (Reason.NO_ANSWER, lambda facts, on: _after_firm(facts, on) and not facts.has_answered),
    (Reason.NO_AGREEMENT, lambda facts, on: _firm(facts, on) and facts.fee_agreement_on is None),
    (Reason.NEW_FIRM, lambda facts, on: facts.activated_on is not None
        and (on - facts.activated_on).days < NEW_FIRM_DAYS),
    (Reason.TWO_PEOPLE, lambda facts, on: facts.needs_two_approvals),
    (Reason.LATE_ENTRY, lambda facts, on: facts.entry == Entry.LATE and facts.last_step_on is None),
    (Reason.KIND_UNKNOWN, lambda facts, on: _firm(facts, on) and facts.kind == ClientKind.UNKNOWN),
    (Reason.FAR_TERRITORY, lambda facts, on: _firm(facts, on) and not facts.is_territory_known),
    (Reason.FIRM_MODE, _is_read_first),
    (Reason.STEP_ASKS, lambda facts, on: facts.step is not None and facts.step.needs_approval),
    (Reason.NO_TEXT, lambda facts, on: facts.step is not None and not facts.step.is_written),
    (Reason.LIMITATION, lambda facts, on: facts.mandate_ended_on is None and on > last_day_of_limitation(facts)),
)
# fmt: on
