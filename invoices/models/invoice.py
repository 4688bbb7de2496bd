"""Invoices, provisions and credit notes."""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cabinets.models import Client, Dossier
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.enums import InvoiceKind, InvoiceState
from invoices.models.batch import ImportBatch
from invoices.querysets import InvoiceManager


class Invoice(SealedModel):
    """What a client owes for one dossier, in integer cents, VAT included."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", verbose_name="client")
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="+", verbose_name="dossier")
    kind = models.CharField("nature", max_length=10, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    state = models.CharField("décision", max_length=12, choices=InvoiceState, default=InvoiceState.OPEN)
    number = models.CharField("numéro", max_length=40)
    # Upper case, without blanks: what two spellings of one number have in common.
    number_key = models.CharField("numéro normalisé", max_length=40, editable=False)
    issued_on = models.DateField("date de facture")
    due_on = models.DateField("échéance")
    is_due_date_assumed = models.BooleanField("échéance déduite", default=False)
    performed_on = models.DateField("fin de la prestation", null=True, blank=True)
    total_cents = models.BigIntegerField("montant TTC (centimes)")
    settled_cents = models.BigIntegerField("réglé (centimes)", default=0, editable=False)
    credited_cents = models.BigIntegerField("avoirs (centimes)", default=0, editable=False)
    last_payment_at = models.DateTimeField("dernier règlement", null=True, editable=False)
    is_never_reminded = models.BooleanField("ne jamais relancer", default=False)
    is_sensitive = models.BooleanField("détail sensible", default=False)
    note = SealedTextField("note")
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="+", null=True, editable=False)
    created_at = models.DateTimeField("saisie le", auto_now_add=True)

    objects: ClassVar[InvoiceManager] = InvoiceManager()  # type: ignore[assignment]  # a richer manager of the same rows

    wall: ClassVar[Wall] = Wall(
        by="dossier",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "client_id",
                "dossier_id",
                "kind",
                "state",
                "issued_on",
                "due_on",
                "performed_on",
                "total_cents",
                "settled_cents",
                "credited_cents",
                "last_payment_at",
                "is_never_reminded",
            )
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "facture"
        constraints = [
            models.UniqueConstraint(
                name="invoice_number_once",
                fields=["cabinet", "number_key"],
                violation_error_message="Une facture porte déjà ce numéro.",
            ),
            models.CheckConstraint(
                name="invoice_total_positive",
                condition=Q(total_cents__gt=0),
                violation_error_message="Le montant de la facture doit être supérieur à zéro.",
            ),
            models.CheckConstraint(
                name="invoice_never_settled_beyond_total",
                condition=Q(
                    settled_cents__gte=0,
                    credited_cents__gte=0,
                    settled_cents__lte=F("total_cents") - F("credited_cents"),
                ),
                violation_error_message="Le règlement dépasse le montant de la facture.",
            ),
            models.CheckConstraint(
                name="invoice_due_after_issue",
                condition=Q(due_on__gte=F("issued_on")),
                violation_error_message="L’échéance précède la date de facture.",
            ),
        ]
        indexes = [
            models.Index(fields=["cabinet", "due_on", "id"], name="invoice_due"),
            models.Index(fields=["cabinet", "client", "due_on"], name="invoice_of_client"),
            models.Index(fields=["cabinet", "dossier"], name="invoice_of_dossier"),
        ]

    def __str__(self) -> str:
        return self.number

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id

    @property
    def outstanding_cents(self) -> int:
        """Return what is still owed; nothing once the firm closed the invoice."""
        return self.total_cents - self.credited_cents - self.settled_cents

    def days_late(self, *, on: dt.date) -> int:
        """Return how many days after the due date this day is, never less than zero."""
        return max((on - self.due_on).days, 0)


class CreditNote(CabinetOwned):
    """What the firm gives back: on one invoice, or as a credit of the client."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes", null=True, blank=True)
    number = models.CharField("numéro", max_length=40)
    number_key = models.CharField("numéro normalisé", max_length=40, editable=False)
    issued_on = models.DateField("date")
    cents = models.BigIntegerField("montant (centimes)")
    cancelled_at = models.DateTimeField("annulé le", null=True, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="+", null=True, editable=False)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(CabinetOwned.Meta):
        verbose_name = "avoir"
        constraints = [
            models.UniqueConstraint(
                name="credit_note_number_once",
                fields=["cabinet", "number_key"],
                violation_error_message="Un avoir porte déjà ce numéro.",
            ),
            models.CheckConstraint(
                name="credit_note_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Le montant de l’avoir doit être supérieur à zéro.",
            ),
        ]

    def __str__(self) -> str:
        return self.number
