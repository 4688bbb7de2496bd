"""À valider: what waits for a person, and everything known about one message."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.utils.html import escape

from cabinets.enums import ClientKind, Right
from cabinets.models import Cabinet, Membership
from cabinets.sealing import open_together
from dunning.enums import ANSWERS, SPOKEN, Channel, Reason, ReminderState, Tone
from dunning.models import DunningCase, NightlyRun, Reminder, ReminderLine
from dunning.presenting import (
    KIND_MEANS,
    Fact,
    late_words,
    moment_words,
    offset_words,
    plural,
    reasons_of,
    soon_words,
    step_words,
)
from dunning.services import approving, letter_composing, outcomes, rewriting
from dunning.services.composing import addressee_of, compose, compose_text, lines_of
from dunning.services.lookups import needs_insolvency_check
from dunning.services.reading.sending import sender_words
from dunning.services.rewriting import Part
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.money import show_euros
from invoices.status import in_force
from payments.freshness import are_payments_stale
from payments.models import LinkVisit
from templates_lib.email import Composed
from templates_lib.errors import TextError
from templates_lib.rendering import day_words

SHOWN = 200
IN_QUEUE = (ReminderState.AWAITING_APPROVAL, ReminderState.APPROVED, ReminderState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message in the list."""

    reminder: Reminder
    name: str
    step: str
    when: str
    is_approved: bool
    is_uncertain: bool
    # A batch may approve it: no formal notice, no text still to come, no second accord to read for.
    is_batchable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Everything a person has to look at, nearest departure first."""

    waiting: tuple[Item, ...]
    approved: tuple[Item, ...]
    uncertain: tuple[Item, ...]
    total_cents: int
    waiting_count: int
    # Filled when nothing waits: when something will leave or be looked at next.
    next_departure: dt.datetime | None = None
    next_night_on: dt.date | None = None
    abnormal_night: NightlyRun | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        """Return every item in the order of the page."""
        return (*self.uncertain, *self.waiting, *self.approved)

    def around(self, reminder_id: UUID) -> tuple[Item | None, Item | None, int]:
        """Return the items before and after one, and its place counted from 1 (0 when it is not in the list)."""
        ids = [item.reminder.pk for item in self.items]
        if reminder_id not in ids:
            return None, None, 0
        place = ids.index(reminder_id)
        before = self.items[place - 1] if place else None
        after = self.items[place + 1] if place + 1 < len(ids) else None
        return before, after, place + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One message and what is known about it, for the person who decides."""

    reminder: Reminder
    name: str
    step: str
    recipient: str
    sender: str
    claimed: tuple[ReminderLine, ...]
    mentioned: tuple[ReminderLine, ...]
    facts: tuple[Fact, ...]
    why: tuple[str, ...]
    blocked: str
    departs_at: dt.datetime
    leaves_at_once: bool
    composed: Composed | None
    unwritable: str = ""
    # Why this person has no button, when another one has it.
    second_only: bool = False
    # A formal notice to a professional waits for a look at collective proceedings, or for a lawyer's own statement.
    asks_insolvency: bool = False
    may_rewrite: bool = False
    # What a person changed of the text's version, paragraph by paragraph; nothing while it bears its version.
    compared: tuple[Part, ...] = ()
    rights: frozenset[Right] = field(default_factory=frozenset)

    @property
    def is_waiting(self) -> bool:
        """Say whether an accord is awaited."""
        return self.reminder.state == ReminderState.AWAITING_APPROVAL

    @property
    def is_approved(self) -> bool:
        """Say whether the accord may still be undone."""
        return self.reminder.state == ReminderState.APPROVED

    @property
    def is_uncertain(self) -> bool:
        """Say whether a person must tell what became of it."""
        return self.reminder.state == ReminderState.UNKNOWN

    @property
    def needed_right(self) -> Right:
        """Return the right its approval asks."""
        is_formal = self.reminder.step.tone == Tone.FORMAL
        return Right.APPROVE_FORMAL_NOTICES if is_formal else Right.APPROVE_REMINDERS

    @property
    def may_approve(self) -> bool:
        """Say whether this person may approve it now."""
        return self.is_waiting and not self.blocked and not self.second_only and self.needed_right in self.rights

    @property
    def may_act(self) -> bool:
        """Say whether this person may postpone, set aside or undo."""
        return Right.APPROVE_REMINDERS in self.rights


def queue(*, cabinet: Cabinet) -> Queue:
    """Return what waits, what was approved and has not left, and what nobody knows; three queries, four when empty."""
    rows = list(
        Reminder.objects.filter(state__in=IN_QUEUE)
        .select_related("client", "contact", "step")
        .defer("html", "text", "subject", "recipient")
        .order_by("depart_at", "pk")[:SHOWN]
    )
    open_together([row.client for row in rows])
    items = [_item(row, cabinet) for row in rows]
    waiting = tuple(one for one in items if one.reminder.state == ReminderState.AWAITING_APPROVAL)
    night = NightlyRun.objects.filter(on=cabinet.today(), is_abnormal=True, confirmed_at=None).first()
    departure = next_on = None
    if not waiting:
        departure, next_on = _next_departure(), _next_night()
    return Queue(
        waiting=waiting,
        approved=tuple(one for one in items if one.is_approved),
        uncertain=tuple(one for one in items if one.is_uncertain),
        total_cents=sum(one.reminder.total_cents for one in waiting),
        waiting_count=len(waiting) if len(rows) < SHOWN else Reminder.objects.filter(state=IN_QUEUE[0]).count(),
        next_departure=departure,
        next_night_on=next_on,
        abnormal_night=night,
    )


def _item(row: Reminder, cabinet: Cabinet) -> Item:
    is_waiting = row.state == ReminderState.AWAITING_APPROVAL
    return Item(
        reminder=row,
        name=row.client.display_name,
        step=f"{offset_words(row.step.offset_days)} · {row.get_channel_display()}",
        when=soon_words(row.depart_at, on=cabinet.today(), zone=cabinet.zone),
        is_approved=row.state == ReminderState.APPROVED,
        is_uncertain=row.state == ReminderState.UNKNOWN,
        is_batchable=is_waiting and approving.is_batchable(row),
    )


def _next_departure() -> dt.datetime | None:
    leaving = Reminder.objects.filter(state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    found: dt.datetime | None = leaving.aggregate(Min("depart_at"))["depart_at__min"]
    return found


def _next_night() -> dt.date | None:
    found: dt.date | None = DunningCase.objects.aggregate(Min("next_action_on"))["next_action_on__min"]
    return found


def is_source_stale(cabinet: Cabinet) -> bool:
    """Say whether reminders wait because nobody declared the payments up to date."""
    return are_payments_stale(
        declared_on=cabinet.settlements_declared_on,
        feed_fresh_until_on=cabinet.feed_fresh_until_on,
        on=cabinet.today(),
    )


def chosen(*, reminder_ids: Collection[UUID]) -> list[Reminder]:
    """Return the awaited reminders of a selection, names ready to be read."""
    rows = (
        Reminder.objects.filter(pk__in=list(reminder_ids), state=ReminderState.AWAITING_APPROVAL)
        .select_related("client", "contact", "step")
        .defer("html", "text", "subject", "recipient")
        .order_by("depart_at", "pk")
    )
    found = list(rows[:SHOWN])
    open_together([row.client for row in found])
    return found


def read(*, reminder: Reminder, cabinet: Cabinet, member: Membership) -> Reading:
    """Return one message as it will leave, and what is known; its client, contact and step are loaded with it."""
    claimed, mentioned = _lines(reminder)
    blocked = approving.blocked_by(reminder)
    composed, unwritable = None, ""
    if not blocked:
        composed, unwritable = _compose(reminder, cabinet, claimed, mentioned)
    departs_at = outcomes.next_departure(reminder, cabinet, after=max(cabinet.now(), reminder.depart_at))
    return Reading(
        reminder=reminder,
        name=reminder.client.display_name,
        step=step_words(reminder.step),
        recipient=reminder.recipient or _way_to(reminder),
        sender=sender_words(reminder, cabinet),
        claimed=tuple(claimed),
        mentioned=tuple(mentioned),
        facts=tuple(known(reminder, claimed, cabinet)),
        why=tuple(reasons_of(reminder.reasons)),
        blocked=blocked,
        departs_at=departs_at,
        leaves_at_once=departs_at <= cabinet.now(),
        composed=composed,
        unwritable=unwritable,
        second_only=Reason.TWO_PEOPLE in reminder.reasons and reminder.approved_by_id == member.pk,
        may_rewrite=composed is not None and rewriting.may_be_rewritten(reminder),
        compared=_compared(reminder, claimed, cabinet),
        asks_insolvency=reminder.state == ReminderState.AWAITING_APPROVAL and needs_insolvency_check(reminder),
        rights=frozenset(right for right in Right if member.can(right)),
    )


def _compared(reminder: Reminder, claimed: Sequence[ReminderLine], cabinet: Cabinet) -> tuple[Part, ...]:
    if reminder.edited_at is None:
        return ()
    on = cabinet.today()
    before = rewriting.original_of(reminder, claimed, on=on)
    return tuple(rewriting.compared(before, rewriting.words_of(reminder, claimed, on=on)))


def message_of(*, reminder: Reminder, cabinet: Cabinet) -> Composed | None:
    """Return what was said, or what would be said now; nothing while the step has no text."""
    if (said := _said(reminder)) is not None:
        return said
    if approving.blocked_by(reminder):
        return None
    return _compose(reminder, cabinet, *_lines(reminder))[0]


def _said(reminder: Reminder) -> Composed | None:
    """Return the very words that were said, as they are kept; nothing before."""
    if reminder.html:
        return Composed(subject=reminder.subject, html=reminder.html, text=reminder.text)
    return _as_text(reminder.text) if reminder.text else None


def _as_text(words: str) -> Composed:
    return Composed(subject="", html=f"<pre>{escape(words)}</pre>", text=words)


def _lines(reminder: Reminder) -> tuple[list[ReminderLine], list[ReminderLine]]:
    """Return the lines with the amounts an accord would freeze now."""
    claimed, mentioned = lines_of(reminder)
    if reminder.state == ReminderState.AWAITING_APPROVAL:
        for line in (*claimed, *mentioned):
            line.owed_cents = line.invoice.outstanding_cents
    return claimed, mentioned


def _way_to(reminder: Reminder) -> str:
    addressee = addressee_of(reminder)
    if reminder.channel in {Channel.SMS, Channel.PHONE}:
        return str(addressee.phone)
    if reminder.channel in {Channel.LETTER, Channel.REGISTERED}:
        client = reminder.client
        return f"{client.display_name}, {client.address}, {client.postcode} {client.city}"
    return str(addressee.email)


def _compose(
    reminder: Reminder, cabinet: Cabinet, claimed: Sequence[ReminderLine], mentioned: Sequence[ReminderLine]
) -> tuple[Composed | None, str]:
    if (kept := _said(reminder)) is not None:
        return kept, ""
    try:
        # The debtor's own address is written at departure only: nobody else opens it, and reading writes nothing.
        link = f"{settings.SITE_URL}/p/apercu/"
        if reminder.channel in {Channel.LETTER, Channel.REGISTERED}:
            return letter_composing.preview(reminder, cabinet, claimed, mentioned, link=link), ""
        if reminder.channel == Channel.SMS:
            said = compose_text(reminder, cabinet, claimed, link=f"{settings.SITE_URL}/s/apercu/").text
            return _as_text(said), ""
        return compose(reminder=reminder, cabinet=cabinet, claimed=claimed, mentioned=mentioned, link=link), ""
    except TextError as error:
        return None, str(error)


def known(reminder: Reminder, claimed: Sequence[ReminderLine], cabinet: Cabinet) -> list[Fact]:
    """Return « Ce que nous savons », line by line, in three queries."""
    on = cabinet.today()
    invoices = [line.invoice for line in claimed]
    facts = [
        Fact(
            "file-text",
            f"{line.invoice.get_kind_display()} {line.invoice.number}",
            f"{show_euros(line.owed_cents)} · échue le {day_words(line.invoice.due_on)},"
            f" {late_words(due_on=line.invoice.due_on, on=on)}",
        )
        for line in claimed
    ]
    stops = _stops_known(reminder, [invoice.pk for invoice in invoices], {row.dossier_id for row in invoices})
    facts += [_earlier(reminder, [invoice.pk for invoice in invoices], cabinet, stops)]
    kind = ClientKind(reminder.client_kind)
    facts.append(Fact("scale", f"Client : {kind.label.lower()}", KIND_MEANS[kind]))
    facts += _contested(stops, on, cabinet.zone)
    paid = sum(invoice.settled_cents for invoice in invoices)
    facts.append(
        Fact("hand-coins", "Déjà réglé en partie", show_euros(paid))
        if paid
        else Fact("circle-check", "Aucun paiement partiel")
    )
    facts += _agreements(claimed)
    client = reminder.client
    if client.is_strategic:
        facts.append(Fact("badge-check", "Client stratégique", "Chaque message est relu avant de partir"))
    return facts


def _stops_known(reminder: Reminder, invoice_ids: Collection[UUID], dossier_ids: Collection[UUID]) -> list[Standstill]:
    reach = Q(invoice__in=list(invoice_ids)) | Q(client=reminder.client_id) | Q(dossier__in=list(dossier_ids))
    return list(Standstill.objects.filter(reach).defer("reason").order_by("created_at"))


def _earlier(reminder: Reminder, invoice_ids: Collection[UUID], cabinet: Cabinet, stops: Sequence[Standstill]) -> Fact:
    lines = (
        ReminderLine.objects.filter(
            invoice__in=list(invoice_ids), is_claimed=True, reminder__state__in=(*SPOKEN, ReminderState.BOUNCED)
        )
        .exclude(reminder=reminder)
        .values_list("reminder", "reminder__step__offset_days", "reminder__spoken_on", "reminder__state")
        .distinct()
        .order_by("reminder__spoken_on")
    )
    said = [
        f"{offset_words(offset)} le {day_words(on)}" + (" (revenue)" if state == ReminderState.BOUNCED else "")
        for _, offset, on, state in lines
        if on
    ]
    visits = LinkVisit.objects.filter(
        link__client=reminder.client_id, link__contact=reminder.contact_id, invoice=None
    ).aggregate(times=Count("pk"), last=Max("at"))
    opened = ""
    if visits["times"]:
        opened = f"lien ouvert {visits['times']} fois, la dernière le {moment_words(visits['last'], cabinet.zone)}"
    answers = [
        f"{StopKind(stop.kind).label} le {day_words(stop.created_at.astimezone(cabinet.zone).date())}"
        for stop in stops
        if stop.kind in ANSWERS
    ]
    if not said:
        return Fact("mail", "Premier message au sujet de cette facture", opened.capitalize())
    title = f"{plural(len(said), 'relance', 'relances')} {'avec' if answers else 'sans'} réponse"
    return Fact("mail", title, " · ".join([", ".join(said), *answers, *([opened] if opened else [])]))


def _contested(stops: Sequence[Standstill], on: dt.date, zone: dt.tzinfo) -> list[Fact]:
    def day(instant: dt.datetime) -> str:
        return day_words(instant.astimezone(zone).date())

    holding = [stop for stop in stops if in_force(stop, on)]
    if holding:
        return [
            Fact("circle-pause", StopKind(stop.kind).label, f"Depuis le {day(stop.created_at)}") for stop in holding
        ]
    past = [stop for stop in stops if stop.kind == StopKind.DISPUTE and stop.released_at]
    if past:
        return [Fact("scale", "Contestation levée", f"Le {day(past[-1].released_at)}")]  # type: ignore[arg-type]
    return [Fact("circle-check", "Aucune contestation", "Aucun échéancier, aucune promesse en cours")]


def _agreements(claimed: Sequence[ReminderLine]) -> list[Fact]:
    dossiers = {line.invoice.dossier_id: line.invoice.dossier for line in claimed}.values()
    return [
        Fact(
            "file-check",
            f"Dossier {dossier.reference}",
            f"Convention d’honoraires signée le {day_words(dossier.fee_agreement_on)}"
            if dossier.fee_agreement_on
            else "Aucune convention d’honoraires enregistrée",
        )
        for dossier in dossiers
    ]
