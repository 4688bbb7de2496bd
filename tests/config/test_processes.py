"""The supervisor of one machine: children that fall, children that stay, and a clean stop in every case."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded, keyring, processes, roles
from config.homes import ServerError
from config.processes import LOOPBACK, Supervisor
from tests.config.conftest import ROOT, Place

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def _frozen_clock() -> None:
    """Leave the clock alone: these tests wait for real processes."""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(logs=tmp_path)
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.WAKING)
    yield supervisor
    supervisor.stop()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, processes.WAKING)


def gone(pid: int) -> bool:
    """Whether a process ended, whoever reaps it."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True


def test_a_fallen_child_is_started_again_after_a_pause_that_grows(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.add("web", [sys.executable, "-c", "print('je tombe')"])
    (child,) = supervisor.children

    pauses: list[int] = []
    while len(pauses) < 2:
        supervisor.mend()
        if child.process is None and child.falls > len(pauses):
            pauses.append(round(child.due_at - time.monotonic()))
        time.sleep(0.02)

    assert pauses == [1, 2]
    assert "! web s’est arrêté ; nouvel essai dans 1,0 s." in capsys.readouterr().out
    assert (supervisor.logs / "web.log").read_text(encoding="utf-8").startswith("je tombe\n")


def test_a_child_that_lived_long_falls_for_the_first_time(supervisor: Supervisor) -> None:
    supervisor.add("web", SLEEPS)
    (child,) = supervisor.children
    child.falls, child.started_at = 5, time.monotonic() - 61
    child.stop()

    assert child.postpone() == 1.0


def test_what_a_fallen_child_leaves_behind_is_ended_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    words = f"import subprocess, pathlib; p = subprocess.Popen({SLEEPS!r})\n"
    writes = f"pathlib.Path({str(note)!r}).write_text(str(p.pid))"
    supervisor.add("web", [sys.executable, "-c", words + writes])
    (child,) = supervisor.children
    while not child.fallen():
        time.sleep(0.02)
    pid = int(note.read_text(encoding="utf-8"))

    deadline = time.monotonic() + 5
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert gone(pid)


def test_children_are_stopped_in_the_reverse_order_and_forced_when_they_refuse(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    note = f"import pathlib, signal, sys, time; out = pathlib.Path({str(tmp_path / 'order')!r})\n"
    for name in ("first", "second"):
        tells = f"signal.signal(15, lambda *_: (out.open('a').write('{name}\\n'), sys.exit()))\n"
        ready = f"pathlib.Path({str(tmp_path)!r}, '{name}').touch(); time.sleep(60)"
        supervisor.add(name, [sys.executable, "-c", note + tells + ready])
    deaf = f"{note}signal.signal(15, signal.SIG_IGN); pathlib.Path({str(tmp_path)!r}, 'deaf').touch(); time.sleep(60)"
    supervisor.add("deaf", [sys.executable, "-c", deaf], patience=0.3)
    while not all((tmp_path / name).exists() for name in ("first", "second", "deaf")):
        time.sleep(0.02)
    pids = [child.process.pid for child in supervisor.children if child.process]

    supervisor.stop()

    assert (tmp_path / "order").read_text(encoding="utf-8") == "second\nfirst\n"
    assert all(gone(pid) for pid in pids)


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    words = (
        "import pathlib, sys; from config.processes import Supervisor\n"
        "s = Supervisor(logs=pathlib.Path(sys.argv[1])); s.add('web', sys.argv[2:])\n"
        "print(s.children[0].process.pid, flush=True); s.keep()"
    )
    parent = subprocess.Popen(  # noqa: S603 — our own words
        [sys.executable, "-c", words, str(tmp_path), *SLEEPS], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)

    parent.kill()
    parent.communicate()

    deadline = time.monotonic() + 5
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(pid)


def test_a_step_that_fails_stops_the_start_and_shows_what_it_said(supervisor: Supervisor) -> None:
    failing = [sys.executable, "-c", "import sys; print('la base est pleine'); sys.exit(3)"]

    with pytest.raises(ServerError, match=r"(?s)mise à niveau : échec \(code 3\)\.\nla base est pleine"):
        supervisor.step("Base de données : mise à niveau", failing)


def test_a_request_to_stop_is_heard_during_a_step(supervisor: Supervisor) -> None:
    kills = [sys.executable, "-c", "import os, time; os.kill(os.getppid(), 15); time.sleep(60)"]

    with pytest.raises(processes.StopAsked):
        supervisor.step("Étape", kills)


def test_a_taken_port_is_refused_with_what_to_type() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        number = other.getsockname()[1]

        with pytest.raises(ServerError, match=f"Le port {number} est déjà pris .* PORT={number + 1} bin/run"):
            processes.refuse_a_taken_port(number)


@pytest.mark.parametrize("asked", ["0", "65536", "huit mille", "-1"])
def test_a_port_that_is_not_one_is_refused(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("PORT", asked)

    with pytest.raises(ServerError, match="n’est pas un port"):
        processes.port()


def test_one_supervisor_per_folder(tmp_path: Path) -> None:
    with (
        processes.alone(tmp_path),
        pytest.raises(ServerError, match="Quittance tourne déjà"),
        processes.alone(tmp_path),
    ):
        raise AssertionError


def test_an_unknown_word_is_refused_with_those_that_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert processes.main(["toto"]) == 2
    assert capsys.readouterr().err == ("Mot inconnu : toto. Connus : web, worker, beat, catcher, migrate, roles.\n")


def test_the_web_server_binds_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("PORT", "8123")
    words = " ".join(processes.web())
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104 — what a container says

    assert "--host 127.0.0.1 --port 8123" in words
    assert "--host 0.0.0.0 --port 8123" in " ".join(processes.web())


def test_the_roles_of_a_real_server_are_made_from_its_addresses(
    cluster: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = cluster.user()
    doors = embedded.environment(cluster.var)
    secrets = keyring.ensure(cluster.home.secrets)
    server = doors["DATABASE_URL"].replace("quittance_app", "postgres")
    server = server.replace(secrets["APP_PASSWORD"], secrets["POSTGRES_PASSWORD"])
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SCHEDULER_URL", "DATABASE_OPERATOR_URL"):
        monkeypatch.setenv(name, f"{doors[name].removesuffix('quittance')}other")
    monkeypatch.setenv("DATABASE_SUPERUSER_URL", server)

    assert (processes.main(["roles"]), processes.main(["roles"])) == (0, 0)

    found = cluster.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'other'")
    cluster.ask("DROP DATABASE other", door="DATABASE_OWNER_URL")
    user.communicate()
    assert found == roles.OWNER


def test_two_roles_may_not_share_an_address() -> None:
    same = "postgresql://quittance_app:secret@db/quittance"

    with pytest.raises(ValueError, match="the address of quittance_owner must name that role"):
        roles.create_from(server="", addresses={roles.APP: same, roles.OWNER: same})


def test_bin_run_says_what_it_does_and_stops_cleanly_when_a_step_fails(place: Place, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "config.processes"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if k not in embedded.ADDRESSES},
            "DJANGO_SETTINGS_MODULE": "config.settings.nowhere",
            "QUITTANCE_VAR": str(place.var),
            "PORT": str(processes._free_port()),
        },
    )

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"· PostgreSQL et Redis tournent dans {place.var}",
        "· Base de données : mise à niveau…",
        "· Arrêt en cours : les envois commencés se terminent…",
    ]
    assert "No module named 'config.settings.nowhere'" in done.stderr


def test_the_files_of_the_pages_are_gathered_again_only_when_they_change(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setenv("QUITTANCE_VAR", str(tmp_path))
    monkeypatch.setattr(supervisor, "step", lambda label, _command: steps.append(label))

    processes.gather(supervisor)
    processes.gather(supervisor)
    assert steps == ["Fichiers des pages"]

    monkeypatch.setattr(processes, "fingerprint", lambda _paths: "other files")
    processes.gather(supervisor)
    assert steps == ["Fichiers des pages", "Fichiers des pages"]
