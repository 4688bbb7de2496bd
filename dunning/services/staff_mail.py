"""Mails to the firm's own people: asked for once, sent by the platform's mail, tried again, never to a debtor."""

import datetime as dt
import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F, Q
from django.utils import timezone

from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from dunning.channels.protocol import DeliveryError, Outgoing
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from dunning.services.nights import SCHEDULER
from dunning.services.roads import Road, road_of
from templates_lib.email import Composed, Envelope, build_message

logger = logging.getLogger(__name__)

# An SMS to a person leaves by the firm's SMS account; everything else by the platform's mail.
BY_MAIL = (
    StaffMailKind.MORNING,
    StaffMailKind.MONTHLY,
    StaffMailKind.TEST,
    StaffMailKind.INSURER,
    StaffMailKind.TRIAL,
    StaffMailKind.DNS,
    StaffMailKind.PROCESSOR,
    StaffMailKind.INCIDENT,
)
NO_SERVER = "Aucun serveur d’envoi n’est réglé pour la plateforme."
# How long after it was asked each new try may come; once they are spent, the failure stays written and nobody retries.
TRY_AFTER = (dt.timedelta(0), dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=3))
# Longer than the mail server's own timeout: while one worker speaks, no other takes the same mail.
LEASE_SECONDS = 120
AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail along the firm's own road, as its clients' messages leave."""

    road: Road
    outgoing: Outgoing

    def send(self) -> None:
        """Hand it over; raise OSError when it was not taken."""
        try:
            with self.road.channel.open() as session:
                outcome = session.send(self.outgoing)
        except DeliveryError as error:
            raise ConnectionError("the server does not answer") from error
        if not outcome.is_accepted:
            raise ConnectionError("the server refused the message")


def queue(
    *, kind: StaffMailKind, member: Membership, key: str, subject: str, html: str, text: str, address: str | None = None
) -> bool:
    """Ask for one mail to one person; False when the same one (kind, person, key) was asked for already.

    With an address, it goes there in the person's name, and answers return to the person.
    """
    asked = StaffMail(kind=kind, member=member, key=key, subject=subject, html=html, text=text, address=address)
    # Nothing is told of a row that was not written: whether it stands is read, by its own id.
    StaffMail.objects.bulk_create([asked], ignore_conflicts=True)
    return StaffMail.objects.filter(pk=asked.pk).exists()


def due(*, now: dt.datetime) -> list[UUID]:
    """Return the mails to send or to try again now, as the scheduler sees them: ids and dates, no word."""
    ripe = Q()
    for tries, wait in enumerate(TRY_AFTER):
        ripe |= Q(attempts=tries, asked_at__lte=now - wait)
    rows = StaffMail.all_cabinets.using(SCHEDULER).filter(ripe, sent_at=None, kind__in=BY_MAIL)
    return list(rows.order_by("asked_at", "pk").values_list("pk", flat=True)[:AT_MOST])


def firm_of(*, mail_id: UUID) -> UUID | None:
    """Return the firm a mail belongs to, as the scheduler sees it; nothing for an id no mail bears."""
    return StaffMail.all_cabinets.using(SCHEDULER).filter(pk=mail_id).values_list("cabinet_id", flat=True).first()


def deliver(*, mail_id: UUID) -> bool:
    """Claim one mail and commit, speak with no transaction, record; False when it did not leave.

    A process killed between the server's answer and the record sends it again under the same Message-ID.
    """
    cabinet_id = firm_of(mail_id=mail_id)
    if cabinet_id is None or not cache.add(f"staff_mail:{mail_id}", 1, LEASE_SECONDS):
        return False
    try:
        with working_for(cabinet_id=cabinet_id, durable=True):
            message = _claim(mail_id)
        if message is None:
            return False
        failure = _say(message)
        with working_for(cabinet_id=cabinet_id, durable=True):
            _record(mail_id, failure)
        return not failure
    finally:
        cache.delete(f"staff_mail:{mail_id}")


def _claim(mail_id: UUID) -> EmailMultiAlternatives | Parcel | None:
    """Count the try, and write the message; nothing for one that left, or for somebody who is gone."""
    taken = StaffMail.objects.filter(pk=mail_id, sent_at=None, kind__in=BY_MAIL, attempts__lt=len(TRY_AFTER))
    if not taken.update(attempts=F("attempts") + 1):
        return None
    mail = StaffMail.objects.select_related("member__user").get(pk=mail_id)
    if not (mail.member.is_active and mail.member.user.is_active):
        taken = StaffMail.objects.filter(pk=mail_id)
        taken.update(attempts=len(TRY_AFTER), failure="La personne n’a plus accès au cabinet.")
        return None
    cabinet = Cabinet.objects.get()
    if mail.kind == StaffMailKind.TRIAL:
        return _parcel(mail, cabinet)
    connection = _road(cabinet)
    if connection is None:
        StaffMail.objects.filter(pk=mail_id).update(failure=NO_SERVER)
        return None
    host = settings.SITE_URL.rpartition("/")[2].partition(":")[0]
    headers = {"Message-ID": f"<{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"}
    mine = mail.member.user.email
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.address or mine],
        reply_to=[mine] if mail.address else None,
        headers=headers,
        connection=connection,
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _parcel(mail: StaffMail, cabinet: Cabinet) -> Parcel | None:
    """Write a trial exactly as a client's message: same address, same signature, same way."""
    road = road_of(cabinet)
    if road is None:
        StaffMail.objects.filter(pk=mail.pk).update(
            failure="Rien ne peut partir : aucune adresse d’envoi n’est réglée."
        )
        return None
    recipient = mail.member.user.email
    message_id = f"<{mail.pk}@{road.sender.address.rpartition('@')[2]}>"
    envelope = Envelope(
        sender_name=cabinet.name,
        sender_address=road.sender.address,
        recipient=recipient,
        reply_to=road.sender.reply_to or cabinet.email or road.sender.address,
        message_id=message_id,
        sent_at=timezone.now().astimezone(cabinet.zone),
    )
    message = build_message(Composed(subject=mail.subject, html=mail.html, text=mail.text), envelope)
    outgoing = road.sender.parcel(message=message.as_bytes(), recipient=recipient, message_id=message_id)
    return Parcel(road=road, outgoing=outgoing)


def _road(cabinet: Cabinet) -> BaseEmailBackend | None:
    """Return how a mail to this firm's people leaves: a demonstration's goes to the catcher and reaches nobody."""
    if not cabinet.is_demo:
        return get_connection() if settings.EMAIL_HOST else None
    host, _, port = settings.DEMO_CATCHER.rpartition(":")
    if not host:
        return None
    return get_connection(host=host, port=int(port), username="", password="", use_tls=False, use_ssl=False)


def _say(message: EmailMultiAlternatives | Parcel) -> str:
    """Hand a message to the server; return what failed, without a word of the message."""
    try:
        message.send()
    except OSError as error:  # every error of smtplib is one, as are those of the network
        logger.warning("staff_mail.not_sent", extra={"error": type(error).__name__})
        return type(error).__name__
    return ""


def _record(mail_id: UUID, failure: str) -> None:
    mine = StaffMail.objects.filter(pk=mail_id)
    mine.update(failure=failure) if failure else mine.update(sent_at=timezone.now(), failure="")
    logger.info("staff_mail.tried", extra={"mail_id": str(mail_id), "failure": failure})
