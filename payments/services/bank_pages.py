"""What the pages of the bank show: lines by state, their suggestions, the accounts and how far they are known."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from cabinets.models import Client
from cabinets.sealing import open_together
from invoices.models import Invoice
from payments.enums import GuessOutcome, LineState
from payments.models import BankAccount, BankFeed, BankFile, BankGuess, BankLine, BankMatch

PAGE = 50
FILES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Named:
    """An invoice a suggestion or a match speaks of."""

    invoice_id: UUID
    number: str


@dataclass(frozen=True, slots=True)
class ShownGuess:
    """A suggestion, its clients and invoices named."""

    guess: BankGuess
    clients: tuple[tuple[UUID, str], ...]
    invoices: tuple[Named, ...]
    surplus_cents: int

    @property
    def is_reversal(self) -> bool:
        """Tell whether taking it takes a payment back."""
        return self.guess.outcome == GuessOutcome.REVERSE

    @property
    def is_link(self) -> bool:
        """Tell whether taking it records nothing new."""
        return self.guess.outcome == GuessOutcome.LINK


@dataclass(frozen=True, slots=True)
class ShownMatch:
    """What a line was found to pay, by whom."""

    match: BankMatch
    client: str
    invoices: tuple[Named, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line with what is known of it."""

    line: BankLine
    guesses: tuple[ShownGuess, ...] = ()
    matches: tuple[ShownMatch, ...] = ()

    @property
    def best(self) -> ShownGuess | None:
        """Return the first suggestion."""
        return self.guesses[0] if self.guesses else None


@dataclass(frozen=True, slots=True)
class Listed:
    """Fifty lines at most, how many each state holds, and where the next ones begin."""

    rows: tuple[ShownLine, ...]
    counts: dict[str, int]
    waiting_cents: int
    after: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for: a state, an account, a month."""

    state: LineState = LineState.UNMATCHED
    account_id: UUID | None = None
    month: dt.date | None = None
    after: str = ""

    @property
    def has_filters(self) -> bool:
        """Tell whether lines may be hidden by a filter."""
        return self.account_id is not None or self.month is not None


def listed(chosen: Chosen) -> Listed:
    """Return the lines asked for, the latest first; the number of queries does not follow theirs."""
    lines = BankLine.objects.all()
    counts = dict(lines.order_by().values_list("state").annotate(Count("pk")))
    waiting = lines.filter(state=LineState.UNMATCHED, cents__gt=0)
    found = _kept(lines.filter(state=chosen.state), chosen).order_by("-booked_on", "-pk")
    rows = list(_after(found, chosen.after).select_related("decided_by__user", "account")[: PAGE + 1])
    shown = rows[:PAGE]
    last = shown[-1] if len(rows) > PAGE else None
    return Listed(
        rows=tuple(told(shown)),
        counts={str(state): int(number) for state, number in counts.items()},
        waiting_cents=waiting.aggregate(sum=Sum("cents"))["sum"] or 0,
        after=f"{last.booked_on:%Y-%m-%d}_{last.pk}" if last else "",
    )


def told(lines: Sequence[BankLine]) -> list[ShownLine]:
    """Return lines with their suggestions and matches, clients and invoices named, in a few queries."""
    open_together(lines)
    ids = [line.pk for line in lines]
    guesses = list(BankGuess.objects.filter(line__in=ids).order_by("line", "rank"))
    matches = list(
        BankMatch.objects.filter(line__in=ids, undone_at=None)
        .select_related("payment__client", "by__user")
        .order_by("pk")
    )
    open_together([*guesses, *matches])
    shares = [share for guess in guesses for share in guess.shares]
    paid = _paid([match.payment_id for match in matches])
    invoices = {UUID(pk) for share in shares for pk in share["invoices"]} | {pk for ids in paid.values() for pk in ids}
    owed = {row.pk: row for row in Invoice.objects.filter(pk__in=invoices)}
    names = _client_names({UUID(share["client"]) for share in shares} | {match.payment.client_id for match in matches})
    by_line: dict[UUID, list[ShownGuess]] = defaultdict(list)
    for guess in guesses:
        by_line[guess.line_id].append(_guess(guess, owed, names))
    tied: dict[UUID, list[ShownMatch]] = defaultdict(list)
    for match in matches:
        numbers = tuple(Named(pk, owed[pk].number) for pk in paid[match.payment_id] if pk in owed)
        by = match.by.user.get_full_name() if match.by else ""
        tied[match.line_id].append(ShownMatch(match, names.get(match.payment.client_id, ""), numbers, by))
    return [ShownLine(line, tuple(by_line[line.pk]), tuple(tied[line.pk])) for line in lines]


def months() -> list[dt.date]:
    """Return the months the lines are of, the latest first."""
    return [day for day in BankLine.objects.dates("booked_on", "month", order="DESC")][:24]  # noqa: C416 - typed as dates


def accounts() -> list[BankAccount]:
    """Return the accounts known, those that hold the firm back first."""
    rows: list[BankAccount] = open_together(BankAccount.objects.order_by("-is_followed", "through_on", "created_at"))
    return rows


def files() -> list[BankFile]:
    """Return the last files taken in."""
    rows: list[BankFile] = open_together(
        BankFile.objects.select_related("taken_by__user").order_by("-taken_at")[:FILES_SHOWN]
    )
    return rows


def feed() -> BankFeed | None:
    """Return the settings of the drop folder, if any were ever made."""
    return BankFeed.objects.first()


def open_invoices(*, client_ids: Iterable[UUID], invoice_ids: Iterable[UUID] = ()) -> list[tuple[Invoice, str]]:
    """Return the invoices a line may be shared between, each with its client's name."""
    asked = Q(client__in=list(client_ids)) | Q(pk__in=list(invoice_ids))
    rows = list(Invoice.objects.open().filter(asked).select_related("client").order_by("client", "due_on")[:PAGE])
    open_together([row.client for row in rows])
    return [(row, row.client.display_name) for row in rows]


def _kept(lines: QuerySet[BankLine], chosen: Chosen) -> QuerySet[BankLine]:
    if chosen.account_id is not None:
        lines = lines.filter(account=chosen.account_id)
    if chosen.month is not None:
        lines = lines.filter(booked_on__year=chosen.month.year, booked_on__month=chosen.month.month)
    return lines


def _after(lines: QuerySet[BankLine], cursor: str) -> QuerySet[BankLine]:
    day, _, last = cursor.partition("_")
    try:
        booked_on, line_id = dt.date.fromisoformat(day), UUID(last)
    except ValueError:
        return lines
    return lines.filter(Q(booked_on__lt=booked_on) | Q(booked_on=booked_on, pk__lt=line_id))


def _guess(guess: BankGuess, owed: dict[UUID, Invoice], names: dict[UUID, str]) -> ShownGuess:
    ids = [UUID(pk) for share in guess.shares for pk in share["invoices"]]
    clients = [UUID(share["client"]) for share in guess.shares]
    due = sum(owed[pk].outstanding_cents for pk in ids if pk in owed)
    total = sum(share["cents"] for share in guess.shares)
    return ShownGuess(
        guess=guess,
        clients=tuple((pk, names.get(pk, "Client")) for pk in clients),
        invoices=tuple(Named(pk, owed[pk].number) for pk in ids if pk in owed),
        surplus_cents=max(total - due, 0) if guess.outcome == GuessOutcome.RECORD else 0,
    )


def _paid(payment_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = BankMatch.objects.filter(payment__in=payment_ids, payment__allocations__isnull=False)
    for payment_id, invoice_id in rows.values_list("payment", "payment__allocations__invoice").distinct():
        found[payment_id].append(invoice_id)
    return found


def _client_names(ids: set[UUID]) -> dict[UUID, str]:
    clients: list[Client] = open_together(Client.objects.filter(pk__in=ids))
    return {client.pk: client.display_name for client in clients}
