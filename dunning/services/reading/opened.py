"""When a debtor's link was opened, and a document through it: told plainly, and relied upon by no rule."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db.models import Q

from dunning.presenting import Event, moment_words
from invoices.models import Invoice
from payments.models import LinkVisit

VISITS_SHOWN = 50
DAYS_SHOWN = 5
# Mail filters open links, and some say nothing of what they are.
CAVEAT = "Des robots de messagerie ouvrent aussi les liens : aucune règle n’en dépend."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The openings of one day, of the page or of an invoice's document."""

    at: dt.datetime
    when: str
    times: int
    number: str

    @property
    def words(self) -> str:
        """Say what was opened."""
        return f"Document de la facture {self.number} ouvert avec un code" if self.number else "Lien ouvert"


def opened_by(*, client_id: UUID, zone: dt.tzinfo) -> tuple[Opening, ...]:
    """Return the last days on which a client, or somebody reached there, opened their link."""
    return tuple(_openings(Q(link__client=client_id), zone)[:DAYS_SHOWN])


def visit_events(*, invoice: Invoice, zone: dt.tzinfo) -> Iterable[Event]:
    """Give the openings of the link an invoice is shown by, and of its own document."""
    through = Q(link__client=invoice.client_id, link__contact=invoice.dossier.billing_contact_id)
    for one in _openings(through & (Q(invoice=None) | Q(invoice=invoice)), zone):
        times = f"{one.times} fois ce jour-là. " if one.times > 1 else ""
        yield Event(
            at=one.at,
            tone="info",
            icon="eye",
            title=one.words,
            when=one.when,
            text=f"{times}{'' if one.number else CAVEAT}".strip(),
        )


def _openings(which: Q, zone: dt.tzinfo) -> list[Opening]:
    rows = LinkVisit.objects.filter(which).order_by("-at", "-pk").values_list("at", "invoice__number")[:VISITS_SHOWN]
    by_what = sorted(rows, key=lambda row: (row[0].astimezone(zone).date(), row[1] or ""), reverse=True)
    found = []
    for (_, number), same in groupby(by_what, key=lambda row: (row[0].astimezone(zone).date(), row[1] or "")):
        day = [at for at, _ in same]
        found.append(Opening(at=max(day), when=moment_words(max(day), zone), times=len(day), number=number))
    return sorted(found, key=lambda one: one.at, reverse=True)
