"""Who runs this installation, as its settings say: nothing is invented for a visitor."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Fact:
    """One thing the law asks the operator to publish, and the setting that says it."""

    setting: str
    label: str
    value: str


def facts() -> Sequence[Fact]:
    """Return everything a legal notice says, told or not."""
    return [Fact(setting, label, settings.OPERATOR[setting]) for setting, label in settings.OPERATOR_FACTS.items()]


def told() -> Sequence[Fact]:
    """Return what the operator has filled in."""
    return [fact for fact in facts() if fact.value]


def missing() -> Sequence[Fact]:
    """Return what the operator still has to fill in."""
    return [fact for fact in facts() if not fact.value]


def name() -> str:
    """Return who runs this installation, or nothing."""
    return str(settings.OPERATOR["OPERATOR_NAME"])


def contact() -> str:
    """Return the address a visitor may write to, or nothing."""
    return str(settings.OPERATOR["OPERATOR_EMAIL"])
