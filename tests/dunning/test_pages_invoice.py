"""One invoice: its timeline, its reasons, and the acts that silence it."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.models import Decision, DunningCase, Reminder
from invoices.enums import StopKind
from invoices.models import CreditNote, Invoice, Standstill
from invoices.services import standstill
from payments.models import Allocation, Payment
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
PAGES = ("", "pourquoi/", "suspendre/", "contester/", "ne-jamais-relancer/")


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def test_the_page_tells_amounts_state_and_dossier(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice(client=make_client(company="Atelier Nord SAS"), settled_cents=44_000)

    page = text_of(browse(owner).get(f"/factures/{invoice.pk}/"))

    assert "Atelier Nord SAS" in page
    assert invoice.dossier.reference in page
    assert "1 440,00 €" in page
    assert "440,00 €" in page
    assert "1 000,00 €" in page
    assert "Partiellement payée" in page
    assert "10 jours de retard" in page
    assert list(JournalEntry.objects.values_list("event", "subject_id")) == [("invoice.seen", invoice.pk)]


def test_the_timeline_tells_what_left_and_what_came(browse: Browse, owner: Membership, cabinet: Cabinet) -> None:
    case = make_case()
    rejected = make_reminder(case, state=ReminderState.REJECTED, failure="Boîte inconnue.")
    rejected.lines.update(counts=False)
    sent = make_reminder(
        case, state=ReminderState.ACCEPTED, spoken_at=cabinet.now(), spoken_on=TODAY, provider_code="250"
    )
    payment = Payment(client=case.client, received_on=TODAY, cents=50_000)
    payment.save(force_insert=True)
    Allocation(payment=payment, invoice=case.invoice, cents=50_000).save(force_insert=True)
    CreditNote(
        client=case.client, invoice=case.invoice, number="AV-1", number_key="AV-1", issued_on=TODAY, cents=1_000
    ).save(force_insert=True)
    standstill.declare(kind=StopKind.HOLD, target=case.invoice, reason="Accord verbal")

    page = text_of(browse(owner).get(f"/factures/{case.invoice_id}/"))

    assert "J+3 · rappel courtois : envoyée" in page
    assert f'href="/relances/{sent.pk}/"' in page
    assert "E-mail accepté par le serveur, réponse 250." in page
    assert "Boîte inconnue. L’étape ne compte pas : corrigez l’adresse." in page
    assert "Paiement de 500,00 €" in page
    assert "Avoir AV-1" in page
    assert "« Accord verbal »" in page
    assert "Facture saisie" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ReminderState.PLANNED, "J+3 · rappel courtois : prévue"),
        (ReminderState.AWAITING_APPROVAL, "J+3 · rappel courtois : à valider"),
        (ReminderState.APPROVED, "J+3 · rappel courtois : approuvée"),
        (ReminderState.SENDING, "J+3 · rappel courtois : envoi en cours"),
        (ReminderState.UNKNOWN, "J+3 · rappel courtois : issue incertaine"),
        (ReminderState.DELIVERED, "J+3 · rappel courtois : remise"),
        (ReminderState.BOUNCED, "J+3 · rappel courtois : revenue"),
        (ReminderState.DECLINED, "J+3 · rappel courtois : écartée"),
        (ReminderState.CANCELLED, "J+3 · rappel courtois : annulée"),
    ],
)
def test_every_state_of_a_message_has_its_line(
    browse: Browse, owner: Membership, state: ReminderState, words: str
) -> None:
    case = make_case()
    make_reminder(case, state=state, cancel_code="PAID" if state == ReminderState.CANCELLED else "")

    assert words in text_of(browse(owner).get(f"/factures/{case.invoice_id}/"))


def test_a_run_of_silent_nights_is_one_line(browse: Browse, owner: Membership) -> None:
    case = make_case()
    for back in range(3):
        Decision(invoice=case.invoice, on=TODAY - dt.timedelta(days=back), code="STALE_SOURCE").save(force_insert=True)

    page = text_of(browse(owner).get(f"/factures/{case.invoice_id}/"))

    assert page.count("Rien n’est parti : les règlements ne sont pas à jour") == 1
    assert "3 nuits, depuis le 22 novembre 2026." in page


def test_a_long_history_asks_as_much_as_a_short_one(browse: Browse, owner: Membership) -> None:
    case = make_case()
    browser = browse(owner)

    def happen() -> None:
        reminder = make_reminder(case, state=ReminderState.DECLINED, approved_by=owner, ended_by=owner)
        reminder.lines.update(counts=False)
        Standstill(kind=StopKind.HOLD, invoice=case.invoice, created_by=owner, reason="Motif").save(force_insert=True)

    def queries() -> int:
        browser.get(f"/factures/{case.invoice_id}/")
        with CaptureQueriesContext(connection) as caught:
            browser.get(f"/factures/{case.invoice_id}/")
        return len(caught)

    happen()
    one = queries()
    for _ in range(4):
        happen()

    assert queries() == one


def test_why_tells_each_night_and_what_the_rules_say_now(browse: Browse, owner: Membership) -> None:
    case = make_case()
    Decision(
        invoice=case.invoice,
        on=TODAY,
        code="CONTACT_CAP",
        again_on=TODAY + dt.timedelta(days=3),
        facts={"owed_cents": 144_000, "due_on": "2026-11-14", "offset_days": 3, "last_contact_on": "2026-11-20"},
    ).save(force_insert=True)
    standstill.declare(kind=StopKind.MEDIATION, target=case.invoice)

    page = text_of(browse(owner).get(f"/factures/{case.invoice_id}/pourquoi/"))

    assert "Client déjà contacté récemment" in page
    assert (
        "Reste dû : 1 440,00 € · Échéance : 14 novembre 2026 · Étape : J+3 · Dernier contact : 20 novembre 2026" in page
    )
    assert "Nouvel examen la nuit du 27 novembre 2026." in page
    assert "Une médiation est en cours." in page


def test_why_is_not_fooled_by_the_message_that_waits(browse: Browse, owner: Membership) -> None:
    case = make_case()
    make_reminder(case, state=ReminderState.AWAITING_APPROVAL)

    page = text_of(browse(owner).get(f"/factures/{case.invoice_id}/pourquoi/"))

    assert "Un message est prêt" in page


def test_why_says_when_the_next_step_is_decided(browse: Browse, owner: Membership) -> None:
    case = make_case(next_action_on=TODAY + dt.timedelta(days=2))

    page = text_of(browse(owner).get(f"/factures/{case.invoice_id}/pourquoi/"))

    assert "prochaine étape la nuit du 26 novembre 2026" in page


def test_an_invoice_on_no_ladder_says_so(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice()

    assert "Hors scénario" in text_of(browse(owner).get(f"/factures/{invoice.pk}/pourquoi/"))


def test_suspending_until_a_day_cancels_what_was_prepared(browse: Browse, owner: Membership) -> None:
    case = make_case()
    reminder = make_reminder(case, state=ReminderState.PLANNED)
    browser = browse(owner)

    refused = browser.post(f"/factures/{case.invoice_id}/suspendre/", {"until_on": "2026-11-01", "reason": "x"})
    browser.post(f"/factures/{case.invoice_id}/suspendre/", {"until_on": "2026-12-24", "reason": "Accord verbal"})

    assert refused.status_code == 422
    reminder.refresh_from_db()
    assert reminder.state == ReminderState.CANCELLED
    stop = Standstill.objects.get()
    assert (stop.kind, stop.until_on, stop.reason) == ("hold", dt.date(2026, 12, 24), "Accord verbal")
    page = text_of(browser.get(f"/factures/{case.invoice_id}/"))
    assert "Reprise automatique après le 24 décembre 2026." in page


def test_a_contested_invoice_stops_the_whole_client(browse: Browse, owner: Membership) -> None:
    first = make_case()
    other = make_case(invoice=make_invoice(dossier=first.invoice.dossier))

    browse(owner).post(f"/factures/{first.invoice_id}/contester/", {"reason": "Montant"})

    assert set(Standstill.objects.values_list("kind", "invoice_id")) == {
        ("dispute", first.invoice_id),
        ("dispute", other.invoice_id),
    }


def test_a_dispute_is_lifted_by_a_lawyer_only(browse: Browse, owner: Membership) -> None:
    case = make_case()
    (stop,) = standstill.declare(kind=StopKind.DISPUTE, target=case.invoice)
    url = f"/factures/{case.invoice_id}/lever/{stop.pk}/"
    assistant = browse(make_member(role=Role.ASSISTANT, sees_every_file=True))

    assert url not in text_of(assistant.get(f"/factures/{case.invoice_id}/"))
    assistant.post(url)
    assert Standstill.objects.get().released_at is None
    assert url in text_of(browse(owner).get(f"/factures/{case.invoice_id}/"))
    browse(owner).post(url)

    assert Standstill.objects.get().released_by_id == owner.pk
    assert DunningCase.objects.get().next_action_on is not None


def test_never_reminding_is_asked_once_and_undone(browse: Browse, owner: Membership) -> None:
    case = make_case()
    make_reminder(case, state=ReminderState.AWAITING_APPROVAL)
    browser = browse(owner)

    browser.post(f"/factures/{case.invoice_id}/ne-jamais-relancer/")
    assert Invoice.objects.get().is_never_reminded
    assert Reminder.objects.get().cancel_code == "NEVER"
    assert "Ne jamais relancer" in text_of(browser.get(f"/factures/{case.invoice_id}/"))
    browser.post(f"/factures/{case.invoice_id}/ne-jamais-relancer/", {"relancer": "1"})

    assert not Invoice.objects.get().is_never_reminded


def test_a_message_is_read_as_it_left(browse: Browse, owner: Membership, cabinet: Cabinet) -> None:
    case = make_case()
    sent = make_reminder(
        case,
        state=ReminderState.ACCEPTED,
        spoken_at=cabinet.now(),
        spoken_on=TODAY,
        subject="Facture F-1",
        html="<p>Ce qui fut dit</p>",
        text="Ce qui fut dit",
        recipient="compta@atelier.example",
        message_id="<1@cabinet.example>",
    )
    browser = browse(owner)

    page = text_of(browser.get(f"/relances/{sent.pk}/"))

    assert "compta@atelier.example" in page
    assert "Facture F-1" in page
    assert "<1@cabinet.example>" in page
    assert browser.get(f"/a-valider/{sent.pk}/apercu/").content == b"<p>Ce qui fut dit</p>"


def test_a_reader_has_no_act(browse: Browse, cabinet: Cabinet) -> None:
    case = make_case()
    accountant = browse(make_member(role=Role.ACCOUNTANT))

    page = text_of(accountant.get(f"/factures/{case.invoice_id}/"))

    assert "Suspendre les relances" not in page
    assert "Enregistrer un paiement" not in page
    for path in PAGES[2:]:
        assert accountant.post(f"/factures/{case.invoice_id}/{path}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_an_assistant_finds_only_assigned_dossiers(browse: Browse, cabinet: Cabinet, path: str) -> None:
    mine = make_dossier()
    shown, hidden = make_invoice(dossier=mine), make_invoice()
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=mine, member=assistant)
    browser = browse(assistant)

    assert browser.get(f"/factures/{shown.pk}/{path}").status_code == 200
    assert browser.get(f"/factures/{hidden.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_another_firm_finds_no_invoice(browse: Browse, owner: Membership, other_cabinet: Cabinet, path: str) -> None:
    case = make_case()
    reminder = make_reminder(case, state=ReminderState.ACCEPTED)
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()
    browser = browse(stranger)

    assert browser.get(f"/factures/{case.invoice_id}/{path}").status_code == 404
    assert browser.get(f"/relances/{reminder.pk}/").status_code == 404
