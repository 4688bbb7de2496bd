"""Letters through AR24: sent only as qualified, by a sender who identified himself within the hour (R45)."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils import timezone

from dunning.channels.ar24.client import NAME, TIMEOUT, Ar24Client, Ar24Error
from dunning.channels.letters import (
    AwaitingCode,
    Credentials,
    Field,
    LetterOutcome,
    LetterStatus,
    Notice,
    OutgoingLetter,
    Passage,
    Profile,
    Proof,
    Proven,
    Quote,
    follow,
    paris_day,
    price,
)
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.web import Unanswered, Unheard, call
from dunning.enums import LetterState, ProofKind

SANDBOX = "https://sandbox.ar24.fr/api"
PRODUCTION = "https://app.ar24.fr/api"
SESSION = dt.timedelta(hours=1)
# A session about to close is closed: a letter is never begun that could not be ended.
MARGIN = dt.timedelta(minutes=2)
LISTED = 50

PROFILE = Profile(
    slug="ar24",
    label="AR24",
    kinds=("LRE",),
    is_electronic=True,
    is_paper=False,
    is_qualified=True,
    proven=Proven.DOCUMENTATION,
    fields=(
        Field(name="token", label="Jeton d’accès à l’API", is_secret=True),
        Field(name="private_key", label="Clé privée", help_text="Elle signe les appels.", is_secret=True),
        Field(name="user_id", label="Identifiant de l’expéditeur", help_text="Le numéro du compte AR24 qui signe."),
    ),
    to_do=(
        "Ouvrez un compte expéditeur chez AR24 et demandez l’accès à l’API.",
        "Faites vérifier l’identité de l’expéditeur : AR24 envoie par courrier le QR code de son générateur de codes.",
        "Gardez ce générateur : un code est demandé avant chaque série d’envois et vaut une heure.",
    ),
    proofs="Les preuves de dépôt, de réception, de refus ou de non-réclamation arrivent seules.",
    countries=frozenset(),
    asks_code=True,
    notifies=True,
)

# Whatever AR24 says of the code or of the identity, the answer is the same: the sender identifies himself again.
_CODE_WORDS = ("otp", "eidas_auth", "not_verified", "identity")
_RECIPIENT_WORDS = ("email", "to_", "lastname", "firstname", "recipient", "dest_statut")
_ACCOUNT_WORDS = ("token", "signature", "date", "user", "access", "payment", "quota", "credit")
_LATER_WORDS = ("maintenance", "rate", "too_many", "limit")
_PROOFS = (
    ("proof_dp_url", ProofKind.DEPOSIT, "preuve-de-depot"),
    ("proof_ev_url", ProofKind.DEPOSIT, "preuve-d-envoi"),
    ("proof_ar_url", ProofKind.RECEIPT, "accuse-de-reception"),
    ("proof_rf_url", ProofKind.REFUSAL, "preuve-de-refus"),
    ("proof_ng_url", ProofKind.UNCLAIMED, "preuve-de-non-reclamation"),
    ("proof_bc_url", ProofKind.RETURN, "preuve-de-non-remise"),
)
_EVENTS = (
    ("date", LetterState.DEPOSITED, "Déposée chez AR24"),
    ("ts_ev_date", LetterState.PRESENTED, "Avis envoyé au destinataire, qui a quinze jours"),
    ("view_date", LetterState.DELIVERED, "Acceptée par le destinataire"),
    ("refused_date", LetterState.REFUSED, "Refusée par le destinataire"),
    ("negligence_date", LetterState.UNCLAIMED, "Non réclamée dans les quinze jours"),
    ("bounced_date", LetterState.RETURNED, "Adresse électronique inconnue"),
)


class Ar24:
    """One firm's account, as its settings keep it."""

    profile = PROFILE

    def __init__(self, credentials: Credentials, *, clock: Callable[[], dt.datetime] = timezone.now) -> None:
        self._credentials = credentials
        self._clock = clock
        self._base = credentials.options.get("base_url") or PRODUCTION
        self._user_id = credentials.options.get("user_id", "")
        self._client = Ar24Client(
            base_url=self._base,
            token=credentials.secrets.get("token", ""),
            private_key=credentials.secrets.get("private_key", ""),
            user_id=self._user_id,
            clock=clock,
        )

    def check(self) -> None:
        """Read the sender's account."""
        self._client.get("/user")

    def authenticate(self, code: str) -> dt.datetime:
        """Open the sender's session with his one-time code; return when it closes."""
        try:
            self._client.post("/user/auth_otp", {"otp": code})
        except Ar24Error as error:
            raise DeliveryError(_refused_code(error), permanent=error.permanent) from error
        return self._clock() + SESSION

    def quote(self, letter: OutgoingLetter) -> Quote:
        """Say the price of the firm's contract."""
        return price(self._credentials)

    def send(self, letter: OutgoingLetter) -> LetterOutcome:
        """Hand over a qualified letter; without the sender's session nothing leaves, in any other form either (T45)."""
        if letter.electronic is None:
            raise DeliveryError("Une LRE a besoin de l’adresse électronique de son destinataire.", permanent=True)
        self._require_session()
        try:
            files = [self._attach(name, content, kind) for name, content, kind in _contents(letter)]
        except Ar24Error as error:
            return _refusal(error)
        except (Unheard, Unanswered) as error:
            # A file put aside is no letter: nothing was sent.
            return _postponed(error)
        try:
            found = self._client.post("/mail", _mail(letter, files))
        except Ar24Error as error:
            return _refusal(error)
        except Unheard as error:
            return _postponed(error)
        except Unanswered as error:
            return self._look_again(letter.reference, str(error))
        return _accepted(found)

    def find(self, reference: str) -> LetterOutcome | None:
        """Look for a letter that bears our reference among the account's last ones."""
        rows = self._client.get("/user/mail", max=str(LISTED))
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("ref_dossier") == reference:
                return _accepted(row)
        return None

    def status(self, reference: str) -> LetterStatus:
        """Read a letter's dates; the notice in the mailbox is its first presentation (R44)."""
        mail = self._mail(reference)
        dated = [(paris_day(mail.get(key)), state, words) for key, state, words in _EVENTS]
        if any(on and state is LetterState.RETURNED for on, state, _ in dated):
            dated = [one for one in dated if one[1] is not LetterState.PRESENTED]
        return follow(Passage(on=on, state=state, words=words) for on, state, words in dated if on is not None)

    def proofs(self, reference: str) -> Iterable[Proof]:
        """Fetch each proof AR24 holds, from its own server only."""
        mail = self._mail(reference)
        for key, kind, name in _PROOFS:
            if url := str(mail.get(key) or ""):
                answer = call("GET", self._own(url), name=NAME, timeout=TIMEOUT)
                if answer.is_success and answer.content:
                    media_type = answer.media_type or "application/pdf"
                    yield Proof(kind=kind, content=answer.content, media_type=media_type, name=f"{name}.pdf")

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read which letter moved; the notice is unsigned, so its state and its link are never believed."""
        found = parse_qs(body.decode("utf-8", "replace"))
        return Notice(references=tuple(one for one in found.get("id_mail", []) if one.isdigit()))

    def _require_session(self) -> None:
        until = self._credentials.session_until
        if until is None or until - MARGIN <= self._clock():
            raise AwaitingCode

    def _attach(self, name: str, content: bytes, media_type: str) -> str:
        found = self._client.post("/attachment", {}, file=(name, content, media_type))
        if not isinstance(found, dict) or not found.get("file_id"):
            raise Unanswered("AR24 ne dit pas où il a rangé le fichier.", permanent=False)
        return str(found["file_id"])

    def _mail(self, reference: str) -> dict[str, Any]:
        found = self._client.get("/mail", id=reference)
        if not isinstance(found, dict) or str(found.get("id", "")) != reference:
            raise Unanswered("AR24 répond sur une autre lettre.", permanent=False)
        return found

    def _look_again(self, reference: str, reason: str) -> LetterOutcome:
        """The letter may have left: say so only when its provider tells it by our reference."""
        try:
            found = self.find(reference)
        except DeliveryError:
            found = None
        return found or LetterOutcome(verdict=Verdict.UNKNOWN, text=reason)

    def _own(self, url: str) -> str:
        asked, own = urlsplit(url), urlsplit(self._base)
        if (asked.scheme, asked.netloc) != (own.scheme, own.netloc):
            raise DeliveryError("AR24 renvoie vers un autre serveur : la preuve n’a pas été lue.", permanent=True)
        return url


def _contents(letter: OutgoingLetter) -> Iterable[tuple[str, bytes, str]]:
    yield "courrier.pdf", letter.pdf, "application/pdf"
    for one in letter.attachments:
        yield one.name, one.content, one.media_type


def _mail(letter: OutgoingLetter, files: list[str]) -> dict[str, str | list[str]]:
    to = letter.electronic
    if to is None:
        raise AwaitingCode
    return {
        "eidas": "1",
        "to_lastname": to.last_name,
        "to_firstname": to.first_name,
        "to_company": to.company,
        "to_email": to.email,
        "dest_statut": "professionnel" if to.is_professional else "particulier",
        "content": letter.title,
        "ref_dossier": letter.reference,
        **{f"attachment[{number}]": file for number, file in enumerate(files)},
    }


def _accepted(found: Any) -> LetterOutcome:
    if not isinstance(found, dict) or not found.get("id"):
        return LetterOutcome(verdict=Verdict.UNKNOWN, text="AR24 ne dit pas sous quel numéro il a pris la lettre.")
    if str(found.get("status", "")).lower() == "error" or str(found.get("send_fail", "0")) not in {"0", "", "None"}:
        return LetterOutcome(verdict=Verdict.REJECTED, stage=Stage.CONTENT, reference=str(found["id"]))
    return LetterOutcome(
        verdict=Verdict.ACCEPTED, reference=str(found["id"]), code="SUCCESS", cost_cents=_cents(found.get("price_ht"))
    )


def _refusal(error: Ar24Error) -> LetterOutcome:
    """AR24 did nothing; say whether the same letter may be handed over later."""
    slug = error.slug.lower()
    if any(word in slug for word in _CODE_WORDS):
        raise AwaitingCode from error
    if any(word in slug for word in _LATER_WORDS):
        return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, code=slug, text=str(error))
    if any(word in slug for word in _RECIPIENT_WORDS):
        return LetterOutcome(verdict=Verdict.REJECTED, stage=Stage.RECIPIENT, code=slug, text=str(error))
    if any(word in slug for word in _ACCOUNT_WORDS):
        raise DeliveryError(str(error), permanent=True) from error
    return LetterOutcome(verdict=Verdict.REJECTED, stage=Stage.CONTENT, code=slug, text=str(error))


def _postponed(error: DeliveryError) -> LetterOutcome:
    return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))


def _refused_code(error: Ar24Error) -> str:
    if "otp" in error.slug.lower():
        return "AR24 refuse ce code : attendez le suivant et saisissez-le sans tarder."
    return str(error)


def _cents(value: Any) -> int | None:
    try:
        return int((Decimal(str(value)) * 100).to_integral_value(ROUND_HALF_UP))
    except ArithmeticError:
        return None
