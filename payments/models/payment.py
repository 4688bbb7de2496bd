"""Payments and what they pay."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.models import ImportBatch, Invoice
from payments.enums import PaymentMeans, PaymentState


class Payment(SealedModel):
    """Money received from a client, or on its way."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    received_on = models.DateField("reçu le")
    cents = models.BigIntegerField("montant (centimes)")
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans, default=PaymentMeans.TRANSFER)
    state = models.CharField("état", max_length=12, choices=PaymentState, default=PaymentState.SETTLED)
    note = SealedTextField("note")
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="+", null=True)
    # The first payment of the same checkout: what was retried, or stayed after a refund, is a payment of its own.
    follows = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True)
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    reversed_at = models.DateTimeField("annulé le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client", scheduler=Grant(select=("id", "cabinet_id", "client_id", "cents", "state"))
    )

    class Meta(SealedModel.Meta):
        verbose_name = "paiement"
        constraints = [
            models.CheckConstraint(
                name="payment_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Le montant du paiement doit être supérieur à zéro.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "client", "received_on"], name="payment_of_client")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class Refund(SealedModel):
    """A client's credit given back by the firm."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    paid_on = models.DateField("remboursé le")
    cents = models.BigIntegerField("montant (centimes)")
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans, default=PaymentMeans.TRANSFER)
    note = SealedTextField("note")
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    taken_back_at = models.DateTimeField("annulé le", null=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "remboursement"
        constraints = [
            models.CheckConstraint(
                name="refund_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Le montant remboursé doit être supérieur à zéro.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "client", "paid_on"], name="refund_of_client")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class Allocation(CabinetOwned):
    """The part of a payment that pays one invoice, and the part that pays what its lateness added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    cents = models.BigIntegerField("montant (centimes)")
    # Interest and indemnity: beside the invoice, never in its balance.
    accessory_cents = models.BigIntegerField("dont pénalités et indemnité (centimes)", default=0, db_default=0)
    created_at = models.DateTimeField("affecté le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="invoice")

    class Meta(CabinetOwned.Meta):
        verbose_name = "affectation d’un paiement"
        constraints = [
            models.CheckConstraint(
                name="allocation_positive",
                condition=Q(cents__gte=0, accessory_cents__gte=0) & (Q(cents__gt=0) | Q(accessory_cents__gt=0)),
                violation_error_message="Le montant affecté doit être supérieur à zéro.",
            ),
            models.UniqueConstraint(
                name="allocation_once",
                fields=["payment", "invoice"],
                violation_error_message="Ce paiement est déjà affecté à cette facture.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "invoice"], name="allocation_of_invoice")]

    def __str__(self) -> str:
        return str(self.pk)
