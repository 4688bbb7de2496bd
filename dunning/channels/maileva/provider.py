"""Letters through Maileva: a draft is filled, then submitted; only the submission sends it."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.utils import timezone

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
    merge,
    price,
)
from dunning.channels.maileva import statuses
from dunning.channels.maileva.client import MailevaClient, MailevaError
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.channels.web import FORBIDDEN, NOT_FOUND, TOO_MANY, UNAUTHORISED, Unheard
from dunning.enums import LetterState, ProofKind

PRODUCTION = "https://api.maileva.com/registered_mail/v2"
SANDBOX = "https://api.sandbox.maileva.net/registered_mail/v2"
TOKENS = "https://connexion.maileva.com/auth/realms/services/protocol/openid-connect/token"
SANDBOX_TOKENS = "https://connexion.sandbox.maileva.net/auth/realms/services/protocol/openid-connect/token"
PAGE = 500
LARGEST_PROOF = 20_000_000

PROFILE = Profile(
    slug="maileva",
    label="Maileva",
    kinds=("LRAR papier (en ligne)",),
    is_electronic=False,
    is_paper=True,
    is_qualified=False,
    proven=Proven.DOCUMENTATION,
    fields=(
        Field(name="client_id", label="Identifiant de l’application"),
        Field(name="client_secret", label="Secret de l’application", is_secret=True),
        Field(name="username", label="Utilisateur Maileva"),
        Field(name="password", label="Mot de passe", is_secret=True),
        Field(
            name="sandbox",
            label="Bac à sable",
            help_text="« oui » pour essayer sans rien envoyer.",
            is_required=False,
        ),
    ),
    to_do=(
        "Signez un contrat Maileva comprenant la lettre recommandée en ligne.",
        "Demandez à Maileva les identifiants d’une application autorisée au mode « password ».",
    ),
    proofs="Maileva numérise l’avis de réception : il arrive ici avec la preuve de dépôt.",
    countries=frozenset({"FR", "MC", "AD", "RE", "YT", "MQ", "GP", "MF", "BL", "GF", "PM"}),
    notifies=True,
)

_ADDRESS_FAULTS = ("ADDRESS_", "EMPTY_ADDRESS", "COUNTRY", "INVALID_COUNTRY")
_NOT_SENT = frozenset({"DRAFT", "REJECTED"})
_SENT = frozenset({"PENDING", "ACCEPTED", "PROCESSED", "PROCESSED_WITH_ERRORS"})


class Maileva:
    """One firm's account, as its settings keep it."""

    profile = PROFILE

    def __init__(self, credentials: Credentials, *, clock: Callable[[], dt.datetime] = timezone.now) -> None:
        options, secrets = credentials.options, credentials.secrets
        is_sandbox = options.get("sandbox") == "oui"
        self._credentials = credentials
        self._client = MailevaClient(
            base_url=options.get("base_url") or (SANDBOX if is_sandbox else PRODUCTION),
            token_url=options.get("token_url") or (SANDBOX_TOKENS if is_sandbox else TOKENS),
            client=(options.get("client_id", ""), secrets.get("client_secret", "")),
            user=(options.get("username", ""), secrets.get("password", "")),
            clock=clock,
        )

    def check(self) -> None:
        """Ask for a token, and read one sending with it."""
        self._client.sign_in()
        self._client.get("/sendings", start_index="1", count="1")

    def quote(self, letter: OutgoingLetter) -> Quote:
        """Say the price of the firm's contract."""
        return price(self._credentials)

    def send(self, letter: OutgoingLetter) -> LetterOutcome:
        """Fill a draft, then submit it. Whatever fails before the submission, nothing is sent and the draft goes."""
        try:
            if known := self.find(letter.reference):
                return known
            draft = self._id(self._client.create("/sendings", json=_sending(letter)))
        except MailevaError as error:
            return _refusal(error)
        except DeliveryError as error:
            if error.permanent:
                raise
            return _postponed(error)
        try:
            self._fill(draft, letter)
        except MailevaError as error:
            self._abandon(draft)
            return _refusal(error)
        except DeliveryError as error:
            self._abandon(draft)
            if error.permanent:
                raise
            return _postponed(error)
        return self._submit(draft)

    def find(self, reference: str) -> LetterOutcome | None:
        """Look for a sending that bears our reference and was submitted; drafts are no letters."""
        for row in self._rows("/sendings", "sendings"):
            if row.get("custom_id") == reference and row.get("status") in _SENT:
                return LetterOutcome(verdict=Verdict.ACCEPTED, reference=self._id(row), code=str(row["status"]))
        return None

    def status(self, reference: str) -> LetterStatus:
        """Read a sending, then the way of its one recipient."""
        sending = self._client.get(f"/sendings/{_checked(reference)}")
        state = str(sending.get("status", ""))
        if state == "REJECTED":
            return LetterStatus(state=LetterState.VOID, words=str(sending.get("status_detail") or "")[:200])
        if not (recipient := self._recipient(reference)):
            return LetterStatus(state=LetterState.SUBMITTED)
        if recipient.get("status") == "REJECTED":
            return LetterStatus(state=LetterState.VOID, words=str(recipient.get("status_detail") or "")[:200])
        path = f"/sendings/{_checked(reference)}/recipients/{self._id(recipient)}/delivery_statuses"
        found = statuses.read(self._rows(path, "delivery_statuses"))
        tracking = str(recipient.get("registered_number") or "")
        return merge(LetterStatus(state=LetterState.SUBMITTED, tracking=tracking), found)

    def proofs(self, reference: str) -> Iterable[Proof]:
        """Fetch what Maileva has archived by now."""
        sending = f"/sendings/{_checked(reference)}"
        if content := self._client.download(f"{sending}/download_deposit_proof"):
            yield from _unpack(content, ProofKind.DEPOSIT, "preuve-de-depot")
        recipient = self._recipient(reference)
        if recipient and recipient.get("acknowledgement_of_receipt_url"):
            path = f"{sending}/recipients/{self._id(recipient)}/download_acknowledgement_of_receipt"
            if content := self._client.download(path):
                yield from _unpack(content, self._kind_of_return(reference), "avis-de-reception")

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read which sending a notice speaks of."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return Notice(references=())
        resource = str(found.get("resource_id", "")) if isinstance(found, dict) else ""
        return Notice(references=(resource,) if _is_id(resource) else ())

    def _fill(self, draft: str, letter: OutgoingLetter) -> None:
        contents = [("courrier.pdf", letter.pdf), *((one.name, one.content) for one in letter.attachments)]
        for number, (name, content) in enumerate(contents, start=1):
            self._client.create(
                f"/sendings/{draft}/documents",
                files={
                    "document": (name, content, "application/pdf"),
                    "metadata": (None, json.dumps({"priority": number, "name": name}), "application/json"),
                },
            )
        self._client.create(f"/sendings/{draft}/recipients", json=_recipient(letter))

    def _submit(self, draft: str) -> LetterOutcome:
        try:
            self._client.act(f"/sendings/{draft}/submit")
        except MailevaError as error:
            self._abandon(draft)
            return _refusal(error)
        except Unheard as error:
            self._abandon(draft)
            return _postponed(error)
        except DeliveryError as error:
            return self._look_again(draft, str(error))
        return LetterOutcome(verdict=Verdict.ACCEPTED, reference=draft, code="200")

    def _look_again(self, draft: str, reason: str) -> LetterOutcome:
        """The submission may have been heard: what Maileva says of the sending decides, its silence does not."""
        try:
            state = str(self._client.get(f"/sendings/{draft}").get("status", ""))
        except DeliveryError:
            state = ""
        if state in _SENT:
            return LetterOutcome(verdict=Verdict.ACCEPTED, reference=draft, code=state)
        # A draft that lets itself be dropped was not submitted, and never will be.
        if state in _NOT_SENT and self._abandon(draft):
            return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=reason)
        return LetterOutcome(verdict=Verdict.UNKNOWN, reference=draft, text=reason)

    def _abandon(self, draft: str) -> bool:
        try:
            self._client.delete(f"/sendings/{draft}")
        except DeliveryError:
            return False
        return True

    def _recipient(self, reference: str) -> dict[str, Any] | None:
        return next(iter(self._rows(f"/sendings/{_checked(reference)}/recipients", "recipients")), None)

    def _kind_of_return(self, reference: str) -> ProofKind:
        match self.status(reference).state:
            case LetterState.REFUSED:
                return ProofKind.REFUSAL
            case LetterState.UNCLAIMED:
                return ProofKind.UNCLAIMED
            case LetterState.RETURNED:
                return ProofKind.RETURN
            case _:
                return ProofKind.RECEIPT

    def _rows(self, path: str, name: str) -> list[dict[str, Any]]:
        """Read the first page of a list, and the last one: nobody says which is the newer."""
        first = self._client.get(path, start_index="1", count=str(PAGE))
        rows = list(first.get(name) or [])
        paging = first.get("paging")
        total = int(paging.get("total_results") or 0) if isinstance(paging, dict) else 0
        if total > PAGE:
            rows += self._client.get(path, start_index=str(total - PAGE + 1), count=str(PAGE)).get(name) or []
        return [row for row in rows if isinstance(row, dict)]

    def _id(self, row: Mapping[str, Any]) -> str:
        found = str(row.get("id", ""))
        if not _is_id(found):
            raise DeliveryError("Maileva ne dit pas sous quel numéro il range l’envoi.", permanent=False)
        return found


def _sending(letter: OutgoingLetter) -> dict[str, Any]:
    lines = {f"sender_address_line_{number}": line for number, line in enumerate(letter.sender.lines, start=1) if line}
    return {
        "name": letter.title,
        "custom_id": letter.reference,
        "acknowledgement_of_receipt": True,
        "acknowledgement_of_receipt_scanning": True,
        "color_printing": False,
        "duplex_printing": True,
        "optional_address_sheet": False,
        "notification_email": letter.sender_email,
        **lines,
        "sender_country_code": letter.sender.country,
        "archiving_duration": 3,
    }


def _recipient(letter: OutgoingLetter) -> dict[str, Any]:
    lines = {f"address_line_{number}": line for number, line in enumerate(letter.recipient.lines, start=1) if line}
    return {"custom_id": UUID(letter.reference).hex, **lines, "country_code": letter.recipient.country}


def _refusal(error: MailevaError) -> LetterOutcome:
    """Maileva did nothing; say whether the same letter may be handed over later."""
    if error.code == FORBIDDEN:
        raise DeliveryError(str(error), permanent=True, code=error.code) from error
    # A token that ran out, a draft dropped meanwhile: the next attempt starts anew.
    if error.code in {UNAUTHORISED, NOT_FOUND, TOO_MANY}:
        return _postponed(error)
    is_address = any(
        code.startswith(("ADDRESS_", "EMPTY_ADDRESS", "COUNTRY", "INVALID_COUNTRY")) for code in error.codes
    )
    return LetterOutcome(
        verdict=Verdict.REJECTED,
        stage=Stage.RECIPIENT if is_address else Stage.CONTENT,
        code=(error.codes or (str(error.code),))[0],
        text=str(error),
    )


def _postponed(error: DeliveryError) -> LetterOutcome:
    return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, code=str(error.code or ""), text=str(error))


def _checked(reference: str) -> str:
    if not _is_id(reference):
        raise DeliveryError("Cette référence n’est pas celle d’un envoi Maileva.", permanent=True)
    return reference


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 40 and all(one.isalnum() or one in "-_" for one in text)  # noqa: PLR2004 (Maileva's own)


def _unpack(content: bytes, kind: ProofKind, name: str) -> Iterator[Proof]:
    """Take the documents out of Maileva's archive; what is no archive is kept as it came."""
    if content.startswith(b"%PDF"):
        yield Proof(kind=kind, content=content, media_type="application/pdf", name=f"{name}.pdf")
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for one in archive.infolist():
                if not one.is_dir() and one.file_size <= LARGEST_PROOF:
                    inside = PurePosixPath(one.filename).name
                    media_type = "application/pdf" if inside.lower().endswith(".pdf") else "application/octet-stream"
                    yield Proof(kind=kind, content=archive.read(one), media_type=media_type, name=inside)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        yield Proof(kind=kind, content=content, media_type="application/octet-stream", name=name)
