"""AR24: qualified electronic registered letters (LRE), sent once their sender identified himself."""

from dunning.channels.ar24.provider import PROFILE, Ar24

__all__ = ["PROFILE", "Ar24"]
