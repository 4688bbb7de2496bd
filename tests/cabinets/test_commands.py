"""Commands of who runs the service: keys that change, codes of the demonstration, operators, firms."""

import base64
import io
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from cabinets import crypto, totp
from cabinets.enums import KeyPurpose, Role
from cabinets.models import Client, DataKey, Invitation, Membership, TotpDevice, User
from cabinets.scoping import working_for
from cabinets.sealing import forget_keys, keks
from cabinets.services import people, second_factor
from tests.conftest import NOW
from tests.factories.cabinets import make_cabinet, make_client, make_member


def run(command: str, /, **options: object) -> str:
    said = StringIO()
    call_command(command, stdout=said, **options)
    return said.getvalue()


def add_key(settings: Settings) -> None:
    fresh = base64.b64encode(b"n" * 32).decode()
    settings.KEY_ENCRYPTION_KEYS = f"{settings.KEY_ENCRYPTION_KEYS},9:{fresh}"


def test_wraps_every_key_and_second_factor_again_under_the_newest(committed: None, settings: Settings) -> None:
    firm = make_cabinet(slug="aubry")
    with working_for(cabinet_id=firm.pk):
        client = make_client(company="Société Discrète")
        member = make_member()
    second_factor.install(user=member.user)
    add_key(settings)

    said = run("rotate_keys")
    again = run("rotate_keys")

    settings.KEY_ENCRYPTION_KEYS = settings.KEY_ENCRYPTION_KEYS.split(",")[-1]
    forget_keys()
    with working_for(cabinet_id=firm.pk):
        versions = {
            crypto.version_of(bytes(wrapped or b"")) for wrapped in DataKey.objects.values_list("wrapped", flat=True)
        }
        assert Client.objects.get(pk=client.pk).company == "Société Discrète"
    device = TotpDevice.objects.get(user=member.user)
    assert versions == {9}
    assert len(totp.open_seed(bytes(device.seed), user_id=member.user_id, ring=keks())) == 20
    assert "second factors: 1 sealed again" in said
    assert re.findall(r": (\d+)", again) == ["0", "0"]


def test_seals_a_firm_again_with_new_keys_and_leaves_its_neighbour(committed: None) -> None:
    firm, neighbour = make_cabinet(slug="aubry"), make_cabinet(slug="voisin")
    with working_for(cabinet_id=firm.pk):
        clients = [make_client(company=f"Société {number}") for number in range(3)]
        before = set(DataKey.objects.filter(is_active=True, purpose=KeyPurpose.CLIENT).values_list("pk", flat=True))
    with working_for(cabinet_id=neighbour.pk):
        make_client()
        theirs = set(DataKey.objects.values_list("pk", flat=True))

    said = run("rotate_keys", reseal="aubry")

    forget_keys()
    with working_for(cabinet_id=firm.pk):
        active = set(DataKey.objects.filter(is_active=True, purpose=KeyPurpose.CLIENT).values_list("pk", flat=True))
        found = {client.pk: client for client in Client.objects.all()}
        used = {crypto.key_id_of(client.__dict__["company"]) for client in found.values()}
        names = sorted(str(client.company) for client in found.values())
    with working_for(cabinet_id=neighbour.pk):
        assert set(DataKey.objects.values_list("pk", flat=True)) == theirs
    assert names == ["Société 0", "Société 1", "Société 2"]
    assert set(found) == {client.pk for client in clients}
    assert used == active
    assert active.isdisjoint(before)
    assert "aubry: 3 rows sealed again" in said


def test_refuses_to_seal_a_firm_nobody_knows(committed: None) -> None:
    with pytest.raises(CommandError, match="nothing was changed"):
        run("rotate_keys", reseal="personne")


def test_prints_the_code_of_a_demonstrations_partner(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", NOW.timestamp)
    firm = make_cabinet(is_demo=True, demo_on=NOW.date())
    with working_for(cabinet_id=firm.pk):
        member = make_member()
    second_factor.install(user=member.user)

    said = run("demo_code")
    code = re.search(r": (\d{6})$", said.strip())

    assert code is not None
    assert said.startswith(member.user.email)
    assert second_factor.accept(user=member.user, code=code[1]) is not None
    assert "accepté dans 30 s" in run("demo_code", email=member.user.email.upper())


def test_refuses_the_code_of_anybody_who_is_not_only_in_a_demonstration(committed: None) -> None:
    demo, real = make_cabinet(is_demo=True, demo_on=NOW.date()), make_cabinet()
    with working_for(cabinet_id=real.pk):
        lawyer = make_member()
        both = make_member()
    with working_for(cabinet_id=demo.pk):
        make_member(user=both.user)
    for user in (lawyer.user, both.user):
        second_factor.install(user=user)

    for email in (lawyer.user.email, both.user.email, "inconnu@ailleurs.example"):
        with pytest.raises(CommandError, match="démonstration"):
            run("demo_code", email=email)


def test_says_that_there_is_no_demonstration(committed: None) -> None:
    with pytest.raises(CommandError, match="Aucun cabinet"):
        run("demo_code")


def test_creates_an_operator_whose_password_is_never_an_argument(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("lampe-verger-cuivre-nuage\n"))

    run("create_operator", email="Exploitation@Quittance.example")

    user = User.objects.get(email="exploitation@quittance.example")
    assert (user.is_staff, user.is_superuser, user.check_password("lampe-verger-cuivre-nuage")) == (True, True, True)


@pytest.mark.parametrize(
    ("email", "password"),
    [("exploitation@quittance.example", "motdepasse1234"), ("exploitation", "lampe-verger-cuivre-nuage")],
)
def test_refuses_an_operator_with_a_poor_password_or_no_address(
    db: None, monkeypatch: pytest.MonkeyPatch, email: str, password: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))

    with pytest.raises(CommandError):
        run("create_operator", email=email)

    assert not User.objects.exists()


def test_opens_a_firm_that_is_silent_and_invites_its_first_partner(committed: None) -> None:
    said = run("create_firm", name="Aubry Lenoir", owner="claire@aubry.example")

    with pytest.raises(CommandError, match="--slug"):
        run("create_firm", name="Aubry Lenoir", owner="claire@aubry.example")

    [token] = re.findall(r"/invitation/([\w-]+)/", said)
    found = people.place_of(token=token)
    assert found is not None
    row, cabinet_id = found
    with working_for(cabinet_id=cabinet_id):
        offer = Invitation.objects.select_related("cabinet").get(pk=row)
        assert (offer.email, offer.role, offer.cabinet.slug) == ("claire@aubry.example", "owner", "aubry-lenoir")
        assert not offer.cabinet.is_live
        assert not Membership.objects.filter(role=Role.OWNER).exists()
