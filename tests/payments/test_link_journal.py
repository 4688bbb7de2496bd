"""What the journal keeps of whoever opens a link: what they did, and neither their address nor their browser."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.cache import cache

from cabinets.models import JournalEntry
from cabinets.scoping import working_for
from invoices.models import Document
from invoices.services import documents
from invoices.services.documents import Upload
from payments.links import code_for
from payments.models import LinkMessage
from payments.portal.urls import urlpatterns
from payments.services import link_messages, plans
from tests.conftest import FirmBrowser
from tests.factories.files import make_pdf
from tests.factories.invoices import TODAY
from tests.payments.test_mandates import FIRST, Collected, new_world
from tests.payments.test_portal import PAID, PHONE, place

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Given = Mapping[str, Any]


@pytest.fixture
def world(committed: None, tmp_path: Path, settings: Any) -> Iterator[Collected]:
    """Return a firm that collects a plan."""
    settings.MEDIA_ROOT = tmp_path
    cache.clear()
    with new_world() as found:
        yield found


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    browser = browse()
    browser.defaults["HTTP_USER_AGENT"] = PHONE
    return browser


def without_plan(world: Collected) -> None:
    with working_for(cabinet_id=world.cabinet.pk):
        plans.cancel(plan_id=world.plan_id, by=world.lawyer)


def paid(world: Collected) -> Given:
    without_plan(world)
    return PAID


def proposed(world: Collected) -> Given:
    without_plan(world)
    return {"versements": "3", "premier": "2026-12-01", "montant": "144000", "message": ""}


def offered(world: Collected) -> Given:
    without_plan(world)
    with working_for(cabinet_id=world.cabinet.pk):
        [invoice] = world.online.invoices
        plans.offer(
            by=world.lawyer, client=invoice.client, invoice_ids=[invoice.pk], count=2, first_on=FIRST, today=TODAY
        )
    return {}


def asked_back(world: Collected) -> Given:
    without_plan(world)
    with working_for(cabinet_id=world.cabinet.pk):
        plans.propose(link=world.online.link, count=3, first_on=FIRST, today=TODAY)
    return {}


def agreed(world: Collected) -> Given:
    return {"texte": world.consent(), "accord": "on"}


def signed(world: Collected) -> Given:
    world.sign()
    return {}


def bought(world: Collected) -> Given:
    without_plan(world)
    return {"moyen": "card", "part": f"{world.online.invoices[0].pk}:144000", "formulaire": str(UUID(int=1))}


def papers(world: Collected) -> None:
    with working_for(cabinet_id=world.cabinet.pk):
        upload = Upload("Facture.pdf", make_pdf(b"Facture"))
        documents.attach_to_invoice(invoice_id=world.online.invoices[0].pk, upload=upload)


def asked_for(world: Collected) -> Given:
    papers(world)
    return {"is_addressee": "on"}


def coded(world: Collected) -> Given:
    papers(world)
    with working_for(cabinet_id=world.cabinet.pk):
        link_messages.ask_code(link=world.online.link)
        return {"code": code_for(LinkMessage.objects.get().pk, settings.LINK_KEY)}


# What each form of a debtor takes, and what there is before it is sent.
FORMS: Mapping[str, Callable[[Collected], Given]] = {
    "portal_already_paid": paid,
    "portal_problem": lambda _: {"reason": "amount", "message": "Deux heures."},
    "portal_wrong_recipient": lambda _: {"why": "left", "message": ""},
    "portal_data": lambda _: {"right": "access", "message": ""},
    "portal_channel": lambda _: {"preference": "letter"},
    "portal_plan": proposed,
    "portal_plan_accept": offered,
    "portal_plan_withdraw": asked_back,
    "portal_mandate_agree": agreed,
    "portal_mandate_stop": signed,
    "portal_pay": bought,
    "portal_detail": asked_for,
    "portal_detail_code": coded,
}
# Opens the pages for a while, and writes nothing.
SILENT = {"portal_check"}
PAGES = {str(route.name): str(route.pattern) for route in urlpatterns}


def lines_of(world: Collected) -> list[JournalEntry]:
    with working_for(cabinet_id=world.cabinet.pk):
        return list(JournalEntry.objects.filter(request_id__gt="").order_by("pk"))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_journalled_without_an_address_nor_a_browser(
    debtor: FirmBrowser, world: Collected, name: str
) -> None:
    given = FORMS[name](world)

    assert debtor.post(place(world.online.link, PAGES[name]), given).status_code == 302

    lines = lines_of(world)
    assert lines
    assert {(line.address, line.agent, line.member_id) for line in lines} == {(None, "", None)}


def test_a_document_handed_over_is_journalled_without_them_too(debtor: FirmBrowser, world: Collected) -> None:
    debtor.post(place(world.online.link, PAGES["portal_detail_code"]), coded(world))
    with working_for(cabinet_id=world.cabinet.pk):
        paper = Document.objects.get()

    assert debtor.get(place(world.online.link, f"detail/{paper.pk}/")).status_code == 200

    opened = [line for line in lines_of(world) if line.event == "paymentlink.document_opened"]
    assert [(line.address, line.agent) for line in opened] == [(None, "")]


def test_every_form_of_a_debtor_is_tried(debtor: FirmBrowser, world: Collected) -> None:
    taken = set()
    for name, pattern in PAGES.items():
        page = pattern
        for part in ("checkout_id", "payment_id", "mandate_id", "asked_id", "document_id"):
            page = page.replace(f"<uuid:{part}>", str(UUID(int=7)))
        if debtor.post(place(world.online.link, page)).status_code != 405:
            taken.add(name)

    assert taken == set(FORMS) | SILENT
