"""What the shell tells its own parts about the floors, once at start."""

from cabinets import scoping
from config.logging import Reader


def wire() -> None:
    """Tell the logs how to read the firm acted for."""
    Reader.cabinet = staticmethod(cabinet_acted_for)


def cabinet_acted_for() -> object | None:
    """Return the id of the firm acted for, or None."""
    return scoping.current_cabinet_id() if scoping.has_scope() else None
