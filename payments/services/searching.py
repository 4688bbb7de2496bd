"""Search the firm from one field: clients, dossiers, invoices and payments, among what the person may see."""

import datetime as dt
from dataclasses import dataclass

from cabinets.models import Dossier
from cabinets.services.search import FoundClient, find_dossiers
from invoices.money import cents_asked
from invoices.services.search import MOST, FoundInvoice, search
from payments.services.listing import ListedPayment, payments_of


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, at most twenty of each."""

    text: str
    clients: tuple[FoundClient, ...] = ()
    dossiers: tuple[Dossier, ...] = ()
    invoices: tuple[FoundInvoice, ...] = ()
    payments: tuple[ListedPayment, ...] = ()

    @property
    def count(self) -> int:
        """Return how many answers there are."""
        return len(self.clients) + len(self.dossiers) + len(self.invoices) + len(self.payments)


def search_everything(text: str, *, on: dt.date, sees_every_file: bool) -> Found:
    """Return what a name, an address, a number, a reference or an amount brings up; nothing for no text."""
    results = search(text, on=on)
    if not results.text:
        return Found("")
    cents = cents_asked(results.text)
    return Found(
        text=results.text,
        clients=results.clients,
        dossiers=tuple(find_dossiers(results.text, limit=MOST)),
        invoices=results.invoices,
        payments=tuple(payments_of(cents, sees_every_file=sees_every_file, limit=MOST)) if cents else (),
    )
