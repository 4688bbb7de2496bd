"""The backups docs/operations.md tells of, made and restored by its very lines: the keys apart, and who lost theirs."""

import datetime as dt
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from cabinets.enums import KeyPurpose
from cabinets.models import Cabinet, Client, DataKey
from cabinets.scoping import tenant_atomic, working_for
from cabinets.services import archive
from config import embedded, keyring
from config.homes import Home
from config.servers import SUPERUSER, url
from gdpr.services.erasing import purge_client
from tests.conftest import NOW
from tests.factories.cabinets import make_cabinet, make_client

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

DAY = NOW.date()
FAR = dt.date(2037, 1, 1)
DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
RESTORED = "quittance_restored"
BACKUP = "quittance_backup"


class Recipe:
    """The lines of the documentation, with the addresses of this machine in the place of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, Home.of(embedded.folder())
        self.programs, _ = self.home.programs()
        told = DOCS.read_text(encoding="utf-8").split("### The tables of wrapped keys, apart")[1].split("\n## ")[0]
        self.lines = [line.strip() for line in told.splitlines() if line.startswith("    ")]
        self.live = str(connections["owner"].settings_dict["NAME"])

    def address(self, role: str, database: str) -> str:
        word = keyring.ensure(self.home.secrets)["POSTGRES_PASSWORD"]
        return url(home=self.home, role=role, password=word, database=database)

    def make(self, dump: str) -> None:
        [line] = [line for line in self.lines if line.startswith("pg_dump") and dump in line]
        self.run(line.replace(f"postgresql://{BACKUP}:…@host/quittance", self.address(BACKUP, self.live)))

    def restore(self) -> None:
        for line in (line for line in self.lines if line.startswith("pg_restore")):
            self.run(line.replace("postgresql://postgres:…@host/quittance", self.address(SUPERUSER, RESTORED)))
        said = "\n".join(self.lines)
        self.ask(said[said.index("BEGIN;") : said.index("COMMIT;") + 7])

    def run(self, line: str) -> str:
        program, *words = shlex.split(line)
        done = subprocess.run(  # noqa: S603 - the documentation's own words
            [self.programs / program, *words], cwd=self.folder, check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def ask(self, statement: str, *, database: str = RESTORED) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address(SUPERUSER, database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Recipe]:
    """The role the documentation makes for backups, and an empty database to restore into."""
    recipe = Recipe(tmp_path)
    word = keyring.ensure(recipe.home.secrets)["POSTGRES_PASSWORD"]
    recipe.ask(f"CREATE ROLE {BACKUP} LOGIN BYPASSRLS PASSWORD '{word}'", database="postgres")
    recipe.ask(f'GRANT CONNECT ON DATABASE "{recipe.live}" TO {BACKUP}', database="postgres")
    recipe.ask(f"GRANT pg_read_all_data TO {BACKUP}", database="postgres")
    recipe.ask(f"CREATE DATABASE {RESTORED}", database="postgres")
    yield recipe
    recipe.ask(f"DROP DATABASE {RESTORED} WITH (FORCE)", database="postgres")
    recipe.ask(f"DROP OWNED BY {BACKUP}", database=recipe.live)
    recipe.ask(f"DROP ROLE {BACKUP}", database="postgres")


@pytest.fixture
def firm() -> Cabinet:
    return make_cabinet(slug="aubry")


def state_of(recipe: Recipe, client: Client) -> tuple[bool, bytes | None, bytes | None]:
    """Return, in the restored database: whether the client is in the archive, their daily key, their archived key."""
    [found] = recipe.ask(
        "SELECT c.archived_on IS NOT NULL, k.wrapped, a.wrapped FROM cabinets_client c"
        " LEFT JOIN cabinets_datakey k ON k.subject_id = c.id LEFT JOIN cabinets_archivedkey a ON a.key_id = k.id"
        f" WHERE c.id = '{client.pk}'"
    )
    return found[0], found[1], found[2]


def test_restored_data_takes_the_newest_keys_wherever_the_archive_had_them(recipe: Recipe, firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        names = ("daily", "old", "between", "back", "erased")
        clients = {name: make_client(company=name) for name in names}
        keys = {
            name: bytes(DataKey.objects.get(purpose=KeyPurpose.CLIENT, subject_id=one.pk).wrapped or b"")
            for name, one in clients.items()
        }
        archive.put_away([clients[name].pk for name in ("old", "back", "erased")], on=DAY)
    recipe.make("data.dump")
    with working_for(cabinet_id=firm.pk):
        archive.put_away([clients["between"].pk], on=DAY)
        archive.give_back([clients["back"].pk])
        with tenant_atomic():
            purge_client(client_id=clients["erased"].pk, on=FAR)
        late = make_client(company="arrived since")
        archive.put_away([late.pk], on=DAY)
    with working_for(cabinet_id=make_cabinet(slug="neuf").pk):
        make_client(company="of a firm that arrived since")
    recipe.make("keys.dump")

    recipe.restore()

    long_lasting = recipe.run("pg_restore --data-only --file=- data.dump")
    assert "cabinets_client" in long_lasting
    assert [name for name, key in keys.items() if key.hex() in long_lasting] == []
    assert {name: state_of(recipe, one) for name, one in clients.items()} == {
        "daily": (False, keys["daily"], None),
        "old": (True, None, keys["old"]),
        "between": (True, None, keys["between"]),
        "back": (False, keys["back"], None),
        "erased": (True, None, None),
    }
    # The firm's own keys are there; those of whom the data does not know are not.
    told = recipe.ask("SELECT purpose, count(*) FROM cabinets_datakey GROUP BY purpose ORDER BY purpose")
    assert dict(told) == {"client": 4, "firm": 1}
    assert recipe.ask("SELECT count(*) FROM cabinets_archivedkey") == [(2,)]
