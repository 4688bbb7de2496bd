"""Letters through Merci Facteur: one call prints and posts them; its own guard refuses our reference twice."""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import parse_qs

from django.utils import timezone

from dunning.channels.letters import (
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
    merge,
    price,
)
from dunning.channels.merci_facteur.client import MerciFacteurClient, MerciFacteurError
from dunning.channels.postal import PostalAddress
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.web import FORBIDDEN, TOO_MANY, UNAUTHORISED, Unanswered, Unheard
from dunning.enums import LetterState, ProofKind

PROFILE = Profile(
    slug="merci_facteur",
    label="Merci Facteur",
    kinds=("LRAR papier (en ligne)",),
    is_electronic=False,
    is_paper=True,
    is_qualified=False,
    proven=Proven.DOCUMENTATION,
    fields=(
        Field(name="service_id", label="Service ID"),
        Field(name="secret_key", label="Secret key", is_secret=True),
        Field(name="user_id", label="Identifiant de l’utilisateur", help_text="Celui au nom duquel partent les plis."),
    ),
    to_do=(
        "Ouvrez un compte Merci Facteur Pro et relevez le Service ID et la Secret key dans l’onglet « API ».",
        "Faites lever la restriction par adresse IP si votre serveur n’a pas d’adresse fixe.",
        "Reportez l’adresse de notification ci-dessous dans le même onglet.",
    ),
    proofs="La preuve de dépôt et l’avis de réception numérisé arrivent seuls.",
    notifies=True,
)

# « lrar » brings the signed receipt back on paper; « lrare » scans it. « ere » is no registered letter (R46).
MODE = "lrare"
_TWICE = ("doublon",)
_ADDRESS = ("ADDRESS", "ADRESS", "DEST")
_STATES = {
    "pris_en_charge": LetterState.DEPOSITED,
    "scan_pdd": LetterState.DEPOSITED,
    "attente_au_guichet": LetterState.PRESENTED,
    "distribue": LetterState.DELIVERED,
    "retour_are": LetterState.DELIVERED,
    "retour_expediteur": LetterState.RETURNED,
    "distribue_expediteur": LetterState.RETURNED,
    "archivage_pnd": LetterState.RETURNED,
}
_DATED = re.compile(r"\s*(\d{2})/(\d{2})/(\d{4})")
_MEDIA = {"pdf": "application/pdf", "jpeg": "image/jpeg", "jpg": "image/jpeg"}
_PROOFS = (("depot", ProofKind.DEPOSIT, "preuve-de-depot"), ("reception", ProofKind.RECEIPT, "avis-de-reception"))


class MerciFacteur:
    """One firm's account, as its settings keep it."""

    profile = PROFILE

    def __init__(self, credentials: Credentials, *, clock: Callable[[], dt.datetime] = timezone.now) -> None:
        self._credentials = credentials
        self._client = MerciFacteurClient(
            base_url=credentials.options.get("base_url", ""),
            service_id=credentials.options.get("service_id", ""),
            secret_key=credentials.secrets.get("secret_key", ""),
            clock=clock,
        )

    def check(self) -> None:
        """Ask for a token."""
        self._client.sign_in()

    def quote(self, letter: OutgoingLetter) -> Quote:
        """Say the price of the firm's contract."""
        return price(self._credentials)

    def send(self, letter: OutgoingLetter) -> LetterOutcome:
        """Order one letter. `success: false` means nothing left; silence means nobody knows."""
        try:
            self._client.sign_in()
        except (Unheard, Unanswered) as error:
            return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))
        try:
            found = self._client.post("/sendCourrier", self._form(letter))
        except MerciFacteurError as error:
            return _refusal(error)
        except Unheard as error:
            return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))
        except Unanswered as error:
            return LetterOutcome(verdict=Verdict.UNKNOWN, text=str(error))
        return _accepted(found)

    def find(self, reference: str) -> LetterOutcome | None:
        """Return None: nothing is documented that finds a letter by our reference."""
        return None

    def status(self, reference: str) -> LetterStatus:
        """Read the states of the one letter of an order."""
        rows = self._rows(reference)
        tracking = next((str(row["tracking_number"]) for row in rows if row.get("tracking_number")), "")
        passages = [
            Passage(on=on, state=state, words=str(row.get("statut_description", ""))[:200])
            for row in rows
            if (state := _state(row)) and (on := _day(row.get("statut_description")))
        ]
        return merge(LetterStatus(state=LetterState.SUBMITTED, tracking=tracking), follow(passages))

    def proofs(self, reference: str) -> Iterable[Proof]:
        """Fetch the proofs of the letter; one that does not exist yet is refused, which is no error."""
        tracking = self.status(reference).tracking
        for document, kind, name in _PROOFS if tracking else ():
            try:
                found = self._client.get("/getProof", trackingNumber=tracking, document=document)
            except MerciFacteurError:
                continue
            form = str(found.get("format_return", "")).lower()
            if form in _MEDIA and (content := _decoded(found.get("document"))):
                yield Proof(kind=kind, content=content, media_type=_MEDIA[form], name=f"{name}.{form}")

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read which orders a notice speaks of."""
        form = parse_qs(body.decode("utf-8", "replace"))
        try:
            rows = json.loads(form.get("detail", ["[]"])[0])
        except (ValueError, RecursionError):
            rows = []
        found = (
            [str(row.get("id_envoi", "")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        )
        return Notice(references=tuple(one for one in found if one.isdigit()))

    def _rows(self, reference: str) -> list[dict[str, Any]]:
        if not reference.isdigit():
            raise DeliveryError("Cette référence n’est pas celle d’un envoi Merci Facteur.", permanent=True)
        try:
            found = self._client.get("/getSuiviEnvoi", idEnvoi=reference)
        except MerciFacteurError as error:
            raise DeliveryError(str(error), permanent=False, code=error.code) from error
        rows = found.get("suiviCourrier")
        rows = list(rows.values()) if isinstance(rows, dict) else rows
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _form(self, letter: OutgoingLetter) -> dict[str, str]:
        contents = [letter.pdf, *(one.content for one in letter.attachments)]
        files = [base64.b64encode(content).decode() for content in contents]
        return {
            "idUser": self._credentials.options.get("user_id", ""),
            "modeEnvoi": MODE,
            # One « d »: so it is named over there. An empty value is "", never [].
            "adress": json.dumps({"exp": _address(letter.sender), "dest": [_address(letter.recipient)]}),
            "content": json.dumps(
                {
                    "letter": {
                        "files": "",
                        "base64files": files,
                        "final_filename": "courrier",
                        "print_sides": "distinctrectoverso",
                    },
                    "photo": "",
                    "card": "",
                }
            ),
            "antidoublon": letter.reference,
        }


def _address(address: PostalAddress) -> dict[str, str]:
    """Write the eleven keys, all of them: one that is missing refuses the letter."""
    middle = [line for line in address.lines[1:5] if line]
    return {
        "civilite": "",
        "nom": "",
        "prenom": "",
        "societe": address.name,
        "adresse1": middle[0] if middle else "",
        "adresse2": middle[1] if len(middle) > 1 else "",
        "adresse3": " ".join(middle[2:]),
        "cp": address.postcode,
        "ville": address.town,
        "pays": "FRANCE",
        "reference": "",
    }


def _accepted(found: Mapping[str, Any]) -> LetterOutcome:
    reference = str(found.get("envoi_id") or "")
    if not reference.isdigit():
        return LetterOutcome(verdict=Verdict.UNKNOWN, text="Merci Facteur ne dit pas sous quel numéro il a pris le pli")
    total = found.get("price")
    total = total.get("total") if isinstance(total, dict) else None
    return LetterOutcome(
        verdict=Verdict.ACCEPTED,
        reference=reference,
        code="success",
        cost_cents=_cents(total.get("ht")) if isinstance(total, dict) else None,
    )


def _refusal(error: MerciFacteurError) -> LetterOutcome:
    fault = error.fault
    if any(word in fault.lower() for word in _TWICE):
        # Its guard met our reference: this very letter was taken before, by a call nobody answered.
        return LetterOutcome(
            verdict=Verdict.UNKNOWN, code=fault, text="Merci Facteur a déjà pris cette lettre : retrouvez-la chez lui."
        )
    if error.code == TOO_MANY:
        return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, code=fault, text=str(error))
    if error.code in {UNAUTHORISED, FORBIDDEN}:
        raise DeliveryError(str(error), permanent=True, code=error.code) from error
    stage = Stage.RECIPIENT if any(word in fault.upper() for word in _ADDRESS) else Stage.CONTENT
    return LetterOutcome(verdict=Verdict.REJECTED, stage=stage, code=fault[:40], text=str(error))


def _state(row: Mapping[str, Any]) -> LetterState | None:
    state = _STATES.get(str(row.get("statut_courrier", "")))
    words = str(row.get("statut_description", "")).lower()
    if state is LetterState.RETURNED and "refus" in words:
        return LetterState.REFUSED
    if state is LetterState.RETURNED and "réclam" in words:
        return LetterState.UNCLAIMED
    return state


def _day(description: Any) -> dt.date | None:
    """Read the day a description begins with: the only date it gives."""
    found = _DATED.match(str(description or ""))
    try:
        return dt.date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text or ""), validate=True)
    except ValueError:
        return b""


def _cents(value: Any) -> int | None:
    try:
        return int((Decimal(str(value)) * 100).to_integral_value(ROUND_HALF_UP))
    except ArithmeticError:
        return None
