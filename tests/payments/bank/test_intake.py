"""Taking bank files in: whole or not at all, each line once, certain money recorded alone."""

import datetime as dt

import pytest
from django.db import connection

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry
from cabinets.scoping import acting_for, tenant_atomic
from invoices.models import Invoice, Standstill
from payments.enums import BankSource, GuessOutcome, IgnoredReason, LineState
from payments.errors import AlreadyTakenError, FileRefusedError
from payments.models import BankAccount, BankFile, BankGuess, BankLine, BankMatch, Payment
from payments.services import bank_acts, bank_intake, bank_tying
from payments.services.bank_intake import Taken, take_in
from tests.factories.cabinets import assign, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder
from tests.factories.payments import make_payment
from tests.payments.bank.files import IBAN, camt, entry


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


def test_adds_no_line_twice_when_files_overlap(cabinet: Cabinet) -> None:
    coffee = entry("4.50", "CAFE", side="DBIT")

    first = take(camt(coffee, entry("10.00", "UN")))
    second = take(camt(coffee, coffee, entry("10.00", "UN"), entry("20.00", "DEUX")))

    assert [(one.new, one.known) for one in (first, second)] == [(2, 0), (2, 2)]
    assert sorted(BankLine.objects.values_list("cents", flat=True)) == [-450, -450, 1_000, 2_000]


def test_knows_the_money_of_a_day_told_in_another_format(cabinet: Cabinet) -> None:
    take(camt(entry("10.00", "VIREMENT DE MONSIEUR UN"), entry("10.00", "VIREMENT DE MADAME DEUX")))

    again = take(f"Compte;{IBAN}\nDate;Libellé;Montant\n20/11/2026;VIR UN;10,00\n20/11/2026;VIR TROIS;30,00\n".encode())

    assert (again.new, again.known) == (1, 1)
    assert sorted(BankLine.objects.values_list("cents", flat=True)) == [1_000, 1_000, 3_000]


def test_refuses_an_account_in_another_currency(cabinet: Cabinet) -> None:
    with pytest.raises(FileRefusedError, match="est tenu en GBP"):
        take(camt(entry("10.00", "A")).replace(b"EUR", b"GBP"))

    assert BankFile.objects.count() == 0


def test_refuses_a_line_of_tomorrow(cabinet: Cabinet) -> None:
    with pytest.raises(FileRefusedError, match="qui est dans l’avenir"):
        take(camt(entry("10.00", "A", day="2026-11-25")))


def test_learns_the_account_that_pays_and_trusts_it_next_time(cabinet: Cabinet, invoice: Invoice) -> None:
    next_one = make_invoice(dossier=invoice.dossier, total_cents=50_000)
    payer = "DE89370400440532013000"

    taken = take(
        camt(
            entry("500.00", "HONORAIRES", payer_iban=payer, day="2026-11-18"),
            entry("1440.00", "F-2026-0412", payer_iban=payer, day="2026-11-19"),
        )
    )

    next_one.refresh_from_db()
    assert (taken.matched, next_one.outstanding_cents) == (2, 0)


def test_never_trusts_an_account_whose_match_was_undone(cabinet: Cabinet, invoice: Invoice) -> None:
    make_invoice(dossier=invoice.dossier, total_cents=50_000)
    payer = "DE89370400440532013000"
    take(camt(entry("1440.00", "F-2026-0412", payer_iban=payer)))
    bank_acts.undo(line_id=BankLine.objects.get().pk, today=TODAY)

    taken = take(camt(entry("500.00", "HONORAIRES", payer_iban=payer)))

    assert (taken.matched, Payment.objects.filter(state="settled").count()) == (0, 0)


def test_links_what_was_recorded_by_hand_and_counts_it_once(cabinet: Cabinet, invoice: Invoice) -> None:
    payment = make_payment(invoice=invoice, on=dt.date(2026, 11, 17))

    taken = take(camt(entry("1440.00", "F-2026-0412")))

    match = BankMatch.objects.get()
    assert (taken.matched, match.payment_id, match.outcome) == (1, payment.pk, GuessOutcome.LINK)
    assert Payment.objects.count() == 1
    bank_acts.undo(line_id=match.line_id, today=TODAY)
    payment.refresh_from_db()
    assert payment.state == "settled"


def test_does_not_link_what_was_recorded_too_long_before(cabinet: Cabinet, invoice: Invoice) -> None:
    make_payment(invoice=invoice, on=dt.date(2026, 11, 14))

    taken = take(camt(entry("1440.00", "F-2026-0412")))

    assert taken.matched == 0


def test_makes_a_line_wait_again_when_its_payment_is_taken_back(cabinet: Cabinet, invoice: Invoice) -> None:
    take(camt(entry("1440.00", "F-2026-0412")))

    bank_tying.take_back(payment_id=Payment.objects.get().pk)

    invoice.refresh_from_db()
    assert (BankLine.objects.get().state, invoice.outstanding_cents) == (LineState.UNMATCHED, 144_000)
    assert BankMatch.objects.filter(undone_at=None).count() == 0


def test_takes_back_a_payment_that_came_back_when_a_person_says_so(cabinet: Cabinet, invoice: Invoice) -> None:
    take(camt(entry("1440.00", "F-2026-0412", day="2026-11-10")))
    take(camt(entry("1440.00", "REJET F-2026-0412", side="DBIT", extra="<RvslInd>true</RvslInd>")))
    invoice.refresh_from_db()
    assert invoice.outstanding_cents == 0
    back = BankLine.objects.get(cents__lt=0)

    bank_acts.accept(line=back, guess_id=BankGuess.objects.get(line=back).pk, today=TODAY)

    invoice.refresh_from_db()
    assert (invoice.outstanding_cents, Payment.objects.get().state) == (144_000, "reversed")


def test_holds_the_reminders_of_what_money_received_may_pay(
    cabinet: Cabinet, invoice: Invoice, ladder: RecordingLadder
) -> None:
    take(camt(entry("1440.00", "REGLEMENT", payer="MENUISERIE LECLERC")))

    stop = Standstill.objects.get(released_at=None)
    assert (stop.kind, stop.invoice_id, stop.origin) == ("payment_in_flight", invoice.pk, "bank")
    assert ("stop", [invoice.pk], "PAYMENT_IN_FLIGHT") in ladder.calls
    bank_acts.ignore(line_id=BankLine.objects.get().pk, reason=IgnoredReason.NOT_FEES)
    assert Standstill.objects.filter(released_at=None).count() == 0
    assert ladder.calls[-1] == ("wake", [invoice.pk], "")


def test_counts_as_a_declaration_of_its_last_day(cabinet: Cabinet) -> None:
    Cabinet.objects.update(settled_through_on=dt.date(2026, 11, 10), settlements_declared_on=dt.date(2026, 11, 10))

    take(camt(entry("1.00", "A", day="2026-11-18")))
    take(camt(entry("1.00", "B", day="2026-11-12")))

    firm = Cabinet.objects.get()
    assert (firm.settled_through_on, firm.settlements_declared_on, firm.settlements_source) == (
        dt.date(2026, 11, 18), dt.date(2026, 11, 18), "statement",
    )  # fmt: skip
    assert firm.feed_fresh_until_on is None


def test_knows_payments_through_the_account_that_is_the_most_behind(cabinet: Cabinet) -> None:
    Cabinet.objects.update(settled_through_on=dt.date(2026, 11, 1), settlements_declared_on=dt.date(2026, 11, 1))
    other = "DE89370400440532013000"
    take(camt(entry("1.00", "A", day="2026-11-12"), iban=other))
    take(camt(entry("1.00", "B", day="2026-11-20")))
    assert Cabinet.objects.get().settled_through_on == dt.date(2026, 11, 12)

    bank_intake.follow(account_id=BankAccount.objects.get(through_on=dt.date(2026, 11, 12)).pk, is_followed=False)

    assert Cabinet.objects.get().settled_through_on == dt.date(2026, 11, 20)


def test_keeps_the_lines_from_who_sees_some_files_only(cabinet: Cabinet, invoice: Invoice) -> None:
    take(camt(entry("1440.00", "REGLEMENT", payer="MENUISERIE LECLERC"), entry("7.00", "F-2026-0412 ET RESTE")))
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=invoice.dossier, member=assistant)
    tables = [BankAccount, BankFile, BankGuess, BankLine]
    assert all(model.objects.exists() for model in tables)

    with acting_for(cabinet_id=cabinet.pk, member_id=assistant.pk), tenant_atomic():
        assert [model.objects.count() for model in tables] == [0, 0, 0, 0]
    with acting_for(cabinet_id=cabinet.pk), tenant_atomic():
        assert BankLine.objects.count() == 2


def test_seals_what_the_bank_says(cabinet: Cabinet) -> None:
    take(camt(entry("7.00", "LIBELLE SECRET", payer="PAYEUR SECRET", payer_iban="DE89370400440532013000")))

    with connection.cursor() as cursor:
        cursor.execute("SELECT l::text FROM payments_bankline l")
        [[row]] = cursor.fetchall()
    assert "SECRET" not in row
    assert b"LIBELLE SECRET".hex() not in row
    assert b"DE89370400440532013000".hex() not in row
