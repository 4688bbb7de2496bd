"""What is written to a debtor about a plan: one row is one message, claimed before it is said."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from payments.enums import MailState, PlanMail
from payments.models.plan import Instalment, PaymentPlan


class PlanMessage(SealedModel):
    """One e-mail about a plan; a reminder of an instalment counts as a contact, an answer does not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="messages")
    instalment = models.ForeignKey(Instalment, on_delete=models.PROTECT, related_name="+", null=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("nature", max_length=10, choices=PlanMail)
    state = models.CharField("état", max_length=10, choices=MailState, default=MailState.WAITING)
    depart_at = models.DateTimeField("départ")
    created_at = models.DateTimeField("demandé le", auto_now_add=True)
    generation = models.PositiveIntegerField("prise", default=0)
    lease_until = models.DateTimeField("prise jusqu’à", null=True)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    spoken_at = models.DateTimeField("dit le", null=True)
    spoken_on = models.DateField("jour de l’envoi", null=True)
    # The stop rule that held it back, or cancelled it.
    held_by = models.CharField("retenu par", max_length=20, blank=True, default="")
    failure = models.CharField("incident", max_length=300, blank=True, default="")
    message_id = models.CharField("Message-ID", max_length=120, blank=True, default="")
    text_ref = models.CharField("version du texte", max_length=90, blank=True, default="")
    subject = SealedTextField("objet", null=True)
    html = SealedTextField("message", null=True)
    text = SealedTextField("message en texte", null=True)
    recipient = SealedTextField("destinataire", null=True)

    wall: ClassVar[Wall] = Wall(
        by="plan",
        scheduler=Grant(
            select=("id", "cabinet_id", "client_id", "kind", "state", "depart_at", "lease_until", "spoken_on")
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "message d’un échéancier"
        verbose_name_plural = "messages d’un échéancier"
        constraints = [
            models.UniqueConstraint(
                name="plan_message_once",
                fields=["plan", "kind", "instalment"],
                nulls_distinct=False,
                violation_error_message="Ce message a déjà été demandé.",
            ),
        ]
        indexes = [
            models.Index(fields=["depart_at"], name="plan_message_due", condition=Q(state__in=["waiting", "sending"])),
            models.Index(fields=["cabinet", "client", "spoken_on"], name="plan_message_contacts"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id
