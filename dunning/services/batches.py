"""Acts on many invoices at once: what would be done to which, what is left out and why; then it is done."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Assignment, Membership
from cabinets.permissions import ensure
from cabinets.sealing import open_together
from cabinets.services import dossiers
from invoices.enums import InvoiceState, StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice, Standstill
from invoices.services import standstill
from templates_lib.rendering import day_words

# Above this a page no longer says what a person is about to do; the form's fields are bounded too.
MOST = 500
PAID, LOST, CANCELLED = "Déjà payées", "Passées en perte", "Annulées"
NOT_HELD = "Pas suspendues"
HELD_WITH = {
    "dossier": "Suspendues avec leur dossier : la reprise se fait depuis le dossier",
    "client": "Suspendues avec leur client : la reprise se fait depuis la fiche du client",
    "lawyer": "Suspendues avec les dossiers d’un avocat",
}
IN_CHARGE = "Dossier déjà affecté à cette personne"


class Action(models.TextChoices):
    """What may be done to a selection."""

    HOLD = "hold", "Suspendre les relances"
    RESUME = "resume", "Reprendre les relances"
    ASSIGN = "assign", "Affecter les dossiers"
    EXPORT = "export", "Exporter"


RIGHT_OF = {
    Action.HOLD: Right.HOLD_REMINDERS,
    Action.RESUME: Right.HOLD_REMINDERS,
    Action.ASSIGN: Right.ASSIGN_FILES,
    Action.EXPORT: Right.EXPORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What an act does: to these invoices; not to those, each for one reason; and how many were not found."""

    taken: tuple[Invoice, ...]
    left: tuple[tuple[str, tuple[Invoice, ...]], ...]
    gone: int
    # Of those taken, the invoices that another fact stops all the same once the hold is lifted.
    still: int = 0

    @property
    def left_count(self) -> int:
        """Return how many invoices are left out, whatever the reason."""
        return sum(len(rows) for _, rows in self.left)

    @property
    def owed_cents(self) -> int:
        """Return what is still owed on the invoices taken."""
        return sum(row.outstanding_cents for row in self.taken if row.state == InvoiceState.OPEN)

    @property
    def dossier_ids(self) -> set[UUID]:
        """Return the dossiers of the invoices taken."""
        return {row.dossier_id for row in self.taken}


class _Stop(NamedTuple):
    kind: str
    until_on: dt.date | None
    place: str


def actions_of(member: Membership) -> list[tuple[str, str]]:
    """Return what a person may do to many invoices."""
    return [(action.value, str(action.label)) for action in Action if member.can(RIGHT_OF[action])]


def outlook(
    *, action: Action, invoice_ids: Collection[UUID], on: dt.date, colleague: Membership | None = None
) -> Outlook:
    """Say what an act would do to these invoices, the oldest due date first; what the person does not see is not found.

    In four queries at most, whatever the number of invoices.
    """
    wanted = list(dict.fromkeys(invoice_ids))[:MOST]
    found = Invoice.objects.filter(pk__in=wanted).select_related("client", "dossier").defer("note")
    rows = list(found.order_by("due_on", "pk"))
    open_together([row.client for row in rows])
    stops = _stops(rows, on) if action in {Action.HOLD, Action.RESUME} else {}
    charged = _charged(rows, colleague) if action == Action.ASSIGN else set()
    left: dict[str, list[Invoice]] = defaultdict(list)
    taken = []
    for row in rows:
        if why := _why_not(action, row, stops.get(row.pk, []), charged):
            left[why].append(row)
        else:
            taken.append(row)
    return Outlook(
        taken=tuple(taken),
        left=tuple((why, tuple(named)) for why, named in left.items()),
        gone=len(wanted) - len(rows),
        still=sum(1 for row in taken if action == Action.RESUME and _is_stopped_otherwise(stops[row.pk])),
    )


@transaction.atomic
def hold(
    *, invoice_ids: Collection[UUID], by: Membership, until_on: dt.date | None, reason: str, on: dt.date
) -> Outlook:
    """Hold the reminders of each of these invoices that is owed and not held yet; again, it changes nothing."""
    seen = _locked(Action.HOLD, invoice_ids, by, on)
    if seen.taken:
        standstill.hold_many(invoices=seen.taken, until_on=until_on, reason=reason)
        _tell(Action.HOLD, seen)
    return seen


@transaction.atomic
def resume(*, invoice_ids: Collection[UUID], by: Membership, on: dt.date) -> Outlook:
    """Lift the hold of each of these invoices; again, it changes nothing."""
    seen = _locked(Action.RESUME, invoice_ids, by, on)
    if seen.taken:
        standstill.resume_many(invoices=seen.taken)
        _tell(Action.RESUME, seen)
    return seen


@transaction.atomic
def assign(*, invoice_ids: Collection[UUID], by: Membership, colleague: Membership, on: dt.date) -> Outlook:
    """Put the dossiers of these invoices in a colleague's charge; again, it changes nothing."""
    seen = _locked(Action.ASSIGN, invoice_ids, by, on, colleague)
    if seen.taken:
        dossiers.assign_many(dossier_ids=seen.dossier_ids, member_id=colleague.pk)
        _tell(Action.ASSIGN, seen)
    return seen


def _locked(
    action: Action, invoice_ids: Collection[UUID], by: Membership, on: dt.date, colleague: Membership | None = None
) -> Outlook:
    """Look again under the locks: what was on the page may have moved."""
    ensure(by, RIGHT_OF[action])
    lock_invoices(list(dict.fromkeys(invoice_ids))[:MOST])
    return outlook(action=action, invoice_ids=invoice_ids, on=on, colleague=colleague)


def _tell(action: Action, seen: Outlook) -> None:
    journal.record(
        "invoice.batch_acted", None, action=action.value, count=len(seen.taken), left=seen.left_count, gone=seen.gone
    )


def _why_not(action: Action, row: Invoice, stops: Sequence[_Stop], charged: Collection[UUID]) -> str:
    if action == Action.HOLD:
        return _over(row) or _held_already(stops)
    if action == Action.RESUME:
        return _not_resumable(stops)
    return IN_CHARGE if row.dossier_id in charged else ""


def _over(row: Invoice) -> str:
    if row.state != InvoiceState.OPEN:
        return LOST if row.state == InvoiceState.WRITTEN_OFF else CANCELLED
    return "" if row.outstanding_cents > 0 else PAID


def _held_already(stops: Sequence[_Stop]) -> str:
    held = [stop for stop in stops if stop.kind == StopKind.HOLD]
    if not held:
        return ""
    days = [stop.until_on for stop in held]
    last = None if None in days else max(day for day in days if day)
    return f"Déjà suspendues jusqu’au {day_words(last)}" if last else "Déjà suspendues, sans date de fin"


def _not_resumable(stops: Sequence[_Stop]) -> str:
    places = [stop.place for stop in stops if stop.kind == StopKind.HOLD]
    if not places:
        return NOT_HELD
    return "" if "invoice" in places else HELD_WITH[places[0]]


def _is_stopped_otherwise(stops: Sequence[_Stop]) -> bool:
    return any(stop.kind != StopKind.HOLD or stop.place != "invoice" for stop in stops)


def _stops(rows: Sequence[Invoice], on: dt.date) -> dict[UUID, list[_Stop]]:
    """Return what stops each invoice on a day, from itself to its lawyer; not what stops the whole firm."""
    targets: dict[str, dict[UUID, set[UUID | None]]] = {
        "invoice": {row.pk: {row.pk} for row in rows},
        "dossier": {row.pk: {row.dossier_id} for row in rows},
        "client": {row.pk: {row.client_id} for row in rows},
        "lawyer": {row.pk: {row.dossier.lawyer_id} for row in rows},
    }
    reach = Q()
    for place, named in targets.items():
        reach |= Q(**{f"{place}__in": set[UUID | None]().union(*named.values()) - {None}})
    running = Standstill.objects.filter(reach, Q(until_on=None) | Q(until_on__gte=on), released_at=None)
    found: dict[UUID | None, list[_Stop]] = defaultdict(list)
    columns = [f"{place}_id" for place in targets]
    for kind, until_on, *ids in running.order_by("pk").values_list("kind", "until_on", *columns):
        for place, target in zip(targets, ids, strict=True):
            if target is not None:
                found[target].append(_Stop(kind, until_on, place))
    return {
        row.pk: [stop for named in targets.values() for target in named[row.pk] for stop in found.get(target, [])]
        for row in rows
    }


def _charged(rows: Sequence[Invoice], colleague: Membership | None) -> set[UUID]:
    mine = Assignment.objects.filter(dossier__in={row.dossier_id for row in rows}, member=colleague)
    return set(mine.values_list("dossier_id", flat=True)) if colleague else set()
