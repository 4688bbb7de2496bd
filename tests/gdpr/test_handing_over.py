"""A person fetches the copy of their data from their own page: told it is there, behind a code, nobody else."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache

from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from gdpr.enums import Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.models import RightsRequest
from gdpr.services import requests as service
from gdpr.services import telling
from invoices.models import Invoice
from payments.enums import DataRight, LinkMedium, LinkMessageKind
from payments.links import code_for
from payments.models import DebtorRequest, LinkMessage, PaymentLink
from payments.services import link_messages, links
from payments.services.rights import ask_about_data
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment
from tests.payments.test_portal import place, read


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture
def link(owner: Membership) -> PaymentLink:
    client = make_client(company="", last_name="Delorme", email="anne@delorme.example", has_email=True)
    make_invoice(dossier=make_dossier(client=client))
    return links.link_for(client=client)


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    return browse()


def answered(owner: Membership, link: PaymentLink, state: RightsState = RightsState.GRANTED) -> RightsRequest:
    asked = ask_about_data(link=link, right=DataRight.ACCESS, today=Cabinet.objects.get().today())
    assert asked is not None
    row = service.take_in(by=owner, asked_id=asked.pk)
    service.identify(request_id=row.pk, by=owner, proof=IdentityProof.CODE)
    service.prepare(request_id=row.pk, by=owner)
    service.answer(request_id=row.pk, by=owner, state=state, text="Voici une copie.")
    return RightsRequest.objects.get(pk=row.pk)


def open_with_code(debtor: FirmBrowser, link: PaymentLink) -> None:
    debtor.post(place(link, "detail/"), {"is_addressee": "on"})
    code = code_for(LinkMessage.objects.filter(kind="code").latest("asked_at").pk, settings.LINK_KEY)
    assert debtor.post(place(link, "detail/code/"), {"code": code})["Location"] == place(link, "detail/")


def test_tells_the_person_once_and_says_nothing_of_the_answer(owner: Membership, link: PaymentLink) -> None:
    answered(owner, link)

    told = LinkMessage.objects.get(kind=LinkMessageKind.ANSWER)
    note = link_messages.write(message=told, cabinet=Cabinet.objects.get())
    assert note is not None
    assert (note.medium, note.recipient) == (LinkMedium.EMAIL, "anne@delorme.example")
    assert note.subject.startswith("Réponse à votre demande – ")
    assert f"{links.url_of(link)}demande/" in note.text
    assert [word for word in ("Delorme", "copie", "accès", "Voici une") if word in note.text] == []


def test_tells_nobody_who_said_stop(owner: Membership, link: PaymentLink) -> None:
    type(link.client).objects.update(email_stopped_at=NOW)

    answered(owner, link)

    assert not LinkMessage.objects.filter(kind=LinkMessageKind.ANSWER).exists()


def taken_up(owner: Membership, link: PaymentLink, right: DataRight) -> RightsRequest:
    asked = ask_about_data(link=link, right=right, today=Cabinet.objects.get().today())
    assert asked is not None
    row = service.take_in(by=owner, asked_id=asked.pk)
    return service.identify(request_id=row.pk, by=owner, proof=IdentityProof.CODE)


def test_tells_the_person_before_their_address_is_erased(
    owner: Membership, link: PaymentLink, browse: Callable[..., FirmBrowser]
) -> None:
    invoice = Invoice.objects.get()
    make_payment(invoice=invoice, on=invoice.due_on)
    row = taken_up(owner, link, DataRight.ERASURE)
    desk = browse(owner)
    before = read(desk.get(f"/rgpd/demandes/{row.pk}/"))

    service.erase(request_id=row.pk, by=owner)
    after = read(desk.get(f"/rgpd/demandes/{row.pk}/"))
    service.answer(request_id=row.pk, by=owner, state=RightsState.PARTLY, text="Nous gardons vos factures.")

    last = LinkMessage.objects.get()
    note = link_messages.write(message=last, cabinet=Cabinet.objects.get())
    assert note is not None
    assert (last.kind, last.medium, Client.objects.get().email) == (LinkMessageKind.LAST, LinkMedium.EMAIL, "")
    assert (note.recipient, note.subject.partition(" – ")[0]) == (
        "anne@delorme.example",
        "Suite donnée à votre demande",
    )
    assert f"aucun autre message ne vous en préviendra\u00a0:\n{links.url_of(link)}demande/" in note.text
    assert telling.TOLD in before
    assert (telling.TOLD_NOW in after, telling.TOLD in after) == (True, False)
    LinkMessage.objects.update(sent_at=NOW, recipient=None)
    assert telling.told_of_answer(row, has_copy=False) == telling.TOLD_BEFORE


def test_says_to_the_firm_that_nobody_is_told_when_the_last_message_could_not_leave(
    owner: Membership, link: PaymentLink
) -> None:
    invoice = Invoice.objects.get()
    make_payment(invoice=invoice, on=invoice.due_on)
    row = taken_up(owner, link, DataRight.ERASURE)
    service.erase(request_id=row.pk, by=owner)

    LinkMessage.objects.update(attempts=4, failure="Refusé", recipient=None)

    assert telling.told_of_answer(row, has_copy=False) == telling.TOLD_NOBODY


def test_leaves_the_telling_to_the_answer_while_the_address_is_needed(owner: Membership, link: PaymentLink) -> None:
    """Something is owed: the address stays, and one message is enough."""
    row = taken_up(owner, link, DataRight.ERASURE)

    service.erase(request_id=row.pk, by=owner)
    assert not LinkMessage.objects.exists()
    service.answer(request_id=row.pk, by=owner, state=RightsState.PARTLY, text="Une facture reste due.")

    assert [one.kind for one in LinkMessage.objects.all()] == [LinkMessageKind.ANSWER]


@pytest.mark.parametrize("right", [DataRight.OBJECTION, DataRight.RESTRICTION])
def test_tells_a_contact_before_they_are_written_to_no_more(
    owner: Membership, link: PaymentLink, right: DataRight
) -> None:
    payer = make_contact(client=link.client, role="payer", email="paul@tiers.example")
    door = links.link_for(client=link.client, contact=payer)
    row = taken_up(owner, door, right)

    service.restrict(request_id=row.pk, by=owner)
    service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est noté.")

    last = LinkMessage.objects.get()
    note = link_messages.write(message=last, cabinet=Cabinet.objects.get())
    assert note is not None
    assert (last.kind, last.link_id, note.recipient) == (LinkMessageKind.LAST, door.pk, "paul@tiers.example")


def test_says_to_the_firm_that_nobody_will_be_told(
    owner: Membership, link: PaymentLink, browse: Callable[..., FirmBrowser]
) -> None:
    type(link.client).objects.update(email_stopped_at=NOW)
    row = taken_up(owner, link, DataRight.ACCESS)
    address = f"/rgpd/demandes/{row.pk}/"
    unknown = read(browse(owner).get(address))

    links.revoke(link_id=link.pk)
    closed = read(browse(owner).get(address))

    assert (telling.TOLD_NOBODY + telling.NO_COPY in unknown, telling.CLOSED in unknown) == (True, False)
    assert telling.CLOSED in closed
    assert not [page for page in (unknown, closed) if telling.TOLD in page]


def test_tells_the_person_why_the_answer_takes_longer(
    owner: Membership, link: PaymentLink, debtor: FirmBrowser, browse: Callable[..., FirmBrowser]
) -> None:
    row = taken_up(owner, link, DataRight.ACCESS)

    desk = browse(owner)
    desk.post(f"/rgpd/demandes/{row.pk}/prolonger/", {"reason": "Trois demandes à la fois"})
    flash = read(desk.get(f"/rgpd/demandes/{row.pk}/"))
    words = read(debtor.get(place(link, "demande/")))

    message = LinkMessage.objects.get()
    note = link_messages.write(message=message, cabinet=Cabinet.objects.get())
    assert note is not None
    assert (message.kind, note.recipient) == (LinkMessageKind.EXTENDED, "anne@delorme.example")
    assert f"se lisent sur votre espace\u00a0:\n{links.url_of(link)}demande/" in note.text
    assert telling.DELAY_TOLD in flash
    assert Task.objects.get(subject_id=row.asked_id).due_on == dt.date(2027, 2, 24)
    asked_page = read(desk.get(f"/demandes/{row.asked_id}/"))
    assert "À répondre avant le 24 février 2027" in asked_page
    assert "le délai a été prolongé de deux mois." in asked_page
    assert "Délai prolongé – Demande sur vos données – accès" in words
    assert "au plus tard le 24\u00a0février 2027. Son motif\u00a0: Trois demandes à la fois" in words
    assert words.find("Délai prolongé") < words.find("Votre demande est reçue.")


@pytest.mark.parametrize(
    ("became", "told"),
    [
        ({}, telling.LEAVING),
        ({"sent_at": NOW}, "La personne a été prévenue le 24\u00a0novembre 2026, par e-mail."),
        ({"attempts": 4, "failure": "Refusé"}, telling.NOT_LEFT),
    ],
)
def test_says_to_the_firm_what_became_of_the_message_that_told_its_answer(
    owner: Membership, link: PaymentLink, browse: Callable[..., FirmBrowser], became: dict[str, Any], told: str
) -> None:
    row = answered(owner, link)
    LinkMessage.objects.update(**{"attempts": 1} | became)

    page = read(browse(owner).get(f"/rgpd/demandes/{row.pk}/"))

    said = (telling.LEAVING, "La personne a été prévenue le 24\u00a0novembre 2026, par e-mail.", telling.NOT_LEFT)
    assert [one for one in said if one in page] == [told]


def test_says_nothing_of_a_message_that_was_never_to_leave(
    owner: Membership, link: PaymentLink, browse: Callable[..., FirmBrowser]
) -> None:
    type(link.client).objects.update(email_stopped_at=NOW)

    row = answered(owner, link)

    assert telling.told_since(row, zone=Cabinet.objects.get().zone) == ""


def test_leaves_the_firm_to_say_the_delay_of_a_request_that_came_by_letter(owner: Membership) -> None:
    row = service.record(
        by=owner,
        client=make_client(),
        claim=Claim.ACCESS,
        origin=RequestOrigin.LETTER,
        received_on=Cabinet.objects.get().today(),
    )

    service.extend(request_id=row.pk, by=owner, reason="Trois demandes à la fois")

    assert not LinkMessage.objects.exists()
    assert telling.told_of_delay(row) == telling.DELAY_BY_HAND


def test_says_until_when_a_settled_page_is_read(owner: Membership, link: PaymentLink, debtor: FirmBrowser) -> None:
    PaymentLink.objects.update(settled_on=dt.date(2026, 11, 1))
    row = taken_up(owner, link, DataRight.RECTIFICATION)
    while_open = read(debtor.get(place(link, "demande/")))

    service.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="Vos données sont corrigées.")

    assert "cette page se lit jusqu’à la réponse du cabinet, puis trois mois." in while_open
    assert "cette page se lit jusqu’au 22 février 2027." in read(debtor.get(place(link, "demande/")))


def test_hands_the_copy_over_behind_a_code(owner: Membership, link: PaymentLink, debtor: FirmBrowser) -> None:
    row = answered(owner, link)
    copy = place(link, f"detail/copie/{row.asked_id}/")
    assert "Télécharger mes données" in read(debtor.get(place(link, "demande/")))
    assert debtor.get(copy)["Location"] == place(link, "detail/")

    open_with_code(debtor, link)
    shown = read(debtor.get(place(link, "detail/")))
    fetched = debtor.get(copy)

    _, content = service.read_archive(request_id=row.pk, by=owner)
    assert "Vos données" in shown
    assert (fetched.status_code, fetched["Content-Type"], fetched.content) == (200, "application/zip", content)
    assert "attachment" in fetched["Content-Disposition"]
    events = set(JournalEntry.objects.values_list("event", flat=True))
    assert {"rightsrequest.fetched", "paymentlink.copy_opened"} <= events


@pytest.mark.parametrize("state", [RightsState.REFUSED, RightsState.WITHDRAWN])
def test_hands_nothing_over_that_was_not_granted(
    owner: Membership, link: PaymentLink, debtor: FirmBrowser, state: RightsState
) -> None:
    row = answered(owner, link, state)

    assert "Télécharger mes données" not in read(debtor.get(place(link, "demande/")))
    assert debtor.get(place(link, f"detail/copie/{row.asked_id}/")).status_code == 302


def test_hands_nothing_over_through_somebody_else_s_link(
    owner: Membership, link: PaymentLink, debtor: FirmBrowser
) -> None:
    """A third-party payer opens the code of their own page, and asks for the client's copy by its address."""
    row = answered(owner, link)
    payer = make_contact(client=link.client, role="payer", email="paul@tiers.example")
    door = links.link_for(client=link.client, contact=payer)
    make_invoice(dossier=make_dossier(client=link.client, billing_contact=payer))
    theirs = answered(owner, door)

    open_with_code(debtor, door)
    refused = debtor.get(place(door, f"detail/copie/{row.asked_id}/"))
    given = debtor.get(place(door, f"detail/copie/{theirs.asked_id}/"))

    assert (refused.status_code, given.status_code) == (404, 200)
    assert "n’est pas disponible" in read(refused)
    assert "Delorme" not in given.content.decode("latin-1")


def test_waits_three_months_and_no_longer(owner: Membership, link: PaymentLink, debtor: FirmBrowser) -> None:
    answered(owner, link)
    kept = {days: _waits(debtor, link, days) for days in (89, 91)}

    assert kept == {89: True, 91: False}
    assert DebtorRequest.objects.get().answer == "Voici une copie."


def _waits(debtor: FirmBrowser, link: PaymentLink, days: int) -> bool:
    with time_machine.travel(NOW + dt.timedelta(days=days), tick=False):
        return "Télécharger mes données" in read(debtor.get(place(link, "demande/")))
