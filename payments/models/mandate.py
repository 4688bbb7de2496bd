"""A debtor's leave to collect the instalments of one plan, and nothing else."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from payments.enums import STANDING_MANDATES, MandateEnd, MandateState
from payments.models.account import ProviderAccount
from payments.models.plan import PaymentPlan


class Mandate(SealedModel):
    """A SEPA mandate for the dates of one plan, from the click to its end; its id is told to the provider."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="mandates")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    state = models.CharField("état", max_length=8, choices=MandateState, default=MandateState.ASKED)
    ref = models.CharField("référence de la page", max_length=100, blank=True, default="")
    mandate_ref = models.CharField("référence du prestataire", max_length=100, blank=True, default="")
    # The unique mandate reference, as the debtor reads it on a bank statement.
    reference = models.CharField("référence unique du mandat", max_length=100, blank=True, default="")
    url = SealedTextField("page de signature")
    # Word for word what the debtor agreed to: the dates, the amounts, how they are told beforehand.
    consent = SealedTextField("accord du client")
    agreed_at = models.DateTimeField("accord donné le", auto_now_add=True)
    expires_at = models.DateTimeField("page ouverte jusqu’à", null=True)
    signed_at = models.DateTimeField("signé le", null=True)
    ended_at = models.DateTimeField("terminé le", null=True)
    ended_by = models.CharField("terminé par", max_length=8, choices=MandateEnd, blank=True, default="")
    failure = models.CharField("incident", max_length=100, blank=True, default="")
    # When the provider itself said that nothing more can be collected.
    closed_at = models.DateTimeField("clos chez le prestataire le", null=True)
    ask_at = models.DateTimeField("à vérifier le", null=True)

    wall: ClassVar[Wall] = Wall(by="plan", scheduler=Grant(select=("id", "cabinet_id", "state", "ask_at")))

    class Meta(SealedModel.Meta):
        verbose_name = "mandat de prélèvement"
        verbose_name_plural = "mandats de prélèvement"
        constraints = [
            models.UniqueConstraint(
                name="one_mandate_a_plan",
                fields=["plan"],
                condition=Q(state__in=[state.value for state in STANDING_MANDATES]),
                violation_error_message="Le prélèvement de cet échéancier est déjà demandé.",
            ),
            models.UniqueConstraint(
                name="one_mandate_a_reference",
                fields=["account", "ref"],
                condition=~Q(ref=""),
                violation_error_message="Ce mandat est déjà connu.",
            ),
            models.CheckConstraint(
                name="mandate_ended_by_somebody",
                condition=~Q(state="ended") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                violation_error_message="Un mandat terminé dit quand et par qui.",
            ),
        ]
        indexes = [
            models.Index(fields=["ask_at"], name="mandate_to_ask", condition=Q(ask_at__isnull=False)),
            models.Index(fields=["account", "mandate_ref"], name="mandate_of_provider"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id
