"""One client: what is owed, how fast they pay, whom we write to, and what was said."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Max, Sum
from django.utils import timezone

from cabinets.enums import TaskState
from cabinets.models import Cabinet, Client, Contact, Dossier, Membership, Note, Task
from cabinets.sealing import open_together
from dunning.models import Reminder
from dunning.presenting import moment_words, step_words
from dunning.services.reading import tasks
from dunning.services.reading.beside import fact_words
from dunning.services.reading.heard import Heard, heard_from
from dunning.services.reading.lists import Row, rows_of
from dunning.services.reading.opened import Opening, opened_by
from dunning.services.reading.plans import plans_of
from dunning.services.silencing import right_to_lift
from invoices.enums import InvoiceState, StopKind
from invoices.models import InsolvencyCheck, Invoice, Standstill
from invoices.services import insolvency
from invoices.status import in_force
from payments.enums import PaymentState, Preference, RequestKind
from payments.models import Allocation, DebtorRequest, PaymentPlan
from payments.services.promises import PromiseCounts, promise_counts

INVOICES_SHOWN = 50
MESSAGES_SHOWN = 20
NOTES_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStop:
    """A fact that stops the whole client."""

    row: Standstill
    label: str
    since: str
    may_lift: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message about this client's invoices."""

    reminder: Reminder
    step: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note of the firm about this client, or what is left of one."""

    note: Note
    author: str
    mentioned: str
    when: str
    edited: str
    deleted: str
    is_mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPage:
    """One client as the page shows them."""

    client: Client
    name: str
    owed_cents: int
    late_cents: int
    open_count: int
    pay_days: int | None
    contacts: tuple[Contact, ...]
    dossiers: tuple[Dossier, ...]
    invoices: tuple[Row, ...]
    has_more_invoices: bool
    messages: tuple[Said, ...]
    heard: tuple[Heard, ...]
    openings: tuple[Opening, ...]
    preference: str
    tasks: tuple[tasks.Row, ...]
    stops: tuple[ClientStop, ...]
    is_watched: bool
    check: InsolvencyCheck | None
    is_check_due: bool
    plans: tuple[PaymentPlan, ...]
    promises: PromiseCounts
    notes: tuple[NoteRow, ...]


def page_of(*, client: Client, cabinet: Cabinet, member: Membership) -> ClientPage:
    """Return everything the page of a client shows, as far as the person sees it."""
    on, zone = cabinet.today(), cabinet.zone
    owed = F("total_cents") - F("credited_cents") - F("settled_cents")
    open_invoices = Invoice.objects.open().filter(client=client)
    sums = open_invoices.aggregate(owed=Sum(owed))
    late = open_invoices.filter(due_on__lt=on).aggregate(owed=Sum(owed))
    rows = list(
        Invoice.objects.filter(client=client)
        .select_related("client", "dossier")
        .defer("note")
        .order_by("-due_on", "pk")[: INVOICES_SHOWN + 1]
    )
    reminders = (
        Reminder.objects.filter(client=client)
        .select_related("step")
        .defer("html", "text", "subject", "recipient")
        .order_by("-depart_at")[:MESSAGES_SHOWN]
    )
    stops = open_together(Standstill.objects.filter(client=client, released_at=None).order_by("created_at"))
    return ClientPage(
        client=client,
        name=client.display_name,
        owed_cents=sums["owed"] or 0,
        late_cents=late["owed"] or 0,
        open_count=open_invoices.count(),
        pay_days=_pay_days(client.pk),
        contacts=tuple(open_together(Contact.objects.filter(client=client, is_archived=False).order_by("role", "pk"))),
        dossiers=tuple(
            open_together(
                Dossier.objects.filter(client=client)
                .select_related("lawyer__user")
                .order_by("is_archived", "reference")
            )
        ),
        invoices=tuple(rows_of(rows[:INVOICES_SHOWN], cabinet)),
        has_more_invoices=len(rows) > INVOICES_SHOWN,
        heard=heard_from(client_id=client.pk, zone=zone),
        openings=opened_by(client_id=client.pk, zone=zone),
        preference=_preference(client.pk),
        messages=tuple(
            Said(reminder=one, step=step_words(one.step), when=moment_words(one.spoken_at or one.depart_at, zone))
            for one in reminders
        ),
        tasks=tuple(tasks.rows(_open_tasks(client), on=cabinet.today())),
        stops=tuple(
            ClientStop(
                row=stop,
                label=StopKind(stop.kind).label,
                since=moment_words(stop.created_at, zone),
                may_lift=member.can(right_to_lift(stop.kind)),
                words=fact_words(stop),
            )
            for stop in stops
            if in_force(stop, on)
        ),
        is_watched=insolvency.is_concerned(client=client),
        check=insolvency.last_check(client_id=client.pk),
        is_check_due=not insolvency.is_checked(client=client, now=timezone.now()),
        plans=tuple(plans_of(client.pk)),
        promises=promise_counts(since=dt.date.min, until=on, client=client),
        notes=_notes(client, member, zone),
    )


def _notes(client: Client, member: Membership, zone: dt.tzinfo) -> tuple[NoteRow, ...]:
    """Return the latest notes of the firm about a client, the newest first."""
    found = Note.objects.filter(client=client).select_related("author__user", "mentioned__user")
    return tuple(
        NoteRow(
            note=note,
            author=note.author.user.get_full_name(),
            mentioned=note.mentioned.user.get_full_name() if note.mentioned else "",
            when=moment_words(note.created_at, zone),
            edited=moment_words(note.edited_at, zone) if note.edited_at else "",
            deleted=moment_words(note.deleted_at, zone) if note.deleted_at else "",
            is_mine=note.author_id == member.pk and note.deleted_at is None,
        )
        for note in open_together(found.order_by("-created_at", "pk")[:NOTES_SHOWN])
    )


def _pay_days(client_id: UUID) -> int | None:
    """Return the mean number of days from issue to the last payment, over invoices fully paid; None without any."""
    paid = Invoice.objects.filter(
        client=client_id, state=InvoiceState.OPEN, settled_cents__gt=0,
        settled_cents__gte=F("total_cents") - F("credited_cents"),
    )  # fmt: skip
    last = dict(
        Allocation.objects.filter(invoice__in=paid, payment__state=PaymentState.SETTLED)
        .values_list("invoice")
        .annotate(Max("payment__received_on"))
    )
    issued = dict(paid.filter(pk__in=list(last)).values_list("pk", "issued_on"))
    days = [(last[pk] - issued[pk]).days for pk in issued]
    return round(sum(days) / len(days)) if days else None


def _preference(client_id: UUID) -> str:
    """Return how the client, then whoever is reached there, last asked to be written to."""
    choices = DebtorRequest.objects.filter(client=client_id, kind=RequestKind.CHANNEL).order_by("-received_at")
    last = choices.values_list("reason", flat=True).first()
    return Preference(last).label.lower() if last else ""


def _open_tasks(client: Client) -> list[Task]:
    opened = Task.objects.filter(client=client, state=TaskState.OPEN)
    return list(opened.select_related("client", "owner__user").order_by("due_on", "created_at", "pk"))
