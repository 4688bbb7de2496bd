"""A PDF that somebody signed, kept as it was signed: sealed for its row, checked against its digest when it is read."""

import hashlib
import io

from cabinets.errors import FileAlteredError
from gdpr.models import Agreement, ComplianceStatement
from invoices.sealed_files import read_sealed, write_sealed

Signed = Agreement | ComplianceStatement


def keep(row: Signed, content: bytes, *, folder: str) -> None:
    """Write the document sealed and its new row, in the caller's transaction."""
    stored = write_sealed(io.BytesIO(content), folder=folder, bound_to=row.bound_to("file"))
    row.stored_as, row.size, row.digest = stored.stored_as, stored.size, stored.sha256
    row.save(force_insert=True)


def read(row: Signed) -> bytes:
    """Return the document as it was signed; raise FileLostError when it is gone or altered."""
    content = read_sealed(row.stored_as, bound_to=row.bound_to("file"))
    if hashlib.sha256(content).digest() != bytes(row.digest):
        raise FileAlteredError("Ce document ne correspond plus à son empreinte.", stored_as=row.stored_as)
    return content
