"""How long each fee may still be claimed: its clock, what a lawyer recorded that moves it, the alarms."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from cabinets import journal
from cabinets.enums import ClientKind, Right, TaskKind
from cabinets.models import Cabinet, Dossier, Membership, Task
from cabinets.permissions import ensure
from cabinets.territories import Territory
from invoices.errors import InvoiceError
from invoices.law import limitation as law
from invoices.law.limitation import CONSUMER_YEARS, EFFECTS, OTHERS_YEARS, Effect, Limitation, Nature, shift_months
from invoices.models import Invoice, LimitationEvent
from invoices.services.chores import open_chore

ALARM_MONTHS = 6
_YEAR = 12
_SHORT = (ClientKind.CONSUMER, ClientKind.UNKNOWN)
NATURE_WORDS = {
    Nature.ACKNOWLEDGEMENT: "Reconnaissance de la dette par le client",
    Nature.PLAN_ACCEPTED: "Échéancier accepté par le client",
    Nature.BATONNIER: "Demande du cabinet devant le bâtonnier",
    Nature.COURT_CLAIM: "Demande en justice",
    Nature.ENFORCEMENT: "Acte d’exécution forcée",
    Nature.MEDIATION: "Médiation convenue",
    Nature.REGISTERED_LETTER: "Lettre recommandée (sans effet)",
    Nature.REMINDER: "Relance (sans effet)",
}


def clocks_of(*, invoices: Sequence[Invoice], territory: Territory = Territory.METROPOLE) -> dict[UUID, Limitation]:
    """Return the clock of each of these invoices, in one query; their dossiers come with them."""
    moved: dict[UUID, list[law.LimitationEvent]] = defaultdict(list)
    rows = LimitationEvent.objects.filter(dossier__in={invoice.dossier_id for invoice in invoices})
    for dossier_id, on, effect, until_on in rows.values_list("dossier_id", "on", "effect", "until_on"):
        moved[dossier_id].append(law.LimitationEvent(on=on, effect=Effect(effect), until=until_on))
    return {
        invoice.pk: law.limitation(
            kind=ClientKind(invoice.dossier.kind),
            mandate_end_on=invoice.dossier.mandate_ended_on,
            prudent_start_on=invoice.performed_on or invoice.issued_on,
            events=moved[invoice.dossier_id],
            territory=territory,
        )
        for invoice in invoices
    }


def events_of(*, dossier_id: UUID) -> list[LimitationEvent]:
    """Return what was recorded of a dossier's limitation, the oldest first."""
    rows = LimitationEvent.objects.filter(dossier=dossier_id).select_related("recorded_by__user")
    return list(rows.order_by("on", "recorded_at"))


@transaction.atomic
def record_event(
    *,
    dossier: Dossier,
    by: Membership,
    nature: Nature,
    on: dt.date,
    until_on: dt.date | None,
    note: str,
    today: dt.date,
) -> LimitationEvent:
    """Record what moves the limitation of a dossier's fees; a lawyer's act, since it lengthens what may be claimed."""
    ensure(by, Right.RELEASE_DISPUTES)
    if on > today:
        raise InvoiceError("Cette date est dans l’avenir : corrigez-la. Rien n’a été enregistré.")
    if until_on is not None and (nature is not Nature.MEDIATION or until_on < on):
        raise InvoiceError("Seule une médiation a une fin, et elle suit son début. Rien n’a été enregistré.")
    event = LimitationEvent(
        dossier=dossier,
        on=on,
        until_on=until_on,
        effect=EFFECTS[nature].value,
        nature=nature.value,
        note=note.strip(),
        recorded_by=by,
    )
    event.save(force_insert=True)
    journal.record("limitation.recorded", dossier, nature=nature.value, effect=event.effect)
    return event


@transaction.atomic
def note_agreement(*, dossiers: Collection[Dossier], on: dt.date, by: Membership | None) -> list[LimitationEvent]:
    """Note on these dossiers that the client acknowledged the debt by agreeing on dates (R29): their own act, written.

    No right is asked: whoever accepted for the firm, it is the client's word that interrupts.
    """
    nature = Nature.PLAN_ACCEPTED
    events = [
        LimitationEvent(dossier=dossier, on=on, effect=EFFECTS[nature].value, nature=nature.value, recorded_by=by)
        for dossier in sorted(dossiers, key=lambda one: one.pk)
    ]
    for event in events:
        event.save(force_insert=True)
    if events:
        journal.record_many(
            "limitation.recorded", [event.dossier for event in events], nature=nature.value, effect=events[0].effect
        )
    return events


@transaction.atomic
def ring(*, on: dt.date) -> int:
    """Ask a lawyer about each fee whose alarm has rung and was not heard yet; return how many were asked.

    The first alarm is six months before the last day: younger debts are not looked at. A night that was missed rings
    the next.
    """
    close = list(_near_the_end(on=on).select_related("dossier"))
    clocks, heard = clocks_of(invoices=close, territory=Territory(Cabinet.objects.get().territory)), _heard(close)
    asked = 0
    for invoice in close:
        clock = clocks[invoice.pk]
        rung = max((day for day in clock.alarms if day <= on), default=None)
        if (
            rung is None
            or clock.act_by is None
            or clock.has_run_out(on=on)
            or heard.get(invoice.pk, dt.date.min) >= rung
        ):
            continue
        open_chore(
            TaskKind.LIMITATION,
            subject_id=invoice.pk,
            client_id=invoice.client_id,
            owner_id=invoice.dossier.lawyer_id,
            due_on=clock.act_by,
        )
        asked += 1
    return asked


def _near_the_end(*, on: dt.date) -> QuerySet[Invoice]:
    short = shift_months(on, ALARM_MONTHS - CONSUMER_YEARS * _YEAR)
    long = shift_months(on, ALARM_MONTHS - OTHERS_YEARS * _YEAR)
    old = Q(dossier__kind__in=_SHORT, starts_on__lte=short) | Q(starts_on__lte=long)
    moved = Exists(LimitationEvent.objects.filter(dossier=OuterRef("dossier")))
    starts_on = Coalesce("dossier__mandate_ended_on", "performed_on", "issued_on")
    rows: QuerySet[Invoice] = Invoice.objects.open().annotate(starts_on=starts_on).filter(old | Q(moved))
    return rows


def _heard(invoices: Sequence[Invoice]) -> dict[UUID, dt.date]:
    """Return the day each invoice's last alarm was asked about, open or done."""
    rows = Task.objects.filter(kind=TaskKind.LIMITATION, subject_id__in=[invoice.pk for invoice in invoices])
    zone = Cabinet.objects.get().zone
    found: dict[UUID, dt.date] = {}
    for subject_id, created_at in rows.values_list("subject_id", "created_at"):
        day = created_at.astimezone(zone).date()
        if subject_id is not None:
            found[subject_id] = max(found.get(subject_id, day), day)
    return found
