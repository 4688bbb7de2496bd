"""Logs as JSON lines that hold ids and events: what looks like a person's coordinates never gets out."""

import re
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

# Set by the middleware, and by whoever starts a piece of work worth following.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

HIDDEN = "[…]"
# Left as they are: ours, and made of digits that could be taken for a phone.
EXEMPT = frozenset({"timestamp", "level", "logger", "request_id", "cabinet_id"})
# Objects that carry a whole request or a whole row.
DROPPED = frozenset({"request", "sql", "params", "response", "task_args", "task_kwargs", "data"})

_GAP = "[ .\u00a0\u202f-]"
_PATTERN = re.compile(
    "|".join(
        [
            r"(?P<keep>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b"
            r"|\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?)?)",
            # E-mail, also as it stands in a URL; no further back than an address goes, or a long path is read for ever.
            r"""[^\s@<>"'(),;:=\[\]\\/]{1,64}(?:@|%40)[\w.-]+\.\w{2,}""",
            # IBAN, compact in any case, or in printed groups.
            r"\b[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}\b",
            rf"\b[A-Z]{{2}}\d{{2}}(?:{_GAP}[A-Z0-9]{{4}}){{2,7}}(?:{_GAP}[A-Z0-9]{{1,4}})?\b",
            # Phones: with a country, without its sign, then as the French write them.
            rf"\+\d(?:{_GAP}?\(?\d\)?){{7,14}}",
            r"\b00[1-9]\d{8,13}\b",
            r"\b(?:33|262|590|594|596)[1-9]\d{8}\b",
            rf"(?<![\w.-])0[1-9](?:{_GAP}?\d{{2}}){{4}}\b",
            # A link's token, in a path or a query.
            r"(?<=[/=])(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{22,}",
            # PostgreSQL quotes the values of the row after this word.
            r"(?<=DETAIL:)[^\n]*",
        ]
    )
)


def redacted(text: str) -> str:
    """Return the text without e-mails, IBANs, phones, link tokens and quoted rows."""
    return _PATTERN.sub(lambda found: found[0] if found["keep"] else HIDDEN, text)


def redact(value: Any) -> Any:
    """Return any logged value without coordinates, keeping numbers and the shape of lists and tables."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {redacted(str(key)): redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return redacted(str(value))


# Their words are the interpreter's, about names, types and files of ours: any other may quote what a person typed.
_OF_CODE = (AttributeError, NameError, ImportError, TypeError, NotImplementedError, RecursionError, OSError)


def _told(error: BaseException | None) -> Iterator[str]:
    """Tell an exception and those it came from, the first first."""
    if error is None:
        return
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from _told(before)
    kind = type(error)
    is_of_code = kind.__module__ == "builtins" and isinstance(error, _OF_CODE)
    yield "Traceback (most recent call last):"
    yield from (line.rstrip("\n") for line in traceback.format_tb(error.__traceback__))
    yield f"{kind.__module__}.{kind.__qualname__}: {error if is_of_code else HIDDEN}"


def _message(found: dict[str, Any]) -> str:
    """Return a library's message without what it quotes: the words of an exception, the path a person typed."""
    said, logger = str(found.get("message", "")), str(found.get("name", found.get("logger", "")))
    if logger == "celery.app.trace":
        return said.partition(": ")[0]
    if logger.startswith("django.") and hasattr(found.get("request"), "path"):
        match = getattr(found["request"], "resolver_match", None)
        return f"{said.partition(': ')[0]}: /{match.route}" if match else f"{said.partition(': ')[0]}: {HIDDEN}"
    return said


class Reader:
    """How the logs learn which firm is acted for, without importing the floor that knows."""

    cabinet: Callable[[], object | None] = staticmethod(lambda: None)


class HouseFormatter(JsonFormatter):
    """One line, one event: time, level, logger, message, request, firm, then what the call added."""

    def __init__(self) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=True,
            json_ensure_ascii=False,
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Write where an exception came from and its class; its words only where they speak of code, not of data."""
        return "\n".join(_told(ei[1]))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the ids, drop whole objects, redact the rest: message, arguments and exceptions alike."""
        log_data["message"] = _message(log_data)
        cabinet = Reader.cabinet()
        log_data["request_id"] = REQUEST_ID.get()
        log_data["cabinet_id"] = None if cabinet is None else str(cabinet)
        return {
            redacted(key): value if key in EXEMPT else redact(value)
            for key, value in log_data.items()
            if key not in DROPPED and not (key in EXEMPT and value is None)
        }


CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logging.HouseFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would write the same event twice, in clear.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # The text of a statement holds what a person typed.
        "django.db.backends": {"level": "WARNING"},
        # An address asked for holds what is asked: a company's number, the key of a provider's account.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # The demonstration's mail catcher repeats each line of each message.
        "mail": {"level": "WARNING"},
        # Each step of each letter, and each table of each font.
        "weasyprint": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        # Stripe's client repeats what a refusal says of a debtor's address.
        "stripe": {"level": "WARNING"},
    },
}
