"""Facts that stop: one row says what stops what, until when, who said so and who lifted it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client, Dossier, Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.enums import Grounds, StopKind
from invoices.models.invoice import Invoice


class Standstill(SealedModel):
    """A fact in force from its creation until it is released or its last day is over.

    With no target it stops the whole firm; otherwise one lawyer's dossiers, one client, one dossier or one invoice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=20, choices=StopKind)
    lawyer = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="standstills", null=True, blank=True)
    # The last day it holds; without one, a person releases it.
    until_on = models.DateField("jusqu’au", null=True, blank=True)
    # The day of the fact itself: a judgment, an admission, a death, a promise made; never a personal detail.
    started_on = models.DateField("date du fait", null=True, blank=True)
    published_on = models.DateField("publié le", null=True, blank=True)
    grounds = models.CharField("raison", max_length=20, choices=Grounds, blank=True, default="")
    promised_cents = models.BigIntegerField("montant promis (centimes)", null=True, blank=True)
    # By when the firm must have answered (a dispute) or acted (a claim to declare).
    answer_by = models.DateField("à traiter avant le", null=True, blank=True)
    reason = SealedTextField("motif")
    origin = models.CharField("origine", max_length=20, default="firm")
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField("depuis le", auto_now_add=True)
    released_at = models.DateTimeField("levée le", null=True)
    released_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(
        by="targets",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "kind",
                "lawyer_id",
                "client_id",
                "dossier_id",
                "invoice_id",
                "until_on",
                "released_at",
            )
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "arrêt"
        indexes = [
            models.Index(fields=["cabinet", "invoice"], name="stop_of_invoice", condition=Q(released_at=None)),
            models.Index(fields=["cabinet", "client"], name="stop_of_client", condition=Q(released_at=None)),
            models.Index(fields=["cabinet", "dossier"], name="stop_of_dossier", condition=Q(released_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="standstill_one_target",
                condition=Q(lawyer=None, client=None, dossier=None)
                | Q(lawyer=None, client=None, invoice=None)
                | Q(lawyer=None, dossier=None, invoice=None)
                | Q(client=None, dossier=None, invoice=None),
                violation_error_message="Un arrêt vise le cabinet, un avocat, un client, un dossier ou une facture.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID | None:
        """Seal under the client's key where there is one."""
        if self.client_id:
            return self.client_id
        if self.invoice_id:
            return self.invoice.client_id  # type: ignore[union-attr]
        return self.dossier.client_id if self.dossier_id else None  # type: ignore[union-attr]
