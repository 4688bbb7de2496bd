"""À valider: what is shown, what is decided, what is refused."""

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import ClientKind, Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.enums import Medium, ReminderState
from dunning.models import ChannelAccount, NightlyRun, Reminder, ReminderLine
from dunning.services import approving
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import settlement, standstill
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
WAITING = ReminderState.AWAITING_APPROVAL
TOMORROW = dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC)


def waiting(*, company: str = "Atelier Nord SAS", rank: int = 1, **facts: Any) -> Reminder:
    client = make_client(company=company)
    case = make_case(invoice=make_invoice(client=client), rank=rank)
    return make_reminder(case, **{"state": WAITING, "reasons": ["strategic"], "depart_at": TOMORROW, **facts})


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def queries_of(browser: FirmBrowser, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(url).status_code == 200
    return len(caught)


def test_the_list_shows_what_waits_and_reads_the_first(browse: Browse, owner: Membership) -> None:
    reminder = waiting()

    page = text_of(browse(owner).get("/a-valider/"))

    assert "1 relance · " in page
    assert "Atelier Nord SAS" in page
    assert "J+3 · E-mail" in page
    assert "Client stratégique : chaque message est relu." in page
    assert "Le message part mercredi 25 novembre 2026 à 9 h 30. Vous pourrez annuler jusque-là." in page
    assert f'src="/a-valider/{reminder.pk}/apercu/"' in page
    assert f'action="/a-valider/{reminder.pk}/approuver/"' in page


def test_the_pane_tells_what_is_known(browse: Browse, owner: Membership) -> None:
    reminder = waiting(rank=2)
    line = ReminderLine.objects.get(reminder=reminder)
    earlier = make_reminder(make_case(), state=ReminderState.ACCEPTED, spoken_on=TODAY - dt.timedelta(days=8))
    ReminderLine.objects.filter(reminder=earlier).update(invoice=line.invoice)

    page = text_of(browse(owner).get(f"/a-valider/{reminder.pk}/"))

    assert f"Facture {line.invoice.number}" in page
    assert "1 440,00 € · échue le 14 novembre 2026, il y a 10 jours" in page
    assert "1 relance sans réponse" in page
    assert "J+3 le 16 novembre 2026" in page
    assert "Client : professionnel" in page
    assert "Convention d’honoraires signée le 15 janvier 2026" in page
    assert "Aucune contestation" in page


def test_the_preview_is_the_message_alone_under_its_own_policy(browse: Browse, owner: Membership) -> None:
    reminder = waiting()

    response = browse(owner).get(f"/a-valider/{reminder.pk}/apercu/")

    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"
    )
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    number = Invoice.objects.get().number
    assert number in text_of(response)
    assert "1 440,00" in text_of(response)


def test_reading_writes_nothing_but_the_journal(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    browser = browse(owner)

    with CaptureQueriesContext(connection) as caught:
        browser.get("/a-valider/")
        browser.get(f"/a-valider/{reminder.pk}/apercu/")

    written = {sql.split('"')[1] for sql in (q["sql"] for q in caught) if sql.startswith(("INSERT", "UPDATE"))}
    assert written - {"cabinets_session"} == {"cabinets_journalentry"}
    assert set(JournalEntry.objects.values_list("event", flat=True)) == {"reminder.listed", "reminder.seen"}


def test_an_accord_lets_the_message_leave_and_opens_the_next(browse: Browse, owner: Membership) -> None:
    first, second = waiting(), waiting(company="SCI Les Tilleuls", depart_at=TOMORROW + dt.timedelta(days=1))

    response = browse(owner).post(f"/a-valider/{first.pk}/approuver/")

    assert response.headers["Location"] == f"/a-valider/{second.pk}/"
    first.refresh_from_db()
    assert (first.state, first.approved_by_id, first.depart_at) == (ReminderState.APPROVED, owner.pk, TOMORROW)


def test_what_was_decided_is_said_of_its_client_above_the_next_message(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    waiting(company="Boulangerie Sud SARL")
    browser = browse(owner)

    page = text_of(browser.post(f"/a-valider/{reminder.pk}/approuver/", follow=True))

    assert "Atelier Nord SAS : accord enregistré. Départ prévu le" in page


def test_an_approved_message_stays_in_the_list_and_can_be_taken_back(browse: Browse, owner: Membership) -> None:
    reminder = waiting(state=ReminderState.APPROVED, approved_by=owner, approved_at=TOMORROW)
    browser = browse(owner)

    assert "Annuler l’accord" in text_of(browser.get("/a-valider/"))
    browser.post(f"/a-valider/{reminder.pk}/annuler/")

    reminder.refresh_from_db()
    assert (reminder.state, reminder.approved_by_id) == (WAITING, None)


def test_a_message_of_an_invoice_just_paid_says_so_and_nothing_leaves(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    settlement.settle(invoice_id=Invoice.objects.get().pk, cents=144_000)

    response = browse(owner).post(f"/a-valider/{reminder.pk}/approuver/")

    assert response.status_code == 409
    assert "Cette facture vient d’être payée. Rien ne partira." in text_of(response)
    assert Reminder.objects.get().state == ReminderState.CANCELLED


def test_a_payment_nobody_told_the_ladder_stops_the_accord_too(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    Invoice.objects.update(settled_cents=144_000)

    response = browse(owner).post(f"/a-valider/{reminder.pk}/approuver/")

    assert response.status_code == 409
    assert "Cette facture vient d’être payée. Rien ne partira." in text_of(response)
    assert Reminder.objects.get().state == ReminderState.CANCELLED


def test_a_step_without_a_text_has_no_button(browse: Browse, owner: Membership) -> None:
    reminder = waiting(rank=4, channel="registered", reasons=["formal", "no_text"])
    browser = browse(owner)

    page = text_of(browser.get(f"/a-valider/{reminder.pk}/"))

    assert "Texte et canal à venir" in page
    assert "approuver/" not in page
    assert browser.get(f"/a-valider/{reminder.pk}/apercu/").status_code == 404
    assert browser.post(f"/a-valider/{reminder.pk}/approuver/").status_code == 409
    assert Reminder.objects.get().state == WAITING


def test_two_accords_come_from_two_people(browse: Browse, owner: Membership) -> None:
    reminder = waiting(reasons=["two_people"])
    browser = browse(owner)
    browser.post(f"/a-valider/{reminder.pk}/approuver/")

    again = browser.post(f"/a-valider/{reminder.pk}/approuver/")
    page = text_of(browser.get(f"/a-valider/{reminder.pk}/"))

    assert again.status_code == 409
    assert "le second vient d’une autre personne" in page
    assert "approuver/" not in page
    other = make_member(role=Role.LAWYER, sees_every_file=True)
    browse(other).post(f"/a-valider/{reminder.pk}/approuver/")
    reminder.refresh_from_db()
    assert (reminder.state, reminder.seconded_by_id) == (ReminderState.APPROVED, other.pk)


def test_an_assistant_may_not_approve_a_formal_notice(browse: Browse, cabinet: Cabinet) -> None:
    reminder = waiting(rank=4, reasons=["formal"])
    assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)
    browser = browse(assistant)

    page = text_of(browser.get(f"/a-valider/{reminder.pk}/"))
    refused = browser.post(f"/a-valider/{reminder.pk}/approuver/")

    assert "Peut approuver : Associé, Avocat." in page
    assert refused.status_code == 403
    assert Reminder.objects.get().state == WAITING


def test_a_departure_moves_to_a_later_working_day(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    browser = browse(owner)

    refused = browser.post(f"/a-valider/{reminder.pk}/reporter/", {"to": "2026-11-24"})
    browser.post(f"/a-valider/{reminder.pk}/reporter/", {"to": "28/11/2026"})

    assert refused.status_code == 422
    assert "Choisissez un jour à venir." in text_of(refused)
    reminder.refresh_from_db()
    assert reminder.depart_at == dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC)


def test_not_sending_skips_the_step_and_keeps_why(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    browser = browse(owner)

    refused = browser.post(f"/a-valider/{reminder.pk}/ecarter/", {"how": "skip"})
    browser.post(f"/a-valider/{reminder.pk}/ecarter/", {"how": "skip", "reason": "Appelé ce matin"})

    assert refused.status_code == 422
    reminder.refresh_from_db()
    assert reminder.state == ReminderState.DECLINED
    assert ReminderLine.objects.get().case.next_rank == 2
    assert Invoice.objects.get().note == "Étape J+3 passée\u00a0: Appelé ce matin"


def test_not_sending_holds_the_invoices_until_a_day(browse: Browse, owner: Membership) -> None:
    reminder = waiting()

    browse(owner).post(
        f"/a-valider/{reminder.pk}/ecarter/", {"how": "hold", "reason": "Accord verbal", "until_on": "2026-12-10"}
    )

    stop = Invoice.objects.get().standstills.get()
    assert (stop.kind, stop.until_on, stop.reason) == (StopKind.HOLD, dt.date(2026, 12, 10), "Accord verbal")


def test_a_batch_leaves_apart_what_is_read_one_by_one(browse: Browse, owner: Membership) -> None:
    one, other = waiting(company="Alpha"), waiting(company="Bêta")
    formal = waiting(company="Gamma", rank=4, reasons=["formal"])
    ids = [str(row.pk) for row in (one, other, formal)]
    browser = browse(owner)

    summary = text_of(browser.post("/a-valider/lot/", {"reminder": ids}))
    settlement.settle(invoice_id=ReminderLine.objects.get(reminder=other).invoice_id, cents=144_000)
    done = text_of(browser.post("/a-valider/lot/", {"reminder": ids, "accord": "1"}))

    assert "Approuver les 2 messages" in summary
    assert "2 880,00 €" in summary
    assert ", 1 à part" in summary
    assert "1 message approuvé" in done
    assert "Cette relance se relit une par une." in done
    assert "1 message n’attendait plus d’accord." in done
    states = dict(Reminder.objects.values_list("pk", "state"))
    assert states == {one.pk: "approved", other.pk: "cancelled", formal.pk: "awaiting_approval"}


def test_a_batch_without_a_selection_gathers_everything_that_waits(browse: Browse, owner: Membership) -> None:
    waiting(), waiting()

    assert "Approuver les 2 messages" in text_of(browse(owner).get("/a-valider/lot/"))


def texted(**facts: Any) -> Reminder:
    client = make_client(company="Atelier Nord SAS", phone="+33612345678", has_mobile=True, has_phone=True)
    case = make_case(invoice=make_invoice(client=client), rank=2)
    return make_reminder(case, **{"state": WAITING, "reasons": ["strategic"], "depart_at": TOMORROW, **facts})


def in_service(price: int | None) -> None:
    account = ChannelAccount(medium=Medium.SMS, provider="ovh", is_enabled=True, unit_price_thousandths=price)
    account.save(force_insert=True)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (69, "2 SMS d’une seule partie partent le même jour : 0,14 € au prix que vous avez inscrit."),
        (
            None,
            "2 SMS d’une seule partie partent le même jour ; leur prix n’est pas inscrit dans les réglages des SMS.",
        ),
    ],
)
def test_a_batch_tells_its_text_messages_and_their_cost(
    browse: Browse, owner: Membership, price: int | None, said: str
) -> None:
    texted(), texted(), waiting()
    answered = texted()
    Invoice.objects.filter(client=answered.client).update(last_payment_at=TOMORROW)
    in_service(price)

    summary = re.sub(r"<[^>]+>", "", text_of(browse(owner).get("/a-valider/lot/")))

    assert "Approuver les 4 messages" in summary
    assert said in summary


def test_a_batch_says_nothing_of_text_messages_no_provider_would_carry(browse: Browse, owner: Membership) -> None:
    texted()

    summary = text_of(browse(owner).get("/a-valider/lot/"))

    assert "Approuver ce message" in summary
    assert "SMS" not in summary.partition("<main")[2]


def test_a_batch_asks_as_much_for_five_text_messages_as_for_one(browse: Browse, owner: Membership) -> None:
    in_service(69)
    texted()
    browser = browse(owner)
    one = queries_of(browser, "/a-valider/lot/")
    for _ in range(4):
        texted()

    assert queries_of(browser, "/a-valider/lot/") == one


@pytest.mark.parametrize(("issue", "state"), [("parti", "accepted"), ("pas-parti", "declined")])
def test_a_person_says_what_became_of_an_uncertain_message(
    browse: Browse, owner: Membership, issue: str, state: str
) -> None:
    reminder = waiting(state=ReminderState.UNKNOWN, spoken_on=TODAY)
    browser = browse(owner)

    page = text_of(browser.get("/a-valider/"))
    browser.post(f"/a-valider/{reminder.pk}/issue/", {"issue": issue})

    assert "Issue incertaine" in page
    assert "Il n’est pas parti" in page
    reminder.refresh_from_db()
    assert reminder.state == state


def test_nothing_waiting_says_when_something_leaves(browse: Browse, owner: Membership) -> None:
    waiting(state=ReminderState.PLANNED)

    page = text_of(browse(owner).get("/a-valider/"))

    assert "Rien n’attend votre accord." in page
    assert "Prochain envoi : mercredi 25 novembre 2026 à 9 h 30." in page


def test_stale_payments_are_declared_in_one_click(browse: Browse, owner: Membership) -> None:
    Cabinet.objects.update(settlements_declared_on=TODAY - dt.timedelta(days=8))

    page = text_of(browse(owner).get("/a-valider/"))

    assert 'action="/reglements/a-jour/"' in page
    assert "Règlements à jour au 24 novembre 2026" in page


def test_an_unusual_night_is_confirmed_by_who_may(browse: Browse, owner: Membership, cabinet: Cabinet) -> None:
    night = NightlyRun(on=TODAY, started_at=cabinet.now(), finished_at=cabinet.now(), is_abnormal=True)
    night.save(force_insert=True)
    assistant = make_member(role=Role.ASSISTANT)

    assert "Confirmer la nuit" not in text_of(browse(assistant).get("/a-valider/"))
    assert browse(assistant).post(f"/a-valider/nuit/{night.pk}/confirmer/").status_code == 403
    assert "Confirmer la nuit" in text_of(browse(owner).get("/a-valider/"))
    browse(owner).post(f"/a-valider/nuit/{night.pk}/confirmer/")

    night.refresh_from_db()
    assert (night.round, night.confirmed_by_id, night.finished_at) == (2, owner.pk, None)


def test_an_assistant_sees_only_messages_whose_every_dossier_is_theirs(browse: Browse, cabinet: Cabinet) -> None:
    mine, client = make_dossier(), make_client(company="Cachée SARL")
    hidden = make_reminder(make_case(invoice=make_invoice(client=client)), state=WAITING)
    shown = make_reminder(make_case(invoice=make_invoice(dossier=mine)), state=WAITING)
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=mine, member=assistant)
    browser = browse(assistant)

    page = text_of(browser.get("/a-valider/"))

    assert "Cachée SARL" not in page
    assert "1 relance · " in page
    assert browser.get(f"/a-valider/{shown.pk}/").status_code == 200
    for path in ("", "apercu/", "reporter/", "ecarter/"):
        assert browser.get(f"/a-valider/{hidden.pk}/{path}").status_code == 404
    for path in ("approuver/", "annuler/", "issue/"):
        assert browser.post(f"/a-valider/{hidden.pk}/{path}").status_code == 404


def test_another_firm_finds_nothing(browse: Browse, owner: Membership, other_cabinet: Cabinet) -> None:
    reminder = waiting()
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()
    browser = browse(stranger)

    assert browser.get(f"/a-valider/{reminder.pk}/").status_code == 404
    assert browser.get(f"/a-valider/{reminder.pk}/apercu/").status_code == 404
    assert browser.post(f"/a-valider/{reminder.pk}/approuver/").status_code == 404
    summary = browser.post("/a-valider/lot/", {"reminder": [str(reminder.pk)]})
    assert "Aucun message ne s’approuve en groupe" in text_of(summary)


def test_the_list_asks_as_much_for_five_as_for_one(browse: Browse, owner: Membership) -> None:
    waiting()
    browser = browse(owner)
    one = queries_of(browser, "/a-valider/")
    for _ in range(4):
        waiting()

    assert queries_of(browser, "/a-valider/") == one


def test_a_consumer_is_told_apart(browse: Browse, owner: Membership) -> None:
    client = make_client(kind=ClientKind.CONSUMER, company="", first_name="Paul", last_name="Ansel")
    reminder = make_reminder(make_case(invoice=make_invoice(client=client)), state=WAITING)

    page = text_of(browse(owner).get(f"/a-valider/{reminder.pk}/"))

    assert "Client : particulier" in page
    assert "Ni pénalité ni frais de recouvrement ne lui sont réclamés" in page


def test_a_dispute_says_what_happened(browse: Browse, owner: Membership) -> None:
    reminder = waiting()
    standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get())

    response = browse(owner).post(f"/a-valider/{reminder.pk}/approuver/")

    assert response.status_code == 409
    assert "Cette facture vient d’être contestée. Rien ne partira." in text_of(response)


def test_an_unwritten_step_is_never_in_a_batch(cabinet: Cabinet) -> None:
    reminder = waiting(rank=3, reasons=["no_text"])

    assert not approving.is_batchable(reminder)


def test_an_uncertain_message_stays_so_without_an_answer(browse: Browse, owner: Membership) -> None:
    reminder = waiting(state=ReminderState.UNKNOWN, spoken_on=TODAY)

    response = browse(owner).post(f"/a-valider/{reminder.pk}/issue/")

    reminder.refresh_from_db()
    assert (response.status_code, reminder.state) == (409, "unknown")


def test_a_formal_notice_is_read_as_the_letter_it_will_be(browse: Browse, owner: Membership) -> None:
    Cabinet.objects.update(bar="Nantes", city="Nantes")
    reminder = waiting(rank=4, channel="registered", reasons=["formal"])

    page = browse(owner).get(f"/a-valider/{reminder.pk}/").content.decode()
    letter = browse(owner).get(f"/a-valider/{reminder.pk}/apercu/").content.decode()

    assert "MISE EN DEMEURE" in letter
    assert "Lettre recommandée avec avis de réception" in letter
    assert "mise en demeure" in page
