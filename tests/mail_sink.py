"""A real SMTP server on loopback that keeps what it takes, and misbehaves when told to."""

import asyncio
import socket
import ssl
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CONNECT, EHLO, STARTTLS, AUTH = "CONNECT", "EHLO", "STARTTLS", "AUTH"
MAIL, RCPT, DATA, BODY, END, RSET = "MAIL", "RCPT", "DATA", "BODY", "END", "RSET"


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer this line instead of the usual one."""

    line: str


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing for so long, then drop the line."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Cut the line without a word; at END the message may have been kept."""

    keep: bool = False


Behaviour = Reply | Hang | Drop


@dataclass(frozen=True, slots=True)
class Caught:
    """One message the server answered for, or kept before it fell silent."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class SmtpSink:
    """Start with `with`, script with `on`, read `caught`, `message_ids` and `commands`.

    `delay` slows each reply. With `tls`, STARTTLS is offered, and demanded when `require_starttls`; `implicit_tls`
    speaks TLS from the first byte. With `credentials`, nobody passes without them.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        require_starttls: bool = False,
        credentials: tuple[str, str] | None = None,
        delay: float = 0.0,
        port: int = 0,
    ) -> None:
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.delay = delay
        self.credentials = credentials
        self.caught: list[Caught] = []
        self.commands: list[str] = []
        self.connections = 0
        self._tls, self._implicit_tls, self._require_starttls = tls, implicit_tls, require_starttls
        self._script: dict[str, list[Behaviour | None]] = defaultdict(list)
        self._always: dict[str, Behaviour] = {}
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._conversations: list[_Conversation] = []
        self._thread = threading.Thread(target=self._run, name="smtp-sink", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    @property
    def message_ids(self) -> Counter[str]:
        """How many times each message was kept."""
        return Counter(message.message_id for message in self.caught)

    def on(self, stage: str, *behaviours: Behaviour | None) -> Self:
        """Do this at the next passages of a stage, in order; None passes once without misbehaving."""
        self._script[stage] += behaviours
        return self

    def always(self, stage: str, behaviour: Behaviour) -> Self:
        """Do this at every passage of a stage that has nothing else to do."""
        self._always[stage] = behaviour
        return self

    def next_at(self, stage: str) -> Behaviour | None:
        """Return what to do now at this stage, and forget it."""
        if self._script[stage]:
            return self._script[stage].pop(0)
        return self._always.get(stage)

    def keep(self, envelope: Envelope) -> None:
        """Keep a message."""
        content = bytes(envelope.original_content or b"")
        self.caught.append(
            Caught(
                message_id=str(message_from_bytes(content)["Message-ID"] or ""),
                sender=str(envelope.mail_from),
                recipients=tuple(envelope.rcpt_tos),
                content=content,
            )
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            self._conversation, self.host, self.port, ssl=self._tls if self._implicit_tls else None
        )

    def _conversation(self) -> "_Conversation":
        self.connections += 1
        conversation = _Conversation(
            self,
            hostname="sink.example",
            loop=self._loop,
            tls_context=None if self._implicit_tls else self._tls,
            require_starttls=self._require_starttls,
            authenticator=self._check,
            data_size_limit=50_000_000,
            timeout=60,
        )
        # Set afterwards: asked at birth, aiosmtpd warns that this server is not a safe one.
        conversation._auth_required = self.credentials is not None
        conversation._auth_require_tls = False
        self._conversations.append(conversation)
        return conversation

    def _check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        wanted = self.credentials
        right = wanted is not None and (given.login.decode(), given.password.decode()) == wanted
        return AuthResult(success=right, handled=False)

    async def _shut(self) -> None:
        if self._server:
            self._server.close()
        for conversation in self._conversations:
            conversation.hang_up()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # Sockets close one turn of the loop after they are told to, TLS ones a few.
        for _ in range(5):
            await asyncio.sleep(0.001)


class _Keeper:
    """What happens at the final dot."""

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink

    async def handle_DATA(  # noqa: N802 (the name aiosmtpd looks for)
        self, server: "_Conversation", session: Session, envelope: Envelope
    ) -> str:
        behaviour = self.sink.next_at(END)
        self.sink.commands.append(END)
        if behaviour is None or (isinstance(behaviour, Drop) and behaviour.keep):
            self.sink.keep(envelope)
        if isinstance(behaviour, Reply):
            return behaviour.line
        if behaviour is not None:
            await server.misbehave(behaviour)
        return "250 2.0.0 Ok: queued as SINK"


class _Conversation(SMTP):
    """One client, served by the book unless the script says otherwise."""

    def __init__(self, sink: SmtpSink, **options: Any) -> None:
        self.sink = sink
        super().__init__(_Keeper(sink), **options)

    async def push(self, status: Any) -> None:
        if self.sink.delay:
            await asyncio.sleep(self.sink.delay)
        await super().push(status)

    async def _handle_client(self) -> None:
        if await self._misbehaves(CONNECT):
            if self.transport and not self.transport.is_closing():
                self.transport.close()
            return
        await super()._handle_client()

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802 (the name aiosmtpd looks for)
        await self._unless(EHLO, super().smtp_EHLO, arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        await self._unless(STARTTLS, super().smtp_STARTTLS, arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        await self._unless(AUTH, super().smtp_AUTH, arg)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        await self._unless(MAIL, super().smtp_MAIL, arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        await self._unless(RCPT, super().smtp_RCPT, arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        await self._unless(RSET, super().smtp_RSET, arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        body = self.sink.next_at(BODY)
        if body is None:
            await self._unless(DATA, super().smtp_DATA, arg)
            return
        self.sink.commands.append(DATA)
        await self.push("354 Go ahead")
        await self.misbehave(body)

    async def _unless(self, stage: str, usual: Callable[[str], Any], arg: str) -> None:
        self.sink.commands.append(stage)
        if not await self._misbehaves(stage):
            await usual(arg)

    async def _misbehaves(self, stage: str) -> bool:
        behaviour = self.sink.next_at(stage)
        if behaviour is None:
            return False
        await self.misbehave(behaviour)
        return True

    async def misbehave(self, behaviour: Behaviour) -> None:
        """Do what the script says."""
        if isinstance(behaviour, Reply):
            await self.push(behaviour.line)
            if behaviour.line.startswith("421"):
                self._line().close()
            return
        if isinstance(behaviour, Hang):
            await asyncio.sleep(behaviour.seconds)
        self._line().abort()

    def hang_up(self) -> None:
        """Cut the line, if it is still there."""
        for line in (self.transport, self._original_transport):
            if isinstance(line, asyncio.Transport):
                line.abort()

    def _line(self) -> asyncio.Transport:
        assert isinstance(self.transport, asyncio.Transport)
        return self.transport


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
