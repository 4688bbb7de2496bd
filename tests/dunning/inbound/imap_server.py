"""A real IMAP server on loopback, and a line to it that can be cut in the middle of a message."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from imap_tools import MailBoxUnencrypted

from dunning.inbound.mailbox import MailboxSettings, Security
from tests.mail_sink import free_port

HOST = "127.0.0.1"
USER, PASSWORD = "boite", "mot-de-passe-de-papier"
STARTS_WITHIN = 15.0


class ImapServer:
    """Start with `with`; `drop` a message in, read `settings`. With a certificate, it speaks TLS after STARTTLS."""

    def __init__(self, *, certificate: Path | None = None) -> None:
        self.port = free_port()
        tls = ["--cert", str(certificate), "--key", str(certificate)] if certificate else ["--no-tls"]
        dictionary = ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
        self._command = [
            str(Path(sys.executable).with_name("pymap")), "--host", HOST, "--port", str(self.port), *tls, *dictionary,
        ]  # fmt: skip
        self._is_plain = certificate is None

    def __enter__(self) -> Self:
        """Start, and make an empty folder."""
        self._process = subprocess.Popen(  # noqa: S603 - a server of the tests
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        if self._is_plain:
            self.make_folder()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._process.terminate()
        self._process.wait(timeout=10)

    @property
    def settings(self) -> MailboxSettings:
        """Return how to read the folder."""
        return self.settings_at(self.port)

    def settings_at(self, port: int) -> MailboxSettings:
        """Return how to read the folder through another port."""
        return MailboxSettings(
            host=HOST, port=port, username=USER, secret=PASSWORD, folder="Retours", security=Security.NONE, timeout=5
        )

    def make_folder(self) -> None:
        """Make the folder, or make it anew: its numbering starts over under another identity."""
        with self._box() as box:
            if box.folder.exists("Retours"):
                box.folder.delete("Retours")
            box.folder.create("Retours")

    def drop(self, *messages: bytes) -> None:
        """Put messages in the folder."""
        with self._box() as box:
            for message in messages:
                box.append(message, "Retours")

    def remove(self, uid: int) -> None:
        """Take a message out of the folder."""
        with self._box() as box:
            box.folder.set("Retours")
            box.delete([str(uid)])

    def flags(self) -> list[tuple[str, ...]]:
        """Return what each message of the folder is marked with."""
        with self._box() as box:
            box.folder.set("Retours")
            return [one.flags for one in box.fetch(mark_seen=False, headers_only=True)]

    def _box(self) -> MailBoxUnencrypted:
        box = MailBoxUnencrypted(HOST, self.port, timeout=5)
        box.login(USER, PASSWORD, initial_folder=None)
        return box


class CutLine:
    """A line to a server that falls silent for good after so many bytes from it; None: never."""

    def __init__(self, port: int, *, after: int | None) -> None:
        self.port = free_port()
        self._target, self._left = port, after
        self._listener = socket.create_server((HOST, self.port))

    def __enter__(self) -> Self:
        """Listen."""
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and leave no socket behind: a later test would answer for it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "une liaison de l’essai précédent tient encore"
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._relay, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection((HOST, self._target)) as server:
            back = threading.Thread(target=self._carry, args=(server, client, True), daemon=True)
            back.start()
            self._carry(client, server, counts=False)
            back.join()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(512):
                if counts and self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                target.sendall(data)
                if counts and self._left == 0:
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
