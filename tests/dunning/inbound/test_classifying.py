"""Réponses: the list, one message beside its facts, one click a class; and who may let reminders resume."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from cabinets.services.clients import email_key
from dunning.enums import InboundState, ReminderState
from dunning.models import InboundMessage, Mailbox
from dunning.services import receiving
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from tests.conftest import NOW, FirmBrowser
from tests.dunning.inbound.letters import absence, answer, bounce
from tests.factories.cabinets import PASSWORD, assign, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
ADDRESS = "compta@atelier.example"
LATER = TODAY + dt.timedelta(days=9)


@pytest.fixture
def client(cabinet: Cabinet) -> Client:
    return make_client(company="Atelier Nord", email=ADDRESS, email_index=email_key(ADDRESS))


@pytest.fixture
def invoices(client: Client) -> list[Invoice]:
    dossier = make_dossier(client=client)
    return [make_invoice(dossier=dossier) for _ in range(2)]


def received(raw: bytes | None = None, **facts: Any) -> InboundMessage:
    message = receiving.receive(raw=raw or answer(sender=ADDRESS, **facts), received_at=NOW)
    assert message is not None
    return message


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def stops() -> list[tuple[str, object, dt.date | None]]:
    rows = Standstill.objects.filter(released_at=None)
    return sorted(((stop.kind, stop.invoice_id or stop.client_id, stop.until_on) for stop in rows), key=str)


def classify(browser: FirmBrowser, message: InboundMessage, said: str, *chosen: Invoice, **facts: str) -> Any:
    form = {"reply_class": said, "invoice_ids": [str(one.pk) for one in chosen], **facts}
    return browser.post(f"/reponses/{message.pk}/classer/", form)


def held(*invoices: Invoice, kind: str, until_on: dt.date | None = None) -> list[tuple[str, object, dt.date | None]]:
    return sorted(((kind, one.pk, until_on) for one in invoices), key=str)


@pytest.mark.parametrize(
    ("said", "facts", "kind", "until_on", "asked"),
    [
        ("paid", {}, StopKind.CLAIMED_PAID, None, TaskKind.DISPUTE),
        ("dispute", {"grounds": "amount", "note": "Le forfait"}, StopKind.DISPUTE, None, TaskKind.DISPUTE),
        ("plan", {}, StopKind.HOLD, TODAY + dt.timedelta(days=14), TaskKind.PLAN_REQUEST),
        ("promise", {"promised_on": LATER.isoformat()}, StopKind.PROMISE, LATER, TaskKind.PROMISE_OVER),
    ],
)
def test_one_click_writes_the_fact_and_ends_the_wait(
    invoices: list[Invoice],
    owner: Membership,
    browse: Browse,
    said: str,
    facts: dict[str, str],
    kind: str,
    until_on: dt.date | None,
    asked: TaskKind,
) -> None:
    message = received()

    response = classify(browse(owner), message, said, *invoices, **facts)

    message.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, "/reponses/")
    assert (message.state, message.reply_class, message.handled_by) == (InboundState.CLASSIFIED, said, owner)
    assert stops() == held(*invoices, kind=kind, until_on=until_on)
    open_tasks = set(Task.objects.filter(state=TaskState.OPEN).values_list("kind", flat=True))
    assert open_tasks == {asked}
    assert JournalEntry.objects.filter(event="inboundmessage.classified").count() == 1


def test_a_wrong_person_stops_the_address_and_the_client(
    client: Client, invoices: list[Invoice], owner: Membership, browse: Browse
) -> None:
    classify(browse(owner), received(), "wrong_person")

    client.refresh_from_db()
    assert client.email_stopped_at == NOW
    assert stops() == [(StopKind.WRONG_RECIPIENT, client.pk, None)]


def test_other_lets_reminders_resume_with_a_note(invoices: list[Invoice], owner: Membership, browse: Browse) -> None:
    message, browser = received(), browse(owner)

    refused = classify(browser, message, "other")
    assert refused.status_code == 422
    assert "Dites en quelques mots ce qu’il en est" in text_of(refused)
    assert [kind for kind, _, _ in stops()] == [StopKind.REPLIED, StopKind.REPLIED]

    classify(browser, message, "other", note="Il remercie.")
    message.refresh_from_db()
    assert (stops(), message.note) == ([], "Il remercie.")


def test_an_assistant_frees_nothing_but_what_has_a_stop_of_its_own(
    client: Client, invoices: list[Invoice], browse: Browse
) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=invoices[0].dossier, member=assistant)
    message, browser = received(), browse(assistant)

    assert "Autre : reprendre" not in text_of(browser.get(f"/reponses/{message.pk}/"))
    assert classify(browser, message, "other", note="Rien").status_code == 403
    message.refresh_from_db()
    assert message.state == InboundState.TO_CLASSIFY
    classify(browser, message, "paid", invoices[0])
    assert stops() == sorted(
        held(invoices[0], kind=StopKind.CLAIMED_PAID) + held(invoices[1], kind=StopKind.REPLIED), key=str
    )


def test_another_answer_of_the_client_keeps_the_wait(
    invoices: list[Invoice], owner: Membership, browse: Browse
) -> None:
    first, second = received(), received()
    browser = browse(owner)

    response = classify(browser, first, "other", note="Vu")
    assert response["Location"] == f"/reponses/{second.pk}/"
    assert [kind for kind, _, _ in stops()] == [StopKind.REPLIED, StopKind.REPLIED]
    classify(browser, second, "other", note="Vu aussi")
    assert stops() == []


@pytest.mark.parametrize(
    ("said", "facts", "sentence"),
    [
        ("", {}, "Choisissez ce que dit la réponse."),
        ("paid", {}, "Cochez au moins une facture. Rien n’a été changé."),
        ("promise", {}, "Indiquez le jour promis."),
        ("promise", {"promised_on": "2026-11-01"}, "La date promise est passée"),
    ],
)
def test_says_what_is_missing_and_changes_nothing(
    invoices: list[Invoice], owner: Membership, browse: Browse, said: str, facts: dict[str, str], sentence: str
) -> None:
    message = received()
    chosen = invoices if "promised_on" in facts else []

    response = classify(browse(owner), message, said, *chosen, **facts)

    message.refresh_from_db()
    assert response.status_code in {409, 422}
    assert sentence in text_of(response)
    assert message.state == InboundState.TO_CLASSIFY
    assert stops() == held(*invoices, kind=StopKind.REPLIED)


def test_two_people_cannot_classify_the_same_answer(invoices: list[Invoice], owner: Membership, browse: Browse) -> None:
    message, browser = received(), browse(owner)
    classify(browser, message, "plan", *invoices)

    again = classify(browser, message, "paid", *invoices)

    assert again.status_code == 409
    assert "vient d’être traité par quelqu’un d’autre" in text_of(again)
    assert {kind for kind, _, _ in stops()} == {StopKind.HOLD}


def test_shows_the_message_in_clear_beside_what_is_known(client: Client, owner: Membership, browse: Browse) -> None:
    invoice = make_invoice(dossier=make_dossier(client=client), total_cents=144_000)
    reminder = make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED, spoken_at=NOW, spoken_on=TODAY)
    quoted = "Je paie <b>lundi</b>.\n\nLe 24 nov. 2026 à 10:00, Cabinet <a@b.example> a écrit :\n> Bonjour"
    message = received(answer(sender=ADDRESS, to=reminder, text=quoted))

    page = browse(owner).get(f"/reponses/{message.pk}/")

    assert "&lt;b&gt;lundi&lt;/b&gt;" in page.content.decode()
    text = text_of(page)
    assert "Atelier Nord" in text
    assert "J+3 · rappel courtois" in text.replace("J+3 · Rappel", "J+3 · rappel")
    assert f"{invoice.number}</a>" in text
    assert "1 440,00 €" in text
    assert f'href="mailto:{ADDRESS.replace("@", "%40")}?subject=Re%3A%20Votre%20facture"' in text
    assert JournalEntry.objects.filter(event="inboundmessage.seen").count() == 1


def test_a_shared_address_is_settled_by_one_click_and_frees_the_other_client(
    client: Client, invoices: list[Invoice], owner: Membership, browse: Browse
) -> None:
    other = make_client(company="Autre", email=ADDRESS, email_index=email_key(ADDRESS))
    theirs = make_invoice(dossier=make_dossier(client=other))
    message, browser = received(), browse(owner)
    assert stops() == sorted(held(*invoices, theirs, kind=StopKind.REPLIED), key=str)
    assert "Plusieurs clients ont cette adresse" in text_of(browser.get(f"/reponses/{message.pk}/"))

    browser.post(f"/reponses/{message.pk}/rattacher/", {"client": str(client.pk)})

    message = InboundMessage.objects.get()
    assert (message.state, message.client_id, message.candidate_ids) == (InboundState.TO_CLASSIFY, client.pk, [])
    assert message.text == "Je paie lundi."
    assert stops() == held(*invoices, kind=StopKind.REPLIED)
    assert list(Task.objects.filter(state=TaskState.OPEN).values_list("kind", "client_id")) == [
        (TaskKind.CLASSIFY_REPLY, client.pk)
    ]


def test_a_message_of_nobody_is_attached_by_search_or_set_aside(
    client: Client, invoices: list[Invoice], owner: Membership, browse: Browse
) -> None:
    first, second = (received(answer(sender="inconnu@ailleurs.example")) for _ in range(2))
    browser = browse(owner)

    assert "Rattacher à Atelier Nord" in text_of(browser.get(f"/reponses/{first.pk}/?q=atelier"))
    assert stops() == []
    browser.post(f"/reponses/{first.pk}/rattacher/", {"client": str(client.pk)})
    assert stops() == held(*invoices, kind=StopKind.REPLIED)
    browser.post(f"/reponses/{second.pk}/sans-rapport/")
    second.refresh_from_db()
    assert (second.state, second.handled_by) == (InboundState.UNRELATED, owner)
    assert Task.objects.filter(kind=TaskKind.UNMATCHED_REPLY, state=TaskState.OPEN).count() == 0


def test_a_bounce_says_the_address_and_how_it_is_mended(client: Client, owner: Membership, browse: Browse) -> None:
    case = make_case(invoice=make_invoice(dossier=make_dossier(client=client)))
    reminder = make_reminder(case, state=ReminderState.ACCEPTED, spoken_on=TODAY, recipient=ADDRESS)
    message = received(bounce(reminder, address=ADDRESS))

    page = text_of(browse(owner).get(f"/reponses/{message.pk}/"))

    assert f"<b>{ADDRESS}</b> : le message n’a pas été remis." in page
    assert "Cette adresse n’existe pas, ou plus. Demandez la bonne au client, puis corrigez sa fiche." in page
    assert f'href="/clients/{client.pk}/modifier/"' in page


def test_each_view_lists_what_it_counts(client: Client, owner: Membership, browse: Browse) -> None:
    case = make_case(invoice=make_invoice(dossier=make_dossier(client=client)))
    reminder = make_reminder(case, state=ReminderState.ACCEPTED, spoken_on=TODAY, recipient=ADDRESS)
    received(Subject="Une réponse")
    received(answer(sender="inconnu@ailleurs.example", Subject="Un inconnu"))
    received(absence(to=reminder))
    received(bounce(reminder, address=ADDRESS))
    browser = browse(owner)

    views = {view: text_of(browser.get(f"/reponses/?vue={view}")) for view in ("a-classer", "a-rattacher", "retours")}
    assert [text.count("data-row") for text in views.values()] == [1, 1, 1]
    assert ("Une réponse" in views["a-classer"], "Un inconnu" in views["a-rattacher"]) == (True, True)
    assert "Adresse refusée" in views["retours"]
    assert "Réponse automatique" in text_of(browser.get("/reponses/?vue=automatiques"))


def test_lists_fifty_in_as_many_queries_as_one(client: Client, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    browser.get("/reponses/")
    counts = []
    for number in (1, 4):
        for _ in range(number):
            received()
        with CaptureQueriesContext(connection) as queries:
            browser.get("/reponses/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    for _ in range(47):
        received()
    assert "Page 1 sur 2" in text_of(browser.get("/reponses/"))
    assert text_of(browser.get("/reponses/?apres=2")).count("data-row") == 2


def test_an_accountant_reads_and_classifies_nothing(client: Client, browse: Browse) -> None:
    message, browser = received(), browse(make_member(role=Role.ACCOUNTANT))

    assert "Dit avoir payé" not in text_of(browser.get(f"/reponses/{message.pk}/"))
    assert classify(browser, message, "paid").status_code == 403


def test_the_mailbox_is_kept_sealed_and_tried(
    owner: Membership, browse: Browse, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("dunning.tasks.read_mailbox.delay", asked.append)
    form = {
        "host": "imap.cabinet.example", "port": "993", "security": "tls", "username": "reponses@cabinet.example",
        "folder": "INBOX", "takes_tokens": "on", "is_enabled": "on", "new_password": "un secret",
        "password": PASSWORD,
    }  # fmt: skip
    browser = browse(owner)

    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post("/parametres/boite/", form).status_code == 302

    box = Mailbox.objects.get()
    assert (box.password, box.takes_tokens, asked) == ("un secret", True, [str(box.pk)])
    page = text_of(browser.get("/parametres/boite/"))
    assert ("un secret" in page, "La boîte n’a pas encore été lue" in page) == (False, True)
    refused = browser.post("/parametres/boite/", {**form, "security": "none"})
    assert "seule une boîte de cette machine peut être lue" in text_of(refused)


def test_what_came_back_is_on_the_timelines(client: Client, owner: Membership, browse: Browse) -> None:
    invoice = make_invoice(dossier=make_dossier(client=client))
    reminder = make_reminder(
        make_case(invoice=invoice), state=ReminderState.ACCEPTED, spoken_on=TODAY, spoken_at=NOW, recipient=ADDRESS
    )
    told = [received(), received(absence(to=reminder)), received(bounce(reminder, address=ADDRESS))]
    browser = browse(owner)

    for url in (f"/factures/{invoice.pk}/", f"/clients/{client.pk}/"):
        page = text_of(browser.get(url))
        titles = ("Réponse du client par e-mail", "Réponse automatique", "Message revenu : adresse refusée")
        assert [title in page for title in titles] == [True] * 3
        assert [f"/reponses/{one.pk}/" in page for one in told] == [True] * 3
    assert "Par le client, par e-mail." in text_of(browser.get(f"/factures/{invoice.pk}/"))
