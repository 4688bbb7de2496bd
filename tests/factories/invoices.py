"""Invoices for tests."""

import datetime as dt
import itertools
from typing import Any

from django.utils import timezone

from cabinets.models import Client, Dossier
from invoices.enums import CheckOrigin
from invoices.models import InsolvencyCheck, Invoice
from tests.factories.cabinets import make_dossier

TODAY = dt.date(2026, 11, 24)
_numbers = itertools.count(1)


def make_invoice(*, dossier: Dossier | None = None, client: Client | None = None, **facts: Any) -> Invoice:
    """Make an open invoice of 1 440,00 €, ten days late on 24 November 2026, that is on no ladder yet."""
    dossier = dossier or make_dossier(client=client)
    # Five figures: a test that names an invoice of its own gives it four.
    number = f"F-2026-1{next(_numbers):04}"
    due_on = facts.pop("due_on", TODAY - dt.timedelta(days=10))
    invoice = Invoice(
        client_id=dossier.client_id,
        dossier=dossier,
        **{
            "number": number,
            "number_key": facts.get("number", number).upper().replace(" ", ""),
            "issued_on": due_on - dt.timedelta(days=30),
            "due_on": due_on,
            "total_cents": 144_000,
            **facts,
        },
    )
    invoice.save(force_insert=True)
    return invoice


def make_check(*, client: Client, **facts: Any) -> InsolvencyCheck:
    """Note that somebody looked for a collective proceeding of this client just now, and found none."""
    check = InsolvencyCheck(
        client=client,
        siren=client.siren,
        **{"origin": CheckOrigin.MANUAL, "at": timezone.now(), "is_found": False, **facts},
    )
    check.save(force_insert=True)
    return check
