"""How many tries an account or an address gets: counted in the shared cache, so that every process sees them."""

import hashlib
import math
import time
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True, slots=True)
class Gate:
    """A number of tries, given back after that many seconds without one."""

    name: str
    tries: int
    seconds: int

    def take(self, subject: str) -> int:
        """Count one try and return 0, or return the seconds to wait and count nothing."""
        count, until = self._keys(subject)
        if int(cache.get(count, 0)) >= self.tries:
            return self._wait(until)
        cache.add(count, 0, self.seconds)
        try:
            taken = cache.incr(count)
        except ValueError:
            # The counter ended between the two lines: this try is the first of a new one.
            cache.set(count, 1, self.seconds)
            taken = 1
        if taken > self.tries:
            return self._wait(until)
        # Each try starts the delay again: no five minutes ever hold more than the allowed number.
        cache.touch(count, self.seconds)
        cache.set(until, time.time() + self.seconds, self.seconds)
        return 0

    def is_spent(self, subject: str) -> bool:
        """Say whether no try is left, without counting one."""
        return int(cache.get(self._keys(subject)[0], 0)) >= self.tries

    def forget(self, subject: str) -> None:
        """Give every try back: the person proved who they are."""
        cache.delete_many(self._keys(subject))

    def _keys(self, subject: str) -> tuple[str, str]:
        # A hash: the shared cache never holds an e-mail address.
        digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
        return f"gate:{self.name}:{digest}", f"gate:{self.name}:{digest}:until"

    def _wait(self, until: str) -> int:
        end = cache.get(until)
        return self.seconds if end is None else max(1, math.ceil(float(end) - time.time()))


@dataclass(frozen=True, slots=True)
class Window:
    """So many calls in each stretch of seconds, however regular: for what a crowd behind one address also uses."""

    name: str
    seconds: int

    def take(self, subject: str, *, at_most: int) -> int:
        """Count one call and return 0, or return the seconds until the next stretch."""
        key = self._key(subject)
        cache.add(key, 0, self.seconds)
        try:
            count = cache.incr(key)
        except ValueError:
            return 0  # the stretch ended between the two lines
        return 0 if count <= at_most else self._rest()

    def look(self, subject: str, *, at_most: int) -> int:
        """Return the seconds until the next stretch when the calls are spent, without counting one."""
        return self._rest() if int(cache.get(self._key(subject), 0)) >= at_most else 0

    def _key(self, subject: str) -> str:
        digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
        return f"window:{self.name}:{int(time.time() // self.seconds)}:{digest}"

    def _rest(self) -> int:
        return self.seconds - int(time.time() % self.seconds)


ACCOUNT = Gate("account", tries=5, seconds=300)
ADDRESS = Gate("address", tries=10, seconds=60)
# What a person proves without an application: its codes are counted beside its seed, in the database.
SECOND_FACTOR = Gate("second-factor", tries=5, seconds=300)
RESET_ADDRESS = Gate("reset-address", tries=5, seconds=60)
SIGN_UP = Gate("sign-up", tries=5, seconds=600)
# Nobody's box is filled from here.
SIGN_UP_TO = Gate("sign-up-to", tries=3, seconds=3600)


def take(*, account: str, address: str | None) -> int:
    """Count one try of a password, on its account and from its address; return the seconds to wait, or 0."""
    return max(ADDRESS.take(address or "unknown"), ACCOUNT.take(account.strip().lower()))


def give_back(*, account: str) -> None:
    """Give an account's tries back: its password was right."""
    ACCOUNT.forget(account.strip().lower())


def in_words(seconds: int) -> str:
    """Say a delay as it is shown: in minutes from one minute on."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} seconde{'s' if seconds > 1 else ''}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
