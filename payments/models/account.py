"""A firm's accounts at its payment providers."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from payments.enums import Mode, Provider


class ProviderAccount(SealedModel):
    """A firm's account at a payment provider, in test or live mode; its keys are sealed by the firm's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField("prestataire", max_length=12, choices=Provider)
    mode = models.CharField("mode", max_length=4, choices=Mode, default=Mode.TEST)
    is_enabled = models.BooleanField("en service", default=False)
    # The means it offers debtors, among those its provider has.
    means = models.JSONField("moyens proposés", default=list)
    # What is no secret: a creditor, an account name.
    options = models.JSONField("réglages", default=dict)
    secrets = SealedTextField("clés")
    # The unguessable part of the address its notices arrive at.
    hook_hash = models.BinaryField("empreinte de l’adresse de retour", unique=True)
    label = models.CharField("compte", max_length=120, blank=True, default="")
    checked_at = models.DateTimeField("vérifié le", null=True)
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    changed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    changed_at = models.DateTimeField("réglé le", auto_now=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "provider", "is_enabled")))

    class Meta(SealedModel.Meta):
        verbose_name = "compte d’encaissement"
        verbose_name_plural = "comptes d’encaissement"
        constraints = [
            models.UniqueConstraint(
                name="one_account_a_payment_provider",
                fields=["cabinet", "provider", "mode"],
                violation_error_message="Ce prestataire est déjà réglé dans ce mode.",
            ),
            models.UniqueConstraint(
                name="one_mode_in_service_a_provider",
                fields=["cabinet", "provider"],
                condition=Q(is_enabled=True),
                violation_error_message="Ce prestataire est déjà en service dans l’autre mode.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_provider_display())
