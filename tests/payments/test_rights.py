"""« Vos données » and « Choisir un canal »: taken in at once, told to the firm, answered within a month."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine

from cabinets import ports as floor_ports
from cabinets.enums import ClientKind, TaskKind, TaskState
from cabinets.models import Cabinet, Client, Contact, JournalEntry, Membership, Task
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from payments.enums import DataRight, Preference, RequestKind, RequestOutcome, RequestState
from payments.models import DebtorRequest, PaymentLink
from payments.services import links, requests, rights
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import place, read, tables

Browse = Callable[..., FirmBrowser]
ONE_DAY = dt.timedelta(days=1)


@pytest.fixture
def debtor(browse: Browse) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    return browse()


def reachable(**facts: object) -> PaymentLink:
    client = make_client(has_mobile=True, phone="+33612345678", **facts)
    make_invoice(client=client)
    return links.link_for(client=client)


@pytest.mark.parametrize("right", list(DataRight))
def test_each_right_opens_one_task_due_in_a_month_and_stops_nothing(
    debtor: FirmBrowser, link: PaymentLink, right: DataRight
) -> None:
    facts = {"right": right, "message": "Mon adresse."}
    response = debtor.post(place(link, "donnees/"), facts)
    debtor.post(place(link, "donnees/"), facts)

    asked = DebtorRequest.objects.get()
    task = Task.objects.get()
    assert response["Location"] == place(link, "demande/")
    assert (asked.kind, asked.reason, asked.message) == (RequestKind.DATA, right, "Mon adresse.")
    assert (task.kind, task.subject_id, task.due_on) == (TaskKind.DATA_REQUEST, asked.pk, dt.date(2026, 12, 24))
    assert not Standstill.objects.exists()
    assert f"Demande sur vos données – {right.label.lower()}" in read(debtor.get(place(link, "demande/")))


def test_the_month_ends_on_the_last_day_where_there_is_no_such_day(link: PaymentLink) -> None:
    rights.ask_about_data(link=link, right=DataRight.ACCESS, today=dt.date(2027, 1, 31))

    assert Task.objects.get().due_on == dt.date(2027, 2, 28)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({}, "Choisissez ce que vous demandez."),
        ({"right": "all"}, "Choisissez une demande de la liste."),
        ({"right": "rectify"}, "Écrivez ce qui est à corriger, et comment."),
    ],
)
def test_an_empty_request_is_refused(
    debtor: FirmBrowser, link: PaymentLink, facts: dict[str, str], sentence: str
) -> None:
    response = debtor.post(place(link, "donnees/"), facts)

    assert (response.status_code, sentence in read(response)) == (422, True)
    assert not DebtorRequest.objects.exists()


def test_whoever_is_not_concerned_has_rights_too(debtor: FirmBrowser, link: PaymentLink) -> None:
    requests.wrong_recipient(link=link, today=TODAY)

    words = read(debtor.post(place(link, "donnees/"), {"right": "erase"}, follow=True))

    assert "Votre signalement est enregistré" in words
    assert "Demande sur vos données – effacement" in words
    assert "Ce n’est pas pour moi" not in words


@pytest.mark.parametrize(
    ("right", "hint"),
    [
        (DataRight.OBJECTION, "le droit d’opposition ne s’y applique pas"),
        (DataRight.ERASURE, "la comptabilité et la prescription"),
    ],
)
def test_the_firm_reads_until_when_and_what_the_right_is_worth_but_answers_only_whom_it_recognised(
    link: PaymentLink, owner: Membership, browse: Browse, debtor: FirmBrowser, right: DataRight, hint: str
) -> None:
    asked = rights.ask_about_data(link=link, right=right, today=TODAY)
    assert asked is not None
    firm = browse(owner)

    words = read(firm.get(f"/demandes/{asked.pk}/"))
    refused = firm.post(f"/demandes/{asked.pk}/repondre/", {"answer": "Voici vos données."})

    assert "À répondre avant le 24 décembre 2026" in words
    assert hint in words
    assert f"{right.label}" in words
    assert "Toutes ses factures" not in words
    assert "Marquer comme traitée" not in words
    assert f"/rgpd/demandes/prendre/{asked.pk}/" in firm.get(f"/demandes/{asked.pk}/").content.decode()
    assert (refused.status_code, "l’identité de la personne est d’abord vérifiée" in read(refused)) == (422, True)
    asked.refresh_from_db()
    assert (asked.state, asked.answer, Task.objects.get().state) == (RequestState.OPEN, "", TaskState.OPEN)
    assert "Voici vos données." not in read(debtor.get(place(link, "demande/")))
    assert not JournalEntry.objects.filter(event="debtorrequest.answered").exists()


def test_text_messages_stop_at_once_and_for_good(debtor: FirmBrowser, cabinet: Cabinet) -> None:
    link = reachable()
    page = place(link, "canal/")

    saved = debtor.post(page, {"refuses_sms": "on", "preference": "any"}, follow=True)

    assert "Votre choix est enregistré." in read(saved)
    assert "Vous ne recevez plus de SMS." in read(saved)
    assert 'name="refuses_sms"' not in saved.content.decode()
    assert not Client.objects.get().accepts_sms
    debtor.post(page, {"preference": "any"})
    assert not Client.objects.get().accepts_sms
    assert JournalEntry.objects.filter(event="client.sms_refused", subject_id=link.client_id).count() == 1
    assert not DebtorRequest.objects.exists()


MINE, THEIRS = "+33612345678", "+33698765432"


@pytest.mark.parametrize(
    ("client", "contact", "stops_all"),
    [
        ({"phone": MINE, "has_mobile": True}, {}, False),
        ({"phone": THEIRS, "has_mobile": True}, {}, True),
        ({"phone": "", "has_mobile": False}, {}, True),
        ({"phone": MINE, "has_mobile": True}, {"is_archived": True}, True),
        ({"phone": MINE, "has_mobile": True}, {"phone": "", "has_mobile": False}, True),
    ],
    ids=["their own number", "the client's number", "no other number", "archived", "no number"],
)
def test_a_contact_stops_their_own_number_alone_and_everything_in_doubt(
    debtor: FirmBrowser, cabinet: Cabinet, client: dict[str, object], contact: dict[str, object], *, stops_all: bool
) -> None:
    billed = make_client(**client)
    make_invoice(client=billed)
    person = make_contact(client=billed, **{"phone": THEIRS, "has_mobile": True, **contact})
    twin = make_contact(client=billed, phone=THEIRS, has_mobile=True)
    other = make_contact(client=billed, phone="+33611111111", has_mobile=True)
    link = links.link_for(client=billed, contact=person)

    stopped = rights.refuse_sms(link=link)

    refused = dict(Contact.objects.values_list("pk", "mobile_refused_at"))
    assert (stopped, Client.objects.get().accepts_sms) == (True, not stops_all)
    assert {pk for pk, at in refused.items() if at} == (set() if stops_all else {person.pk, twin.pk})
    assert refused[other.pk] is None
    subject = billed.pk if stops_all else person.pk
    assert JournalEntry.objects.filter(event__endswith=".sms_refused", subject_id=subject).count() == 1
    assert rights.refuses_sms(links.link_for(client=Client.objects.get())) is stops_all
    if not stops_all:
        page = read(debtor.get(place(link, "canal/")))
        assert "Vous ne recevez plus de SMS." in page


def test_a_refusal_wakes_the_ladder(cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[object] = []
    link = reachable()
    monkeypatch.setattr(floor_ports.follower(), "wake", lambda **facts: woken.append(facts), raising=False)

    assert [rights.refuse_sms(link=link), rights.refuse_sms(link=link)] == [True, False]

    assert woken == [{"client_id": link.client_id}]


def test_sending_the_page_as_it_is_changes_nothing(debtor: FirmBrowser, cabinet: Cabinet) -> None:
    link = reachable()
    rights.prefer(link=link, preference=Preference.LETTER, today=TODAY)
    before = tables()
    body = debtor.get(place(link, "canal/")).content.decode()

    debtor.post(place(link, "canal/"), {"preference": "letter"})

    assert body.count(" checked") == 1
    assert (tables(), Client.objects.get().accepts_sms) == (before, True)


def test_without_a_mobile_nothing_is_asked_about_text_messages(debtor: FirmBrowser, link: PaymentLink) -> None:
    body = debtor.get(place(link, "canal/")).content.decode()

    assert 'name="refuses_sms"' not in body
    assert "Vous ne recevez plus de SMS" not in body
    assert debtor.post(place(link, "canal/"), {"preference": "email"}).status_code == 302


def test_a_preference_is_a_task_and_the_next_takes_its_place(link: PaymentLink) -> None:
    rights.prefer(link=link, preference=Preference.LETTER, today=TODAY)
    assert rights.prefer(link=link, preference=Preference.LETTER, today=TODAY) is None
    with time_machine.travel(NOW + ONE_DAY, tick=False):
        rights.prefer(link=link, preference=Preference.EMAIL, today=TODAY)
        told = rights.preference_of(link)
    with time_machine.travel(NOW + 2 * ONE_DAY, tick=False):
        rights.prefer(link=link, preference=None, today=TODAY)

    tasks = Task.objects.order_by("created_at").values_list("kind", "state")
    assert list(tasks) == [(TaskKind.CHANNEL_CHOICE, TaskState.CANCELLED)] * 2
    assert (told, rights.preference_of(link)) == (Preference.EMAIL, None)


def test_a_choice_is_its_addressee_s_own(client: Client, link: PaymentLink) -> None:
    contact = make_contact(client=client)
    make_invoice(dossier=make_dossier(client=client, billing_contact=contact))
    other = links.link_for(client=client, contact=contact)

    rights.prefer(link=link, preference=Preference.LETTER, today=TODAY)

    assert (rights.preference_of(link), rights.preference_of(other)) == (Preference.LETTER, None)


def test_whoever_is_not_concerned_chooses_nothing(debtor: FirmBrowser, link: PaymentLink) -> None:
    requests.wrong_recipient(link=link, today=TODAY)

    assert debtor.post(place(link, "canal/"), {"preference": "letter"})["Location"] == place(link, "demande/")
    assert not DebtorRequest.objects.filter(kind=RequestKind.CHANNEL).exists()


def test_the_timeline_tells_what_was_said_and_what_was_answered_the_last_first(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, owner: Membership, browse: Browse
) -> None:
    [paid] = requests.say_already_paid(
        link=link, invoices=[invoice], today=TODAY, paid_on=dt.date(2026, 11, 20), message="Secret."
    )
    with time_machine.travel(NOW + ONE_DAY, tick=False):
        rights.ask_about_data(link=link, right=DataRight.ACCESS, today=TODAY)
    with time_machine.travel(NOW + 2 * ONE_DAY, tick=False):
        requests.answer(request_id=paid.pk, outcome=RequestOutcome.STILL_DUE, text="Nous ne voyons rien venir.")
        words = read(debtor.get(place(link, "demande/")))

    told = [
        "Réponse du cabinet – J’ai déjà payé – facture F-2026-0412",
        "26 novembre 2026",
        "Nous ne voyons rien venir.",
        "Demande sur vos données – accès",
        "25 novembre 2026",
        "J’ai déjà payé – facture F-2026-0412",
        "24 novembre 2026",
        "Payée le 20\u00a0novembre 2026.",
    ]
    places = [words.find(part, 0 if rank < 5 else words.find("Demande sur")) for rank, part in enumerate(told)]
    assert places == sorted(places)
    assert -1 not in places
    assert "Secret." not in words


def test_wrong_recipient_stops_every_channel_of_the_contact_and_of_the_client_alike(
    client: Client, link: PaymentLink
) -> None:
    contact = make_contact(client=client)
    make_invoice(dossier=make_dossier(client=client, billing_contact=contact))
    theirs = links.link_for(client=client, contact=contact)

    requests.wrong_recipient(link=theirs, today=TODAY)

    contact.refresh_from_db()
    client.refresh_from_db()
    assert (contact.email_stopped_at, client.email_stopped_at) == (NOW, None)
    stop = Standstill.objects.get()
    assert (stop.kind, stop.client_id, stop.invoice_id) == (StopKind.WRONG_RECIPIENT, client.pk, None)


@pytest.mark.parametrize("kind", list(ClientKind))
def test_every_page_names_the_two_choices(debtor: FirmBrowser, cabinet: Cabinet, kind: ClientKind) -> None:
    client = make_client(kind=kind)
    make_invoice(client=client)

    words = read(debtor.get(place(links.link_for(client=client))))

    assert "Choisir un canal" in words
    assert "Vos données" in words
