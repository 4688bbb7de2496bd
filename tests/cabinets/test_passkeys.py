"""Passkeys: made for their person, proven once and for this session alone, put aside when a copy answers."""

import datetime as dt
import html
import json
import re
import threading
from collections.abc import Callable

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.test import override_settings
from pytest_django.fixtures import Settings

from cabinets import passkeys as pure
from cabinets import tasks
from cabinets.errors import SealBrokenError
from cabinets.models import AccountMail, JournalEntry, Membership, PasskeyDevice, Session, TotpDevice, User
from cabinets.passkeys import Ceremony, Site
from cabinets.sealing import keks
from cabinets.services import keys, passkeys, second_factor
from cabinets.services.passkeys import PasskeyError, Refusal
from cabinets.services.second_factor import LastFactorError, SecondFactorLockedError
from tests.cabinets.authenticator import Authenticator
from tests.cabinets.test_second_factor import code_now, past_the_password, seed_shown
from tests.cabinets.test_second_factor import enrol as enrol_application
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_user

Browse = Callable[..., FirmBrowser]
SECURITY, ADD, CODE = "/profil/securite/", "/profil/securite/cles/ajouter/", "/connexion/code/"
HERE, THERE = "a" * 32, "b" * 32
TODAY = dt.date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _has_a_name(settings: Settings) -> None:
    settings.SITE_URL = "https://quittance.test"
    settings.EMAIL_HOST = "smtp.quittance.test"


def given(user: User, *, name: str = "Téléphone", **traits: object) -> Authenticator:
    """Enrol an authenticator for a person; return it."""
    device = Authenticator(**traits)  # type: ignore[arg-type]
    options = passkeys.enrolment_options(user=user, session_key=HERE)
    made = passkeys.enrol(user=user, session_key=HERE, answer=device.create(options), name=name)
    assert isinstance(made, PasskeyDevice)
    return device


def proven(user: User, answer: str, *, session_key: str = HERE) -> PasskeyDevice | Refusal:
    return passkeys.prove(user=user, session_key=session_key, answer=answer)


def asked(user: User, *, session_key: str = HERE) -> str:
    return passkeys.proof_options(user=user, session_key=session_key)


def options_of(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.quittance.fr", Site("app.quittance.fr", "https://app.quittance.fr")),
        ("https://app.quittance.fr:443", Site("app.quittance.fr", "https://app.quittance.fr")),
        ("https://app.quittance.fr:8443", Site("app.quittance.fr", "https://app.quittance.fr:8443")),
        ("http://localhost:8000", Site("localhost", "http://localhost:8000")),
        ("http://app.quittance.fr", None),
        ("http://127.0.0.1:8000", None),
        ("https://[::1]", None),
        ("", None),
    ],
)
def test_is_a_site_where_browsers_know_passkeys(url: str, expected: Site | None) -> None:
    assert pure.site_of(url) == expected


def test_a_challenge_is_of_one_session_one_ceremony_and_five_minutes() -> None:
    made = pure.new_challenge(session_key=HERE, ceremony=Ceremony.PROVE, now=NOW, secret="x" * 32)

    def holds(challenge: bytes = made, *, after: int = 0, secret: str = "x" * 32, **where: str) -> bool:
        place = {"session_key": HERE, "ceremony": Ceremony.PROVE} | where
        return pure.is_answered_in_time(
            challenge,
            now=NOW + dt.timedelta(seconds=after),
            secret=secret,
            **place,  # type: ignore[arg-type]
        )

    assert HERE.encode() not in made
    assert [holds(), holds(after=300), holds(after=301), holds(after=-1)] == [True, True, False, False]
    assert [holds(session_key=THERE), holds(ceremony=Ceremony.ENROL), holds(secret="y" * 32)] == [False] * 3
    assert [holds(made[:-1]), holds(b""), holds(b"\xff\xfe"), holds(bytes(64))] == [False] * 4


def test_asks_a_browser_to_verify_the_person_and_offers_their_own_keys(owner: Membership) -> None:
    assert asked(owner.user) == ""
    one = given(owner.user)

    made = json.loads(passkeys.enrolment_options(user=owner.user, session_key=HERE))
    wanted = json.loads(asked(owner.user))

    assert made["rp"] == {"name": "Quittance", "id": "quittance.test"}
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert [len(made["excludeCredentials"]), made["attestation"]] == [1, "none"]
    assert (wanted["rpId"], wanted["userVerification"]) == ("quittance.test", "required")
    assert [key["transports"] for key in wanted["allowCredentials"]] == [["internal", "hybrid"]]
    assert PasskeyDevice.objects.get().credential_hash == pure.fingerprint(one.credential_id)


def test_accepts_an_answer_once(owner: Membership) -> None:
    device = given(owner.user)
    answer = device.get(asked(owner.user))

    first = proven(owner.user, answer)

    assert isinstance(first, PasskeyDevice)
    assert proven(owner.user, answer) is Refusal.OVER
    kept = PasskeyDevice.objects.get()
    assert (kept.sign_count, kept.last_used_at, kept.suspected_at) == (1, NOW, None)


@pytest.mark.parametrize("counts", [True, False], ids=["counts", "never counts"])
def test_accepts_its_next_answer(owner: Membership, counts: bool) -> None:
    device = given(owner.user, counts=counts)

    answers = [proven(owner.user, device.get(asked(owner.user))) for _ in range(3)]

    assert all(isinstance(answer, PasskeyDevice) for answer in answers)
    assert PasskeyDevice.objects.get().sign_count == (3 if counts else 0)


LIES: list[tuple[str, dict[str, object], dict[str, str], Refusal]] = [
    ("another origin", {"origin": "https://quittance.test.evil.example"}, {}, Refusal.WRONG),
    ("another port", {"origin": "https://quittance.test:8443"}, {}, Refusal.WRONG),
    ("another site's name", {"site": "evil.example"}, {}, Refusal.WRONG),
    ("the person not verified", {"verifies": False}, {}, Refusal.WRONG),
    ("an answer to something else", {}, {"type": "webauthn.create"}, Refusal.WRONG),
    ("a challenge of its own", {}, {"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}, Refusal.OVER),
]


@pytest.mark.parametrize(("traits", "lies", "refusal"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_refuses_what_an_answer_lies_about(
    owner: Membership, traits: dict[str, object], lies: dict[str, str], refusal: Refusal
) -> None:
    device = given(owner.user)
    for name, value in traits.items():
        setattr(device, name, value)

    assert proven(owner.user, device.get(asked(owner.user), **lies)) is refusal
    assert PasskeyDevice.objects.get().last_used_at is None


@pytest.mark.parametrize(("traits", "lies"), [row[1:3] for row in LIES if row[0] != "an answer to something else"])
def test_makes_no_key_of_a_lie(owner: Membership, traits: dict[str, object], lies: dict[str, str]) -> None:
    device = Authenticator(**traits)  # type: ignore[arg-type]
    options = passkeys.enrolment_options(user=owner.user, session_key=HERE)

    made = passkeys.enrol(user=owner.user, session_key=HERE, answer=device.create(options, **lies), name="x")

    assert made in (Refusal.WRONG, Refusal.OVER)
    assert PasskeyDevice.objects.count() == 0


def test_refuses_another_key_another_session_and_an_old_challenge(owner: Membership) -> None:
    device = given(owner.user)
    stranger = Authenticator()
    stolen = Authenticator(credential_id=device.credential_id)

    assert proven(owner.user, stranger.get(asked(owner.user))) is Refusal.UNKNOWN
    assert proven(owner.user, stolen.get(asked(owner.user))) is Refusal.WRONG
    assert proven(owner.user, device.get(asked(owner.user)), session_key=THERE) is Refusal.OVER
    late = device.get(asked(owner.user))
    with time_machine.travel(NOW + dt.timedelta(minutes=6), tick=False):
        assert proven(owner.user, late) is Refusal.OVER


def test_refuses_the_key_of_another_person(owner: Membership) -> None:
    given(owner.user)
    other = make_user()
    theirs = given(other)

    assert proven(owner.user, theirs.get(asked(owner.user))) is Refusal.UNKNOWN
    taken = theirs.create(passkeys.enrolment_options(user=owner.user, session_key=HERE))
    assert passkeys.enrol(user=owner.user, session_key=HERE, answer=taken, name="x") is Refusal.UNKNOWN
    assert PasskeyDevice.objects.filter(user=owner.user).count() == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "x",
        "[]",
        "null",
        "{}",
        '{"id": 1}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
        "9" * 30_000,
    ],
)
def test_an_answer_that_is_none_is_wrong_and_breaks_nothing(owner: Membership, answer: str) -> None:
    given(owner.user)

    assert proven(owner.user, answer) is Refusal.WRONG
    assert passkeys.enrol(user=owner.user, session_key=HERE, answer=answer, name="x") is Refusal.WRONG


def test_an_answer_altered_anywhere_is_refused_and_breaks_nothing(owner: Membership) -> None:
    device = given(owner.user)
    for name in ("clientDataJSON", "authenticatorData", "signature"):
        for at in range(0, 40, 3):
            told = json.loads(device.get(asked(owner.user)))
            text = told["response"][name]
            told["response"][name] = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
            assert proven(owner.user, json.dumps(told)) in (Refusal.WRONG, Refusal.OVER)


def test_a_count_that_goes_back_puts_the_key_aside_for_good(owner: Membership) -> None:
    device = given(owner.user)
    for _ in range(3):
        assert isinstance(proven(owner.user, device.get(asked(owner.user))), PasskeyDevice)
    device.count = 1

    copied = proven(owner.user, device.get(asked(owner.user)))

    assert copied is Refusal.COPIED
    assert PasskeyDevice.objects.get().suspected_at == NOW
    assert asked(owner.user) == ""
    assert second_factor.has_second_factor(user=owner.user)
    device.count = 50
    given(owner.user)
    assert proven(owner.user, device.get(asked(owner.user))) is Refusal.UNKNOWN


def test_seals_the_public_key_for_its_person_alone(owner: Membership) -> None:
    device = given(owner.user)
    row = PasskeyDevice.objects.get()
    numbers = device.key.public_key().public_numbers()
    other = make_user()

    opened = pure.open_key(
        bytes(row.public_key), user_id=owner.user_id, credential_id=device.credential_id, ring=keks()
    )

    assert numbers.x.to_bytes(32, "big") in opened
    assert numbers.x.to_bytes(32, "big") not in bytes(row.public_key)
    with pytest.raises(SealBrokenError):
        pure.open_key(bytes(row.public_key), user_id=other.pk, credential_id=device.credential_id, ring=keks())


@pytest.mark.committed
def test_seals_its_keys_again_under_a_newer_key(committed: None, settings: Settings) -> None:
    user = make_user()
    device = given(user)
    settings.KEY_ENCRYPTION_KEYS += ",9:" + "A" * 43 + "="

    assert (keys.rewrap_seeds(), keys.rewrap_seeds()) == (1, 0)
    assert bytes(PasskeyDevice.objects.get().public_key)[:2] == b"\x00\x09"
    assert isinstance(proven(user, device.get(asked(user))), PasskeyDevice)


def test_one_of_ten_answers_at_once_is_accepted(committed: None) -> None:
    user = make_user()
    device = given(user, counts=False)
    answer, accepted, start = device.get(asked(user)), [], threading.Barrier(10)

    def submit() -> None:
        start.wait()
        accepted.append(proven(user, answer))
        connections.close_all()

    threads = [threading.Thread(target=submit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(accepted) == 10
    assert sum(isinstance(one, PasskeyDevice) for one in accepted) == 1


def test_two_removals_at_once_leave_one_second_factor(committed: None) -> None:
    user = make_user()
    for name in ("un", "deux"):
        given(user, name=name)
    start, refused = threading.Barrier(2), []

    def remove(passkey: PasskeyDevice) -> None:
        start.wait()
        try:
            second_factor.remove_passkey(user=user, passkey_id=passkey.pk)
        except LastFactorError as error:
            refused.append(str(error))
        connections.close_all()

    threads = [threading.Thread(target=remove, args=[one]) for one in PasskeyDevice.objects.all()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (PasskeyDevice.objects.count(), len(refused)) == (1, 1)


def test_keeps_ten_keys_at_most(owner: Membership) -> None:
    for _ in range(10):
        given(owner.user)

    with pytest.raises(PasskeyError, match="10 clés d’accès au plus"):
        given(owner.user)


def test_locks_after_five_refused_answers(owner: Membership) -> None:
    device = given(owner.user)
    for _ in range(5):
        second_factor.accept_passkey(user=owner.user, session_key=HERE, answer="{}")

    with pytest.raises(SecondFactorLockedError):
        second_factor.accept_passkey(user=owner.user, session_key=HERE, answer=device.get(asked(owner.user)))


# The pages.


def test_enrols_a_passkey_at_the_first_sign_in_in_place_of_the_application(owner: Membership, browse: Browse) -> None:
    browser = past_the_password(browse(), owner)
    page = browser.get("/connexion/second-facteur/").content.decode()
    seed_shown(page)
    device = Authenticator()

    refused = browser.post("/connexion/second-facteur/", {"passkey": "{}"})
    done = browser.post("/connexion/second-facteur/", {"passkey": device.create(options_of(page))})

    assert (refused.status_code, done.status_code) == (422, 200)
    assert done.content.decode().count('<code class="number">') == 10
    assert browser.get(SECURITY).status_code == 200
    assert TotpDevice.objects.filter(user=owner.user).count() == 0
    assert JournalEntry.objects.filter(event="person.signed_in", facts={"how": "enrolment"}).count() == 1


def test_signs_in_with_a_passkey_under_a_new_session_key(owner: Membership, browse: Browse) -> None:
    device = given(owner.user)
    browser = past_the_password(browse(), owner)
    before = browser.session.session_key
    page = browser.get(f"{CODE}?next=/factures/").content.decode()

    answer = {"passkey": device.get(options_of(page)), "next": "/factures/"}
    response = browser.post(CODE, answer)
    again = past_the_password(browse(), owner).post(CODE, answer)

    assert (response.status_code, response.headers["Location"]) == (302, "/factures/")
    assert browser.session.session_key != before
    assert browser.get(SECURITY).status_code == 200
    assert again.status_code == 422
    assert "a expiré ou a déjà servi" in again.content.decode()
    assert JournalEntry.objects.filter(event="person.signed_in", facts={"how": "passkey"}).count() == 1
    assert JournalEntry.objects.filter(event="passkey.refused", facts={"why": "over"}).count() == 1


def test_never_lets_a_second_factor_be_enrolled_beside_a_key_put_aside(owner: Membership, browse: Browse) -> None:
    given(owner.user)
    PasskeyDevice.objects.update(suspected_at=NOW)
    browser = past_the_password(browse(), owner)

    assert browser.get("/connexion/second-facteur/").headers["Location"] == CODE
    assert browser.post("/connexion/second-facteur/", {"start": "1"}).headers["Location"] == CODE


def test_a_recovery_code_opens_the_account_of_a_lost_passkey(owner: Membership, browse: Browse) -> None:
    given(owner.user)
    code = second_factor.renew_recovery_codes(user=owner.user)[0]
    browser = past_the_password(browse(), owner)

    page = browser.get(CODE).content.decode()
    response = browser.post(CODE, {"code": code})

    assert "Code de secours" in page
    assert "Utiliser mon application" not in page
    assert response.headers["Location"] == "/tableau-de-bord/"
    assert second_factor.accept(user=owner.user, code=code) is None


def test_counts_the_recovery_codes_of_a_person_without_application(owner: Membership) -> None:
    given(owner.user)
    right = second_factor.renew_recovery_codes(user=owner.user)[0]
    for _ in range(5):
        assert second_factor.accept(user=owner.user, code="AAAA-AAAA-AAAA") is None

    with pytest.raises(SecondFactorLockedError):
        second_factor.accept(user=owner.user, code=right)


def test_a_copy_is_journalled_and_told_by_mail(owner: Membership, browse: Browse) -> None:
    device = given(owner.user)
    enrol_application(owner.user)
    PasskeyDevice.objects.update(sign_count=9)
    browser = past_the_password(browse(), owner)

    refused = browser.post(CODE, {"passkey": device.get(options_of(browser.get(CODE).content.decode()))})
    tasks.sweep_account_mails()

    assert (refused.status_code, "mise de côté" in refused.content.decode()) == (422, True)
    assert JournalEntry.objects.filter(event="passkey.copied").count() == 1
    assert [message.subject for message in mail.outbox] == ["Une clé d’accès de votre compte a peut-être été copiée"]
    assert browser.post(CODE, {"code": code_now()}).headers["Location"] == "/tableau-de-bord/"
    assert "Mise de côté" in browser.get(SECURITY).content.decode()


def test_adds_a_passkey_after_the_password_and_ends_the_other_sessions(owner: Membership, browse: Browse) -> None:
    here, elsewhere = browse(owner), browse(owner)

    asked_first = here.get(ADD).content.decode()
    refused = here.post(ADD, {"current": "faux"})
    here.post(ADD, {"current": PASSWORD})
    before = here.session.session_key
    page = here.get(ADD).content.decode()
    unnamed = here.post(ADD, {"name": " ", "passkey": "{}"})
    done = here.post(ADD, {"name": " Clé  USB ", "passkey": Authenticator().create(options_of(page))})
    tasks.sweep_account_mails()

    assert ("data-options" in asked_first, refused.status_code, unnamed.status_code) == (False, 422, 422)
    assert done.headers["Location"] == SECURITY
    assert PasskeyDevice.objects.get(user=owner.user).name == "Clé USB"
    assert here.session.session_key != before
    assert "Clé USB" in here.get(SECURITY).content.decode()
    assert elsewhere.get(SECURITY).headers["Location"].startswith("/connexion/")
    assert Session.objects.filter(user_id=owner.user_id).count() == 1
    assert JournalEntry.objects.filter(event="passkey.added").count() == 1
    assert [message.subject for message in mail.outbox] == ["Une clé d’accès a été ajoutée à votre compte"]
    assert "data-options" not in here.get(ADD).content.decode()


def test_the_password_given_again_is_forgotten_after_five_minutes(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    browser.post(ADD, {"current": PASSWORD})

    with time_machine.travel(NOW + dt.timedelta(minutes=6), tick=False):
        page = browser.get(ADD).content.decode()

    assert ("data-options" in page, "mot de passe actuel" in page) == (False, True)


def test_removes_a_passkey_after_the_password_and_keeps_this_session(owner: Membership, browse: Browse) -> None:
    device = given(owner.user)
    enrol_application(owner.user)
    here = past_the_password(browse(), owner)
    here.post(CODE, {"passkey": device.get(options_of(here.get(CODE).content.decode()))})
    url = f"/profil/securite/cles/{PasskeyDevice.objects.get().pk}/retirer/"

    refused = here.post(url, {"current": "faux"})
    kept = PasskeyDevice.objects.count()
    done = here.post(url, {"current": PASSWORD})
    tasks.sweep_account_mails()

    assert (refused.status_code, kept, done.headers["Location"]) == (422, 1, SECURITY)
    assert PasskeyDevice.objects.count() == 0
    # The session was proven by the key that went: the application stands for it, and nothing is asked again.
    assert here.get(SECURITY).status_code == 200
    assert JournalEntry.objects.filter(event="passkey.removed").count() == 1
    assert [message.subject for message in mail.outbox] == ["Une clé d’accès a été retirée de votre compte"]


def test_never_takes_the_last_second_factor_away(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    assert (
        "dernier second facteur"
        in browser.post("/profil/securite/application/retirer/", {"current": PASSWORD}).content.decode()
    )
    given(owner.user)
    assert browser.post("/profil/securite/application/retirer/", {"current": PASSWORD}).status_code == 302

    url = f"/profil/securite/cles/{PasskeyDevice.objects.get().pk}/retirer/"
    refused = browser.post(url, {"current": PASSWORD})

    assert (refused.status_code, "dernier second facteur" in refused.content.decode()) == (422, True)
    assert (TotpDevice.objects.count(), PasskeyDevice.objects.count()) == (0, 1)
    assert JournalEntry.objects.filter(event="second_factor.application_removed").count() == 1


def test_a_key_put_aside_is_no_second_factor_to_stay_with(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    given(owner.user)
    PasskeyDevice.objects.update(suspected_at=NOW)

    assert browser.post("/profil/securite/application/retirer/", {"current": PASSWORD}).status_code == 422
    url = f"/profil/securite/cles/{PasskeyDevice.objects.get().pk}/retirer/"
    assert browser.post(url, {"current": PASSWORD}).status_code == 302
    assert (TotpDevice.objects.count(), PasskeyDevice.objects.count()) == (1, 0)


def test_renames_a_passkey_and_nobody_elses(owner: Membership, browse: Browse) -> None:
    given(owner.user)
    other = make_user()
    given(other, name="À un autre")
    browser = browse(owner)
    mine, theirs = (PasskeyDevice.objects.get(user=user).pk for user in (owner.user, other))

    browser.post(f"/profil/securite/cles/{mine}/nommer/", {"name": "Ordinateur du cabinet"})
    answers = [browser.post(f"/profil/securite/cles/{theirs}/{act}/", {"name": "x", "current": PASSWORD})
               for act in ("nommer", "retirer")]  # fmt: skip

    assert [answer.status_code for answer in answers] == [404, 404]
    assert sorted(PasskeyDevice.objects.values_list("name", flat=True)) == ["Ordinateur du cabinet", "À un autre"]


def test_offers_no_passkey_where_browsers_know_none(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    with override_settings(SITE_URL="http://127.0.0.1:8000"):
        page = browser.get(SECURITY).content.decode()

        assert (ADD in page, "n’y créent pas de clé d’accès" in page) == (False, True)
        assert browser.get(ADD).status_code == 404
        assert passkeys.enrolment_options(user=owner.user, session_key=HERE) == ""


def test_an_operator_signs_in_with_a_passkey(committed: None, browse: Browse) -> None:
    operator = make_user(is_staff=True)
    device = given(operator)
    browser = browse()
    browser.post("/connexion/", {"email": operator.email, "password": PASSWORD})

    page = browser.get(CODE).content.decode()
    done = browser.post(CODE, {"passkey": device.get(options_of(page))})

    assert done.headers["Location"] == "/exploitation/admin/"
    assert browser.get("/exploitation/admin/").status_code == 200


def test_a_mail_that_does_not_leave_is_kept_and_said_again(owner: Membership, settings: Settings) -> None:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_PORT=1, EMAIL_TIMEOUT=1):
        settings.EMAIL_HOST = "127.0.0.1"
        AccountMail(user=owner.user, kind="codes_renewed").save(force_insert=True)
        assert (tasks.sweep_account_mails(), tasks.sweep_account_mails()) == (0, 0)
    kept = AccountMail.objects.get()
    assert (kept.tries, kept.next_at) == (1, NOW + dt.timedelta(minutes=1))

    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        assert tasks.sweep_account_mails() == 1

    assert (AccountMail.objects.count(), len(mail.outbox)) == (0, 1)
    assert PASSWORD not in str(mail.outbox[0].body)
