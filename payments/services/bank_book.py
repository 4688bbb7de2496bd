"""What the firm knows when it looks at its bank, gathered in a few queries whatever the number of lines."""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from cabinets.enums import ContactRole
from cabinets.models import Client, Contact
from cabinets.sealing import open_together
from invoices.enums import InvoiceState
from invoices.models import Invoice
from payments.bank.accounts import is_foreign
from payments.bank.facts import Book, Guess, Known, Line, Owed
from payments.bank.matching import bare_name
from payments.bank.references import NumberIndex
from payments.enums import GuessOutcome, PaymentState
from payments.models import Allocation, BankLine, BankMatch, Payment

AROUND = dt.timedelta(days=5)
COMES_BACK_WITHIN = dt.timedelta(days=75)
NUMBERS_KEPT = dt.timedelta(days=3 * 365)


def book_of(*, today: dt.date) -> Book:
    """Gather the open invoices, the numbers given in three years, the names of who owes, the payers' accounts."""
    rows = Invoice.objects.filter(Q(state=InvoiceState.OPEN) | Q(issued_on__gte=today - NUMBERS_KEPT)).order_by(
        "due_on", "number_key"
    )
    owed: dict[UUID, Owed] = {}
    numbers: dict[UUID, tuple[str, UUID]] = {}
    columns = ("pk", "client_id", "number", "state", "total_cents", "credited_cents", "settled_cents")
    for pk, client_id, number, state, total, credited, settled in rows.values_list(*columns).iterator():
        numbers[pk] = (number, client_id)
        if state == InvoiceState.OPEN and total - credited - settled > 0:
            owed[pk] = Owed(pk, client_id, number, total - credited - settled)
    index = NumberIndex.of({pk: number for pk, (number, _) in numbers.items()})
    return Book(owed, index, numbers, _names({one.client_id for one in owed.values()}), payers())


def payers() -> dict[bytes, frozenset[UUID]]:
    """Return the clients each payer's account was confirmed for; an undone match confirms nothing."""
    found: dict[bytes, set[UUID]] = defaultdict(set)
    live = BankMatch.objects.filter(undone_at=None, line__payer_index__isnull=False)
    live = live.exclude(outcome=GuessOutcome.REVERSE)
    for key, client_id in live.values_list("line__payer_index", "payment__client").distinct():
        found[bytes(key or b"")].add(client_id)
    return {key: frozenset(clients) for key, clients in found.items()}


def known_payments(lines: Sequence[BankLine]) -> dict[UUID, list[Known]]:
    """Return, for each line, the payments recorded around its day that no other line of the bank explains."""
    if not lines:
        return {}
    first = min(line.booked_on for line in lines) - COMES_BACK_WITHIN
    last = max(line.booked_on for line in lines) + AROUND
    explained = BankMatch.objects.filter(payment=OuterRef("pk"), undone_at=None)
    rows = Payment.objects.filter(
        state=PaymentState.SETTLED,
        cents__in={abs(line.cents) for line in lines},
        received_on__range=(first, last),
    ).annotate(is_explained=Exists(explained))
    found = list(rows)
    paid: dict[UUID, set[UUID]] = defaultdict(set)
    for payment_id, invoice_id in Allocation.objects.filter(payment__in=found).values_list("payment", "invoice"):
        paid[payment_id].add(invoice_id)
    return {
        line.pk: [
            Known(row.pk, row.client_id, row.cents, frozenset(paid[row.pk])) for row in found if _may_be(line, row)
        ]
        for line in lines
    }


def seen(line: BankLine) -> Line:
    """Return a line as the matching looks at it."""
    return Line(
        cents=line.cents,
        texts=(line.label, line.end_to_end),
        payer=line.counterparty,
        payer_key=bytes(line.payer_index or b""),
        is_foreign=is_foreign(line.counterparty_iban),
        is_reversal=line.is_reversal,
    )


def key_of(guess: Guess) -> str:
    """Return the name under which an explanation is remembered."""
    return hashlib.sha256(guess.key.encode()).hexdigest()


def undone_keys(lines: Iterable[BankLine]) -> dict[UUID, set[str]]:
    """Return, line by line, the explanations a person took back."""
    found: dict[UUID, set[str]] = defaultdict(set)
    undone = BankMatch.objects.filter(line__in=[line.pk for line in lines], undone_at__isnull=False)
    for line_id, key in undone.values_list("line", "key"):
        found[line_id].add(key)
    return found


def _may_be(line: BankLine, payment: "Payment") -> bool:
    if payment.cents != abs(line.cents):
        return False
    if line.cents < 0:
        return line.booked_on - COMES_BACK_WITHIN <= payment.received_on <= line.booked_on
    is_explained: bool = payment.is_explained  # type: ignore[attr-defined]  # annotated above
    return not is_explained and abs(payment.received_on - line.booked_on) <= AROUND


def _names(client_ids: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    clients: list[Client] = open_together(Client.objects.filter(pk__in=client_ids))
    contacts = Contact.objects.filter(client__in=client_ids, role=ContactRole.PAYER, is_archived=False)
    found: dict[UUID, list[str]] = defaultdict(list)
    for client in clients:
        found[client.pk] += [client.company, f"{client.first_name} {client.last_name}"]
    for contact in open_together(contacts):
        found[contact.client_id].append(f"{contact.first_name} {contact.last_name}")
    return {pk: tuple(bare for name in names if (bare := bare_name(name))) for pk, names in found.items()}
