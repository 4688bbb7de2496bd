"""Taking bank files in: whole or not at all, each line once, certain money recorded alone."""

import datetime as dt

import pytest

from cabinets.models import Cabinet, JournalEntry
from invoices.models import Invoice
from payments.enums import BankSource, LineState
from payments.errors import AlreadyTakenError, FileRefusedError
from payments.models import BankFile, BankLine, BankMatch, Payment
from payments.services.bank_intake import Taken, take_in
from tests.factories.invoices import TODAY
from tests.payments.bank.files import camt, entry


def take(data: bytes, **facts: object) -> Taken:
    return take_in(
        data=data, file_name="releve.xml", today=TODAY, source=BankSource.UPLOAD, **facts,  # type: ignore[arg-type]
    )  # fmt: skip


def test_records_the_invoice_named_to_the_cent(cabinet: Cabinet, invoice: Invoice) -> None:
    taken = take(camt(entry("1440.00", "VIR facture F-2026-0412"), opening="0", closing="1440"))

    payment = Payment.objects.get()
    invoice.refresh_from_db()
    assert (taken.new, taken.known, taken.matched, taken.suggested) == (1, 0, 1, 0)
    assert (payment.cents, payment.received_on, payment.means) == (144_000, dt.date(2026, 11, 20), "transfer")
    assert invoice.outstanding_cents == 0
    assert BankMatch.objects.get().reasons == [
        "Le libellé cite la facture F-2026-0412.",
        "Le montant est exactement son reste dû.",
    ]


def test_takes_the_same_file_once(cabinet: Cabinet, invoice: Invoice) -> None:
    data = camt(entry("1440.00", "F-2026-0412"))
    take(data)

    with pytest.raises(AlreadyTakenError, match="Ce fichier est déjà pris en compte, depuis le 24/11/2026 : 1 ligne"):
        take(data)

    assert (BankFile.objects.count(), BankLine.objects.count(), Payment.objects.count()) == (1, 1, 1)


def test_keeps_nothing_of_a_file_that_does_not_add_up(cabinet: Cabinet, invoice: Invoice) -> None:
    with pytest.raises(FileRefusedError, match="ne tombe pas juste"):
        take(camt(entry("1440.00", "F-2026-0412"), opening="0", closing="1441"))

    assert (BankFile.objects.count(), BankLine.objects.count(), Payment.objects.count()) == (0, 0, 0)
    assert not JournalEntry.objects.filter(event="bankfile.taken_in").exists()


def test_keeps_money_out_without_asking_anybody(cabinet: Cabinet) -> None:
    taken = take(camt(entry("12.00", "FRAIS", side="DBIT")))

    assert (taken.new, BankLine.objects.get().state) == (1, LineState.OUTGOING)
