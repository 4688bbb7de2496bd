"""Carry what a link's reader asked for: claimed and committed, said by the firm's own roads, recorded.

It answers a request a person has just made: neither the hours of reminders nor their caps hold it back, and a code
that could not leave in time is dropped.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from uuid import UUID

import css_inline
from django.core.cache import cache
from django.db.models import F, Q
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, working_for
from dunning.channels.protocol import DeliveryError, Outcome, Stage, Verdict
from dunning.channels.sms import OutgoingSms, SmsChannel
from dunning.services import sms_accounts
from dunning.services.nights import SCHEDULER
from dunning.services.roads import Road, road_of
from payments.enums import LinkMedium
from payments.models import LinkMessage
from payments.services import link_messages
from payments.services.link_messages import Note
from templates_lib.email import Composed, Envelope, build_message
from templates_lib.errors import TextError

logger = logging.getLogger(__name__)

# How long after it was asked each new try may come.
TRY_AFTER = (dt.timedelta(0), dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30))
LEASE_SECONDS = 120
AT_MOST = 500
NO_ROAD = Outcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text="Aucun envoi n’est réglé.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message, and the roads of its firm."""

    message_id: UUID
    note: Note
    cabinet: Cabinet
    mail: Road | None
    phone: tuple[SmsChannel, str] | None


def due(*, now: dt.datetime) -> list[UUID]:
    """Return the messages to send or to try again now, as the scheduler sees them: ids and instants, no word."""
    ripe = Q()
    for tries, wait in enumerate(TRY_AFTER):
        ripe |= Q(attempts=tries, asked_at__lte=now - wait)
    rows = LinkMessage.all_cabinets.using(SCHEDULER).filter(ripe, sent_at=None)
    return list(rows.order_by("asked_at", "pk").values_list("pk", flat=True)[:AT_MOST])


def deliver(*, message_id: UUID) -> bool:
    """Claim one message and commit, speak with no transaction, record; False when it did not leave."""
    rows = LinkMessage.all_cabinets.using(SCHEDULER).filter(pk=message_id)
    cabinet_id = rows.values_list("cabinet_id", flat=True).first()
    if cabinet_id is None or not cache.add(f"link_message:{message_id}", 1, LEASE_SECONDS):
        return False
    try:
        with working_for(cabinet_id=cabinet_id, durable=True):
            parcel = _claim(message_id)
        if parcel is None:
            return False
        outcome = _say(parcel)
        with working_for(cabinet_id=cabinet_id, durable=True):
            _record(message_id, outcome)
        return outcome.is_accepted
    finally:
        cache.delete(f"link_message:{message_id}")


def _claim(message_id: UUID) -> Parcel | None:
    """Count the try, and write the message; nothing for one that left, came too late, or reaches nobody."""
    waiting = LinkMessage.objects.filter(pk=message_id, sent_at=None, attempts__lt=len(TRY_AFTER))
    if not waiting.update(attempts=F("attempts") + 1):
        return None
    message = LinkMessage.objects.select_related("link__client", "link__contact").get(pk=message_id)
    cabinet = Cabinet.objects.get()
    note = link_messages.write(message=message, cabinet=cabinet)
    if note is None:
        _give_up(message_id, "Trop tard, ou plus aucune adresse à qui écrire.")
        return None
    # Nothing is tried after this one: the address is not needed whatever becomes of it.
    LinkMessage.objects.filter(pk=message_id, attempts=len(TRY_AFTER)).update(recipient=None)
    return Parcel(
        message_id=message_id,
        note=note,
        cabinet=cabinet,
        mail=road_of(cabinet),
        phone=sms_accounts.sms_road(cabinet),
    )


def _say(parcel: Parcel) -> Outcome:
    try:
        return _text(parcel) if parcel.note.medium == LinkMedium.SMS else _mail(parcel)
    except DeliveryError as error:
        verdict = Verdict.REJECTED if error.permanent else Verdict.POSTPONED
        return Outcome(verdict=verdict, stage=Stage.CONNECT, text=type(error).__name__)
    except TextError as error:
        return Outcome(verdict=Verdict.REJECTED, stage=Stage.CONTENT, text=type(error).__name__)


def _mail(parcel: Parcel) -> Outcome:
    road, note, cabinet = parcel.mail, parcel.note, parcel.cabinet
    if road is None:
        return NO_ROAD
    message_id = f"<{parcel.message_id}@{road.sender.address.rpartition('@')[2]}>"
    envelope = Envelope(
        sender_name=cabinet.name,
        sender_address=road.sender.address,
        recipient=note.recipient,
        reply_to=road.sender.reply_to or cabinet.email or road.sender.address,
        message_id=message_id,
        sent_at=timezone.now().astimezone(cabinet.zone),
    )
    html = css_inline.CSSInliner(load_remote_stylesheets=False).inline(note.html)
    message = build_message(Composed(subject=note.subject, html=html, text=note.text), envelope)
    with road.channel.open() as session:
        return session.send(
            road.sender.parcel(message=message.as_bytes(), recipient=note.recipient, message_id=message_id)
        )


def _text(parcel: Parcel) -> Outcome:
    if parcel.phone is None:
        return NO_ROAD
    channel, sender = parcel.phone
    # The catcher of a demonstration writes where the firm's rows are.
    with acting_for(cabinet_id=parcel.cabinet.pk):
        return channel.send(
            OutgoingSms(
                to=parcel.note.recipient, sender=sender, text=parcel.note.text, reference=str(parcel.message_id)
            )
        )


def _record(message_id: UUID, outcome: Outcome) -> None:
    """Keep what became of a message: what may have left is not said again, what was refused is given up."""
    mine = LinkMessage.objects.filter(pk=message_id)
    if outcome.verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN}:
        failure = "" if outcome.is_accepted else "Issue incertaine."
        mine.update(sent_at=timezone.now(), failure=failure, recipient=None)
    elif outcome.is_permanent:
        _give_up(message_id, f"Refusé ({outcome.stage.value} {outcome.code or ''})".strip())
    else:
        mine.update(failure=f"Reporté ({outcome.stage.value})")
    logger.info("link_message.tried", extra={"message_id": str(message_id), "verdict": outcome.verdict.value})


def _give_up(message_id: UUID, failure: str) -> None:
    LinkMessage.objects.filter(pk=message_id).update(attempts=len(TRY_AFTER), failure=failure, recipient=None)
