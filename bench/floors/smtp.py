"""The floor of sending: the plainest SMTP server in a process of its own, and the plainest loop that speaks to it."""

import asyncio
import multiprocessing
import re
import smtplib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from dunning.channels.protocol import Outgoing

_IDENTIFIER = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Sink(asyncio.Protocol):
    """One conversation: says yes to everything, after a delay, and counts the identifiers it was given."""

    seen: Counter[bytes] = Counter()
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer, self.in_data = transport, b"", False
        self.say(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every line, and the final dot of every message."""
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            taken, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            if self.in_data:
                self.in_data = False
                identifier = _IDENTIFIER.search(taken)
                self.seen[identifier[1] if identifier else b""] += 1
                self.say(b"250 kept\r\n")
            else:
                self.answer(taken[:4].upper())

    def answer(self, verb: bytes) -> None:
        """Answer one command."""
        if verb == b"DATA":
            self.in_data = True
            self.say(b"354 go ahead\r\n")
        elif verb == b"QUIT":
            self.say(b"221 bye\r\n")
        else:
            self.say(b"250 yes\r\n")

    def say(self, line: bytes) -> None:
        """Say a line, after the delay."""
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, line)
        else:
            self.transport.write(line)


async def _serve(control: Connection, delay: float) -> None:
    Sink.delay = delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    control.send(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, control.recv)
    control.send((sum(Sink.seen.values()), max(Sink.seen.values(), default=0)))


def _run(control: Connection, delay: float) -> None:
    asyncio.run(_serve(control, delay))


class Server:
    """A running server; `kept` is how many messages it took and how often the most repeated one, once it ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.kept = (0, 0)


@contextmanager
def serving(*, delay: float = 0.0) -> Iterator[Server]:
    """Run the server in another process until the block ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(there, delay), daemon=True)
    process.start()
    server = Server(here.recv())
    try:
        yield server
    finally:
        here.send("end")
        server.kept = here.recv()
        process.join(timeout=10)


def send_bare(messages: Sequence[Outgoing], *, port: int) -> None:
    """Send ready-made bytes over one connection, with the standard library and nothing else."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="[127.0.0.1]") as smtp:
        for one in messages:
            smtp.sendmail(one.envelope_from, [one.recipient], one.message)
