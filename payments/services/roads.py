"""The way to a firm's account at a payment provider, and which accounts may take a debtor's money."""

import hashlib
import json
from collections.abc import Callable
from typing import cast

from django.conf import settings

from cabinets.models import Cabinet
from payments.enums import Mode, PaymentMeans, Provider
from payments.errors import ProviderError
from payments.models import ProviderAccount
from payments.providers.protocol import MandateProvider, PaymentProvider

Road = Callable[[ProviderAccount], PaymentProvider]
# The order in which means are offered, and providers of one mean.
MEANS = (PaymentMeans.CARD, PaymentMeans.DEBIT, PaymentMeans.TRANSFER)
_PROVIDERS = tuple(Provider.values)
# Whose debits are collected by a mandate, with nobody on a page.
_COLLECTING = frozenset({Provider.GOCARDLESS})
_roads: list[Road] = []


def register(road: Road) -> None:
    """Make this the way to every account."""
    _roads[:] = [road]


def provider_of(account: ProviderAccount) -> PaymentProvider:
    """Return the provider of an account, with its keys; ProviderError when it cannot be reached at all."""
    if not _roads:
        raise ProviderError("Aucun prestataire de paiement n’est branché sur cette installation.", is_refusal=True)
    return _roads[0](account)


def collector_of(account: ProviderAccount) -> MandateProvider:
    """Return the provider of an account that collects by mandate."""
    if account.provider not in _COLLECTING:
        raise ProviderError("Ce prestataire ne prélève pas par mandat.", is_refusal=True)
    return cast("MandateProvider", provider_of(account))


def collecting_account(cabinet: Cabinet) -> ProviderAccount | None:
    """Return the account that may collect a debtor's instalments; nothing when none offers debits under a mandate."""
    rows = ProviderAccount.objects.filter(is_enabled=True, provider__in=_COLLECTING)
    return next((row for row in rows if is_open(row, cabinet) and PaymentMeans.DEBIT in row.means), None)


def hook_digest(token: str) -> bytes:
    """Return what the database keeps of the unguessable part of the address notices arrive at."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def notice_url(account: ProviderAccount) -> str:
    """Return the address a provider announces to; its unguessable part is kept with the keys, under `hook`."""
    hook = json.loads(account.secrets or "{}").get("hook", "")
    return f"{settings.SITE_URL}/retours/paiement/{hook}/" if hook else ""


def settles(account: ProviderAccount, cabinet: Cabinet) -> bool:
    """Say whether what is paid on an account pays invoices.

    A test moves no money: it settles the invoices of a demonstration, and never lowers what a real firm is owed.
    """
    return account.mode == Mode.LIVE or cabinet.is_demo


def is_open(account: ProviderAccount, cabinet: Cabinet) -> bool:
    """Say whether a debtor may pay on an account: real money never in a demonstration, a test never in a live firm."""
    if not account.is_enabled:
        return False
    if cabinet.is_demo:
        return account.mode == Mode.TEST
    return account.mode == Mode.LIVE or not cabinet.is_live


def offers(cabinet: Cabinet) -> dict[PaymentMeans, ProviderAccount]:
    """Return the means a debtor may choose, and the account of each; one query."""
    accounts = [row for row in ProviderAccount.objects.filter(is_enabled=True) if is_open(row, cabinet)]
    accounts.sort(key=lambda row: _PROVIDERS.index(row.provider))
    found: dict[PaymentMeans, ProviderAccount] = {}
    for means in MEANS:
        for account in accounts:
            if means in account.means:
                found.setdefault(means, account)
    return found
