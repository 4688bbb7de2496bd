"""What a person decides of a line of the bank: take a suggestion, share it out, set it aside, undo."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from invoices.models import Invoice
from payments.enums import GuessOutcome, IgnoredReason
from payments.errors import BankError
from payments.models import BankGuess, BankLine, Payment
from payments.services import bank_tying
from payments.services.bank_finding import examine_again, hold_what_waits
from payments.services.bank_tying import ALREADY_DECIDED, Explanation, Part
from payments.services.recording import Surplus

BY_HAND = "Répartition choisie à la main."


@transaction.atomic
def accept(
    *, line: BankLine, guess_id: UUID | None, today: dt.date, surplus: Surplus = Surplus.REFUSE
) -> list[Payment]:
    """Take a suggestion as it was shown; `surplus` says what becomes of what exceeds its invoices."""
    guess = BankGuess.objects.filter(pk=guess_id, line=line).first() if guess_id else None
    if guess is None:
        raise BankError(ALREADY_DECIDED)
    parts = tuple(
        Part(UUID(share["client"]), tuple(map(UUID, share["invoices"])), share["cents"], surplus)
        for share in guess.shares
    )
    said = Explanation(
        outcome=GuessOutcome(guess.outcome),
        parts=parts,
        payment_id=guess.payment_id,
        key=guess.key,
        score=guess.score,
        reasons=tuple(guess.reasons),
    )
    payments = bank_tying.tie(line=line, explanation=said, today=today)
    _look_around([pk for part in parts for pk in part.invoice_ids], today)
    return payments


@transaction.atomic
def share_out(*, line: BankLine, amounts: Mapping[UUID, int], surplus: Surplus, today: dt.date) -> list[Payment]:
    """Share a line between invoices by hand, one payment a client; what is left over follows the surplus chosen.

    What is left over belongs to somebody: with several clients the amounts must be the line to the cent.
    """
    wanted = {pk: cents for pk, cents in amounts.items() if cents > 0}
    if not wanted:
        raise BankError("Indiquez ce que reçoit au moins une facture. Rien n’a été enregistré.")
    by_client: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for pk, client_id in Invoice.objects.filter(pk__in=wanted).order_by("due_on").values_list("pk", "client"):
        by_client[client_id][pk] = wanted[pk]
    rest = line.cents - sum(wanted.values())
    if rest and (len(by_client) > 1 or rest < 0):
        raise BankError(_does_not_add_up(rest))
    parts = tuple(
        Part(client_id, tuple(shares), sum(shares.values()) + rest, surplus, tuple(shares.items()))
        for client_id, shares in by_client.items()
    )
    said = Explanation(outcome=GuessOutcome.RECORD, parts=parts, key=_key(parts), score=0, reasons=(BY_HAND,))
    payments = bank_tying.tie(line=line, explanation=said, today=today)
    _look_around(list(wanted), today)
    return payments


@transaction.atomic
def ignore(*, line_id: UUID, reason: IgnoredReason) -> None:
    """Set a line aside, and let what waited for it go on."""
    bank_tying.ignore(line_id=line_id, reason=reason)
    hold_what_waits()


@transaction.atomic
def restore(*, line_id: UUID, today: dt.date) -> None:
    """Take up again a line that was set aside."""
    bank_tying.restore(line_id=line_id)
    examine_again(invoice_ids=(), line_ids=[line_id], today=today)


@transaction.atomic
def undo(*, line_id: UUID, today: dt.date) -> None:
    """Untie a line and look again: never by itself for this line any more."""
    bank_tying.undo(line_id=line_id)
    examine_again(invoice_ids=(), line_ids=[line_id], today=today)


def _look_around(invoice_ids: list[UUID], today: dt.date) -> None:
    examine_again(invoice_ids=invoice_ids, line_ids=(), today=today)


def _does_not_add_up(rest: int) -> str:
    if rest < 0:
        return "Les montants affectés dépassent le montant reçu. Rien n’a été enregistré : corrigez-les."
    return (
        "Entre plusieurs clients, répartissez exactement le montant reçu : un reste n’appartiendrait à aucun."
        " Rien n’a été enregistré."
    )


def _key(parts: tuple[Part, ...]) -> str:
    said = sorted(f"{part.client_id}:{sorted(part.split)}" for part in parts)
    return hashlib.sha256("|".join(said).encode()).hexdigest()
