"""Who receives the firm's data: whoever the installation works with, and the providers the firm switched on."""

import datetime as dt
from dataclasses import dataclass

from cabinets.models import TransferRecord
from cabinets.services.transfers import EEA
from dunning.models import ChannelAccount
from dunning.services.letter_accounts import EVERY_PROFILE as LETTER_PROFILES
from dunning.services.sms_accounts import PROFILES as SMS_PROFILES
from gdpr.models import SubProcessor
from payments.models import ProviderAccount
from payments.services.provider_accounts import PROFILES

NOTICE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Processor:
    """One company that receives data."""

    name: str
    role: str
    country: str
    data: str
    since_on: dt.date | None
    is_chosen_by_firm: bool
    is_covered: bool
    is_coming: bool = False

    @property
    def is_outside(self) -> bool:
        """Say whether the company is outside the European Economic Area."""
        return bool(self.country) and self.country not in EEA


def of_the_installation(*, on: dt.date) -> list[Processor]:
    """Return the companies the installation works with, those announced and not yet there included."""
    rows = SubProcessor.objects.exclude(until_on__lt=on).order_by("since_on", "name")
    return [
        Processor(
            row.name,
            row.role,
            row.country,
            row.data,
            row.since_on,
            is_chosen_by_firm=False,
            is_covered=row.country in EEA,
            is_coming=row.since_on > on,
        )
        for row in rows
    ]


def of_the_firm() -> list[Processor]:
    """Return the providers the firm switched on, with what covers a transfer outside the Union."""
    covered = set(TransferRecord.objects.filter(revoked_at=None).values_list("provider", flat=True))
    found = []
    for account in ProviderAccount.objects.filter(is_enabled=True).order_by("provider"):
        profile = PROFILES[account.provider]
        found.append(_of(profile.label, "Encaissement en ligne", profile.country, account.provider, covered))
    for channel in ChannelAccount.objects.filter(is_enabled=True).order_by("medium", "provider"):
        known = SMS_PROFILES.get(channel.provider) or LETTER_PROFILES.get(channel.provider)
        if known is not None:
            medium = str(channel.get_medium_display())
            found.append(_of(known.label, medium, known.country, channel.provider, covered))
    return found


def _of(name: str, role: str, country: str, provider: str, covered: set[str]) -> Processor:
    return Processor(
        name,
        role,
        country,
        "Coordonnées, numéro de facture et montant",
        None,
        is_chosen_by_firm=True,
        is_covered=country in EEA or provider in covered,
    )
