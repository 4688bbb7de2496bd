"""Read a folder over IMAP: by number, never marking a message as read, never deleting anything."""

import contextlib
import datetime as dt
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
)

from cabinets import outside
from dunning.inbound.mailbox import Fetched, MailboxError, MailboxSettings, Mark, Security

# What is beyond is attachments: the words of a message come first.
MOST_BYTES = 2_000_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_UID = re.compile(rb"\bUID (\d+)")
_FAULTS = (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """An IMAP mailbox, ready to be read."""

    settings: MailboxSettings

    @contextmanager
    def open(self) -> Iterator["ImapReading"]:
        """Connect, sign in and open the folder for reading only; hang up on the way out."""
        box: BaseMailBox | None = None
        try:
            box = _Box(self.settings)
            _sign_in(box, self.settings)
            box.folder.set(self.settings.folder, readonly=True)
            validity = _validity(box)
        except _FAULTS as error:
            _hang_up(box)
            raise _mailbox_error(self.settings, error) from error
        try:
            yield ImapReading(box=box, settings=self.settings, uid_validity=validity)
        finally:
            _hang_up(box)


@dataclass(frozen=True, slots=True)
class ImapReading:
    """An open folder."""

    box: BaseMailBox
    settings: MailboxSettings
    uid_validity: int

    def after(self, mark: Mark, *, since: dt.date, at_most: int) -> Iterator[Fetched]:
        """Give the messages that follow the mark, oldest first; those since a day where the numbering is new."""
        try:
            for uid in self._uids(mark, since)[:at_most]:
                if (fetched := self._fetch(uid)) is not None:
                    yield fetched
        except _FAULTS as error:
            raise _mailbox_error(self.settings, error) from error

    def _uids(self, mark: Mark, since: dt.date) -> list[int]:
        if mark.uid_validity == self.uid_validity:
            # « n:* » always holds the last message, even below n.
            found = [int(uid) for uid in self.box.uids(f"UID {mark.last_uid + 1}:*")]
            return sorted(uid for uid in found if uid > mark.last_uid)
        day = f"{since.day}-{MONTHS[since.month - 1]}-{since.year}"
        return sorted(int(uid) for uid in self.box.uids(f"SINCE {day}"))

    def _fetch(self, uid: int) -> Fetched | None:
        """Read one message; None when it left the folder meanwhile."""
        answer, parts = self.box.client.uid("FETCH", str(uid), f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)")
        if answer != "OK":
            raise imaplib.IMAP4.error(f"FETCH {answer}")
        raw, said = b"", b""
        for part in parts:
            if isinstance(part, tuple):
                said, raw = said + part[0], part[1]
            elif isinstance(part, bytes):
                said += part
        named = _UID.search(said)
        if not raw or named is None or int(named[1]) != uid:
            return None
        return Fetched(uid_validity=self.uid_validity, uid=uid, received_at=_internal_date(said), raw=raw)


class _Guarded(imaplib.IMAP4):
    """Speaks to the address that was checked."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return outside.connect(self.host, self.port, timeout)


class _GuardedTls(imaplib.IMAP4_SSL):
    """The same, protected from the first byte, under the certificate of the host that was named."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        line = outside.connect(self.host, self.port, timeout)
        wrapped: socket.socket = self.ssl_context.wrap_socket(line, server_hostname=self.host)
        return wrapped


class _Box(BaseMailBox):
    """A mailbox at an address that was checked, protected as its settings say."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        place, timeout = (self._settings.host, self._settings.port), self._settings.timeout
        if self._settings.security is Security.NONE:
            return _Guarded(*place, timeout=timeout)
        context = ssl.create_default_context(cafile=self._settings.ca_file)
        if self._settings.security is Security.TLS:
            return _GuardedTls(*place, ssl_context=context, timeout=timeout)
        client = _Guarded(*place, timeout=timeout)
        client.starttls(ssl_context=context)
        return client


def _sign_in(box: BaseMailBox, settings: MailboxSettings) -> None:
    if settings.is_token:
        box.xoauth2(settings.username, settings.secret, initial_folder=None)
    elif (settings.username + settings.secret).isascii():
        box.login(settings.username, settings.secret, initial_folder=None)
    else:
        box.login_utf8(settings.username, settings.secret, initial_folder=None)


def _validity(box: BaseMailBox) -> int:
    """Return the identity of the folder's numbering, as the server said when it was opened."""
    _, values = box.client.response("UIDVALIDITY")
    if not values or values[0] is None:
        raise imaplib.IMAP4.error("UIDVALIDITY")
    return int(values[0])


def _internal_date(said: bytes) -> dt.datetime:
    moment = imaplib.Internaldate2tuple(said)
    if moment is None:
        return dt.datetime.now(dt.UTC)
    return dt.datetime.fromtimestamp(time.mktime(moment), dt.UTC)


def _hang_up(box: BaseMailBox | None) -> None:
    if box is not None:
        with contextlib.suppress(*_FAULTS):
            box.logout()
        with contextlib.suppress(OSError):
            box.client.shutdown()


def _mailbox_error(settings: MailboxSettings, error: Exception) -> MailboxError:
    reason, permanent = _reason(settings, error)
    return MailboxError(f"{settings.host}:{settings.port} {reason}", permanent=permanent)


def _reason(settings: MailboxSettings, error: Exception) -> tuple[str, bool]:
    """Return what the server did, and whether only a person can mend it."""
    told = ("ne répond pas comme une boîte de réponses.", False)
    match error:
        case ssl.SSLCertVerificationError():
            told = (f"présente un certificat qui n’est pas reconnu\u00a0: {error.verify_message}.", True)
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
            told = (f"ne parle pas TLS comme attendu\u00a0: {error.reason}.", True)
        case MailboxLoginError():
            told = ("refuse l’identifiant ou le mot de passe.", True)
        case MailboxFolderSelectError():
            told = (f"n’a pas de dossier «\u00a0{settings.folder}\u00a0».", True)
        case imaplib.IMAP4.abort():
            told = ("a coupé la conversation.", False)
        case imaplib.IMAP4.error() if settings.is_token and "AUTHENTICATE" in str(error):
            told = ("refuse le jeton d’accès.", True)
        case outside.ForbiddenAddressError():
            told = ("est à une adresse privée, que l’exploitant de ce service ne permet pas de joindre.", True)
        case TimeoutError():
            told = ("ne répond pas\u00a0: le délai d’attente est écoulé.", False)
        case OSError():
            told = (f"ne répond pas\u00a0: {error.strerror or type(error).__name__}.", False)
    return told
