"""A key service that holds the keys: what it is asked, what it refuses, and what is told when it does not answer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from cabinets import sealing, transit
from cabinets.crypto import Placed, version_of
from cabinets.errors import KeyServiceError, SealBrokenError
from cabinets.models import Client, DataKey
from cabinets.scoping import working_for
from cabinets.sealing import forget_keys, keks
from cabinets.services import second_factor
from cabinets.transit import Transit, TransitSettings
from config import checks
from tests.cabinets.test_second_factor import seed_kept
from tests.conftest import FirmBrowser
from tests.dunning.channels.web_double import Said
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.transit_double import Key, TransitDouble, transit_service

HERE = b"quittance|data-key|here"
SECRET = b"k" * 32


@pytest.fixture
def service() -> Iterator[TransitDouble]:
    with transit_service() as double:
        yield double


@pytest.fixture
def holder(service: TransitDouble) -> Transit:
    return Transit(TransitSettings.read(service.settings()))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def wrapped(holder: Transit, bound_to: bytes = HERE) -> bytes:
    [one] = holder.wrap([Placed(SECRET, bound_to)])
    return one


def test_wraps_and_opens_in_place_and_says_what_made_it(holder: Transit, service: TransitDouble) -> None:
    one = wrapped(holder)

    assert holder.unwrap([Placed(one, HERE)]) == [SECRET]
    assert one.startswith(b"\xff\x01\x09quittancevault:v1:")
    assert (holder.made(one), holder.is_newest(one), version_of(one)) == (True, True, transit.VERSION)
    assert SECRET not in one


@pytest.mark.parametrize("is_derived", [False, True])
def test_refuses_a_key_in_another_place(holder: Transit, service: TransitDouble, is_derived: bool) -> None:
    service.keys["quittance"] = Key(is_derived=is_derived)
    one = wrapped(holder)

    with pytest.raises(SealBrokenError):
        holder.unwrap([Placed(one, HERE + b"!")])

    assert holder.unwrap([Placed(one, HERE)]) == [SECRET]


def test_asks_once_for_five_hundred_keys_and_keeps_their_order(holder: Transit, service: TransitDouble) -> None:
    things = [Placed(bytes([number % 256, number // 256]) * 16, b"%d" % number) for number in range(501)]

    opened = holder.unwrap([Placed(one, HERE.replace(HERE, b"%d" % n)) for n, one in enumerate(holder.wrap(things))])

    assert opened == [thing.data for thing in things]
    assert service.web.count("POST", "/v1/transit/encrypt/quittance") == 2
    assert service.web.count("POST", "/v1/transit/decrypt/quittance") == 2


@pytest.mark.parametrize(
    "altered",
    [
        b"\xff\x01\x09quittancevault:v1:AAAA",
        b"\xff\x01\x09quittance",
        b"\xff\x01\x08../../sysvault:v1:AAAA",
        b"\xff\x01\x09quittance../../../",
        b"\xff\x01",
        b"\xff\x01\xffquittancevault:v1:AAAA",
    ],
)
def test_an_altered_row_opens_nothing_and_asks_for_no_other_address(
    holder: Transit, service: TransitDouble, altered: bytes
) -> None:
    with pytest.raises(SealBrokenError):
        holder.unwrap([Placed(altered, HERE)])

    assert {one.path for one in service.web.asked} <= {
        "/v1/auth/approle/login", "/v1/transit/keys/quittance", "/v1/transit/decrypt/quittance",
    }  # fmt: skip


def test_a_new_version_is_seen_within_a_minute_and_the_old_one_opens_until_it_is_retired(
    holder: Transit, service: TransitDouble, clock: Callable[[float], None]
) -> None:
    old = wrapped(holder)
    service.keys["quittance"].versions.append(b"2" * 32)
    clock(transit.FACTS_SECONDS)

    new = wrapped(holder)

    assert (holder.is_newest(old), holder.is_newest(new)) == (False, True)
    assert holder.unwrap([Placed(old, HERE), Placed(new, HERE)]) == [SECRET, SECRET]
    service.keys["quittance"].oldest = 2
    with pytest.raises(SealBrokenError):
        holder.unwrap([Placed(old, HERE)])
    assert holder.unwrap([Placed(new, HERE)]) == [SECRET]


def test_a_key_renamed_still_opens_what_its_old_name_made(holder: Transit, service: TransitDouble) -> None:
    old = wrapped(holder)
    service.keys["autre"] = Key()
    renamed = Transit(TransitSettings.read(service.settings(key="autre")))

    assert renamed.unwrap([Placed(old, HERE)]) == [SECRET]
    assert (renamed.is_newest(old), renamed.made(old)) == (False, True)


def sealed(service: TransitDouble) -> None:
    service.is_sealed = True


def disabled(service: TransitDouble) -> None:
    service.keys["quittance"].is_soft_deleted = True


def unknown(service: TransitDouble) -> None:
    service.keys.clear()


def wrong_secret(service: TransitDouble) -> None:
    service.tokens.clear()
    service.secret_id = "changed"


def broken(service: TransitDouble) -> None:
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(status=500)]


def moved(service: TransitDouble) -> None:
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(status=307)]


def illegible(service: TransitDouble) -> None:
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(body=b"<html>")]


def partial(service: TransitDouble) -> None:
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(body=b'{"data": {"batch_results": []}}')]


def slow(service: TransitDouble) -> None:
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(hang=1.0)]


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (sealed, "est scellé ou en maintenance"),
        (disabled, "refuse la clé «\u00a0quittance\u00a0»\u00a0: vérifiez qu’elle existe et sert"),
        (unknown, "refuse la clé «\u00a0quittance\u00a0»"),
        (wrong_secret, "refuse l’accès\u00a0: vérifiez le jeton ou le rôle"),
        (broken, "répond par une erreur (HTTP 500)"),
        (moved, "répond par une erreur (HTTP 307)"),
        (illegible, "répond par une erreur (HTTP 200)"),
        (partial, "a donné une réponse illisible"),
        (slow, "ne répond pas à temps"),
    ],
)
def test_says_in_french_what_to_mend_and_that_nothing_was_done(
    service: TransitDouble, monkeypatch: pytest.MonkeyPatch, happens: Callable[[TransitDouble], None], told: str
) -> None:
    monkeypatch.setattr(transit, "TIMEOUT", httpx.Timeout(0.3))
    holder = Transit(TransitSettings.read(service.settings()))
    happens(service)

    with pytest.raises(KeyServiceError) as refusal:
        wrapped(holder)

    assert told in str(refusal.value)
    assert "Rien n’a été lu ni enregistré" in str(refusal.value)
    assert service.secret_id not in str(refusal.value)


def test_says_that_nobody_answers() -> None:
    holder = Transit(TransitSettings(url="http://127.0.0.1:9", token="t"))

    with pytest.raises(KeyServiceError, match="ne répond pas"):
        wrapped(holder)


def test_speaks_again_on_a_new_line_when_the_old_one_was_closed(holder: Transit, service: TransitDouble) -> None:
    wrapped(holder)
    service.web.faults["POST /v1/transit/encrypt/quittance"] = [Said(cut=True)]

    assert holder.unwrap([Placed(wrapped(holder), HERE)]) == [SECRET]


def test_renews_its_token_before_it_ends(
    holder: Transit, service: TransitDouble, clock: Callable[[float], None]
) -> None:
    wrapped(holder)
    clock(service.life * 0.7)
    wrapped(holder)
    clock(service.life * 0.7)
    wrapped(holder)

    assert service.web.count("POST", "/v1/auth/approle/login") == 1
    assert service.web.count("POST", "/v1/auth/token/renew-self") == 2


def test_signs_in_again_when_its_token_was_revoked_or_cannot_be_renewed(
    holder: Transit, service: TransitDouble, clock: Callable[[float], None]
) -> None:
    service.is_renewable = False
    wrapped(holder)
    service.tokens.clear()
    wrapped(holder)
    clock(service.life * 0.7)
    wrapped(holder)

    assert service.web.count("POST", "/v1/auth/approle/login") == 3
    assert service.web.count("POST", "/v1/auth/token/renew-self") == 0


def test_reads_again_the_file_an_agent_renews(service: TransitDouble, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{service.token()}\n")
    holder = Transit(TransitSettings.read(service.settings(role_id="", token_file=str(file))))
    wrapped(holder)
    service.tokens.clear()
    file.write_text(service.token())

    assert holder.unwrap([Placed(wrapped(holder), HERE)]) == [SECRET]

    file.unlink()
    service.tokens.clear()
    with pytest.raises(KeyServiceError, match="ne se lit pas"):
        wrapped(holder)


def use(settings: Settings, service: TransitDouble, *, holder: str = "transit") -> None:
    settings.TRANSIT, settings.KEY_HOLDER = service.settings(), holder


def kinds() -> set[int]:
    return {version_of(bytes(one or b"")) for one in DataKey.objects.values_list("wrapped", flat=True)}


def test_moves_to_the_service_and_back_while_everything_opens(
    committed: None, settings: Settings, service: TransitDouble
) -> None:
    firm = make_cabinet(slug="aubry")
    with working_for(cabinet_id=firm.pk):
        before = make_client(company="Société d’avant")
        member = make_member()
    second_factor.install(user=member.user)
    ring = settings.KEY_ENCRYPTION_KEYS

    use(settings, service)
    with working_for(cabinet_id=firm.pk):
        during = make_client(company="Société du passage")
    call_command("rotate_keys")
    settings.KEY_ENCRYPTION_KEYS = ""
    forget_keys()
    with working_for(cabinet_id=firm.pk):
        there = kinds(), Client.objects.get(pk=before.pk).company, Client.objects.get(pk=during.pk).company
    seed = seed_kept(member.user)

    use(settings, service, holder="local")
    settings.KEY_ENCRYPTION_KEYS = ring
    call_command("rotate_keys")
    settings.TRANSIT = {**settings.TRANSIT, "url": ""}
    forget_keys()
    with working_for(cabinet_id=firm.pk):
        back = kinds(), Client.objects.get(pk=before.pk).company, Client.objects.get(pk=during.pk).company

    assert there == ({transit.VERSION}, "Société d’avant", "Société du passage")
    assert back == ({1}, "Société d’avant", "Société du passage")
    assert seed_kept(member.user) == seed


def test_a_list_opens_with_one_call_and_the_next_with_none(
    committed: None, settings: Settings, service: TransitDouble
) -> None:
    use(settings, service)
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        for number in range(12):
            make_client(company=f"Société {number}")
    forget_keys()
    service.web.asked.clear()

    with working_for(cabinet_id=firm.pk):
        names = [row.company for row in sealing.open_together(Client.objects.all())]
        again = [row.company for row in sealing.open_together(Client.objects.all())]

    assert (len(names), names) == (12, again)
    assert [one.path for one in service.web.asked] == ["/v1/transit/decrypt/quittance"]


def test_keys_already_opened_serve_while_the_service_is_down_and_not_longer(
    committed: None, settings: Settings, service: TransitDouble, clock: Callable[[float], None]
) -> None:
    use(settings, service)
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = make_client(company="Société Discrète")
    service.is_sealed = True

    with working_for(cabinet_id=firm.pk):
        assert Client.objects.get(pk=client.pk).company == "Société Discrète"
    clock(sealing._KEEP_SECONDS + 1)
    with working_for(cabinet_id=firm.pk), pytest.raises(KeyServiceError):
        str(Client.objects.get(pk=client.pk).company)
    assert sealing._opened == {}


def test_a_key_destroyed_elsewhere_opens_nothing_here_once_its_time_is_over(
    committed: None, clock: Callable[[float], None]
) -> None:
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client = make_client(company="Société Discrète")
        DataKey.objects.filter(subject_id=client.pk).delete()
    clock(sealing._KEEP_SECONDS + 1)

    with working_for(cabinet_id=firm.pk), pytest.raises(SealBrokenError, match="détruite"):
        str(Client.objects.get(pk=client.pk).company)


def test_says_that_the_keys_are_out_of_reach_instead_of_an_incident(
    committed: None, settings: Settings, service: TransitDouble, browse: Callable[..., FirmBrowser]
) -> None:
    use(settings, service)
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client, member = make_client(company="Société Discrète"), make_member()
    forget_keys()
    service.is_sealed = True
    browser = browse(member)

    answer = browser.get(f"/clients/{client.pk}/")

    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "Les données ne peuvent pas s’ouvrir pour l’instant" in page
    assert service.web.url not in page


@pytest.mark.parametrize(
    ("happens", "found"), [(None, []), (sealed, ["quittance.Q013"]), (disabled, ["quittance.Q013"])]
)
def test_the_checks_and_the_state_say_whether_the_service_answers(
    settings: Settings, service: TransitDouble, happens: Callable[[TransitDouble], None] | None, found: list[str]
) -> None:
    use(settings, service)
    if happens:
        happens(service)

    said = checks.key_service()

    assert [message.id for message in said] == found


def test_the_checks_refuse_a_service_asked_in_clear(settings: Settings, service: TransitDouble) -> None:
    use(settings, service)
    settings.TRANSIT = service.settings(url="http://cles.example:8200")

    [found] = checks.key_service()

    assert (found.id, "https" in found.msg) == ("quittance.Q013", True)


def test_the_words_that_prove_who_asks_are_in_no_repr(service: TransitDouble) -> None:
    settings = TransitSettings.read(service.settings(secret_id="tres-secret", token="jeton-secret"))

    assert "secret" not in repr(settings).replace("secret_id", "")


def test_refuses_settings_that_name_nobody(settings: Settings) -> None:
    settings.KEY_HOLDER, settings.TRANSIT = "transit", {"url": ""}

    with pytest.raises(ValueError, match="TRANSIT_URL"):
        keks()
