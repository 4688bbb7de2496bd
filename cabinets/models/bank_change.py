"""Another account proposed for the firm's clients to pay on."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.enums import BankChangeEnd
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class BankChange(CabinetOwned):
    """One proposal: until it is applied, the account before stays the firm's everywhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    iban = models.CharField("IBAN proposé", max_length=34)
    bic = models.CharField("BIC proposé", max_length=11, blank=True, default="")
    account_holder = models.CharField("titulaire proposé", max_length=120, blank=True, default="")
    iban_before = models.CharField("IBAN d’avant", max_length=34)
    bic_before = models.CharField("BIC d’avant", max_length=11, blank=True, default="")
    account_holder_before = models.CharField("titulaire d’avant", max_length=120, blank=True, default="")
    proposed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField("proposé le")
    # Written once: whoever is let go afterwards had a say when it was proposed.
    needs_somebody = models.BooleanField("demande un second associé", default=True, db_default=True)
    confirmed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    confirmed_at = models.DateTimeField("confirmé le", null=True)
    ended_at = models.DateTimeField("terminé le", null=True)
    ended_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    end = models.CharField("issue", max_length=9, choices=BankChangeEnd, blank=True, default="")

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "ended_at")))

    class Meta(CabinetOwned.Meta):
        verbose_name = "changement d’IBAN"
        verbose_name_plural = "changements d’IBAN"
        constraints = [
            models.UniqueConstraint(
                name="one_bank_change_at_a_time",
                fields=["cabinet"],
                condition=Q(ended_at=None),
                violation_error_message="Un changement d’IBAN est déjà proposé.",
            ),
            models.CheckConstraint(
                name="bank_change_by_two_people",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=models.F("proposed_by")),
                violation_error_message="Une autre personne confirme un changement d’IBAN.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
