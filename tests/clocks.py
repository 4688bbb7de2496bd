"""The true clock, which the database lives by while a test's stands still."""

import time

import time_machine

from cabinets import scoping


def true_clock() -> float:
    """Return the seconds since 1970, whatever this process travels to."""
    return time_machine.escape_hatch.time.time() if time_machine.escape_hatch.is_travelling() else time.time()


def sign_scopes_by_it() -> None:
    """Have scopes signed until an instant of the database's clock."""
    scoping.clock = true_clock
