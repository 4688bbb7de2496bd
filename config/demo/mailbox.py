"""The mailbox of the demonstration while a command needs one: the catcher that runs, or one of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from dunning.channels import catcher

LOOPBACK = "127.0.0.1"
STARTS_WITHIN = 10.0


@contextmanager
def a_mailbox() -> Iterator[Path]:
    """Make sure a catcher answers at DEMO_CATCHER until the block ends; return the folder it keeps."""
    folder = Path(settings.VAR) / "catcher"
    if settings.DEMO_CATCHER and _answers(settings.DEMO_CATCHER):
        yield folder
        return
    named, address = settings.DEMO_CATCHER, f"{LOOPBACK}:{_free_port()}"
    with _running(address, folder):
        settings.DEMO_CATCHER = address
        try:
            yield folder
        finally:
            settings.DEMO_CATCHER = named


@contextmanager
def _running(address: str, folder: Path) -> Iterator[None]:
    loop, stopped, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    port = int(address.rpartition(":")[2])

    def serve() -> None:
        loop.run_until_complete(
            catcher.catch(host=LOOPBACK, port=port, directory=folder, stopped=stopped, ready=ready.set)
        )
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    if not ready.wait(STARTS_WITHIN):
        raise TimeoutError("the mail catcher of the demonstration did not start")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(STARTS_WITHIN)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, int(port))) == 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
