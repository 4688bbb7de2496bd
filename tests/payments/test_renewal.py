"""A dead link: one page whatever it was, and a fresh link to the address on file for whoever types that address."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from kombu.exceptions import OperationalError

from cabinets.models import Cabinet, Client
from invoices.models import Invoice
from invoices.services import settlement
from payments import tasks
from payments.enums import LinkMedium, LinkMessageKind
from payments.links import hash_of, short_of, token_for
from payments.models import LinkMessage, PaymentLink
from payments.services import link_messages, links
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_contact, make_dossier, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import place, read, tables, unmasked

ADDRESS = "sophie@leclerc.example"
UNKNOWN = "/p/" + "a" * 43 + "/"

Asked = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Keep what was queued, and give it to a worker when the test does."""
    cache.clear()
    queued: Asked = []
    monkeypatch.setattr(tasks.send_fresh_link, "delay", lambda *values: queued.append(values))
    return queued


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    return browse()


@pytest.fixture
def revoked(link: PaymentLink) -> PaymentLink:
    """Return a link the firm ended."""
    return links.revoke(link_id=link.pk)


def work(queued: Asked) -> list[bool]:
    """Do what a worker does, from outside any firm."""
    with outside_any_firm():
        return [link_messages.ask_fresh_link(digest=bytes.fromhex(digest), answer=answer) for digest, answer in queued]


def want(debtor: FirmBrowser, address: str, typed: str = ADDRESS) -> Any:
    return debtor.post(address, {"address": typed})


def test_a_fresh_link_goes_to_the_address_on_file(
    debtor: FirmBrowser, revoked: PaymentLink, client: Client, asked: Asked
) -> None:
    response = want(debtor, place(revoked), " Sophie@Leclerc.example ")

    assert response.status_code == 200
    assert "un nouveau lien y arrive dans quelques minutes" in read(response)
    assert not LinkMessage.objects.exists()
    assert work(asked) == [True]
    message = LinkMessage.objects.select_related("link").get()
    assert (message.kind, message.medium) == (LinkMessageKind.FRESH_LINK, LinkMedium.EMAIL)
    assert (message.link.client_id, message.link.contact_id, message.link.revoked_at) == (client.pk, None, None)
    assert debtor.get(place(message.link)).status_code == 200
    assert debtor.get(place(revoked)).status_code == 404


def test_whatever_the_token_was_the_answer_and_the_work_are_the_same(
    debtor: FirmBrowser, revoked: PaymentLink, asked: Asked
) -> None:
    before = tables()

    answers = [
        want(debtor, UNKNOWN),
        want(debtor, UNKNOWN + "deja-paye/"),
        want(debtor, place(revoked)),
        want(debtor, place(revoked), "autre@leclerc.example"),
    ]

    assert {(one.status_code, unmasked(one)) for one in answers} == {(200, unmasked(answers[0]))}
    assert len(asked) == 4
    assert tables() == before
    assert work(asked) == [False, False, True, False]


def test_neither_the_token_nor_the_address_is_queued(debtor: FirmBrowser, revoked: PaymentLink, asked: Asked) -> None:
    want(debtor, place(revoked))

    [(digest, answer)] = asked
    token = token_for(revoked.pk, revoked.version, settings.LINK_KEY)
    assert bytes.fromhex(digest) == hash_of(token)
    assert re.fullmatch(r"[0-9a-f]{64}", answer)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Indiquez l’adresse e-mail ou le mobile"),
        ("sophie", "Écrivez une adresse e-mail"),
        ("sophie@", "n’est pas valable"),
        ("x" * 300, "trop longue"),
    ],
)
def test_a_robot_that_types_nothing_asks_for_nothing(
    debtor: FirmBrowser, revoked: PaymentLink, asked: Asked, typed: str, sentence: str
) -> None:
    response = want(debtor, place(revoked), typed)

    assert (response.status_code, asked) == (422, [])
    assert sentence in read(response)


def test_reading_or_posting_a_dead_link_changes_nothing(
    debtor: FirmBrowser, revoked: PaymentLink, asked: Asked
) -> None:
    before = tables()

    for method in ("get", "head", "post", "put", "delete"):
        assert getattr(debtor, method)(place(revoked)).status_code in {404, 429}

    assert (tables(), asked) == (before, [])


def test_a_link_that_ended_with_the_debt_is_reopened_for_reading(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, asked: Asked
) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=144_000)
    PaymentLink.objects.filter(pk=link.pk).update(settled_on=TODAY - dt.timedelta(days=61))
    assert debtor.get(place(link)).status_code == 404

    want(debtor, place(link))
    work(asked)

    fresh = LinkMessage.objects.select_related("link").get().link
    assert (fresh.settled_on, fresh.pk == link.pk) == (TODAY, False)
    assert "Payée" in read(debtor.get(place(fresh)))
    with time_machine.travel(NOW + dt.timedelta(days=61), tick=False):
        assert debtor.get(place(fresh)).status_code == 404


def test_a_live_link_that_took_its_place_is_sent_as_it_is(
    debtor: FirmBrowser, revoked: PaymentLink, client: Client, asked: Asked
) -> None:
    live = links.link_for(client=client)

    want(debtor, place(revoked))
    work(asked)

    assert LinkMessage.objects.get().link_id == live.pk
    assert PaymentLink.objects.count() == 2


def test_nobody_is_written_to_who_said_it_was_not_them_or_is_gone(
    debtor: FirmBrowser, client: Client, link: PaymentLink, asked: Asked
) -> None:
    gone = make_contact(client=client, is_archived=True)
    make_invoice(dossier=make_dossier(client=client, billing_contact=gone))
    theirs = links.revoke(link_id=links.link_for(client=client, contact=gone).pk)
    links.revoke(link_id=link.pk)
    Client.objects.update(email_stopped_at=NOW)

    want(debtor, place(link))
    want(debtor, place(theirs), "compta@societe.example")

    assert work(asked) == [False, False]
    assert not LinkMessage.objects.exists()


def test_a_mobile_on_file_is_an_address_too(debtor: FirmBrowser, revoked: PaymentLink, asked: Asked) -> None:
    Client.objects.update(has_mobile=True)
    client = Client.objects.get()
    client.phone = "+33612345678"
    client.save(update_fields=["phone"])

    want(debtor, place(revoked), "06 12 34 56 78")

    assert work(asked) == [True]
    assert LinkMessage.objects.get().medium == LinkMedium.SMS


def test_a_token_asks_three_times_an_hour_and_an_address_ten(
    debtor: FirmBrowser, revoked: PaymentLink, asked: Asked
) -> None:
    by_token = [want(debtor, place(revoked)).status_code for _ in range(4)]
    by_address = [want(debtor, f"/p/{rank:043}/").status_code for rank in range(8)]

    assert by_token == [200, 200, 200, 429]
    assert by_address == [*[200] * 6, 429, 429]
    assert len(asked) == 9


def test_an_addressee_gets_three_fresh_links_an_hour_whatever_is_asked(revoked: PaymentLink, cabinet: Cabinet) -> None:
    digest = hash_of(token_for(revoked.pk, revoked.version, settings.LINK_KEY)).hex()

    told = work([(digest, link_messages.folded(ADDRESS))] * 4)

    assert told == [True, True, True, False]
    assert PaymentLink.objects.filter(revoked_at=None).count() == 1


def test_a_queue_that_does_not_answer_is_said(
    debtor: FirmBrowser, revoked: PaymentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.send_fresh_link, "delay", refuse)

    answers = [want(debtor, place(revoked)), want(debtor, UNKNOWN)]

    assert [one.status_code for one in answers] == [503, 503]
    assert "Rien n’est parti" in read(answers[0])


def test_a_short_address_lives_thirty_days_after_its_last_message_then_offers_a_fresh_link(
    debtor: FirmBrowser, link: PaymentLink, asked: Asked
) -> None:
    short = f"/s/{short_of(token_for(link.pk, link.version, settings.LINK_KEY))}/"
    assert links.short_url_of(link).endswith(short)
    with time_machine.travel(NOW + dt.timedelta(days=30), tick=False):
        assert debtor.get(short)["Location"] == place(link)
    with time_machine.travel(NOW + dt.timedelta(days=30, seconds=1), tick=False):
        assert debtor.get(short).status_code == 404
        assert want(debtor, short).status_code == 200
        assert work(asked) == [True]

        links.short_url_of(PaymentLink.objects.get(pk=link.pk))
        assert debtor.get(short)["Location"] == place(link)


def test_five_wrong_short_addresses_a_minute_and_none_opens_any_more(debtor: FirmBrowser, link: PaymentLink) -> None:
    right = f"/s/{links.short_url_of(link).split('/s/')[1]}"
    for _ in range(7):
        assert debtor.get(right).status_code == 302

    wrong = [debtor.get(f"/s/{rank:014}/").status_code for rank in range(5)]
    closed = debtor.get(right).status_code

    assert (wrong, closed) == ([404] * 5, 404)
    assert debtor.get(place(link)).status_code == 200
    assert debtor.get(right, REMOTE_ADDR="192.0.2.7").status_code == 302
