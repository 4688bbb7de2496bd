"""Keys change while everybody works: killed at any step, beside writers, twice at once, nothing is lost."""

import base64
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from cabinets import crypto, totp
from cabinets.enums import KeyPurpose
from cabinets.models import Cabinet, Client, DataKey, Membership, Note, TotpDevice
from cabinets.scoping import working_for
from cabinets.sealing import forget_keys, keks
from cabinets.services import keys, second_factor
from tests.factories.cabinets import make_cabinet, make_client, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

CLIENTS = 23
CHUNK = 5
KILLED = -signal.SIGKILL


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CHUNK", CHUNK)


@pytest.fixture
def firm() -> Cabinet:
    firm = make_cabinet(slug="aubry")
    with working_for(cabinet_id=firm.pk):
        member = make_member()
        for number in range(CLIENTS):
            client = make_client(company=f"Société {number}")
            Note(client=client, author=member, text=f"Note {number}").save(force_insert=True)
    second_factor.install(user=member.user)
    return firm


def add_version(settings: Settings, number: int = 9) -> None:
    fresh = base64.b64encode(os.urandom(32)).decode()
    settings.KEY_ENCRYPTION_KEYS = f"{settings.KEY_ENCRYPTION_KEYS},{number}:{fresh}"


def drop_old_versions(settings: Settings) -> None:
    settings.KEY_ENCRYPTION_KEYS = settings.KEY_ENCRYPTION_KEYS.split(",")[-1]
    forget_keys()


def start(work: Callable[[], object]) -> Any:
    """Run a piece of work in a process of its own, with database connections of its own."""
    for alias in connections:
        connections[alias].close()
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def ended(*processes: Any) -> list[int | None]:
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def dying(work: Callable[[], object], *, at: int, written: bool) -> Callable[[], None]:
    """Do the work and be killed at its n-th transaction: before its first word, or once all was written in it."""

    def run() -> None:
        module: Any = keys
        real, count = module.working_for, [0]

        @contextmanager
        def killing(**facts: Any) -> Any:
            with real(**facts):
                count[0] += 1
                if count[0] == at and not written:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield
                if count[0] == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        module.working_for = killing
        work()

    return run


def versions(firm: Cabinet) -> list[int]:
    with working_for(cabinet_id=firm.pk):
        return sorted(crypto.version_of(bytes(one or b"")) for one in DataKey.objects.values_list("wrapped", flat=True))


def opened(firm: Cabinet) -> tuple[list[str], list[str]]:
    forget_keys()
    with working_for(cabinet_id=firm.pk):
        return sorted(row.company for row in Client.objects.all()), sorted(row.text for row in Note.objects.all())


def expected(count: int = CLIENTS) -> tuple[list[str], list[str]]:
    return sorted(f"Société {number}" for number in range(count)), sorted(f"Note {number}" for number in range(CLIENTS))


def rewrap(firm: Cabinet) -> Callable[[], object]:
    def work() -> None:
        keys.rewrap_keys(cabinet_id=firm.pk)
        keys.rewrap_seeds()

    return work


@pytest.mark.parametrize("written", [False, True], ids=["nothing written", "all written, not committed"])
@pytest.mark.parametrize("at", [2, 4, 6])
def test_wrapping_again_is_killed_half_way_and_the_next_run_ends_it(
    firm: Cabinet, settings: Settings, at: int, written: bool
) -> None:
    add_version(settings)

    exits = ended(start(dying(rewrap(firm), at=at, written=written)))
    half = versions(firm)
    between = opened(firm)
    rest = keys.rewrap_keys(cabinet_id=firm.pk)
    keys.rewrap_seeds()
    drop_old_versions(settings)

    done = (at - 2) * CHUNK
    assert exits == [KILLED]
    assert (half.count(9), rest) == (done, len(half) - done)
    assert between == opened(firm) == expected()
    device = TotpDevice.objects.get()
    assert len(totp.open_seed(bytes(device.seed), user_id=device.user_id, ring=keks())) == totp.SEED


@pytest.mark.parametrize("written", [False, True], ids=["nothing written", "all written, not committed"])
@pytest.mark.parametrize("at", [1, 3, 5, 9])
def test_sealing_again_is_killed_half_way_and_the_next_run_ends_it(firm: Cabinet, at: int, written: bool) -> None:
    exits = ended(start(dying(lambda: keys.reseal(cabinet_id=firm.pk), at=at, written=written)))
    between = opened(firm)
    keys.reseal(cabinet_id=firm.pk)

    assert exits == [KILLED]
    assert between == opened(firm) == expected()
    assert sealed_with(firm) <= active(firm)


def active(firm: Cabinet) -> set[UUID]:
    with working_for(cabinet_id=firm.pk):
        return set(DataKey.objects.filter(is_active=True).values_list("pk", flat=True))


def sealed_with(firm: Cabinet) -> set[UUID]:
    """Return the keys that seal the values of this firm's clients and notes."""
    with working_for(cabinet_id=firm.pk):
        rows = [*Client.objects.all(), *Note.objects.all()]
        return {crypto.key_id_of(row.__dict__[name]) for row in rows for name in row.sealed_names}


def test_keys_made_and_values_written_meanwhile_are_all_kept(firm: Cabinet, settings: Settings) -> None:
    with working_for(cabinet_id=firm.pk):
        member, first = Membership.objects.get(), Client.objects.order_by("pk").first()
        assert first is not None
    add_version(settings)

    def rotate() -> None:
        for _ in range(4):
            rewrap(firm)()
            keys.reseal(cabinet_id=firm.pk)

    running, count, turns = start(rotate), CLIENTS, 0
    while running.is_alive() or turns < 5:
        turns += 1
        with working_for(cabinet_id=firm.pk):
            make_client(company=f"Société {count}")
            client = Client.objects.select_for_update(of=("self",)).get(pk=first.pk)
            client.note = f"Tour {turns}"
            client.save(update_fields=["note"])
            Note(client=client, author=member, text=f"Pendant {turns}").save(force_insert=True)
        count += 1

    assert (ended(running), turns >= 5) == ([0], True)
    keys.rewrap_keys(cabinet_id=firm.pk)
    drop_old_versions(settings)
    names, notes = opened(firm)
    assert names == expected(count)[0]
    assert notes == sorted([*expected()[1], *(f"Pendant {turn}" for turn in range(1, turns + 1))])
    with working_for(cabinet_id=firm.pk):
        assert Client.objects.get(pk=first.pk).note == f"Tour {turns}"
        slots = DataKey.objects.filter(is_active=True, purpose=KeyPurpose.CLIENT).values_list("subject_id", flat=True)
        assert len(slots) == len(set(slots)) == count


def test_two_at_once_end_as_one(firm: Cabinet, settings: Settings) -> None:
    add_version(settings)

    def both() -> None:
        rewrap(firm)()
        keys.reseal(cabinet_id=firm.pk)

    exits = ended(*[start(both) for _ in range(3)])
    keys.rewrap_keys(cabinet_id=firm.pk)
    drop_old_versions(settings)

    assert exits == [0, 0, 0]
    assert opened(firm) == expected()
    assert sealed_with(firm) <= active(firm)


def test_a_key_destroyed_while_it_is_wrapped_again_does_not_come_back(
    firm: Cabinet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        gone = Client.objects.order_by("pk").first()
        assert gone is not None
    add_version(settings)
    ring = keks().current
    real = type(ring).wrap

    def wrap(self: Any, things: Any) -> Any:
        with working_for(cabinet_id=firm.pk):
            DataKey.objects.filter(subject_id=gone.pk).delete()
        return real(self, things)

    monkeypatch.setattr(type(ring), "wrap", wrap)
    count = keys.rewrap_keys(cabinet_id=firm.pk)

    with working_for(cabinet_id=firm.pk):
        assert not DataKey.objects.filter(subject_id=gone.pk).exists()
        assert count == DataKey.objects.count()
