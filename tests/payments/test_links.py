"""Links: one per addressee, known by a hash, alive while money is owed and sixty days more."""

import datetime as dt
import hashlib
import string
import uuid

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from cabinets.enums import LegalAid
from cabinets.models import Cabinet, Client, JournalEntry
from invoices.enums import InvoiceState
from invoices.models import Invoice
from invoices.services import settlement
from payments.enums import DataRight, Preference
from payments.links import hash_of, token_for
from payments.models import PaymentLink
from payments.services import links
from payments.services.requests import answer_on_data
from payments.services.rights import ask_about_data, prefer
from tests.conftest import NOW
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import TODAY, make_invoice

KEY = "clé de test"
SIXTY_DAYS = dt.timedelta(days=60)


def test_a_token_is_43_url_characters_that_the_link_its_version_and_the_key_decide() -> None:
    link_id = uuid.uuid4()

    token = token_for(link_id, 1, KEY)

    assert len(token) == 43
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert token == token_for(link_id, 1, KEY)
    assert (
        len({token, token_for(link_id, 2, KEY), token_for(uuid.uuid4(), 1, KEY), token_for(link_id, 1, "autre")}) == 4
    )


def test_any_text_has_a_hash_of_32_bytes() -> None:
    assert hash_of("jeton") == hashlib.sha256(b"jeton").digest()
    assert len(hash_of("\ud800 é")) == 32


def test_an_addressee_has_one_live_link_and_its_token_is_not_in_the_database(client: Client, cabinet: Cabinet) -> None:
    contact = make_contact(client=client)

    link = links.link_for(client=client)
    again = links.link_for(client=client)
    other = links.link_for(client=client, contact=contact)

    token = token_for(link.pk, 1, settings.LINK_KEY)
    assert (again.pk, other.pk == link.pk) == (link.pk, False)
    assert links.url_of(link) == f"{settings.SITE_URL}/p/{token}/"
    assert bytes(PaymentLink.objects.get(pk=link.pk).token_hash) == hashlib.sha256(token.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT l::text FROM payments_paymentlink l UNION SELECT j::text FROM cabinets_journalentry j")
        assert token not in " ".join(row[0] for row in cursor.fetchall())


def test_a_token_is_found_before_any_firm_and_a_wrong_one_is_not(link: PaymentLink, cabinet: Cabinet) -> None:
    token = token_for(link.pk, 1, settings.LINK_KEY)

    assert links.find(token=token) == (link.pk, cabinet.pk)
    assert links.find(token=token[:-1]) is None
    assert links.find(token="") is None


def test_a_renewed_link_changes_its_token_and_a_revoked_one_leaves_room_for_another(
    link: PaymentLink, client: Client
) -> None:
    before = links.url_of(link)

    renewed = links.renew(link_id=link.pk)
    revoked = links.revoke(link_id=link.pk)
    again = links.revoke(link_id=link.pk)
    fresh = links.link_for(client=client)

    assert (renewed.pk, renewed.version) == (link.pk, 2)
    assert links.url_of(renewed) != before
    assert revoked.revoked_at == again.revoked_at
    assert not links.is_alive(revoked, on=TODAY)
    assert fresh.pk != link.pk
    assert [entry.event for entry in JournalEntry.objects.order_by("pk")] == [
        "paymentlink.created",
        "paymentlink.renewed",
        "paymentlink.revoked",
        "paymentlink.created",
    ]
    with pytest.raises(PaymentLink.DoesNotExist):
        links.renew(link_id=link.pk)


def test_a_link_opens_only_the_invoices_billed_to_its_addressee(client: Client, link: PaymentLink) -> None:
    contact = make_contact(client=client)
    theirs = make_invoice(dossier=make_dossier(client=client, billing_contact=contact))
    make_invoice()

    assert [found.number for found in links.owed_through(link)] == ["F-2026-0412"]
    assert list(links.opened_by(links.link_for(client=client, contact=contact))) == [theirs]


@pytest.mark.parametrize("state", [InvoiceState.DRAFT, InvoiceState.WRITTEN_OFF, InvoiceState.ARCHIVED])
def test_a_link_never_shows_what_the_firm_does_not_ask(client: Client, link: PaymentLink, state: InvoiceState) -> None:
    make_invoice(client=client, state=state)

    assert [found.number for found in links.opened_by(link)] == ["F-2026-0412"]


def test_a_link_asks_nothing_under_full_legal_aid(client: Client) -> None:
    make_invoice(dossier=make_dossier(client=client, legal_aid=LegalAid.TOTAL))

    assert not links.opened_by(links.link_for(client=client)).exists()


def test_a_link_lives_while_money_is_owed_then_sixty_days(link: PaymentLink, invoice: Invoice) -> None:
    assert links.note_settled(on=TODAY) == 0
    settlement.settle(invoice_id=invoice.pk, cents=144_000)

    assert [links.note_settled(on=TODAY), links.note_settled(on=TODAY + SIXTY_DAYS)] == [1, 0]
    link.refresh_from_db()
    assert link.settled_on == TODAY
    assert links.is_alive(link, on=TODAY + SIXTY_DAYS)
    assert not links.is_alive(link, on=TODAY + SIXTY_DAYS + dt.timedelta(days=1))


def test_a_link_lives_until_an_answer_about_data_and_three_months_more(link: PaymentLink, invoice: Invoice) -> None:
    """Asked on the last days, answered late: neither the answer nor the copy is behind a dead page."""
    settlement.settle(invoice_id=invoice.pk, cents=144_000)
    links.note_settled(on=TODAY)
    with time_machine.travel(NOW + dt.timedelta(days=59), tick=False):
        asked = ask_about_data(link=link, right=DataRight.ACCESS, today=TODAY + dt.timedelta(days=59))
    assert asked is not None
    link.refresh_from_db()
    while_open = (links.is_alive(link, on=TODAY + dt.timedelta(days=85)), links.read_until(link))

    with time_machine.travel(NOW + dt.timedelta(days=85), tick=False):
        answer_on_data(request_id=asked.pk, text="Voici.")

    assert while_open == (True, None)
    assert links.read_until(link) == TODAY + dt.timedelta(days=85 + 90)
    assert links.is_alive(link, on=TODAY + dt.timedelta(days=85 + 90))
    assert not links.is_alive(link, on=TODAY + dt.timedelta(days=85 + 91))


def test_another_request_keeps_no_settled_link_alive(link: PaymentLink, invoice: Invoice) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=144_000)
    links.note_settled(on=TODAY)
    prefer(link=link, preference=Preference.EMAIL, today=TODAY)
    link.refresh_from_db()

    assert links.read_until(link) == TODAY + SIXTY_DAYS
    assert not links.is_alive(link, on=TODAY + SIXTY_DAYS + dt.timedelta(days=1))


def test_a_short_address_outlives_its_month_for_an_answer_about_data_alone(link: PaymentLink) -> None:
    short = links.short_url_of(link).rstrip("/").rsplit("/", 1)[1]
    later = NOW + dt.timedelta(days=40)
    with time_machine.travel(later, tick=False):
        before = links.unfold(short=short)
        ask_about_data(link=link, right=DataRight.ERASURE, today=TODAY)
        after = links.unfold(short=short)

    assert (before, after) == (None, token_for(link.pk, 1, settings.LINK_KEY))


def test_a_link_lives_again_at_once_when_something_is_owed_again(link: PaymentLink, invoice: Invoice) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=144_000)
    links.note_settled(on=TODAY)
    settlement.settle(invoice_id=invoice.pk, cents=-44_000)
    link.refresh_from_db()

    assert links.is_alive(link, on=TODAY + dt.timedelta(days=400))
    assert links.note_settled(on=TODAY + dt.timedelta(days=400)) == 1
    link.refresh_from_db()
    assert link.settled_on is None


def test_f61_the_link_of_an_old_message_still_opens_while_money_is_owed(link: PaymentLink) -> None:
    assert links.is_alive(link, on=TODAY + dt.timedelta(days=5 * 365))


def test_the_links_of_a_contact_and_of_the_client_settle_each_on_its_own(client: Client, link: PaymentLink) -> None:
    contact = make_contact(client=client)
    other = links.link_for(client=client, contact=contact)

    assert links.note_settled(on=TODAY) == 1
    assert [PaymentLink.objects.get(pk=pk).settled_on for pk in (link.pk, other.pk)] == [None, TODAY]


def test_a_firm_finds_no_link_of_another(link: PaymentLink) -> None:
    assert not links.opened_by(links.link_for(client=make_client())).exists()
