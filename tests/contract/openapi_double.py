"""A loopback server that answers out of an official OpenAPI file, and refuses what the file forbids."""

import http.server
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_schema_validator import OAS30Validator

SPECS = Path(os.environ.get("QUITTANCE_SPECS") or Path(__file__).resolve().parents[3] / "shared" / "specs")
METHODS = ("get", "post", "put", "delete")


def specs_are_here() -> bool:
    """Say whether the official descriptions are at hand; in continuous integration they must be."""
    if SPECS.is_dir():
        return True
    if os.environ.get("CI"):
        raise AssertionError("continuous integration runs the contracts: QUITTANCE_SPECS names their folder")
    print("contracts not run: no specifications here")  # noqa: T201 - the one line that stands for them
    return False


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was received."""

    method: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(slots=True)
class Double:
    """One description served on this machine: what was called, what was wrong, what to answer next."""

    spec: dict[str, Any]
    prefix: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    base_url: str = ""

    def answer(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        """Check one call against the description, and answer as the test or the description says."""
        self.calls.append(Call(method, path, body, headers))
        template, operation = self._operation(method, path)
        if operation is None:
            self.faults.append(f"{method} {path}: no such operation")
            return 404, {"message": "no such operation"}
        if wrong := self._wrong(operation, body):
            self.faults += [f"{method} {template}: {one}" for one in wrong]
            return 400, {"message": wrong[0], "code": 20001, "status": 400}
        return self.answers.get((method, template), (200, {}))

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any] | None]:
        bare = path.removeprefix(self.prefix)
        for template, item in self.spec["paths"].items():
            pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, bare) and method.lower() in item:
                return template, item[method.lower()]
        return path, None

    def _wrong(self, operation: dict[str, Any], body: dict[str, Any]) -> list[str]:
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return []
        schema = self._closed(next(iter(content.values()))["schema"])
        return [error.message[:160] for error in OAS30Validator(schema).iter_errors(body)]

    def _closed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Refuse a field the description does not name, where it says nothing of others."""
        found = self._resolved(schema)
        return {"additionalProperties": False, **found} if found.get("type") == "object" else found

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, dict) and "$ref" in node:
            target: Any = self.spec
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            return self._resolved(target)
        if isinstance(node, dict):
            return {name: self._resolved(value) for name, value in node.items()}
        return [self._resolved(one) for one in node] if isinstance(node, list) else node


@contextmanager
def serving(name: str, *, prefix: str = "") -> Iterator[Double]:
    """Serve an official description on a free port of this machine until the block ends."""
    text = (SPECS / name).read_text(encoding="utf-8")
    double = Double(json.loads(text) if name.endswith(".json") else yaml.safe_load(text), prefix)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_form = "x-www-form-urlencoded" in (self.headers.get("Content-Type") or "")
            body = dict(parse_qsl(raw)) if is_form else json.loads(raw or "{}")
            status, said = double.answer(self.command, urlsplit(self.path).path, body, dict(self.headers))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    double.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
