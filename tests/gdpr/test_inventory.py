"""The register against the tables: a column without a rule fails, and so does a rule without its column."""

from collections import Counter

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from cabinets.models import Client
from cabinets.sealing import SealedTextField
from gdpr.enums import Ending, Person
from gdpr.inventory import HOLDINGS, NOBODY, PURPOSES, RETENTIONS, Holding
from gdpr.services import retention
from gdpr.services.erasing import OF_CLIENTS

# Tables of the framework that hold the names of our own tables and rights, and nothing else.
FRAMEWORK = {"contenttypes", "auth"}
MODELS = {model._meta.label: model for model in apps.get_models() if model._meta.app_label not in FRAMEWORK}
TELLING = (
    models.CharField,
    models.TextField,
    models.BinaryField,
    models.JSONField,
    models.GenericIPAddressField,
    ArrayField,
    SealedTextField,
)
RULES = {one.model: one for one in HOLDINGS}
EACH = pytest.mark.parametrize("holding", HOLDINGS, ids=[one.model for one in HOLDINGS])


def columns_of(label: str) -> set[str]:
    return {field.name for field in MODELS[label]._meta.concrete_fields}


def telling_columns_of(label: str) -> set[str]:
    """Columns that may say something of somebody: text, bytes, documents; what is a link or a number is not."""
    found = [field for field in MODELS[label]._meta.concrete_fields if isinstance(field, TELLING)]
    return {field.name for field in found if not field.is_relation and not field.primary_key}


def test_rules_every_table_once() -> None:
    ruled = Counter([*(one.model for one in HOLDINGS), *NOBODY])

    assert sorted(set(MODELS) - set(ruled)) == []
    assert sorted(set(ruled) - set(MODELS)) == []
    assert [label for label, times in ruled.items() if times > 1] == []


@EACH
def test_rules_every_column_that_may_say_something(holding: Holding) -> None:
    named = {*holding.fields, *holding.neutral}

    assert sorted(telling_columns_of(holding.model) - named) == []
    assert sorted(named - columns_of(holding.model)) == []
    assert sorted(set(holding.fields) & set(holding.neutral)) == []


@pytest.mark.parametrize("label", sorted(NOBODY))
def test_holds_nothing_sealed_in_a_table_of_nobody(label: str) -> None:
    sealed = [field.name for field in MODELS[label]._meta.concrete_fields if isinstance(field, SealedTextField)]

    assert (sealed, NOBODY[label] != "") == ([], True)


@EACH
def test_calls_a_sealed_column_personal(holding: Holding) -> None:
    sealed = {field.name for field in MODELS[holding.model]._meta.concrete_fields if isinstance(field, SealedTextField)}

    assert sealed <= set(holding.fields)


@EACH
def test_leads_to_the_client_it_names(holding: Holding) -> None:
    if not holding.client:
        assert holding.person is not Person.CLIENT or not holding.in_access
        return
    model: type[models.Model] = MODELS[holding.model]
    if holding.client == "pk":
        assert model is Client
        return
    for step in holding.client.split("__"):
        target = model._meta.get_field(step).related_model
        assert isinstance(target, type)
        assert issubclass(target, models.Model)
        model = target
    assert model is Client


@EACH
def test_destroys_the_files_it_names(holding: Holding) -> None:
    stored = {name for name in columns_of(holding.model) if name in {"stored_as", "archive_as"}}

    assert {name for name, _ in holding.files} == stored


def test_uses_every_purpose_and_every_length() -> None:
    assert {one.purpose for one in HOLDINGS} == {one.slug for one in PURPOSES}
    assert {one.retention for one in HOLDINGS} == {one.slug for one in RETENTIONS}


def test_keeps_in_clear_nothing_that_erasure_must_empty() -> None:
    """What erasure empties is reached from the client, or by its own age: nothing is forgotten in between."""
    lost = [
        one.model
        for one in HOLDINGS
        if one.ending in {Ending.EMPTY, Ending.DELETE}
        and one.person is Person.CLIENT
        and not one.client
        and one.retention != "working"
    ]

    assert lost == []


def test_lets_go_of_everything_it_says_it_does() -> None:
    """A table whose rows are said to be emptied or deleted is reached: through its client, by its age, or apart."""
    apart = {
        "cabinets.JournalEntry": "segments dropped whole (cabinets.segments)",
        "cabinets.Session": "cabinets.tasks.forget_sessions",
    }
    reached = {one.model for one in (*OF_CLIENTS, *retention.ageing())} | set(apart)

    said = {one.model for one in HOLDINGS if one.ending in {Ending.EMPTY, Ending.DELETE}}
    assert sorted(said - reached) == []
