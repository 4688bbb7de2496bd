"""A message as the mailbox gave it → what it is. Nonsense never raises: it is kept, unread, for a person."""

import binascii
import codecs
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from dunning.inbound import plain
from dunning.inbound.bounces import MOST_PARTS, Bounce, find_bounce, is_report, original_message_id, says_delivered

LONGEST_SUBJECT = 300
LONGEST_ADDRESS = 254
MOST_REFERENCES = 50
MOST_ATTACHMENTS = 20
# What a message of people or of servers never reaches: the standard library takes a time that grows with the square of
# each of them, and one message must not hold a worker.
LONGEST_HEADER = 8192
LONGEST_FACT = 1024
LONGEST_ENCODED = 4096
MOST_SAME_HEADERS = 20
MOST_LINES = 60_000
MOST_BOXES = 60

# What malformed messages make the standard library raise, found by feeding it noise.
_NONSENSE = (
    ValueError, LookupError, TypeError, AttributeError, MessageError, AssertionError, RecursionError, OverflowError,
    binascii.Error,
)  # fmt: skip
_ENDLESS_CHARSETS = frozenset({"idna", "punycode"})
_IDENTIFIER = re.compile(r"<[^<>\s]{1,250}>")
_BULK = frozenset({"bulk", "junk", "list"})
# At the very beginning only: a person who answers an automatic reply writes « RE: » before it.
_ABSENT = re.compile(
    r"(?i)^\s*(?:\[[^\]]{0,40}\]\s*)?(?:réponse automatique|reponse automatique|message automatique"
    r"|notification d[’']absence|message d[’']absence|absence du bureau|absent du bureau|absente du bureau"
    r"|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|vacation reply)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message: it stays in the firm's mailbox."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What a received message is: who, when, about what, and whether a person wrote it."""

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    said: str = ""
    attachments: tuple[Attachment, ...] = ()
    dated_at: dt.datetime | None = None
    is_automatic: bool = False
    is_bulk: bool = False
    """Sent to many. A list or a ticketing system marks what people write too, so it decides nothing by itself."""
    bounce: Bounce | None = None
    is_readable: bool = True

    @property
    def is_human(self) -> bool:
        """Say whether a person may have written it: whatever is not surely a machine's."""
        return self.bounce is None and not self.is_automatic


class _CutHeaders(Compat32):
    """Reads of each header what a real one may hold: a fact of a part is a line, a thread's list is a page."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return the name of a header, and the beginning of what it says."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[: LONGEST_FACT if name.lower().startswith("content-") else LONGEST_HEADER]


_POLICY = _CutHeaders()


def parse(raw: bytes) -> Incoming:
    """Return the facts of a message; those that could be read where it makes no sense."""
    is_nested = raw.lower().count(b"multipart/") > MOST_BOXES
    try:
        message = BytesParser(policy=_POLICY).parsebytes(_first_lines(raw), headersonly=is_nested)
        facts = _envelope(message)
    except _NONSENSE:
        return Incoming(is_readable=False)
    if is_nested:
        return replace(facts, is_readable=False)
    try:
        return _whole(message, facts)
    except _NONSENSE:
        return replace(facts, is_readable=False)


def _first_lines(raw: bytes) -> bytes:
    return b"".join(raw.splitlines(keepends=True)[:MOST_LINES])


def _envelope(message: Message) -> Incoming:
    """Read the headers, each for itself."""
    (name, address), *_ = [*_addresses(message, "From"), *_addresses(message, "Sender"), ("", "")]
    return Incoming(
        message_id=next(iter(_identifiers(message, "Message-ID")), ""),
        in_reply_to=_identifiers(message, "In-Reply-To"),
        references=_identifiers(message, "References"),
        sender=address,
        sender_name=name,
        recipients=_recipients(message),
        subject=_header(message, "Subject")[:LONGEST_SUBJECT],
        dated_at=_date(message),
    )


def _whole(message: Message, facts: Incoming) -> Incoming:
    text = _body(message)
    bounce = find_bounce(message, text=text, sender=facts.sender)
    references = facts.references
    if message.get_content_type() == "multipart/report" and (carried := original_message_id(message, text)):
        references = (*references, carried)
    return replace(
        facts,
        references=references,
        text=text,
        said=plain.without_quote(text),
        attachments=tuple(_attachments(message)),
        bounce=bounce,
        is_automatic=bounce is None and _is_automatic(message, facts.subject),
        is_bulk=_is_bulk(message),
        is_readable=bool(facts.sender and (text or facts.subject or bounce)),
    )


def _is_automatic(message: Message, subject: str) -> bool:
    """Say whether a machine answered: what it says of itself, or a subject only machines write."""
    declared = _header(message, "Auto-Submitted").split(";")[0].strip().lower()
    if declared not in {"", "no"}:
        return True
    if any(_header(message, name).strip() for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")):
        return True
    if _header(message, "Precedence").strip().lower() == "auto_reply":
        return True
    # A receipt or a successful delivery says nothing of the debt.
    if is_report(message, "disposition-notification") or says_delivered(message):
        return True
    return bool(_ABSENT.match(subject))


def _is_bulk(message: Message) -> bool:
    listed = any(_header(message, name).strip() for name in ("List-Id", "List-Unsubscribe"))
    return listed or _header(message, "Precedence").strip().lower() in _BULK


def _body(message: Message) -> str:
    """Return the text of a message: its plain form, or the words of its HTML."""
    plains, htmls = [], []
    for part in islice(_parts(message), MOST_PARTS):
        if part.get_content_disposition() == "attachment":
            continue
        if part.get_content_type() == "text/plain":
            plains.append(_decoded(part))
        elif part.get_content_type() == "text/html":
            htmls.append(_decoded(part))
    text = plain.tidy("\n".join(plains))
    return text or plain.from_html("\n".join(htmls))


def _parts(message: Message) -> Iterator[Message]:
    """Give the parts of a message, never those of a message it carries."""
    if message.get_content_type() == "message/rfc822" or message.get_content_maintype() == "message":
        return
    if message.is_multipart():
        payload = message.get_payload()
        for part in payload if isinstance(payload, list) else []:
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield message


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    for charset in (str(part.get_content_charset() or "utf-8"), "utf-8", "cp1252"):
        try:
            return payload.decode(_quick(charset))
        except (LookupError, ValueError):
            continue
    return payload.decode("utf-8", "replace")


def _quick(charset: str) -> str:
    """Return a charset; refuse those of domain names, which no text is written in and whose decoding never ends."""
    if codecs.lookup(charset).name in _ENDLESS_CHARSETS:
        raise LookupError(charset)
    return charset


def _attachments(message: Message) -> Iterator[Attachment]:
    found = 0
    for part in islice(_parts(message), MOST_PARTS):
        name = _decode(str(part.get_filename() or ""))
        if not name and part.get_content_disposition() != "attachment":
            continue
        found += 1
        if found > MOST_ATTACHMENTS:
            return
        yield Attachment(name=plain.tidy(name)[:120] or "sans nom", kind=part.get_content_type())


def _values(message: Message, name: str) -> list[str]:
    """Return every header of this name as it stands, on one line; some programs write it without any encoding."""
    found = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return [re.sub(r"\r?\n[ \t]*", " ", value).strip() for value in found[:MOST_SAME_HEADERS]]


def _header(message: Message, name: str) -> str:
    values = _values(message, name)
    return plain.tidy(_decode(values[0])).replace("\n", " ") if values else ""


def _decode(value: str) -> str:
    """Return a header in clear; as it stands where its encoding is broken."""
    if "=?" in value:
        try:
            return "".join(_piece(text, charset) for text, charset in decode_header(value[:LONGEST_ENCODED]))
        except _NONSENSE:
            return value.encode("utf-8", "replace").decode("utf-8", "replace")
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except ValueError:
        return data.decode("cp1252", "replace")


def _piece(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode(_quick(charset or "ascii"), "replace")
    except LookupError:
        return text.decode("utf-8", "replace")


def _addresses(message: Message, *names: str) -> list[tuple[str, str]]:
    """Return the names and addresses of these headers, in lower case; what is no address is dropped."""
    found = []
    for name, address in getaddresses([value for header in names for value in _values(message, header)]):
        clean = plain.tidy(address).strip().lower()
        if "@" in clean and " " not in clean and len(clean) <= LONGEST_ADDRESS:
            found.append((plain.tidy(_decode(name)).replace("\n", " ")[:120], clean))
    return found


def _recipients(message: Message) -> tuple[str, ...]:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
    return tuple(dict.fromkeys(address for _, address in _addresses(message, *names)))


def _identifiers(message: Message, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_IDENTIFIER.findall(" ".join(_values(message, name)))))[-MOST_REFERENCES:]


def _date(message: Message) -> dt.datetime | None:
    """Return when the sender says it was written."""
    try:
        date = parsedate_to_datetime(_header(message, "Date"))
    except _NONSENSE:
        return None
    return date.replace(tzinfo=dt.UTC) if date.tzinfo is None else date
