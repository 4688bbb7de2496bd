"""Sealed files: what comes back, and every way of tampering that must be refused."""

import hashlib
import io
import stat
from pathlib import Path
from typing import Any

import pytest

from cabinets.errors import SealBrokenError
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from invoices.sealed_files import (
    CHUNK,
    HEADER,
    TAG,
    FileTooBigError,
    open_sealed_file,
    open_sealed_stream,
    path_of,
    remove_sealed,
    write_sealed,
)
from tests.factories.cabinets import make_client, outside_any_firm

BOUND = b"batch 1"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def _store(clear: bytes, **options: Any) -> str:
    return write_sealed(io.BytesIO(clear), folder="imports", bound_to=BOUND, **options).stored_as


def _read(stored_as: str, bound_to: bytes = BOUND) -> bytes:
    return b"".join(open_sealed_stream(stored_as, bound_to=bound_to))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_a_file_of_any_size_comes_back_as_it_went_in(cabinet: Cabinet, size: int) -> None:
    clear = bytes(number % 251 for number in range(size))
    stored_as, written, digest = write_sealed(io.BytesIO(clear), folder="imports", bound_to=BOUND)
    assert (written, digest) == (size, hashlib.sha256(clear).digest())
    assert _read(stored_as) == clear


def test_a_stream_that_gives_less_than_asked_is_read_to_its_end(cabinet: Cabinet) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1000, 1000))

    clear = b"facture;" * 20_000
    stored_as, _, _ = write_sealed(Trickle(clear), folder="imports", bound_to=BOUND)
    assert _read(stored_as) == clear


def test_nothing_of_the_text_is_on_disk_and_nobody_else_may_read_the_file(cabinet: Cabinet) -> None:
    path = path_of(_store(b"Madame Durand;1440,00" * 100))
    assert b"Durand" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(place.stat().st_mode) for place in list(path.parents)[:3]] == [0o700, 0o700, 0o700]
    assert path.parent.parent.name == str(cabinet.pk)


def test_the_file_can_be_sought_in(cabinet: Cabinet) -> None:
    clear = bytes(number % 256 for number in range(2 * CHUNK + 100))
    with open_sealed_file(_store(clear), bound_to=BOUND) as opened:
        assert opened.seek(0, 2) == len(clear)
        opened.seek(CHUNK - 3)
        assert opened.read(6) == clear[CHUNK - 3 : CHUNK + 3]
        opened.seek(-4, 2)
        assert opened.read() == clear[-4:]


def _sealed_chunk(number: int) -> slice:
    return slice(HEADER + number * (CHUNK + TAG), HEADER + (number + 1) * (CHUNK + TAG))


def _swap_chunks(sealed: bytes) -> bytes:
    first, second = sealed[_sealed_chunk(0)], sealed[_sealed_chunk(1)]
    return sealed[:HEADER] + second + first + sealed[_sealed_chunk(1).stop :]


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda sealed: sealed[: _sealed_chunk(1).stop], id="cut between two chunks"),
        pytest.param(lambda sealed: sealed[:-1], id="cut inside a chunk"),
        pytest.param(lambda sealed: sealed[:HEADER], id="no chunk left"),
        pytest.param(lambda sealed: sealed[: HEADER - 5], id="no header left"),
        pytest.param(lambda sealed: b"", id="emptied"),
        pytest.param(lambda sealed: sealed + sealed[_sealed_chunk(0)], id="a chunk repeated at the end"),
        pytest.param(_swap_chunks, id="two chunks swapped"),
        pytest.param(lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), id="one bit of the last tag"),
        pytest.param(lambda sealed: sealed[:100] + b"\x00\x01" + sealed[102:], id="two bytes of the first chunk"),
        pytest.param(lambda sealed: sealed[:25] + b"\xff\xfe" + sealed[27:], id="the salt"),
    ],
)
def test_a_file_tampered_with_does_not_open(cabinet: Cabinet, tamper: Any) -> None:
    stored_as = _store(bytes(3 * CHUNK + 50))
    path = path_of(stored_as)
    path.write_bytes(tamper(path.read_bytes()))
    with pytest.raises(SealBrokenError):
        _read(stored_as)


def test_a_file_bound_to_another_row_does_not_open(cabinet: Cabinet) -> None:
    stored_as = _store(b"secret")
    with pytest.raises(SealBrokenError):
        _read(stored_as, b"batch 2")


def test_a_file_copied_into_another_firm_does_not_open(cabinet: Cabinet, other_cabinet: Cabinet) -> None:
    stored_as = _store(b"secret")
    sealed = path_of(stored_as).read_bytes()
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        path_of(stored_as).parent.mkdir(parents=True)
        path_of(stored_as).write_bytes(sealed)
        with pytest.raises(SealBrokenError):
            _read(stored_as)


def test_a_client_s_file_is_under_the_client_s_key(cabinet: Cabinet) -> None:
    client = make_client()
    of_client, of_firm = _store(b"x", subject_id=client.pk), _store(b"x")
    assert path_of(of_client).read_bytes()[3:19] != path_of(of_firm).read_bytes()[3:19]
    assert _read(of_client) == b"x"


def test_a_file_too_big_is_refused_and_leaves_nothing(cabinet: Cabinet) -> None:
    with pytest.raises(FileTooBigError, match="dépasse 1 Mo"):
        _store(bytes(1_048_577), limit=1_048_576)
    assert list(path_of("imports/x").parent.iterdir()) == []
    assert _store(bytes(1_048_576), limit=1_048_576)


@pytest.mark.parametrize("stored_as", ["../ailleurs/x", "/etc/passwd", "", ".", "imports/../../x"])
def test_a_name_that_leaves_the_firm_s_folder_is_refused(cabinet: Cabinet, stored_as: str) -> None:
    with pytest.raises(SealBrokenError, match="dossier du cabinet"):
        path_of(stored_as)


def test_a_removed_file_is_gone_and_removing_it_twice_is_no_error(cabinet: Cabinet) -> None:
    stored_as = _store(b"x")
    remove_sealed(stored_as)
    remove_sealed(stored_as)
    remove_sealed("")
    with pytest.raises(FileNotFoundError):
        _read(stored_as)
