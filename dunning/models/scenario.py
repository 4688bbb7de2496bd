"""Scenarios: a firm's ladders, versioned; a case in flight stays on its version."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cabinets.enums import ClientKind
from cabinets.models import Dossier, Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall
from dunning.enums import Channel, Tone


class Scenario(CabinetOwned):
    """A named ladder: the default one, or one chosen by kind of client, practice area or dossier."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom", max_length=80)
    client_kind = models.CharField("qualité du client", max_length=16, choices=ClientKind, blank=True)
    practice_area = models.CharField("domaine", max_length=60, blank=True, default="")
    is_default = models.BooleanField("par défaut", default=False)
    is_archived = models.BooleanField("archivé", default=False)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id")))

    class Meta(CabinetOwned.Meta):
        verbose_name = "scénario"
        constraints = [
            models.UniqueConstraint(
                name="one_default_scenario",
                fields=["cabinet"],
                condition=Q(is_default=True),
                violation_error_message="Le cabinet a déjà un scénario par défaut.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ScenarioVersion(CabinetOwned):
    """A scenario as it was on one day; never edited once cases run on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("version")
    note = models.CharField("ce qui change", max_length=200, blank=True, default="")
    min_gap_days = models.PositiveSmallIntegerField("écart minimal entre deux étapes (jours)", default=7)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField("créée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "scenario_id", "min_gap_days")))

    class Meta(CabinetOwned.Meta):
        verbose_name = "version de scénario"
        constraints = [
            models.UniqueConstraint(
                name="scenario_version_once",
                fields=["scenario", "number"],
                violation_error_message="Version déjà créée.",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class ScenarioChoice(CabinetOwned):
    """The ladder one dossier follows, whatever its kind of client and its practice area say."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dossier = models.OneToOneField(Dossier, on_delete=models.PROTECT, related_name="+")
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="+")
    chosen_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    chosen_at = models.DateTimeField("choisi le", auto_now=True)

    wall: ClassVar[Wall] = Wall(by="dossier")

    class Meta(CabinetOwned.Meta):
        verbose_name = "scénario d’un dossier"
        verbose_name_plural = "scénarios des dossiers"

    def __str__(self) -> str:
        return str(self.pk)


class Step(CabinetOwned):
    """One rung: when, how, in which tone, and what it asks before it leaves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT, related_name="steps")
    rank = models.PositiveSmallIntegerField("rang")
    offset_days = models.SmallIntegerField("jours après l’échéance")
    tone = models.CharField("ton", max_length=10, choices=Tone)
    channel = models.CharField("canal", max_length=12, choices=Channel, default=Channel.EMAIL)
    # They follow in the wake of the main message, the same day, once it has really left.
    companions = ArrayField(
        models.CharField(max_length=12, choices=Channel),
        verbose_name="canaux qui l’accompagnent",
        default=list,
        blank=True,
    )
    answer_days = models.PositiveSmallIntegerField("délai de réponse (jours)", default=7)
    # A formal notice gives a client who is no professional longer to answer.
    answer_days_others = models.PositiveSmallIntegerField("délai des non-professionnels (jours)", null=True, blank=True)
    needs_approval = models.BooleanField("demande toujours un accord", default=False)
    signed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="signataire"
    )
    needs_rate = models.BooleanField("exige le taux du semestre", default=False)
    # The rule that refuses the step's text; empty when the text may leave.
    text_fault = models.CharField("texte refusé par", max_length=60, blank=True)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "version_id",
                "rank",
                "offset_days",
                "tone",
                "channel",
                "companions",
                "needs_approval",
                "needs_rate",
                "text_fault",
            )
        )
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "étape"
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(
                name="step_rank_once",
                fields=["version", "rank"],
                violation_error_message="Ce rang est déjà pris.",
            ),
        ]

    def __str__(self) -> str:
        return "J0" if self.offset_days == 0 else f"J{self.offset_days:+d}"
