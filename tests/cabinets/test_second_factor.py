"""The second factor: asked of everybody, set up once, accepted once, and recovered with codes used once."""

import base64
import datetime as dt
import re
import threading
from collections.abc import Callable

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticToken
from pytest_django.fixtures import Settings

from cabinets import tasks, totp
from cabinets.enums import Right, Role
from cabinets.models import JournalEntry, Membership, Session, TotpDevice, User
from cabinets.sealing import keks
from cabinets.services import second_factor
from cabinets.services.second_factor import SecondFactorLockedError
from cabinets.services.sign_in import PENDING
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_member, make_user

Browse = Callable[..., FirmBrowser]
SEED = b"12345678901234567890"


def enrol(user: User) -> TotpDevice:
    device: TotpDevice = TotpDevice.objects.update_or_create(
        user=user,
        defaults={
            "name": "Application",
            "confirmed": True,
            "seed": totp.seal(SEED, user_id=user.pk, ring=keks()),
            "last_step": -1,
        },
    )[0]
    return device


def code_now(*, late: float = 0) -> str:
    return totp.code_at(SEED, totp.step_at(NOW.timestamp() - late))


def past_the_password(browser: FirmBrowser, member: Membership) -> FirmBrowser:
    browser.post("/connexion/", {"email": member.user.email, "password": PASSWORD})
    return browser


def seed_shown(page: str) -> bytes:
    found = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
    assert found is not None
    return base64.b32decode(found[1].replace(" ", ""))


def seed_kept(user: User) -> bytes:
    sealed = bytes(TotpDevice.objects.get(user=user).seed)
    return totp.open_seed(sealed, user_id=user.pk, ring=keks())


def test_keeps_every_page_shut_until_the_second_factor_is_proven(owner: Membership, browse: Browse) -> None:
    enrol(owner.user)
    browser = past_the_password(browse(), owner)

    response = browser.get("/profil/securite/")

    assert (response.status_code, response.headers["Location"]) == (302, "/connexion/second-facteur/")
    assert browser.get("/connexion/second-facteur/").headers["Location"] == "/connexion/code/"


def test_enrols_at_the_first_sign_in_and_shows_ten_codes_once(owner: Membership, browse: Browse) -> None:
    browser = past_the_password(browse(), owner)
    page = browser.get("/connexion/second-facteur/").content.decode()
    seed = seed_shown(page)
    wrong = browser.post("/connexion/second-facteur/", {"code": "000000"})

    done = browser.post("/connexion/second-facteur/", {"code": totp.code_at(seed, totp.step_at(NOW.timestamp()))})

    codes = re.findall(r"<code class=\"number\">([0-9A-Z-]{14})</code>", done.content.decode())
    assert wrong.status_code == 422
    assert (done.status_code, len(codes), len(set(codes))) == (200, 10, 10)
    assert PENDING not in browser.session
    assert browser.get("/profil/securite/").status_code == 200
    assert codes[0] not in browser.get("/profil/securite/").content.decode()
    assert JournalEntry.objects.filter(event="person.signed_in", facts={"how": "enrolment"}).count() == 1


def test_draws_the_qr_code_without_a_style_the_policy_would_refuse(owner: Membership, browse: Browse) -> None:
    page = past_the_password(browse(), owner).get("/connexion/second-facteur/").content.decode()

    assert "<svg" in page
    assert 'style="' not in page
    assert "<style" not in page


def test_keeps_the_seed_sealed_in_the_session_and_in_the_database(owner: Membership, browse: Browse) -> None:
    browser = past_the_password(browse(), owner)
    seed = seed_shown(browser.get("/connexion/second-facteur/").content.decode())
    kept = base64.b64decode(browser.session[PENDING])
    browser.post("/connexion/second-facteur/", {"code": totp.code_at(seed, totp.step_at(NOW.timestamp()))})

    stored = bytes(TotpDevice.objects.get(user=owner.user).seed)

    assert seed not in kept
    assert seed not in stored
    assert totp.open_seed(stored, user_id=owner.user_id, ring=keks()) == seed


def test_accepts_a_code_of_the_application_under_a_new_session_key(owner: Membership, browse: Browse) -> None:
    enrol(owner.user)
    browser = past_the_password(browse(), owner)
    before = browser.session.session_key
    code = code_now()

    response = browser.post("/connexion/code/", {"code": f"{code[:3]} {code[3:]}"})

    assert response.headers["Location"] == "/tableau-de-bord/"
    assert browser.session.session_key != before
    assert Session.objects.filter(user_id=owner.user_id).count() == 1
    assert browser.get("/profil/securite/").status_code == 200


def test_django_otp_finds_our_device_again_from_its_identifier(owner: Membership) -> None:
    device = enrol(owner.user)

    assert device.persistent_id == f"cabinets.totpdevice/{device.pk}"
    assert Device.from_persistent_id(device.persistent_id) == device


@pytest.mark.parametrize("later", [0, 29, 31, 61])
def test_never_accepts_the_same_code_twice(owner: Membership, later: int) -> None:
    enrol(owner.user)
    code = code_now()
    assert second_factor.accept(user=owner.user, code=code) is not None

    with time_machine.travel(NOW + dt.timedelta(seconds=later), tick=False):
        again = second_factor.accept(user=owner.user, code=code)

    assert again is None


def test_never_goes_back_to_the_code_before_the_last_accepted(owner: Membership) -> None:
    enrol(owner.user)
    assert second_factor.accept(user=owner.user, code=code_now()) is not None

    assert second_factor.accept(user=owner.user, code=code_now(late=30)) is None


def test_accepts_the_code_of_the_step_before_and_not_an_older_one(owner: Membership) -> None:
    enrol(owner.user)

    assert second_factor.accept(user=owner.user, code=code_now(late=60)) is None
    assert second_factor.accept(user=owner.user, code=code_now(late=30)) is not None


def test_locks_after_five_wrong_codes_and_says_how_long(owner: Membership, browse: Browse) -> None:
    enrol(owner.user)
    browser = past_the_password(browse(), owner)
    for _ in range(5):
        browser.post("/connexion/code/", {"code": "000000"})

    refused = browser.post("/connexion/code/", {"code": code_now()})

    assert refused.status_code == 422
    assert "Réessayez dans 5 minutes" in refused.content.decode()
    assert JournalEntry.objects.filter(event="second_factor.refused").count() == 5
    with time_machine.travel(NOW + dt.timedelta(minutes=5), tick=False):
        later = totp.code_at(SEED, totp.step_at(NOW.timestamp() + 300))
        assert browser.post("/connexion/code/", {"code": later}).headers["Location"] == "/tableau-de-bord/"


def test_a_right_code_gives_every_try_back(owner: Membership) -> None:
    enrol(owner.user)
    for _ in range(4):
        second_factor.accept(user=owner.user, code="000000")
    assert second_factor.accept(user=owner.user, code=code_now()) is not None

    for _ in range(4):
        assert second_factor.accept(user=owner.user, code="000000") is None
    assert TotpDevice.objects.get(user=owner.user).failures == 4


def test_accepts_one_of_a_hundred_submissions_at_once(committed: None) -> None:
    user = make_user()
    enrol(user)
    code, accepted, start = code_now(), [], threading.Barrier(10)

    def submit() -> None:
        start.wait()
        for _ in range(10):
            try:
                accepted.append(second_factor.accept(user=user, code=code))
            except SecondFactorLockedError:
                accepted.append(None)
        connections.close_all()

    threads = [threading.Thread(target=submit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(accepted) == 100
    assert sum(device is not None for device in accepted) == 1


def test_a_recovery_code_opens_once_however_it_is_typed(owner: Membership, browse: Browse) -> None:
    enrol(owner.user)
    code = second_factor.renew_recovery_codes(user=owner.user)[3]
    browser = past_the_password(browse(), owner)

    response = browser.post("/connexion/code/?secours=1", {"code": f" {code.lower().replace('-', ' ')} "})
    again = past_the_password(browse(), owner).post("/connexion/code/?secours=1", {"code": code})

    assert response.headers["Location"] == "/tableau-de-bord/"
    assert "il vous en reste 9" in browser.get("/profil/securite/").content.decode()
    assert again.status_code == 422


def test_keeps_hashes_of_recovery_codes_only(owner: Membership) -> None:
    codes = second_factor.renew_recovery_codes(user=owner.user)

    stored = set(StaticToken.objects.filter(device__user=owner.user).values_list("token", flat=True))

    assert len(stored) == 10
    assert stored == {second_factor.hashed(code.replace("-", ""), user_id=owner.user_id) for code in codes}
    assert stored.isdisjoint({code.replace("-", "") for code in codes})


def test_new_recovery_codes_replace_the_old_after_the_password(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    old = second_factor.renew_recovery_codes(user=owner.user)

    refused = browser.post("/profil/securite/codes/", {"current": "faux"})
    shown = browser.post("/profil/securite/codes/", {"current": PASSWORD})

    assert (refused.status_code, shown.status_code) == (422, 200)
    assert shown.content.decode().count('<code class="number">') == 10
    assert second_factor.accept(user=owner.user, code=old[0]) is None


def test_changes_the_application_after_the_password_and_keeps_the_old_until_confirmed(
    owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    enrol(owner.user)
    browser.post("/profil/securite/application/", {"current": PASSWORD})
    seed = seed_shown(browser.get("/profil/securite/application/").content.decode())
    browser.post("/profil/securite/application/", {"code": "000000"})
    assert seed_kept(owner.user) == SEED

    browser.post("/profil/securite/application/", {"code": totp.code_at(seed, totp.step_at(NOW.timestamp()))})

    assert seed_kept(owner.user) == seed


def test_a_change_of_application_begun_and_left_asks_the_password_again(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    enrol(owner.user)
    page = "/profil/securite/application/"
    browser.post(page, {"current": PASSWORD})
    with time_machine.travel(NOW + dt.timedelta(minutes=5), tick=False):
        seed = seed_shown(browser.get(page).content.decode())
        browser.post(page, {"start": "oui"})
        seed = seed_shown(browser.get(page).content.decode())

    with time_machine.travel(NOW + dt.timedelta(minutes=5, seconds=1), tick=False):
        code = totp.code_at(seed, totp.step_at((NOW + dt.timedelta(minutes=5, seconds=1)).timestamp()))
        asked = browser.get(page).content.decode()
        changed = browser.post(page, {"code": code})

    assert (changed.status_code, "Votre mot de passe actuel" in asked, "data-copy" in asked) == (422, True, False)
    assert (seed_kept(owner.user), PENDING in browser.session) == (SEED, False)
    assert JournalEntry.objects.filter(event="second_factor.application_changed").count() == 0


def test_lists_the_sessions_of_the_person_alone_and_ends_one_or_all_others(owner: Membership, browse: Browse) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"
    browsers = [past_the_password(browse(), owner) for _ in range(2)]
    enrol(owner.user)
    other = FirmBrowser(headers={"user-agent": phone})
    other.post("/connexion/", {"email": owner.user.email, "password": PASSWORD})
    stranger = browse(make_member(role=Role.LAWYER))
    here = browse(owner)

    page = here.get("/profil/securite/").content.decode()
    references = re.findall(r"/sessions/([0-9a-f]{16})/terminer/", page)

    assert "Safari sur iPhone" in page
    assert len(references) == 3
    assert all(str(browser.session.session_key) not in page for browser in [*browsers, other])
    assert stranger.post(f"/profil/securite/sessions/{references[0]}/terminer/").status_code == 404
    here.post(f"/profil/securite/sessions/{references[0]}/terminer/")
    assert Session.objects.filter(user_id=owner.user_id).count() == 3
    here.post("/profil/securite/sessions/terminer/")
    assert Session.objects.filter(user_id=owner.user_id).count() == 1
    assert here.get("/profil/securite/").status_code == 200


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(owner: Membership, browse: Browse) -> None:
    here, elsewhere = browse(owner), browse(owner)

    here.post("/profil/securite/mot-de-passe/", {"current": PASSWORD, "password": "lampe-verger-cuivre-nuage"})

    assert here.get("/profil/securite/").status_code == 200
    assert elsewhere.get("/profil/securite/").headers["Location"].startswith("/connexion/")
    assert JournalEntry.objects.filter(event="person.password_changed").count() == 1


def test_changing_the_application_ends_the_other_sessions_and_is_told(
    owner: Membership, browse: Browse, settings: Settings
) -> None:
    settings.EMAIL_HOST = "smtp.quittance.test"
    here, elsewhere = browse(owner), browse(owner)
    here.post("/profil/securite/application/", {"current": PASSWORD})
    seed = seed_shown(here.get("/profil/securite/application/").content.decode())
    before = here.session.session_key

    here.post("/profil/securite/application/", {"code": totp.code_at(seed, totp.step_at(NOW.timestamp()))})
    tasks.sweep_account_mails()

    assert here.session.session_key != before
    assert here.get("/profil/securite/").status_code == 200
    assert elsewhere.get("/profil/securite/").headers["Location"].startswith("/connexion/")
    assert Session.objects.filter(user_id=owner.user_id).count() == 1
    assert JournalEntry.objects.filter(event="second_factor.application_changed").count() == 1
    assert [message.subject for message in mail.outbox] == ["Votre application d’authentification a changé"]


def test_new_codes_and_a_new_password_are_told_by_mail(owner: Membership, browse: Browse, settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.quittance.test"
    browser = browse(owner)

    browser.post("/profil/securite/codes/", {"current": PASSWORD})
    browser.post("/profil/securite/mot-de-passe/", {"current": PASSWORD, "password": "lampe-verger-cuivre-nuage"})
    tasks.sweep_account_mails()

    assert [message.subject for message in mail.outbox] == [
        "Vos codes de secours ont changé",
        "Votre mot de passe a changé",
    ]
    assert {tuple(message.to) for message in mail.outbox} == {(owner.user.email,)}
    assert "lampe" not in "".join(str(message.body) for message in mail.outbox)


def test_turns_the_shortcuts_off_and_on(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    browser.post("/profil/securite/raccourcis/", {})
    assert 'data-shortcuts="off"' in browser.get("/profil/securite/").content.decode()
    browser.post("/profil/securite/raccourcis/", {"shortcuts": "on"})
    assert 'data-shortcuts="off"' not in browser.get("/profil/securite/").content.decode()


def test_a_person_of_no_firm_is_told_so(db: None, browse: Browse) -> None:
    user = make_user()
    enrol(user)
    browser = browse()
    browser.post("/connexion/", {"email": user.email, "password": PASSWORD})
    browser.post("/connexion/code/", {"code": code_now()})

    assert browser.get("/profil/securite/").status_code == 403


def test_every_role_manages_its_own_account() -> None:
    member = Membership(role=Role.ACCOUNTANT, is_active=True)

    assert member.can(Right.OWN_ACCOUNT)
