"""The notice to the insurer: a draft of facts, that only a person sends."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from django.core import mail

from cabinets.enums import Role, TaskState
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from dunning.enums import ReminderState, StaffMailKind
from dunning.models import Reminder, StaffMail
from dunning.services import alerts, insurer
from invoices.models import Invoice
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]


@pytest.fixture
def notice(cabinet: Cabinet) -> Reminder:
    dossier = make_dossier(client=make_client(company="Secret SARL"), title="Divorce Secret", reference="R-7")
    case = make_case(invoice=make_invoice(dossier=dossier, due_on=TODAY - dt.timedelta(days=46)), rank=4)
    return make_reminder(case, state=ReminderState.ACCEPTED, channel="registered", spoken_on=TODAY)


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def test_drafts_facts_and_names_no_client(cabinet: Cabinet, notice: Reminder) -> None:
    cabinet.insurer_email, cabinet.insurance_policy = "sinistres@assureur.example", "AB-12"

    draft = insurer.draft_of(reminder=notice, cabinet=cabinet)

    words = draft.text.replace("\u00a0", " ")
    assert f"- facture {Invoice.objects.get().number} du" in words
    assert "1 440,00 € (dossier R-7)" in words
    assert "adressée le 24 novembre 2026" in words
    assert "Secret" not in draft.text + draft.subject
    assert "police n° AB-12" in draft.subject.replace("\u00a0", " ")
    assert draft.mailto.startswith("mailto:sinistres%40assureur.example?subject=")
    assert unquote(draft.mailto).endswith(draft.text)


def test_a_formal_notice_that_left_leads_to_the_draft(owner: Membership, notice: Reminder, browse: Browse) -> None:
    alerts.after_departure(notice, Cabinet.objects.get())
    browser = browse(owner)

    assert f'href="/assureur/{notice.pk}/"' in text_of(browser.get("/taches/"))
    page = text_of(browser.get(f"/assureur/{notice.pk}/"))
    assert "Quittance n’écrit jamais à l’assureur, ni au bâtonnier." in page
    browser.post(f"/taches/{Task.objects.get(kind='insurer_notice').pk}/faite/")

    assert Task.objects.get(kind="insurer_notice").state == TaskState.DONE


def test_sends_the_draft_to_the_person_alone_once_a_minute(owner: Membership, notice: Reminder, browse: Browse) -> None:
    browser = browse(owner)

    browser.post(f"/assureur/{notice.pk}/")
    page = text_of(browser.post(f"/assureur/{notice.pk}/", follow=True))

    asked = StaffMail.objects.get()
    assert (asked.kind, asked.member_id) == (StaffMailKind.INSURER, owner.pk)
    assert asked.text.startswith("À relire, puis à envoyer vous-même à votre assureur.")
    assert "Le projet vient déjà de vous être envoyé." in page
    assert JournalEntry.objects.filter(event="reminder.insurer_draft_asked").count() == 1
    assert mail.outbox == []


@pytest.mark.parametrize("state", [ReminderState.AWAITING_APPROVAL, ReminderState.CANCELLED])
def test_there_is_nothing_to_tell_before_it_left(
    owner: Membership, notice: Reminder, browse: Browse, state: ReminderState
) -> None:
    Reminder.objects.update(state=state)

    assert browse(owner).get(f"/assureur/{notice.pk}/").status_code == 404


def test_is_a_lawyers_to_read(notice: Reminder, browse: Browse) -> None:
    assert browse(make_member(role=Role.ADMIN)).get(f"/assureur/{notice.pk}/").status_code == 403
