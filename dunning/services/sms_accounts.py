"""A firm's contract with a provider of text messages: kept sealed, tried, switched on once it may be, and its road."""

import hashlib
import json
import secrets as random
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskKind
from cabinets.errors import InputError
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import clients
from cabinets.services.transfers import ensure_covered
from dunning.channels.ovh_sms import PROFILE as OVH
from dunning.channels.ovh_sms import OvhSms
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.sms import Delivery, OutgoingSms, SmsChannel, SmsOutcome, SmsProfile, SmsReceipt
from dunning.channels.twilio import PROFILE as TWILIO
from dunning.channels.twilio import TwilioSms
from dunning.enums import Channel, Medium, ReminderState
from dunning.models import ChannelAccount, DunningCase, Reminder, ReminderLine, SmsCatch
from dunning.services import outcomes
from dunning.services.evidence import append_message
from dunning.services.ladder import schedule
from dunning.services.nights import SCHEDULER
from templates_lib.lint import lint_sender

PROFILES: dict[str, SmsProfile] = {profile.slug: profile for profile in (OVH, TWILIO)}
HOOK_BYTES = 24
POLLED_AT_MOST = 200
_KEPT = (
    *("sender", "options", "secrets", "hook_hash", "unit_price_thousandths", "changed_by", "failure", "checked_at"),
)


class Catcher:
    """The road of a demonstration: its text messages reach a table, and nobody else."""

    slug = "catcher"

    def send(self, outgoing: OutgoingSms) -> SmsOutcome:
        """Keep the message; the same reference is kept once."""
        with tenant_atomic():
            row = SmsCatch(
                reference=outgoing.reference,
                recipient=outgoing.to,
                sender=outgoing.sender,
                text=outgoing.text,
                at=timezone.now(),
            )
            if not SmsCatch.objects.filter(reference=outgoing.reference).exists():
                row.save(force_insert=True)
        return SmsOutcome(verdict=Verdict.ACCEPTED, stage=Stage.END, reference=outgoing.reference)

    def receipt(self, reference: str) -> SmsReceipt | None:
        """Nothing is announced of what went nowhere."""
        return None

    def check(self) -> None:
        """A table always answers."""


def sms_road(cabinet: Cabinet) -> tuple[SmsChannel, str] | None:
    """Return how a firm's text messages leave, and the name they bear; nothing while no provider is in service."""
    if cabinet.is_demo:
        return Catcher(), default_sender(cabinet)
    account = ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True).first()
    return None if account is None else (channel_of(account), account.sender)


def channel_of(account: ChannelAccount) -> SmsChannel:
    """Return the provider of an account, ready to speak."""
    secrets: dict[str, str] = json.loads(account.secrets or "{}")
    base_url = settings.SMS_BASE_URLS.get(account.provider, "")
    if account.provider == TWILIO.slug:
        callback = f"{settings.SITE_URL}/retours/sms/{secrets['hook']}/" if secrets.get("hook") else ""
        return TwilioSms(options=account.options, secrets=secrets, callback_url=callback, base_url=base_url)
    return OvhSms(options=account.options, secrets=secrets, base_url=base_url)


def default_sender(cabinet: Cabinet) -> str:
    """Return a name of eleven letters at most a text message may bear, made from the firm's."""
    plain = "".join(char for char in cabinet.name if char.isascii() and char.isalnum())
    return plain[:11] or "Cabinet"


@transaction.atomic
def keep(
    *,
    provider: str,
    sender: str,
    options: Mapping[str, str],
    secrets: Mapping[str, str],
    unit_price_thousandths: int | None,
    by: Membership,
) -> ChannelAccount:
    """Keep a firm's contract; an empty secret keeps the one known. It speaks for nobody until it is switched on."""
    ensure(by, Right.MANAGE_FIRM)
    if faults := lint_sender(sender):
        raise InputError(str(faults[0]), field="sender")
    account = ChannelAccount.objects.filter(medium=Medium.SMS, provider=provider).first()
    known: dict[str, str] = json.loads(account.secrets or "{}") if account else {}
    account = account or ChannelAccount(medium=Medium.SMS, provider=provider)
    hook = known.get("hook") or random.token_urlsafe(HOOK_BYTES)
    account.sender, account.options = sender, dict(options)
    account.secrets = json.dumps({**known, **{name: value for name, value in secrets.items() if value}, "hook": hook})
    account.hook_hash, account.unit_price_thousandths = _digest(hook), unit_price_thousandths
    account.changed_by, account.failure, account.checked_at = by, "", None
    if account._state.adding:
        account.save(force_insert=True)
    else:
        account.save(update_fields=[*_KEPT, "changed_at"])
    journal.record("sms_account.changed", account, provider=provider)
    return account


@transaction.atomic
def switch(*, account_id: UUID, to: bool, by: Membership) -> ChannelAccount:
    """Put a provider in service, or out of it; outside the Union it needs its transfer record first (R66)."""
    ensure(by, Right.MANAGE_FIRM)
    account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id, medium=Medium.SMS)
    if to:
        ensure_covered(provider=account.provider, country=PROFILES[account.provider].country)
        ChannelAccount.objects.filter(medium=Medium.SMS).exclude(pk=account.pk).update(is_enabled=False)
    account.is_enabled = to
    account.save(update_fields=["is_enabled"])
    journal.record("sms_account.switched", account, provider=account.provider, to=to)
    return account


def check(*, account_id: UUID) -> None:
    """Try an account, and write its answer where the settings page reads it."""
    cabinet_id = ChannelAccount.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=account_id)
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            channel = channel_of(ChannelAccount.objects.get(pk=account_id))
        failure = ""
        try:
            channel.check()
        except DeliveryError as error:
            failure = str(error)[:200]
        with tenant_atomic():
            ChannelAccount.objects.filter(pk=account_id).update(failure=failure, checked_at=timezone.now())


def to_ask(*, limit: int = POLLED_AT_MOST) -> dict[UUID, list[UUID]]:
    """Return messages whose end nobody knows yet, by firm, as the scheduler sees them.

    They are drawn at random: many that stay silent never hide the others.
    """
    rows = Reminder.all_cabinets.using(SCHEDULER).filter(
        channel=Channel.SMS, state=ReminderState.ACCEPTED, spoken_at__gte=timezone.now() - outcomes.ASKED_FOR
    )
    found: dict[UUID, list[UUID]] = {}
    listed = rows.exclude(provider_ref="").order_by("?").values_list("cabinet_id", "pk")
    for cabinet_id, reminder_id in listed[:limit]:
        found.setdefault(cabinet_id, []).append(reminder_id)
    return found


def ask_receipts(*, cabinet_id: UUID, reminder_ids: list[UUID]) -> int:
    """Ask the provider what became of these messages; return how many moved."""
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            road = sms_road(Cabinet.objects.get())
            if road is None:
                return 0
            # A provider knows its own messages alone.
            mine = Reminder.objects.filter(pk__in=reminder_ids, state=ReminderState.ACCEPTED, route=road[0].slug)
            refs = dict(mine.values_list("pk", "provider_ref"))
        moved = 0
        for reminder_id, reference in refs.items():
            try:
                told = road[0].receipt(reference)
            except DeliveryError:
                break
            if told is not None:
                with tenant_atomic():
                    moved += note(reminder_id=reminder_id, told=told)
        return moved


def announce(*, hook: str, url: str, params: Mapping[str, str], signature: str) -> bool:
    """Take a signed announcement in; False for an address or a signature that is nobody's. Twice changes nothing."""
    found = _account_of(hook)
    if found is None:
        return False
    account_id, cabinet_id = found
    with working_for(cabinet_id=cabinet_id):
        account = ChannelAccount.objects.get(pk=account_id)
        channel = channel_of(account)
        told = None
        if isinstance(channel, TwilioSms):
            told = channel.read_announcement(url=url, params=params, signature=signature)
        if told is None:
            return False
        row = Reminder.objects.filter(channel=Channel.SMS, route=account.provider, provider_ref=told.reference).first()
        if row is not None and told.reference:
            note(reminder_id=row.pk, told=told)
    return True


def note(*, reminder_id: UUID, told: SmsReceipt) -> bool:
    """Write what became of a text message, once, in the caller's transaction; say whether anything moved."""
    reminder = Reminder.objects.select_for_update(of=("self",)).filter(pk=reminder_id).first()
    if reminder is None or reminder.state != ReminderState.ACCEPTED or told.delivery is Delivery.ON_ITS_WAY:
        return False
    cabinet = Cabinet.objects.get()
    reminder.provider_code = told.code[:12]
    if told.delivery is Delivery.DELIVERED:
        reminder.state, reminder.delivered_at = ReminderState.DELIVERED, told.at or timezone.now()
        reminder.save(update_fields=["state", "delivered_at", "provider_code"])
        append_message("message.delivered", reminder)
        return True
    reminder.state = ReminderState.BOUNCED
    reminder.save(update_fields=["state", "provider_code"])
    if told.is_opted_out:
        opt_out(reminder)
    else:
        outcomes.refuse_way(reminder)
    # A message that reached nobody does its step no good; one that only accompanies it changes nothing.
    lines = ReminderLine.objects.filter(reminder=reminder)
    lines.update(counts=False)
    cases = DunningCase.objects.filter(pk__in=lines.values("case")).select_related("invoice", "version")
    for case in cases:
        case.next_rank = min(case.next_rank, reminder.rank)
    schedule(list(cases), moved=("next_rank",))
    outcomes.open_task(TaskKind.REJECTED_ADDRESS, reminder, cabinet)
    append_message("message.bounced", reminder)
    journal.record("reminder.bounced", reminder, code=reminder.provider_code)
    return True


def opt_out(reminder: Reminder) -> None:
    """Honour a refusal of text messages: its addressee hears by other ways."""
    clients.stop_sms(client=reminder.client, contact=reminder.contact, number=reminder.recipient or "")


def _account_of(hook: str) -> tuple[UUID, UUID] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_id, cabinet_id FROM quittance_token('hook', %s)", [_digest(hook)])
        row = cursor.fetchone()
    return None if row is None else (UUID(str(row[0])), UUID(str(row[1])))


def _digest(hook: str) -> bytes:
    return hashlib.sha256(hook.encode(errors="replace")).digest()
