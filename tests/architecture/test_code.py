"""Habits of the house, read from the code itself."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "cabinets",
    "invoices",
    "templates_lib",
    "payments",
    "dunning",
    "reporting",
    "gdpr",
    "website",
    "onboarding",
    "config",
)


def modules() -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts)


MODULES = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in modules()]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def bare_saves(tree: ast.AST) -> list[int]:
    """A save that names neither its fields nor an insert writes over what somebody else just wrote."""
    return [
        call.lineno
        for call in calls(tree)
        if name_of(call) == "save"
        and isinstance(call.func, ast.Attribute)
        # A picture is saved to a place; a row is not.
        and not call.args
        and not ({keyword.arg for keyword in call.keywords} & {"update_fields", "force_insert", "commit", None})
    ]


def days_of_nobody(tree: ast.AST) -> list[int]:
    """A day taken from an instant without a zone is a day of nobody."""
    return [
        call.lineno
        for call in calls(tree)
        if name_of(call) == "date"
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Call)
        and name_of(call.func.value) in {"now", "utcnow"}
    ]


@pytest.mark.parametrize("path", MODULES)
def test_names_what_it_saves(path: Path) -> None:
    allowed = {ROOT / "cabinets/models/people.py", ROOT / "cabinets/sessions.py"}
    assert path in allowed or bare_saves(parsed(path)) == []


@pytest.mark.parametrize("path", MODULES)
def test_takes_no_day_from_an_instant_without_a_zone(path: Path) -> None:
    # Segments of the journal are cut on UTC months, whoever runs the migration.
    assert path == ROOT / "config/management/commands/migrate.py" or days_of_nobody(parsed(path)) == []


@pytest.mark.parametrize("path", MODULES)
def test_has_no_import_inside_a_function_but_when_apps_start(path: Path) -> None:
    inside = [
        node.lineno
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert path.name == "apps.py" or inside == []


@pytest.mark.parametrize("path", MODULES)
def test_says_what_each_module_is_for(path: Path) -> None:
    assert path.name == "__init__.py" or ast.get_docstring(parsed(path))


@pytest.mark.parametrize("path", MODULES)
def test_counts_money_in_integers(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    floats = [
        call.lineno
        for call in calls(ast.parse(source))
        if name_of(call) == "FloatField"
        or (name_of(call) == "float" and re.search("cent|euro|amount|owed", ast.get_source_segment(source, call) or ""))
    ]
    assert floats == []


def test_sees_a_bare_save_and_a_day_of_nobody() -> None:
    tree = ast.parse(
        "invoice.save()\nrow.save(update_fields=['a'])\ntimezone.now().date()\nnow.astimezone(zone).date()"
    )

    assert (bare_saves(tree), days_of_nobody(tree)) == ([1], [3])


def files_but(skipped: set[str]) -> Iterator[Path]:
    """Yield every file of the house, without entering the folders that are not its own."""
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in skipped]
        yield from (Path(folder) / name for name in names if name not in skipped)


def test_speaks_of_the_product_alone() -> None:
    """No file names a registry of packages nor a folder of one machine."""
    words = ("py" + "pi.org", "python" + "hosted", "npm" + "js.", "deb." + "debian", "/wo" + "rk/", "/ro" + "ot/")
    suffixes = {".py", ".md", ".toml", ".txt", ".lock", ".sh", ".html", ".css", ".js", ".yml", ".yaml", ""}
    skipped = {".git", ".venv", "var", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"}
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files_but(skipped)
        if path.suffix in suffixes
        for word in words
        if word in path.read_text(encoding="utf-8", errors="ignore")
    ]

    assert found == []
