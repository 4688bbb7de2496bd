"""A debtor's way in: made when a message needs it, found by its hash, ended by a date or by a person."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import LegalAid
from cabinets.models import Client, Contact
from cabinets.scoping import whole_firm, working_for
from invoices.enums import InvoiceState
from invoices.models import Invoice
from payments.enums import RequestKind, RequestState
from payments.links import hash_of, short_of, token_for
from payments.models import DebtorRequest, PaymentLink

# Once nothing is owed, the link still shows what was paid and the firm's answers.
READ_ONLY_DAYS = 60
# How long an answer about somebody's data, and the copy it may hand over, wait to be read.
ANSWER_DAYS = 90
SHORT_LIFE = dt.timedelta(days=30)

# Full legal aid: no fee may be asked at all (law.md R32). The other states say the firm no longer asks.
_NEVER_SHOWN = (InvoiceState.DRAFT, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED)


@transaction.atomic
def link_for(*, client: Client, contact: Contact | None = None) -> PaymentLink:
    """Return the one live link of an addressee (no contact: the client), and make it the first time."""
    live = PaymentLink.objects.filter(client=client, contact=contact, revoked_at=None)
    with whole_firm():
        if (link := live.first()) is not None:
            return link
        link = PaymentLink(client=client, contact=contact)
        link.token_hash = hash_of(_token(link))
        try:
            with transaction.atomic():
                link.save(force_insert=True)
        except IntegrityError:
            return live.get()  # made at the same moment by somebody else
    journal.record("paymentlink.created", link)
    return link


def url_of(link: PaymentLink) -> str:
    """Return the address of a link, as written in a message."""
    return f"{settings.SITE_URL}/p/{_token(link)}/"


@transaction.atomic
def short_url_of(link: PaymentLink) -> str:
    """Return the short address of a link, for a text message: it leads to the same page for thirty days from now."""
    short = short_of(_token(link))
    link.short_hash, link.short_at = hash_of(short), timezone.now()
    link.save(update_fields=["short_hash", "short_at"])
    return f"{settings.SITE_URL}/s/{short}/"


def hashes_of(link: PaymentLink) -> tuple[bytes, bytes | None]:
    """Return what the database keeps of a link's token and of its short one, under the key of this installation."""
    token = _token(link)
    return hash_of(token), None if link.short_at is None else hash_of(short_of(token))


def unfold(*, short: str) -> str | None:
    """Return the token a short address stands for, before any firm is acted for; None when it opens nothing."""
    row = _find("short", hash_of(short))
    if row is None:
        return None
    link_id, cabinet_id = row
    with working_for(cabinet_id=cabinet_id):
        link = PaymentLink.objects.select_related("cabinet").filter(pk=link_id, revoked_at=None).first()
        if link is None:
            return None
        is_old = (link.short_at or link.created_at) < timezone.now() - SHORT_LIFE
        # It may be all that is left to whoever asked about their data, and had no address but a telephone.
        if is_old and not _has_answer_waiting(link, on=link.cabinet.today()):
            return None
        return _token(link)


@transaction.atomic
def revoke(*, link_id: UUID) -> PaymentLink:
    """End a link at once; revoking again changes nothing."""
    ended = PaymentLink.objects.filter(pk=link_id, revoked_at=None).update(revoked_at=timezone.now())
    link = PaymentLink.objects.get(pk=link_id)
    if ended:
        journal.record("paymentlink.revoked", link)
    return link


@transaction.atomic
def renew(*, link_id: UUID) -> PaymentLink:
    """Give a live link a new token; the former opens nothing, and the new one leaves in messages only."""
    link = PaymentLink.objects.select_for_update().get(pk=link_id, revoked_at=None)
    link.version += 1
    link.token_hash, link.short_hash, link.short_at = hash_of(_token(link)), None, None
    link.save(update_fields=["version", "token_hash", "short_hash", "short_at"])
    journal.record("paymentlink.renewed", link)
    return link


@transaction.atomic
def reopen(*, link_id: UUID, on: dt.date) -> PaymentLink:
    """Return the addressee's live link, made anew in the place of one that ended; nothing owed, it is for reading."""
    link = PaymentLink.objects.select_related("client", "contact").get(pk=link_id)
    live = PaymentLink.objects.filter(client=link.client_id, contact=link.contact_id, revoked_at=None).first()
    if live is not None and is_alive(live, on=on):
        return live
    if live is not None:
        revoke(link_id=live.pk)
    fresh = link_for(client=link.client, contact=link.contact)
    if not owed_through(fresh).exists():
        fresh.settled_on = on
        fresh.save(update_fields=["settled_on"])
    return fresh


def find(*, token: str) -> tuple[UUID, UUID] | None:
    """Return the link a token opens and its firm, before any firm is acted for; None when it opens nothing."""
    return _find("link", hash_of(token))


def find_hash(*, digest: bytes) -> tuple[UUID, UUID] | None:
    """Return the link whose token, long or short, has this hash, dead or alive, and its firm."""
    return _find("link", digest) or _find("short", digest)


def _find(kind: str, digest: bytes) -> tuple[UUID, UUID] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_id, cabinet_id FROM quittance_token(%s, %s)", [kind, digest])
        row = cursor.fetchone()
    return None if row is None else (UUID(str(row[0])), UUID(str(row[1])))


def opened_by(link: PaymentLink) -> QuerySet[Invoice]:
    """Return the invoices a link shows: those billed to its addressee, and to nobody else."""
    return (
        Invoice.objects.filter(client=link.client_id, dossier__billing_contact=link.contact_id)
        .exclude(state__in=_NEVER_SHOWN)
        .exclude(dossier__legal_aid=LegalAid.TOTAL)
    )


def owed_through(link: PaymentLink) -> QuerySet[Invoice]:
    """Return the invoices of a link on which something is still owed, the oldest first."""
    return Invoice.objects.open().filter(pk__in=opened_by(link)).order_by("due_on", "number_key")


def is_alive(link: PaymentLink, *, on: dt.date) -> bool:
    """Say whether a link opens on this day: while money is owed, then 60 days; longer for an answer about data."""
    if link.revoked_at is not None:
        return False
    if link.settled_on is None or on <= link.settled_on + dt.timedelta(days=READ_ONLY_DAYS):
        return True
    return owed_through(link).exists() or _has_answer_waiting(link, on=on)


def read_until(link: PaymentLink) -> dt.date | None:
    """Return the last day a link opens on which nothing is owed; None while it is not known."""
    if link.settled_on is None or _open_on_data(link).exists():
        return None
    settled = link.settled_on + dt.timedelta(days=READ_ONLY_DAYS)
    return max(settled, _answer_read_until(link) or settled)


def _has_answer_waiting(link: PaymentLink, *, on: dt.date) -> bool:
    """Say whether its author asked something about their data that is not answered, or may still read the answer."""
    if _open_on_data(link).exists():
        return True
    until = _answer_read_until(link)
    return until is not None and on <= until


def _open_on_data(link: PaymentLink) -> QuerySet[DebtorRequest]:
    return DebtorRequest.objects.filter(link=link, kind=RequestKind.DATA, state=RequestState.OPEN)


def _answer_read_until(link: PaymentLink) -> dt.date | None:
    asked = DebtorRequest.objects.filter(link=link, kind=RequestKind.DATA)
    last: dt.datetime | None = asked.aggregate(last=Max("answered_at"))["last"]
    return None if last is None else last.astimezone(link.cabinet.zone).date() + dt.timedelta(days=ANSWER_DAYS)


@transaction.atomic
def note_settled(*, on: dt.date) -> int:
    """Note on each live link of the firm since when nothing is owed, or that something is again; return how many."""
    owed = Invoice.objects.open().exclude(dossier__legal_aid=LegalAid.TOTAL).filter(client=OuterRef("client"))
    owes = Q(Exists(owed.filter(dossier__billing_contact=OuterRef("contact")))) | Q(
        Exists(owed.filter(dossier__billing_contact=None)), contact=None
    )
    live = PaymentLink.objects.filter(revoked_at=None)
    with whole_firm():
        return (
            live.filter(~owes, settled_on=None).update(settled_on=on)
            + live.filter(owes, settled_on__isnull=False).update(settled_on=None)
        )  # fmt: skip


def _token(link: PaymentLink) -> str:
    return token_for(link.pk, link.version, settings.LINK_KEY)
