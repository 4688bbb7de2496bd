"""A web server on loopback that answers as it is told, and remembers what it was asked."""

import http.server
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Read the fields of a form, whatever its encoding; a file is its name."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            message = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + self.body)
            parts: Any = message.get_payload()
            named = {str(one.get_param("name", header="content-disposition")): one for one in parts}
            return {name: one.get_filename() or one.get_payload(decode=True).decode() for name, one in named.items()}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered; `hang` waits first, `cut` drops the line instead, both after the call was heard."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    hang: float = 0.0
    cut: bool = False


def said(content: Any, status: int = 200) -> Said:
    """Answer this, as JSON."""
    return Said(status=status, body=json.dumps(content).encode())


Route = Callable[[Asked], Said]


class _Server(http.server.ThreadingHTTPServer):
    """A server that callers may leave in the middle of a word."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a line that broke."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class WebDouble:
    """Start with `with`; `routes` maps "POST /mail" to what answers; `faults` are answered first, each once."""

    routes: dict[str, Route] = field(default_factory=dict)
    faults: dict[str, list[Said]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> Self:
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                parts, length = urlsplit(self.path), int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:
                    # Whoever called died before saying everything: nothing was asked.
                    self.close_connection = True
                    return
                asked = Asked(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                )
                double.asked.append(asked)
                answer = double.answer(asked)
                time.sleep(answer.hang)
                if answer.cut:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("content-type", answer.media_type)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = _answer  # noqa: N815 (the names http.server looks for)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: Asked) -> Said:
        """Answer a fault that waits for this call, else what its route says."""
        for route in (f"{asked.method} {asked.path}", f"{asked.method} {asked.path.rsplit('/', 1)[0]}/*"):
            if self.faults.get(route):
                return self.faults[route].pop(0)
            if route in self.routes:
                return self.routes[route](asked)
        return Said(status=404)

    def count(self, method: str, path: str) -> int:
        """Count the calls made to a path."""
        return sum(one.method == method and one.path == path for one in self.asked)
