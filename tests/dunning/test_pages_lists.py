"""Factures, Clients, one client, the calendar: what is listed, to whom, and at what cost."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role, TaskKind
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.models import Reminder
from invoices.enums import InvoiceState, InvoiceStatus, StopKind
from invoices.models import ImportBatch, Invoice, Standstill
from invoices.services import standstill
from invoices.services.statuses import statuses
from payments.models import Allocation, Payment
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
LISTS = ("/factures/?etat=toutes", "/clients/", "/calendrier/")


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def listed(browser: FirmBrowser, query: str) -> set[str]:
    page = text_of(browser.get(f"/factures/{query}"))
    return {invoice.number for invoice in Invoice.objects.all() if invoice.number in page}


def full_line(company: str = "Atelier Nord SAS", **facts: Any) -> Invoice:
    invoice = make_invoice(client=make_client(company=company), **facts)
    make_reminder(make_case(invoice=invoice), state=ReminderState.AWAITING_APPROVAL)
    return invoice


def test_the_list_shows_what_is_to_collect_oldest_first(browse: Browse, owner: Membership) -> None:
    late = full_line(due_on=TODAY - dt.timedelta(days=40))
    coming = make_invoice(client=make_client(company="SCI Les Tilleuls"), due_on=TODAY + dt.timedelta(days=5))
    paid = make_invoice(settled_cents=144_000)

    page = text_of(browse(owner).get("/factures/"))

    assert page.index(late.number) < page.index(coming.number)
    assert paid.number not in page
    assert "2 factures" in page
    assert "2 880,00 €" in page
    assert "40 j" in page
    assert "J+3 à valider" in page


def test_every_word_of_the_filter_is_the_word_on_the_badge(browse: Browse, owner: Membership) -> None:
    dossier = make_dossier()
    made = {
        "a-echoir": make_invoice(due_on=TODAY + dt.timedelta(days=5)),
        "echue": make_invoice(),
        "partielle": make_invoice(settled_cents=1_000),
        "payee": make_invoice(settled_cents=144_000),
        "irrecouvrable": make_invoice(state=InvoiceState.WRITTEN_OFF),
        "annulee": make_invoice(state=InvoiceState.CANCELLED),
        "en-cours": make_invoice(),
        "contestee": make_invoice(),
        "echeancier": make_invoice(),
        "suspendue": make_invoice(dossier=dossier),
    }
    Standstill(kind=StopKind.PAYMENT_IN_FLIGHT, invoice=made["en-cours"]).save(force_insert=True)
    Standstill(kind=StopKind.HOLD, invoice=made["en-cours"]).save(force_insert=True)
    Standstill(kind=StopKind.MEDIATION, client=made["contestee"].client).save(force_insert=True)
    Standstill(kind=StopKind.PLAN, invoice=made["echeancier"]).save(force_insert=True)
    Standstill(kind=StopKind.HOLD, dossier=dossier).save(force_insert=True)
    Standstill(kind=StopKind.HOLD, invoice=made["echue"], until_on=TODAY - dt.timedelta(days=1)).save(force_insert=True)
    browser = browse(owner)

    words = statuses(list(made.values()), on=TODAY)

    assert {state: listed(browser, f"?etat={state}") for state in made} == {
        state: {invoice.number} for state, invoice in made.items()
    }
    assert [words[invoice.pk] for invoice in made.values()] == [
        InvoiceStatus.NOT_DUE, InvoiceStatus.OVERDUE, InvoiceStatus.PART_PAID, InvoiceStatus.PAID,
        InvoiceStatus.WRITTEN_OFF, InvoiceStatus.CANCELLED, InvoiceStatus.IN_FLIGHT, InvoiceStatus.DISPUTED,
        InvoiceStatus.PLAN, InvoiceStatus.HELD,
    ]  # fmt: skip
    assert listed(browser, "?etat=toutes") == {invoice.number for invoice in made.values()}


@pytest.mark.parametrize(
    ("age", "days"), [("0", 0), ("1", 1), ("1", 30), ("2", 31), ("2", 60), ("3", 61), ("3", 90), ("4", 91)]
)
def test_an_age_begins_and_ends_on_its_day(browse: Browse, owner: Membership, age: str, days: int) -> None:
    invoice = make_invoice(due_on=TODAY - dt.timedelta(days=days))
    browser = browse(owner)

    found = {one: listed(browser, f"?age={one}") for one in "01234"}

    assert found == {one: ({invoice.number} if one == age else set()) for one in "01234"}


def test_filters_narrow_and_each_chip_widens(browse: Browse, owner: Membership) -> None:
    mine = make_dossier(lawyer=owner)
    small = make_invoice(dossier=mine, total_cents=50_000)
    big = make_invoice(dossier=mine, total_cents=900_000)
    make_case(invoice=small, rank=2)
    make_case(invoice=big, rank=1)
    other = make_invoice()
    browser = browse(owner)

    assert listed(browser, f"?avocat={owner.pk}") == {small.number, big.number}
    assert listed(browser, "?min=600") == {big.number, other.number}
    assert listed(browser, "?max=600,50") == {small.number}
    assert listed(browser, "?etape=10") == {small.number}
    assert listed(browser, f"?client={other.client_id}") == {other.number}
    page = text_of(browser.get(f"/factures/?avocat={owner.pk}&etape=10"))
    assert f'href="?avocat={owner.pk}"' in page
    assert "Effacer les filtres" in page


def test_a_search_finds_a_number_however_typed_and_a_name(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice(
        client=make_client(company="Menuiserie Chauvin"),
        number="F 2031/07",
        number_key="F2031/07",
        settled_cents=144_000,
    )
    make_invoice()
    browser = browse(owner)

    assert listed(browser, "?q=f2031") == {invoice.number}
    assert listed(browser, "?q=chauvin") == {invoice.number}
    assert "Aucune facture ne répond à ces filtres" in text_of(browser.get("/factures/?q=introuvable"))


def test_a_wrong_amount_is_told_and_lists_nothing(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice()

    page = text_of(browse(owner).get("/factures/?min=12,345"))

    assert "est ambigu" in page
    assert invoice.number not in page


def test_pages_follow_each_other_without_losing_a_line(browse: Browse, owner: Membership) -> None:
    dossier = make_dossier()
    numbers = [make_invoice(dossier=dossier, due_on=TODAY - dt.timedelta(days=day // 3)).number for day in range(120)]
    browser = browse(owner)

    page = browser.get("/factures/").context["listed"]
    seen = [row.invoice.number for row in page.rows]
    while page.after:
        page = browser.get(f"/factures/?apres={page.after}").context["listed"]
        seen += [row.invoice.number for row in page.rows]
    back = browser.get(f"/factures/?avant={page.before}").context["listed"]

    assert sorted(seen) == sorted(numbers)
    assert len(seen) == len(set(seen)) == 120
    assert [row.invoice.number for row in back.rows] == seen[50:100]


def test_an_export_holds_the_list_and_runs_no_formula(browse: Browse, owner: Membership) -> None:
    make_invoice(client=make_client(company='=HYPERLINK("http://x")'), settled_cents=44_000)
    make_invoice(settled_cents=144_000)

    response = browse(owner).get("/factures/export.csv")

    lines = response.content.decode("utf-8-sig").split("\r\n")
    number = Invoice.objects.get(settled_cents=44_000).number
    assert len(lines) == 3
    assert lines[1].startswith(f'{number};"\'=HYPERLINK(""http://x"")";R-')
    assert "1440,00;440,00;0,00;1000,00;Partiellement payée;10" in lines[1]
    entry = JournalEntry.objects.get(event="invoice.exported")
    assert (entry.member_id, entry.facts) == (owner.pk, {"count": 1})


def test_who_may_not_export_gets_nothing(browse: Browse, cabinet: Cabinet) -> None:
    make_invoice()
    assistant = browse(make_member(role=Role.ASSISTANT, sees_every_file=True))

    assert assistant.get("/factures/export.csv").status_code == 403
    assert "export.csv" not in text_of(assistant.get("/factures/"))


def test_clients_are_in_the_order_of_their_names_with_what_they_owe(browse: Browse, owner: Membership) -> None:
    full_line("Zéphyr SARL")
    make_invoice(client=make_client(company="atelier Nord"), due_on=TODAY + dt.timedelta(days=3))
    make_client(company="Menuiserie Chauvin")
    browser = browse(owner)

    page = text_of(browser.get("/clients/"))

    assert page.index("atelier Nord") < page.index("Menuiserie Chauvin") < page.index("Zéphyr SARL")
    assert "3 clients" in page
    assert "1 client<" in text_of(browser.get("/clients/?q=chau"))
    assert "Menuiserie" not in text_of(browser.get("/clients/?encours=1"))
    assert "Aucun client ne répond à cette recherche" in text_of(browser.get("/clients/?q=personne"))


def test_one_client_shows_what_is_known(browse: Browse, owner: Membership, cabinet: Cabinet) -> None:
    client = make_client(company="Atelier Nord SAS", is_strategic=True, credit_cents=5_000)
    make_contact(client=client, first_name="Lise", last_name="Morel")
    dossier = make_dossier(client=client)
    full = make_invoice(dossier=dossier)
    make_reminder(make_case(invoice=full), state=ReminderState.ACCEPTED, spoken_at=cabinet.now(), spoken_on=TODAY)
    paid = make_invoice(dossier=dossier, settled_cents=144_000)
    payment = Payment(client=client, received_on=paid.issued_on + dt.timedelta(days=37), cents=144_000)
    payment.save(force_insert=True)
    Allocation(payment=payment, invoice=paid, cents=144_000).save(force_insert=True)
    Task(kind=TaskKind.REVIEW_OLD_DEBT, client=client, subject_id=full.pk, due_on=TODAY).save(force_insert=True)

    page = text_of(browse(owner).get(f"/clients/{client.pk}/"))

    for words in (
        "Atelier Nord SAS", "client stratégique", "1 440,00 €", "37 <small>jours", "50,00 €", "Lise Morel",
        dossier.reference, full.number, paid.number, "J+3 · rappel courtois", "Dette ancienne à examiner",
        f"/clients/{client.pk}/releve/", f"/clients/{client.pk}/modifier/",
    ):  # fmt: skip
        assert words in page


def test_a_client_is_held_freed_and_never_reminded(browse: Browse, owner: Membership) -> None:
    invoice = full_line()
    client = invoice.client_id
    browser = browse(owner)

    browser.post(f"/clients/{client}/suspendre/", {"reason": "Négociation", "until_on": "2026-12-31"})
    stop = Standstill.objects.get()
    assert (stop.client_id, stop.until_on) == (client, dt.date(2026, 12, 31))
    assert Reminder.objects.get().cancel_code == "HOLD"
    assert "Négociation" in text_of(browser.get(f"/clients/{client}/"))
    browser.post(f"/clients/{client}/lever/{stop.pk}/")
    assert Standstill.objects.get().released_by_id == owner.pk
    browser.post(f"/clients/{client}/ne-jamais-relancer/")
    assert Client.objects.get().is_never_reminded
    browser.post(f"/clients/{client}/ne-jamais-relancer/", {"relancer": "1"})
    assert not Client.objects.get().is_never_reminded


def test_never_reminding_a_client_recalls_what_a_colleague_prepared(browse: Browse, cabinet: Cabinet) -> None:
    client = make_client()
    mine, theirs = make_dossier(client=client), make_dossier(client=client)
    reminder = make_reminder(make_case(invoice=make_invoice(dossier=theirs)), state=ReminderState.APPROVED)
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=mine, member=assistant)

    browse(assistant).post(f"/clients/{client.pk}/ne-jamais-relancer/")

    reminder.refresh_from_db()
    assert (reminder.state, reminder.cancel_code) == (ReminderState.CANCELLED, "NEVER")


def test_the_calendar_tells_departures_ladders_and_closed_days(
    browse: Browse, owner: Membership, cabinet: Cabinet
) -> None:
    leaving = make_client(company="Atelier Nord SAS")
    reminder = make_reminder(
        make_case(invoice=make_invoice(client=leaving)),
        state=ReminderState.APPROVED,
        depart_at=dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC),
    )
    foreseen = make_case(invoice=make_invoice(), rank=2, next_action_on=TODAY + dt.timedelta(days=3))

    page = text_of(browse(owner).get("/calendrier/"))

    assert "Mercredi 25 novembre 2026" in page
    assert "Atelier Nord SAS" in page
    assert "9 h 30" in page
    assert f"/a-valider/{reminder.pk}/reporter/?de=calendrier" in page
    assert "1 facture à examiner cette nuit-là, si rien ne change" in page
    assert foreseen.invoice.number in page
    assert page.count("Week-end") == 4


def test_the_calendar_knows_the_holidays_of_the_firm(browse: Browse, owner: Membership) -> None:
    client = make_client(company="Atelier Nord SAS")
    make_reminder(
        make_case(invoice=make_invoice(client=client)),
        state=ReminderState.PLANNED,
        depart_at=dt.datetime(2026, 12, 25, 9, tzinfo=dt.UTC),
    )

    page = text_of(browse(owner).get("/calendrier/"))

    assert "Vendredi 25 décembre 2026" in page
    assert "Jour férié" in page


@pytest.mark.parametrize("url", [*LISTS, "client"])
def test_a_list_asks_as_much_for_five_as_for_one(browse: Browse, owner: Membership, url: str) -> None:
    client = make_client()
    dossier = make_dossier(client=client)
    browser = browse(owner)
    address = f"/clients/{client.pk}/" if url == "client" else url

    def fill() -> None:
        where = {"dossier": dossier} if url == "client" else {"client": make_client()}
        invoice = make_invoice(**where)
        state = ReminderState.ACCEPTED if url == "client" else ReminderState.PLANNED
        make_reminder(make_case(invoice=invoice), state=state)
        make_case(invoice=make_invoice(**where), next_action_on=TODAY + dt.timedelta(days=2))

    def queries() -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(address).status_code == 200
        return len(caught)

    fill()
    one = queries()
    for _ in range(4):
        fill()

    assert queries() == one


@pytest.mark.parametrize("url", [*LISTS, "/factures/export.csv?etat=toutes"])
def test_a_lawyer_sees_assigned_dossiers_only(browse: Browse, cabinet: Cabinet, url: str) -> None:
    mine, hidden = make_dossier(client=make_client(company="Visible SAS")), make_client(company="Cachée SARL")
    make_reminder(make_case(invoice=make_invoice(dossier=mine)), state=ReminderState.PLANNED)
    unseen = make_invoice(client=hidden)
    make_reminder(make_case(invoice=unseen), state=ReminderState.PLANNED)
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=mine, member=lawyer)
    browser = browse(lawyer)

    page = text_of(browser.get(url))

    assert "Visible SAS" in page
    assert "Cachée SARL" not in page
    assert unseen.number not in page
    assert browser.get(f"/clients/{hidden.pk}/").status_code == 404
    assert browser.post(f"/clients/{hidden.pk}/suspendre/", {"reason": "x"}).status_code == 404


def test_another_firm_sees_no_line(browse: Browse, owner: Membership, other_cabinet: Cabinet) -> None:
    invoice = full_line()
    (stop,) = standstill.declare(kind=StopKind.HOLD, target=invoice.client)
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()
    browser = browse(stranger)

    for url in (*LISTS, "/factures/export.csv?etat=toutes", f"/factures/?client={invoice.client_id}"):
        page = text_of(browser.get(url))
        assert "Atelier Nord SAS" not in page
        assert invoice.number not in page
    for path in ("", "suspendre/", "ne-jamais-relancer/", f"lever/{stop.pk}/"):
        assert browser.get(f"/clients/{invoice.client_id}/{path}").status_code == 404


@pytest.mark.parametrize("url", LISTS)
def test_an_empty_firm_is_told_what_will_come(browse: Browse, owner: Membership, url: str) -> None:
    assert browse(owner).get(url).status_code == 200


def test_lists_the_invoices_of_one_import(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    batch = ImportBatch(digest=b"x")
    batch.save(force_insert=True)
    make_invoice(number="F-IMPORTEE", batch=batch)
    make_invoice(number="F-SAISIE")

    page = browse(owner).get("/factures/", {"import": str(batch.pk)}).content.decode()

    assert ("F-IMPORTEE" in page, "F-SAISIE" in page) == (True, False)
