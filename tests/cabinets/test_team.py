"""The team: invited by a link used once, given a role, let go at once; a partner always remains."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.enums import RIGHTS, Right, Role
from cabinets.models import Cabinet, Invitation, JournalEntry, Membership, Session, User
from cabinets.scoping import working_for
from cabinets.services import people
from cabinets.services.people import PeopleError
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_dossier, make_member, make_user, outside_any_firm

Browse = Callable[..., FirmBrowser]
TEAM = "/parametres/equipe/"
NEW_PERSON = {"first_name": "Inès", "last_name": "Caron", "password": "lampe-verger-cuivre-nuage"}


def offer_of(email: str = "ines.caron@cabinet.example", role: Role = Role.LAWYER, *, by: Membership) -> Invitation:
    return people.invite(email=email, role=role, by=by)


def path_of(invitation: Invitation) -> str:
    return f"/invitation/{people.token_of(invitation_id=invitation.pk)}/"


def events() -> list[str]:
    return list(JournalEntry.objects.order_by("id").values_list("event", flat=True))


def test_invites_by_a_link_to_copy_when_no_mail_server_is_set(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    browser.post(TEAM, {"email": " Ines.Caron@Cabinet.example", "role": "lawyer"})

    offer = Invitation.objects.get()
    page = browser.get(TEAM).content.decode()
    assert (offer.email, offer.role, offer.invited_by_id) == ("ines.caron@cabinet.example", "lawyer", owner.pk)
    assert offer.expires_at == NOW + dt.timedelta(days=7)
    assert path_of(offer) in page
    assert "Aucun serveur d’envoi n’est réglé" in page
    assert "person.invited" in events()


def test_an_administrator_reads_no_link_that_makes_a_partner(owner: Membership, browse: Browse) -> None:
    partner, lawyer = offer_of("deux@cabinet.example", Role.OWNER, by=owner), offer_of(by=owner)

    read = browse(make_member(role=Role.ADMIN)).get(TEAM).content.decode()
    shown = browse(owner).get(TEAM).content.decode()

    assert (path_of(partner) in read, path_of(lawyer) in read) == (False, True)
    assert people.token_of(invitation_id=partner.pk) not in read
    assert ("deux@cabinet.example" in read, "seul un associé le lit ici" in read) == (True, True)
    assert (path_of(partner) in shown, path_of(lawyer) in shown) == (True, True)
    assert "seul un associé le lit ici" not in shown


def test_keeps_the_hash_of_the_token_alone(owner: Membership) -> None:
    offer = offer_of(by=owner)
    token = people.token_of(invitation_id=offer.pk)

    assert len(token) == 43
    assert bytes(Invitation.objects.get().token_hash) == people.digest_of(token)
    assert people.place_of(token=token) == (offer.pk, owner.cabinet_id)
    assert people.place_of(token=token[:-1] + "?") is None


def test_queues_the_mail_with_an_id_alone(
    owner: Membership, browse: Browse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_HOST = "smtp.example"
    queued = Mock()
    monkeypatch.setattr(tasks.send_invitation, "delay_on_commit", queued)

    page = browse(owner).post(TEAM, {"email": "ines.caron@cabinet.example", "role": "lawyer"}, follow=True)

    assert queued.call_args.args == (str(Invitation.objects.get().pk),)
    assert path_of(Invitation.objects.get()) not in page.content.decode()


def test_sends_the_link_to_the_invited_address(owner: Membership, settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.example"
    offer = offer_of(by=owner)

    with outside_any_firm():
        tasks.send_invitation(str(offer.pk))

    [message] = mail.outbox
    assert message.to == ["ines.caron@cabinet.example"]
    assert path_of(offer) in message.body
    assert "1er décembre 2026" in message.body


def test_a_new_person_joins_and_is_led_to_their_second_factor(owner: Membership, browse: Browse) -> None:
    offer = offer_of(by=owner)
    visitor = browse()

    shown = visitor.get(path_of(offer))
    easy = visitor.post(path_of(offer), {**NEW_PERSON, "password": "motdepasse1234"})
    joined = visitor.post(path_of(offer), NEW_PERSON)

    person = User.objects.get(email=offer.email)
    member = Membership.objects.get(user=person)
    assert (shown.status_code, shown.headers["Referrer-Policy"]) == (200, "same-origin")
    assert easy.status_code == 422
    assert joined.headers["Location"] == "/connexion/second-facteur/"
    assert (member.role, member.sees_every_file, str(person)) == ("lawyer", False, "Inès Caron")
    assert visitor.get(TEAM).headers["Location"] == "/connexion/second-facteur/"
    assert "person.joined" in events()


def test_an_invitation_serves_once(owner: Membership, browse: Browse) -> None:
    offer = offer_of(by=owner)
    browse().post(path_of(offer), NEW_PERSON)

    again = browse().get(path_of(offer))

    assert again.status_code == 410
    assert "Demandez une nouvelle invitation" in again.content.decode()


def test_an_invitation_ends_after_seven_days(owner: Membership, browse: Browse) -> None:
    offer = offer_of(by=owner)

    with time_machine.travel(NOW + dt.timedelta(days=7), tick=False):
        response = browse().post(path_of(offer), NEW_PERSON)

    assert response.status_code == 410
    assert not User.objects.filter(email=offer.email).exists()


def test_a_new_invitation_and_a_withdrawal_end_the_one_before(owner: Membership, browse: Browse) -> None:
    first = offer_of(by=owner)
    second = offer_of(by=owner)
    assert (browse().get(path_of(first)).status_code, browse().get(path_of(second)).status_code) == (410, 200)

    browse(owner).post(f"{TEAM}invitations/{second.pk}/annuler/")

    assert browse().get(path_of(second)).status_code == 410
    assert "invitation.revoked" in events()


def test_tells_nothing_of_a_token_it_does_not_know(db: None, browse: Browse) -> None:
    assert browse().get("/invitation/inconnu/").status_code == 404


def test_a_person_of_another_firm_joins_with_their_account(
    owner: Membership, other_cabinet: Cabinet, browse: Browse
) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = make_member(role=Role.LAWYER)
    offer = offer_of(theirs.user.email, Role.ASSISTANT, by=owner)

    visitor = browse().get(path_of(offer)).content.decode()
    browse(theirs).post(path_of(offer))

    assert "/connexion/?next=" in visitor
    assert Membership.objects.get(user=theirs.user).role == "assistant"


def test_refuses_an_invitation_made_to_somebody_else(owner: Membership, browse: Browse) -> None:
    make_user(email="ines.caron@cabinet.example")
    offer = offer_of(by=owner)
    stranger = make_member(role=Role.ASSISTANT)

    response = browse(stranger).post(path_of(offer))

    assert response.status_code == 422
    assert "adressée à une autre adresse" in response.content.decode()
    assert people.pending().filter(pk=offer.pk).exists()


def test_refuses_to_invite_a_member_again(owner: Membership, browse: Browse) -> None:
    response = browse(owner).post(TEAM, {"email": owner.user.email.upper(), "role": "lawyer"})

    assert response.status_code == 422
    assert "fait déjà partie" in response.content.decode()
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_only_partners_and_administrators_manage_the_team(owner: Membership, browse: Browse, role: Role) -> None:
    browser = browse(make_member(role=role))

    assert browser.get(TEAM).status_code == 403
    assert browser.post(f"{TEAM}{owner.pk}/", {"role": "lawyer"}).status_code == 403
    assert browser.get(f"{TEAM}droits/").status_code == 200


def test_an_administrator_can_neither_make_nor_unmake_a_partner(owner: Membership, browse: Browse) -> None:
    make_member(role=Role.OWNER)
    admin = make_member(role=Role.ADMIN)

    invited = browse(admin).post(TEAM, {"email": "ines.caron@cabinet.example", "role": "owner"})
    promoted = browse(admin).post(f"{TEAM}{admin.pk}/", {"role": "owner"})
    demoted = browse(admin).post(f"{TEAM}{owner.pk}/", {"role": "lawyer"})
    browse(admin).post(f"{TEAM}{owner.pk}/retirer/", {"current": PASSWORD})

    assert {invited.status_code, promoted.status_code, demoted.status_code} == {422}
    assert Membership.objects.get(pk=owner.pk).is_active
    assert Membership.objects.get(pk=admin.pk).role == "admin"


@pytest.mark.parametrize(
    ("role", "wider", "every_file"),
    [
        (Role.OWNER, False, True),
        (Role.ADMIN, False, True),
        (Role.ACCOUNTANT, False, True),
        (Role.LAWYER, False, False),
        (Role.LAWYER, True, True),
        (Role.ASSISTANT, False, False),
        (Role.ASSISTANT, True, True),
    ],
)
def test_a_role_says_which_dossiers_are_seen_unless_the_wider_right_is_given(
    owner: Membership, role: Role, wider: bool, every_file: bool
) -> None:
    member = make_member(role=Role.ASSISTANT)

    people.change_role(member=member, role=role, wider=wider, by=owner)

    member.refresh_from_db()
    assert (member.role, member.sees_every_file) == (role.value, every_file)


def test_a_change_of_role_is_in_force_at_the_next_page(owner: Membership, browse: Browse) -> None:
    member = make_member(role=Role.ADMIN)
    browser = browse(member)
    assert browser.get(TEAM).status_code == 200

    browse(owner).post(f"{TEAM}{member.pk}/", {"role": "assistant"})

    assert browser.get(TEAM).status_code == 403
    assert JournalEntry.objects.get(event="person.role_changed").facts == {
        "role_before": "admin",
        "role_after": "assistant",
        "every_file_before": True,
        "every_file_after": False,
    }


def test_the_last_partner_stays(owner: Membership) -> None:
    with pytest.raises(PeopleError, match="au moins un associé"):
        people.change_role(member=owner, role=Role.ADMIN, wider=False, by=owner)

    other = make_member(role=Role.OWNER)
    people.change_role(member=owner, role=Role.ADMIN, wider=False, by=other)
    with pytest.raises(PeopleError, match="au moins un associé"):
        people.change_role(member=other, role=Role.ADMIN, wider=False, by=other)


def test_nobody_shuts_themselves_out(owner: Membership) -> None:
    make_member(role=Role.OWNER)

    with pytest.raises(PeopleError, match="votre propre accès"):
        people.deactivate(member=owner, by=owner)


def test_letting_a_person_go_ends_their_sessions_at_once(owner: Membership, browse: Browse) -> None:
    member = make_member(role=Role.ASSISTANT)
    gone = browse(member)
    gone.get("/profil/securite/")
    manager = browse(owner)

    asked = manager.get(f"{TEAM}{member.pk}/retirer/")
    unproved = manager.post(f"{TEAM}{member.pk}/retirer/")
    assert (unproved.status_code, Membership.objects.get(pk=member.pk).is_active) == (422, True)
    manager.post(f"{TEAM}{member.pk}/retirer/", {"current": PASSWORD})

    assert "Retirer l’accès" in asked.content.decode()
    assert Session.objects.filter(user_id=member.user_id).count() == 0
    assert gone.get("/profil/securite/").headers["Location"].startswith("/connexion/")
    assert browse(member).get("/profil/securite/").status_code == 403
    assert "person.deactivated" in events()

    assert "Rendre l’accès" in manager.get(f"{TEAM}{member.pk}/rendre/").content.decode()
    manager.post(f"{TEAM}{member.pk}/rendre/")
    assert browse(member).get("/profil/securite/").status_code == 403
    manager.post(f"{TEAM}{member.pk}/rendre/", {"current": PASSWORD})
    assert browse(member).get("/profil/securite/").status_code == 200


def test_another_firms_member_is_not_found(owner: Membership, other_cabinet: Cabinet, browse: Browse) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = make_member(role=Role.LAWYER)
    browser = browse(owner)

    answers: list[Any] = [
        browser.get(f"{TEAM}{theirs.pk}/"),
        browser.post(f"{TEAM}{theirs.pk}/", {"role": "assistant"}),
        browser.post(f"{TEAM}{theirs.pk}/retirer/"),
        browser.post(f"{TEAM}{theirs.pk}/rendre/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        assert Membership.objects.get(pk=theirs.pk).role == "lawyer"


def test_lists_the_team_in_the_same_number_of_queries_for_one_and_for_five(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    browser.get(TEAM)
    with CaptureQueriesContext(connection) as one:
        browser.get(TEAM)
    for _ in range(4):
        make_member(role=Role.LAWYER)

    with CaptureQueriesContext(connection) as five:
        browser.get(TEAM)

    assert len(one) == len(five)


def test_the_table_of_rights_is_the_one_that_is_applied(owner: Membership, browse: Browse) -> None:
    page = browse(owner).get(f"{TEAM}droits/").content.decode()

    row = re.search(r"Approuver une mise en demeure</th>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r"Oui|Non", row[1]) == ["Oui", "Non", "Oui", "Non", "Non"]
    assert page.count(">Oui<") == sum(len(rights) for rights in RIGHTS.values())
    assert all(right.label in page for right in Right)


def test_a_lawyer_given_the_wider_right_sees_every_dossier(owner: Membership) -> None:
    make_dossier()
    member = make_member(role=Role.LAWYER)
    people.change_role(member=member, role=Role.LAWYER, wider=True, by=owner)

    assert member.can(Right.SEE_EVERY_FILE)


def test_signs_in_with_the_password_chosen_when_joining(owner: Membership, browse: Browse) -> None:
    offer = offer_of(by=owner)
    browse().post(path_of(offer), NEW_PERSON)

    response = browse().post("/connexion/", {"email": offer.email, "password": NEW_PERSON["password"]})

    assert response.status_code == 302
    assert NEW_PERSON["password"] != PASSWORD
