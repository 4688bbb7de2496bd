"""Entering an invoice by hand, correcting it, giving it up."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from cabinets.enums import ClientKind, LegalAid
from cabinets.models import Cabinet, JournalEntry
from invoices.enums import InvoiceKind, InvoiceState, StopKind
from invoices.errors import AlreadySaidError, EntryError, InvoiceError
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from invoices.services.editing import cancel_invoice, edit_invoice, reopen, write_off
from invoices.services.entering import InvoiceFacts, enter_invoice
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder

ISSUED, DUE = dt.date(2026, 11, 2), dt.date(2026, 12, 2)


def facts(**changes: Any) -> InvoiceFacts:
    dossier = changes.pop("dossier", None) or make_dossier()
    stated = InvoiceFacts(
        dossier_id=dossier.pk, number="F-2026-0412", issued_on=ISSUED, due_on=DUE, total_cents=144_000
    )
    return replace(stated, **changes)


def facts_of(invoice: Invoice, **changes: Any) -> InvoiceFacts:
    stated = InvoiceFacts(
        dossier_id=invoice.dossier_id,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        total_cents=invoice.total_cents,
    )
    return replace(stated, **changes)


def test_enters_an_invoice_and_puts_it_on_the_ladder(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = enter_invoice(facts=facts(number="  f-2026  0412 "), on=TODAY)

    invoice.refresh_from_db()
    assert (invoice.number, invoice.number_key, invoice.state) == ("f-2026 0412", "F-20260412", InvoiceState.OPEN)
    assert (invoice.total_cents, invoice.due_on, invoice.is_due_date_assumed) == (144_000, DUE, False)
    assert told.calls == [("enter", [invoice.pk], "2026-11-24")]
    assert JournalEntry.objects.get().event == "invoice.created"


@pytest.mark.parametrize("kind", [ClientKind.PROFESSIONAL, ClientKind.PUBLIC])
def test_between_professionals_the_law_gives_thirty_days(
    cabinet: Cabinet, told: RecordingLadder, kind: ClientKind
) -> None:
    dossier = make_dossier(kind=kind)

    invoice = enter_invoice(facts=facts(dossier=dossier, issued_on=dt.date(2026, 1, 10), due_on=None), on=TODAY)

    assert (invoice.due_on, invoice.is_due_date_assumed) == (dt.date(2026, 2, 9), True)


@pytest.mark.parametrize(
    ("kind", "changes", "field", "sentence"),
    [
        (ClientKind.CONSUMER, {"due_on": None}, "due_on", "elle ne se déduit de la loi que pour un client"),
        (ClientKind.UNKNOWN, {"due_on": None}, "due_on", "elle ne se déduit de la loi que pour un client"),
        (ClientKind.CONSUMER, {"due_on": dt.date(2026, 11, 1)}, "due_on", "L’échéance précède la date de facture"),
        (ClientKind.CONSUMER, {"total_cents": 0}, "total", "supérieur à zéro"),
        (ClientKind.CONSUMER, {"total_cents": -5}, "total", "supérieur à zéro"),
        (ClientKind.CONSUMER, {"number": "  "}, "number", "Indiquez le numéro"),
        (ClientKind.CONSUMER, {"number": "9" * 41}, "number", "Indiquez le numéro"),
    ],
)
def test_refuses_what_cannot_be_an_invoice_and_writes_nothing(
    cabinet: Cabinet, told: RecordingLadder, kind: ClientKind, changes: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(EntryError, match=sentence) as refusal:
        enter_invoice(facts=facts(dossier=make_dossier(kind=kind), **changes), on=TODAY)

    assert (refusal.value.field, Invoice.objects.count(), told.calls) == (field, 0, [])


def test_refuses_any_fee_under_full_legal_aid(cabinet: Cabinet, told: RecordingLadder) -> None:
    dossier = make_dossier(legal_aid=LegalAid.TOTAL)

    with pytest.raises(EntryError) as refusal:
        enter_invoice(facts=facts(dossier=dossier), on=TODAY)

    assert str(refusal.value) == (
        "Ce dossier bénéficie de l’aide juridictionnelle totale : aucun honoraire ne peut y être demandé ni accepté"
        " (loi du 10 juillet 1991, art. 32). La facture n’a pas été enregistrée."
    )
    assert (Invoice.objects.count(), told.calls) == (0, [])


def test_refuses_a_number_written_otherwise(cabinet: Cabinet, told: RecordingLadder) -> None:
    make_invoice(number="F-2026-0412")

    with pytest.raises(EntryError, match="Une facture porte déjà le numéro « f-2026 -0412 »"):
        enter_invoice(facts=facts(number="f-2026 -0412"), on=TODAY)

    assert (Invoice.objects.count(), told.calls) == (1, [])


def test_a_new_invoice_is_contested_like_its_client(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client()
    standstill.declare(kind=StopKind.DISPUTE, target=make_invoice(client=client))

    invoice = enter_invoice(facts=facts(dossier=make_dossier(client=client)), on=TODAY)

    assert list(Standstill.objects.filter(invoice=invoice).values_list("kind", "origin")) == [("dispute", "inherited")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total_cents": 150_000}, "total_cents"),
        ({"number": "F-1"}, "number"),
        ({"due_on": dt.date(2026, 12, 31)}, "due_on"),
        ({"issued_on": dt.date(2026, 10, 1)}, "issued_on"),
        ({"kind": InvoiceKind.PROVISION}, "kind"),
    ],
)
def test_what_the_debtor_was_told_no_longer_changes(
    cabinet: Cabinet, told: RecordingLadder, changes: dict[str, Any], field: str
) -> None:
    invoice = make_invoice(number="F-2026-0001")
    before = getattr(invoice, field)
    told.spoken.add(invoice.pk)

    with pytest.raises(AlreadySaidError) as refusal:
        edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, **changes))

    invoice.refresh_from_db()
    assert str(refusal.value) == (
        "La facture F-2026-0001 a déjà été rappelée à votre client : son numéro, sa nature, son dossier, ses dates et"
        " son montant ne changent plus. Rien n’a été modifié : pour corriger le montant, établissez un avoir."
    )
    assert (getattr(invoice, field), told.calls) == (before, [])


def test_the_rest_may_still_be_noted_once_a_reminder_left(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()
    told.spoken.add(invoice.pk)

    edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, note="Appeler avant 18 h", performed_on=ISSUED))

    invoice.refresh_from_db()
    assert (invoice.note, invoice.performed_on, told.calls) == (
        "Appeler avant 18 h", ISSUED, [("wake", [invoice.pk], "")],
    )  # fmt: skip


def test_a_corrected_amount_takes_back_what_waited(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()

    edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, total_cents=150_000))

    invoice.refresh_from_db()
    assert (invoice.total_cents, told.calls) == (150_000, [("stop", [invoice.pk], "NEEDS_APPROVAL")])
    assert JournalEntry.objects.get().facts == {"fields": ["total_cents"]}


def test_an_amount_never_falls_below_what_was_settled(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()
    settlement.settle(invoice_id=invoice.pk, cents=100_000)

    with pytest.raises(EntryError, match="inférieur à ce qui est déjà réglé ou crédité"):
        edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, total_cents=99_999))

    invoice.refresh_from_db()
    assert invoice.total_cents == 144_000


def test_an_invoice_does_not_pass_to_another_client(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()

    with pytest.raises(EntryError, match="celui d’un autre client"):
        edit_invoice(invoice_id=invoice.pk, facts=facts_of(invoice, dossier_id=make_dossier().pk))

    assert told.calls == []


def test_gives_up_an_invoice_with_its_reason_and_takes_it_up_again(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice(note="Client difficile")

    write_off(invoice_id=invoice.pk, reason="Liquidation close")
    invoice.refresh_from_db()
    given_up = (invoice.state, invoice.note)
    reopen(invoice_id=invoice.pk)

    invoice.refresh_from_db()
    assert given_up == (InvoiceState.WRITTEN_OFF, "Client difficile\nPassée en perte : Liquidation close")
    assert (invoice.state, told.calls) == (
        InvoiceState.OPEN, [("stop", [invoice.pk], "CLOSED"), ("wake", [invoice.pk], "")],
    )  # fmt: skip


def test_refuses_to_cancel_an_invoice_that_received_money(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()
    settlement.settle(invoice_id=invoice.pk, cents=1)

    with pytest.raises(InvoiceError, match="annulez d’abord le paiement"):
        cancel_invoice(invoice_id=invoice.pk, reason="Erreur")

    invoice.refresh_from_db()
    assert invoice.state == InvoiceState.OPEN


def test_asks_why_an_invoice_is_cancelled(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()

    with pytest.raises(EntryError, match="Indiquez la raison"):
        cancel_invoice(invoice_id=invoice.pk, reason=" ")
    cancel_invoice(invoice_id=invoice.pk, reason="Saisie deux fois")

    invoice.refresh_from_db()
    assert (invoice.state, invoice.note) == (InvoiceState.CANCELLED, "Annulée : Saisie deux fois")
