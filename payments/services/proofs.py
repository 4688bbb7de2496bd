"""The file a debtor joins to « J’ai déjà payé »: known by its content, made harmless, sealed, read and removed."""

import hashlib
import io
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from cabinets import journal, received
from cabinets.received import Flaw, FlawedFileError
from cabinets.scoping import acting_for
from invoices.sealed_files import read_sealed, remove_sealed, write_sealed
from invoices.services.documents import MEGABYTE, clean_name
from payments.errors import ProofError
from payments.models import DebtorRequest, Proof
from templates_lib.pdf import AttachmentError, pages_only

FOLDER = "proofs"
BIGGEST = 5 * MEGABYTE
LONGEST_SIDE = 3000
# The largest a telephone takes by itself, and no more: anybody who holds a link sends one.
MOST_PIXELS = 25_000_000
PDF = "application/pdf"
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
    """Return a file as it will be kept: the pages of a PDF, or a picture drawn again without what it tells of a place.

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
        media_type = received.told_type(data)
        if media_type == PDF:
            received.media_type_of(data)
            data = pages_only(data)
        else:
            _, data = received.redrawn(data, longest_side=LONGEST_SIDE, most_pixels=MOST_PIXELS)
    except FlawedFileError as refusal:
        raise ProofError(refusal.told(NOTHING_SENT)) from refusal
    except AttachmentError as refusal:
        raise ProofError(FlawedFileError(Flaw.DAMAGED_PDF).told(NOTHING_SENT)) from refusal
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
