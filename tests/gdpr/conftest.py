"""The demonstration told once, for what only a whole firm shows."""

import datetime as dt
import io
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from django.test import override_settings

DAY = dt.date(2026, 11, 24)


@pytest.fixture
def demo(committed: None, tmp_path: Path) -> Path:
    """The demonstration, in a folder of its own."""
    with (
        override_settings(VAR=tmp_path, DEMO_CATCHER="", MEDIA_ROOT=tmp_path / "documents"),
        time_machine.travel(dt.datetime.combine(DAY, dt.time(7, 12), tzinfo=dt.UTC), tick=False),
    ):
        call_command("demo", stdout=io.StringIO())
    return tmp_path
