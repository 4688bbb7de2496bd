"""« Lien ouvert » on the firm's pages: told plainly, with its caveat; and what a debtor chose or said of an address."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.models import Cabinet, Client, Contact, Membership
from dunning.enums import Channel, Code, ReminderState
from dunning.models import DunningCase, Reminder
from dunning.policy import decide
from dunning.services.facts import load_facts
from invoices.models import Invoice, Standstill
from invoices.services import standstill
from payments.enums import Preference
from payments.models import LinkVisit, PaymentLink
from payments.services import links, requests, rights
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
CAVEAT = "Des robots de messagerie ouvrent aussi les liens : aucune règle n’en dépend."


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def visit(link: PaymentLink, *, hours: int = 0, invoice: Invoice | None = None) -> None:
    LinkVisit(link=link, at=NOW - dt.timedelta(hours=hours), invoice=invoice).save(force_insert=True)


def test_the_client_and_the_invoice_say_when_the_link_was_opened(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice()
    link = links.link_for(client=Client.objects.get())
    visit(link, hours=48)
    visit(link, hours=1)
    visit(link)
    visit(link, invoice=invoice)

    client_page = text_of(browse(owner).get(f"/clients/{invoice.client_id}/"))
    invoice_page = text_of(browse(owner).get(f"/factures/{invoice.pk}/"))

    assert "Lien ouvert le 24 novembre 2026 à 10 h 30, 2 fois ce jour-là" in client_page
    assert "Lien ouvert le 22 novembre 2026 à 10 h 30" in client_page
    assert f"Document de la facture {invoice.number} ouvert avec un code le 24 novembre 2026" in client_page
    assert CAVEAT in client_page
    assert "Lien ouvert" in invoice_page
    assert "2 fois ce jour-là. " + CAVEAT in invoice_page
    assert f"Document de la facture {invoice.number} ouvert avec un code" in invoice_page


def test_an_invoice_says_nothing_of_another_s_document_nor_of_another_link(browse: Browse, owner: Membership) -> None:
    client = make_client()
    one, other = make_invoice(client=client), make_invoice(client=client)
    visit(links.link_for(client=client), invoice=other)
    visit(links.link_for(client=client, contact=make_contact(client=client)))

    page = text_of(browse(owner).get(f"/factures/{one.pk}/"))

    assert "Lien ouvert" not in page
    assert "ouvert avec un code" not in page


def test_nothing_is_said_of_a_link_nobody_opened(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice()
    links.link_for(client=Client.objects.get())

    assert CAVEAT not in text_of(browse(owner).get(f"/clients/{invoice.client_id}/"))


def test_openings_cost_the_same_for_one_as_for_five(browse: Browse, owner: Membership) -> None:
    invoice = make_invoice()
    link = links.link_for(client=Client.objects.get())
    browser, counts = browse(owner), []
    for wanted in (1, 5):
        while LinkVisit.objects.count() < wanted:
            visit(link, hours=24 * LinkVisit.objects.count(), invoice=invoice)
        browser.get(f"/clients/{invoice.client_id}/")
        with CaptureQueriesContext(connection) as caught:
            browser.get(f"/clients/{invoice.client_id}/")
        counts.append(len(caught))

    assert counts[0] == counts[1]


def test_the_client_page_tells_a_refusal_and_a_preference(browse: Browse, owner: Membership) -> None:
    client = make_client(has_mobile=True, phone="+33612345678")
    make_invoice(client=client)
    link = links.link_for(client=client)
    before = text_of(browse(owner).get(f"/clients/{client.pk}/"))
    rights.refuse_sms(link=link)
    rights.prefer(link=link, preference=Preference.LETTER, today=TODAY)

    after = text_of(browse(owner).get(f"/clients/{client.pk}/"))

    assert ("SMS accepté" in before, "SMS refusé" in before) == (True, False)
    assert ("SMS accepté" in after, "SMS refusé" in after) == (False, True)
    assert "Préférence dite depuis son lien : par courrier" in after
    assert "Tenir compte d’un choix de canal" in after


def to_a_contact(cabinet: Cabinet) -> tuple[DunningCase, Contact]:
    client = make_client(has_mobile=True, phone="+33612345678")
    contact = make_contact(client=client, has_mobile=True, phone="+33612345679")
    case = make_case(invoice=make_invoice(dossier=make_dossier(client=client, billing_contact=contact)))
    Cabinet.objects.filter(pk=cabinet.pk).update(is_demo=True)
    return case, contact


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE])
def test_wrong_recipient_cancels_what_waits_on_every_channel(cabinet: Cabinet, channel: Channel) -> None:
    case, contact = to_a_contact(cabinet)
    reminder = make_reminder(case, contact=contact, channel=channel, state=ReminderState.APPROVED)

    requests.wrong_recipient(link=links.link_for(client=case.client, contact=contact), today=TODAY)

    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.CANCELLED


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.PHONE])
def test_a_stopped_address_stays_silent_on_every_channel_once_the_client_is_freed(
    cabinet: Cabinet, channel: Channel
) -> None:
    case, contact = to_a_contact(cabinet)
    requests.wrong_recipient(link=links.link_for(client=case.client, contact=contact), today=TODAY)
    standstill.release(standstill_id=Standstill.objects.get().pk)
    step = case.version.steps.get(rank=case.next_rank)
    step.channel = channel
    step.save(update_fields=["channel"])

    facts = load_facts(invoice_ids=[case.invoice_id], on=TODAY, now=NOW)[case.invoice_id]

    assert decide(facts, on=TODAY).code == Code.WRONG_RECIPIENT
