"""Who receives the firm's data: whoever the installation works with, and the providers the firm switched on."""

import datetime as dt
from dataclasses import dataclass

from cabinets.models import TransferRecord
from cabinets.services.transfers import EEA
from dunning.models import ChannelAccount, Mailbox, MailServer
from dunning.services.letter_accounts import EVERY_PROFILE as LETTER_PROFILES
from dunning.services.sms_accounts import PROFILES as SMS_PROFILES
from gdpr.models import ProcessorVersion
from payments.models import ProviderAccount
from payments.services.provider_accounts import PROFILES
from templates_lib.rendering import day_words

SENT_FROM, READ_IN = "Serveur d’envoi du cabinet", "Boîte de réception du cabinet"


@dataclass(frozen=True, slots=True)
class Processor:
    """One company that receives data."""

    name: str
    role: str
    country: str
    """Empty where nobody recorded it: the host of a firm's own mail."""
    data: str
    since_on: dt.date | None
    is_chosen_by_firm: bool
    is_covered: bool
    is_coming: bool = False
    is_held: bool = False
    guarantee: str = ""

    @property
    def since_words(self) -> str:
        """Return the first day in words, for a document."""
        return day_words(self.since_on) if self.since_on else ""

    @property
    def is_outside(self) -> bool:
        """Say whether the company is outside the European Economic Area."""
        return bool(self.country) and self.country not in EEA


def of_the_installation(*, on: dt.date) -> list[Processor]:
    """Return the companies the installation works with as they are on a day, and what is announced of each after it."""
    rows = ProcessorVersion.objects.filter(given_up_at=None).exclude(processor__until_on__lt=on)
    found: dict[int, list[ProcessorVersion]] = {}
    for row in rows.order_by("processor_id", "number"):
        kept = found.setdefault(row.processor_id, [])
        if kept and _has_begun(row, on):
            kept.clear()
        kept.append(row)
    shown = [_announced(row, on) for kept in found.values() for row in kept]
    return sorted(shown, key=lambda one: (one.is_coming, one.since_on or on, one.name))


def _has_begun(row: ProcessorVersion, on: dt.date) -> bool:
    return row.applies_on <= on and row.held_at is None


def _announced(row: ProcessorVersion, on: dt.date) -> Processor:
    return Processor(
        row.name,
        row.role,
        row.country,
        row.data,
        row.applies_on,
        is_chosen_by_firm=False,
        is_covered=row.country in EEA or bool(row.guarantee),
        is_coming=not _has_begun(row, on),
        is_held=row.held_at is not None,
        guarantee=row.guarantee,
    )


def of_the_firm() -> list[Processor]:
    """Return the providers the firm switched on and its own mail hosts, with what covers a transfer."""
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
    return [*found, *_mail_hosts()]


def name_of(provider: str) -> str:
    """Return what a provider is called."""
    known = PROFILES.get(provider) or SMS_PROFILES.get(provider) or LETTER_PROFILES.get(provider)
    return known.label if known is not None else provider


def transfers_of_the_firm() -> list[tuple[str, TransferRecord]]:
    """Return the transfers outside the Union the firm recorded and did not withdraw, each with its provider's name."""
    rows = TransferRecord.objects.filter(revoked_at=None).order_by("provider")
    return [(name_of(row.provider), row) for row in rows]


def _mail_hosts() -> list[Processor]:
    """Return where the firm's own messages leave from and come back to: nothing says in which country."""
    hosts = [(row.host, SENT_FROM) for row in MailServer.objects.all()]
    hosts += [(row.host, READ_IN) for row in Mailbox.objects.filter(is_enabled=True)]
    return [
        Processor(host, role, "", "Messages et coordonnées", None, is_chosen_by_firm=True, is_covered=False)
        for host, role in hosts
    ]


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
