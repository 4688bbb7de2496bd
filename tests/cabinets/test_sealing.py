"""No personal value is readable in the tables: the whole database is read as its owner, row by row."""

import datetime as dt
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction

from cabinets.enums import KeyPurpose
from cabinets.models import Client, DataKey
from cabinets.scoping import current_scope, working_for
from cabinets.sealing import active_key, forget_keys
from cabinets.services.clients import ClientFacts, ContactFacts, create_client, create_contact
from cabinets.services.dossiers import DossierFacts, open_dossier
from cabinets.wall import SCOPE_SETTING, walled_models
from invoices.enums import StopKind
from invoices.services import standstill
from invoices.services.documents import Upload, attach_to_invoice
from invoices.services.entering import InvoiceFacts, enter_invoice
from payments.services.recording import Receipt, record_payment
from tests.factories.cabinets import make_cabinet
from tests.factories.files import make_pdf
from tests.factories.invoices import TODAY
from tests.factories.ladder import RecordingLadder

CANARY = "Zébulon-canari"
CANARIES = (CANARY, "zebulon@canari", "+33612345678", "CP-ZEBULON")
FILLED = ("cabinets_client", "cabinets_contact", "cabinets_dossier", "invoices_document", "invoices_standstill",
          "payments_payment")  # fmt: skip


def dump(scope: str) -> dict[str, str]:
    """Return every row of every table of a firm, read as the owner of the tables, as PostgreSQL writes it."""
    tables = {}
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SCOPE_SETTING, scope])
        for model in walled_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT t::text, to_jsonb(t)::text FROM {table} t")
            tables[table] = "\n".join(f"{row}\n{json}" for row, json in cursor.fetchall())
    return tables


def fill() -> None:
    client = create_client(
        facts=ClientFacts(
            company=CANARY,
            first_name=CANARY,
            last_name=CANARY,
            email="zebulon@canari.example",
            phone="0612345678",
            address=CANARY,
            postcode="CP-ZEBULON",
            city=CANARY,
            note=CANARY,
        )
    )
    create_contact(
        client_id=client.pk, facts=ContactFacts(first_name=CANARY, last_name=CANARY, email="zebulon@canari.example")
    )
    dossier = open_dossier(client_id=client.pk, facts=DossierFacts(title=CANARY))
    invoice = enter_invoice(
        facts=InvoiceFacts(
            dossier_id=dossier.pk, number="F-1", issued_on=TODAY, due_on=TODAY, total_cents=100, note=CANARY
        ),
        on=TODAY,
    )
    attach_to_invoice(invoice_id=invoice.pk, upload=Upload(f"{CANARY}.pdf", make_pdf(CANARY.encode() * 9)))
    record_payment(
        receipt=Receipt(
            client_id=client.pk, invoice_ids=(invoice.pk,), cents=50, received_on=dt.date(2026, 11, 24), note=CANARY
        ),
        on=TODAY,
    )
    standstill.declare(kind=StopKind.HOLD, target=invoice, reason=CANARY)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_no_sealed_value_is_readable_by_the_owner_of_the_tables_nor_on_disk(
    told: RecordingLadder, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        fill()
        scope = current_scope().signed()

    tables = dump(scope)

    assert {name: rows.count("\n") for name, rows in tables.items() if name in FILLED} == dict.fromkeys(FILLED, 1)
    assert [
        (name, canary)
        for name, rows in tables.items()
        for canary in CANARIES
        if canary in rows or canary.encode().hex() in rows
    ] == []
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert [canary for canary in CANARIES if canary.encode() in written[0]] == []
    assert len(written) == 1


def somebody_waits() -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("wins", [True, False], ids=["the first commits", "the first gives up"])
def test_two_workers_sealing_a_firms_first_value_at_once_close_it_with_one_key(*, wins: bool) -> None:
    firm, made = make_cabinet(), list[UUID]()

    def seal_second() -> None:
        try:
            with working_for(cabinet_id=firm.pk):
                made.append(active_key(purpose=KeyPurpose.FIRM))
                row = Client(company=CANARY)
                row.save(force_insert=True)
                made.append(active_key(purpose=KeyPurpose.FIRM))
        finally:
            for alias in connections:
                connections[alias].close()

    second = threading.Thread(target=seal_second)
    with suppress(KeyboardInterrupt), working_for(cabinet_id=firm.pk):
        first = active_key(purpose=KeyPurpose.FIRM)
        second.start()
        for _ in range(1000):
            if somebody_waits() or not second.is_alive():
                break
            threading.Event().wait(0.01)
        else:
            pytest.fail("nobody waited")
        if not wins:
            raise KeyboardInterrupt
    second.join()

    with working_for(cabinet_id=firm.pk):
        [kept] = DataKey.objects.filter(purpose=KeyPurpose.FIRM).values_list("pk", flat=True)
        assert (made, kept == first) == ([kept, kept], wins)
        assert Client.objects.get().company == CANARY
    forget_keys()
    with working_for(cabinet_id=firm.pk):
        assert Client.objects.get().company == CANARY
