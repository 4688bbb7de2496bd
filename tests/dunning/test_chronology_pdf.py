"""What happened to a client's invoices as a document: each event once, in the words of the invoices' pages."""

import datetime as dt
import hashlib
import html
import io
import re
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.enums import InboundKind, InboundState, ReminderState
from dunning.models import Decision, InboundMessage
from dunning.services.reading.chronology import chronology_of
from invoices.enums import ClaimKind, StopKind
from invoices.models import AccessoryClaim, CreditNote, Invoice, Standstill
from payments.enums import RequestKind
from payments.models import DebtorRequest, LinkVisit
from payments.services.links import link_for
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]
HEADS = "Date Fait Factures"


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    """Return a client of the firm."""
    return make_client(company="Atelier Nord")


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def pages_of(browser: FirmBrowser, client: Client) -> list[str]:
    """Return the words of each page of the document, whatever cut their lines."""
    answer = browser.get(f"/clients/{client.pk}/chronologie.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return [plain(page.extract_text()) for page in PdfReader(io.BytesIO(answer.content)).pages]


def body_of(page: str) -> str:
    """Return what stands between the head of the table and the foot of the page."""
    return page.partition(HEADS)[2].rpartition("Chronologie ·")[0].strip()


def live_through_everything(invoice: Invoice, owner: Membership, *, on: dt.date = TODAY) -> None:
    """Make one of each thing that a timeline tells about an invoice, on this day."""
    noon = dt.datetime.combine(on, dt.time(12), tzinfo=dt.UTC)
    sent = make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED, spoken_at=noon, spoken_on=on)
    rest = make_payment(invoice=invoice, on=on, cents=100)
    note = CreditNote(client=invoice.client, invoice=invoice, issued_on=on, cents=100)
    note.number = note.number_key = f"AV-{rest.pk.hex[:6]}"
    note.save(force_insert=True)
    Standstill(kind=StopKind.HOLD, invoice=invoice, created_by=owner, reason="Accord verbal").save(force_insert=True)
    Standstill(kind=StopKind.HOLD, dossier=invoice.dossier, released_at=NOW, released_by=owner).save(force_insert=True)
    AccessoryClaim(
        invoice=invoice,
        kind=ClaimKind.INTEREST,
        opened_on=on,
        computed_on=on,
        waived_at=noon,
        waived_by=owner,
        waiver_reason="Geste",
    ).save(force_insert=True)
    link = link_for(client=invoice.client)
    LinkVisit(link=link, at=noon).save(force_insert=True)
    asked = DebtorRequest(link=link, client=invoice.client, invoice=invoice, kind=RequestKind.PROBLEM, message="Secret")
    asked.save(force_insert=True)
    for kind in (InboundKind.REPLY, InboundKind.BOUNCE):
        InboundMessage(
            kind=kind, state=InboundState.TO_CLASSIFY, client=invoice.client, reminder=sent, received_at=noon,
            digest=hashlib.sha256(f"{sent.pk}{kind}".encode()).digest(), subject="Objet secret", text="Corps secret",
        ).save(force_insert=True)  # fmt: skip
    for back in range(2):
        Decision(invoice=invoice, on=on - dt.timedelta(days=back), code="STALE_SOURCE").save(force_insert=True)


def test_tells_what_happened_oldest_first_in_the_words_of_the_page(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    with time_machine.travel(dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC), tick=False):
        first = make_invoice(dossier=dossier, number="F-7", due_on=dt.date(2026, 11, 14))
    with time_machine.travel(dt.datetime(2026, 11, 3, 8, tzinfo=dt.UTC), tick=False):
        make_invoice(dossier=dossier, number="F-8", due_on=dt.date(2026, 11, 20), total_cents=25_050)
    spoken_at = dt.datetime(2026, 11, 18, 8, 15, tzinfo=dt.UTC)
    make_reminder(make_case(invoice=first), state=ReminderState.DELIVERED, spoken_at=spoken_at, spoken_on=TODAY)
    make_payment(invoice=first, on=dt.date(2026, 11, 20), cents=50_000)
    hold = Standstill(kind=StopKind.HOLD, client=client, created_by=owner, reason="Accord verbal")
    hold.save(force_insert=True)

    (page,) = pages_of(browse(owner), client)

    name = owner.user.get_full_name()
    assert page == (
        f"{cabinet.name} Avocats au barreau de Nantes 02 40 00 00 00 {cabinet.email} "
        "Chronologie Atelier Nord, au 24 novembre 2026 · 2 factures Date Fait Factures "
        "2 novembre 2026 à 9 h Facture saisie 1 440,00 € TTC, échéance le 14 novembre 2026 F-7 "
        "3 novembre 2026 à 9 h Facture saisie 250,50 € TTC, échéance le 20 novembre 2026 F-8 "
        "18 novembre 2026 à 9 h 15 J+3 · rappel courtois : remise E-mail accepté par le serveur. F-7 "
        "20 novembre 2026 Paiement de 500,00 € Par virement F-7 "
        "24 novembre 2026 à 10 h 30 "
        f"{StopKind.HOLD.label} Par {name}. « Accord verbal » F-7, F-8 "
        "Chronologie · Atelier Nord · 24 novembre 2026 Page 1 / 1"
    )


def test_writes_once_what_concerns_several_invoices(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    cases = [make_case(invoice=make_invoice(dossier=dossier, number=f"F-{rank}")) for rank in range(1, 4)]
    make_invoice(dossier=dossier, number="F-4", total_cents=1_000)
    make_reminder(*cases, state=ReminderState.ACCEPTED, spoken_at=cabinet.now(), spoken_on=TODAY)
    Standstill(kind=StopKind.HOLD, client=client).save(force_insert=True)

    (page,) = pages_of(browse(owner), client)

    assert page.count("J+3 · rappel courtois : envoyée") == 1
    assert "E-mail accepté par le serveur. F-1, F-2, F-3 " in page
    assert page.count(StopKind.HOLD.label) == 1
    assert "Par le produit. Toutes (4)" in page


def test_writes_once_a_stop_declared_invoice_by_invoice(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    for second in range(3):
        invoice = make_invoice(dossier=dossier, number=f"F-{second}")
        with time_machine.travel(NOW + dt.timedelta(seconds=second), tick=False):
            Standstill(kind=StopKind.DISPUTE, invoice=invoice).save(force_insert=True)

    (page,) = pages_of(browse(owner), client)

    assert page.count(StopKind.DISPUTE.label) == 1
    assert f"{StopKind.DISPUTE.label} Par le produit. F-0, F-1, F-2" in page


def test_never_makes_one_payment_nor_one_message_of_two(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    for rank in (1, 2):
        invoice = make_invoice(dossier=dossier, number=f"F-{rank}")
        make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED, spoken_at=NOW, spoken_on=TODAY)
        for _ in range(rank):
            make_payment(invoice=invoice, on=TODAY, cents=10_000)

    (page,) = pages_of(browse(owner), client)

    assert page.count("Paiement de 100,00 € Par virement F-1 ") == 1
    assert page.count("Paiement de 100,00 € Par virement F-2 ") == 2
    assert page.count("J+3 · rappel courtois : envoyée") == 2


def test_counts_aside_and_names_below_the_many_invoices_of_a_line(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    for rank in range(8):
        invoice = make_invoice(dossier=dossier, number=f"F-{rank}")
        if rank:
            Decision(invoice=invoice, on=TODAY, code="STALE_SOURCE").save(force_insert=True)

    (page,) = pages_of(browse(owner), client)

    assert "pas connus. F-1, F-2, F-3, F-4, F-5, F-6, F-7 7 factures" in page


def test_leaves_out_what_is_only_foreseen(cabinet: Cabinet, client: Client, owner: Membership, browse: Browse) -> None:
    case = make_case(invoice=make_invoice(client=client, number="F-7"))
    make_reminder(case, state=ReminderState.AWAITING_APPROVAL)

    (page,) = pages_of(browse(owner), client)

    assert body_of(page) == (
        "24 novembre 2026 à 10 h 30 Facture saisie 1 440,00 € TTC, échéance le 14 novembre 2026 F-7"
    )


def test_writes_the_hours_of_the_firms_own_zone(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    Cabinet.objects.update(zone_name="Indian/Reunion")
    with time_machine.travel(dt.datetime(2026, 11, 20, 21, 30, tzinfo=dt.UTC), tick=False):
        make_invoice(client=client)

    (page,) = pages_of(browse(owner), client)

    assert "21 novembre 2026 à 1 h 30 Facture saisie" in page


@pytest.mark.parametrize("partial", [False, True])
def test_says_in_a_sentence_that_there_is_no_invoice(cabinet: Cabinet, browse: Browse, *, partial: bool) -> None:
    member, dossier = make_member(role=Role.LAWYER, sees_every_file=not partial), make_dossier()
    assign(dossier=dossier, member=member)

    (page,) = pages_of(browse(member), dossier.client)

    sentence = "Aucune facture n’est enregistrée pour ce client dans ces dossiers."
    assert (sentence if partial else sentence.replace(" dans ces dossiers", "")) in page
    assert HEADS not in page


def test_tells_nothing_that_the_pages_of_the_invoices_do_not(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    contact = make_contact(client=client, last_name="Secretan")
    dossier = make_dossier(client=client, title="Nord contre Opposant", practice_area="Divorce", reference="D-SECRET")
    invoices = [make_invoice(dossier=dossier, note="Note secrète") for _ in range(2)]
    for invoice in invoices:
        live_through_everything(invoice, owner)
    browser = browse(owner)
    raw = [browser.get(f"/factures/{invoice.pk}/").content.decode() for invoice in invoices]
    told = plain(html.unescape(re.sub(r"<[^>]+>", " ", " ".join(raw))))

    entries = chronology_of(invoices=list(Invoice.objects.select_related("dossier")), cabinet=cabinet)
    whole = " ".join(pages_of(browser, client))

    words = [plain(part) for one in entries for part in (one.event.when, one.event.title, one.event.text)]
    assert [part for part in words if part not in told] == []
    assert {one.event.icon for one in entries} >= {
        "mail-check", "hand-coins", "file-text", "circle-pause", "play", "hand", "eye", "message-circle-warning",
        "mail-open", "mail-x", "hourglass", "receipt-text",
    }  # fmt: skip
    hidden = ("Opposant", "D-SECRET", "Divorce", contact.last_name, contact.email, client.email, "secret", "secrète")
    assert [word for word in hidden if word in whole] == []


def test_asks_as_much_for_five_invoices_as_for_one(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    browser, dossier = browse(owner), make_dossier(client=client, lawyer=make_member(role=Role.LAWYER))

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            pages_of(browser, client)
        return len(caught)

    live_through_everything(make_invoice(dossier=dossier), owner)
    queries()
    one = queries()
    for _ in range(4):
        live_through_everything(make_invoice(dossier=dossier), owner)

    assert queries() == one


def test_repeats_its_head_and_numbers_its_pages(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    dossier = make_dossier(client=client)
    for cents in range(1_000, 1_060):
        make_invoice(dossier=dossier, total_cents=cents)

    pages = pages_of(browse(owner), client)

    assert len(pages) > 1
    for rank, page in enumerate(pages, start=1):
        assert HEADS in page
        assert page.endswith(f"Chronologie · Atelier Nord · 24 novembre 2026 Page {rank} / {len(pages)}")


def test_journals_who_took_it(cabinet: Cabinet, client: Client, owner: Membership, browse: Browse) -> None:
    pages_of(browse(owner), client)

    line = JournalEntry.objects.get(event="client.seen")
    assert (line.subject_id, line.member_id, line.facts) == (client.pk, owner.pk, {"page": "chronology"})


def test_gives_a_colleague_what_their_dossiers_lived_and_nothing_else(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    assistant, elsewhere = make_member(role=Role.ASSISTANT), make_invoice()
    mine = make_invoice(dossier=make_dossier(client=client), number="F-1")
    hidden = make_invoice(dossier=make_dossier(client=client), number="F-2", total_cents=77_700)
    live_through_everything(hidden, owner)
    assign(dossier=mine.dossier, member=assistant)
    browser = browse(assistant)

    own = plain(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(f"/factures/{mine.pk}/").content.decode())))
    (page,) = pages_of(browser, client)

    assert "Cette chronologie ne porte que sur les dossiers affectés à la personne qui l’a établie." in page
    assert "· 1 facture Cette" in page
    assert [word for word in ("F-2", "777,00", "Accord verbal", "Geste", "AV-") if word in page or word in own] == []
    assert browser.get(f"/clients/{elsewhere.client_id}/chronologie.pdf").status_code == 404


def test_gives_another_firm_nothing(cabinet: Cabinet, client: Client, other_cabinet: Cabinet, browse: Browse) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()

    assert browse(stranger).get(f"/clients/{client.pk}/chronologie.pdf").status_code == 404


def test_is_reached_from_the_client_and_from_the_statement(
    cabinet: Cabinet, client: Client, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)

    pages = [browser.get(f"/clients/{client.pk}/{path}").content.decode() for path in ("", "releve/")]

    for document in ("releve.pdf", "chronologie.pdf"):
        assert [f'href="/clients/{client.pk}/{document}"' in page for page in pages] == [True, True]
