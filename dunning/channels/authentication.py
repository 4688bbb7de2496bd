"""Read « Authentication-Results » (RFC 8601): what the receiving server itself found of SPF, DKIM and DMARC."""

from dataclasses import dataclass
from email.parser import HeaderParser
from email.policy import compat32

import authres

METHODS = ("spf", "dkim", "dmarc")
LARGEST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One method, its result, and the domain it holds for."""

    method: str
    result: str
    domain: str

    @property
    def passes(self) -> bool:
        """The receiving server found it right."""
        return self.result == "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one receiving server wrote."""

    server: str
    results: tuple[Result, ...]

    def of(self, method: str) -> Result | None:
        """Return a method's best result: a message may bear several signatures."""
        mine = [result for result in self.results if result.method == method]
        return next((result for result in mine if result.passes), mine[0] if mine else None)


def read(source: str) -> Reading | None:
    """Read the first header of a pasted source (the last server's, which wrote it on top); None where there is none.

    Further ones were written by servers on the way, or by anybody: they prove nothing.
    """
    message = HeaderParser(policy=compat32).parsestr(source[:LARGEST].lstrip())
    written = message.get("Authentication-Results")
    if not written:
        return None
    try:
        parsed = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {' '.join(str(written).split())}")
    except authres.core.AuthResError:
        return None
    results = tuple(_result(one) for one in parsed.results if one.method in METHODS)
    return Reading(server=str(parsed.authserv_id), results=results)


def _result(found: authres.core.AuthenticationResult) -> Result:
    told = {prop.name: str(prop.value or "") for prop in found.properties}
    domain = told.get("d") or told.get("i") or told.get("mailfrom") or told.get("from") or ""
    return Result(method=found.method, result=found.result, domain=domain.rpartition("@")[2].lower())
