"""Coordinates planted in every place a log line can hold them."""

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from smtplib import SMTPDataError

import pytest
from django.db import DataError
from django.test import RequestFactory
from django.urls import resolve

from cabinets import outside
from cabinets.errors import InputError
from config.logging import CONFIGURATION, REQUEST_ID, HouseFormatter, Reader, redacted
from tests.dunning.channels.web_double import WebDouble

CANARIES = [
    "jean.dupont@exemple.fr",
    "jean.dupont%40exemple.fr",
    "Jean+facture@sous.domaine.exemple.co.uk",
    "FR7630006000011234567890189",
    "fr7630006000011234567890189",
    "FR76 3000 6000 0112 3456 7890 189",
    "FR76\u00a03000\u00a06000\u00a00112\u00a03456\u00a07890\u00a0189",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "0612345678",
    "01-44-32-10-98",
    "+33 6 12 34 56 78",
    "+33612345678",
    "+33 (0)6 12 34 56 78",
    "+596 696 12 34 56",
    "0033612345678",
    "33612345678",
]


class Seen:
    """A logger of its own and the lines that came out of it."""

    def __init__(self) -> None:
        self.stream = StringIO()
        self.logger = logging.getLogger("tests.config.canaries")

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def line(self) -> dict[str, object]:
        found = json.loads(self.text.strip())
        assert isinstance(found, dict)
        return found


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    handler = logging.StreamHandler(seen.stream)
    handler.setFormatter(HouseFormatter())
    seen.logger.addHandler(handler)
    seen.logger.setLevel(logging.INFO)
    seen.logger.propagate = False
    yield seen
    seen.logger.removeHandler(handler)


@pytest.mark.parametrize("canary", CANARIES)
def test_a_coordinate_never_leaves_in_a_message(seen: Seen, canary: str) -> None:
    seen.logger.info(f"sent to {canary}, accepted")  # noqa: G004 — the mistake to survive

    assert seen.line["message"] == "sent to […], accepted"


@pytest.mark.parametrize("canary", CANARIES)
def test_a_coordinate_never_leaves_by_an_argument_an_extra_or_an_exception(seen: Seen, canary: str) -> None:
    try:
        raise ValueError(canary)  # noqa: TRY301 — the case itself
    except ValueError:
        extra = {"to": canary, "all": [canary, {"deep": (canary,)}], canary: 1}
        seen.logger.exception("reminder.not_sent %s", canary, extra=extra, stack_info=True)

    assert canary not in seen.text
    assert seen.line["to"] == "[…]"
    assert seen.line["all"] == ["[…]", {"deep": ["[…]"]}]
    assert "ValueError: […]" in str(seen.line["exc_info"])


def test_a_whole_request_and_a_statement_are_dropped(seen: Seen) -> None:
    seen.logger.info("slow", extra={"request": "GET /x?nom=Dupont", "sql": "SELECT 'Dupont'", "params": ["Dupont"]})

    assert "Dupont" not in seen.text


def test_the_end_of_a_long_word_is_hidden_with_its_address_and_no_more_is_read_back() -> None:
    assert redacted(f"/{'z' * 64}@exemple.fr") == "/[…]"
    assert redacted(f"/{'b' * 10}{'z' * 64}@exemple.fr") == f"/{'b' * 10}[…]"
    assert redacted("2026-11-24.jean@exemple.fr") == "2026-11-24[…]"


@pytest.mark.parametrize("unit", ["a", "a.", "%40", "1", "a@a.", "0-"])
def test_a_long_word_that_is_no_address_is_written_at_once(unit: str) -> None:
    # The first pattern needed hours for this much; a guard, not a measure.
    word = unit * 200_000
    assert len(redacted(word)) <= len(word)


def test_the_values_postgresql_quotes_are_hidden() -> None:
    said = 'duplicate key violates "client_name"\nDETAIL:  Key (name)=(Dupont) already exists.\nCONTEXT: none'

    assert redacted(said) == 'duplicate key violates "client_name"\nDETAIL:[…]\nCONTEXT: none'


def test_a_payment_link_is_hidden_and_a_code_path_is_not() -> None:
    assert redacted("Not Found: /p/Zk3v9QmT7yXc2LbN8rWd4h/recu") == "Not Found: /p/[…]/recu"
    assert redacted("site-packages/django_linear_migrations/apps.py") == (
        "site-packages/django_linear_migrations/apps.py"
    )


@pytest.mark.parametrize(
    "said",
    [
        "invoice 018f3c5e-0612-3456-7890-0612345678ab settled",
        "sha 0612345678abcdef0612345678abcdef",
        "planned 2026-11-24 for 2026-11-25T04:30:00.123456",
        "batch of 5000 rows in 12.5 ms, 1234567 left",
        "version 18.4.0612",
    ],
)
def test_ids_dates_and_figures_stay(said: str) -> None:
    assert redacted(said) == said


def test_a_line_names_its_request_and_its_firm(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "cabinet", staticmethod(lambda: "018f3c5e-0612-7456-8890-0612345678ab"))
    token = REQUEST_ID.set("0612345678")

    seen.logger.warning("reminder.not_sent", extra={"reminder_id": 12, "permanent": True})
    REQUEST_ID.reset(token)

    line = seen.line
    assert isinstance(line.pop("timestamp"), str)
    assert line == {
        "level": "WARNING",
        "logger": "tests.config.canaries",
        "message": "reminder.not_sent",
        "reminder_id": 12,
        "permanent": True,
        "request_id": "0612345678",
        "cabinet_id": "018f3c5e-0612-7456-8890-0612345678ab",
    }


def test_the_configuration_sends_every_logger_through_the_filter() -> None:
    assert {handler["formatter"] for handler in CONFIGURATION["handlers"].values()} == {"json"}
    logging.config.DictConfigurator(CONFIGURATION)  # refuses a malformed table
    assert CONFIGURATION["loggers"]["django"]["handlers"] == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("invalid literal for int(): 'Zébulonne'"), "builtins.ValueError: […]"),
        (KeyError("Zébulonne"), "builtins.KeyError: […]"),
        (DataError('invalid input syntax for type uuid: "Zébulonne"'), "django.db.utils.DataError: […]"),
        (InputError("L’adresse « Zébulonne » n’est pas valable."), "cabinets.errors.InputError: […]"),
        (SMTPDataError(550, b"no Zebulonne here"), "smtplib.SMTPDataError: […]"),
        (AttributeError("'NoneType' object has no attribute 'pk'"), "'NoneType' object has no attribute 'pk'"),
        (ConnectionRefusedError(111, "Connection refused"), "[Errno 111] Connection refused"),
    ],
)
def test_an_exception_says_where_and_what_and_quotes_nobody(seen: Seen, error: Exception, told: str) -> None:
    try:
        try:
            raise error  # noqa: TRY301 - the case itself
        except Exception as first:
            raise LookupError(str(first)) from first
    except LookupError:
        seen.logger.exception("import.failed")

    said = str(seen.line["exc_info"])
    assert "bulonne" not in seen.text
    assert told in said
    assert said.index(told) < said.index("builtins.LookupError: […]")
    assert said.count("test_logging.py") == 2


def test_an_address_that_was_asked_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    """It may hold the key of a provider's account, which no pattern recognises."""
    with WebDouble() as web, outside.client(timeout=2.0) as client:
        client.get(f"{web.url}/api", params={"token": "abcdef", "siren": "732829320"})

    assert [one.path for one in web.asked] == ["/api"]
    assert caplog.records == []


def test_a_path_that_was_typed_and_the_words_of_a_task_are_not_repeated(seen: Seen) -> None:
    request = RequestFactory().get("/clients/Zebulonne/")
    handler = logging.StreamHandler(seen.stream)
    handler.setFormatter(HouseFormatter())
    for name in ("django.request", "celery.app.trace"):
        logging.getLogger(name).addHandler(handler)
    try:
        logging.getLogger("django.request").warning("Not Found: %s", request.path, extra={"request": request})
        request.resolver_match = resolve("/p/Zebulonne/probleme/")
        logging.getLogger("django.request").warning("Not Found: %s", request.path, extra={"request": request})
        logging.getLogger("celery.app.trace").error("Task a.b[1] raised unexpected: ValueError('Zebulonne')")
    finally:
        for name in ("django.request", "celery.app.trace"):
            logging.getLogger(name).removeHandler(handler)

    assert [json.loads(line)["message"] for line in seen.text.splitlines()] == [
        "Not Found: […]",
        "Not Found: /p/<str:token>/probleme/",
        "Task a.b[1] raised unexpected",
    ]
