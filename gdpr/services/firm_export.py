"""Write the whole of a firm into one archive, in an open format, in bounded memory."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, Protocol, cast

from django.conf import settings
from django.db import models
from django.utils import timezone

from cabinets.enums import KeyPurpose
from cabinets.errors import SealBrokenError
from cabinets.models import Cabinet, DataKey, Membership, User
from cabinets.scoping import current_cabinet_id
from cabinets.sealing import SealedModel, SealedTextField, open_together
from dunning.models import EvidenceEntry
from gdpr.inventory import HOLDINGS
from gdpr.services import firm_format as form
from gdpr.services.firm_sheets import sheets
from invoices.sealed_files import open_sealed_stream
from payments.models import BankFile
from payments.services import bank_intake
from templates_lib import portable

CHUNK = 500
VERSION_LINE = re.compile(r"^## (\S+)", re.MULTILINE)
EXPLAINED = """Archive complète d’un cabinet, format {name}, version {version}.

lisible/    les principales tables en CSV (séparateur « ; », UTF-8), pour un tableur
modeles/    les textes en vigueur, un fichier TOML chacun
donnees/    chaque table, une ligne JSON par enregistrement
fichiers/   les fichiers d’origine : imports, factures, lettres, preuves, relevés
schema.json       chaque table et chaque colonne : son nom, sa nature, ce vers quoi elle mène
manifeste.json    les comptes, les empreintes SHA-256 de chaque fichier, ce qui n’est pas exporté et pourquoi

Les montants sont en centimes d’euro, les instants en UTC (ISO 8601), les octets en base64.
« {{"illisible": true}} » : la clé de cette donnée a été détruite, son délai passé ; personne ne peut plus la lire.
"""


class Writable(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes, /) -> int:
        """Take bytes in."""

    def flush(self) -> None:
        """Let go of what waits."""


@dataclass(slots=True)
class Written:
    """What an archive holds, once it is written."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    missing: list[str] = field(default_factory=list)
    unreadable: int = 0

    @property
    def total(self) -> int:
        """Return how many rows there are, all tables together."""
        return sum(self.rows.values())


class _Archive:
    """A ZIP whose every entry is measured and hashed as it is written; the same content gives the same bytes."""

    def __init__(self, target: Writable) -> None:
        self.zip = zipfile.ZipFile(cast("IO[bytes]", target), "w", zipfile.ZIP_DEFLATED)
        self.entries: dict[str, dict[str, object]] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        """Write one entry, part by part."""
        digest, size = hashlib.sha256(), 0
        # A fixed date: the same content gives the same bytes.
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self.zip.open(info, "w", force_zip64=True) as entry:
            for part in parts:
                digest.update(part)
                size += len(part)
                entry.write(part)
        self.entries[name] = {"octets": size, "sha256": digest.hexdigest()}


def write_archive(target: Writable) -> Written:
    """Write the firm acted for, whole, as the database shows it to this transaction."""
    cabinet, written = Cabinet.objects.get(), Written()
    archive = _Archive(target)
    archive.add(form.README, [EXPLAINED.format(name=form.FORMAT, version=form.VERSION).encode()])
    archive.add(form.SCHEMA, [_json(form.schema(), indent=2)])
    archive.add(form.KEYED, _keyed())
    archive.add(form.PEOPLE, _people(written))
    for model in form.carried_models():
        archive.add(form.path_of_table(model), _lines(model, written))
    for stored_as, parts in _files(written):
        archive.add(f"{form.FILES}{stored_as}", parts)
    for name, content in _texts():
        archive.add(f"{form.TEXTS}{name}", [content])
    for name, parts in sheets(cabinet):
        archive.add(f"{form.SHEETS}{name}", parts)
    archive.zip.writestr(zipfile.ZipInfo(form.MANIFEST), _json(_manifest(cabinet, archive, written), indent=1))
    archive.zip.close()
    return written


def product_version() -> str:
    """Return the version of the product, as its journal of changes says it."""
    found = VERSION_LINE.search((settings.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    return found[1] if found else ""


def _manifest(cabinet: Cabinet, archive: _Archive, written: Written) -> dict[str, object]:
    last = EvidenceEntry.objects.order_by("-seq").first()
    return {
        "format": form.FORMAT,
        "version": form.VERSION,
        "produit": f"Quittance {product_version()}".strip(),
        "etabli_le": timezone.now().isoformat(timespec="seconds"),
        "cabinet": {"id": str(cabinet.pk), "nom": cabinet.name, "identifiant": cabinet.slug},
        "lignes": written.rows,
        "preuves": {"maillons": last.seq if last else 0, "tete": bytes(last.hash).hex() if last else ""},
        "fichiers_absents": sorted(written.missing),
        "valeurs_illisibles": written.unreadable,
        "non_exporte": form.not_carried(),
        "fichiers": archive.entries,
    }


def _json(value: object, *, indent: int | None = None) -> bytes:
    separators = (",", ":") if indent is None else None
    return f"{json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)}\n".encode()


def _keyed() -> Iterator[bytes]:
    """Say which clients still have a key, and nothing of the keys themselves."""
    keys = DataKey.objects.filter(is_active=True, purpose=KeyPurpose.CLIENT).order_by("subject_id")
    yield from (_json({"client": str(subject)}) for subject in keys.values_list("subject_id", flat=True).iterator())


def _people(written: Written) -> Iterator[bytes]:
    members = Membership.objects.values("user")
    written.rows["personnes"] = 0
    for person in User.objects.filter(pk__in=members).order_by("pk").iterator(CHUNK):
        written.rows["personnes"] += 1
        yield _json({name: form.encoded(person, User._meta.get_field(name)) for name in form.PERSON_COLUMNS})


def _lines(model: type[models.Model], written: Written) -> Iterator[bytes]:
    fields, label = form.carried_fields(model), model._meta.label
    written.rows[label] = 0
    for row in _rows(model):
        written.rows[label] += 1
        yield _json({one.attname: _value(row, one, written) for one in fields})


def _rows(model: type[models.Model]) -> Iterator[Any]:
    """Yield every row of the firm in the order of its key, opened chunk by chunk."""
    firm = "pk" if model is Cabinet else "cabinet_id"
    found = model._base_manager.filter(**{firm: current_cabinet_id()}).order_by("pk").iterator(CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield from open_together(cast("list[SealedModel]", chunk)) if issubclass(model, SealedModel) else chunk


def _value(row: models.Model, one: Any, written: Written) -> object:
    try:
        return form.encoded(row, one)
    except SealBrokenError:
        if not isinstance(one, SealedTextField):
            raise
        written.unreadable += 1
        return form.UNREADABLE


def file_columns() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return, by table, the columns that name a sealed file and what each is bound to."""
    return {one.model: one.files for one in HOLDINGS if one.files and one.model not in form.LEFT_TABLES}


def binding_of(row: Any, binding: str) -> bytes:
    """Return what a row's file is bound to."""
    return bank_intake.bound_to(row) if isinstance(row, BankFile) else row.bound_to(binding)


def _files(written: Written) -> Iterator[tuple[str, Iterator[bytes]]]:
    columns = file_columns()
    for model in form.carried_models():
        for row in _rows(model) if model._meta.label in columns else ():
            for column, binding in columns[model._meta.label]:
                if stored_as := getattr(row, column):
                    yield from _file(stored_as, binding_of(row, binding), written)


def _file(stored_as: str, bound_to: bytes, written: Written) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield one file; one that is gone, or whose key is, is told in the manifest and does not end the archive."""
    parts = open_sealed_stream(stored_as, bound_to=bound_to)
    try:
        first = next(parts, b"")
    except (FileNotFoundError, SealBrokenError):
        written.missing.append(stored_as)
        return
    yield stored_as, _told(stored_as, first, parts, written)


def _told(stored_as: str, first: bytes, parts: Iterator[bytes], written: Written) -> Iterator[bytes]:
    yield first
    try:
        yield from parts
        written.files += 1
    except SealBrokenError:
        # Altered on disk after its first chunk: what was written of it is no file, and is told as missing.
        written.missing.append(stored_as)


def _texts() -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(portable.export())) as packed:
        for name in sorted(packed.namelist()):
            yield name, packed.read(name)
