"""Evidence: what left and what proves it, chained; documents made from it; mails to the firm's own people."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models import Client, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from dunning.enums import JobKind, JobState, StaffMailKind
from dunning.models.reminder import Reminder
from invoices.models import Invoice


class EvidenceEntry(CabinetOwned):
    """One link of a firm's chain: digests of what left and of its proofs, never their content. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.PositiveBigIntegerField("rang")
    at = models.DateTimeField("instant")
    event = models.CharField("événement", max_length=40)
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="+", null=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True)
    subject_type = models.CharField("objet", max_length=40, blank=True, default="")
    subject_id = models.UUIDField("identifiant", null=True)
    # Codes, instants, identifiers of providers.
    facts = models.JSONField("faits", default=dict)
    # Name of the content -> SHA-256 in hexadecimal.
    digests = models.JSONField("empreintes", default=dict)
    previous = models.BinaryField("maillon précédent")
    hash = models.BinaryField("maillon")

    wall: ClassVar[Wall] = Wall(append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "élément de preuve"
        verbose_name_plural = "éléments de preuve"
        constraints = [
            models.UniqueConstraint(
                name="evidence_in_one_line",
                fields=["cabinet", "seq"],
                violation_error_message="Ce rang de la chaîne est déjà pris.",
            ),
        ]
        indexes = [
            models.Index(fields=["reminder"], name="evidence_of_reminder"),
            models.Index(fields=["cabinet", "client", "at"], name="evidence_of_client"),
        ]

    def __str__(self) -> str:
        return str(self.seq)


class DocumentJob(SealedModel):
    """A heavy document made in the background: asked for, made, fetched once ready."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=12, choices=JobKind)
    state = models.CharField("état", max_length=8, choices=JobState, default=JobState.ASKED)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", null=True)
    file_name = SealedTextField("nom du fichier")
    media_type = models.CharField("type", max_length=60, blank=True, default="")
    stored_as = models.CharField("rangé sous", max_length=120, blank=True, default="")
    # A second form of the same document (the bâtonnier's file is one PDF and a ZIP).
    archive_as = models.CharField("archive rangée sous", max_length=120, blank=True, default="")
    size = models.PositiveIntegerField("taille (octets)", null=True)
    digest = models.BinaryField("empreinte SHA-256", null=True)
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    asked_at = models.DateTimeField("demandé le", auto_now_add=True)
    done_at = models.DateTimeField("prêt le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client_or_firm", scheduler=Grant(select=("id", "cabinet_id", "kind", "state", "asked_at"))
    )

    class Meta(SealedModel.Meta):
        verbose_name = "document préparé"
        verbose_name_plural = "documents préparés"
        indexes = [models.Index(fields=["asked_at"], name="job_to_do", condition=models.Q(state="asked"))]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID | None:
        """Seal under the client's key where there is one."""
        return self.client_id


class StaffMail(SealedModel):
    """A mail (or an SMS) to a person of the firm, in a queue of its own: it never reaches a debtor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=10, choices=StaffMailKind)
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    # What makes it one of a kind: a day, a version; asked twice, it leaves once.
    key = models.CharField("clé", max_length=80)
    # Written to somebody the person named (who keeps the firm's DNS); empty: to the person.
    address = SealedTextField("adresse", null=True, default=None)
    subject = SealedTextField("objet")
    html = SealedTextField("message")
    text = SealedTextField("message en texte")
    asked_at = models.DateTimeField("demandé le", auto_now_add=True)
    sent_at = models.DateTimeField("envoyé le", null=True)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    failure = models.CharField("incident", max_length=200, blank=True, default="")

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "kind", "sent_at", "attempts", "asked_at")))

    class Meta(SealedModel.Meta):
        verbose_name = "message à l’équipe"
        verbose_name_plural = "messages à l’équipe"
        constraints = [
            models.UniqueConstraint(
                name="staff_mail_once",
                fields=["cabinet", "member", "kind", "key"],
                violation_error_message="Ce message a déjà été demandé.",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], name="staff_mail_to_send", condition=models.Q(sent_at=None))]

    def __str__(self) -> str:
        return str(self.get_kind_display())
