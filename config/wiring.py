"""What the shell tells its own parts about the floors, once at start."""

from django.core.checks import register

from cabinets import scoping
from config import checks
from config.celery import app
from config.logging import Reader


def wire() -> None:
    """Queue through our own Celery application, register the checks, tell the logs how to read the firm acted for."""
    app.set_default()
    register(checks.deployment, "quittance", deploy=True)
    Reader.cabinet = staticmethod(cabinet_acted_for)


def cabinet_acted_for() -> object | None:
    """Return the id of the firm acted for, or None."""
    return scoping.current_cabinet_id() if scoping.has_scope() else None
