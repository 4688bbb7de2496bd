"""Letters ordered from La Poste (LReL): one call prints and posts them; tracking comes from Suivi."""

import base64
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils import timezone

from dunning.channels.laposte.tracking import NAME, PRODUCTION, Suivi, refuse_account
from dunning.channels.letters import (
    Credentials,
    Field,
    LetterOutcome,
    LetterStatus,
    Notice,
    OutgoingLetter,
    Profile,
    Proof,
    Proven,
    Quote,
    price,
)
from dunning.channels.postal import PostalAddress
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.web import Answer, Unanswered, Unheard, call, check_base

PROFILE = Profile(
    slug="laposte",
    label="La Poste",
    kinds=("LReL",),
    is_electronic=False,
    is_paper=True,
    is_qualified=False,
    proven=Proven.DOCUMENTATION,
    fields=(
        Field(name="okapi_key", label="Clé Okapi", help_text="Elle ouvre l’envoi et le suivi.", is_secret=True),
        Field(name="customer_coclico", label="Code Coclico du client", is_required=False),
        Field(name="partner_coclico", label="Code Coclico du partenaire", is_required=False),
        Field(name="contract_number", label="Numéro de contrat LReL", is_required=False),
        Field(name="product_id", label="Code du produit", is_required=False),
    ),
    to_do=(
        "Créez une application sur developer.laposte.fr et prenez l’interface « Suivi v2 ».",
        "Pour envoyer, signez un contrat « Lettre recommandée en ligne » et reportez ses codes.",
        "Sans contrat, la clé suffit à suivre les lettres que vous postez.",
    ),
    proofs="La Poste envoie la preuve de dépôt par e-mail : déposez-la ici dès qu’elle arrive.",
)

_BAD_REQUEST, _SERVER_ERROR, _PARTIAL = 400, 500, 206
_ORDER_FIELDS = ("customer_coclico", "partner_coclico", "contract_number", "product_id")


class LaPoste:
    """One firm's contract, as its settings keep it."""

    profile = PROFILE

    def __init__(self, credentials: Credentials, *, clock: Callable[[], dt.datetime] = timezone.now) -> None:
        self._credentials = credentials
        self._clock = clock
        self._base = check_base(credentials.options.get("base_url") or PRODUCTION)
        self._key = credentials.secrets.get("okapi_key", "")
        self._suivi = Suivi(key=self._key, base_url=self._base)

    def check(self) -> None:
        """Ask where a letter is that does not exist: the key is read first."""
        self._suivi.track("1A00000000000")

    def quote(self, letter: OutgoingLetter) -> Quote:
        """Say the price of the firm's contract."""
        return price(self._credentials)

    def send(self, letter: OutgoingLetter) -> LetterOutcome:
        """Order one letter; La Poste cannot be asked afterwards whether it heard, so silence stays a doubt."""
        if missing := [name for name in _ORDER_FIELDS if not self._credentials.options.get(name)]:
            labels = ", ".join(field.label for field in PROFILE.fields if field.name in missing)
            raise DeliveryError(f"Il manque, pour envoyer une LReL : {labels}.", permanent=True)
        try:
            answer = call(
                "POST",
                f"{self._base}/lh/pro/orders",
                name=NAME,
                headers={"x-okapi-key": self._key},
                json=self._order(letter),
            )
            return _read(answer)
        except Unheard as error:
            return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))
        except Unanswered as error:
            return LetterOutcome(verdict=Verdict.UNKNOWN, text=str(error))

    def find(self, reference: str) -> LetterOutcome | None:
        """Return None: orders cannot be looked up."""
        return None

    def status(self, reference: str) -> LetterStatus:
        """Ask Suivi, by the number of the letter."""
        return self._suivi.track(reference)

    def proofs(self, reference: str) -> Iterable[Proof]:
        """Return nothing: La Poste mails its proofs."""
        return ()

    def ask_proof(self, *, order_id: str, ordered_on: dt.date, email: str) -> None:
        """Ask La Poste to mail the proof of deposit of an order."""
        options = self._credentials.options
        answer = call(
            "POST",
            f"{self._base}/lh/pro/orders/pddng",
            name=NAME,
            headers={"x-okapi-key": self._key},
            json={
                "customer_coclico": options.get("customer_coclico", ""),
                "contract_number": options.get("contract_number", ""),
                "email": email,
                "order_date": ordered_on.isoformat(),
                "orders": [{"order_id": order_id}],
            },
        )
        refuse_account(answer)
        if not answer.is_success:
            raise DeliveryError(_fault(answer), permanent=answer.status < _SERVER_ERROR, code=answer.status)

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Return nothing: La Poste sends no notices."""
        return Notice(references=())

    def _order(self, letter: OutgoingLetter) -> dict[str, Any]:
        options = self._credentials.options
        contents = [letter.pdf, *(one.content for one in letter.attachments)]
        return {
            **{name: options[name] for name in _ORDER_FIELDS},
            "order_name": letter.reference,
            "reference_client": letter.reference,
            "attachments": [
                {
                    "address_sheet_flag": False,
                    "attachment": [base64.b64encode(content).decode() for content in contents],
                    "attachment_name": "courrier.pdf",
                    "color_printing_flag": False,
                    "duplex_printing_flag": True,
                    "sender": {**_address(letter.sender), "email": letter.sender_email},
                    "receivers": [{**_address(letter.recipient), "receiver_reference": letter.reference}],
                }
            ],
        }


def _address(address: PostalAddress) -> dict[str, str]:
    """Write the first five lines under La Poste's names, and the sixth in two."""
    names = ("name1", "add2", "add3", "add4", "add5")
    lines = {name: line for name, line in zip(names, address.lines, strict=False) if line}
    return {**lines, "zip_code": address.postcode, "town": address.town, "country_code": address.country}


def _read(answer: Answer) -> LetterOutcome:
    refuse_account(answer)
    if answer.status >= _SERVER_ERROR:
        return LetterOutcome(verdict=Verdict.UNKNOWN, code=str(answer.status), text=_fault(answer))
    if not answer.is_success:
        stage = Stage.RECIPIENT if "receiver" in _fault(answer).lower() else Stage.CONTENT
        return LetterOutcome(verdict=Verdict.REJECTED, stage=stage, code=str(answer.status), text=_fault(answer))
    order = answer.record()
    letters = order.get("letters")
    rows = [row for row in letters if isinstance(row, dict)] if isinstance(letters, list) else []
    order_id = str(order.get("order_id") or "")
    tracking = _number(rows[0].get("smartdata")) if rows else ""
    # « 206 » is an order of which some letters were refused: with one letter, it must name it.
    if not order_id or (answer.status == _PARTIAL and not tracking):
        return LetterOutcome(
            verdict=Verdict.UNKNOWN, reference=order_id, code=str(answer.status), text="La commande est incomplète."
        )
    return LetterOutcome(
        verdict=Verdict.ACCEPTED,
        reference=tracking or order_id,
        tracking=tracking,
        code=str(answer.status),
        text=f"Commande {order_id}",
    )


def _number(smartdata: Any) -> str:
    if not isinstance(smartdata, dict):
        return ""
    number = f"{smartdata.get('item_id') or ''}{smartdata.get('item_id_cckey') or ''}"
    return number if number.isalnum() else ""


def _fault(answer: Answer) -> str:
    try:
        rows = answer.record().get("errors")
    except Unanswered:
        rows = None
    words = [str(one.get("message") or one.get("code")) for one in rows or [] if isinstance(one, dict)]
    return f"La Poste refuse : {' '.join(words)}" if words else f"La Poste répond HTTP {answer.status}."
