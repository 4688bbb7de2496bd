"""Reminders: one message to one debtor on one channel, what it claims, what was said, what came of it."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cabinets.enums import ClientKind, Language
from cabinets.models import Cabinet, Client, Contact, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from dunning.enums import PENDING, Channel, Code, Reason, ReminderState
from dunning.models.case import DunningCase, NightlyRun
from dunning.models.scenario import Step
from invoices.models import Invoice

_PLANNED_COLUMNS = (
    "id", "cabinet_id", "client_id", "contact_id", "client_kind", "language", "step_id", "rank", "channel", "state",
    "night_id", '"on"', "depart_at", "reasons", "dossier_ids", "total_cents", "generation", "created_at", "cancel_code",
    "failure", "provider_code", "message_id", "attempts",
)  # fmt: skip


class Reminder(SealedModel):
    """One message: its invoices and amounts are frozen when it is planned, its facts checked again before it leaves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Rows come by hundreds of thousands a night: only the indexes below are worth their upkeep.
    cabinet = models.ForeignKey(Cabinet, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    client_kind = models.CharField("qualité du client", max_length=16, choices=ClientKind)
    language = models.CharField("langue", max_length=2, choices=Language)
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="+", db_index=False)
    rank = models.PositiveSmallIntegerField("rang")
    channel = models.CharField("canal", max_length=12, choices=Channel)
    # A companion follows the message that leads its step, and claims what it claims: it has no lines of its own.
    accompanies = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="companions", null=True, db_index=False
    )
    state = models.CharField("état", max_length=20, choices=ReminderState)
    night = models.ForeignKey(NightlyRun, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    on = models.DateField("planifiée le")
    depart_at = models.DateTimeField("départ")
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason), verbose_name="motifs d’accord", default=list)
    # Every dossier named in it: who does not see them all does not see the message.
    dossier_ids = ArrayField(models.UUIDField(), verbose_name="dossiers", default=list)
    total_cents = models.BigIntegerField("montant réclamé (centimes)")
    created_at = models.DateTimeField("créée le", auto_now_add=True)

    # Frozen at approval: "library:<slug>:<language>:<n>" or "firm:<id>"; empty, the text in force when it leaves.
    text_ref = models.CharField("version du texte", max_length=90, blank=True, default="", db_default="")
    # One message's own words, as a person changed them before approving; none: the text of its version.
    edited_subject = SealedTextField("objet modifié", null=True, default=None)
    edited_body = SealedTextField("texte modifié", null=True, default=None)
    edited_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    edited_at = models.DateTimeField("modifiée le", null=True)

    approved_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    approved_at = models.DateTimeField("approuvée le", null=True)
    seconded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    seconded_at = models.DateTimeField("seconde validation le", null=True)
    ended_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    cancel_code = models.CharField("annulée par", max_length=20, choices=Code, blank=True)

    generation = models.PositiveIntegerField("prise", default=0)
    lease_until = models.DateTimeField("prise jusqu’à", null=True)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    spoken_at = models.DateTimeField("dite le", null=True)
    spoken_on = models.DateField("jour de l’envoi", null=True)
    message_id = models.CharField("Message-ID", max_length=120, blank=True)
    # The very address an e-mail was sent from: the firm's, or the platform's in its place.
    sent_from = models.CharField("adresse d’envoi", max_length=254, blank=True, default="", db_default="")
    provider_code = models.CharField("réponse du serveur", max_length=12, blank=True)
    route = models.CharField("prestataire", max_length=20, blank=True, default="", db_default="")
    provider_ref = models.CharField("référence du prestataire", max_length=80, blank=True, default="", db_default="")
    segments = models.PositiveSmallIntegerField("parties du SMS", null=True)
    delivered_at = models.DateTimeField("remise le", null=True)
    failure = models.CharField("incident", max_length=300, blank=True)

    subject = SealedTextField("objet", null=True)
    html = SealedTextField("message", null=True)
    text = SealedTextField("message en texte", null=True)
    recipient = SealedTextField("destinataire", null=True)

    wall: ClassVar[Wall] = Wall(
        by="dossiers",
        scheduler=Grant(
            select=(
                *_PLANNED_COLUMNS,
                *("accompanies_id", "spoken_on", "spoken_at", "lease_until", "route", "provider_ref"),
            ),
            insert=_PLANNED_COLUMNS,
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "relance"
        indexes = [
            models.Index(
                fields=["depart_at"],
                name="reminder_to_send",
                condition=Q(state__in=["planned", "approved", "sending"]),
            ),
            models.Index(fields=["accompanies"], name="reminder_wake", condition=Q(accompanies__isnull=False)),
            models.Index(fields=["route", "provider_ref"], name="reminder_receipt", condition=~Q(provider_ref="")),
            models.Index(fields=["cabinet", "state", "depart_at"], name="reminder_state"),
            models.Index(fields=["cabinet", "client", "spoken_on"], name="reminder_contacts"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_pending_reminder_per_debtor",
                fields=["cabinet", "client"],
                condition=Q(state__in=[str(state) for state in PENDING], accompanies=None),
                violation_error_message="Une relance est déjà en préparation pour ce client.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class ReminderLine(CabinetOwned):
    """One invoice in a reminder: claimed at its step, or only mentioned."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cabinet = models.ForeignKey(Cabinet, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False)
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="lines", db_index=False)
    case = models.ForeignKey(DunningCase, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", db_index=False)
    rank = models.PositiveSmallIntegerField("rang")
    is_claimed = models.BooleanField("réclamée")
    owed_cents = models.BigIntegerField("reste dû (centimes)")
    # False once its reminder was cancelled, declined or rejected: the step may then be planned again.
    counts = models.BooleanField("compte", default=True)
    # False once its case was moved to another ladder: its rank is one of the ladder that was left.
    is_current = models.BooleanField("du scénario suivi", default=True, db_default=True)

    wall: ClassVar[Wall] = Wall(
        by="reminder",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "reminder_id",
                "invoice_id",
                "rank",
                "is_claimed",
                "counts",
                "owed_cents",
            ),
            insert=(
                "id",
                "cabinet_id",
                "reminder_id",
                "case_id",
                "invoice_id",
                "rank",
                "is_claimed",
                "owed_cents",
                "counts",
            ),
        ),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "ligne de relance"
        constraints = [
            models.UniqueConstraint(
                name="one_step_once",
                fields=["invoice", "rank"],
                condition=Q(is_claimed=True, counts=True, is_current=True),
                violation_error_message="Cette étape a déjà été faite pour cette facture.",
            ),
        ]
        indexes = [
            models.Index(fields=["reminder"], name="line_of_reminder"),
            models.Index(fields=["invoice"], name="line_of_invoice"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MailServer(SealedModel):
    """The server that carries a firm's e-mails; the password is sealed by the firm's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField("serveur", max_length=120)
    port = models.PositiveIntegerField("port", default=587)
    security = models.CharField(
        "sécurité",
        max_length=8,
        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "Aucune")],
        default="starttls",
    )
    username = models.CharField("identifiant", max_length=120, blank=True)
    password = SealedTextField("mot de passe")
    sender = models.EmailField("adresse d’expédition")
    reply_to = models.EmailField("adresse de réponse", blank=True)
    checked_at = models.DateTimeField("vérifié le", null=True)
    failure = models.CharField("incident", max_length=200, blank=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id")))

    class Meta(SealedModel.Meta):
        verbose_name = "serveur d’envoi"
        verbose_name_plural = "serveurs d’envoi"
        constraints = [
            models.UniqueConstraint(
                name="one_mail_server",
                fields=["cabinet"],
                violation_error_message="Un serveur est déjà réglé.",
            ),
        ]

    def __str__(self) -> str:
        return self.host


class FailedJob(models.Model):
    """A background job that failed: kept for an operator, without any content."""

    name = models.CharField("tâche", max_length=120)
    subject_id = models.UUIDField("identifiant", null=True)
    error = models.CharField("erreur", max_length=200)
    at = models.DateTimeField("instant", auto_now_add=True)
    closed_at = models.DateTimeField("close le", null=True)

    class Meta:
        verbose_name = "tâche en échec"
        verbose_name_plural = "tâches en échec"

    def __str__(self) -> str:
        return self.name
