"""Everything a firm holds about a client, as a ZIP: a page to read, the same as JSON, the files, who looked."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from cabinets.errors import SealBrokenError
from cabinets.journal_labels import label_of
from cabinets.models import Cabinet, Client, Contact, JournalEntry, Membership, SupportAnswer
from cabinets.sealing import SealedModel, open_together
from cabinets.sheets import SheetWriter
from gdpr.enums import Basis, Claim
from gdpr.inventory import HOLDINGS, Holding, purpose_of, retention_of, words_of
from gdpr.matrix import basis_for
from gdpr.services.chain_of_processors import of_the_firm, of_the_installation
from gdpr.services.emptying import model_of, rows_about, rows_of
from gdpr.services.facts import settings_in_force
from invoices.money import show_euros
from invoices.sealed_files import open_sealed_stream
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")
# What serves to find a row again and says nothing more than the row.
_INDEXES = ("_index", "_hash", "_key")
_PARTS = ("stored_as", "archive_as", "digest", "html", "raw", "generation", "lease_until")
EXTENSIONS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}
EVERYTHING = frozenset({Claim.ACCESS, Claim.PORTABILITY})
Section = tuple[Holding, list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class DataSubject:
    """Who asks: the client, or somebody reached for them, whose archive holds nothing of the client."""

    client: Client
    contact: Contact | None = None

    @property
    def name(self) -> str:
        """Return the name the archive bears."""
        return (self.contact or self.client).display_name

    def rows(self, holding: Holding) -> QuerySet[Any]:
        """Return what a table holds about this person and nobody else."""
        contact_id = self.contact.pk if self.contact else None
        return rows_about(holding, client_id=self.client.pk, contact_id=contact_id).order_by("pk")

    def basis(self, holding: Holding) -> Basis:
        """Return on what the use of these rows rests for this person."""
        return basis_for(purpose_of(holding).basis, is_contact=self.contact is not None)


def archive_of(*, person: DataSubject, cabinet: Cabinet, claim: Claim) -> bytes:
    """Return the ZIP that answers a request of access, or of portability: what the person gave, and nothing else."""
    holdings = holdings_told(claim)
    sections = sections_of(person, cabinet, claim)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("donnees.json", _as_json(person, cabinet, sections))
        archive.writestr("a-lire.pdf", _as_pdf(person, cabinet, claim, sections))
        if claim == Claim.ACCESS:
            archive.writestr("consultations.csv", _who_looked(person, cabinet))
        for holding in holdings:
            for name, content in _files(holding, person):
                archive.writestr(f"fichiers/{name}", content)
    return packed.getvalue()


def holdings_told(claim: Claim) -> list[Holding]:
    """Return the tables whose rows answer this request."""
    wanted = [one for one in HOLDINGS if one.client and one.in_access]
    return [one for one in wanted if claim != Claim.PORTABILITY or one.in_portability]


def sections_of(person: DataSubject, cabinet: Cabinet, claim: Claim) -> list[Section]:
    """Return what is told of a person, table by table, in words; a table without a row is left out."""
    told = [(one, [_told(row, cabinet) for row in _rows(one, person)]) for one in holdings_told(claim)]
    return [(holding, rows) for holding, rows in told if rows]


def kept_apart(person: DataSubject) -> int:
    """Return how many messages, forms and bank lines of this client's file bear somebody else's data (art. 15-4)."""
    if person.contact is not None:
        return 0
    apart = [one for one in holdings_told(Claim.ACCESS) if one.contact and one.contact != ("pk",)]
    return sum(rows_of(one, [person.client.pk]).count() - person.rows(one).count() for one in apart)


def _rows(holding: Holding, person: DataSubject) -> list[Any]:
    found = list(person.rows(holding))
    return open_together(found) if found and isinstance(found[0], SealedModel) else found


def _told(row: models.Model, cabinet: Cabinet) -> dict[str, str]:
    """Return what a row says, column by column, in words; links to other rows and our own marks are left out."""
    said = {}
    for field in row._meta.concrete_fields:
        is_ours = field.name.endswith(_INDEXES) or field.name in _PARTS or isinstance(field, ArrayField)
        if field.is_relation or field.primary_key or is_ours:
            continue
        try:
            value = getattr(row, field.attname)
        except SealBrokenError:
            continue
        if value in (None, "", [], {}) or isinstance(value, bytes | memoryview):
            continue
        said[str(field.verbose_name)] = _words(row, field, value, cabinet)
    return said


def _words(row: models.Model, field: Any, value: Any, cabinet: Cabinet) -> str:
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    if isinstance(value, bool):
        return "oui" if value else "non"
    if field.name.endswith("cents"):
        return show_euros(value)
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(cabinet.zone):%d/%m/%Y %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def _title(holding: Holding) -> str:
    return str(model_of(holding)._meta.verbose_name_plural).capitalize()


def _as_json(person: DataSubject, cabinet: Cabinet, sections: list[Section]) -> str:
    years = settings_in_force().accounting_years
    told = {
        "responsable": cabinet.name,
        "personne": person.name,
        "etabli_le": timezone.now().astimezone(cabinet.zone).isoformat(timespec="minutes"),
        "donnees": [
            {
                "nature": _title(holding),
                "finalite": purpose_of(holding).name,
                "base": person.basis(holding).label,
                "duree": words_of(retention_of(holding), accounting_years=years),
                "lignes": rows,
            }
            for holding, rows in sections
        ],
        "tenu_a_part": kept_apart(person),
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _as_pdf(person: DataSubject, cabinet: Cabinet, claim: Claim, sections: list[Section]) -> bytes:
    purposes = {purpose_of(holding).slug: (purpose_of(holding), person.basis(holding)) for holding, _ in sections}
    years = settings_in_force().accounting_years
    context = {
        "head": letterhead_of(cabinet),
        "demo": "Démonstration : ce document ne concerne personne." if cabinet.is_demo else "",
        "client": person.name,
        "kept_apart": kept_apart(person),
        "on": day_words(cabinet.today()),
        "is_access": claim == Claim.ACCESS,
        "is_contact": person.contact is not None,
        "processors": [*of_the_installation(on=cabinet.today()), *of_the_firm()],
        "purposes": [
            {
                "name": one.name,
                "text": one.text,
                "basis": basis.label,
                "recipients": ", ".join(one.recipients),
            }
            for one, basis in purposes.values()
        ],
        "sections": [
            {
                "title": _title(holding),
                "duration": words_of(retention_of(holding), accounting_years=years),
                "rows": [row.items() for row in rows],
            }
            for holding, rows in sections
        ],
    }
    return render_document("personal_data.html", context, styles=STYLES).content


def _who_looked(person: DataSubject, cabinet: Cabinet) -> str:
    """List who read or changed what of this person: by role, since a member of the team is a person too."""
    roles = {member.pk: member.get_role_display() for member in Membership.objects.all()}
    roles |= dict.fromkeys(SupportAnswer.objects.values_list("pk", flat=True), "L’assistance, avec l’accord du cabinet")
    page = io.StringIO()
    writer = SheetWriter(page)
    writer.write(["Instant", "Acte", "Par"])
    entries = JournalEntry.objects.filter(subject_id__in=_subjects(person)).order_by("at", "pk")
    for entry in entries.iterator(2000):
        who = roles.get(entry.member_id, "Une personne du cabinet") if entry.member_id else _without_member(entry)
        writer.write([f"{entry.at.astimezone(cabinet.zone):%d/%m/%Y %H:%M}", label_of(entry.event), who])
    return "\ufeff" + page.getvalue()


def _without_member(entry: JournalEntry) -> str:
    return "Qui a ouvert le lien envoyé par le cabinet" if entry.is_from_link else "Le logiciel"


def _subjects(person: DataSubject) -> list[UUID]:
    """Return every row about this person that somebody may have looked at, told in the copy or not."""
    found: list[UUID] = []
    for holding in HOLDINGS:
        if holding.client and isinstance(model_of(holding)._meta.pk, models.UUIDField):
            found += person.rows(holding).values_list("pk", flat=True)
    return found


def _files(holding: Holding, person: DataSubject) -> Iterable[tuple[str, bytes]]:
    for column, binding in holding.files:
        for row in person.rows(holding).exclude(**{column: ""}):
            try:
                stream = open_sealed_stream(getattr(row, column), bound_to=row.bound_to(binding))
                content = b"".join(stream)
            except (FileNotFoundError, SealBrokenError):
                continue
            yield _name_of(row), content


def _name_of(row: Any) -> str:
    kind = str(row._meta.model_name)
    given = str(getattr(row, "file_name", "") or "").rsplit("/", 1)[-1]
    suffix = EXTENSIONS.get(str(getattr(row, "media_type", "application/pdf")), "")
    short = _short(row.pk)
    return f"{kind}-{short}-{given}" if given else f"{kind}-{short}{suffix}"


def _short(row_id: UUID) -> str:
    return row_id.hex[:8]
