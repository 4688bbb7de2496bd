"""Two firms at once on the real server: the short run of `bin/bench soak`."""

import os

import pytest

from bench.soak import run

# Begins sessions the server believes: by the machine's own clock.
pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.usefixtures("committed")]
SECONDS = float(os.environ.get("QUITTANCE_SOAK", "15"))


def test_two_firms_read_and_write_at_once_and_nothing_crosses() -> None:
    tally = run(seconds=SECONDS, threads=8, extra=3)

    assert (tally.crossed[:5], tally.errors[:5]) == ([], [])
    assert min(tally.asked[kind] for kind in ("own", "foreign", "write", "night")) > 0
