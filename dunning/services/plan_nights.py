"""Before a night decides: the plans and the promises of the firm, so that no ladder goes on for want of a look."""

import logging

from cabinets.scoping import acting_for
from dunning.services.nights import FirmNight
from payments.services import plan_following, promises

logger = logging.getLogger(__name__)


def look(night: FirmNight) -> bool:
    """Look at the plans and promises of a firm; False when it could not be done: its night waits, and is tried again.

    A plan whose last day is over would else give its invoices back to the ladder before anybody looked.
    """
    try:
        with acting_for(cabinet_id=night.cabinet.pk):
            plan_following.watch(on=night.on)
            promises.judge(on=night.on)
    except Exception as error:
        logger.exception("night.plans_failed", extra={"error": type(error).__name__})
        return False
    return True
