"""Letters: the paper or electronic letter of a reminder, its states, its proofs, and the consent behind it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Client, Contact, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from dunning.enums import LetterState, Medium, ProofKind, RunState
from dunning.models.evidence import DocumentJob
from dunning.models.reminder import Reminder
from invoices.models import Document


class LetterConsent(SealedModel):
    """A client's consent to electronic registered letters, for the one address it names (R43, R49)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    email = SealedTextField("adresse e-mail")
    given_on = models.DateField("donné le")
    scope = models.CharField("portée", max_length=200)
    proof = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)
    withdrawn_on = models.DateField("retiré le", null=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "consentement à la lettre électronique"
        verbose_name_plural = "consentements à la lettre électronique"

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class Letter(SealedModel):
    """The letter of one reminder: by which route it goes, the very PDF, and where it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reminder = models.OneToOneField(Reminder, on_delete=models.PROTECT, related_name="letter")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    route = models.CharField("voie", max_length=20)
    state = models.CharField("état", max_length=12, choices=LetterState, default=LetterState.READY)
    is_registered = models.BooleanField("recommandée", default=True)
    is_electronic = models.BooleanField("électronique", default=False)
    consent = models.ForeignKey(LetterConsent, on_delete=models.PROTECT, related_name="+", null=True)
    recipient = SealedTextField("adresse du destinataire")
    stored_as = models.CharField("rangée sous", max_length=120, blank=True, default="")
    digest = models.BinaryField("empreinte SHA-256 du PDF", null=True)
    pages = models.PositiveSmallIntegerField("pages", null=True)
    # The date the letter bears: the day it leaves.
    dated_on = models.DateField("datée du", null=True)
    printed_at = models.DateTimeField("imprimée le", null=True)
    printed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    tracking = models.CharField("n° de suivi", max_length=40, blank=True, default="")
    provider_ref = models.CharField("référence du prestataire", max_length=80, blank=True, default="")
    deposited_on = models.DateField("déposée le", null=True)
    # The first presentation starts the answer deadline, and a consumer's interest (R13, R42).
    presented_on = models.DateField("présentée le", null=True)
    ended_on = models.DateField("distribuée, refusée ou revenue le", null=True)
    answer_by = models.DateField("réponse attendue le", null=True)
    poll_at = models.DateTimeField("prochaine interrogation", null=True)
    cost_cents = models.BigIntegerField("coût (centimes)", null=True)
    failure = models.CharField("incident", max_length=300, blank=True, default="")
    created_at = models.DateTimeField("créée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(
        by="reminder",
        scheduler=Grant(select=("id", "cabinet_id", "reminder_id", "route", "state", "poll_at", "provider_ref")),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "lettre"
        indexes = [
            models.Index(fields=["poll_at"], name="letter_to_poll", condition=Q(poll_at__isnull=False)),
            models.Index(fields=["cabinet", "state"], name="letter_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="letter_tracking_once",
                fields=["cabinet", "tracking"],
                condition=~Q(tracking=""),
                violation_error_message="Ce numéro de suivi appartient déjà à un autre courrier.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class LetterProof(SealedModel):
    """A proof of what became of a letter: a sealed file that is never replaced. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="proofs")
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("nature", max_length=10, choices=ProofKind)
    file_name = SealedTextField("nom du fichier")
    media_type = models.CharField("type", max_length=60)
    size = models.PositiveIntegerField("taille (octets)")
    digest = models.BinaryField("empreinte SHA-256")
    stored_as = models.CharField("rangé sous", max_length=120)
    source = models.CharField("provenance", max_length=20)
    added_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    added_at = models.DateTimeField("reçu le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="reminder", append_only=True, erased=Grant(update=("file_name", "stored_as")))

    class Meta(SealedModel.Meta):
        verbose_name = "preuve de courrier"
        verbose_name_plural = "preuves de courrier"
        constraints = [
            models.UniqueConstraint(
                name="proof_once",
                fields=["letter", "digest"],
                violation_error_message="Cette preuve est déjà enregistrée.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class PrintRunLine(CabinetOwned):
    """One letter of a print run: its place in the pile, and what came of it there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(DocumentJob, on_delete=models.PROTECT, related_name="lines")
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField("rang")
    state = models.CharField("état", max_length=8, choices=RunState, default=RunState.WAITING)
    # The letter as it was chosen, then as it was printed here: one printed elsewhere since is another letter.
    chosen_generation = models.PositiveIntegerField("version choisie")
    generation = models.PositiveIntegerField("version imprimée", null=True)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    why = models.CharField("raison", max_length=300, blank=True, default="")

    wall: ClassVar[Wall] = Wall(by="reminder")

    class Meta(CabinetOwned.Meta):
        verbose_name = "lettre d’un tirage"
        verbose_name_plural = "lettres d’un tirage"
        constraints = [
            models.UniqueConstraint(
                name="letter_once_a_run",
                fields=["run", "reminder"],
                violation_error_message="Cette lettre est déjà dans ce tirage.",
            ),
            models.UniqueConstraint(
                name="letter_waits_in_one_run",
                fields=["reminder"],
                condition=Q(state="waiting"),
                violation_error_message="Cette lettre est déjà dans un tirage en préparation.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ChannelAccount(SealedModel):
    """A firm's contract with an SMS or letter provider; its secrets are sealed by the firm's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    medium = models.CharField("support", max_length=8, choices=Medium)
    provider = models.CharField("prestataire", max_length=20)
    is_enabled = models.BooleanField("en service", default=False)
    sender = models.CharField("expéditeur", max_length=40, blank=True, default="")
    # What is no secret: a service name, an address, options.
    options = models.JSONField("réglages", default=dict)
    secrets = SealedTextField("identifiants")
    # Thousandths of a euro, VAT excluded: an SMS part, a letter.
    unit_price_thousandths = models.PositiveIntegerField("prix unitaire (millièmes d’euro)", null=True)
    # The unguessable part of the address a provider's notices arrive at.
    hook_hash = models.BinaryField("empreinte de l’adresse de retour", null=True, unique=True)
    # A qualified electronic letter asks its sender a code; the session it opens lasts one hour.
    session_until = models.DateTimeField("session ouverte jusqu’à", null=True)
    checked_at = models.DateTimeField("vérifié le", null=True)
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    changed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    changed_at = models.DateTimeField("réglé le", auto_now=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "medium", "provider", "is_enabled")))

    class Meta(SealedModel.Meta):
        verbose_name = "compte d’un prestataire"
        verbose_name_plural = "comptes des prestataires"
        constraints = [
            models.UniqueConstraint(
                name="one_account_a_provider",
                fields=["cabinet", "medium", "provider"],
                violation_error_message="Ce prestataire est déjà réglé.",
            ),
            models.UniqueConstraint(
                name="one_sms_provider_at_a_time",
                fields=["cabinet"],
                condition=Q(medium="sms", is_enabled=True),
                violation_error_message="Un prestataire de SMS est déjà en service.",
            ),
        ]

    def __str__(self) -> str:
        return self.provider


class Call(SealedModel):
    """What came of a call a step asked for. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="calls")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    result = models.CharField("issue", max_length=14)
    promised_on = models.DateField("promis pour le", null=True)
    note = SealedTextField("note")
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField("instant")

    wall: ClassVar[Wall] = Wall(by="reminder", append_only=True, erased=Grant(update=("note",)))

    class Meta(SealedModel.Meta):
        verbose_name = "appel"

    def __str__(self) -> str:
        return self.result

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class SmsCatch(SealedModel):
    """An SMS of a demonstration: it reached nobody but this table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField("référence", max_length=80, unique=True)
    recipient = SealedTextField("numéro")
    sender = models.CharField("expéditeur", max_length=20)
    text = SealedTextField("texte")
    at = models.DateTimeField("instant")

    class Meta(SealedModel.Meta):
        verbose_name = "SMS de démonstration"
        verbose_name_plural = "SMS de démonstration"

    def __str__(self) -> str:
        return self.reference
