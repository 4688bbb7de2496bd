"""Messages that came back: RFC 3464 reports first, then the few plain forms that cannot be anything else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from itertools import islice

LONGEST_DIAGNOSTIC = 300
LONGEST_NAMED = 4096
# What a real report or a forwarded thread never reaches.
MOST_PARTS = 200

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
# From where an address can begin, and no longer than one is: a long run of letters is read once, not once a letter.
_ADDRESS = re.compile(r"(?<![^\s<>,;:\"()\[\]])[^\s<>,;:\"()\[\]@]{1,64}@[^\s<>,;:\"()\[\]@]{1,253}")
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]*message-id[ \t]*:[ \t]*(<[^<>\s]{1,250}>)")
_ROBOT = re.compile(r"(?i)^(?:mailer-daemon|postmaster|mail-daemon|mdaemon|double-bounce)@")
# How the servers that send no report begin; each is their own wording, whole.
_PLAIN = re.compile(
    r"(?i)this is the qmail-send program at"
    r"|this message was created automatically by mail delivery software"
    r"|ce message a été créé automatiquement par le logiciel de messagerie"
    r"|this is the mail system at host"
    r"|the following (?:addresses had permanent fatal errors|message to \S+ was undeliverable)"
    r"|the following recipient\(s\) cannot be reached"
    r"|delivery to the following recipients? failed"
    r"|votre message n[’']a pas pu être (?:remis|distribué) (?:au|aux) destinataires?"
)
_FOR_A_WHILE = re.compile(
    r"(?i)will (?:continue to )?(?:retry|be retried|keep trying)|you do not need to resend|not been delivered yet"
    r"|nouvelles? tentatives? (?:sera|seront)|warning message only|still being attempted"
)


class Hardness(StrEnum):
    """Whether the message is lost, or only late."""

    HARD = "hard"
    """It will not be delivered."""
    SOFT = "soft"
    """The server still tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What one server said of one address; the diagnostic is its own words."""

    address: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""

    @property
    def hardness(self) -> Hardness | None:
        """Say whether the message is lost for this address; None when it arrived."""
        if self.action in {"delivered", "relayed", "expanded"}:
            return None
        if self.action == "failed":
            return Hardness.HARD
        if self.action == "delayed":
            return Hardness.SOFT
        if self.status[:1] == "2":
            return None
        return Hardness.SOFT if self.status[:1] == "4" else Hardness.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A report about a message of ours: to whom it was not delivered, and which one it was."""

    failures: tuple[Failure, ...]
    original_message_id: str = ""
    is_standard: bool = True

    @property
    def hardness(self) -> Hardness:
        """Say whether any address is lost."""
        hard = any(failure.hardness is Hardness.HARD for failure in self.failures)
        return Hardness.HARD if hard else Hardness.SOFT

    @property
    def worst(self) -> Failure:
        """Return the failure that decides."""
        return next((one for one in self.failures if one.hardness is self.hardness), self.failures[0])


def find_bounce(message: Message, *, text: str, sender: str) -> Bounce | None:
    """Return what a message reports of one of ours, or None where it may be anything else."""
    if is_report(message, "delivery-status"):
        return _standard(message, text)
    return _plain(message, text, sender)


def is_report(message: Message, kind: str) -> bool:
    """Say whether a message is a machine's report of this kind."""
    if message.get_content_type() != "multipart/report":
        return False
    named = str(message.get_param("report-type") or "").strip().lower()
    return named == kind or any(part.get_content_type() == f"message/{kind}" for part in _every_part(message))


def says_delivered(message: Message) -> bool:
    """Say whether a report speaks of addresses, and every one of them was reached."""
    failures = tuple(_failures(message)) if is_report(message, "delivery-status") else ()
    return bool(failures) and all(failure.hardness is None for failure in failures)


def original_message_id(message: Message, text: str = "") -> str:
    """Return the Message-ID of the message a report carries, whole or by its headers."""
    for part in _every_part(message):
        if part is message:
            continue
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            if found := _MESSAGE_ID.search(_words(part)):
                return found[1]
        elif part.get_content_type() == "message/rfc822":
            for inner in _inside(part):
                if identifier := str(inner.get("Message-ID") or "").strip():
                    return identifier
    found = _MESSAGE_ID.search(text)
    return found[1] if found else ""


def _standard(message: Message, text: str) -> Bounce | None:
    failures = tuple(_failures(message))
    if not failures or all(failure.hardness is None for failure in failures):
        return None
    return Bounce(failures=failures, original_message_id=original_message_id(message, text))


def _failures(message: Message) -> Iterator[Failure]:
    """Read each per-recipient group of the report: the groups with a recipient."""
    for part in _every_part(message):
        if part.get_content_type() != "message/delivery-status":
            continue
        for group in _inside(part):
            recipient = group.get("Original-Recipient") or group.get("Final-Recipient")
            if recipient is None:
                continue
            status = _STATUS.search(str(group.get("Status") or ""))
            yield Failure(
                address=_typed(str(recipient)).lower(),
                action=str(group.get("Action") or "").strip().lower().split(" ")[0],
                status=status[0] if status else "",
                diagnostic=_legible(_typed(str(group.get("Diagnostic-Code") or ""))),
            )


def _plain(message: Message, text: str, sender: str) -> Bounce | None:
    """Read a bounce without report: a robot's, in a server's known words, that names the address and the message."""
    is_robot = bool(_ROBOT.match(sender)) or str(message.get("Return-Path") or "").strip() == "<>"
    if not is_robot:
        return None
    named = _addresses(str(message.get("X-Failed-Recipients") or "")[:LONGEST_NAMED])
    phrase = _PLAIN.search(text)
    if not (named or phrase):
        return None
    identifier = original_message_id(message, text)
    own_words = text[: found.start()] if (found := _MESSAGE_ID.search(text)) else text
    addresses = named or [one for one in _addresses(own_words[phrase.end() if phrase else 0 :]) if one != sender][:1]
    if not identifier or not addresses:
        return None
    status = _STATUS.search(own_words)
    late = bool(_FOR_A_WHILE.search(own_words)) or (status is not None and status[1] == "4")
    return Bounce(
        failures=tuple(
            Failure(
                address=address,
                action="delayed" if late else "failed",
                status=status[0] if status else "",
                diagnostic=_diagnostic(own_words, address),
            )
            for address in addresses
        ),
        original_message_id=identifier,
        is_standard=False,
    )


def _diagnostic(text: str, address: str) -> str:
    """Return the server's sentence about an address: the lines that follow it."""
    _, _, after = text.partition(address)
    lines = [line.strip(" >:") for line in re.split(r"(?m)^\s*--", after)[0].split("\n")]
    return _legible(" ".join([line for line in lines if line][:3]))


def _addresses(text: str) -> list[str]:
    found = (address.lower().rstrip(".") for address in _ADDRESS.findall(text))
    return list(dict.fromkeys(address for address in found if "." in address.rpartition("@")[2].lstrip(".")))


def _typed(value: str) -> str:
    """Return « x@y » from « rfc822; x@y »."""
    _, separator, rest = value.partition(";")
    return (rest if separator else value).strip().strip("<>")


def _legible(text: str) -> str:
    return " ".join(text.split())[:LONGEST_DIAGNOSTIC]


def _every_part(message: Message) -> Iterator[Message]:
    return islice(message.walk(), MOST_PARTS)


def _inside(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "replace")
    return "\n".join(inner.as_string() for inner in _inside(part))
