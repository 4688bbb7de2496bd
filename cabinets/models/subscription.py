"""What the operator sells, and what each firm agreed to."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class Offer(models.Model):
    """One price of the installation: a month, before tax, for so many invoices followed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom", max_length=60)
    promise = models.CharField("ce qu’elle comprend", max_length=200, blank=True, default="")
    monthly_cents = models.BigIntegerField("prix mensuel hors taxes (centimes)")
    invoices = models.PositiveIntegerField("factures suivies par mois")
    is_public = models.BooleanField("proposée", default=False)
    rank = models.PositiveSmallIntegerField("ordre", default=1)

    class Meta:
        verbose_name = "offre"
        ordering = ["rank", "monthly_cents"]
        constraints = [
            models.UniqueConstraint(
                name="one_offer_a_name", fields=["name"], violation_error_message="Une offre porte déjà ce nom."
            ),
            models.CheckConstraint(
                name="offer_follows_something",
                condition=Q(invoices__gt=0),
                violation_error_message="Une offre suit au moins une facture.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Subscription(CabinetOwned):
    """A firm's one agreement with the operator; price and volume are those it was shown when it agreed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="offre")
    monthly_cents = models.BigIntegerField("prix mensuel convenu (centimes)", default=0)
    invoices = models.PositiveIntegerField("factures suivies convenues", default=0)
    trial_ends_on = models.DateField("essai jusqu’au", null=True, blank=True)
    began_on = models.DateField("depuis le", null=True)
    agreed_at = models.DateTimeField("accord donné le", null=True)
    agreed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    cancelled_at = models.DateTimeField("résilié le", null=True)
    ends_on = models.DateField("dernier jour", null=True)
    # Written by the operator; the firm is silent until it is taken away.
    unpaid_since = models.DateField("impayé depuis le", null=True, blank=True)
    # When this subscription silenced the firm: what something else silenced is not given back by it.
    silenced_at = models.DateTimeField("envois arrêtés le", null=True)
    warned_on = models.DateField("fin d’essai annoncée le", null=True)

    wall: ClassVar[Wall] = Wall(
        operator=Grant(select=("*",), update=("trial_ends_on", "unpaid_since")),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "abonnement"
        constraints = [
            models.UniqueConstraint(
                name="one_subscription_a_firm",
                fields=["cabinet"],
                violation_error_message="Ce cabinet a déjà un abonnement.",
            ),
            models.CheckConstraint(
                name="subscription_agreed_by_somebody",
                condition=Q(began_on=None) | Q(offer__isnull=False, agreed_at__isnull=False, agreed_by__isnull=False),
                violation_error_message="Un abonnement a été accepté par quelqu’un, pour une offre.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
