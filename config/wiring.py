"""What the shell tells its own parts about the floors, once at start."""

from cabinets import scoping
from config.celery import app
from config.logging import Reader


def wire() -> None:
    """Queue through our own Celery application, and tell the logs how to read the firm acted for."""
    app.set_default()
    Reader.cabinet = staticmethod(cabinet_acted_for)


def cabinet_acted_for() -> object | None:
    """Return the id of the firm acted for, or None."""
    return scoping.current_cabinet_id() if scoping.has_scope() else None
