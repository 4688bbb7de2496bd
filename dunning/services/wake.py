"""What follows in the wake of a message that has left: the channels that accompany its step, the same day."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cabinets.models import Cabinet, Client
from dunning.enums import ANSWERS, Channel, Medium, ReminderState, Tone
from dunning.models import ChannelAccount, Reminder, ReminderLine
from dunning.reach import Reach
from dunning.services.facts import reach_of
from invoices.models import Standstill
from templates_lib.library import has_text


def follow(reminder: Reminder, cabinet: Cabinet, *, at: dt.datetime) -> list[Reminder]:
    """Plan what accompanies a message that has just left, for the very addressee and sums; return what was planned.

    Each is asked every rule again before it speaks, and leaves the same day or not at all. The text message of J+10
    only follows a first reminder that stayed without an answer (engine.md § 2.5).
    """
    if reminder.accompanies_id is not None or not reminder.step.companions:
        return []
    has_answered = reminder.step.tone == Tone.SOLUTIONS and bool(_answered_among([reminder]))
    open_ways = companions_of(reminder, _reach(reminder, cabinet), has_answered=has_answered)
    followers = [_follower(reminder, channel, at) for channel in open_ways]
    for follower in followers:
        follower.save(force_insert=True)
    return followers


def companions_of(reminder: Reminder, reach: Reach, *, has_answered: bool) -> list[Channel]:
    """Return the channels that follow a message: those of its step that are open, written, and not one too many."""
    if reminder.step.tone == Tone.SOLUTIONS and has_answered:
        return []
    wanted = [Channel(one) for one in reminder.step.companions if one != reminder.channel]
    return [channel for channel in wanted if reach.by(channel).is_open and _is_written(reminder, channel)]


@dataclass(frozen=True, slots=True)
class TextMessages:
    """How many text messages a set of reminders would send, each of one part, and what they would cost."""

    count: int
    cents: int | None
    """Rounded up to the cent; None while the firm has not said its price."""


def text_messages_of(reminders: Sequence[Reminder], cabinet: Cabinet) -> TextMessages:
    """Count the text messages these reminders are, or would bring along today; at the price the firm wrote down."""
    account = ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True).first()
    has_sms = cabinet.is_demo or account is not None
    answered = _answered_among(reminders)
    count = 0
    for one in reminders:
        reach = reach_of(one.client, one.contact or one.client, has_sms=has_sms)
        followers = companions_of(one, reach, has_answered=one.pk in answered)
        count += (one.channel, *followers).count(Channel.SMS)
    price = account.unit_price_thousandths if account is not None else None
    return TextMessages(count=count, cents=None if price is None else -(-count * price // 10))


def _follower(reminder: Reminder, channel: Channel, at: dt.datetime) -> Reminder:
    return Reminder(
        accompanies=reminder,
        client_id=reminder.client_id,
        contact_id=reminder.contact_id,
        client_kind=reminder.client_kind,
        language=reminder.language,
        step_id=reminder.step_id,
        rank=reminder.rank,
        channel=channel,
        # Whoever approved the step approved all of it.
        state=ReminderState.PLANNED if reminder.approved_at is None else ReminderState.APPROVED,
        approved_by_id=reminder.approved_by_id,
        approved_at=reminder.approved_at,
        seconded_by_id=reminder.seconded_by_id,
        seconded_at=reminder.seconded_at,
        reasons=reminder.reasons,
        night_id=reminder.night_id,
        on=reminder.on,
        depart_at=at,
        dossier_ids=reminder.dossier_ids,
        total_cents=reminder.total_cents,
    )


def _is_written(reminder: Reminder, channel: Channel) -> bool:
    return has_text(tone=reminder.step.tone, channel=channel)


def _reach(reminder: Reminder, cabinet: Cabinet) -> Reach:
    client: Client = reminder.client
    has_sms = cabinet.is_demo or ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True).exists()
    return reach_of(client, reminder.contact or client, has_sms=has_sms)


def _answered_among(reminders: Sequence[Reminder]) -> set[UUID]:
    """Return the reminders whose debtor ever answered, by a gesture or by a payment, about what they claim."""
    lines = ReminderLine.objects.filter(reminder__in=reminders, is_claimed=True)
    rows = list(lines.values_list("reminder_id", "invoice_id", "invoice__last_payment_at"))
    clients = {one.client_id for one in reminders}
    told = Standstill.objects.filter(kind__in=ANSWERS)
    said = told.filter(Q(client__in=clients) | Q(invoice__in={invoice for _, invoice, _ in rows}))
    spoken = {target for pair in said.values_list("client_id", "invoice_id") for target in pair}
    by_invoice = {reminder for reminder, invoice, paid in rows if paid is not None or invoice in spoken}
    return by_invoice | {one.pk for one in reminders if one.client_id in spoken}
