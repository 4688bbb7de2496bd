"""Files on disk, sealed in chunks: written and read in constant memory, refused when moved, altered or cut short.

A file is `QF1 | key id (16) | salt (32)`, then chunks of 64 KiB each followed by its tag. Each file has a key of its
own, derived from the firm's or the client's data key, the salt, and what the caller binds the file to; a chunk's nonce
is its place in the file and whether it is the last one, so chunks can be neither swapped nor dropped.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from cabinets.enums import KeyPurpose
from cabinets.errors import FileAlteredError, FileGoneError, SealBrokenError
from cabinets.scoping import current_cabinet_id
from cabinets.sealing import active_key, key_bytes
from invoices.errors import InvoiceError

MAGIC = b"QF1"
SALT = 32
HEADER = len(MAGIC) + 16 + SALT
CHUNK = 64 * 1024
TAG = 16
PARTIAL = ".partial"


class Readable(Protocol):
    """Whatever gives bytes: an uploaded file, an open file, a stream in memory."""

    def read(self, size: int = -1, /) -> bytes:
        """Give at most so many bytes; nothing at the end."""


class StoredFile(NamedTuple):
    """What was written: where, how many bytes in clear, and their SHA-256."""

    stored_as: str
    size: int
    sha256: bytes


class FileTooBigError(InvoiceError):
    """A file longer than allowed; nothing of it is kept."""


class SealedWriter:
    """Seals what is written to it, a chunk at a time; refuses, once past the limit, what goes beyond."""

    def __init__(self, target: BinaryIO, cipher: AESGCM, limit: int | None) -> None:
        self._target, self._cipher, self._limit = target, cipher, limit
        self._waiting, self._number = bytearray(), 0
        self.size, self._digest = 0, hashlib.sha256()

    @property
    def sha256(self) -> bytes:
        """Return the SHA-256 of what was written so far, in clear."""
        return self._digest.digest()

    def write(self, data: bytes, /) -> int:
        """Take bytes in; the last chunk waits, since it must say that it is the last."""
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise FileTooBigError(f"Le fichier dépasse {self._limit // 1_048_576} Mo. Rien n’a été enregistré.")
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Do nothing: a chunk is written when it is full."""

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, None))
        self._number += 1


@contextmanager
def sealing(
    stored_as: str, *, bound_to: bytes, subject_id: UUID | None = None, limit: int | None = None
) -> Iterator[SealedWriter]:
    """Open a new file of the firm acted for, to be written piece by piece, under a client's key when one is named.

    The file appears whole when the block ends well; otherwise nothing is left behind. One that exists is replaced.
    """
    purpose = KeyPurpose.FIRM if subject_id is None else KeyPurpose.CLIENT
    key_id, salt = active_key(purpose=purpose, subject_id=subject_id), os.urandom(SALT)
    path = path_of(stored_as)
    _make_private(path.parent)
    partial = path.with_suffix(PARTIAL)
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
            target.write(MAGIC + key_id.bytes + salt)
            writer = SealedWriter(target, _cipher(key_id, salt, bound_to), limit)
            yield writer
            writer.finish()
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def new_name(folder: str) -> str:
    """Return a name no file has, in a folder of the firm."""
    return f"{folder}/{uuid4()}"


def write_sealed(
    stream: Readable, *, folder: str, bound_to: bytes, subject_id: UUID | None = None, limit: int | None = None
) -> StoredFile:
    """Seal a stream into a new file of the firm acted for, under a client's key when `subject_id` names one.

    The file appears whole or not at all. Raise FileTooBigError past `limit` bytes and leave nothing behind.
    """
    stored_as = new_name(folder)
    with sealing(stored_as, bound_to=bound_to, subject_id=subject_id, limit=limit) as writer:
        while part := stream.read(CHUNK):
            writer.write(part)
    return StoredFile(stored_as, writer.size, writer.sha256)


def open_sealed_file(stored_as: str, *, bound_to: bytes) -> BinaryIO:
    """Open a sealed file of the firm for reading and seeking; refuse at once one that was cut or moved.

    An altered chunk raises FileAlteredError when it is read. Raise FileGoneError when the file is gone.
    """
    return io.BufferedReader(_SealedReader(stored_as, bound_to), buffer_size=CHUNK)


def open_whole(stored_as: str, *, bound_to: bytes) -> BinaryIO:
    """Open a sealed file whose every chunk was verified: nothing is given of one before all of it is known good."""
    opened = open_sealed_file(stored_as, bound_to=bound_to)
    try:
        while opened.read(CHUNK):
            pass
        opened.seek(0)
    except BaseException:
        opened.close()
        raise
    return opened


def read_sealed(stored_as: str, *, bound_to: bytes) -> bytes:
    """Return all that a sealed file holds, every chunk verified."""
    return b"".join(open_sealed_stream(stored_as, bound_to=bound_to))


def open_sealed_stream(stored_as: str, *, bound_to: bytes) -> Iterator[bytes]:
    """Yield the clear bytes of a sealed file, chunk by chunk, each one verified before it is yielded."""
    with open_sealed_file(stored_as, bound_to=bound_to) as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def remove_sealed(stored_as: str) -> None:
    """Delete a sealed file; one already gone is no error."""
    if stored_as:
        with suppress(FileNotFoundError):
            path_of(stored_as).unlink()


def path_of(stored_as: str) -> Path:
    """Return where a file of the firm acted for is; refuse a name that leaves the firm's folder."""
    home = Path(settings.MEDIA_ROOT) / str(current_cabinet_id())
    path = Path(os.path.normpath(home / stored_as))
    if not path.is_relative_to(home) or path == home:
        raise FileAlteredError("Ce fichier n’est pas rangé dans le dossier du cabinet.", stored_as=stored_as)
    return path


class _SealedReader(io.RawIOBase):
    """The clear bytes of a sealed file; keeps one opened chunk at a time."""

    def __init__(self, stored_as: str, bound_to: bytes) -> None:
        super().__init__()
        self._stored_as, path = stored_as, path_of(stored_as)
        try:
            self._file = path.open("rb")
        except FileNotFoundError as error:
            raise FileGoneError("Ce fichier n’est plus sur le disque.", stored_as=stored_as) from error
        try:
            self._read_header(path.stat().st_size - HEADER, bound_to)
        except BaseException:
            self._file.close()
            raise

    def _read_header(self, body: int, bound_to: bytes) -> None:
        header = self._file.read(HEADER)
        if len(header) < HEADER or header[: len(MAGIC)] != MAGIC or body < TAG:
            raise self._altered("Ce fichier chiffré est incomplet ou n’est pas reconnu.")
        key_id = UUID(bytes=header[len(MAGIC) : len(MAGIC) + 16])
        try:
            self._cipher = _cipher(key_id, header[-SALT:], bound_to)
        except SealBrokenError as error:
            raise self._altered(str(error)) from error
        self._chunks = -(-body // (CHUNK + TAG))
        self.size = body - self._chunks * TAG
        self._place, self._known, self._clear = 0, -1, b""
        # The last chunk says that it is the last: a file cut between two chunks is refused here.
        self._open_chunk(self._chunks - 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed names its own Buffer
        number, offset = divmod(self._place, CHUNK)
        if self._place >= self.size:
            return 0
        part = self._open_chunk(number)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        self._clear = b""
        super().close()

    def _open_chunk(self, number: int) -> bytes:
        if number != self._known:
            self._file.seek(HEADER + number * (CHUNK + TAG))
            sealed = self._file.read(CHUNK + TAG)
            nonce = _nonce(number, last=number == self._chunks - 1)
            try:
                self._clear = self._cipher.decrypt(nonce, sealed, None)
            except InvalidTag as error:
                raise self._altered("Ce fichier chiffré a été déplacé, altéré ou coupé : il ne s’ouvre pas.") from error
            self._known = number
        return self._clear

    def _altered(self, sentence: str) -> FileAlteredError:
        return FileAlteredError(sentence, stored_as=self._stored_as)


def _make_private(folder: Path) -> None:
    """Create a folder and its missing parents for this user alone; `mkdir` gives its mode to the last one only."""
    for missing in [place for place in reversed([folder, *folder.parents]) if not place.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)


def _cipher(key_id: UUID, salt: bytes, bound_to: bytes) -> AESGCM:
    info = b"quittance|file|" + current_cabinet_id().bytes + bound_to
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(key_bytes(key_id)))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
