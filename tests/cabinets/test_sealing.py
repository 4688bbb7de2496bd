"""No personal value is readable in the tables: the whole database is read as its owner, row by row."""

import datetime as dt
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction

from cabinets.enums import KeyPurpose
from cabinets.models import Client, DataKey
from cabinets.scoping import acting_for, current_scope, tenant_atomic, whole_firm, working_for
from cabinets.sealing import active_key, forget_keys
from cabinets.services.clients import ClientFacts, ContactFacts, create_client, create_contact
from cabinets.services.dossiers import DossierFacts, open_dossier
from cabinets.wall import SCOPE_SETTING, walled_models
from invoices.enums import StopKind
from invoices.services import standstill
from invoices.services.documents import Upload, attach_to_invoice
from invoices.services.entering import InvoiceFacts, enter_invoice
from payments.services.recording import Receipt, record_payment
from tests.factories.cabinets import make_cabinet, make_member
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


class UndoneError(Exception):
    """What a test raises to have its savepoint undone."""


def begin_and_undo(*, widened: bool = False) -> UUID:
    """Make the firm's first key in a savepoint that is undone; return the key that is no more."""
    made = list[UUID]()
    with suppress(UndoneError), transaction.atomic(), whole_firm() if widened else nullcontext():
        made.append(active_key(purpose=KeyPurpose.FIRM))
        raise UndoneError
    return made[0]


@pytest.mark.django_db
@pytest.mark.parametrize("widened", [False, True], ids=["as it was", "over the whole firm"])
def test_a_key_undone_with_its_savepoint_seals_nothing_afterwards(*, widened: bool) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        member_id = make_member().pk
    with working_for(cabinet_id=firm.pk, member_id=member_id):
        gone = begin_and_undo(widened=widened)
        kept = active_key(purpose=KeyPurpose.FIRM)

        assert gone != kept
        assert list(DataKey.objects.filter(purpose=KeyPurpose.FIRM).values_list("pk", flat=True)) == [kept]


@pytest.mark.django_db
def test_a_key_made_in_a_savepoint_that_holds_goes_on_sealing() -> None:
    with working_for(cabinet_id=make_cabinet().pk):
        with transaction.atomic():
            made = active_key(purpose=KeyPurpose.FIRM)
        begin = active_key(purpose=KeyPurpose.FIRM)
        with suppress(UndoneError), transaction.atomic():
            raise UndoneError

        assert made == begin == active_key(purpose=KeyPurpose.FIRM)


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_a_key_undone_with_its_transaction_is_unknown_to_the_next() -> None:
    firm = make_cabinet()
    with acting_for(cabinet_id=firm.pk):
        with suppress(UndoneError), tenant_atomic():
            gone = active_key(purpose=KeyPurpose.FIRM)
            raise UndoneError
        with tenant_atomic():
            assert active_key(purpose=KeyPurpose.FIRM) != gone
            assert DataKey.objects.filter(purpose=KeyPurpose.FIRM).count() == 1
