"""What the figures were on a past day, as they were told then."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cabinets.enums import ClientKind
from cabinets.models import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Wall


class Snapshot(CabinetOwned):
    """The position of one portfolio at the end of one day; written once, never changed.

    It adds up what every dossier holds: only who sees them all reads it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    on = models.DateField("jour")
    lawyer = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.CharField("qualité du client", max_length=16, choices=ClientKind)
    area = models.CharField("domaine", max_length=60, blank=True)
    aged_cents = ArrayField(models.BigIntegerField(), verbose_name="encours par ancienneté (centimes)")
    aged_counts = ArrayField(models.IntegerField(), verbose_name="factures par ancienneté")
    billed_cents = ArrayField(models.BigIntegerField(), verbose_name="facturé par 30 jours (centimes)")
    due_count = models.IntegerField("factures à 30 jours")
    due_cents = models.BigIntegerField("montant à 30 jours (centimes)")
    unpaid_count = models.IntegerField("factures impayées à 30 jours")
    unpaid_cents = models.BigIntegerField("impayé à 30 jours (centimes)")
    matured_cents = models.BigIntegerField("montant à 45 jours (centimes)")
    recovered_cents = models.BigIntegerField("reçu à 45 jours (centimes)")
    # Told afterwards from the ledger, not the night after the day.
    is_rebuilt = models.BooleanField("reconstitué", default=False)
    taken_at = models.DateTimeField("relevé le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="every_file", append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "relevé des chiffres"
        verbose_name_plural = "relevés des chiffres"
        constraints = [
            models.UniqueConstraint(
                name="snapshot_once",
                fields=["cabinet", "on", "lawyer", "kind", "area"],
                nulls_distinct=False,
                violation_error_message="Les chiffres de ce jour sont déjà relevés.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
