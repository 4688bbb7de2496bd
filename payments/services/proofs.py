"""The file a debtor joins to « J’ai déjà payé »: known by its content, made harmless, sealed, read and removed."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from PIL import Image, ImageOps
from pypdf import PdfReader

from cabinets import journal
from cabinets.scoping import acting_for
from invoices.errors import DocumentError
from invoices.sealed_files import read_sealed, remove_sealed, write_sealed
from invoices.services.documents import MEGABYTE, clean_name, media_type_of
from payments.errors import ProofError
from payments.models import DebtorRequest, Proof

FOLDER = "proofs"
BIGGEST = 5 * MEGABYTE
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 3000
QUALITY = 85
NOTHING_SENT = "Rien n’a été envoyé"
# How a telephone's own pictures begin (ISO 23008-12).
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftypheif")


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file that may be kept: what it is was read in it, and nothing but its picture or its pages is left."""

    name: str
    media_type: str
    data: bytes


def clean(*, name: str, data: bytes) -> CleanFile:
    """Return a file as it will be kept: a PDF that opens, or a picture drawn again without what it tells of a place.

    Raise ProofError for anything else.
    """
    if len(data) > BIGGEST:
        raise ProofError(f"Le fichier dépasse 5 Mo. {NOTHING_SENT} : allégez-le, ou envoyez une photo moins grande.")
    if data[4:12] in _HEIC:
        raise ProofError(
            f"Cette photo est au format HEIC, que le cabinet ne peut pas ouvrir. {NOTHING_SENT} : envoyez une capture"
            " d’écran, ou un PDF."
        )
    try:
        media_type = media_type_of(data)
    except DocumentError as refusal:
        raise ProofError(
            f"Ce fichier est vide, ou n’est ni un PDF, ni une image JPEG ou PNG. {NOTHING_SENT}."
        ) from refusal
    if media_type == "application/pdf":
        _check_pages(data)
    else:
        data = _drawn_again(data, media_type)
    return CleanFile(name=clean_name(name, media_type), media_type=media_type, data=data)


def keep(*, client_id: UUID, file: CleanFile) -> Proof:
    """Seal a file under the client's key, in the caller's transaction."""
    proof = Proof(
        client_id=client_id,
        file_name=file.name,
        media_type=file.media_type,
        size=len(file.data),
        digest=hashlib.sha256(file.data).digest(),
    )
    stored = write_sealed(
        io.BytesIO(file.data), folder=FOLDER, bound_to=proof.bound_to("file"), subject_id=client_id, limit=2 * BIGGEST
    )
    proof.stored_as = stored.stored_as
    try:
        proof.save(force_insert=True)
    except BaseException:
        remove_sealed(stored.stored_as)
        raise
    return proof


def read(*, request: DebtorRequest, proof: Proof) -> bytes:
    """Return the file of a request, every chunk verified; the reading is journalled."""
    data = read_sealed(proof.stored_as, bound_to=proof.bound_to("file"))
    journal.record("debtorrequest.proof_read", request)
    return data


@transaction.atomic
def remove(*, proof: Proof) -> None:
    """Remove a file from every request it was joined to; it leaves the disk once the removal is certain."""
    requests = list(DebtorRequest.objects.filter(proof=proof))
    DebtorRequest.objects.filter(proof=proof).update(proof=None)
    journal.record_many("debtorrequest.proof_removed", list(requests))
    stored_as, cabinet_id = proof.stored_as, proof.cabinet_id
    proof.delete()
    transaction.on_commit(lambda: _forget_file(stored_as, cabinet_id))


def _forget_file(stored_as: str, cabinet_id: UUID) -> None:
    # A request commits outside its firm's scope: the file's place is named again from the row.
    with acting_for(cabinet_id=cabinet_id):
        remove_sealed(stored_as)


def _check_pages(data: bytes) -> None:
    try:
        reader = PdfReader(io.BytesIO(data))
        is_locked, count = reader.is_encrypted, 0 if reader.is_encrypted else len(reader.pages)
    except Exception as error:
        raise ProofError(f"Ce PDF est abîmé : il ne s’ouvre pas. {NOTHING_SENT}.") from error
    if is_locked:
        raise ProofError(f"Ce PDF est protégé par un mot de passe. {NOTHING_SENT} : envoyez-le sans protection.")
    if not count:
        raise ProofError(f"Ce PDF n’a aucune page. {NOTHING_SENT}.")


def _drawn_again(data: bytes, media_type: str) -> bytes:
    """Draw a picture again: its place, its device and whatever follows its last pixel are left behind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            kind = "JPEG" if media_type == "image/jpeg" else "PNG"
            picture = Image.open(io.BytesIO(data), formats=[kind])
            # Nothing is drawn of one that would fill the memory.
            drawn = _draw(picture, kind) if picture.width * picture.height <= MOST_PIXELS else None
    except Exception as error:
        raise ProofError(f"Cette image est abîmée : elle ne s’ouvre pas. {NOTHING_SENT}.") from error
    if drawn is None:
        raise ProofError(f"Cette image est trop grande. {NOTHING_SENT} : envoyez une capture d’écran.")
    return drawn


def _draw(picture: Image.Image, kind: str) -> bytes:
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    turned = ImageOps.exif_transpose(picture)
    turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    drawn = io.BytesIO()
    if kind == "JPEG":
        turned.convert("RGB").save(drawn, kind, quality=QUALITY)
    else:
        shown = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
        shown.info.clear()
        shown.save(drawn, kind)
    return drawn.getvalue()
