"""A firm's accounts with providers of letters: sealed, tried in the background, switched on once they may be."""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Membership, Task
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.services.transfers import ensure_covered
from dunning.channels.ar24 import PROFILE as AR24
from dunning.channels.ar24 import Ar24
from dunning.channels.laposte import PROFILE as LA_POSTE
from dunning.channels.laposte import LaPoste
from dunning.channels.letters import Credentials, Profile, RegisteredLetterProvider
from dunning.channels.maileva import PROFILE as MAILEVA
from dunning.channels.maileva import Maileva
from dunning.channels.merci_facteur import PROFILE as MERCI_FACTEUR
from dunning.channels.merci_facteur import MerciFacteur
from dunning.channels.post_desk import PROFILE as POST_DESK
from dunning.channels.protocol import DeliveryError
from dunning.enums import Medium
from dunning.errors import AccountError
from dunning.models import ChannelAccount
from dunning.routes import Route
from dunning.services.nights import SCHEDULER

PROFILES: dict[str, Profile] = {profile.slug: profile for profile in (AR24, MAILEVA, LA_POSTE, MERCI_FACTEUR)}
EVERY_PROFILE: dict[str, Profile] = {**PROFILES, POST_DESK.slug: POST_DESK}
HOOK_BYTES = 24
_FIRM_DIGITS = 32
_CODE = "pending_code"


def provider_of(account: ChannelAccount) -> RegisteredLetterProvider:
    """Return the provider of an account, ready to be spoken to."""
    credentials = credentials_of(account)
    match account.provider:
        case AR24.slug:
            return Ar24(credentials)
        case MAILEVA.slug:
            return Maileva(credentials)
        case LA_POSTE.slug:
            return LaPoste(credentials)
        case MERCI_FACTEUR.slug:
            return MerciFacteur(credentials)
    raise AccountError("Ce prestataire n’est pas connu.")


def credentials_of(account: ChannelAccount) -> Credentials:
    """Open what an account keeps sealed."""
    return Credentials(
        secrets=json.loads(account.secrets or "{}"),
        options=account.options,
        unit_price_thousandths=account.unit_price_thousandths,
        session_until=account.session_until,
    )


def accounts() -> dict[str, ChannelAccount]:
    """Return the firm's letter accounts by provider."""
    return {account.provider: account for account in ChannelAccount.objects.filter(medium=Medium.LETTER)}


def routes_in_service() -> list[Route]:
    """Return the routes of the accounts that are switched on."""
    return [route_of(PROFILES[slug]) for slug, one in accounts().items() if one.is_enabled and slug in PROFILES]


def route_of(profile: Profile) -> Route:
    """Return a provider as the order of routes reads it."""
    return Route(
        slug=profile.slug,
        label=profile.label,
        kind=profile.kinds[0],
        is_electronic=profile.is_electronic,
        is_qualified=profile.is_qualified,
        countries=profile.countries,
    )


@transaction.atomic
def keep(
    *, provider: str, options: Mapping[str, str], changed: Mapping[str, str], price: int | None, by: Membership
) -> ChannelAccount:
    """Write the settings of an account; an empty secret keeps the one that is known, and nothing tried holds."""
    account = accounts().get(provider) or ChannelAccount(medium=Medium.LETTER, provider=provider)
    is_new = not ChannelAccount.objects.filter(pk=account.pk).exists()
    kept = {} if is_new else json.loads(account.secrets or "{}")
    account.secrets = json.dumps({**kept, **{name: value for name, value in changed.items() if value}})
    account.options, account.unit_price_thousandths = dict(options), price
    account.checked_at, account.failure, account.session_until, account.changed_by = None, "", None, by
    account.is_enabled = False
    if is_new:
        account.save(force_insert=True)
    else:
        names = ("secrets", "options", "unit_price_thousandths", "checked_at", "failure", "session_until")
        account.save(update_fields=[*names, "changed_by", "is_enabled", "changed_at"])
    journal.record("letter_account.changed", account, provider=provider)
    return account


@transaction.atomic
def switch_on(*, account_id: UUID, by: Membership) -> ChannelAccount:
    """Put an account in service: tried with success, and its country covered (R66)."""
    account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    if account.checked_at is None or account.failure:
        raise AccountError("Ce compte n’a pas encore répondu : essayez la connexion, puis mettez-le en service.")
    ensure_covered(provider=account.provider, country=PROFILES[account.provider].country)
    _switch(account, to=True, by=by)
    journal.record("letter_account.enabled", account, provider=account.provider)
    return account


@transaction.atomic
def switch_off(*, account_id: UUID, by: Membership) -> ChannelAccount:
    """Take an account out of service; letters already handed over are still followed."""
    account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    _switch(account, to=False, by=by)
    journal.record("letter_account.disabled", account, provider=account.provider)
    return account


def _switch(account: ChannelAccount, *, to: bool, by: Membership) -> None:
    account.is_enabled, account.changed_by = to, by
    account.save(update_fields=["is_enabled", "changed_by", "changed_at"])


@transaction.atomic
def new_hook(*, account_id: UUID, by: Membership) -> str:
    """Draw the unguessable part of the address its notices arrive at; shown once, kept as a digest."""
    account = ChannelAccount.objects.get(pk=account_id)
    token = f"{account.cabinet_id.hex}{secrets.token_urlsafe(HOOK_BYTES)}"
    account.hook_hash, account.changed_by = hook_digest(token), by
    account.save(update_fields=["hook_hash", "changed_by", "changed_at"])
    journal.record("letter_account.hook_renewed", account, provider=account.provider)
    return token


def firm_of_hook(token: str) -> UUID | None:
    """Return the firm an address names; only its whole digest, kept by that firm, opens it."""
    try:
        return UUID(hex=token[:_FIRM_DIGITS])
    except ValueError:
        return None


def hook_digest(token: str) -> bytes:
    """Return what is kept of the address of a firm's notices."""
    return hashlib.sha256(token.encode()).digest()


def check(*, account_id: UUID) -> None:
    """Sign in to a provider, and write what it answered."""
    with acting_for(cabinet_id=firm_of(account_id=account_id)):
        with tenant_atomic():
            provider = provider_of(ChannelAccount.objects.get(pk=account_id))
        failure = ""
        try:
            provider.check()
        except DeliveryError as error:
            failure = str(error)[:200]
        with tenant_atomic():
            ChannelAccount.objects.filter(pk=account_id).update(checked_at=timezone.now(), failure=failure)


@transaction.atomic
def keep_code(*, account_id: UUID, code: str, by: Membership) -> None:
    """Keep a sender's one-time code, sealed, until the task that says it: no broker ever carries it."""
    account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    if not PROFILES[account.provider].asks_code:
        raise AccountError("Ce prestataire ne demande pas de code.")
    account.secrets = json.dumps({**json.loads(account.secrets or "{}"), _CODE: code})
    account.session_until, account.failure, account.changed_by = None, "", by
    account.save(update_fields=["secrets", "session_until", "failure", "changed_by", "changed_at"])
    journal.record("letter_account.code_given", account, provider=account.provider)


def open_session(*, account_id: UUID) -> None:
    """Open a sender's session with the code he gave, once, and write until when, or why not."""
    with acting_for(cabinet_id=firm_of(account_id=account_id)):
        with tenant_atomic():
            account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
            kept = json.loads(account.secrets or "{}")
            code = kept.pop(_CODE, "")
            account.secrets = json.dumps(kept)
            account.save(update_fields=["secrets"])
            sender = Ar24(credentials_of(account))
        if not code:
            return
        failure, until = "", None
        try:
            until = sender.authenticate(code)
        except DeliveryError as error:
            failure = str(error)[:200]
        with tenant_atomic():
            _note_session(account_id, until=until, failure=failure)


def _note_session(account_id: UUID, *, until: dt.datetime | None, failure: str) -> None:
    account = ChannelAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    account.session_until, account.failure = until, failure
    account.save(update_fields=["session_until", "failure"])
    journal.record("letter_account.session", account, provider=account.provider, opened=str(until is not None))
    if until is not None:
        asked = Task.objects.filter(kind=TaskKind.ONE_TIME_CODE, subject_id=account.pk, state=TaskState.OPEN)
        asked.update(state=TaskState.DONE, closed_at=timezone.now())


def firm_of(*, account_id: UUID) -> UUID:
    """Return the firm an account belongs to, as the scheduler sees it."""
    return ChannelAccount.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=account_id)


def has_pending_code(account: ChannelAccount) -> bool:
    """Say whether a code was given that no task has said yet."""
    return _CODE in json.loads(account.secrets or "{}")
