"""Links and what debtors say from them."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models import Client, Contact, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.models import Invoice
from payments.enums import (
    DataRight,
    LinkMedium,
    LinkMessageKind,
    Preference,
    ProblemReason,
    RequestKind,
    RequestState,
)

# What a request is about: a problem's reason, a right, a preference.
REASONS = [*ProblemReason.choices, *DataRight.choices, *Preference.choices]


class PaymentLink(CabinetOwned):
    """A debtor's way in: the token is recomputed when it must be shown, only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    # The addressee when it is not the client: the link opens only the invoices billed to them.
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    version = models.PositiveSmallIntegerField("version", default=1)
    token_hash = models.BinaryField("empreinte du jeton", unique=True)
    # A text message has room for a part of the token only; nothing until one was written.
    short_hash = models.BinaryField("empreinte du jeton court", null=True, unique=True)
    # A short address is guessed more easily than a long one: it lives thirty days after the last message that bore it.
    short_at = models.DateTimeField("jeton court écrit le", null=True)
    revoked_at = models.DateTimeField("révoqué le", null=True)
    settled_on = models.DateField("plus rien n’est dû depuis le", null=True)
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(CabinetOwned.Meta):
        verbose_name = "lien de paiement"
        constraints = [
            models.UniqueConstraint(
                name="one_live_link_per_addressee",
                fields=["cabinet", "client", "contact"],
                condition=models.Q(revoked_at=None),
                nulls_distinct=False,
                violation_error_message="Un lien est déjà ouvert pour ce destinataire.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LinkVisit(CabinetOwned):
    """A page of a link was shown; no rule relies on it (scanners open links too)."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, related_name="visits")
    at = models.DateTimeField("instant")
    # The invoice whose own document was handed over, behind a code; nothing for the page itself.
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(append_only=True, erased=Grant(delete=True))

    class Meta(CabinetOwned.Meta):
        verbose_name = "visite"

    def __str__(self) -> str:
        return str(self.at)


class LinkMessage(SealedModel):
    """A message its reader asked for, to the address the firm knows: its words are written when it leaves.

    A code is made from this row and a key: the database holds nothing of it. Sealed under the firm's key: the last
    message to somebody outlives their client's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, related_name="messages")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("nature", max_length=10, choices=LinkMessageKind)
    medium = models.CharField("voie", max_length=5, choices=LinkMedium)
    # Of a last message alone, whose address the firm keeps nowhere else: until it leaves, or may no longer.
    recipient = SealedTextField("destinataire", null=True, default=None)
    asked_at = models.DateTimeField("demandé le")
    sent_at = models.DateTimeField("envoyé le", null=True)
    attempts = models.PositiveSmallIntegerField("essais d’envoi", default=0)
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    # Of a code alone.
    tries = models.PositiveSmallIntegerField("essais du code", default=0)
    used_at = models.DateTimeField("code utilisé le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client",
        scheduler=Grant(select=("id", "cabinet_id", "kind", "medium", "asked_at", "sent_at", "attempts")),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "message demandé depuis un lien"
        verbose_name_plural = "messages demandés depuis un lien"
        indexes = [
            models.Index(fields=["asked_at"], name="link_message_to_send", condition=models.Q(sent_at=None)),
            models.Index(fields=["cabinet", "link", "kind", "asked_at"], name="link_message_of_link"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Proof(SealedModel):
    """The file a debtor joined to « J’ai déjà payé », sealed under the client's key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    file_name = SealedTextField("nom du fichier")
    media_type = models.CharField("type", max_length=60)
    size = models.PositiveIntegerField("taille (octets)")
    digest = models.BinaryField("empreinte SHA-256")
    stored_as = models.CharField("rangé sous", max_length=120)
    received_at = models.DateTimeField("reçu le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "justificatif d’un client"
        verbose_name_plural = "justificatifs des clients"

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class DebtorRequest(SealedModel):
    """What a debtor said: it stops the ladder at once and waits for an answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, related_name="requests")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", null=True)
    kind = models.CharField("nature", max_length=16, choices=RequestKind)
    reason = models.CharField("raison", max_length=10, choices=REASONS, blank=True)
    paid_on = models.DateField("payée le", null=True)
    paid_by = models.CharField("moyen", max_length=10, blank=True)
    message = SealedTextField("message")
    # One file may tell of several invoices at once.
    proof = models.ForeignKey(Proof, on_delete=models.PROTECT, related_name="requests", null=True)
    state = models.CharField("état", max_length=10, choices=RequestState, default=RequestState.OPEN)
    answer = SealedTextField("réponse")
    received_at = models.DateTimeField("reçue le", auto_now_add=True)
    answered_at = models.DateTimeField("traitée le", null=True)
    answered_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "demande d’un client"
        verbose_name_plural = "demandes des clients"
        indexes = [models.Index(fields=["cabinet", "state", "received_at"], name="request_open")]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id
