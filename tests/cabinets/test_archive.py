"""The intermediate archive: nobody reads it but who says why, for an hour; something new brings a client back."""

import contextlib
import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from cabinets import crypto, sealing, tasks
from cabinets.enums import Role
from cabinets.errors import ArchivedError, RightMissingError
from cabinets.models import ArchivedKey, ArchiveOpening, Cabinet, Client, Contact, DataKey, JournalEntry, Membership
from cabinets.scoping import working_for
from cabinets.services import archive, keys
from cabinets.services.archive import ArchiveError
from cabinets.services.clients import ClientFacts, ContactFacts, create_client, create_contact, update_client
from cabinets.services.search import find_clients
from dunning.services import evidence
from tests.architecture.test_urls import PATTERNS
from tests.cabinets.test_rotation import add_version
from tests.conftest import NOW, FirmBrowser
from tests.dunning.test_evidence import depart
from tests.factories.cabinets import make_cabinet, make_client, make_contact, make_dossier, make_member

DAY = NOW.date()
HOUR = dt.timedelta(hours=1)
WHY = "Contestation reçue le 20 novembre"


@pytest.fixture
def put_away(cabinet: Cabinet) -> Client:
    """Return a client in the archive, with a contact and a dossier."""
    facts = ClientFacts(company="Menuiserie Roux", email="roux@exemple.test", phone="0612345678", postcode="75002")
    client = create_client(facts=facts)
    create_contact(client_id=client.pk, facts=ContactFacts(last_name="Roux", email="paul@exemple.test"))
    make_dossier(client=client, reference="2021-044", title="Bail commercial")
    assert archive.put_away([client.pk], on=DAY) == 1
    return client


def read(member: Membership, client: Client) -> tuple[str, str, str]:
    """What a person reads of a client, of a contact and of a dossier."""
    with working_for(cabinet_id=member.cabinet_id, member_id=member.pk):
        row = Client.objects.get(pk=client.pk)
        contact, dossier = row.contacts.get(), row.dossiers.get()
        return row.display_name, contact.display_name, str(dossier.title)


def events(name: str) -> int:
    return JournalEntry.objects.filter(event=name).count()


NOTHING = ("Client archivé", "Contact archivé", "")
ALL = ("Menuiserie Roux", "Roux", "Bail commercial")


@pytest.mark.parametrize("role", list(Role))
def test_nobody_reads_an_archived_client_and_two_roles_may_open_it(put_away: Client, role: Role) -> None:
    member = make_member(role=role, sees_every_file=True)
    assert read(member, put_away) == NOTHING

    if role in {Role.OWNER, Role.ADMIN}:
        archive.open_for(client_id=put_away.pk, by=member, reason=WHY)
        assert read(member, put_away) == ALL
    else:
        with pytest.raises(RightMissingError, match="Ouvrir l’archive d’un client"):
            archive.open_for(client_id=put_away.pk, by=member, reason=WHY)
        with pytest.raises(RightMissingError, match="Ouvrir l’archive d’un client"):
            archive.bring_back(client_id=put_away.pk, by=member)
        assert not ArchiveOpening.objects.exists()
        assert read(member, put_away) == NOTHING


def test_an_opening_is_one_persons_for_one_client_and_one_hour(put_away: Client, owner: Membership) -> None:
    other_person, other_client = make_member(), make_client(company="Autre")
    archive.put_away([other_client.pk], on=DAY)

    opening = archive.open_for(client_id=put_away.pk, by=owner, reason=f"  {WHY} ")

    assert (opening.reason, opening.ends_at - opening.opened_at) == (WHY, HOUR)
    assert archive.open_for(client_id=put_away.pk, by=owner, reason="Encore") == opening
    assert read(owner, put_away) == ALL
    assert read(other_person, put_away) == NOTHING
    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        assert Client.objects.get(pk=other_client.pk).display_name == "Client archivé"
    with time_machine.travel(NOW + HOUR - dt.timedelta(seconds=1), tick=False):
        assert read(owner, put_away) == ALL
    with time_machine.travel(NOW + HOUR, tick=False):
        assert read(owner, put_away) == NOTHING
    assert (events("archive.opened"), events("archive.over")) == (1, 0)


def test_an_opening_is_closed_by_hand(put_away: Client, owner: Membership) -> None:
    archive.open_for(client_id=put_away.pk, by=owner, reason=WHY)

    archive.close(client_id=put_away.pk, by=owner)
    archive.close(client_id=put_away.pk, by=owner)

    assert read(owner, put_away) == NOTHING
    assert events("archive.closed") == 1


@pytest.mark.parametrize(("reason", "said"), [("", archive.NO_REASON), ("  \n ", archive.NO_REASON)])
def test_an_archive_opens_for_a_reason(put_away: Client, owner: Membership, reason: str, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        archive.open_for(client_id=put_away.pk, by=owner, reason=reason)

    assert not ArchiveOpening.objects.exists()


def test_refuses_to_open_or_bring_back_who_is_not_archived(owner: Membership) -> None:
    client = make_client()

    for act in (
        lambda: archive.open_for(client_id=client.pk, by=owner, reason=WHY),
        lambda: archive.bring_back(client_id=client.pk, by=owner),
    ):
        with pytest.raises(ArchiveError, match=archive.NOT_ARCHIVED):
            act()
    assert not ArchiveOpening.objects.exists()


def test_the_database_hands_an_archived_key_to_nobody_else(put_away: Client, owner: Membership) -> None:
    """Raw SQL, as the application's own role in a person's place."""
    seen = "SELECT count(*) FROM cabinets_archivedkey"
    daily = "SELECT count(*) FROM cabinets_datakey WHERE subject_id = %s AND wrapped IS NOT NULL"

    def counted(member: Membership | None) -> tuple[int, int]:
        member_id = member.pk if member else None
        with working_for(cabinet_id=owner.cabinet_id, member_id=member_id), connection.cursor() as cursor:
            cursor.execute(seen)
            (kept,) = cursor.fetchone()
            cursor.execute(daily, [put_away.pk])
            return kept, cursor.fetchone()[0]

    assert counted(owner) == (0, 0)
    assert counted(None) == (1, 0)
    archive.open_for(client_id=put_away.pk, by=owner, reason=WHY)
    assert counted(owner) == (1, 0)
    archive.close(client_id=put_away.pk, by=owner)
    assert counted(owner) == (0, 0)


def test_no_opening_lasts_longer_than_an_hour(put_away: Client, owner: Membership) -> None:
    late = ArchiveOpening(client=put_away, member=owner, opened_at=NOW, ends_at=NOW + HOUR + dt.timedelta(seconds=1))

    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        late.save(force_insert=True)

    assert not ArchiveOpening.objects.exists()


@pytest.mark.parametrize("is_open", [False, True])
def test_a_person_changes_nothing_in_the_archive(put_away: Client, owner: Membership, is_open: bool) -> None:
    if is_open:
        archive.open_for(client_id=put_away.pk, by=owner, reason=WHY)
    before = list(Client.objects.filter(pk=put_away.pk).values())

    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        for act in (
            lambda: update_client(client_id=put_away.pk, facts=ClientFacts(company="Autre nom")),
            lambda: create_contact(client_id=put_away.pk, facts=ContactFacts(last_name="Neuf")),
        ):
            with pytest.raises(ArchivedError, match="Ce client est en archive"):
                act()

    sealing.forget_keys()
    assert list(Client.objects.filter(pk=put_away.pk).values()) == before
    assert Contact.objects.filter(client=put_away).count() == 1


def test_what_is_withheld_is_never_written_back_as_nothing(put_away: Client, owner: Membership) -> None:
    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        row = Client.objects.get(pk=put_away.pk)
        row.company = row.company
        with pytest.raises(ArchivedError), transaction.atomic():
            row.save(update_fields=["company"])
        untouched = Client.objects.get(pk=put_away.pk)
        untouched.is_strategic = True
        untouched.save()

    archive.bring_back(client_id=put_away.pk, by=owner)
    assert read(owner, put_away) == ALL


def test_something_new_from_outside_brings_a_client_back(put_away: Client, owner: Membership) -> None:
    archive.open_for(client_id=put_away.pk, by=owner, reason=WHY)

    # The product itself writes: a reply arrived, a payment came.
    make_contact(client=Client.objects.get(pk=put_away.pk), last_name="Nouvelle")

    client = Client.objects.get(pk=put_away.pk)
    assert (client.archived_on, client.returned_on) == (None, DAY)
    assert not ArchivedKey.objects.exists()
    assert not ArchiveOpening.objects.filter(closed_at=None).exists()
    assert events("client.returned") == 1
    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        assert Client.objects.get(pk=put_away.pk).display_name == "Menuiserie Roux"


def test_who_was_brought_back_by_an_act_that_was_refused_is_brought_back_by_the_next(put_away: Client) -> None:
    make_contact(client=put_away)
    assert Client.objects.get(pk=put_away.pk).archived_on is None
    archive.put_away([put_away.pk], on=DAY)

    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        make_contact(client=put_away)
        raise ZeroDivisionError
    assert Client.objects.get(pk=put_away.pk).archived_on == DAY
    make_contact(client=put_away)

    assert Client.objects.get(pk=put_away.pk).archived_on is None


def test_putting_away_twice_and_bringing_back_twice_do_it_once(put_away: Client, owner: Membership) -> None:
    assert archive.put_away([put_away.pk], on=DAY) == 0
    assert archive.give_back([put_away.pk]) == 1
    assert archive.give_back([put_away.pk]) == 0
    assert (events("client.archived"), events("client.returned")) == (1, 1)
    assert read(owner, put_away) == ALL


@pytest.mark.parametrize(
    "text", ["Menuiserie ROUX", "roux@exemple.test", "paul@exemple.test", "06 12 34 56 78", "2021-044"]
)
def test_the_archive_finds_whom_one_names_and_the_daily_search_does_not(put_away: Client, text: str) -> None:
    assert archive.find(text) == [put_away]
    assert find_clients(text) == []


@pytest.mark.parametrize("text", ["", "Menuiserie", "Rou", "roux@", "2021", "%", "0612345679"])
def test_the_archive_is_not_leafed_through(put_away: Client, text: str) -> None:
    assert archive.find(text) == []


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_renewed_keys_of_the_archive_stay_as_far_away_and_open_what_they_sealed() -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        owner, client = make_member(), make_client(company="Menuiserie Roux")
        make_contact(client=client, last_name="Roux")
        make_dossier(client=client, title="Bail commercial")
        archive.put_away([client.pk], on=DAY)

    assert keys.reseal(cabinet_id=firm.pk) == 3
    assert keys.rewrap_keys(cabinet_id=firm.pk) == 0

    sealing.forget_keys()
    assert read(owner, client) == NOTHING
    with working_for(cabinet_id=firm.pk):
        assert DataKey.objects.filter(subject_id=client.pk).exclude(wrapped=None).count() == 0
        assert ArchivedKey.objects.filter(client=client).count() == 2
        archive.bring_back(client_id=client.pk, by=owner)
    assert read(owner, client) == ALL


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_an_archived_key_is_wrapped_anew_like_the_others(settings: Settings) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = make_client()
        archive.put_away([client.pk], on=DAY)
        count = DataKey.objects.exclude(wrapped=None).count() + 1
    add_version(settings)

    assert keys.rewrap_keys(cabinet_id=firm.pk) == count

    with working_for(cabinet_id=firm.pk):
        kept = ArchivedKey.objects.get(client=client)
        assert crypto.version_of(bytes(kept.wrapped)) == 9
        sealing.forget_keys()
        assert Client.objects.get(pk=client.pk).email == client.email


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_hour_that_is_over_is_noted_once() -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        owner, client = make_member(), make_client()
        archive.put_away([client.pk], on=DAY)
        opening = archive.open_for(client_id=client.pk, by=owner, reason=WHY)

    assert tasks.close_archives() == 0
    with time_machine.travel(NOW + HOUR, tick=False):
        assert (tasks.close_archives(), tasks.close_archives()) == (1, 0)

    with working_for(cabinet_id=firm.pk):
        assert ArchiveOpening.objects.get().closed_at == opening.ends_at
        assert events("archive.over") == 1


def test_the_pages_open_close_and_bring_back(
    put_away: Client, owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    browser = browse(owner)
    page, opening = f"/clients/{put_away.pk}/", f"/rgpd/archive/{put_away.pk}/"

    shut = browser.get(page).content.decode()
    assert "Client archivé" in shut
    assert "2021-044" in shut
    assert "Menuiserie" not in shut
    found = browser.get("/rgpd/archive/", {"q": "menuiserie roux"}).content.decode()
    assert "2021-044" in found
    assert "Roux" not in found.replace("menuiserie roux", "")
    assert browser.post(opening, {"reason": " "}).status_code == 422
    assert not ArchiveOpening.objects.exists()
    assert browser.post(opening, {"reason": WHY}).headers["Location"] == page

    read_page = browser.get(page).content.decode()
    assert "Menuiserie Roux" in read_page
    assert WHY in read_page
    refused = browser.post(
        f"/clients/{put_away.pk}/contacts/ajouter/", {"role": "other", "civility": "none", "last_name": "Neuf"}
    )
    assert refused.status_code == 403
    assert "Ce client est en archive" in refused.content.decode()
    browser.post(f"{opening}refermer/")
    assert "Menuiserie" not in browser.get(page).content.decode()
    browser.post(f"{opening}sortir/")
    assert "Menuiserie Roux" in browser.get(page).content.decode()
    assert Contact.objects.filter(client=put_away).count() == 1
    assert (events("archive.opened"), events("archive.closed"), events("client.returned")) == (1, 1, 1)


FEWEST_PAGES = 15
CLIENT_PAGES = sorted(
    "/" + address.replace("<uuid:client_id>", "{client}")
    for address, _ in PATTERNS
    if address.startswith("clients/<uuid:client_id>/") and address.count("<") == 1
)


@pytest.mark.parametrize("page", CLIENT_PAGES)
def test_every_page_of_an_archived_client_is_shut_until_it_is_opened(
    put_away: Client, owner: Membership, browse: Callable[[Membership | None], FirmBrowser], page: str
) -> None:
    browser, address = browse(owner), page.format(client=put_away.pk)
    is_fiche = page == "/clients/{client}/"

    shut = browser.get(address)

    assert (shut.status_code, "archiv" in shut.content.decode()) == (200 if is_fiche else 403, True)
    assert "Menuiserie" not in shut.content.decode()
    assert browser.post(address, {}).status_code == (405 if is_fiche else 403)


def test_the_chain_of_proofs_holds_for_who_reads_nothing_of_the_archive(owner: Membership) -> None:
    archive.put_away([depart().client_id], on=DAY)

    with working_for(cabinet_id=owner.cabinet_id, member_id=owner.pk):
        verdict = evidence.verify()

    assert (verdict.holds, verdict.erased) == (True, 0)
    assert verdict.links > 0


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_the_pages_are_shut_to_the_other_roles(
    put_away: Client, role: Role, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    browser = browse(make_member(role=role, sees_every_file=True))
    opening = f"/rgpd/archive/{put_away.pk}/"

    page = browser.get(f"/clients/{put_away.pk}/").content.decode()
    assert "Un associé ou un administrateur peut l’ouvrir" in page
    assert browser.get("/rgpd/archive/").status_code == 403
    for address in (opening, f"{opening}refermer/", f"{opening}sortir/"):
        assert browser.post(address, {"reason": WHY}).status_code == 403
    assert not ArchiveOpening.objects.exists()
    assert Client.objects.get(pk=put_away.pk).archived_on == DAY


def test_a_list_shows_nothing_of_an_archived_client(
    put_away: Client, owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    make_client(company="Boulangerie Petit")

    page = browse(owner).get("/clients/").content.decode()

    assert "Boulangerie Petit" in page
    assert "Menuiserie" not in page
    assert "Client archivé" not in page


def test_the_pages_of_clients_are_all_here() -> None:
    assert len(CLIENT_PAGES) >= FEWEST_PAGES
