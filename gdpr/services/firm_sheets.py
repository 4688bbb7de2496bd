"""The main tables of a firm as sheets anybody opens: for people who use no product. Nothing is read back from them."""

import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from django.db.models import QuerySet

from cabinets.errors import SealBrokenError
from cabinets.models import Cabinet, Client, Dossier
from cabinets.sealing import SealedModel, open_together
from cabinets.sheets import BOM, SheetWriter
from dunning.models import InboundMessage, Reminder
from invoices.models import Invoice
from payments.models import Payment, PlanMessage

CHUNK = 500
Line = tuple[object, ...]

CLIENTS = ("Nom", "Qualité", "E-mail", "Téléphone", "Adresse", "Code postal", "Ville", "Pays", "SIREN", "Note")
DOSSIERS = ("Client", "Référence", "Intitulé", "Qualité du client", "Domaine", "Fin de mission", "Convention signée le")
INVOICES = ("Client", "Dossier", "Numéro", "Nature", "Date", "Échéance", "Total TTC", "Réglé", "Avoirs", "État", "Note")
PAYMENTS = ("Client", "Reçu le", "Montant", "Moyen", "État", "Note")
MESSAGES = ("Sens", "Instant", "Client", "Canal", "Adresse", "Objet", "Texte", "État")


def sheets(cabinet: Cabinet) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each sheet with its lines, read as they are written: a big firm takes no more memory than a small one."""
    yield "clients.csv", _written(CLIENTS, (_client(row) for row in _opened(Client.objects.order_by("pk"))))
    dossiers = Dossier.objects.select_related("client").order_by("reference", "pk")
    yield "dossiers.csv", _written(DOSSIERS, (_dossier(row) for row in _opened(dossiers, "client")))
    invoices = Invoice.objects.select_related("client", "dossier").order_by("issued_on", "number_key", "pk")
    yield "factures.csv", _written(INVOICES, (_invoice(row) for row in _opened(invoices, "client")))
    payments = Payment.objects.select_related("client").order_by("received_on", "pk")
    yield "paiements.csv", _written(PAYMENTS, (_payment(row) for row in _opened(payments, "client")))
    yield "messages.csv", _written(MESSAGES, _messages(cabinet))


def _written(head: Line, lines: Iterable[Line]) -> Iterator[bytes]:
    page = io.StringIO()
    writer = SheetWriter(page)
    page.write(BOM)
    for line in chain([head], lines):
        writer.write(map(_words, line))
        yield page.getvalue().encode()
        page.seek(0)
        page.truncate()


def _words(cell: object) -> str:
    if isinstance(cell, dt.date):
        return f"{cell:%d/%m/%Y}"
    return "" if cell is None else str(cell)


def _opened(rows: QuerySet[Any], *related: str) -> Iterator[Any]:
    """Yield rows chunk by chunk, their keys and those of what they name loaded together."""
    found = rows.iterator(CHUNK)
    while chunk := list(islice(found, CHUNK)):
        named = [getattr(row, name) for row in chunk for name in related]
        open_together([one for one in (*chunk, *named) if isinstance(one, SealedModel)])
        yield from chunk


def _said(read: Callable[[], Any]) -> str:
    """Return a sealed text, or nothing once its key was destroyed."""
    try:
        return str(read() or "")
    except SealBrokenError:
        return ""


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def _name(client: Client | None) -> str:
    return "" if client is None else _said(lambda: client.display_name)


def _client(row: Client) -> Line:
    columns = ("email", "phone", "address", "postcode", "city")
    told = [_said(lambda name=name: getattr(row, name)) for name in columns]  # type: ignore[misc]
    return (_name(row), row.get_kind_display(), *told, row.country, row.siren, _said(lambda: row.note))


def _dossier(row: Dossier) -> Line:
    return (
        _name(row.client), row.reference, _said(lambda: row.title), row.get_kind_display(), row.practice_area,
        row.mandate_ended_on, row.fee_agreement_on,
    )  # fmt: skip


def _invoice(row: Invoice) -> Line:
    amounts = (_euros(row.total_cents), _euros(row.settled_cents), _euros(row.credited_cents))
    return (
        _name(row.client), row.dossier.reference, row.number, row.get_kind_display(), row.issued_on, row.due_on,
        *amounts, row.get_state_display(), _said(lambda: row.note),
    )  # fmt: skip


def _payment(row: Payment) -> Line:
    return (
        _name(row.client), row.received_on, _euros(row.cents), row.get_means_display(), row.get_state_display(),
        _said(lambda: row.note),
    )  # fmt: skip


def _messages(cabinet: Cabinet) -> Iterator[Line]:
    reminders = Reminder.objects.exclude(spoken_at=None).select_related("client").order_by("spoken_at", "pk")
    for row in _opened(reminders, "client"):
        yield _message(cabinet, row, row.spoken_at, row.get_channel_display(), "recipient")
    plans = PlanMessage.objects.exclude(spoken_at=None).select_related("client").order_by("spoken_at", "pk")
    for row in _opened(plans, "client"):
        yield _message(cabinet, row, row.spoken_at, "E-mail", "recipient")
    received = InboundMessage.objects.select_related("client").order_by("received_at", "pk")
    for row in _opened(received, "client"):
        yield _message(cabinet, row, row.received_at, "E-mail", "sender")


def _message(cabinet: Cabinet, row: Any, at: dt.datetime, channel: str, address: str) -> Line:
    when = f"{at.astimezone(cabinet.zone):%d/%m/%Y %H:%M}"
    told = [_said(lambda name=name: getattr(row, name)) for name in (address, "subject", "text")]  # type: ignore[misc]
    way = "reçu" if isinstance(row, InboundMessage) else "envoyé"
    return (way, when, _name(row.client), channel, *told, row.get_state_display())
