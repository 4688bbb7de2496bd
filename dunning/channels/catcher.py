"""Take the e-mails of demo firms on this machine: nothing goes further, and only invented addresses are served."""

import asyncio
import datetime as dt
import itertools
import logging
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_binary_file
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as parsing
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from cabinets.outside import is_loopback

# Names that RFC 2606 and RFC 6761 keep out of the real world.
RESERVED_ENDINGS = ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")
# RFC 6761 promises that nothing answers there: it is where the demonstration's lost addresses live.
GONE = ".invalid"
LARGEST = 10_000_000

_KEY = re.compile(r"\d{20}-[0-9a-f]{8}")
_kept = itertools.count()
_HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as a mailbox lists it."""

    key: str
    received_at: dt.datetime
    sender: str
    recipient: str
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One message as a mailbox shows it; its HTML is foreign and belongs in a sandbox."""

    received: Received
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


def is_reserved(address: str) -> bool:
    """Tell whether nobody can live at this address."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return any(domain == ending or domain.endswith(f".{ending}") for ending in RESERVED_ENDINGS)


def serve(*, host: str, port: int, directory: Path) -> None:
    """Catch messages until the process is told to stop."""

    async def until_told() -> None:
        stopped = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        await catch(host=host, port=port, directory=directory, stopped=stopped)

    asyncio.run(until_told())


async def catch(
    *, host: str, port: int, directory: Path, stopped: asyncio.Event, ready: Callable[[], object] | None = None
) -> None:
    """Catch messages into a folder until the event is set; listen to this machine only."""
    if not is_loopback(host):
        raise ValueError("La boîte de démonstration n’écoute que cette machine.")
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    # At INFO aiosmtpd writes every address it hears.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(_Mailbox(directory), hostname="localhost", loop=loop, data_size_limit=LARGEST), host, port
    )
    async with server:
        if ready:
            ready()
        await stopped.wait()


def list_messages(directory: Path) -> list[Received]:
    """Return the messages kept in a folder, the last one first."""
    keys = sorted((path.stem for path in directory.glob("*.eml") if _KEY.fullmatch(path.stem)), reverse=True)
    return [_summary(key, _read(directory / f"{key}.eml", headers_only=True)) for key in keys]


def open_message(directory: Path, key: str) -> Opened | None:
    """Return one message of a folder, or None when there is none by this key."""
    path = directory / f"{key}.eml"
    if not _KEY.fullmatch(key) or not path.is_file():
        return None
    message = _read(path)
    return Opened(
        received=_summary(key, message),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers=tuple((name, str(message[name])) for name in _HEADERS if message[name]),
    )


def keep(directory: Path, content: bytes, *, sender: str, recipient: str) -> str:
    """Write one message where it is either whole or absent, readable by the product only; return its key."""
    key = f"{time.time_ns():020d}-{next(_kept):08x}"
    trace = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode()
    draft = directory / f"{key}.part"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(trace + content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(directory / f"{key}.eml")
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return key


class _Mailbox:
    """What the catcher answers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def handle_RCPT(  # noqa: N802 (the name aiosmtpd looks for)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not is_reserved(address):
            return "550 5.7.1 Only the reserved domains of RFC 2606 are served here"
        if address.lower().rstrip(".").endswith(GONE):
            return "550 5.1.1 Nobody is known by this address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        try:
            keys = [
                keep(self._directory, content, sender=envelope.mail_from or "", recipient=recipient)
                for recipient in envelope.rcpt_tos
            ]
        except OSError:
            logging.getLogger(__name__).exception("catcher.not_kept")
            return "452 4.3.1 The message could not be kept"
        return f"250 2.0.0 Ok: queued as {keys[0]}"


def _read(path: Path, *, headers_only: bool = False) -> EmailMessage:
    with path.open("rb") as file:
        if headers_only:
            return BytesParser(policy=parsing).parse(file, headersonly=True)
        return message_from_binary_file(file, policy=parsing)


def _summary(key: str, message: EmailMessage) -> Received:
    return Received(
        key=key,
        received_at=dt.datetime.fromtimestamp(int(key[:20]) / 1e9, tz=dt.UTC),
        sender=str(message["From"] or ""),
        recipient=str(message["Delivered-To"] or ""),
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or ""),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
