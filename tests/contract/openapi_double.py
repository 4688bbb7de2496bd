"""A loopback server that answers out of an official OpenAPI file, and refuses what the file forbids."""

import http.server
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_schema_validator import OAS30Validator

SPECS = Path(os.environ.get("QUITTANCE_SPECS") or Path(__file__).resolve().parents[3] / "shared" / "specs")
_NAME = re.compile(r"[^\[]+")
_KEYS = re.compile(r"\[([^\]]*)\]")


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
    query: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Double:
    """One description served on this machine: what was called, what was wrong, what to answer next."""

    spec: dict[str, Any]
    prefix: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    base_url: str = ""

    def answer(self, method: str, address: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        """Check one call against the description, and answer as the test or the description says."""
        split = urlsplit(address)
        path, query = split.path, unfolded(parse_qsl(split.query, keep_blank_values=True))
        self.calls.append(Call(method, path, body, headers, query))
        template, operation = self._operation(method, path)
        if operation is None:
            self.faults.append(f"{method} {path}: no such operation")
            return 404, {"message": "no such operation"}
        if wrong := [*self._wrong(operation, body), *self._unasked(operation, query)]:
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
        kind, media = next(iter(content.items()))
        schema = closed(self._resolved(media["schema"]))
        said = coerced(schema, body) if "form" in kind else body
        return [error.message[:160] for error in OAS30Validator(schema).iter_errors(said)]

    def _unasked(self, operation: dict[str, Any], query: dict[str, Any]) -> list[str]:
        named = [self._resolved(one) for one in operation.get("parameters", [])]
        known = {one["name"] for one in named if one.get("in") == "query"}
        return [f"query {name} is unknown" for name in query if name not in known]

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, dict) and "$ref" in node:
            target: Any = self.spec
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            return self._resolved(target)
        if isinstance(node, dict):
            return {name: self._resolved(value) for name, value in node.items()}
        return [self._resolved(one) for one in node] if isinstance(node, list) else node


def closed(schema: Any) -> Any:
    """Refuse a field the description does not name, at any depth, where it says nothing of others."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: value if name in {"enum", "example"} else closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **found} if found.get("type") == "object" else found


def unfolded(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Read the bracketed names of a form: a[b][0]=1 is a list in a table."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        start = _NAME.match(name)
        keys, place = [start.group() if start else name, *_KEYS.findall(name)], root
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    found: dict[str, Any] = _as_lists(root)
    return found


def _as_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = {key: _as_lists(value) for key, value in node.items()}
    return [made[key] for key in sorted(made, key=int)] if made and all(key.isdigit() for key in made) else made


def coerced(schema: dict[str, Any], value: Any) -> Any:
    """Return a form's texts as the numbers and booleans the description wants, where they read as such."""
    for choice in schema.get("anyOf", []):
        if (made := coerced(choice, value)) != value:
            return made
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {name: coerced(known.get(name, {}), one) for name, one in value.items()}
    if isinstance(value, list):
        return [coerced(schema.get("items", {}), one) for one in value]
    if schema.get("type") == "integer" and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in {"true", "false"}:
        return value == "true"
    return value


@cache
def description(name: str) -> dict[str, Any]:
    """Read an official description, once a process: the largest takes half a second."""
    text = (SPECS / name).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    return found


@contextmanager
def serving(name: str, *, prefix: str = "") -> Iterator[Double]:
    """Serve an official description on a free port of this machine until the block ends."""
    with served(Double(description(name), prefix)) as double:
        yield double


@contextmanager
def served(double: Double) -> Iterator[Double]:
    """Serve a description on a free port of this machine until the block ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def do_PATCH(self) -> None:
            self._reply()

        def _reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_form = "x-www-form-urlencoded" in (self.headers.get("Content-Type") or "")
            body = unfolded(parse_qsl(raw)) if is_form else json.loads(raw or "{}")
            status, said = double.answer(self.command, self.path, body, dict(self.headers))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    double.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
