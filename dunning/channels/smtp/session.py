"""One SMTP conversation for a batch: each message leaves once, or the truth is told."""

import contextlib
import re
import smtplib
import socket
import ssl
from types import TracebackType
from typing import Self

from cabinets import outside
from dunning.channels.protocol import DeliveryError, Outcome, Outgoing, Stage, Verdict
from dunning.channels.smtp.settings import Security, SmtpSettings

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_PERMANENT = 500
_TRANSIENT = 400
_GO_AHEAD = 354
_CLOSING = 421
_REPLY_CHARACTERS = 500


class _Lost(Exception):  # noqa: N818 (a turn of the conversation, not an error of ours)
    """The line broke before the message was complete: the server has nothing."""

    def __init__(self, stage: Stage, reason: str, *, silent: bool) -> None:
        super().__init__(reason)
        self.stage = stage
        self.silent = silent


class SmtpSession:
    """A connection kept for a batch, opened again when the server closes it between two messages."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self._smtp = _connect(self._settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._smtp and kind is None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._hang_up()

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one message over, once, and tell what became of it."""
        for stage, address in (
            (Stage.SENDER, outgoing.envelope_from),
            (Stage.RECIPIENT, outgoing.recipient),
        ):
            if not _ADDRESS.fullmatch(address):
                return _outcome(Verdict.REJECTED, stage, None, "Aucun serveur n’accepte une adresse ainsi écrite.")
        try:
            return self._attempt(outgoing)
        except BaseException:
            # A conversation cut in the middle of a message is never taken up again.
            self._hang_up()
            raise

    def _attempt(self, outgoing: Outgoing) -> Outcome:
        reused = self._smtp is not None
        try:
            smtp = self._smtp = self._smtp or _connect(self._settings)
            return self._speak(smtp, outgoing)
        except DeliveryError as error:
            return _outcome(Verdict.POSTPONED, Stage.CONNECT, error.code, str(error))
        except _Lost as lost:
            self._hang_up()
            if reused and not lost.silent:
                # Servers close after a time or a number of messages; nothing of this one was kept.
                return self._attempt(outgoing)
            return _outcome(Verdict.POSTPONED, lost.stage, None, str(lost))

    def _speak(self, smtp: smtplib.SMTP, outgoing: Outgoing) -> Outcome:
        body = _on_the_wire(outgoing.message)
        options = [f"size={len(body)}"] if smtp.has_extn("size") else []
        for stage, command, argument in (
            (Stage.SENDER, "MAIL", f"FROM:<{outgoing.envelope_from}>{''.join(f' {option}' for option in options)}"),
            (Stage.RECIPIENT, "RCPT", f"TO:<{outgoing.recipient}>"),
            (Stage.CONTENT, "DATA", ""),
        ):
            code, reply = _ask(smtp, stage, command, argument)
            if not (code == _GO_AHEAD if stage is Stage.CONTENT else code // 100 == 2):  # noqa: PLR2004 (2xx: yes)
                return self._refused(smtp, stage, code, reply)
        return self._hand_over(smtp, body)

    def _hand_over(self, smtp: smtplib.SMTP, body: bytes) -> Outcome:
        """Send the message and its final dot: once a byte of the dot may be out, silence means nobody knows."""
        sent, whole = 0, memoryview(body + b".\r\n")
        try:
            while sent < len(whole):
                # Not sendall(), which does not tell how far it went.
                sent += _line(smtp).send(whole[sent:])
            code, reply = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            if sent <= len(body):
                raise _lost(Stage.CONTENT, error) from error
            self._hang_up()
            return _outcome(Verdict.UNKNOWN, Stage.END, None, _reason(error))
        if code == _CLOSING:
            self._hang_up()
        if code // 100 == 2:  # noqa: PLR2004 (2xx: yes)
            return _outcome(Verdict.ACCEPTED, Stage.END, code, reply)
        if _TRANSIENT <= code < _PERMANENT + 100:
            return _outcome(_refusal(code), Stage.END, code, reply)
        self._hang_up()
        return _outcome(Verdict.UNKNOWN, Stage.END, code, reply)

    def _refused(self, smtp: smtplib.SMTP, stage: Stage, code: int, reply: bytes) -> Outcome:
        if code == _CLOSING:
            raise _Lost(stage, _legible(reply), silent=False)
        if not _TRANSIENT <= code < _PERMANENT + 100:
            self._hang_up()
            return _outcome(Verdict.POSTPONED, stage, code, reply)
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._hang_up()
        return _outcome(_refusal(code), stage, code, reply)

    def _hang_up(self) -> None:
        if self._smtp:
            self._smtp.close()
        self._smtp = None


class _Guarded(smtplib.SMTP):
    """Speaks to the address that was checked."""

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return outside.connect(host, port, timeout)


class _GuardedTls(smtplib.SMTP_SSL):
    """The same, protected from the first byte, under the certificate of the host that was named."""

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self.context.wrap_socket(outside.connect(host, port, timeout), server_hostname=host)


def _connect(settings: SmtpSettings) -> smtplib.SMTP:
    """Open, protect and sign in; raise DeliveryError with what to mend."""
    context = _trust(settings)
    name = settings.greeting or _own_name()
    smtp: smtplib.SMTP | None = None
    try:
        if settings.security is Security.TLS:
            smtp = (smtplib.SMTP_SSL if settings.is_operators else _GuardedTls)(
                settings.host, settings.port, local_hostname=name, timeout=settings.timeout, context=context
            )
        else:
            smtp = (smtplib.SMTP if settings.is_operators else _Guarded)(
                settings.host, settings.port, local_hostname=name, timeout=settings.timeout
            )
        if settings.security is Security.STARTTLS:
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
        if settings.username:
            smtp.login(settings.username, settings.password)
    except outside.ForbiddenAddressError as error:
        raise DeliveryError(f"{settings.host} n’a pas été appelé\u00a0: {error}.", permanent=True) from error
    except (OSError, smtplib.SMTPException) as error:
        if smtp:
            smtp.close()
        raise _delivery_error(settings, error) from error
    return smtp


def _trust(settings: SmtpSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise DeliveryError(
            f"Le fichier de l’autorité de certification ne se lit pas\u00a0: {error.strerror}.", permanent=True
        ) from error


def _delivery_error(settings: SmtpSettings, error: OSError | smtplib.SMTPException) -> DeliveryError:
    server = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return DeliveryError(
                f"Le certificat de {server} n’est pas reconnu\u00a0: {error.verify_message}.", permanent=True
            )
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
            return DeliveryError(f"{server} ne parle pas TLS comme attendu\u00a0: {error.reason}.", permanent=True)
        case smtplib.SMTPAuthenticationError():
            return DeliveryError(
                f"{server} refuse l’identifiant ou le mot de passe.",
                permanent=error.smtp_code >= _PERMANENT,
                code=error.smtp_code,
            )
        case smtplib.SMTPNotSupportedError():
            return DeliveryError(f"{server} n’offre pas ce que le réglage demande\u00a0: {error}", permanent=True)
        case smtplib.SMTPResponseException():
            said = _legible(error.smtp_error)
            return DeliveryError(
                f"{server} refuse de répondre\u00a0: {error.smtp_code} {said}",
                permanent=error.smtp_code >= _PERMANENT,
                code=error.smtp_code,
            )
        case _:
            return DeliveryError(f"{server} ne répond pas\u00a0: {_reason(error)}", permanent=False)


def _ask(smtp: smtplib.SMTP, stage: Stage, command: str, argument: str) -> tuple[int, bytes]:
    try:
        return smtp.docmd(command, argument)
    except (OSError, smtplib.SMTPException) as error:
        raise _lost(stage, error) from error


def _line(smtp: smtplib.SMTP) -> socket.socket:
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the line is closed")
    return smtp.sock


def _lost(stage: Stage, error: Exception) -> _Lost:
    return _Lost(stage, _reason(error), silent=_is_timeout(error))


def _is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError) or (error is not None and _is_timeout(error.__context__))


def _reason(error: Exception) -> str:
    if _is_timeout(error):
        return "le délai d’attente est écoulé."
    return str(error) or type(error).__name__


def _refusal(code: int) -> Verdict:
    return Verdict.REJECTED if code >= _PERMANENT else Verdict.POSTPONED


def _outcome(verdict: Verdict, stage: Stage, code: int | None, said: bytes | str) -> Outcome:
    return Outcome(verdict=verdict, stage=stage, code=code, text=_legible(said))


def _legible(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:_REPLY_CHARACTERS]


def _on_the_wire(message: bytes) -> bytes:
    """Write every line end as CRLF and double the leading dots, so that nothing in it ends the message."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)


def _own_name() -> str:
    # Not getfqdn(), which asks a name server and may wait for it.
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
