"""What a link's reader asks to be sent: a code or a fresh link, to the address the firm knows and to no other.

Whoever asks reads the same answer whether such an address exists or not.
"""

import datetime as dt
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cabinets import journal
from cabinets.addresses import find_phone
from cabinets.models import Cabinet, Client, Contact
from cabinets.scoping import working_for
from payments.enums import LinkMedium, LinkMessageKind
from payments.links import code_for
from payments.models import LinkMessage, PaymentLink
from payments.ports import courier
from payments.services import links
from templates_lib.gsm7 import SMS_SEPTETS, septets
from templates_lib.sms import short_names, to_gsm7

CODE_LIFE = dt.timedelta(minutes=10)
CODE_TRIES = 5
AN_HOUR = dt.timedelta(hours=1)
MOST_AN_HOUR = 3
SUBJECTS = {
    LinkMessageKind.CODE: "Votre code d’accès",
    LinkMessageKind.FRESH_LINK: "Votre nouveau lien",
    LinkMessageKind.ANSWER: "Réponse à votre demande",
    LinkMessageKind.EXTENDED: "Délai prolongé pour votre demande",
    LinkMessageKind.LAST: "Suite donnée à votre demande",
}
FOLDED_PURPOSE = "payments.fresh-link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A message ready to be wrapped by its channel."""

    medium: LinkMedium
    recipient: str
    subject: str
    html: str
    text: str


@transaction.atomic
def ask_code(*, link: PaymentLink) -> bool:
    """Ask for a code to the link's addressee; False, and nothing asked, after three within an hour."""
    PaymentLink.objects.select_for_update(no_key=True).get(pk=link.pk)
    if _is_spent(link, LinkMessageKind.CODE):
        return False
    ways = ways_to(link)
    # Written even when nobody can be reached: the answer takes the same time, and the sending says why.
    _ask(link, LinkMessageKind.CODE, next(iter(ways), LinkMedium.NONE))
    return True


@transaction.atomic
def check_code(*, link: PaymentLink, typed: str) -> bool:
    """Say whether these are the digits of the last code, tried five times within ten minutes and used once."""
    row = (
        LinkMessage.objects.select_for_update(of=("self",))
        .filter(link=link, kind=LinkMessageKind.CODE, asked_at__gt=timezone.now() - CODE_LIFE)
        .order_by("-asked_at")
        .first()
    )
    if row is None or row.used_at is not None or row.tries >= CODE_TRIES:
        return False
    is_right = constant_time_compare("".join(typed.split()), code_for(row.pk, settings.LINK_KEY))
    row.tries, row.used_at = row.tries + 1, timezone.now() if is_right else None
    row.save(update_fields=["tries", "used_at"])
    journal.record("paymentlink.code_accepted" if is_right else "paymentlink.code_refused", link)
    return is_right


def ask_fresh_link(*, digest: bytes, answer: str) -> bool:
    """Ask for a fresh link to the addressee of a token known by its hash, when `answer` is their address folded.

    False, and nothing asked, for a hash that is nobody's, another address, or three within an hour.
    """
    found = links.find_hash(digest=digest)
    if found is None:
        return False
    link_id, cabinet_id = found
    with working_for(cabinet_id=cabinet_id):
        link = PaymentLink.objects.select_for_update(of=("self",), no_key=True).get(pk=link_id)
        ways = ways_to(link)
        medium = next((one for one, known in ways.items() if hmac.compare_digest(folded(known), answer)), None)
        if medium is None or _is_spent(link, LinkMessageKind.FRESH_LINK):
            return False
        fresh = links.reopen(link_id=link_id, on=Cabinet.objects.get().today())
        _ask(fresh, LinkMessageKind.FRESH_LINK, medium)
    return True


def tell_answered(*, link: PaymentLink) -> None:
    """Tell a link's addressee that the firm answered what they asked about their data; where, and nothing of it."""
    if ways := ways_to(link):
        _ask(link, LinkMessageKind.ANSWER, next(iter(ways)))


def tell_extended(*, link: PaymentLink) -> None:
    """Tell a link's addressee that the answer about their data will take longer; where the reason is read."""
    if ways := ways_to(link):
        _ask(link, LinkMessageKind.EXTENDED, next(iter(ways)))


def tell_last(*, link: PaymentLink, ways: Mapping[LinkMedium, str]) -> None:
    """Tell whoever was reached these ways, and no longer is, that their answer waits on the link's own page.

    The address goes with the message, and is forgotten as soon as it left or may no longer.
    """
    medium, recipient = next(iter(ways.items()))
    _ask(link, LinkMessageKind.LAST, medium, recipient=recipient)


def folded(address: str) -> str:
    """Return what a queue may carry of an address or a number: enough to recognise it, nothing to read it by."""
    text = "".join(address.split()).lower()
    plain = text if "@" in text else find_phone(text) or ""
    return hmac.new(settings.LINK_KEY.encode(), f"{FOLDED_PURPOSE}|{plain}".encode(), "sha256").hexdigest()


def ways_to(link: PaymentLink) -> dict[LinkMedium, str]:
    """Return where a link's addressee may be written to, the e-mail first; nothing once they said it is not them."""
    client: Client = link.client
    whom: Client | Contact = link.contact or client
    is_archived = isinstance(whom, Contact) and whom.is_archived
    if is_archived or whom.email_stopped_at is not None:
        return {}
    ways = {}
    if whom.has_email and whom.email_refused_at is None:
        ways[LinkMedium.EMAIL] = str(whom.email)
    if whom.has_mobile and whom.mobile_refused_at is None and client.accepts_sms:
        ways[LinkMedium.SMS] = str(whom.phone)
    # A contact emptied with their client keeps the mark of an address.
    return {medium: known for medium, known in ways.items() if known}


def write(*, message: LinkMessage, cabinet: Cabinet) -> Note | None:
    """Write a message for the address known now; None when nobody can be written to any more, or too late."""
    recipient = message.recipient or ways_to(message.link).get(LinkMedium(message.medium), "")
    is_code = message.kind == LinkMessageKind.CODE
    if not recipient or (is_code and message.asked_at <= timezone.now() - CODE_LIFE):
        return None
    if not is_code and not links.is_alive(message.link, on=cabinet.today()):
        return None
    is_sms = message.medium == LinkMedium.SMS
    values = {
        "firm": cabinet,
        "is_code": is_code,
        "is_fresh_link": message.kind == LinkMessageKind.FRESH_LINK,
        "is_extended": message.kind == LinkMessageKind.EXTENDED,
        "is_last": message.kind == LinkMessageKind.LAST,
        "code": code_for(message.pk, settings.LINK_KEY) if is_code else "",
        "url": "" if is_code else (links.short_url_of if is_sms else links.url_of)(message.link),
        "minutes": CODE_LIFE // dt.timedelta(minutes=1),
    }
    subject = f"{SUBJECTS[LinkMessageKind(message.kind)]} – {cabinet.name}"
    if is_sms:
        text, html = _in_one_part(values), ""
    else:
        text = render_to_string("payments/emails/email.txt", values).strip() + "\n"
        html = render_to_string("payments/emails/email.html", {**values, "subject": subject})
    return Note(medium=LinkMedium(message.medium), recipient=recipient, subject=subject, html=html, text=text)


def _in_one_part(values: dict[str, object]) -> str:
    """Write a text message of one part: the firm's name gives way before the code or the link does."""
    firm: Cabinet = values["firm"]  # type: ignore[assignment]  # the one `write` puts there
    said = ""
    for name in short_names(to_gsm7(firm.name)):
        said = to_gsm7(render_to_string("payments/emails/sms.txt", {**values, "name": name}).strip())
        if septets(said) <= SMS_SEPTETS:
            break
    return said


def _is_spent(link: PaymentLink, kind: LinkMessageKind) -> bool:
    since = timezone.now() - AN_HOUR
    lately = LinkMessage.objects.filter(
        link__client=link.client_id, link__contact=link.contact_id, kind=kind, asked_at__gt=since
    )
    return lately.count() >= MOST_AN_HOUR


def _ask(link: PaymentLink, kind: LinkMessageKind, medium: LinkMedium, *, recipient: str = "") -> UUID:
    message = LinkMessage(
        link=link, client_id=link.client_id, kind=kind, medium=medium, recipient=recipient, asked_at=timezone.now()
    )
    message.save(force_insert=True)
    journal.record("paymentlink.message_asked", link, kind=kind.value)
    # The sweep carries what this call loses.
    transaction.on_commit(partial(courier().hurry, message_id=message.pk), robust=True)
    return message.pk
