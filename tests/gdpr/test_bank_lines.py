"""A line of the bank is its payer's data: told to whom it is about, to nobody else, and kept with the vouchers."""

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from cabinets.models import Cabinet, Client, Contact, Membership
from gdpr.enums import Claim
from gdpr.fates import LAW
from gdpr.services.erasing import erase, preview, purge_client
from gdpr.services.exporting import DataSubject, archive_of, kept_apart
from payments.models import BankLine, Payment
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_bank_line, make_payment

TODAY, PAID = dt.date(2026, 11, 24), dt.date(2026, 3, 20)
IBAN = "FR7610107001011234567890129"
KIND = "Lignes de banque"


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture
def client(cabinet: Cabinet, owner: Membership) -> Client:
    return make_client(company="", last_name="Delorme", first_name="Anne", kind="consumer")


def paid(client: Client, *, billed_to: Contact | None = None) -> Payment:
    dossier = make_dossier(client=client, billing_contact=billed_to, mandate_ended_on=PAID)
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2026, 2, 1), due_on=dt.date(2026, 3, 1))
    return make_payment(invoice=invoice, on=PAID)


def copy_of(client: Client, contact: Contact | None = None) -> tuple[list[dict[str, str]], str]:
    """Return the bank lines a copy tells, and everything legible in it."""
    content = archive_of(person=DataSubject(client, contact), cabinet=Cabinet.objects.get(), claim=Claim.ACCESS)
    archive = zipfile.ZipFile(io.BytesIO(content))
    pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("a-lire.pdf"))).pages)
    told = archive.read("donnees.json").decode()
    rows = {one["nature"]: one["lignes"] for one in json.loads(told)["donnees"]}
    return rows.get(KIND, []), " ".join((told + pages).split())


def test_the_copy_tells_the_line_that_brought_their_payment(client: Client) -> None:
    make_bank_line(paid(client), paid(client), counterparty="Anne Delorme", iban=IBAN)
    make_bank_line(paid(make_client(company="Autrui SARL")), counterparty="Autrui SARL")

    [line], text = copy_of(client)

    assert (line["libellé"], line["contrepartie"]) == ("VIR ANNE DELORME", "Anne Delorme")
    assert line["compte de la contrepartie"] == IBAN
    assert line["date d’opération"] == "20/03/2026"
    assert "Autrui" not in text
    assert kept_apart(DataSubject(client)) == 0


def test_the_copy_leaves_out_a_line_that_was_untied(client: Client) -> None:
    make_bank_line(paid(client), counterparty="Quelqu’un", undone=True)

    lines, text = copy_of(client)

    assert (lines, "Quelqu’un" in text, kept_apart(DataSubject(client))) == ([], False, 0)


def test_a_line_that_paid_two_clients_is_kept_apart_and_counted_for_each(client: Client) -> None:
    other = make_client(company="Autrui SARL")
    make_bank_line(paid(client), paid(other), counterparty="Assureur commun", iban=IBAN)

    for one in (client, other):
        lines, text = copy_of(one)
        assert (lines, "Assureur" in text, IBAN in text) == ([], False, False)
        assert "1 message, formulaire ou ligne de banque de votre dossier porte les données d’une autre" in text
        told = {line.label: line for line in preview(client_id=one.pk, on=TODAY)}
        assert told["ligne de banque"].rows == 1


def test_a_line_of_who_pays_for_a_client_is_theirs_alone(client: Client) -> None:
    payer = make_contact(client=client, role="payer", last_name="Tiers")
    make_bank_line(paid(client, billed_to=payer), counterparty="Paul Tiers", iban=IBAN)

    of_client, text = copy_of(client)
    [of_payer], _ = copy_of(client, payer)

    assert (of_client, IBAN in text, "Paul Tiers" in text) == ([], False, False)
    assert kept_apart(DataSubject(client)) == 1
    assert (of_payer["contrepartie"], of_payer["compte de la contrepartie"]) == ("Paul Tiers", IBAN)


def test_the_report_says_that_the_line_stays_with_the_vouchers(client: Client) -> None:
    make_bank_line(paid(client), counterparty="Anne Delorme")

    told = {line.label: line for line in erase(client_id=client.pk, on=TODAY)}

    line = told["ligne de banque"]
    assert (line.rows, line.is_gone, line.until_on, line.reason) == (1, False, dt.date(2036, 12, 31), LAW)
    assert BankLine.objects.get().counterparty == "Anne Delorme"


def test_the_line_goes_when_asked_after_its_time_and_by_itself_with_its_own_year(client: Client) -> None:
    make_bank_line(paid(client), counterparty="Anne Delorme")
    after = dt.date(2037, 1, 1)

    purge_client(client_id=client.pk, on=after)
    kept = BankLine.objects.get().counterparty
    told = {line.label: line for line in erase(client_id=client.pk, on=after)}

    assert (kept, told["ligne de banque"].is_gone) == ("Anne Delorme", True)
    assert (BankLine.objects.get().counterparty, BankLine.objects.get().label) == ("", "")
