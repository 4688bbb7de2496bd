"""Before a night decides: the plans and the promises of the firm, so that no ladder goes on for want of a look."""

import logging
from collections.abc import Sequence
from uuid import UUID

from cabinets.scoping import acting_for
from dunning.services import nights
from dunning.services.nights import FirmNight, Progress, Tally
from payments.services import plan_following, promises

logger = logging.getLogger(__name__)


def evaluate(asked: Sequence[FirmNight], *, progress: Progress | None = None) -> dict[UUID, Tally]:
    """Look at the plans and promises of these firms, then decide their nights; one that could not be waits.

    A plan whose last day is over would else give its invoices back to the ladder before anybody looked.
    """
    return nights.evaluate([night for night in asked if look(night)], progress=progress)


def look(night: FirmNight) -> bool:
    """Look at the plans and promises of a firm; False when it could not be done: its night is tried again later."""
    try:
        with acting_for(cabinet_id=night.cabinet.pk):
            plan_following.watch(on=night.on)
            promises.judge(on=night.on)
    except Exception as error:
        logger.exception("night.plans_failed", extra={"error": type(error).__name__})
        return False
    return True
