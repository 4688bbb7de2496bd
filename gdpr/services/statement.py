"""The state of compliance on a day, as one person signed it: the seven items, their facts and what proves them."""

import hashlib
import io
import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import FileAlteredError
from cabinets.models import Cabinet, JournalSeal, Membership
from cabinets.permissions import ensure
from dunning.models import EvidenceEntry
from gdpr.models import Agreement, ComplianceStatement
from gdpr.services import centre
from gdpr.services.centre import Check
from invoices.sealed_files import read_sealed, write_sealed
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

FOLDER = "conformite"
LAYOUT = "compliance_statement.html"
STYLES = ("fonts.css", "document.css")


@transaction.atomic
def sign(*, by: Membership) -> ComplianceStatement:
    """Sign the state of the checklist as it stands now and keep the very document: what is not met is said too."""
    ensure(by, Right.MANAGE_FIRM)
    cabinet, now = Cabinet.objects.get(), timezone.now()
    found = centre.checks(cabinet=cabinet)
    row = ComplianceStatement(signed_by=by, signed_at=now, met=sum(one.is_met for one in found), of=len(found))
    content = render_document(LAYOUT, context_of(cabinet, found, by=by), styles=STYLES).content
    stored = write_sealed(io.BytesIO(content), folder=FOLDER, bound_to=row.bound_to("file"))
    row.stored_as, row.size, row.digest = stored.stored_as, stored.size, stored.sha256
    row.save(force_insert=True)
    journal.record("statement.signed", row, met=row.met, of=row.of)
    return row


def context_of(cabinet: Cabinet, found: list[Check], *, by: Membership) -> dict[str, Any]:
    """Return what the document says: each item with its facts, then the digests a third person may compare."""
    return {
        "head": letterhead_of(cabinet),
        "demo": "Démonstration : ce document n’engage personne." if cabinet.is_demo else "",
        "firm": cabinet.name,
        "on": day_words(cabinet.today()),
        "checks": found,
        "met": sum(one.is_met for one in found),
        "count": len(found),
        "proofs": proofs(),
        "facts_digest": digest_of(found),
        "signed": f"{by.user.get_full_name()}, {by.get_role_display()}, le {day_words(cabinet.today())}",
    }


def proofs() -> list[tuple[str, str]]:
    """Return what the facts may be checked against: the agreement, the last sealed month, the head of the chain."""
    known = []
    agreement = Agreement.objects.order_by("-signed_at").first()
    if agreement is not None:
        known.append((f"Accord de sous-traitance, version {agreement.version}", bytes(agreement.digest).hex()))
    seal = JournalSeal.objects.order_by("-month").first()
    if seal is not None:
        known.append((f"Journal scellé, mois de {seal.month:%m/%Y}, {seal.lines} lignes", bytes(seal.head).hex()))
    head = EvidenceEntry.objects.order_by("-seq").first()
    if head is not None:
        known.append((f"Chaîne de preuve, maillon {head.seq}", bytes(head.hash).hex()))
    return known


def digest_of(found: list[Check]) -> str:
    """Return the SHA-256 of the items and their facts, in hexadecimal: the same facts give the same words."""
    told = [{"point": one.slug, "tenu": one.is_met, "faits": one.facts} for one in found]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def read(*, statement_id: UUID) -> bytes:
    """Return a statement as it was signed, checked against its digest; the reading is journalled."""
    row = ComplianceStatement.objects.get(pk=statement_id)
    content = read_sealed(row.stored_as, bound_to=row.bound_to("file"))
    if hashlib.sha256(content).digest() != bytes(row.digest):
        raise FileAlteredError("Ce document ne correspond plus à son empreinte.", stored_as=row.stored_as)
    journal.record("statement.downloaded", row)
    return content
