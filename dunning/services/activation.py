"""A firm goes live: from then on the night may speak, and for two weeks a person approves every message."""

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.errors import DunningError
from dunning.models import DunningCase
from dunning.services.ladder import schedule
from dunning.services.roads import road_of


def missing_before_activation(cabinet: Cabinet) -> list[str]:
    """Return what the firm still lacks before its first message may leave, as sentences."""
    lacks = {
        "Indiquez l’IBAN du cabinet : vos clients doivent savoir où payer.": not cabinet.iban,
        "Indiquez l’e-mail et le téléphone du cabinet : vos clients doivent pouvoir répondre.": not (
            cabinet.email and cabinet.phone
        ),
        "Réglez le serveur d’envoi : sans lui, rien ne peut partir.": road_of(cabinet) is None,
    }
    return [sentence for sentence, is_missing in lacks.items() if is_missing]


@transaction.atomic
def activate(*, by: Membership) -> Cabinet:
    """Let the next night speak for the firm; refuse while something a debtor needs is missing."""
    ensure(by, Right.MANAGE_FIRM)
    cabinet = Cabinet.objects.get()
    if cabinet.subscription_suspended_at is not None:
        raise DunningError("Ce compte est suspendu ou en cours de clôture : les envois ne sont pas activés.")
    if cabinet.activated_on is not None:
        return cabinet
    if missing := missing_before_activation(cabinet):
        raise DunningError(f"{missing[0]} Les envois ne sont pas activés.")
    cabinet.activated_on = cabinet.today()
    cabinet.save(update_fields=["activated_on"])
    # Days spent before the activation are no steps that were missed: every case is dated again.
    schedule(list(DunningCase.objects.filter(next_action_on__isnull=False).select_related("invoice", "version")))
    journal.record("cabinet.activated", cabinet)
    return cabinet
