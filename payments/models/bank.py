"""What the bank said: files, accounts, statements, their lines, and what each line was found to pay."""

import json
import uuid
from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.models import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from payments.enums import BankFormat, BankSource, GuessOutcome, IgnoredReason, LineState
from payments.models.payment import Payment

EVERY_FILE = Wall(by="every_file")


class BankAccount(SealedModel):
    """An account the firm is paid on, known by its number's index."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = SealedTextField("numéro de compte")
    number_index = models.BinaryField("recherche numéro", editable=False)
    # Payments are known through the day every followed account is: a closed account must not hold the others back.
    is_followed = models.BooleanField("suivi", default=True)
    through_on = models.DateField("relevé jusqu’au", null=True)
    created_at = models.DateTimeField("connu le", auto_now_add=True)

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(SealedModel.Meta):
        verbose_name = "compte bancaire"
        verbose_name_plural = "comptes bancaires"
        constraints = [
            models.UniqueConstraint(
                name="bank_account_once",
                fields=["cabinet", "number_index"],
                violation_error_message="Ce compte est déjà connu.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BankFile(SealedModel):
    """One file as the bank wrote it, sealed in the firm's folder; the same bytes are never taken twice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    format = models.CharField("format", max_length=10, choices=BankFormat)
    source = models.CharField("origine", max_length=8, choices=BankSource, default=BankSource.UPLOAD)
    file_name = SealedTextField("nom du fichier")
    stored_as = models.CharField("rangé sous", max_length=120)
    digest = models.BinaryField("empreinte SHA-256")
    lines_new = models.PositiveIntegerField("lignes nouvelles", default=0)
    lines_known = models.PositiveIntegerField("lignes déjà connues", default=0)
    taken_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    taken_at = models.DateTimeField("reçu le", auto_now_add=True)

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(SealedModel.Meta):
        verbose_name = "fichier bancaire"
        verbose_name_plural = "fichiers bancaires"
        constraints = [
            models.UniqueConstraint(
                name="bank_file_once",
                fields=["cabinet", "digest"],
                violation_error_message="Ce fichier est déjà pris en compte.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BankStatement(CabinetOwned):
    """One account over one period of a file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="statements")
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="statements")
    starts_on = models.DateField("du")
    ends_on = models.DateField("au")
    opening_cents = models.BigIntegerField("solde de départ (centimes)", null=True)
    closing_cents = models.BigIntegerField("solde final (centimes)", null=True)

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(CabinetOwned.Meta):
        verbose_name = "relevé bancaire"
        verbose_name_plural = "relevés bancaires"

    def __str__(self) -> str:
        return f"{self.starts_on} {self.ends_on}"


class BankLine(SealedModel):
    """One line of an account: money in (positive cents) or out; a file that overlaps another adds it once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="lines")
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    # The index of what tells a line from another, and its place among those that nothing tells apart that day.
    line_index = models.BinaryField("empreinte de la ligne", editable=False)
    rank = models.PositiveSmallIntegerField("rang dans le jour", default=0)
    booked_on = models.DateField("date d’opération")
    value_on = models.DateField("date de valeur")
    cents = models.BigIntegerField("montant (centimes)")
    label = SealedTextField("libellé")
    bank_reference = SealedTextField("référence de la banque")
    end_to_end = SealedTextField("référence du donneur d’ordre")
    counterparty = SealedTextField("contrepartie")
    counterparty_iban = SealedTextField("compte de la contrepartie")
    payer_index = models.BinaryField("recherche du compte payeur", null=True, editable=False)
    is_reversal = models.BooleanField("rejet ou retour", default=False)
    state = models.CharField("état", max_length=10, choices=LineState, default=LineState.UNMATCHED)
    ignored_reason = models.CharField("motif", max_length=10, choices=IgnoredReason, blank=True, default="")
    decided_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField("décidé le", null=True)
    # When the product last looked for what it pays; never, for a line that just came in.
    examined_at = models.DateTimeField("examinée le", null=True)

    wall: ClassVar[Wall] = Wall(by="every_file", scheduler=Grant(select=("id", "cabinet_id", "state", "examined_at")))

    class Meta(SealedModel.Meta):
        verbose_name = "ligne de banque"
        verbose_name_plural = "lignes de banque"
        constraints = [
            models.UniqueConstraint(
                name="bank_line_once",
                fields=["cabinet", "account", "line_index", "rank"],
                violation_error_message="Cette ligne est déjà connue.",
            ),
            models.CheckConstraint(
                name="bank_line_ignored_says_why",
                condition=Q(state=LineState.IGNORED) | Q(ignored_reason=""),
                violation_error_message="Une ligne écartée dit pourquoi.",
            ),
        ]
        indexes = [
            models.Index(fields=["cabinet", "state", "-booked_on"], name="bank_line_by_state"),
            models.Index(fields=["cabinet", "payer_index"], name="bank_line_payer"),
            models.Index(
                fields=["cabinet"],
                name="bank_line_to_examine",
                condition=Q(state=LineState.UNMATCHED, examined_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class _Reasoned(SealedModel):
    """A row that says why, in sentences that name clients: sealed."""

    score = models.PositiveSmallIntegerField("certitude sur 100", default=0)
    reasons_text = SealedTextField("raisons")

    class Meta(SealedModel.Meta):
        abstract = True

    @property
    def reasons(self) -> list[str]:
        """Return the sentences."""
        return [str(reason) for reason in json.loads(self.reasons_text or "[]")]

    @staticmethod
    def written(reasons: Sequence[str]) -> str:
        """Write sentences as they are kept."""
        return json.dumps(list(reasons), ensure_ascii=False)


class BankGuess(_Reasoned):
    """One suggestion for a line, as of the last look; a person takes it or not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(BankLine, on_delete=models.PROTECT, related_name="guesses")
    outcome = models.CharField("effet", max_length=8, choices=GuessOutcome)
    rank = models.PositiveSmallIntegerField("rang")
    # [{"client": id, "invoices": [ids], "cents": 144000}], as many as payments it would record.
    shares = models.JSONField("parts")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+", null=True)
    key = models.CharField("explication", max_length=64)
    was_undone = models.BooleanField("déjà annulée", default=False)

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(_Reasoned.Meta):
        verbose_name = "suggestion"
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(
                name="bank_guess_rank_once",
                fields=["line", "rank"],
                violation_error_message="Cette suggestion existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_outcome_display())


class BankMatch(_Reasoned):
    """A line tied to the payment it brought (or took back), by whom, and whether that was undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    line = models.ForeignKey(BankLine, on_delete=models.PROTECT, related_name="matches")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField("effet", max_length=8, choices=GuessOutcome)
    key = models.CharField("explication", max_length=64)
    is_automatic = models.BooleanField("automatique", default=False)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField("rapproché le")
    undone_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    undone_at = models.DateTimeField("annulé le", null=True)

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(_Reasoned.Meta):
        verbose_name = "rapprochement"
        constraints = [
            models.UniqueConstraint(
                name="bank_payment_explained_once",
                fields=["payment", "outcome"],
                condition=Q(undone_at=None, outcome=GuessOutcome.REVERSE),
                violation_error_message="Ce paiement est déjà revenu impayé.",
            ),
            models.UniqueConstraint(
                name="bank_payment_received_once",
                fields=["payment"],
                condition=Q(undone_at=None) & ~Q(outcome=GuessOutcome.REVERSE),
                violation_error_message="Une ligne de banque est déjà rattachée à ce paiement.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "line"], name="bank_match_of_line")]

    def __str__(self) -> str:
        return str(self.get_outcome_display())


class BankFeed(SealedModel):
    """The folder where the firm's bank leaves its statements: open or not, and how the last file went."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    is_open = models.BooleanField("ouvert", default=False)
    changed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    changed_at = models.DateTimeField("réglé le", auto_now=True)
    taken_at = models.DateTimeField("dernier fichier reçu le", null=True)
    refused_at = models.DateTimeField("dernier fichier refusé le", null=True)
    refusal = SealedTextField("motif du refus")

    wall: ClassVar[Wall] = EVERY_FILE

    class Meta(SealedModel.Meta):
        verbose_name = "dossier de dépôt"
        verbose_name_plural = "dossiers de dépôt"
        constraints = [
            models.UniqueConstraint(
                name="one_bank_feed", fields=["cabinet"], violation_error_message="Le dossier de dépôt est déjà réglé."
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
