"""Transfers of personal data outside the European Union: what allows them, and since when."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.enums import TransferBasis
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class TransferRecord(CabinetOwned):
    """Why a provider outside the European Union may receive data: without one it stays off (R66)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField("prestataire", max_length=20)
    country = models.CharField("pays", max_length=2)
    basis = models.CharField("fondement", max_length=10, choices=TransferBasis)
    reference = models.CharField("référence", max_length=200, help_text="Entrée du registre, date des clauses")
    data_sent = models.CharField("données transmises", max_length=300)
    assessed_on = models.DateField("examiné le")
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    revoked_at = models.DateTimeField("retiré le", null=True)

    # The operator's register tells each transfer made for a firm (GDPR art. 30-2): where to, and on what ground.
    wall: ClassVar[Wall] = Wall(
        operator=Grant(select=("id", "cabinet_id", "provider", "country", "basis", "revoked_at"))
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "transfert hors de l’Union européenne"
        verbose_name_plural = "transferts hors de l’Union européenne"
        constraints = [
            models.UniqueConstraint(
                name="one_transfer_record_in_force",
                fields=["cabinet", "provider"],
                condition=models.Q(revoked_at=None),
                violation_error_message="Un transfert est déjà enregistré pour ce prestataire.",
            ),
        ]

    def __str__(self) -> str:
        return self.provider
