"""Payment plans: what a firm allows, what was agreed, its dates and the invoices it covers."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cabinets.enums import ClientKind, Language
from cabinets.models import Client, Contact, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Wall
from invoices.models import Invoice
from payments.enums import PlanOrigin, PlanState
from payments.models.link import PaymentLink
from payments.plans import FEWEST, MOST, Limits

LONGEST_MONTHS = 12


class PlanSettings(CabinetOwned):
    """What a firm lets a debtor propose, and what it does of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    is_offered = models.BooleanField("proposer le paiement en plusieurs fois", default=True)
    most_instalments = models.PositiveSmallIntegerField("nombre de versements au plus", default=3)
    smallest_cents = models.BigIntegerField("montant à partir duquel (centimes)", default=20_000)
    instalment_cents = models.BigIntegerField("versement au moins (centimes)", default=5_000)
    longest_months = models.PositiveSmallIntegerField("durée au plus (mois)", default=3)
    first_within_days = models.PositiveSmallIntegerField("premier versement dans les (jours)", default=15)
    remind_days = models.PositiveSmallIntegerField("rappel avant chaque versement (jours)", default=3)
    accepts_alone = models.BooleanField("accepter seul ce qui respecte ces limites", default=False)

    wall: ClassVar[Wall] = Wall()

    class Meta(CabinetOwned.Meta):
        verbose_name = "réglage des échéanciers"
        verbose_name_plural = "réglages des échéanciers"
        constraints = [
            models.UniqueConstraint(
                name="one_plan_settings",
                fields=["cabinet"],
                violation_error_message="Les échéanciers sont déjà réglés.",
            ),
            models.CheckConstraint(
                name="plan_settings_within_reason",
                condition=Q(most_instalments__gte=FEWEST, most_instalments__lte=MOST)
                & Q(longest_months__gte=1, longest_months__lte=LONGEST_MONTHS)
                & Q(smallest_cents__gt=0, instalment_cents__gt=0, first_within_days__gte=1, remind_days__gte=1),
                violation_error_message="Un échéancier compte de deux à quatre versements, sur douze mois au plus.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def limits(self) -> Limits:
        """Return the limits of what a debtor may propose."""
        return Limits(
            is_offered=self.is_offered,
            most=self.most_instalments,
            smallest_cents=self.smallest_cents,
            instalment_cents=self.instalment_cents,
            months=self.longest_months,
            first_within_days=self.first_within_days,
        )


class PaymentPlan(SealedModel):
    """Dates agreed, or proposed, for what a debtor owes: free, written, and in the place of the ladder while kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    # The addressee when it is not the client: the plan covers only the invoices billed to them.
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, related_name="plans", null=True)
    # Dates agreed anew after a first plan was not kept, or that answer a proposal.
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, related_name="replaced_by", null=True)
    state = models.CharField("état", max_length=10, choices=PlanState, default=PlanState.PROPOSED)
    origin = models.CharField("proposé par", max_length=6, choices=PlanOrigin)
    kind = models.CharField("qualité du client", max_length=16, choices=ClientKind)
    language = models.CharField("langue", max_length=2, choices=Language)
    total_cents = models.BigIntegerField("montant (centimes)")
    # Every dossier it covers: who does not see them all does not see the plan.
    dossier_ids = ArrayField(models.UUIDField(), verbose_name="dossiers", default=list)
    message = SealedTextField("message du client")
    answer = SealedTextField("réponse du cabinet")
    proposed_on = models.DateField("proposé le")
    proposed_at = models.DateTimeField("enregistré le", auto_now_add=True)
    proposed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    # The day the debtor agreed: it is what interrupts limitation (R29).
    agreed_on = models.DateField("accord du client le", null=True)
    accepted_at = models.DateTimeField("accepté le", null=True)
    accepted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    # The last day on which the last instalment is in time.
    ends_on = models.DateField("dernier jour", null=True)
    closed_at = models.DateTimeField("clos le", null=True)
    closed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(by="dossiers")

    class Meta(SealedModel.Meta):
        verbose_name = "échéancier"
        constraints = [
            models.UniqueConstraint(
                name="one_running_plan_per_addressee",
                fields=["cabinet", "client", "contact"],
                condition=Q(state__in=[PlanState.PROPOSED.value, PlanState.ACTIVE.value]),
                nulls_distinct=False,
                violation_error_message="Un échéancier est déjà proposé ou en cours pour ce client.",
            ),
            models.CheckConstraint(
                name="plan_positive",
                condition=Q(total_cents__gt=0),
                violation_error_message="Un échéancier porte sur un montant supérieur à zéro.",
            ),
            models.CheckConstraint(
                name="plan_accepted_when_it_runs",
                condition=~Q(state__in=["active", "kept", "broken"])
                | Q(accepted_at__isnull=False, agreed_on__isnull=False, ends_on__isnull=False),
                violation_error_message="Un échéancier en cours a été accepté par les deux parties.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "state", "ends_on"], name="plan_state")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id

    @property
    def is_waiting(self) -> bool:
        """Say whether a person has to decide: a debtor's proposal, or a plan that was not kept."""
        if self.state == PlanState.PROPOSED:
            return self.origin == PlanOrigin.DEBTOR
        return self.state == PlanState.BROKEN and self.closed_at is None


class Instalment(CabinetOwned):
    """One date of a plan; what is paid of it is read from the invoices, whatever road the money took."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="instalments")
    rank = models.PositiveSmallIntegerField("rang")
    due_on = models.DateField("à payer le")
    cents = models.BigIntegerField("montant (centimes)")
    tolerated_until = models.DateField("toléré jusqu’au", null=True)
    missed_at = models.DateTimeField("manqué, constaté le", null=True)

    wall: ClassVar[Wall] = Wall(by="plan")

    class Meta(CabinetOwned.Meta):
        verbose_name = "versement"
        constraints = [
            models.UniqueConstraint(
                name="instalment_once", fields=["plan", "rank"], violation_error_message="Ce versement existe déjà."
            ),
            models.CheckConstraint(
                name="instalment_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Un versement est supérieur à zéro.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rank}"


class PlanLine(CabinetOwned):
    """One invoice of a plan, and what was left of it when the plan was agreed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(PaymentPlan, on_delete=models.PROTECT, related_name="lines")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    owed_cents = models.BigIntegerField("reste dû à l’accord (centimes)")

    wall: ClassVar[Wall] = Wall(by="invoice")

    class Meta(CabinetOwned.Meta):
        verbose_name = "facture d’un échéancier"
        verbose_name_plural = "factures d’un échéancier"
        constraints = [
            models.UniqueConstraint(
                name="plan_line_once",
                fields=["plan", "invoice"],
                violation_error_message="Cette facture est déjà dans cet échéancier.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "invoice"], name="plan_of_invoice")]

    def __str__(self) -> str:
        return str(self.pk)
