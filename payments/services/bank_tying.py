"""Tie a line of the bank to what it pays, set it aside, undo: one winner a line, its invoices settled with it."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.scoping import current_scope, whole_firm
from invoices.money import show_euros
from payments.enums import GuessOutcome, IgnoredReason, LineState, PaymentMeans, PaymentState
from payments.errors import BankError
from payments.locks import lock_bank
from payments.models import BankGuess, BankLine, BankMatch, Payment
from payments.services.recording import Receipt, Surplus, record_payment, reverse_payment

ALREADY_DECIDED = (
    "Cette ligne vient d’être rapprochée ou écartée par une autre personne. Rien n’a été enregistré :"
    " rechargez la page."
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one client's invoices receive of a line."""

    client_id: UUID
    invoice_ids: tuple[UUID, ...]
    cents: int
    surplus: Surplus = Surplus.REFUSE
    split: tuple[tuple[UUID, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a line is explained, and why."""

    outcome: GuessOutcome
    parts: tuple[Part, ...] = ()
    payment_id: UUID | None = None
    key: str
    score: int = 0
    reasons: tuple[str, ...] = ()


@transaction.atomic
def tie(*, line: BankLine, explanation: Explanation, today: dt.date, is_automatic: bool = False) -> list[Payment]:
    """Tie a line to the payments it brought, recording them when they are not; all of it or nothing.

    Raise BankError when somebody else decided first, or when the parts are not the line to the cent.
    """
    lock_bank()
    member_id, now = (None if is_automatic else current_scope().member_id), timezone.now()
    waiting = BankLine.objects.filter(pk=line.pk, state=LineState.UNMATCHED)
    if not waiting.update(state=LineState.MATCHED, decided_by=member_id, decided_at=now):
        raise BankError(ALREADY_DECIDED)
    payments = _applied(line, explanation, today)
    for payment in payments:
        BankMatch(
            line=line,
            payment=payment,
            outcome=explanation.outcome,
            key=explanation.key,
            score=explanation.score,
            reasons_text=BankMatch.written(explanation.reasons),
            is_automatic=is_automatic,
            by_id=member_id,
            at=now,
        ).save(force_insert=True)
    BankGuess.objects.filter(line=line).delete()
    journal.record("bankline.matched", line, outcome=explanation.outcome.value, automatic=is_automatic)
    return payments


@transaction.atomic
def ignore(*, line_id: UUID, reason: IgnoredReason) -> None:
    """Say that a line pays no invoice here, and why."""
    lock_bank()
    waiting = BankLine.objects.filter(pk=line_id, state=LineState.UNMATCHED)
    changed = waiting.update(
        state=LineState.IGNORED,
        ignored_reason=reason,
        decided_by=current_scope().member_id,
        decided_at=timezone.now(),
    )
    if not changed:
        raise BankError(ALREADY_DECIDED)
    BankGuess.objects.filter(line=line_id).delete()
    journal.record("bankline.ignored", BankLine.objects.get(pk=line_id), reason=reason.value)


@transaction.atomic
def restore(*, line_id: UUID) -> None:
    """Take up again a line that was set aside, or money out that a person wants to look at."""
    lock_bank()
    aside = BankLine.objects.filter(pk=line_id, state=LineState.IGNORED)
    if not aside.update(
        state=LineState.UNMATCHED, ignored_reason="", decided_by=None, decided_at=None, examined_at=None
    ):
        raise BankError(ALREADY_DECIDED)
    journal.record("bankline.restored", BankLine.objects.get(pk=line_id))


@transaction.atomic
def undo(*, line_id: UUID) -> None:
    """Untie a line: the payments it brought are taken back, those recorded before it stay; both are remembered.

    Raise OverpaidError, and change nothing, when the credit it left was used since.
    """
    lock_bank()
    tied = BankLine.objects.filter(pk=line_id, state=LineState.MATCHED)
    if not tied.update(state=LineState.UNMATCHED, decided_by=None, decided_at=None, examined_at=None):
        raise BankError(ALREADY_DECIDED)
    live = BankMatch.objects.filter(line=line_id, undone_at=None)
    if live.filter(outcome=GuessOutcome.REVERSE).exists():
        raise BankError(
            "Ce paiement est revenu impayé et a été annulé : on ne le rétablit pas d’ici. Rien n’a été changé :"
            " enregistrez un nouveau paiement s’il est finalement arrivé."
        )
    for match in live:
        if match.outcome == GuessOutcome.RECORD:
            reverse_payment(payment_id=match.payment_id)
    live.update(undone_at=timezone.now(), undone_by=current_scope().member_id)
    journal.record("bankline.undone", BankLine.objects.get(pk=line_id))


@transaction.atomic
def take_back(*, payment_id: UUID) -> None:
    """Take a payment back from the list of payments: the line of the bank that brought it waits again."""
    lock_bank()
    with whole_firm():
        brought = BankMatch.objects.filter(payment=payment_id, undone_at=None).exclude(outcome=GuessOutcome.REVERSE)
        found = brought.values_list("line", "outcome").first()
        if found is not None:
            line_id, outcome = found
            undo(line_id=line_id)
            if outcome == GuessOutcome.RECORD:
                return
    reverse_payment(payment_id=payment_id)


def _applied(line: BankLine, explanation: Explanation, today: dt.date) -> list[Payment]:
    if explanation.outcome == GuessOutcome.RECORD:
        return _record(line, explanation, today)
    if explanation.outcome == GuessOutcome.LINK:
        return [_known(explanation, line.cents)]
    return [reverse_payment(payment_id=_payment(explanation, -line.cents).pk)]


def _record(line: BankLine, explanation: Explanation, today: dt.date) -> list[Payment]:
    total = sum(part.cents for part in explanation.parts)
    if total != line.cents or len({part.client_id for part in explanation.parts}) != len(explanation.parts):
        raise BankError(
            f"Les montants affectés font {show_euros(total)}, la ligne {show_euros(line.cents)}. Rien n’a été"
            " enregistré : répartissez exactement le montant reçu."
        )
    return [
        record_payment(
            receipt=Receipt(
                client_id=part.client_id,
                invoice_ids=part.invoice_ids,
                cents=part.cents,
                received_on=line.booked_on,
                means=PaymentMeans.TRANSFER,
                surplus=part.surplus,
                split=part.split,
            ),
            on=today,
            payment_id=uuid4(),
        )
        for part in explanation.parts
    ]


def _known(explanation: Explanation, cents: int) -> Payment:
    payment = _payment(explanation, cents)
    if BankMatch.objects.filter(payment=payment, undone_at=None).exclude(outcome=GuessOutcome.REVERSE).exists():
        raise BankError("Ce paiement est déjà rattaché à une autre ligne de la banque. Rien n’a été changé.")
    return payment


def _payment(explanation: Explanation, cents: int) -> Payment:
    named = Payment.objects.filter(pk=explanation.payment_id) if explanation.payment_id else Payment.objects.none()
    payment = named.filter(state=PaymentState.SETTLED, cents=cents).first()
    if payment is None:
        raise BankError("Ce paiement n’existe plus ou a été annulé. Rien n’a été changé : rechargez la page.")
    return payment
