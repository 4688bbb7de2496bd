"""Ask the DNS for one line: its values, a sure absence, or no answer at all; nothing is ever fetched from a host."""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.resolver
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.TXT import TXT


@dataclass(frozen=True, slots=True)
class Answer:
    """What the DNS says of a name; unanswered, it says nothing and nothing is concluded."""

    values: tuple[str, ...] = ()
    is_answered: bool = True


class Names:
    """A resolver, with its time limit."""

    def __init__(self, *, resolvers: Sequence[str] = (), port: int = 53, timeout: float = 5.0) -> None:
        try:
            self._resolver: dns.resolver.Resolver | None = dns.resolver.Resolver(configure=not resolvers)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = None
            return
        if resolvers:
            self._resolver.nameservers = list(resolvers)
            self._resolver.port = port
        self._resolver.timeout, self._resolver.lifetime = timeout, timeout
        # What a machine appends to a short name is no business of a firm's domain.
        self._resolver.search = []

    def texts(self, name: str) -> Answer:
        """Return the TXT values of a name, each put together again."""
        answer = self._ask(name, "TXT")
        return Answer(tuple(_joined(line) for line in answer or ()), is_answered=answer is not None)

    def alias(self, name: str) -> Answer:
        """Return what a name is an alias of."""
        answer = self._ask(name, "CNAME")
        return Answer(
            tuple(line.target.to_text(omit_final_dot=True).lower() for line in answer or () if isinstance(line, CNAME)),
            is_answered=answer is not None,
        )

    def _ask(self, name: str, kind: str) -> list[object] | None:
        if self._resolver is None:
            return None
        try:
            found = self._resolver.resolve(dns.name.from_text(name), kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError):
            return None
        return list(found)


def _joined(line: object) -> str:
    return b"".join(line.strings).decode("utf-8", "replace") if isinstance(line, TXT) else ""
