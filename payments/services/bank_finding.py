"""Look for what the unmatched lines pay: what is certain is recorded, the rest suggested, and reminders wait for it."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cabinets.scoping import whole_firm
from cabinets.sealing import open_together
from invoices.enums import StopKind
from invoices.errors import InvoiceError
from invoices.models import Invoice, Standstill
from invoices.money import show_euros
from invoices.services import standstill
from payments.bank.facts import Book, Guess, Known, Outcome
from payments.bank.matching import WORTH_WAITING, guesses, remarks
from payments.enums import GuessOutcome, LineState
from payments.errors import PaymentError
from payments.locks import lock_bank
from payments.models import BankGuess, BankLine
from payments.services.bank_book import book_of, key_of, known_payments, payers, seen, undone_keys
from payments.services.bank_tying import Explanation, Part, tie

LINES_AT_ONCE = 250
_PASSES = 3
ORIGIN = "bank"


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at the lines did."""

    matched: int
    suggested: int
    left: int


@transaction.atomic
def examine(*, today: dt.date, only: Collection[UUID] | None = None) -> Examined:
    """Look at the lines that wait, those never looked at first; record what is certain, keep guesses of the rest."""
    lock_bank()
    with whole_firm():
        waiting = BankLine.objects.filter(state=LineState.UNMATCHED)
        chosen = waiting if only is None else waiting.filter(pk__in=only)
        ordered = chosen.order_by(F("examined_at").asc(nulls_first=True), "booked_on", "pk")[:LINES_AT_ONCE]
        lines: list[BankLine] = open_together(ordered)
        if not lines:
            hold_what_waits()
            return Examined(0, 0, 0)
        book, known, undone = book_of(today=today), known_payments(lines), undone_keys(lines)
        tied = _tie_what_is_certain(lines, book, known, set(undone), today)
        rest = [line for line in lines if line.pk not in tied]
        suggested = _suggest(rest, book, known, undone)
        BankLine.objects.filter(pk__in=[line.pk for line in rest]).update(examined_at=timezone.now())
        hold_what_waits()
        left = waiting.filter(examined_at=None).count()
    return Examined(len(tied), suggested, left)


def examine_again(*, invoice_ids: Collection[UUID], line_ids: Collection[UUID], today: dt.date) -> Examined:
    """Look again at some lines, and at those whose suggestions speak of these invoices."""
    told = {str(pk) for pk in invoice_ids}
    with whole_firm():
        rows = BankGuess.objects.filter(line__state=LineState.UNMATCHED).values_list("line", "shares")
        moved = {line_id for line_id, shares in rows if any(told & set(share["invoices"]) for share in shares)}
    return examine(today=today, only={*moved, *line_ids})


def remarks_on(line: BankLine, *, today: dt.date) -> list[str]:
    """Say what a waiting line names that is no longer owed."""
    return remarks(seen(line), book_of(today=today)) if line.state == LineState.UNMATCHED else []


def hold_what_waits() -> None:
    """Let no reminder leave for an invoice that money already received may pay, until a person has looked."""
    wanted: dict[UUID, BankLine] = {}
    likely = BankGuess.objects.filter(
        line__state=LineState.UNMATCHED, score__gte=WORTH_WAITING, outcome=GuessOutcome.RECORD, was_undone=False
    )
    for guess in likely.select_related("line").order_by("line__booked_on"):
        for share in guess.shares:
            for invoice_id in share["invoices"]:
                wanted.setdefault(UUID(invoice_id), guess.line)
    held = Standstill.objects.filter(kind=StopKind.PAYMENT_IN_FLIGHT, origin=ORIGIN, released_at=None)
    in_force = dict(held.values_list("invoice", "pk"))
    still_due = Invoice.objects.open().filter(pk__in=wanted).order_by("pk")
    wanted = {invoice.pk: wanted[invoice.pk] for invoice in still_due}
    for invoice_id, stop_id in in_force.items():
        if invoice_id not in wanted:
            standstill.release(standstill_id=stop_id)
    for invoice in still_due:
        if invoice.pk in in_force:
            continue
        line = wanted[invoice.pk]
        told = (
            f"{show_euros(line.cents)} reçus le {line.booked_on:%d/%m/%Y} peuvent régler cette facture : à rapprocher."
        )
        standstill.declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=invoice, reason=told, origin=ORIGIN)


def explanation(guess: Guess) -> Explanation:
    """Return a guess as it is applied."""
    return Explanation(
        outcome=GuessOutcome(guess.outcome.value),
        parts=tuple(Part(share.client_id, share.invoice_ids, share.cents) for share in guess.shares),
        payment_id=guess.payment_id,
        key=key_of(guess),
        score=guess.score,
        reasons=guess.reasons,
    )


def _tie_what_is_certain(
    lines: Sequence[BankLine],
    book: Book,
    known: dict[UUID, list[Known]],
    undone: set[UUID],
    today: dt.date,
) -> set[UUID]:
    """Record the certain lines; each teaches an account and lowers what is owed, so the others are looked at again."""
    tied: set[UUID] = set()
    for _ in range(_PASSES):
        before = len(tied)
        for line in lines:
            # What a person undid is theirs to decide again.
            if line.pk in tied or line.pk in undone:
                continue
            best = next((one for one in guesses(seen(line), book, known[line.pk]) if one.is_certain), None)
            if best is not None and _tied(line, best, today):
                tied.add(line.pk)
                _forget(best, line, book, known)
        if len(tied) == before:
            break
    return tied


def _tied(line: BankLine, guess: Guess, today: dt.date) -> bool:
    try:
        with transaction.atomic():
            tie(line=line, explanation=explanation(guess), today=today, is_automatic=True)
    except (PaymentError, InvoiceError):
        # Something else happened to the invoice: the line stays, with its suggestions.
        return False
    return True


def _forget(guess: Guess, line: BankLine, book: Book, known: dict[UUID, list[Known]]) -> None:
    """Bring the book up to date after a line was recorded."""
    if guess.outcome == Outcome.RECORD:
        for share in guess.shares:
            for invoice_id in share.invoice_ids:
                book.owed.pop(invoice_id, None)
    for others in known.values():
        others[:] = [one for one in others if one.payment_id != guess.payment_id or guess.payment_id is None]
    if line.payer_index:
        book.payers = payers()


def _suggest(
    lines: Sequence[BankLine], book: Book, known: dict[UUID, list[Known]], undone: dict[UUID, set[str]]
) -> int:
    BankGuess.objects.filter(line__in=[line.pk for line in lines]).delete()
    rows = [
        BankGuess(
            line=line,
            rank=rank,
            outcome=guess.outcome.value,
            shares=[
                {"client": str(one.client_id), "invoices": [str(pk) for pk in one.invoice_ids], "cents": one.cents}
                for one in guess.shares
            ],
            payment_id=guess.payment_id,
            key=key_of(guess),
            was_undone=key_of(guess) in undone.get(line.pk, ()),
            score=guess.score,
            reasons_text=BankGuess.written(guess.reasons),
        )
        for line in lines
        for rank, guess in enumerate(guesses(seen(line), book, known[line.pk]))
    ]
    BankGuess.objects.bulk_create(rows, batch_size=500)
    return len({row.line_id for row in rows})
