"""Clients and contacts: one form of each value, and what planning needs beside the sealed ones."""

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest

from cabinets.addresses import show_phone
from cabinets.enums import ClientKind, ContactRole, Role
from cabinets.errors import InputError
from cabinets.models import Assignment, Cabinet, Client, Contact, Dossier, JournalEntry
from cabinets.scoping import whole_firm, working_for
from cabinets.services.clients import (
    ClientFacts,
    ContactFacts,
    archive_contact,
    create_client,
    create_contact,
    email_key,
    update_client,
    update_contact,
)
from cabinets.territories import Territory
from tests.factories.cabinets import assign, make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

FACTS = ClientFacts(company="Menuiserie Le Goff", email="Compta@LeGoff.example", phone="02 40 12 34 56")


@pytest.mark.parametrize(
    ("phone", "postcode", "kept", "is_mobile"),
    [
        ("06 12 34 56 78", "44000", "+33612345678", True),
        ("02.40.12.34.56", "44000", "+33240123456", False),
        ("0696 12 34 56", "97200", "+596696123456", True),
        ("0690 00 12 34", "97133", "+590690001234", True),
        ("0692 12 34 56", "97400", "+262692123456", True),
        ("0596 50 12 34", "97200", "+596596501234", False),
        ("0696 12 34 56", "44000", "+596696123456", True),
        ("+32 2 555 12 12", "1000", "+3225551212", False),
        ("", "44000", "", False),
    ],
)
def test_keeps_a_telephone_as_dialled_from_where_the_client_lives(
    cabinet: Cabinet, phone: str, postcode: str, kept: str, is_mobile: bool
) -> None:
    client = create_client(facts=replace(FACTS, phone=phone, postcode=postcode))

    assert (client.phone, client.has_mobile) == (kept, is_mobile)


def test_keeps_an_address_in_lower_case_and_says_there_is_one(cabinet: Cabinet) -> None:
    client = create_client(facts=FACTS)

    client.refresh_from_db()
    assert (client.email, client.has_email) == ("compta@legoff.example", True)
    assert bytes(client.email_index or b"") == email_key("compta@legoff.example")


@pytest.mark.parametrize(
    ("postcode", "country", "territory"),
    [
        ("67000", "FR", Territory.ALSACE_MOSELLE),
        ("44000", "", Territory.METROPOLE),
        ("97150", "fr", Territory.SAINT_MARTIN),
        ("1000", "BE", None),
        ("", "FR", None),
    ],
)
def test_knows_the_territory_from_the_postcode(
    cabinet: Cabinet, postcode: str, country: str, territory: Territory | None
) -> None:
    client = create_client(facts=replace(FACTS, postcode=postcode, country=country))

    assert client.territory == territory


@pytest.mark.parametrize(
    ("facts", "field", "sentence"),
    [
        (
            replace(FACTS, email="pas une adresse"),
            "email",
            "L’adresse e-mail « pas une adresse » n’est pas valable : écrivez-la sous la forme nom@domaine.fr.",
        ),
        (
            replace(FACTS, phone="12"),
            "phone",
            "Le téléphone « 12 » n’est pas valable : écrivez-le sous la forme 06 12 34 56 78 ou +32 2 123 45 67.",
        ),
        (replace(FACTS, company=" "), "last_name", "Indiquez la société ou le nom du client."),
    ],
)
def test_refuses_what_cannot_be_kept_and_keeps_nothing(
    cabinet: Cabinet, facts: ClientFacts, field: str, sentence: str
) -> None:
    with pytest.raises(InputError) as refusal:
        create_client(facts=facts)

    assert (refusal.value.field, str(refusal.value)) == (field, sentence)
    assert (Client.objects.count(), JournalEntry.objects.count()) == (0, 0)


def test_makes_one_client_of_a_form_sent_twice(cabinet: Cabinet) -> None:
    form = uuid4()

    first, second = create_client(facts=FACTS, client_id=form), create_client(facts=FACTS, client_id=form)

    assert (first.pk, second.pk, Client.objects.count()) == (form, form, 1)


def test_gives_an_assistant_the_client_they_add(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        client = create_client(facts=FACTS)
        seen = list(Client.objects.values_list("pk", flat=True))

    assert seen == [client.pk]
    assert Assignment.objects.get().member_id == assistant.pk
    assert Dossier.objects.get().reference == f"D-{client.pk.hex[:8].upper()}"


def test_writes_again_to_a_client_whose_address_changed(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client(
        company="Le Goff", email="ancienne@legoff.example", email_refused_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    )
    invoice = make_invoice(client=client)
    make_invoice(client=client, state="cancelled")

    update_client(
        client_id=client.pk,
        facts=ClientFacts(company="Le Goff", email="neuve@legoff.example", kind=ClientKind.PROFESSIONAL),
    )

    client.refresh_from_db()
    assert (client.email, client.email_refused_at, client.email_stopped_at) == ("neuve@legoff.example", None, None)
    assert told.calls == [("wake", [invoice.pk], "")]


def test_keeps_an_address_refused_when_something_else_changes(cabinet: Cabinet, told: RecordingLadder) -> None:
    refused = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    client = make_client(company="Le Goff", email="a@legoff.example", email_refused_at=refused)

    update_client(
        client_id=client.pk,
        facts=ClientFacts(company="Le Goff", email="a@legoff.example", city="Nantes", kind=ClientKind.PROFESSIONAL),
    )

    client.refresh_from_db()
    assert (client.city, client.email_refused_at) == ("Nantes", refused)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"is_never_reminded": True}, "NEVER"),
        ({"is_strategic": True}, "NEEDS_APPROVAL"),
        ({"kind": ClientKind.CONSUMER}, "NEEDS_APPROVAL"),
        ({"company": "Le Goff Frères"}, "NEEDS_APPROVAL"),
    ],
)
def test_stops_at_once_what_the_change_makes_untrue(
    cabinet: Cabinet, told: RecordingLadder, change: dict[str, object], code: str
) -> None:
    facts = ClientFacts(company="Le Goff", email="a@legoff.example", kind=ClientKind.PROFESSIONAL)
    client = create_client(facts=facts)
    invoice = make_invoice(client=client)

    update_client(client_id=client.pk, facts=replace(facts, **change))  # type: ignore[arg-type]  # one field at a time

    assert told.calls == [("stop", [invoice.pk], code)]


def test_says_nothing_of_a_form_that_changes_nothing(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = create_client(facts=FACTS)

    update_client(client_id=client.pk, facts=FACTS)

    assert told.calls == []
    assert list(JournalEntry.objects.values_list("event", flat=True)) == ["client.created"]


def test_journals_the_fields_that_changed_and_no_value(cabinet: Cabinet) -> None:
    client = create_client(facts=FACTS)

    update_client(client_id=client.pk, facts=replace(FACTS, city="Nantes", email="b@legoff.example"))

    line = JournalEntry.objects.get(event="client.changed")
    assert (line.subject_id, line.facts) == (client.pk, {"fields": ["email", "city"]})


def test_archiving_a_contact_bills_the_client_again(cabinet: Cabinet) -> None:
    client = make_client()
    contact = make_contact(client=client)
    dossier = make_dossier(client=client, billing_contact=contact)

    archive_contact(contact_id=contact.pk)

    dossier.refresh_from_db()
    contact.refresh_from_db()
    assert (dossier.billing_contact_id, contact.is_archived) == (None, True)


def test_a_contact_is_found_by_its_address_and_written_to_again_at_a_new_one(cabinet: Cabinet) -> None:
    client = make_client()
    contact = create_contact(
        client_id=client.pk, facts=ContactFacts(role=ContactRole.BILLING, email="Paie@Societe.example")
    )
    Contact.objects.filter(pk=contact.pk).update(email_refused_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC))

    update_contact(contact_id=contact.pk, facts=ContactFacts(role=ContactRole.BILLING, email="neuf@societe.example"))

    contact.refresh_from_db()
    assert (contact.email, contact.has_email, contact.email_refused_at) == ("neuf@societe.example", True, None)
    assert bytes(contact.email_index or b"") == email_key("neuf@societe.example")


def test_an_assistant_reaches_only_the_clients_of_their_dossiers(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    mine, other = make_dossier(), make_dossier()
    assign(dossier=mine, member=assistant)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        update_client(client_id=mine.client_id, facts=FACTS)
        with pytest.raises(Client.DoesNotExist):
            update_client(client_id=other.client_id, facts=FACTS)

    with whole_firm():
        assert Client.objects.get(pk=mine.client_id).company == "Menuiserie Le Goff"
        assert Client.objects.get(pk=other.client_id).company != "Menuiserie Le Goff"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+33612345678", "06 12 34 56 78"),
        ("+596696123456", "0696 12 34 56"),
        ("+3225551212", "+32 2 555 12 12"),
        ("", ""),
    ],
)
def test_shows_a_telephone_as_people_dial_it(phone: str, shown: str) -> None:
    assert show_phone(phone) == shown
