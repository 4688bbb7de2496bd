"""What follows in the wake of a message that has left: the channels that accompany its step, the same day."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

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
    has_answered = reminder.step.tone == Tone.SOLUTIONS and _has_answered(reminder)
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


def _has_answered(reminder: Reminder) -> bool:
    """Say whether the debtor ever answered, by a gesture or by a payment, about what the message claims."""
    lines = ReminderLine.objects.filter(reminder=reminder, is_claimed=True)
    rows: Sequence[tuple[UUID, object]] = list(lines.values_list("invoice_id", "invoice__last_payment_at"))
    if any(paid is not None for _, paid in rows):
        return True
    said = Standstill.objects.filter(kind__in=ANSWERS)
    return said.filter(client=reminder.client_id).exists() or said.filter(invoice__in=[one for one, _ in rows]).exists()
