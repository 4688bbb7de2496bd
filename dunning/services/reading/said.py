"""The messages of a timeline: where each is, by which channel, and where to read or decide it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import PENDING, PRESENTED, Channel, Code, ReminderState
from dunning.models import Reminder, ReminderLine
from dunning.presenting import RULE_MEANS, Event, moment_words, step_words

# An event, and the invoice whose page tells it.
Told = tuple[UUID, Event]
MOVED_BY_HAND = ("reminder.declined", "reminder.cancelled", "reminder.rejected", "reminder.approved")
# How each state of a message looks: tone, icon, word.
LOOKS = {
    ReminderState.PLANNED: ("info", "calendar-clock", "prévue"),
    ReminderState.AWAITING_APPROVAL: ("wait", "clipboard-check", "à valider"),
    ReminderState.APPROVED: ("ok", "check", "approuvée"),
    ReminderState.SENDING: ("info", "send", "envoi en cours"),
    ReminderState.IN_HAND: ("wait", "hand", "entre vos mains"),
    ReminderState.ACCEPTED: ("ok", "mail-check", "envoyée"),
    ReminderState.DELIVERED: ("ok", "mail-check", "remise"),
    ReminderState.BOUNCED: ("late", "mail-x", "revenue"),
    ReminderState.REFUSED: ("late", "mail-x", "refusée par le destinataire"),
    ReminderState.UNCLAIMED: ("late", "mail-x", "non réclamée"),
    ReminderState.REJECTED: ("late", "mail-x", "refusée par le serveur"),
    ReminderState.UNKNOWN: ("wait", "circle-question-mark", "issue incertaine"),
    ReminderState.DECLINED: ("neutral", "ban", "écartée"),
    ReminderState.CANCELLED: ("neutral", "ban", "annulée"),
}
TAKEN = {
    Channel.EMAIL: "E-mail accepté par le serveur",
    Channel.SMS: "SMS accepté par l’opérateur",
    Channel.LETTER: "Lettre postée",
    Channel.REGISTERED: "Lettre recommandée déposée",
    Channel.PHONE: "Appel passé",
}
IN_HAND = {
    Channel.LETTER: "Lettre imprimée : elle attend d’être postée.",
    Channel.REGISTERED: "Lettre imprimée : elle attend d’être postée.",
    Channel.PHONE: "Un appel attend une personne du cabinet.",
}


def reminder_events(lines: Sequence[ReminderLine], cabinet: Cabinet) -> list[Told]:
    """Return one event a line: the message that claims or mentions its invoice, and what accompanied it."""
    lines = [*lines, *_in_their_wake(lines)]
    ids = [line.reminder_id for line in lines]
    moved = dict(
        JournalEntry.objects.filter(subject_id__in=ids, event__in=MOVED_BY_HAND)
        .order_by("at")
        .values_list("subject_id", "at")
    )
    return [(line.invoice_id, _event_of(line, moved.get(line.reminder_id), cabinet)) for line in lines]


def _event_of(line: ReminderLine, moved_at: dt.datetime | None, cabinet: Cabinet) -> Event:
    reminder, zone = line.reminder, cabinet.zone
    state = ReminderState(reminder.state)
    is_coming = state in PENDING
    at = reminder.depart_at if is_coming else reminder.spoken_at or moved_at
    at = at or dt.datetime.combine(reminder.on, dt.time(12), tzinfo=zone)
    tone, icon, word = LOOKS[state]
    text = _detail(reminder, state) + ("" if line.is_claimed else " Citée parmi les factures également à régler.")
    url, link_label = _door(reminder, state)
    return Event(
        at=at,
        when=moment_words(at, zone),
        future=is_coming,
        source=reminder.pk,
        tone=tone,
        icon=icon,
        title=f"{step_words(reminder.step)} : {word}",
        text=text.strip(),
        url=url,
        link_label=link_label,
    )


def _in_their_wake(lines: Sequence[ReminderLine]) -> list[ReminderLine]:
    """Return what accompanied these messages, each as a line of its lead: it claims what the lead claims."""
    leads: dict[UUID | None, list[ReminderLine]] = defaultdict(list)
    for line in lines:
        leads[line.reminder_id].append(line)
    rows = Reminder.objects.filter(accompanies__in=list(leads)).select_related(
        "step", "approved_by__user", "ended_by__user"
    )
    rows = rows.defer("html", "text", "subject", "recipient", "edited_subject", "edited_body")
    return [
        ReminderLine(
            cabinet_id=one.cabinet_id,
            reminder=one,
            invoice_id=lead.invoice_id,
            is_claimed=lead.is_claimed,
        )
        for one in rows
        for lead in leads[one.accompanies_id]
    ]


def _detail(reminder: Reminder, state: ReminderState) -> str:
    channel = Channel(reminder.channel)
    approved = f" Accord de {author_of(reminder.approved_by)}." if reminder.approved_by else ""
    if state in {ReminderState.ACCEPTED, ReminderState.DELIVERED}:
        code = f", réponse {reminder.provider_code}" if reminder.provider_code else ""
        return f"{TAKEN[channel]}{code}.{approved}"
    if state in PRESENTED:
        return "Le courrier a été présenté : une mise en demeure garde son effet."
    if state in {ReminderState.BOUNCED, ReminderState.REJECTED}:
        failure = reminder.failure or "Le serveur du client a refusé le message."
        return f"{failure} L’étape ne compte pas : corrigez l’adresse."
    if state == ReminderState.DECLINED:
        return f"Par {author_of(reminder.ended_by)}. Rien n’est parti."
    if state == ReminderState.CANCELLED:
        rule = RULE_MEANS[Code(reminder.cancel_code)] if reminder.cancel_code else ""
        return f"{rule} Rien n’est parti."
    return {
        ReminderState.PLANNED: f"{channel.label}, départ automatique.",
        ReminderState.AWAITING_APPROVAL: f"{channel.label}. Rien ne part sans votre accord.",
        ReminderState.APPROVED: f"{channel.label}.{approved}",
        ReminderState.IN_HAND: IN_HAND.get(channel, ""),
        ReminderState.UNKNOWN: "Le serveur n’a pas confirmé. Une personne dit ce qu’il en est.",
    }.get(state, channel.label)


def _door(reminder: Reminder, state: ReminderState) -> tuple[str, str]:
    read, decide_at = f"/relances/{reminder.pk}/", f"/a-valider/{reminder.pk}/"
    return {
        ReminderState.AWAITING_APPROVAL: (decide_at, "Relire et décider"),
        ReminderState.APPROVED: (decide_at, "Voir ou annuler l’accord"),
        ReminderState.UNKNOWN: (decide_at, "Dire s’il est parti"),
        ReminderState.IN_HAND: ("", ""),
        ReminderState.DECLINED: ("", ""),
        ReminderState.CANCELLED: ("", ""),
    }.get(state, (read, "Lire le message"))


def author_of(member: Membership | None, origin: str = "") -> str:
    """Return who did something: a person of the firm, the client, or the product itself."""
    if member is not None:
        return str(member.user.get_full_name())
    return {
        "link": "le client, depuis son lien",
        "reply": "le client, par e-mail",
        "old_debt": "le produit, à l’entrée de la dette",
        "bodacc": "le produit, d’après le BODACC",
        "online": "le produit, d’après le prestataire de paiement",
        "plan": "le produit, selon l’échéancier",
    }.get(origin, "le produit")
