"""Every partner is told of one more and of one less, whoever is let go included."""

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.scoping import working_for
from cabinets.services import people
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]


@pytest.fixture(autouse=True)
def _sends(settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.quittance.example"


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return make_cabinet()


@pytest.fixture
def claire(firm: Cabinet) -> Membership:
    return added(firm, Role.OWNER)


def added(firm: Cabinet, role: Role, *, is_active: bool = True) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=role, is_active=is_active)


def mails() -> dict[str, str]:
    """Send what is due, and return it by address: nobody is told twice."""
    mail.outbox.clear()
    tasks.sweep_account_mails()
    found = {message.to[0]: f"{message.subject}|{message.body}" for message in mail.outbox}
    assert len(found) == len(mail.outbox)
    return found


@pytest.mark.parametrize("demoted", [False, True], ids=["let-go", "demoted"])
def test_every_partner_is_told_of_one_less_and_so_is_the_one_who_left(
    firm: Cabinet, claire: Membership, demoted: bool
) -> None:
    gone, stays, _ = added(firm, Role.OWNER), added(firm, Role.OWNER), added(firm, Role.ADMIN)

    with working_for(cabinet_id=firm.pk, member_id=claire.pk):
        if demoted:
            people.change_role(member=gone, role=Role.LAWYER, wider=False, by=claire)
        else:
            people.deactivate(member=gone, by=claire)

    told = mails()
    assert set(told) == {claire.user.email, gone.user.email, stays.user.email}
    to_gone, to_other = told[gone.user.email], told[stays.user.email]
    assert to_gone.startswith("Le cabinet compte un associé de moins|")
    assert (
        f"Vous n’avez plus le rôle d’associé du cabinet ({firm.name})\u00a0: {claire.user} vous l’a retiré." in to_gone
    )
    assert ("chacun peut encore corriger l’équipe" in to_gone, "/parametres/equipe/" in to_gone) == (True, False)
    assert f"{gone.user} n’a plus le rôle d’associé du cabinet ({firm.name})\u00a0: {claire.user} le lui a" in to_other
    assert "/parametres/equipe/" in to_other


def test_the_other_partners_are_told_of_one_more(firm: Cabinet, claire: Membership) -> None:
    with working_for(cabinet_id=firm.pk):
        offer = people.invite(email="deux@cabinet.example", role=Role.OWNER, by=claire)
    people.join(
        token=people.token_of(invitation_id=offer.pk), user=None, first_name="Zoé", last_name="Dain",
        password="lampe-verger-cuivre-nuage",
    )  # fmt: skip

    told = mails()

    assert list(told) == [claire.user.email]
    assert told[claire.user.email].startswith("Le cabinet compte un associé de plus|")
    assert f"Zoé Dain a désormais le rôle d’associé du cabinet ({firm.name}), donné par {claire.user}." in str(told)


def test_a_partner_back_or_promoted_is_one_more(firm: Cabinet, claire: Membership) -> None:
    back, lawyer = added(firm, Role.OWNER, is_active=False), added(firm, Role.LAWYER)
    with working_for(cabinet_id=firm.pk, member_id=claire.pk):
        people.reactivate(member=back, by=claire)
    assert list(mails()) == [claire.user.email]

    with working_for(cabinet_id=firm.pk, member_id=claire.pk):
        people.change_role(member=lawyer, role=Role.OWNER, wider=False, by=claire)

    assert set(mails()) == {claire.user.email, back.user.email}


def test_nobody_is_told_of_who_was_no_partner(firm: Cabinet, claire: Membership) -> None:
    member = added(firm, Role.LAWYER)

    with working_for(cabinet_id=firm.pk):
        people.change_role(member=member, role=Role.ASSISTANT, wider=False, by=claire)
        people.deactivate(member=member, by=claire)
        people.reactivate(member=member, by=claire)
        people.reactivate(member=member, by=claire)

    assert mails() == {}
