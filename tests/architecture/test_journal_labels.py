"""What anybody reads of the journal is words: no event, whichever module writes it, is shown as a code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinets.journal_labels import EVENTS, label_of
from cabinets.wall import walled_models
from invoices.enums import InvoiceState, StopKind
from payments.enums import MailState, PromiseResult

ROOT = Path(__file__).resolve().parents[2]
APPS = ("cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "gdpr", "onboarding", "config")
WRITERS = {"record", "record_many"}
FEWEST_EVENTS = 250
# Those a module names by what came of it.
CHOSEN = [
    *(f"invoice.{state}" for state in (InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED)),
    *(f"promise.{result}" for result in PromiseResult),
    *(f"planmessage.{state}" for state in MailState if state != MailState.SENDING),
    *(f"{kind}.{act}" for kind in StopKind for act in ("declared", "released")),
]


def _events() -> Iterator[str]:
    """Yield every event a line is written with, in full or by a name given to it in the same module."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            said = [node.args[0] for node in nodes if isinstance(node, ast.Call) and node.args and _writes(node.func)]
            names = {one.id for one in said if isinstance(one, ast.Name)}
            given = [node.value for node in nodes if isinstance(node, ast.Assign) and _targets(node) & names]
            for words in (*said, *given):
                yield from _words(words)


def _targets(node: ast.Assign) -> set[str]:
    return {one.id for one in node.targets if isinstance(one, ast.Name)}


def _writes(called: ast.expr) -> bool:
    return _name(called) in WRITERS


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _words(said: ast.expr) -> Iterator[str]:
    for node in ast.walk(said) if isinstance(said, ast.Constant | ast.IfExp) else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


WRITTEN = sorted(set(_events()))
LOOKED_AT = [f"{model._meta.model_name}.{act}" for model in walled_models() for act in ("seen", "listed")]


@pytest.mark.parametrize("event", WRITTEN)
def test_an_event_has_its_words(event: str) -> None:
    assert label_of(event) != event


@pytest.mark.parametrize("event", LOOKED_AT)
def test_a_look_at_anything_has_its_words(event: str) -> None:
    assert label_of(event) != event


def test_the_events_are_found() -> None:
    assert len(WRITTEN) >= FEWEST_EVENTS
    assert {"cabinet.activated", "provider_account.key_held"} <= set(WRITTEN)
    assert not set(EVENTS.values()) & {""}
    assert label_of("provideraccount.listed") == "Compte d’encaissement\u00a0: liste consultée"


@pytest.mark.parametrize("event", CHOSEN)
def test_an_event_named_by_its_outcome_has_its_words(event: str) -> None:
    assert label_of(event) != event
