"""What lateness adds beside an invoice: interest and the flat indemnity, claimed, waived, paid; never invoice lines."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cabinets.models import Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Wall
from invoices.enums import ClaimKind
from invoices.models.invoice import Invoice


class AccessoryClaim(SealedModel):
    """One accessory of one late invoice, VAT-free; it outlives the principal and dies by payment or waiver only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="claims")
    kind = models.CharField("nature", max_length=10, choices=ClaimKind)
    opened_on = models.DateField("née le")
    # The sum as of the last day it was computed: it only grows, until the principal is paid.
    cents = models.BigIntegerField("montant (centimes)", default=0)
    computed_on = models.DateField("arrêtée au")
    asked_cents = models.BigIntegerField("réclamé (centimes)", null=True)
    asked_on = models.DateField("réclamé le", null=True)
    settled_cents = models.BigIntegerField("réglé (centimes)", default=0)
    waived_at = models.DateTimeField("abandonnée le", null=True)
    waived_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    waiver_reason = SealedTextField("motif de l’abandon")
    created_at = models.DateTimeField("enregistrée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="invoice")

    class Meta(SealedModel.Meta):
        verbose_name = "accessoire"
        constraints = [
            models.UniqueConstraint(
                name="one_claim_of_a_kind_per_invoice",
                fields=["invoice", "kind"],
                violation_error_message="Cet accessoire existe déjà pour la facture.",
            ),
            models.CheckConstraint(
                name="claim_settled_within_its_sum",
                condition=Q(cents__gte=0, settled_cents__gte=0, settled_cents__lte=F("cents")),
                violation_error_message="Le règlement dépasse l’accessoire.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.invoice.client_id

    @property
    def outstanding_cents(self) -> int:
        """Return what is left of it; nothing once it is waived."""
        return 0 if self.waived_at else self.cents - self.settled_cents
