"""What every table keeps to."""

import importlib
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from cabinets.models import Cabinet
from cabinets.scoping import CabinetManager
from cabinets.wall import walled_models

OURS = {"cabinets", "invoices", "templates_lib", "payments", "dunning", "reporting", "gdpr", "website", "onboarding"}
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
LINKS = [field for model in MODELS for field in model._meta.concrete_fields if field.is_relation]


def app_of(model: object) -> str:
    assert isinstance(model, type)
    assert issubclass(model, models.Model)
    return model._meta.app_label


def test_scopes_every_tenant_table_by_default() -> None:
    tenant = [model for model in walled_models() if model is not Cabinet]

    assert [model for model in tenant if not isinstance(model._default_manager, CabinetManager)] == []
    assert [model for model in tenant if model._meta.get_field("cabinet").null] == []


def test_reaches_up_to_no_other_app() -> None:
    across = [field for field in LINKS if app_of(field.related_model) != app_of(field.model)]
    ends = {str(field): field.remote_field for field in across if field.remote_field is not None}
    named = [name for name, end in ends.items() if not end.hidden]
    loose = [name for name, end in ends.items() if end.on_delete is not models.PROTECT]

    assert (named, loose) == ([], [])


def test_speaks_french_when_a_constraint_refuses() -> None:
    default = models.CheckConstraint.default_violation_error_message
    mute = [
        f"{model.__name__}.{constraint.name}"
        for model in MODELS
        for constraint in model._meta.constraints
        if constraint.violation_error_message is default
    ]

    assert mute == []


def test_says_so_when_a_unique_key_holds_a_nullable_column() -> None:
    vague = [
        f"{model.__name__}.{constraint.name}"
        for model in MODELS
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
        and any(model._meta.get_field(name).null for name in constraint.fields)
        and constraint.nulls_distinct is None
        and constraint.condition is None
    ]

    assert vague == []


def test_stores_money_as_integer_cents() -> None:
    named = [field for model in MODELS for field in model._meta.concrete_fields if field.name.endswith("cents")]

    kinds = [(str(field), getattr(field, "base_field", field)) for field in named]
    assert [name for name, kind in kinds if not isinstance(kind, models.BigIntegerField)] == []


@pytest.mark.parametrize("app", sorted(OURS))
def test_names_every_migration_and_goes_back(app: str) -> None:
    folder = Path(importlib.import_module(app).__file__ or "").parent / "migrations"
    loader = MigrationLoader(None, ignore_no_migrations=True)
    mine = {name: migration for (label, name), migration in loader.disk_migrations.items() if label == app}
    one_way = [
        name
        for name, migration in mine.items()
        for step in migration.operations
        if isinstance(step, migrations.RunSQL | migrations.RunPython) and not step.reversible
    ]

    assert [path.name for path in folder.glob("*.py") if re.search(r"_auto_", path.name)] == []
    assert one_way == []
