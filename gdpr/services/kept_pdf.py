"""A PDF that somebody signed, kept as it was signed: sealed for its row, checked against its digest when it is read."""

import hashlib
import io

from gdpr.errors import GdprError
from gdpr.models import Agreement, ComplianceStatement
from invoices.sealed_files import open_sealed_stream, write_sealed

Signed = Agreement | ComplianceStatement


def keep(row: Signed, content: bytes, *, folder: str) -> None:
    """Write the document sealed and its new row, in the caller's transaction."""
    stored = write_sealed(io.BytesIO(content), folder=folder, bound_to=row.bound_to("file"))
    row.stored_as, row.size, row.digest = stored.stored_as, stored.size, stored.sha256
    row.save(force_insert=True)


def read(row: Signed) -> bytes:
    """Return the document as it was signed, or say why it cannot be."""
    try:
        content = b"".join(open_sealed_stream(row.stored_as, bound_to=row.bound_to("file")))
    except FileNotFoundError as error:
        raise GdprError("Ce document n’est plus sur le disque : restaurez-le d’une sauvegarde.") from error
    if hashlib.sha256(content).digest() != bytes(row.digest):
        raise GdprError("Ce document ne correspond plus à son empreinte : restaurez-le d’une sauvegarde.")
    return content
