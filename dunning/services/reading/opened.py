"""When a debtor's link was opened, and a document through it: told plainly, and relied upon by no rule."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from dunning.presenting import Event, moment_words
from payments.models import LinkVisit

VISITS_SHOWN = 50
DAYS_SHOWN = 5
# Mail filters open links, and some say nothing of what they are.
CAVEAT = "Des robots de messagerie ouvrent aussi les liens : aucune règle n’en dépend."


Row = tuple[dt.datetime, UUID | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The openings of one day, of the page or of an invoice's document."""

    at: dt.datetime
    when: str
    times: int
    invoice_id: UUID | None
    number: str

    @property
    def words(self) -> str:
        """Say what was opened."""
        return f"Document de la facture {self.number} ouvert avec un code" if self.number else "Lien ouvert"

    def event(self) -> Event:
        """Return it as a line of a timeline."""
        times = f"{self.times} fois ce jour-là. " if self.times > 1 else ""
        return Event(
            at=self.at,
            tone="info",
            icon="eye",
            title=self.words,
            when=self.when,
            text=f"{times}{'' if self.number else CAVEAT}".strip(),
        )


def opened_by(*, client_id: UUID, zone: dt.tzinfo) -> tuple[Opening, ...]:
    """Return the last days on which a client, or somebody reached there, opened their link."""
    rows = LinkVisit.objects.filter(link__client=client_id).order_by("-at", "-pk")
    return tuple(openings(rows.values_list("at", "invoice", "invoice__number")[:VISITS_SHOWN], zone)[:DAYS_SHOWN])


def openings(rows: Iterable[Row], zone: dt.tzinfo) -> list[Opening]:
    """Return the openings of one addressee, a day and a thing at a time, the last first."""
    by_what: dict[tuple[dt.date, UUID | None, str], list[dt.datetime]] = defaultdict(list)
    for at, invoice_id, number in rows:
        by_what[at.astimezone(zone).date(), invoice_id, number or ""].append(at)
    found = [
        Opening(at=max(day), when=moment_words(max(day), zone), times=len(day), invoice_id=invoice_id, number=number)
        for (_, invoice_id, number), day in by_what.items()
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)
