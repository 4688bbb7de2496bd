"""Cases and nights: one narrow row per invoice in recovery, and what each night decided of it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Cabinet, Client, Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall
from dunning.enums import Code, Entry
from dunning.models.scenario import ScenarioVersion
from invoices.models import Invoice


class DunningCase(CabinetOwned):
    """An invoice on the ladder: which step is next and on which day the night must look at it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A million rows are rewritten every night: only the indexes below are worth their upkeep.
    cabinet = models.ForeignKey(Cabinet, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    next_rank = models.PositiveSmallIntegerField("prochaine étape", default=1)
    # In the firm's time zone; nothing while an event, and not a day, will move the case.
    next_action_on = models.DateField("prochain examen", null=True)
    last_step_on = models.DateField("dernière étape partie le", null=True)
    entry = models.CharField("entrée", max_length=8, choices=Entry, default=Entry.NORMAL)
    code = models.CharField("dernière décision", max_length=20, choices=Code, blank=True)
    entered_on = models.DateField("entrée le")

    wall: ClassVar[Wall] = Wall(
        by="invoice",
        scheduler=Grant(select=("*",), update=("next_action_on", "next_rank", "code")),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "suivi de relance"
        verbose_name_plural = "suivis de relance"
        indexes = [
            models.Index(
                fields=["next_action_on", "cabinet", "client"],
                name="case_due",
                condition=Q(next_action_on__isnull=False),
            ),
            models.Index(fields=["cabinet", "client"], name="case_of_client"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class NightlyRun(CabinetOwned):
    """One evaluation of one firm for one local date; running it twice changes nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    on = models.DateField("nuit du")
    # 2 once a person confirmed an abnormal night and it was evaluated again.
    round = models.PositiveSmallIntegerField("tour", default=1)
    started_at = models.DateTimeField("commencée le")
    finished_at = models.DateTimeField("terminée le", null=True)
    due = models.PositiveIntegerField("examinées", default=0)
    planned = models.PositiveIntegerField("prévues", default=0)
    awaiting = models.PositiveIntegerField("à valider", default=0)
    held = models.PositiveIntegerField("retenues", default=0)
    is_abnormal = models.BooleanField("inhabituelle", default=False)
    confirmed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    confirmed_at = models.DateTimeField("confirmée le", null=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("*",), insert=("*",), update=("*",)))

    class Meta(CabinetOwned.Meta):
        verbose_name = "nuit"
        constraints = [
            models.UniqueConstraint(
                name="one_night_a_day",
                fields=["cabinet", "on"],
                violation_error_message="Cette nuit a déjà été évaluée.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.on)


class Decision(CabinetOwned):
    """What one night answered for one invoice, by which rule, on which facts. Append-only."""

    id = models.BigAutoField(primary_key=True)
    cabinet = models.ForeignKey(Cabinet, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", db_index=False)
    on = models.DateField("nuit du")
    round = models.PositiveSmallIntegerField("tour", default=1)
    code = models.CharField("règle", max_length=20, choices=Code)
    rank = models.PositiveSmallIntegerField("étape", null=True)
    reminder_id = models.UUIDField("relance", null=True)
    # When the night will look again; nothing when an event, and not a day, will move the case.
    again_on = models.DateField("prochain examen", null=True)
    facts = models.JSONField("faits", default=dict)

    wall: ClassVar[Wall] = Wall(
        by="invoice",
        append_only=True,
        scheduler=Grant(
            select=("id", "cabinet_id", "invoice_id", '"on"', "round", "code"),
            insert=(
                "cabinet_id",
                "invoice_id",
                '"on"',
                "round",
                "code",
                "rank",
                "reminder_id",
                "again_on",
                "facts",
            ),
        ),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "décision"
        indexes = [models.Index(fields=["cabinet", "on"], name="decision_of_night")]
        constraints = [
            models.UniqueConstraint(
                name="one_decision_a_night",
                fields=["invoice", "on", "round"],
                violation_error_message="Cette facture a déjà été décidée cette nuit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.code}"
