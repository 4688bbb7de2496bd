"""A sealed file that cannot be given: the operator is told in the logs, the firm in its journal."""

import logging

from cabinets import journal
from cabinets.errors import FileLostError

logger = logging.getLogger(__name__)


def warn(lost: FileLostError, *, place: str) -> None:
    """Tell whoever runs the installation: a file is to be restored from a backup."""
    logger.error("file.lost", extra={"stored_as": lost.stored_as, "why": lost.why, "place": place})


def note(lost: FileLostError, *, place: str) -> None:
    """Keep a line in the firm's journal, in the caller's transaction."""
    journal.record("file.lost", None, file=lost.stored_as, why=lost.why, place=place)
