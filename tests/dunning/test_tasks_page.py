"""Tâches: what is open, whose it is, the one act of each, and how it ends."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from dunning.enums import ReminderState
from dunning.services import alerts
from invoices.models import Invoice
from payments.enums import RequestKind
from payments.models import DebtorRequest
from payments.services.links import link_for
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
DAY = dt.timedelta(days=1)
PAGE = "/taches/"


def make_task(kind: TaskKind = TaskKind.REJECTED_ADDRESS, **facts: Any) -> Task:
    mine = {"kind": kind, "subject_id": uuid4(), "due_on": TODAY + DAY}
    if "client" not in facts:
        mine["client"] = make_client(company="Atelier Nord")
    task = Task(**{**mine, **facts})
    task.save(force_insert=True)
    return task


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def test_shows_what_is_open_the_most_urgent_first(owner: Membership, browse: Browse) -> None:
    invoice = make_invoice()
    make_task(TaskKind.PLAN_REQUEST)
    make_task(TaskKind.PROVISION_END, client=invoice.client, subject_id=invoice.pk, due_on=TODAY - DAY, owner=owner)
    make_task(TaskKind.DISPUTE, state=TaskState.DONE)

    page = text_of(browse(owner).get(PAGE))

    assert "2 tâches à faire, dont 1 en retard" in page
    assert page.index("Provision impayée : décider de la suite") < page.index("Étudier un échéancier")
    assert f"Facture {invoice.number}" in page
    assert f'href="/factures/{invoice.pk}/"' in page
    assert f"{owner.user.get_full_name()}</td>" in page
    assert "23 novembre 2026" in page
    assert "Répondre à une contestation" not in page


@pytest.mark.parametrize(("view", "shown"), [("moi", "Étudier un échéancier"), ("retard", "Appeler un client")])
def test_filters_one_s_own_and_what_is_late(owner: Membership, browse: Browse, view: str, shown: str) -> None:
    make_task(TaskKind.PLAN_REQUEST, owner=owner)
    make_task(TaskKind.CALL, due_on=TODAY - DAY)

    page = text_of(browse(owner).get(f"{PAGE}?vue={view}"))

    assert [word in page for word in ("Étudier un échéancier", "Appeler un client")] == [
        shown == "Étudier un échéancier",
        shown == "Appeler un client",
    ]


def test_costs_the_same_for_one_task_as_for_five(owner: Membership, browse: Browse) -> None:
    browser, counts = browse(owner), []
    for wanted in (1, 5):
        while Task.objects.count() < wanted:
            make_task(owner=make_member(role=Role.LAWYER))
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(PAGE).status_code == 200
        counts.append(len(caught))

    assert counts[0] == counts[1]


def test_leads_a_call_to_its_page_and_a_request_to_its_answer(owner: Membership, browse: Browse) -> None:
    reminder = make_reminder(state=ReminderState.IN_HAND, channel="phone")
    invoice = Invoice.objects.get()
    said = DebtorRequest(
        link=link_for(client=invoice.client), client=invoice.client, invoice=invoice, kind=RequestKind.PROBLEM
    )
    said.save(force_insert=True)
    make_task(TaskKind.CALL, client=invoice.client, subject_id=reminder.pk)
    make_task(TaskKind.DISPUTE, client=invoice.client, subject_id=said.pk)

    page = text_of(browse(owner).get(PAGE))

    assert f'href="/appels/{reminder.pk}/"' in page
    assert f'href="/demandes/{said.pk}/"' in page
    assert "/faite/" not in page


def test_what_was_contested_by_telephone_is_marked_by_hand(owner: Membership, browse: Browse) -> None:
    task = make_task(TaskKind.DISPUTE)

    browse(owner).post(f"{PAGE}{task.pk}/faite/")

    assert Task.objects.get().state == TaskState.DONE


def test_gives_a_task_to_somebody_who_sees_the_client(owner: Membership, browse: Browse) -> None:
    client = make_client(company="Atelier Nord")
    lawyer, other = make_member(role=Role.LAWYER), make_member(role=Role.LAWYER)
    assign(dossier=make_dossier(client=client), member=lawyer)
    task = make_task(client=client)
    browser = browse(owner)

    refused = browser.post(f"{PAGE}{task.pk}/", {"to": str(other.pk), "due_on": "2026-12-01"})
    assert (refused.status_code, Task.objects.get().owner_id) == (422, None)
    browser.post(f"{PAGE}{task.pk}/", {"to": str(lawyer.pk), "due_on": "2026-12-01"})

    assert (Task.objects.get().owner_id, Task.objects.get().due_on) == (lawyer.pk, dt.date(2026, 12, 1))
    assert JournalEntry.objects.get(event="task.assigned").facts == {"to": str(lawyer.pk), "due_on": "2026-12-01"}


def test_closes_what_has_no_object_and_says_who(owner: Membership, browse: Browse) -> None:
    task = make_task(TaskKind.NO_ANSWER)

    page = text_of(browse(owner).post(f"{PAGE}{task.pk}/sans-objet/", follow=True))

    closed = Task.objects.get()
    assert (closed.state, closed.closed_by_id) == (TaskState.CANCELLED, owner.pk)
    assert "« Client sans réponse après 48 h » est close, sans objet." in page
    assert JournalEntry.objects.filter(event="task.dropped").count() == 1


def test_never_drops_what_is_still_to_be_decided(owner: Membership, browse: Browse) -> None:
    task = make_task(TaskKind.UNKNOWN_OUTCOME)

    page = text_of(browse(owner).post(f"{PAGE}{task.pk}/sans-objet/", follow=True))

    assert Task.objects.get().state == TaskState.OPEN
    assert "n’a pas été close : elle se termine en disant si le message est parti." in page


def test_an_accountant_reads_and_closes_nothing(browse: Browse, cabinet: Cabinet) -> None:
    task, browser = make_task(), browse(make_member(role=Role.ACCOUNTANT))

    assert browser.get(PAGE).status_code == 200
    assert "/sans-objet/" not in text_of(browser.get(PAGE))
    assert browser.post(f"{PAGE}{task.pk}/sans-objet/").status_code == 403
    assert Task.objects.get().state == TaskState.OPEN


@pytest.mark.parametrize(
    ("rank", "kinds"),
    [(1, []), (2, []), (3, ["watch_file"]), (4, ["formal_phase", "insurer_notice"])],
)
def test_a_firm_step_that_left_asks_the_dossiers_lawyer_to_look(
    cabinet: Cabinet, owner: Membership, rank: int, kinds: list[str]
) -> None:
    invoice = make_invoice(dossier=make_dossier(lawyer=owner))
    reminder = make_reminder(make_case(invoice=invoice, rank=rank), state=ReminderState.ACCEPTED)

    for _ in range(2):
        alerts.after_departure(reminder, cabinet)

    asked = Task.objects.order_by("kind")
    assert [(task.kind, task.subject_id, task.owner_id, task.due_on) for task in asked] == [
        (kind, reminder.pk, owner.pk, dt.date(2026, 11, 26)) for kind in kinds
    ]


def test_what_accompanies_a_step_calls_for_nothing(cabinet: Cabinet) -> None:
    lead = make_reminder(make_case(rank=4), state=ReminderState.ACCEPTED)
    wake = make_reminder(make_case(rank=4), state=ReminderState.ACCEPTED, accompanies=lead)

    assert alerts.after_departure(wake, cabinet) == []
    assert Task.objects.count() == 0
