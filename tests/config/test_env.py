"""Settings read from the environment: a value, a file, or a refusal."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_a_value_is_read_from_the_environment_or_from_the_file_it_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from the file\n", encoding="utf-8")
    monkeypatch.setenv("ONE", "from the environment")
    monkeypatch.setenv("TWO_FILE", str(tmp_path / "secret"))

    assert (env.required("ONE"), env.required("TWO")) == ("from the environment", "from the file")


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("ONE", raising=False)
    if value is not None:
        monkeypatch.setenv("ONE", value)

    with pytest.raises(ImproperlyConfigured, match="ONE is missing"):
        env.required("ONE")


@pytest.mark.parametrize(
    ("value", "answer"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("no", False), ("", False)]
)
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, value: str, answer: bool) -> None:
    monkeypatch.setenv("ONE", value)

    assert env.flag("ONE") is answer


def test_a_flag_and_a_number_refuse_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "peut-être")

    with pytest.raises(ImproperlyConfigured, match="neither yes nor no"):
        env.flag("ONE")
    with pytest.raises(ImproperlyConfigured, match="not a whole number"):
        env.number("ONE", default=1)


def test_a_list_is_read_without_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", " a.example , ,b.example,")

    assert env.listed("ONE") == ["a.example", "b.example"]
    assert env.listed("TWO") == []
