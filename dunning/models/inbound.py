"""What comes back: the mailbox that is read, and every message found in it, none of them lost."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cabinets.models import Client, Contact, Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from dunning.enums import InboundKind, InboundState, ReplyClass
from dunning.models.reminder import Reminder


class Mailbox(SealedModel):
    """The mailbox a firm's debtors answer to, read by IMAP; the password is sealed by the firm's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField("serveur", max_length=120)
    port = models.PositiveIntegerField("port", default=993)
    security = models.CharField(
        "sécurité",
        max_length=8,
        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "Aucune")],
        default="tls",
    )
    username = models.CharField("identifiant", max_length=120)
    password = SealedTextField("mot de passe")
    folder = models.CharField("dossier", max_length=120, default="INBOX")
    # The reply address may carry a token (factures+jeton@…) that names the reminder.
    takes_tokens = models.BooleanField("accepte les adresses en +", default=False)
    is_enabled = models.BooleanField("relevée", default=True)
    uid_validity = models.BigIntegerField("UIDVALIDITY", null=True)
    last_uid = models.BigIntegerField("dernier message lu", default=0)
    read_at = models.DateTimeField("relevée le", null=True)
    failure = models.CharField("incident", max_length=200, blank=True, default="")

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "is_enabled")))

    class Meta(SealedModel.Meta):
        verbose_name = "boîte de réception"
        verbose_name_plural = "boîtes de réception"
        constraints = [
            models.UniqueConstraint(
                name="one_mailbox",
                fields=["cabinet"],
                violation_error_message="Une boîte de réception est déjà réglée.",
            ),
        ]

    def __str__(self) -> str:
        return self.host


class InboundMessage(SealedModel):
    """One message received: a reply, a bounce, an automatic answer, or one nobody can place."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=12, choices=InboundKind)
    state = models.CharField("état", max_length=12, choices=InboundState)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, related_name="+", null=True)
    # Two clients may share an address: all are held until a person says whose message it is.
    candidate_ids = ArrayField(models.UUIDField(), verbose_name="clients possibles", default=list)
    # The SHA-256 of the Message-ID, or of the whole message when it bears none: the same message twice is one.
    digest = models.BinaryField("empreinte")
    mailbox_uid = models.BigIntegerField("UID", null=True)
    sender = SealedTextField("expéditeur")
    subject = SealedTextField("objet")
    text = SealedTextField("texte")
    raw = SealedTextField("message entier")
    bounce_code = models.CharField("code de refus", max_length=12, blank=True, default="")
    received_at = models.DateTimeField("reçu le")
    stored_at = models.DateTimeField("relevé le", auto_now_add=True)
    reply_class = models.CharField("classement", max_length=12, choices=ReplyClass, blank=True, default="")
    handled_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    handled_at = models.DateTimeField("traité le", null=True)
    note = SealedTextField("note")

    wall: ClassVar[Wall] = Wall(by="client_or_firm")

    class Meta(SealedModel.Meta):
        verbose_name = "message reçu"
        verbose_name_plural = "messages reçus"
        indexes = [models.Index(fields=["cabinet", "state", "received_at"], name="inbound_state")]
        constraints = [
            models.UniqueConstraint(
                name="inbound_once",
                fields=["cabinet", "digest"],
                violation_error_message="Ce message a déjà été relevé.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID | None:
        """Seal under the client's key once the client is known, else under the firm's."""
        return self.client_id
