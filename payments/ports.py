"""What this floor needs of the one above: somebody who carries the messages debtors ask for."""

from typing import Protocol
from uuid import UUID

from payments.errors import PaymentError


class Courier(Protocol):
    """Carries what a link's reader asked for, by the firm's own server and text messages."""

    def hurry(self, *, message_id: UUID) -> None:
        """Carry this message now rather than at the next sweep; losing the call loses a minute."""


_registered: list[Courier] = []


def register(courier: Courier) -> None:
    """Make this courier the one that carries."""
    _registered[:] = [courier]


def courier() -> Courier:
    """Return the registered courier."""
    if not _registered:
        raise PaymentError("Aucun service d’envoi n’est branché. Rien n’est parti.")
    return _registered[0]
