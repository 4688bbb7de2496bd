"""Where a firm stands in its first steps, and where it came from."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from onboarding.enums import Mark, Step, Who


class StepMark(CabinetOwned):
    """What somebody said of a step."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    step = models.CharField("étape", max_length=12, choices=Step)
    mark = models.CharField("état", max_length=8, choices=Mark)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("dit le", auto_now=True)

    wall: ClassVar[Wall] = Wall()

    class Meta(CabinetOwned.Meta):
        verbose_name = "étape de mise en route"
        verbose_name_plural = "étapes de mise en route"
        constraints = [
            models.UniqueConstraint(
                name="one_mark_a_step",
                fields=["cabinet", "step"],
                violation_error_message="Cette étape est déjà notée.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_step_display())


class Baseline(SealedModel):
    """What a firm said of itself before, and what its own history says of it. Append-only: the first one counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    on = models.DateField("jour")
    # What the firm says.
    dso_days = models.PositiveSmallIntegerField("délai moyen déclaré (jours)", null=True)
    unpaid_percent = models.PositiveSmallIntegerField("impayées à 30 jours déclarées (%)", null=True)
    weekly_minutes = models.PositiveIntegerField("temps administratif déclaré (minutes par semaine)", null=True)
    first_reminder_days = models.PositiveSmallIntegerField("premier rappel après (jours)", null=True)
    who = models.CharField("qui relance", max_length=12, choices=Who, blank=True, default="")
    tools = SealedTextField("outils")
    frictions = SealedTextField("points de friction")
    # What its rows say, as of the day they were measured.
    measured_on = models.DateField("mesuré au", null=True)
    measured_dso = models.PositiveIntegerField("délai moyen mesuré (jours)", null=True)
    measured_unpaid_percent = models.PositiveSmallIntegerField("impayées à 30 jours mesurées (%)", null=True)
    measured_recovered_percent = models.PositiveSmallIntegerField("recouvrement à J+45 mesuré (%)", null=True)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("enregistré le", auto_now_add=True)

    # It tells of every dossier at once: only who sees them all reads it.
    wall: ClassVar[Wall] = Wall(by="every_file", append_only=True, erased=Grant(update=("tools", "frictions")))

    class Meta(SealedModel.Meta):
        verbose_name = "point de départ"
        verbose_name_plural = "points de départ"
        constraints = [
            models.CheckConstraint(
                name="baseline_shares_are_percents",
                condition=(Q(unpaid_percent=None) | Q(unpaid_percent__lte=100)),
                violation_error_message="Une part est comprise entre 0 et 100 %.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "-at"], name="baseline_by_day")]

    def __str__(self) -> str:
        return self.on.isoformat()
