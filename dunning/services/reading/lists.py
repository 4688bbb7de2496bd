"""Factures and Clients: rows ready to be shown, in as many queries for fifty as for one."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import islice
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce
from openpyxl import Workbook

from cabinets.addresses import begins_words
from cabinets.models import Cabinet, Client
from cabinets.sealing import open_together
from cabinets.sheets import SheetWriter, harmless
from dunning.enums import PENDING, ReminderState
from dunning.models import DunningCase, ReminderLine, Step
from dunning.presenting import offset_words, soon_words
from invoices.enums import InvoiceState, InvoiceStatus
from invoices.models import Invoice
from invoices.services.statuses import statuses

PAGE = 50
EXPORTED_TOGETHER = 1000
NAMES = ("id", "cabinet_id", "civility", "company", "first_name", "last_name")
COLUMNS = (
    "Numéro", "Client", "Dossier", "Nature", "Émise le", "Échéance", "Montant TTC", "Réglé", "Avoirs", "Reste dû",
    "État", "Jours de retard",
)  # fmt: skip
WORDS = {
    ReminderState.PLANNED: "prévue",
    ReminderState.AWAITING_APPROVAL: "à valider",
    ReminderState.APPROVED: "approuvée",
    ReminderState.SENDING: "en cours d’envoi",
}


# A cell of the list as a file: a text, a day, an amount in euros, a count.
Exported = str | dt.date | Decimal | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One invoice of the list."""

    invoice: Invoice
    client_name: str
    status: InvoiceStatus
    days_late: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceList:
    """One page of invoices, the oldest due date first, and what the whole list weighs."""

    rows: tuple[Row, ...]
    count: int
    owed_cents: int
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One client of the list."""

    client: Client
    name: str
    open_count: int
    owed_cents: int
    late_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientList:
    """One page of clients in the order of their names."""

    rows: tuple[ClientRow, ...]
    count: int
    page: int
    pages: int


def invoices_of(*, found: QuerySet[Invoice], cabinet: Cabinet, after: str = "", before: str = "") -> InvoiceList:
    """Return fifty invoices after or before a mark of the list, in seven queries."""
    weight = found.aggregate(count=Count("pk"), owed=Sum(_owed()))
    ordered = found.select_related("client", "dossier").defer("note")
    if mark := _mark(before):
        rows = list(ordered.filter(_beyond(mark, "lt")).order_by("-due_on", "-pk")[: PAGE + 1])
        more_before, more_after = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        start = _mark(after)
        rows = list((ordered.filter(_beyond(start, "gt")) if start else ordered).order_by("due_on", "pk")[: PAGE + 1])
        more_before, more_after = start is not None, len(rows) > PAGE
        rows = rows[:PAGE]
    return InvoiceList(
        rows=tuple(rows_of(rows, cabinet)),
        count=weight["count"],
        owed_cents=weight["owed"] or 0,
        before=_mark_of(rows[0]) if rows and more_before else "",
        after=_mark_of(rows[-1]) if rows and more_after else "",
    )


def rows_of(invoices: Sequence[Invoice], cabinet: Cabinet) -> Iterator[Row]:
    """Return invoices as a table shows them; their clients are loaded with them."""
    on = cabinet.today()
    open_together([invoice.client for invoice in invoices])
    words = statuses(invoices, on=on)
    where = _where([invoice.pk for invoice in invoices], cabinet)
    for invoice in invoices:
        owed = invoice.state == InvoiceState.OPEN and invoice.outstanding_cents > 0
        yield Row(
            invoice=invoice,
            client_name=invoice.client.display_name,
            status=words[invoice.pk],
            days_late=invoice.days_late(on=on) if owed else 0,
            where=where.get(invoice.pk, "") if owed else "",
        )


def _where(invoice_ids: Sequence[UUID], cabinet: Cabinet) -> dict[UUID, str]:
    """Say of each invoice what is prepared, or which step comes and when."""
    on, zone = cabinet.today(), cabinet.zone
    cases = list(DunningCase.objects.filter(invoice__in=invoice_ids))
    steps: Mapping[tuple[UUID, int], int] = {
        (version, rank): offset
        for version, rank, offset in Step.objects.filter(version__in={case.version_id for case in cases}).values_list(
            "version", "rank", "offset_days"
        )
    }
    told: dict[UUID, str] = {}
    for case in cases:
        offset = steps.get((case.version_id, case.next_rank))
        if offset is None:
            told[case.invoice_id] = "Scénario terminé"
        elif case.next_action_on is not None and case.next_action_on > on:
            noon = dt.datetime.combine(case.next_action_on, dt.time(12), tzinfo=zone)
            told[case.invoice_id] = f"{offset_words(offset)} vers le {noon.day:02}/{noon.month:02}"
        else:
            told[case.invoice_id] = f"Prochaine étape : {offset_words(offset)}"
    lines = ReminderLine.objects.filter(invoice__in=invoice_ids, reminder__state__in=PENDING).values_list(
        "invoice", "reminder__step__offset_days", "reminder__state", "reminder__depart_at"
    )
    for invoice_id, offset, state, depart_at in lines:
        word = WORDS[ReminderState(state)]
        told[invoice_id] = f"{offset_words(offset)} {word}, {soon_words(depart_at, on=on, zone=zone)}"
    return told


def export(*, found: QuerySet[Invoice], cabinet: Cabinet) -> tuple[str, int]:
    """Return the whole list as a file a spreadsheet opens safely, and how many invoices it holds."""
    out = StringIO()
    writer = SheetWriter(out)
    writer.write(COLUMNS)
    count = 0
    for count, cells in enumerate(_lines(found, cabinet), start=1):  # noqa: B007 - counted, then told
        writer.write(map(_written, cells))
    return out.getvalue(), count


def export_workbook(*, found: QuerySet[Invoice], cabinet: Cabinet) -> tuple[bytes, int]:
    """Return the whole list as a workbook whose days and amounts can be sorted and added up, and its length."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Factures")
    sheet.append(COLUMNS)
    count = 0
    for count, cells in enumerate(_lines(found, cabinet), start=1):  # noqa: B007 - counted, then told
        sheet.append([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    out = BytesIO()
    book.save(out)
    return out.getvalue(), count


def _lines(found: QuerySet[Invoice], cabinet: Cabinet) -> Iterator[Sequence[Exported]]:
    on = cabinet.today()
    names: dict[UUID, str] = {}
    ids = found.order_by("due_on", "pk").values_list("pk", flat=True)
    walk = ids.iterator(chunk_size=EXPORTED_TOGETHER)
    while chunk := list(islice(walk, EXPORTED_TOGETHER)):
        rows = {row.pk: row for row in Invoice.objects.filter(pk__in=chunk).select_related("dossier").defer("note")}
        unknown = {row.client_id for row in rows.values()} - set(names)
        names |= {row.pk: row.display_name for row in open_together(Client.objects.filter(pk__in=unknown).only(*NAMES))}
        words = statuses(list(rows.values()), on=on)
        for pk in chunk:
            yield _cells(rows[pk], names[rows[pk].client_id], words[pk], on)


def _cells(row: Invoice, name: str, status: InvoiceStatus, on: dt.date) -> Sequence[Exported]:
    return (
        row.number,
        name,
        row.dossier.reference,
        str(row.get_kind_display()),
        row.issued_on,
        row.due_on,
        *(
            Decimal(cents).scaleb(-2)
            for cents in (row.total_cents, row.settled_cents, row.credited_cents, row.outstanding_cents)
        ),
        str(status.label),
        row.days_late(on=on) if row.outstanding_cents > 0 else 0,
    )


def _written(cell: Exported) -> str:
    if isinstance(cell, dt.date):
        return f"{cell:%d/%m/%Y}"
    return f"{cell:.2f}".replace(".", ",") if isinstance(cell, Decimal) else str(cell)


def _owed() -> Case:
    left = F("total_cents") - F("credited_cents") - F("settled_cents")
    return Case(When(state=InvoiceState.OPEN, then=left), default=0)


def _mark_of(invoice: Invoice) -> str:
    return f"{invoice.due_on.isoformat()}_{invoice.pk}"


def _mark(text: str) -> tuple[dt.date, UUID] | None:
    """Read a place in the list; what cannot be read is the beginning."""
    day, _, pk = text.partition("_")
    try:
        return dt.date.fromisoformat(day), UUID(pk)
    except ValueError:
        return None


def _beyond(mark: tuple[dt.date, UUID], side: str) -> Q:
    day, pk = mark
    return Q(**{f"due_on__{side}": day}) | Q(due_on=day, **{f"pk__{side}": pk})


def clients_of(*, text: str, only_owing: bool, on: dt.date, page: int) -> ClientList:
    """Return fifty clients in the order of their names, opened here; three queries."""
    clients = open_together(
        Client.objects.filter(archived_on=None).only(*NAMES, "kind", "is_strategic", "is_never_reminded")
    )
    named = [(one.display_name, one) for one in clients]
    if text:
        named = [(name, one) for name, one in named if begins_words(text, f"{name} {one.first_name} {one.last_name}")]
    owed = {
        row["client"]: row
        for row in Invoice.objects.open()
        .values("client")
        .annotate(
            number=Count("pk"),
            owed=Sum(_owed()),
            late=Coalesce(Sum(_owed(), filter=Q(due_on__lt=on)), 0),
        )
    }
    if only_owing:
        named = [(name, one) for name, one in named if one.pk in owed]
    named.sort(key=lambda pair: (pair[0].casefold(), str(pair[1].pk)))
    pages = max(-(-len(named) // PAGE), 1)
    page = min(max(page, 1), pages)
    nothing = {"number": 0, "owed": 0, "late": 0}
    shown = [(name, one, owed.get(one.pk, nothing)) for name, one in named[(page - 1) * PAGE : page * PAGE]]
    return ClientList(
        rows=tuple(
            ClientRow(
                client=one, name=name, open_count=sums["number"], owed_cents=sums["owed"], late_cents=sums["late"]
            )
            for name, one, sums in shown
        ),
        count=len(named),
        page=page,
        pages=pages,
    )
