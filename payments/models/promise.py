"""What became of a promise to pay, written beside the fact itself."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.scoping import CabinetOwned
from cabinets.wall import Wall
from invoices.models import Invoice, Standstill
from payments.enums import PromiseResult


class PromiseOutcome(CabinetOwned):
    """A promise kept or broken; judged once its money came, or once its grace is over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    standstill = models.ForeignKey(Standstill, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    result = models.CharField("issue", max_length=6, choices=PromiseResult)
    # The day promised: figures are told by it.
    promised_on = models.DateField("promis pour le")
    judged_on = models.DateField("constaté le")
    created_at = models.DateTimeField("enregistré le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="invoice")

    class Meta(CabinetOwned.Meta):
        verbose_name = "issue d’une promesse"
        verbose_name_plural = "issues des promesses"
        constraints = [
            models.UniqueConstraint(
                name="promise_judged_once",
                fields=["standstill"],
                violation_error_message="L’issue de cette promesse est déjà notée.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "promised_on", "result"], name="promise_results")]

    def __str__(self) -> str:
        return str(self.get_result_display())
