"""A firm's accounts at its payment providers: keys kept sealed, tried in the background, in service when they may."""

import datetime as dt
import json
import secrets as random
from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import AccountMailKind, Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.services.transfers import ensure_covered
from payments.enums import Mode, PaymentMeans
from payments.errors import AccountError, ProviderError
from payments.models import ProviderAccount
from payments.providers.gocardless import PROFILE as GOCARDLESS
from payments.providers.gocardless import GoCardlessProvider
from payments.providers.payplug import PROFILE as PAYPLUG
from payments.providers.payplug import PayPlugProvider
from payments.providers.protocol import PaymentProvider, Profile
from payments.providers.stripe import PROFILE as STRIPE
from payments.providers.stripe import StripeProvider
from payments.services import collection_mails, held_keys, roads
from templates_lib.rendering import typeset


def _set_in_french(profile: Profile) -> Profile:
    """Give a provider's words their no-break spaces: the pages show them as they are."""
    fields = [replace(one, hint=typeset(one.hint), mistake=typeset(one.mistake)) for one in profile.settings]
    return replace(
        profile,
        custody=typeset(profile.custody),
        proves=typeset(profile.proves),
        steps=tuple(typeset(one) for one in profile.steps),
        settings=tuple(fields),
    )


PROFILES: dict[str, Profile] = {one.slug: _set_in_french(one) for one in (STRIPE, PAYPLUG, GOCARDLESS)}
SCHEDULER = "scheduler"
HOOK_BYTES = 32
WEBHOOK = "webhook_secret"
# A provider may sign with the former secret for a while, and announces again for three days what found nobody.
FORMER_GOOD_FOR = dt.timedelta(days=3)
DEMO = typeset("Démonstration : aucun prestataire n’est appelé.")
_HOOK, _FORMER, _FORMER_UNTIL = "hook", "webhook_secret_before", "webhook_secret_before_until"
_KEPT = ("means", "options", "secrets", "label", "checked_at", "failure", "is_enabled", "changed_by", "changed_at")


def accounts() -> dict[tuple[str, str], ProviderAccount]:
    """Return the firm's accounts by provider and mode."""
    return {(row.provider, row.mode): row for row in ProviderAccount.objects.all()}


def client_of(account: ProviderAccount) -> PaymentProvider:
    """Return the provider of an account, ready to be spoken to."""
    keys: dict[str, str] = json.loads(account.secrets or "{}")
    base_url = settings.PAYMENT_BASE_URLS.get(account.provider, "")
    match account.provider:
        case STRIPE.slug:
            return StripeProvider(
                secret_key=keys.get("secret_key", ""), webhook_secrets=_webhook_secrets(keys), base_url=base_url
            )
        case PAYPLUG.slug:
            return PayPlugProvider(secret_key=keys.get("secret_key", ""), base_url=base_url)
        case GOCARDLESS.slug:
            return _gocardless(account, keys, base_url)
    raise AccountError("Ce prestataire n’est pas connu.")


def _gocardless(account: ProviderAccount, keys: Mapping[str, str], base_url: str) -> GoCardlessProvider:
    return GoCardlessProvider(
        access_token=keys.get("access_token", ""), webhook_secrets=_webhook_secrets(keys), base_url=base_url
    )


def knows(account: ProviderAccount, name: str) -> bool:
    """Say whether a key of an account is kept, without showing it."""
    return bool(json.loads(account.secrets or "{}").get(name))


def lacks_webhook(account: ProviderAccount) -> bool:
    """Say whether notices could not be believed yet: their secret is not known."""
    return any(one.name == WEBHOOK for one in PROFILES[account.provider].settings) and not knows(account, WEBHOOK)


@transaction.atomic
def keep(
    *, provider: str, mode: Mode, means: Collection[PaymentMeans], secrets: Mapping[str, str], by: Membership
) -> ProviderAccount:
    """Keep an account's keys, an empty one keeping what is known; another key takes it out of service until tried.

    Once a live key served, another one waits a day beside it, with what is typed meanwhile.
    """
    ensure(by, Right.MANAGE_FIRM)
    profile = PROFILES[provider]
    # A form sent twice at once makes one account.
    Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
    account = ProviderAccount.objects.select_for_update(of=("self",)).filter(provider=provider, mode=mode).first()
    account = account or ProviderAccount(provider=provider, mode=mode)
    given = {name: value for name, value in secrets.items() if value}
    _ensure_whole(account, given, means)
    known, held, main = held_keys.without(account), held_keys.of(account), profile.settings[0].name
    is_other_key = main in given and given[main] != {**known, **(held.keys if held else {})}.get(main)
    if is_other_key and mode is Mode.LIVE and held_keys.one_served():
        held = held_keys.put_aside(given, by=by)
    elif held is not None:
        held = held_keys.completed(held, given)
    elif is_other_key:
        _start_over(account)
    account.means = [str(one) for one in profile.means if one in means]
    keys = {_HOOK: random.token_urlsafe(HOOK_BYTES), **known}
    keys |= held_keys.written(held) if held else {**given, **_former(known, given)}
    _write(account, keys, by=by)
    names = ",".join(sorted(given))
    event = "provider_account.changed" if held is None else "provider_account.key_held"
    journal.record(event, account, provider=provider, mode=mode.value, secrets=names)
    if is_other_key and mode is Mode.LIVE:
        collection_mails.tell(AccountMailKind.COLLECTION_KEY, account)
    return account


@transaction.atomic
def take(*, account_id: UUID, by: Membership) -> ProviderAccount:
    """Put keys whose day is over in the place of those before: out of service until they are tried and put in it."""
    ensure(by, Right.MANAGE_FIRM)
    account = ProviderAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    held, known = held_keys.of(account), held_keys.without(account)
    if held is None or not held.is_due(now=timezone.now()):
        raise AccountError("Aucune clé n’a fini d’attendre sur ce compte. Rien n’a changé.")
    _start_over(account)
    _write(account, {**known, **held.keys, **_former(known, held.keys)}, by=by)
    journal.record("provider_account.key_taken", account, provider=account.provider, mode=account.mode)
    return account


@transaction.atomic
def refuse(*, account_id: UUID, by: Membership) -> ProviderAccount:
    """Let go of the keys that wait: those that serve go on."""
    ensure(by, Right.MANAGE_FIRM)
    account = ProviderAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    if held_keys.of(account) is None:
        raise AccountError("Aucune clé n’attend plus sur ce compte. Rien n’a changé.")
    _write(account, held_keys.without(account), by=by)
    journal.record("provider_account.key_refused", account, provider=account.provider, mode=account.mode)
    return account


def _ensure_whole(account: ProviderAccount, given: Mapping[str, str], means: Collection[PaymentMeans]) -> None:
    profile, mode, held = PROFILES[account.provider], Mode(account.mode), held_keys.of(account)
    main = profile.settings[0].name
    if main not in {**held_keys.without(account), **(held.keys if held else {}), **given}:
        raise AccountError("Il manque la clé de ce compte. Rien n’a été enregistré.")
    if main in given and profile.mode_of(given[main]) != mode:
        raise AccountError(_wrong_mode(profile, given[main], mode))
    if not means or not set(means) <= set(profile.means):
        raise AccountError("Choisissez au moins un moyen de paiement de ce prestataire. Rien n’a été enregistré.")


def _start_over(account: ProviderAccount) -> None:
    """Forget what the keys before answered."""
    account.is_enabled, account.checked_at, account.failure, account.label = False, None, "", ""
    account.options = {}


def _write(account: ProviderAccount, keys: Mapping[str, str], *, by: Membership) -> None:
    account.secrets, account.hook_hash, account.changed_by = json.dumps(keys), roads.hook_digest(keys[_HOOK]), by
    if account._state.adding:
        account.save(force_insert=True)
    else:
        account.save(update_fields=_KEPT)


@transaction.atomic
def switch(*, account_id: UUID, to: bool, by: Membership) -> ProviderAccount:
    """Put an account in service, or out of it: tried with success, its notices signed, its country covered (R66)."""
    ensure(by, Right.MANAGE_FIRM)
    account = ProviderAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    if to:
        _ensure_ready(account)
        others = ProviderAccount.objects.filter(provider=account.provider, is_enabled=True).exclude(pk=account.pk)
        others.update(is_enabled=False)
    _set_service(account, to=to, by=by)
    if to and account.mode == Mode.LIVE:
        collection_mails.tell(AccountMailKind.COLLECTION_SERVICE, account)
    return account


def stop(*, provider: str, by: Membership) -> list[ProviderAccount]:
    """Take every account at a provider out of service, in the caller's transaction; return those that were in."""
    rows = ProviderAccount.objects.select_for_update(of=("self",)).filter(provider=provider, is_enabled=True)
    stopped = list(rows.order_by("pk"))
    for account in stopped:
        _set_service(account, to=False, by=by)
    return stopped


def check(*, account_id: UUID) -> None:
    """Try an account, or the keys that wait on it, and write the answer where the settings page reads it."""
    with acting_for(cabinet_id=firm_of(account_id=account_id)):
        with tenant_atomic():
            tried = ProviderAccount.objects.get(pk=account_id)
            held = held_keys.of(tried)
            provider, is_demo = client_of(held_keys.as_if_taken(tried)), Cabinet.objects.get().is_demo
        failure, facts = DEMO if is_demo else "", None
        try:
            facts = None if is_demo else provider.check()
        except ProviderError as error:
            failure = typeset(str(error))[:200]
        with tenant_atomic():
            account = ProviderAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
            if account.secrets != tried.secrets:
                return  # other keys were kept meanwhile: their own trial tells
            if held is not None:
                answered = replace(held, failure=failure, label=facts.label if facts else "")
                account.secrets = json.dumps({**held_keys.without(account), **held_keys.written(answered)})
                account.save(update_fields=["secrets"])
                return
            account.failure, account.checked_at = failure, timezone.now()
            if facts is not None:
                account.label = facts.label
                account.options = {
                    **account.options,
                    "means": sorted(facts.means),
                    "warnings": list(facts.warnings),
                }
            account.save(update_fields=["failure", "checked_at", "label", "options"])


def firm_of(*, account_id: UUID) -> UUID:
    """Return the firm an account belongs to, as the scheduler sees it."""
    return ProviderAccount.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=account_id)


def _ensure_ready(account: ProviderAccount) -> None:
    profile = PROFILES[account.provider]
    if account.checked_at is None or account.failure:
        raise AccountError(
            "Ce compte n’a pas encore répondu : essayez la connexion, puis mettez-le en service. Rien n’a changé."
        )
    if lacks_webhook(account):
        raise AccountError(
            f"Il manque le secret de signature des annonces de {profile.label} : sans lui, un paiement ne serait pas "
            "cru. Rien n’a été mis en service."
        )
    ensure_covered(provider=account.provider, country=profile.country)


def _set_service(account: ProviderAccount, *, to: bool, by: Membership) -> None:
    account.is_enabled, account.changed_by = to, by
    account.save(update_fields=["is_enabled", "changed_by", "changed_at"])
    journal.record("provider_account.switched", account, provider=account.provider, mode=account.mode, to=to)


def _wrong_mode(profile: Profile, key: str, mode: Mode) -> str:
    found = profile.mode_of(key)
    if found is None:
        return f"Ce n’est pas une clé de {profile.label}. Rien n’a été enregistré."
    return (
        f"Cette clé est en mode « {found.label} » et ce compte en mode « {mode.label} » : elles ne se mélangent pas. "
        "Rien n’a été enregistré."
    )


def _former(known: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the secret a new one replaces, good for a while: notices on their way are signed with it."""
    if WEBHOOK not in given or known.get(WEBHOOK, given[WEBHOOK]) == given[WEBHOOK]:
        return {}
    return {_FORMER: known[WEBHOOK], _FORMER_UNTIL: (timezone.now() + FORMER_GOOD_FOR).isoformat()}


def _webhook_secrets(keys: Mapping[str, str]) -> list[str]:
    found = [keys[WEBHOOK]] if keys.get(WEBHOOK) else []
    until = keys.get(_FORMER_UNTIL)
    if until and dt.datetime.fromisoformat(until) > timezone.now():
        found.append(keys[_FORMER])
    return found
