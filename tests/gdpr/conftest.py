"""The demonstration told once, for what only a whole firm shows."""

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.test import override_settings

from tests.seeded import seed

DAY = dt.date(2026, 11, 24)


@pytest.fixture
def demo(committed: None, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, in a folder of its own."""
    with (
        override_settings(VAR=tmp_path, DEMO_CATCHER="", MEDIA_ROOT=tmp_path / "documents"),
        time_machine.travel(dt.datetime.combine(DAY, dt.time(7, 12), tzinfo=dt.UTC), tick=False),
    ):
        seed(tmp_path, day=DAY.isoformat(), factory=tmp_path_factory)
    return tmp_path
