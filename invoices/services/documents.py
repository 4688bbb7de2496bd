"""Keep documents sealed under their client's key: one by one, or many matched by the invoice number in their name."""

import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from django.db import transaction

from cabinets import journal, received
from cabinets.models import Dossier
from cabinets.received import FlawedFileError
from cabinets.scoping import acting_for, current_scope
from invoices.enums import DocumentKind, Removal
from invoices.errors import DocumentError
from invoices.models import Document, Invoice
from invoices.sealed_files import read_sealed, remove_sealed, write_sealed

MEGABYTE = 1024 * 1024
BIGGEST = 10 * MEGABYTE
FOLDER = "documents"
LONGEST_NAME = 120
_ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}
_APART = re.compile(r"[^0-9A-Z]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was given."""

    name: str
    data: bytes


class Match(StrEnum):
    """What became of a file of a batch."""

    ADDED = "added"
    KNOWN = "known"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file of a batch: what became of it, for which invoice, and the sentence that says so."""

    file_name: str
    match: Match
    sentence: str = ""
    invoice: Invoice | None = None


@transaction.atomic
def attach_to_invoice(*, invoice_id: UUID, upload: Upload, kind: DocumentKind = DocumentKind.INVOICE) -> Document:
    """Seal a file and attach it to an invoice; refuse one that is already there."""
    invoice = Invoice.objects.get(pk=invoice_id)
    return _keep(upload, kind=kind, client_id=invoice.client_id, dossier_id=invoice.dossier_id, invoice_id=invoice.pk)


@transaction.atomic
def attach_to_dossier(*, dossier_id: UUID, upload: Upload, kind: DocumentKind = DocumentKind.FEE_AGREEMENT) -> Document:
    """Seal a file and attach it to a dossier; refuse one that is already there."""
    dossier = Dossier.objects.get(pk=dossier_id)
    return _keep(upload, kind=kind, client_id=dossier.client_id, dossier_id=dossier.pk, invoice_id=None)


@transaction.atomic
def attach_many(*, uploads: Sequence[Upload]) -> list[Outcome]:
    """Attach each file to the one invoice whose number its name bears; say what became of every file."""
    matched = match_names([upload.name for upload in uploads], numbers=_numbers())
    return [_attach_matched(upload, matched[upload.name]) for upload in uploads]


def read_document(document: Document) -> bytes:
    """Return a document as it was given, every chunk verified; the reading is journalled."""
    data = read_sealed(document.stored_as, bound_to=document.bound_to("file"))
    journal.record("document.downloaded", document)
    return data


@transaction.atomic
def remove_document(*, document_id: UUID, reason: Removal) -> None:
    """Remove a document; its file goes once the removal is certain."""
    document = Document.objects.get(pk=document_id)
    journal.record("document.removed", document, reason=reason.value, kind=document.kind, invoice=_text(document))
    stored_as, cabinet_id = document.stored_as, document.cabinet_id
    document.delete()
    transaction.on_commit(lambda: _forget_file(stored_as, cabinet_id))


def match_names(names: Iterable[str], *, numbers: Mapping[UUID, str]) -> dict[str, list[UUID]]:
    """Find in each file name the invoice numbers it bears, whole; a number inside a longer one found does not count."""
    by_words: dict[str, list[UUID]] = defaultdict(list)
    for invoice_id, number in numbers.items():
        by_words[_words(number)].append(invoice_id)
    by_letters: dict[str, list[UUID]] = defaultdict(list)
    for invoice_id, number in numbers.items():
        by_letters[_letters(number)].append(invoice_id)
    return {name: _find(PurePosixPath(name).stem, by_words, by_letters) for name in names}


def media_type_of(data: bytes) -> str:
    """Tell a PDF, a PNG or a JPEG by its content; refuse anything else, one that does not open and one too big."""
    if len(data) > BIGGEST:
        raise DocumentError("Le fichier dépasse 10 Mo. Rien n’a été enregistré : allégez-le.")
    try:
        return received.media_type_of(data)
    except FlawedFileError as refusal:
        raise DocumentError(refusal.told("Rien n’a été enregistré")) from refusal


def _keep(
    upload: Upload, *, kind: DocumentKind, client_id: UUID, dossier_id: UUID, invoice_id: UUID | None
) -> Document:
    media_type, digest = media_type_of(upload.data), hashlib.sha256(upload.data).digest()
    if Document.objects.filter(dossier=dossier_id, invoice=invoice_id, digest=digest).exists():
        raise KnownDocumentError("Ce document est déjà joint. Rien n’a été ajouté.")
    document = Document(
        kind=kind,
        client_id=client_id,
        dossier_id=dossier_id,
        invoice_id=invoice_id,
        file_name=clean_name(upload.name, media_type),
        media_type=media_type,
        size=len(upload.data),
        digest=digest,
        added_by_id=current_scope().member_id,
    )
    stored = write_sealed(
        io.BytesIO(upload.data),
        folder=FOLDER,
        bound_to=document.bound_to("file"),
        subject_id=client_id,
        limit=BIGGEST,
    )
    document.stored_as = stored.stored_as
    try:
        document.save(force_insert=True)
    except BaseException:
        remove_sealed(stored.stored_as)
        raise
    journal.record("document.added", document, kind=kind.value, invoice=_text(document))
    return document


def _forget_file(stored_as: str, cabinet_id: UUID) -> None:
    # A request commits outside its firm's scope: the file's place is named again from the row.
    with acting_for(cabinet_id=cabinet_id):
        remove_sealed(stored_as)


class KnownDocumentError(DocumentError):
    """This very file is already there."""


def _attach_matched(upload: Upload, found: list[UUID]) -> Outcome:
    name = _shown(upload.name)
    if not found:
        return Outcome(name, Match.UNMATCHED, "Aucun numéro de facture du cabinet dans le nom du fichier.")
    if len(found) > 1:
        return Outcome(name, Match.AMBIGUOUS, "Le nom du fichier convient à plusieurs factures.")
    invoice = Invoice.objects.get(pk=found[0])
    try:
        with transaction.atomic():
            attach_to_invoice(invoice_id=invoice.pk, upload=upload)
    except KnownDocumentError as error:
        return Outcome(name, Match.KNOWN, str(error), invoice)
    except DocumentError as error:
        return Outcome(name, Match.REFUSED, str(error), invoice)
    return Outcome(name, Match.ADDED, "", invoice)


def _numbers() -> dict[UUID, str]:
    return dict(Invoice.objects.values_list("pk", "number"))


def _find(stem: str, by_words: Mapping[str, list[UUID]], by_letters: Mapping[str, list[UUID]]) -> list[UUID]:
    words = _words(stem).split("-")
    spans = {"-".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}
    found = [span for span in spans if span in by_words]
    widest = [span for span in found if not any(f"-{span}-" in f"-{other}-" for other in found if other != span)]
    matched = [invoice_id for span in sorted(widest) for invoice_id in by_words[span]]
    return matched or list(by_letters.get(_letters(stem), []))


def _words(text: str) -> str:
    return _APART.sub("-", text.upper()).strip("-")


def _letters(text: str) -> str:
    return _APART.sub("", text.upper())


def clean_name(name: str, media_type: str) -> str:
    """Return the name a file is kept under: its own, made plain, and the ending of what it is."""
    return (PurePosixPath(received.plain_name(name)).stem.strip()[:LONGEST_NAME] or "document") + _ENDINGS[media_type]


def _shown(name: str) -> str:
    return received.plain_name(name)[:LONGEST_NAME]


def _text(document: Document) -> str | None:
    return str(document.invoice_id) if document.invoice_id else None
