"""The secrets of one machine: private, made once, never replaced under data."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import keyring


def test_every_secret_is_made_once_in_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    first, second = keyring.ensure(folder), keyring.ensure(folder, data_exists=True)

    assert first == second
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        name.lower(): 0o600 for name in {**keyring.SETTINGS, **keyring.SERVERS}
    }


def test_secrets_are_long_and_all_different(tmp_path: Path) -> None:
    found = keyring.ensure(tmp_path / "secrets")

    version, key = found["KEY_ENCRYPTION_KEYS"].split(":")
    assert (version, len(base64.b64decode(key, validate=True))) == ("1", 32)
    assert len(set(found.values())) == len(found) == 10
    assert min(map(len, found.values())) >= 44


def test_two_first_runs_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keyring.ensure(tmp_path / "secrets"), range(8)))

    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("name", sorted(keyring.IRREPLACEABLE))
def test_a_lost_secret_is_not_replaced_when_data_depends_on_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "secrets"
    keyring.ensure(folder)
    (folder / name.lower()).unlink()

    with pytest.raises(keyring.KeyringError, match=f"Le secret {name.lower()} manque"):
        keyring.ensure(folder, data_exists=True)

    assert not (folder / name.lower()).exists()


def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    keyring.ensure(folder)
    (folder / "scope_key").chmod(0o644)

    with pytest.raises(keyring.KeyringError, match="peut être lu par d’autres comptes"):
        keyring.ensure(folder)
