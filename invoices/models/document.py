"""Sealed files: an invoice, a fee agreement, a proof. They leave only behind a code."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client, Dossier, Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Wall
from invoices.enums import DocumentKind
from invoices.models.invoice import Invoice


class Document(SealedModel):
    """A file sealed under its client's key, kept in the firm's folder."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=16, choices=DocumentKind)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents", null=True, blank=True)
    file_name = SealedTextField("nom du fichier")
    media_type = models.CharField("type", max_length=60)
    size = models.PositiveIntegerField("taille (octets)")
    digest = models.BinaryField("empreinte SHA-256")
    stored_as = models.CharField("rangé sous", max_length=120)
    added_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    added_at = models.DateTimeField("ajouté le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="dossier")

    class Meta(SealedModel.Meta):
        verbose_name = "document"
        constraints = [
            models.UniqueConstraint(
                name="document_once_per_invoice",
                fields=["invoice", "digest"],
                condition=Q(invoice__isnull=False),
                violation_error_message="Ce document est déjà joint à la facture.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id
