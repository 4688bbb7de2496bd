"""Who holds the key-encryption keys: one wraps, and each unwraps what it made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from cabinets.crypto import KeyEncryptionKeys, Placed
from cabinets.errors import SealBrokenError
from cabinets.transit import Transit, TransitSettings

LOCAL, TRANSIT = "local", "transit"


class KeyHolder(Protocol):
    """Wraps secrets for their places and opens them there; what it made says so, with the version of its key."""

    def wrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Wrap secrets, each for its place, in the order given."""

    def unwrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Open wrapped secrets; raise SealBrokenError for one that is not in its place or whose key is gone."""

    def made(self, wrapped: bytes) -> bool:
        """Say whether this holder made it, whatever the version."""

    def is_newest(self, wrapped: bytes) -> bool:
        """Say whether the key that wraps today made it."""


@dataclass(frozen=True, slots=True)
class KeyHolders:
    """The holder that wraps, and the others that still open what they made."""

    current: KeyHolder
    others: tuple[KeyHolder, ...] = ()

    def wrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Wrap with the current holder."""
        return self.current.wrap(things) if things else []

    def unwrap(self, things: Sequence[Placed]) -> list[bytes]:
        """Open each with the holder that made it, one call a holder."""
        opened: dict[int, bytes] = {}
        for holder in (self.current, *self.others):
            mine = [place for place, (wrapped, _) in enumerate(things) if holder.made(wrapped)]
            if mine:
                opened |= zip(mine, holder.unwrap([things[place] for place in mine]), strict=True)
        if len(opened) < len(things):
            raise SealBrokenError("La clé de chiffrement de cette donnée n’est pas connue de cette installation.")
        return [opened[place] for place in range(len(things))]

    def made(self, wrapped: bytes) -> bool:
        """Say whether one of the holders made it."""
        return any(holder.made(wrapped) for holder in (self.current, *self.others))

    def is_newest(self, wrapped: bytes) -> bool:
        """Say whether the current holder made it, with the key that wraps today."""
        return self.current.made(wrapped) and self.current.is_newest(wrapped)


@lru_cache(maxsize=8)
def holders_of(*, current: str, ring: str, transit: TransitSettings) -> KeyHolders:
    """Return the holders these settings describe; refuse settings that name none."""
    known: dict[str, KeyHolder] = {}
    if ring or current == LOCAL:
        known[LOCAL] = KeyEncryptionKeys.parse(ring)
    if transit.url:
        known[TRANSIT] = Transit(transit)
    if current not in known:
        raise ValueError("KEY_HOLDER is neither local nor transit, or TRANSIT_URL is missing")
    return KeyHolders(current=known.pop(current), others=tuple(known.values()))
