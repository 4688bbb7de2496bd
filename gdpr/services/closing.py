"""The end of a firm's account: sending stops at once, thirty days to change one's mind, then everything is erased.

What the firm entrusted is given back by its archive, then erased (GDPR art. 28-3-g); the vouchers the law keeps ten
years are the firm's to keep, in that archive. Erasure takes the road of ADR 21: rows emptied, keys destroyed.
"""

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice

from cabinets import journal
from cabinets.enums import KeyPurpose, Right
from cabinets.models import Cabinet, DataKey, Membership, PasskeyDevice, TotpDevice, User
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.sealing import forget_keys, make_keys
from cabinets.services import sign_in, subscription
from cabinets.wall import walled_models
from dunning.enums import JobState
from dunning.models import ChannelAccount, DocumentJob, EvidenceEntry, Mailbox, MailServer, Reminder, SendingDomain
from dunning.services import evidence
from gdpr.enums import CopyState, Ending
from gdpr.errors import GdprError
from gdpr.inventory import HOLDINGS, Holding
from gdpr.models import Closing, FirmCopy
from gdpr.services.emptying import let_go_with_firm, model_of
from gdpr.terms import CLOSING_DAYS
from payments.enums import LineState, MandateEnd
from payments.models import BankLine, PaymentLink, PlanMessage, ProviderAccount
from payments.services import mandates

# What proves that an account was closed: whose it was.
PROVING: Mapping[str, tuple[str, ...]] = {"cabinets.Cabinet": ("name",)}
SCHEDULER, OPERATOR = "scheduler", "operator"
# Read to the firm before it closes and after: what stays once everything else is erased.
KEPT = (
    "le journal des accès, par mois entiers, douze mois au plus (CNIL, délibération 2021-122)",
    "les empreintes de la chaîne de preuves, qui ne permettent de retrouver personne",
    "les textes publiés des messages, qui ne nomment aucun client",
    "des montants, des dates et des états, sans aucun nom",
    "le nom du cabinet et le jour de la clôture, qui prouvent l’effacement (RGPD, art. 5-2)",
)


@transaction.atomic
def ask(*, by: Membership, name: str) -> Closing:
    """Begin the closing: nothing leaves from this instant; the name typed is the firm's, or nothing is done."""
    ensure(by, Right.LEAVE)
    cabinet = Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
    if _plain(name) != _plain(cabinet.name):
        raise GdprError("Ce n’est pas le nom du cabinet. Rien n’a été clos.")
    if pending() is not None:
        raise GdprError("La clôture est déjà demandée. Rien n’a été changé.")
    now = timezone.now()
    closing = Closing(asked_by=by, asked_at=now, due_on=_real_day(cabinet) + dt.timedelta(days=CLOSING_DAYS))
    closing.save(force_insert=True)
    if cabinet.subscription_suspended_at is not None:
        # Silenced before there were subscriptions: its own row keeps it silent once the closing is taken back.
        subscription.begin_trial(on=cabinet.today())
    # Its own instant, so that a subscription that is paid meanwhile does not give the firm its voice back.
    Cabinet.objects.filter(pk=cabinet.pk).update(subscription_suspended_at=now)
    mandates.end_every(by=MandateEnd.FIRM)
    journal.record("closing.asked", closing, due_on=closing.due_on.isoformat())
    return closing


@transaction.atomic
def take_back(*, by: Membership) -> Closing:
    """Give the account its life back; what waited is examined again before it leaves."""
    ensure(by, Right.LEAVE)
    closing = pending()
    if closing is None:
        raise GdprError("Aucune clôture n’est en cours. Rien n’a été changé.")
    left = Closing.objects.filter(pk=closing.pk, withdrawn_at=None, erased_at=None)
    if left.update(withdrawn_at=timezone.now(), withdrawn_by=by) != 1:
        raise GdprError("Cette clôture n’est plus à reprendre. Rien n’a été changé.")
    Cabinet.objects.filter(subscription_suspended_at=closing.asked_at).update(subscription_suspended_at=None)
    # One that is over, or unpaid, silences the firm as it would have.
    subscription.settle(cabinet=Cabinet.objects.get())
    journal.record("closing.taken_back", closing)
    return closing


def pending() -> Closing | None:
    """Return the closing under way in the firm acted for."""
    return Closing.objects.filter(withdrawn_at=None, erased_at=None).first()


def firms_due(*, now: dt.datetime) -> list[UUID]:
    """Return the firms whose days are over, as the scheduler sees them; a day late rather than an hour early."""
    rows = Closing.all_cabinets.using(SCHEDULER).filter(withdrawn_at=None, erased_at=None)
    over = rows.filter(due_on__lt=now.astimezone(dt.UTC).date())
    return list(over.order_by("cabinet_id").values_list("cabinet_id", flat=True))


def erase(*, cabinet_id: UUID) -> Counter[str]:
    """Erase a firm whose days are over; stopped half-way, the next night goes on where it was.

    Call it outside any transaction: each table is committed on its own, the keys go with the last one.
    """
    counts: Counter[str] = Counter()
    with acting_for(cabinet_id=cabinet_id):
        if not _begin():
            return counts
        for holding in _of_the_firm():
            with tenant_atomic():
                counts[holding.model] += let_go_with_firm(holding, but=PROVING.get(holding.model, ()))
        with tenant_atomic():
            _let_people_go(cabinet_id)
        with tenant_atomic(durable=True):
            _end(counts)
    shutil.rmtree(Path(settings.MEDIA_ROOT) / str(cabinet_id), ignore_errors=True)
    return counts


def _begin() -> bool:
    """Close every door of the firm and make the key under which emptied rows will still open; False when not due."""
    with tenant_atomic(durable=True):
        closing = pending()
        if closing is None or closing.due_on >= timezone.now().astimezone(dt.UTC).date():
            return False
        now = timezone.now()
        PaymentLink.objects.filter(revoked_at=None).update(revoked_at=now)
        for accounts in (ProviderAccount, ChannelAccount):
            accounts.objects.filter(is_enabled=True).update(is_enabled=False)
        for servers in (MailServer, Mailbox, SendingDomain):
            servers.objects.all().delete()
        # Nothing is looked for, nor made, among rows that are about to say nothing.
        BankLine.objects.filter(state=LineState.UNMATCHED).update(state=LineState.IGNORED)
        DocumentJob.objects.filter(state=JobState.ASKED).update(state=JobState.FAILED)
        FirmCopy.objects.exclude(state=CopyState.GONE).update(state=CopyState.GONE)
        _tell_the_chain()
        DataKey.objects.filter(purpose=KeyPurpose.FIRM, is_active=True).update(is_active=False)
        make_keys(purpose=KeyPurpose.FIRM, subject_ids=[None])
    return True


def _tell_the_chain() -> None:
    """Write in the chain, client by client, that their messages were emptied: their links still hold."""
    told = EvidenceEntry.objects.filter(event=evidence.EMPTIED).values("client_id")
    known = EvidenceEntry.objects.filter(client_id__isnull=False).exclude(client_id__in=told)
    for client_id in known.order_by("client_id").values_list("client_id", flat=True).distinct():
        messages = sum(table.objects.filter(client_id=client_id).count() for table in (Reminder, PlanMessage))
        evidence.append_emptied(client_id=client_id, messages=messages)


def _of_the_firm() -> list[Holding]:
    """Return the tables to empty, the client and the firm last: what leads to them is read first."""
    walled = set(walled_models())
    last = ("cabinets.Client", "cabinets.Cabinet")
    found = [one for one in HOLDINGS if model_of(one) in walled and one.ending is not Ending.KEEP_TRACE]
    found = [one for one in found if one.model != "cabinets.JournalEntry"]
    return sorted(found, key=lambda one: last.index(one.model) + 1 if one.model in last else 0)


def _let_people_go(cabinet_id: UUID) -> None:
    """Shut the firm to its members; those who belong to no other firm and run nothing here are forgotten."""
    people = set(Membership.objects.values_list("user_id", flat=True))
    elsewhere = Membership.all_cabinets.using(OPERATOR).filter(user_id__in=people).exclude(cabinet_id=cabinet_id)
    stay = set(elsewhere.values_list("user_id", flat=True))
    Membership.objects.filter(is_active=True).update(is_active=False)
    for person in User.objects.filter(pk__in=people).order_by("pk"):
        sign_in.end_sessions(user=person)
        if person.pk not in stay and not person.is_staff:
            _forget(person)


def _end(counts: Counter[str]) -> None:
    """Destroy every key but the one that opens what was emptied, and say that it is done."""
    closing = pending()
    if closing is None:
        return
    gone = DataKey.objects.exclude(purpose=KeyPurpose.FIRM, is_active=True).delete()[0]
    counts["cabinets.DataKey"] = gone
    forget_keys()
    told = {name: count for name, count in counts.items() if count}
    Cabinet.objects.update(activated_on=None)
    Closing.objects.filter(pk=closing.pk).update(erased_at=timezone.now(), counts=told)
    journal.record("closing.erased", closing, rows=sum(told.values()))


def _forget(person: User) -> None:
    """Leave of a person an account that names nobody and opens nothing."""
    TotpDevice.objects.filter(user=person).delete()
    PasskeyDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    person.email, person.first_name, person.last_name = f"{person.pk.hex}@clos.invalid", "", ""
    person.password, person.is_active = make_password(None), False
    person.save(update_fields=["email", "first_name", "last_name", "password", "is_active"])


def _real_day(cabinet: Cabinet) -> dt.date:
    """Return the real day where the firm is: a demonstration's own clock closes nothing."""
    return timezone.now().astimezone(cabinet.zone).date()


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
