"""Another live key for the firm's clients to pay by: it waits a day beside the one that serves, and may be refused."""

import copy
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils import timezone

from cabinets.models import JournalEntry, Membership
from payments.enums import Mode
from payments.models import ProviderAccount

HOLD = dt.timedelta(hours=24)
# Kept among the sealed keys of its account: nothing of it is read anywhere else.
NEXT = "next"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKeys:
    """Keys that wait: until when, given by whom, and what their provider answered of them."""

    keys: dict[str, str]
    until: dt.datetime
    by: str
    failure: str = ""
    label: str = ""

    def is_due(self, *, now: dt.datetime) -> bool:
        """Say whether their day is over."""
        return now >= self.until


def one_served() -> bool:
    """Say whether a live account of the firm ever was in service: its first key waits for nothing."""
    lines = JournalEntry.objects.filter(event="provider_account.switched", facts__mode=Mode.LIVE, facts__to=True)
    return lines.exists() or ProviderAccount.objects.filter(mode=Mode.LIVE, is_enabled=True).exists()


def of(account: ProviderAccount) -> HeldKeys | None:
    """Return the keys that wait on an account, if any."""
    kept = json.loads(account.secrets or "{}").get(NEXT)
    if kept is None:
        return None
    facts: dict[str, Any] = json.loads(kept)
    return HeldKeys(**{**facts, "until": dt.datetime.fromisoformat(facts["until"])})


def put_aside(given: Mapping[str, str], *, by: Membership) -> HeldKeys:
    """Have keys wait their day, from now."""
    return HeldKeys(keys=dict(given), until=timezone.now() + HOLD, by=str(by.user))


def completed(held: HeldKeys, given: Mapping[str, str]) -> HeldKeys:
    """Add keys to those that wait, in their day: a signing secret is known only once its address is declared."""
    return replace(held, keys={**held.keys, **given}, failure="", label="")


def written(held: HeldKeys) -> dict[str, str]:
    """Return how keys that wait are kept among those of their account."""
    return {NEXT: json.dumps({**asdict(held), "until": held.until.isoformat()})}


def without(account: ProviderAccount) -> dict[str, str]:
    """Return the keys of an account as if none waited."""
    keys: dict[str, str] = json.loads(account.secrets or "{}")
    return {name: value for name, value in keys.items() if name != NEXT}


def as_if_taken(account: ProviderAccount) -> ProviderAccount:
    """Return the account as it will be with the keys that wait, to try them; never saved."""
    tried, held = copy.copy(account), of(account)
    tried.secrets = json.dumps({**without(account), **(held.keys if held else {})})
    return tried
