"""The embedded servers: started, shared, killed, started again, and never in anybody's way."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded, keeper, locks
from config.homes import LONGEST_SOCKET_FOLDER, Home, ServerError
from config.servers import dies_with_parent, squatters
from tests.config.conftest import ROOT, USER, Place

DOORS = {
    "DATABASE_URL": "quittance_app",
    "DATABASE_OWNER_URL": "quittance_owner",
    "DATABASE_SCHEDULER_URL": "quittance_scheduler",
    "DATABASE_OPERATOR_URL": "quittance_operator",
}


@pytest.fixture(autouse=True)
def _frozen_clock() -> None:
    """Leave the clock alone: these tests wait for real processes."""


def soon(fact: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    """Wait for a fact that must come by itself."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def keeper_of(place: Place) -> int:
    return int((place.home.servers / keeper.READY).read_text(encoding="utf-8"))


def leave(user: "subprocess.Popen[str]") -> None:
    user.communicate()
    assert user.returncode == 0


def end(user: "subprocess.Popen[str]") -> None:
    """Kill a user, without a word."""
    user.kill()
    user.communicate()


@pytest.mark.parametrize(("door", "role"), DOORS.items())
def test_each_door_opens_on_its_own_role(cluster: Place, door: str, role: str) -> None:
    with embedded.running(cluster.var, durable=False):
        found = cluster.ask("SELECT current_user::text", door=door)
        rights = cluster.ask(
            "SELECT row(rolsuper, rolbypassrls, rolcreaterole, rolcreatedb)::text FROM pg_roles "
            "WHERE rolname = current_user",
            door=door,
        )

    assert found == role
    assert rights == ("(f,f,f,t)" if role == "quittance_owner" else "(f,f,f,f)")


@pytest.mark.parametrize("door", [door for door, role in DOORS.items() if role != "quittance_owner"])
@pytest.mark.parametrize("statement", ["CREATE TABLE t ()", "CREATE TEMP TABLE t ()", "CREATE SCHEMA s"])
def test_only_the_owner_creates_anything(cluster: Place, door: str, statement: str) -> None:
    with embedded.running(cluster.var, durable=False), pytest.raises(psycopg.errors.InsufficientPrivilege):
        cluster.ask(statement, door=door)


def test_nobody_enters_without_the_password(cluster: Place) -> None:
    with embedded.running(cluster.var, durable=False) as environment:
        right = environment["DATABASE_URL"]
        wrong = right.replace(right.split(":")[2].split("@")[0], "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        superuser = wrong.replace("quittance_app", "postgres")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(superuser)


def test_the_servers_listen_to_no_network_and_keep_what_they_are_told(cluster: Place) -> None:
    with embedded.running(cluster.var) as environment:
        sockets = cluster.home.sockets
        config = (cluster.home.redis / "redis.conf").read_text(encoding="utf-8")

        assert cluster.ask("SHOW listen_addresses") == ""
        assert cluster.ask("SHOW server_encoding") == "UTF8"
        assert cluster.ask("SHOW password_encryption") == "scram-sha-256"
        assert cluster.ask("SHOW fsync") == "on"
        assert cluster.ask("SELECT upper('échéance')") == "ÉCHÉANCE"
        assert environment["REDIS_URL"].startswith("unix://:")
        assert {"port 0", "appendonly yes", "maxmemory-policy noeviction"} <= set(config.splitlines())
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_two_users_share_the_servers_and_the_last_one_stops_them(place: Place) -> None:
    first, second = place.user(), place.user()
    keeping = keeper_of(place)

    leave(first)
    assert keeper_of(place) == keeping
    assert place.ask("SELECT 1") == 1

    leave(second)
    assert place.pids() == []
    assert not place.kept()


def test_the_servers_stop_when_their_only_user_is_killed(place: Place) -> None:
    user = place.user()

    end(user)

    assert soon(lambda: not place.kept())
    assert place.pids() == []
    log = (place.home.servers / keeper.LOG).read_text(encoding="utf-8")
    assert "received fast shutdown request" in log
    assert log.rstrip().endswith("database system is shut down")


def test_the_servers_stop_when_their_keeper_is_killed(place: Place) -> None:
    user = place.user()

    os.kill(keeper_of(place), signal.SIGKILL)

    assert soon(lambda: place.pids() == [])
    leave(user)


def test_everything_killed_at_once_starts_again_in_seconds_with_its_data(place: Place) -> None:
    user = place.user(durable=True)
    place.ask("CREATE TABLE public.t AS SELECT 7 AS n", door="DATABASE_OWNER_URL")
    victims = [keeper_of(place), *place.pids()]

    end(user)
    for pid in victims:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    with embedded.running(place.var, durable=False):
        assert place.ask("SELECT n FROM public.t", door="DATABASE_OWNER_URL") == 7

    assert time.monotonic() - began < 10


def test_the_word_of_a_keeper_that_is_dying_is_not_believed(place: Place) -> None:
    user = place.user()
    end(user)
    assert soon(lambda: not place.kept())
    (place.home.servers / keeper.READY).write_text("1\n", encoding="utf-8")

    with locks.held(place.home.servers / keeper.KEEPER_LOCK):
        newcomer = subprocess.Popen(  # noqa: S603 — our own words
            [sys.executable, "-c", USER, str(place.var), ""],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.7)
    said, _ = newcomer.communicate()

    assert (newcomer.returncode, said) == (0, "up\n")


def test_a_server_that_dies_alone_is_started_again(place: Place) -> None:
    with embedded.running(place.var, durable=False):
        keeping = keeper_of(place)
        (old,) = squatters(folder=place.home.redis, program="redis-server")
        os.kill(old, signal.SIGKILL)

        assert soon(lambda: set(squatters(folder=place.home.redis, program="redis-server")) not in ({old}, set()))
        assert keeper_of(place) == keeping


def test_a_stale_pid_that_now_belongs_to_someone_else_is_not_believed(place: Place) -> None:
    with embedded.running(place.var, durable=False):
        pass
    sleeper = subprocess.Popen(
        ["sleep", "60"],  # noqa: S607 — wherever it is
        user=None if place.home.uid == os.geteuid() else place.home.uid,
        preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 — no thread here
    )
    stale = f"{sleeper.pid}\n{place.home.postgres}\n0\n5432\n{place.home.sockets}\n\n\nready\n"
    (place.home.postgres / "postmaster.pid").write_text(stale, encoding="utf-8")
    (place.home.sockets / ".s.PGSQL.5432.lock").write_text(stale, encoding="utf-8")

    with embedded.running(place.var, durable=False):
        assert place.ask("SELECT 1") == 1

    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_cluster_half_made_is_made_again(place: Place) -> None:
    draft = place.home.data / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n", encoding="utf-8")

    with embedded.running(place.var, durable=False):
        assert place.ask("SELECT 1") == 1

    assert not draft.exists()


def test_a_damaged_queue_is_set_aside_and_the_base_is_served(place: Place) -> None:
    with embedded.running(place.var, durable=False):
        pass
    journal = place.home.redis / "appendonly.aof"
    journal.write_bytes(b"*2\r\n$3\r\nnot a command\r\n" * 20)

    with embedded.running(place.var, durable=False):
        assert place.ask("SELECT 1") == 1

    (kept,) = place.home.redis.glob("appendonly.aof.damaged-*")
    assert kept.read_bytes().startswith(b"*2\r\n$3\r\nnot a command")


def test_data_of_another_version_is_refused_and_untouched(place: Place) -> None:
    with embedded.running(place.var, durable=False):
        pass
    (place.home.postgres / "PG_VERSION").write_text("16\n", encoding="utf-8")

    with pytest.raises(ServerError, match="sont celles de PostgreSQL 16"), embedded.running(place.var):
        raise AssertionError

    assert place.pids() == []


def test_servers_already_on_the_machine_are_not_in_the_way(place: Place, cluster: Place) -> None:
    with embedded.running(cluster.var, durable=False), embedded.running(place.var, durable=False):
        assert (cluster.ask("SELECT 1"), place.ask("SELECT 2")) == (1, 2)
        assert set(place.pids()).isdisjoint(cluster.pids())


def test_a_path_too_long_for_a_socket_is_served_from_a_short_private_folder(place: Place) -> None:
    long = Place(place.var.with_name("un dossier très long " + "x" * 120) / "var")
    sockets = long.home.sockets

    with embedded.running(long.var, durable=False):
        assert long.ask("SELECT 1") == 1
        assert len(os.fsencode(sockets)) <= LONGEST_SOCKET_FOLDER
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert sockets.stat().st_uid == long.home.uid

    assert not sockets.exists()


def test_a_socket_folder_prepared_by_someone_else_is_refused(place: Place) -> None:
    long = Place(place.var.with_name("x" * 120) / "var")
    sockets = long.home.sockets
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)

    try:
        with pytest.raises(ServerError, match="n’appartient pas au produit"), embedded.running(long.var):
            raise AssertionError
    finally:
        sockets.rmdir()


def test_no_folder_outside_the_products_own_changes_its_mode(place: Place) -> None:
    above = [*place.var.parents]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in above]

    with embedded.running(place.var, durable=False):
        pass

    assert [stat.S_IMODE(folder.stat().st_mode) for folder in above] == before


def test_servers_named_by_the_installation_leave_nothing_to_embed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in embedded.ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/database_url")
    before = dict(os.environ)

    with embedded.exported(place.var):
        assert dict(os.environ) == before

    assert not (place.var / "secrets").exists()


def test_the_environment_is_lent_for_the_time_of_the_servers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in embedded.ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRET_KEY", "chosen by hand")
    before = dict(os.environ)

    with embedded.exported(place.var, durable=False):
        assert os.environ["SECRET_KEY"] == "chosen by hand"
        assert os.environ["QUITTANCE_VAR"] == str(place.var)
        psycopg.connect(os.environ["DATABASE_URL"]).close()

    assert dict(os.environ) == before


def test_a_lock_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    words = "import pathlib, sys, time; from config import locks"
    block = "with locks.held(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    holder = subprocess.Popen(  # noqa: S603 — our own words
        [sys.executable, "-c", f"{words}\n{block}", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert locks.is_held(path)

    holder.kill()
    holder.communicate()

    assert not locks.is_held(path)


@pytest.fixture
def ordinary(place: Place) -> Iterator[tuple[Path, list[str]]]:
    """A private folder of an ordinary user, and how a command begins as that user without a HOME."""
    base = Path(tempfile.mkdtemp(prefix="q-"))
    python, path = _python_for_all(base)
    words = ["env", "-u", "HOME", "PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={path}", python]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(base, nobody.pw_uid, nobody.pw_gid)
        words = ["setpriv", "--reuid", "nobody", "--regid", str(nobody.pw_gid), "--clear-groups", *words]
    yield base / "var", words
    shutil.rmtree(base)


def _python_for_all(base: Path) -> tuple[str, str]:
    """Return a Python that any account may run, with the libraries and the code it needs."""
    packages = str(Path(psycopg.__file__).parents[1])
    shared = str(ROOT) if os.access(ROOT, os.X_OK) else str(base)
    return shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable, f"{shared}:{packages}"


def test_an_ordinary_user_runs_the_same_servers_as_itself(ordinary: tuple[Path, list[str]]) -> None:
    var, words = ordinary

    done = subprocess.run(  # noqa: S603 — our own words
        [*words, "-m", "config.embedded", str(var), "sh", "-c", 'echo "$DATABASE_URL"; id -un'],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={key: value for key, value in os.environ.items() if key not in embedded.ADDRESSES},
    )

    assert done.returncode == 0, done.stderr
    address, who = done.stdout.split()
    assert address.startswith("postgresql://quittance_app:")
    assert pwd.getpwuid((var / "postgres").stat().st_uid).pw_name == who
    assert not locks.is_held(var / "servers" / keeper.KEEPER_LOCK)


def test_a_tree_closed_to_the_servers_account_keeps_its_data_outside(tmp_path: Path, place: Place) -> None:
    closed = place.var.with_name("closed")
    closed.mkdir(mode=0o700)
    var = closed / "var"
    home = Home.of(var)

    with embedded.running(var, durable=False):
        assert Place(var).ask("SELECT 1") == 1

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (home.data == var) is (os.geteuid() != 0)
    assert Home.of(var) == home
    if home.data != var:
        shutil.rmtree(home.data)


def test_a_copy_of_a_tree_does_not_share_the_data_of_the_original(place: Place, tmp_path: Path) -> None:
    original, outside = place.home, tmp_path / "outside"
    (original.servers / "home").write_text(f"{outside}\n", encoding="utf-8")
    assert Home.of(original.var).data == outside
    copy = place.var.with_name("copy")
    shutil.copytree(place.var, copy)

    with pytest.raises(ServerError, match="servent déjà l’installation"):
        Home.of(copy)

    shutil.rmtree(place.var)
    assert Home.of(copy).data == outside
    place.var.mkdir()
