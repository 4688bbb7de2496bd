"""Online payments: what debtors began to pay, what a mandate collects for them, what providers announced."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from cabinets.models import Client
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.models import Invoice
from payments.enums import UNSETTLED, CheckoutState, NoticeState, PaymentMeans
from payments.models.account import ProviderAccount
from payments.models.link import PaymentLink
from payments.models.mandate import Mandate
from payments.models.payment import Payment
from payments.models.plan import Instalment


class Checkout(SealedModel):
    """One attempt of a debtor to pay online, from click to end; its id is the reference told to the provider."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    # Nothing when a mandate pays an instalment by itself.
    link = models.ForeignKey(PaymentLink, on_delete=models.PROTECT, related_name="checkouts", null=True)
    # What collects it, and which date of a plan, when nobody comes to a page.
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="debits", null=True)
    instalment = models.ForeignKey(Instalment, on_delete=models.PROTECT, related_name="debits", null=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans)
    cents = models.BigIntegerField("montant (centimes)")
    state = models.CharField("état", max_length=10, choices=CheckoutState, default=CheckoutState.OPENING)
    ref = models.CharField("référence du prestataire", max_length=100, blank=True, default="")
    payment_ref = models.CharField("référence du paiement", max_length=100, blank=True, default="")
    url = SealedTextField("page de paiement")
    failure = models.CharField("refus", max_length=100, blank=True, default="")
    refunded_cents = models.BigIntegerField("remboursé (centimes)", default=0)
    disputed_cents = models.BigIntegerField("repris par la banque (centimes)", default=0)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField("commencé le", auto_now_add=True)
    expires_at = models.DateTimeField("page ouverte jusqu’à", null=True)
    # When the last question that was answered was asked: an older answer that arrives later changes nothing.
    asked_at = models.DateTimeField("vérifié le", null=True)
    # When the provider is asked by itself: a notice may be lost.
    ask_at = models.DateTimeField("à vérifier le", null=True)
    ended_at = models.DateTimeField("terminé le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client",
        scheduler=Grant(select=("id", "cabinet_id", "state", "created_at", "asked_at", "ask_at", "ended_at")),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "paiement en ligne"
        verbose_name_plural = "paiements en ligne"
        constraints = [
            models.CheckConstraint(
                name="checkout_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Le montant à payer doit être supérieur à zéro.",
            ),
            models.UniqueConstraint(
                name="one_checkout_a_reference",
                fields=["account", "ref"],
                condition=~Q(ref=""),
                violation_error_message="Ce paiement en ligne est déjà connu.",
            ),
            models.CheckConstraint(
                name="checkout_by_page_or_mandate",
                condition=Q(mandate=None, instalment=None)
                | Q(link=None, mandate__isnull=False, instalment__isnull=False),
                violation_error_message="Un versement est prélevé par un mandat, ou payé depuis une page.",
            ),
            # One that was never asked of the bank frees its place; one that was refused does not.
            models.UniqueConstraint(
                name="one_debit_an_instalment",
                fields=["instalment"],
                condition=~Q(state="expired"),
                violation_error_message="Ce versement a déjà été présenté à la banque.",
            ),
        ]
        indexes = [
            models.Index(fields=["ask_at"], name="checkout_to_ask", condition=Q(ask_at__isnull=False)),
            models.Index(fields=["cabinet", "state", "asked_at"], name="checkout_unsettled"),
            models.Index(fields=["cabinet", "client", "created_at"], name="checkout_of_client"),
            models.Index(fields=["account", "payment_ref"], name="checkout_of_payment"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id

    @property
    def lost_cents(self) -> int:
        """Return what left the firm again, refunded or taken back."""
        return self.refunded_cents + self.disputed_cents

    @property
    def is_debit(self) -> bool:
        """Say whether a mandate collects it, with nobody on a page."""
        return self.mandate_id is not None

    @property
    def is_unsettled(self) -> bool:
        """Say whether the provider may still say how it ends."""
        return self.state in UNSETTLED


class CheckoutLine(CabinetOwned):
    """The part of an online payment meant for one invoice."""

    id = models.BigAutoField(primary_key=True)
    checkout = models.ForeignKey(Checkout, on_delete=models.PROTECT, related_name="lines")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    cents = models.BigIntegerField("montant (centimes)")

    wall: ClassVar[Wall] = Wall(by="invoice")

    class Meta(CabinetOwned.Meta):
        verbose_name = "facture d’un paiement en ligne"
        constraints = [
            models.UniqueConstraint(
                name="checkout_line_once",
                fields=["checkout", "invoice"],
                violation_error_message="Cette facture est déjà dans ce paiement.",
            ),
            models.CheckConstraint(
                name="checkout_line_positive",
                condition=Q(cents__gt=0),
                violation_error_message="Le montant à payer doit être supérieur à zéro.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "invoice"], name="checkout_line_of_invoice")]

    def __str__(self) -> str:
        return str(self.pk)


class ProviderNotice(SealedModel):
    """What a provider announced, kept as it came before anything is made of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField("identifiant", max_length=120)
    kind = models.CharField("nature", max_length=60)
    ref = models.CharField("référence du prestataire", max_length=100, blank=True, default="")
    payment_ref = models.CharField("référence du paiement", max_length=100, blank=True, default="")
    # It may name the payer: sealed by the firm's key, and read by nobody but a replay.
    body = SealedTextField("contenu")
    state = models.CharField("état", max_length=8, choices=NoticeState, default=NoticeState.RECEIVED)
    tries = models.PositiveSmallIntegerField("essais", default=0)
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    checkout = models.ForeignKey(Checkout, on_delete=models.PROTECT, related_name="+", null=True)
    received_at = models.DateTimeField("reçu le", auto_now_add=True)
    due_at = models.DateTimeField("prochain essai", default=timezone.now)
    handled_at = models.DateTimeField("traité le", null=True)

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "state", "received_at", "due_at", "tries")))

    class Meta(SealedModel.Meta):
        verbose_name = "annonce d’un prestataire"
        verbose_name_plural = "annonces des prestataires"
        constraints = [
            models.UniqueConstraint(
                name="notice_once",
                fields=["account", "event_id"],
                violation_error_message="Cette annonce est déjà connue.",
            ),
        ]
        indexes = [
            models.Index(fields=["cabinet", "state", "received_at"], name="notice_waiting"),
            models.Index(fields=["due_at"], name="notice_due", condition=Q(state=NoticeState.RECEIVED)),
        ]

    def __str__(self) -> str:
        return self.kind
