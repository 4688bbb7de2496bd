"""Transfers outside the European Union: recorded before a provider may receive anything (R66)."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TransferBasis
from cabinets.errors import TransferError, UncoveredTransferError
from cabinets.models import Membership, TransferRecord

# The European Economic Area: nothing is transferred inside it.
EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905 (a list of codes reads as one)
)


def in_force(provider: str) -> TransferRecord | None:
    """Return the record that covers a provider, if there is one."""
    return TransferRecord.objects.filter(provider=provider, revoked_at=None).first()


def ensure_covered(*, provider: str, country: str) -> None:
    """Refuse a provider outside the European Union that no record covers."""
    if country not in EEA and in_force(provider) is None:
        raise UncoveredTransferError(
            "Ce prestataire est établi hors de l’Union européenne : enregistrez d’abord ce qui permet le transfert. "
            "Rien n’a été mis en service."
        )


@transaction.atomic
def record(
    *,
    provider: str,
    country: str,
    basis: TransferBasis,
    reference: str,
    data_sent: str,
    assessed_on: dt.date,
    by: Membership,
) -> TransferRecord:
    """Write on what a transfer rests."""
    if in_force(provider) is not None:
        raise TransferError("Un transfert est déjà enregistré pour ce prestataire : retirez-le d’abord.")
    kept = TransferRecord(
        provider=provider,
        country=country,
        basis=basis,
        reference=reference,
        data_sent=data_sent,
        assessed_on=assessed_on,
        recorded_by=by,
    )
    kept.save(force_insert=True)
    journal.record("transfer.recorded", kept, provider=provider, basis=basis.value)
    return kept


@transaction.atomic
def revoke(*, record_id: UUID) -> TransferRecord:
    """Withdraw what a transfer rests on; who relied on it is stopped by those who know them."""
    kept = TransferRecord.objects.select_for_update(of=("self",)).get(pk=record_id)
    if kept.revoked_at is None:
        kept.revoked_at = timezone.now()
        kept.save(update_fields=["revoked_at"])
        journal.record("transfer.revoked", kept, provider=kept.provider)
    return kept
