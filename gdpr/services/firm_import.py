"""Bring a firm in from its archive: checked whole before anything is written, then all of it or nothing.

The rows keep their keys and the chain of evidence its hashes; the data keys are new, and every sealed value and file is
sealed again. The firm arrives in pause, its people without a password, its providers without their secrets.
"""

import datetime as dt
import hashlib
import json
import logging
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, connections, models
from django.utils import timezone
from psycopg.types.json import Jsonb

from cabinets import crypto, segments
from cabinets.enums import KeyPurpose, Role
from cabinets.models import Cabinet, Client, Invitation, JournalEntry, Membership, User
from cabinets.scoping import working_for
from cabinets.sealing import Sealed, SealedModel, SealedTextField, active_key, forget_keys, key_bytes, make_keys
from cabinets.services import archive, journal_seals, people
from dunning.services import evidence
from gdpr.errors import GdprError
from gdpr.services import firm_format as form
from gdpr.services.firm_export import binding_of, file_columns
from invoices.sealed_files import sealing

logger = logging.getLogger(__name__)
OWNER, SCHEDULER = "owner", "scheduler"
CHUNK = 500
BLOCK = 64 * 1024
MOST_PARAMETERS = 60_000
LARGEST_MANIFEST = 256 * 1_048_576
LONGEST_LINE = 64 * 1_048_576
# One sequence numbers the journals of every firm: an archive may not use it up.
FURTHEST_NUMBER = 10**9
NOTHING = "Rien n’a été importé."


class ArchiveRefusedError(GdprError):
    """An archive that cannot be brought in; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought in."""

    cabinet_id: UUID
    name: str
    rows: int
    files: int
    links: int
    """Links of the chain of evidence, all verified."""
    owners: tuple[User, ...]
    """Partners who have no password here yet."""
    invited: tuple[Invitation, ...]
    """What is offered to those who have an account here already: they come in once they accept it."""


def bring_in(path: Path, *, operator: User, digest: str = "") -> Brought:
    """Bring the firm of an archive into this installation, where it must not be yet.

    Raise ArchiveRefusedError, and change nothing, for an archive that was altered, cut, made by a newer version, or
    that does not hold together once it is in.
    """
    if digest and digest.strip().lower() != _digest_of(path):
        raise ArchiveRefusedError(f"L’empreinte de l’archive n’est pas celle que vous donnez. {NOTHING}")
    try:
        with zipfile.ZipFile(path) as archive:
            return _Arrival(archive, _checked(archive)).bring_in(operator=operator)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zipfile.LargeZipFile) as error:
        raise ArchiveRefusedError(f"Ce fichier n’est pas une archive, ou il a été abîmé. {NOTHING}") from error


def _digest_of(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _checked(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the manifest once every entry is the one it says, no more and no less."""
    manifest = _manifest(archive)
    names = [one.filename for one in archive.infolist()]
    told: Mapping[str, Mapping[str, Any]] = manifest["fichiers"]
    if len(names) != len(set(names)) or set(names) != {form.MANIFEST, *told}:
        raise ArchiveRefusedError(f"L’archive est incomplète, ou contient des fichiers en trop. {NOTHING}")
    for name, entry in told.items():
        if not _is_whole(archive, name, entry):
            raise ArchiveRefusedError(f"Le fichier « {name} » de l’archive a été modifié. {NOTHING}")
    return manifest


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        info = archive.getinfo(form.MANIFEST)
        if info.file_size > LARGEST_MANIFEST:
            raise ArchiveRefusedError(f"Le manifeste de l’archive est démesuré. {NOTHING}")
        manifest = json.loads(archive.read(info))
        name, version = manifest["format"], manifest["version"]
        UUID(manifest["cabinet"]["id"])
        manifest["cabinet"]["identifiant"], manifest["fichiers"].items(), manifest["lignes"].items()
        manifest["preuves"]["tete"], manifest["fichiers_absents"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveRefusedError(f"Cette archive n’a pas de manifeste lisible. {NOTHING}") from error
    if name != form.FORMAT:
        raise ArchiveRefusedError(f"Cette archive n’est pas celle d’un cabinet. {NOTHING}")
    if not isinstance(version, int) or version > form.VERSION:
        raise ArchiveRefusedError(
            f"Cette archive est au format {version}, cette installation lit jusqu’au format {form.VERSION}. "
            f"Mettez-la à jour d’abord. {NOTHING}"
        )
    return cast("dict[str, Any]", manifest)


def _is_whole(archive: zipfile.ZipFile, name: str, entry: Mapping[str, Any]) -> bool:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as opened:
            # What the archive unpacks to is never trusted further than what the manifest says.
            while (part := opened.read(BLOCK)) and size <= entry["octets"]:
                size += len(part)
                digest.update(part)
    except (zipfile.BadZipFile, OSError):
        return False
    return (size, digest.hexdigest()) == (entry["octets"], entry["sha256"])


class _Arrival:
    """One firm on its way in."""

    def __init__(self, archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
        self.archive, self.manifest = archive, manifest
        self.cabinet_id = UUID(manifest["cabinet"]["id"])
        self.absent = frozenset(manifest["fichiers_absents"])
        self.columns = file_columns()
        self.keyed: set[UUID] = set()
        # A person known here already keeps the account they have, and is taken into no firm by its archive.
        self.people: dict[UUID, UUID] = {}
        self.known: set[UUID] = set()
        self.to_invite: list[UUID] = []
        self.months: set[dt.date] = set()
        self.highest = 0
        self.files = 0

    def bring_in(self, *, operator: User) -> Brought:
        """Write the firm, whole or not at all; a folder begun on disk goes with the rows."""
        home = Path(settings.MEDIA_ROOT) / str(self.cabinet_id)
        self._refuse_known(home)
        try:
            self._read_whole()
            self._make_room_for_the_journal()
            with working_for(cabinet_id=self.cabinet_id, durable=True):
                links = self._write()
                segments.number_after(connections[OWNER], highest=self.highest)
                invited = self._invite()
                owners = Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user")
                partners = tuple(one.user for one in owners.order_by("pk") if not one.user.has_usable_password())
                self._tell(operator)
        except BaseException as error:
            shutil.rmtree(home, ignore_errors=True)
            forget_keys()
            if isinstance(error, DatabaseError | ValidationError | ValueError | TypeError | KeyError):
                logger.warning("firm.import_refused", extra={"kind": type(error).__name__})
                raise ArchiveRefusedError(f"Les données de l’archive ne tiennent pas ensemble. {NOTHING}") from error
            raise
        rows = sum(self.manifest["lignes"].values())
        name = str(self.manifest["cabinet"]["nom"])
        return Brought(self.cabinet_id, name, rows, self.files, links, partners, invited)

    def _refuse_known(self, home: Path) -> None:
        firms = Cabinet.objects.using(SCHEDULER)
        if firms.filter(pk=self.cabinet_id).exists() or home.exists():
            raise ArchiveRefusedError(f"Ce cabinet est déjà dans cette installation. {NOTHING}")
        if firms.filter(slug=self.manifest["cabinet"]["identifiant"]).exists():
            raise ArchiveRefusedError(f"Un autre cabinet porte ici le même identifiant. {NOTHING}")

    def _read_whole(self) -> None:
        """Read every line before anything is made: the journal's segments and numbers are those of every firm."""
        for model in form.carried_models():
            count = 0
            for line in self._lines(form.path_of_table(model)):
                self._told(model, line)
                count += 1
            if count != self.manifest["lignes"].get(model._meta.label, 0):
                raise ArchiveRefusedError(f"La table {model._meta.label} n’a pas le nombre de lignes dit. {NOTHING}")
        self._read_journal()

    def _read_journal(self) -> None:
        today = timezone.now().astimezone(dt.UTC).date()
        furthest = segments.last_number(connections[OWNER]) + FURTHEST_NUMBER
        for line in self._lines(form.path_of_table(JournalEntry)):
            month = segments.first_of_month(dt.date.fromisoformat(str(line["at"])[:10]))
            number = int(line["id"])
            if not 0 < number <= furthest:
                raise ArchiveRefusedError(f"Une ligne du journal de l’archive porte un numéro impossible. {NOTHING}")
            if not segments.may_hold(month, on=today):
                raise ArchiveRefusedError(
                    f"Une ligne du journal de l’archive est à venir, ou a plus de {segments.LONGEST_MONTHS} mois. "
                    f"{NOTHING}"
                )
            self.months.add(month)
            self.highest = max(self.highest, number)

    def _make_room_for_the_journal(self) -> None:
        """Make the monthly segments of older lines; empty, they change nothing."""
        for month in sorted(self.months):
            segments.make_segment(connections[OWNER], month=month)

    def _write(self) -> int:
        self._make_keys()
        self._write_people()
        for model in form.carried_models():
            self._write_table(model)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        archive.withhold(list(Client.objects.exclude(archived_on=None).values_list("pk", flat=True)))
        return self._verify()

    def _make_keys(self) -> None:
        self.keyed = {UUID(line["client"]) for line in self._lines(form.KEYED)}
        make_keys(purpose=KeyPurpose.FIRM, subject_ids=[None])
        make_keys(purpose=KeyPurpose.INDEX, subject_ids=[None])
        make_keys(purpose=KeyPurpose.CLIENT, subject_ids=sorted(self.keyed))

    def _write_people(self) -> None:
        for line in self._lines(form.PEOPLE):
            told = {name: form.decoded(User._meta.get_field(name), line[name]) for name in form.PERSON_COLUMNS}
            told_id, told["email"] = cast("UUID", told["id"]), str(told["email"]).strip().lower()
            # By their address alone: the archive is its writer's, and an id in it proves nothing of who somebody is.
            person = User.objects.filter(email=told["email"]).first()
            if person is not None:
                self.known.add(person.pk)
            else:
                is_taken = User.objects.filter(pk=told_id).exists()
                person = User(**{**told, "id": uuid4() if is_taken else told_id}, password=make_password(None))
                _insert(User, [person])
            self.people[told_id] = person.pk

    def _write_table(self, model: type[models.Model]) -> None:
        lines = self._lines(form.path_of_table(model))
        while chunk := list(islice(lines, CHUNK)):
            rows = [self._row(model, line) for line in chunk]
            for row in rows:
                self._write_files(row)
            _insert(model, rows)

    def _told(self, model: type[models.Model], line: dict[str, Any]) -> dict[str, object]:
        """Return what a line tells of a row, by column; refuse a column this version does not know."""
        fields = form.carried_fields(model)
        if unknown := set(line) - {one.attname for one in fields}:
            raise ArchiveRefusedError(
                f"La table {model._meta.label} a une colonne inconnue : {min(unknown)}. "
                f"L’archive vient d’une version plus récente. {NOTHING}"
            )
        return {
            one.attname: form.decoded(one, line[one.attname]) if one.attname in line else _default(model, one)
            for one in fields
        }

    def _row(self, model: type[models.Model], line: dict[str, Any]) -> models.Model:
        told = self._told(model, line)
        row = model(**({} if model is Cabinet else {"cabinet_id": self.cabinet_id}))
        for one in form.carried_fields(model):
            value = told[one.attname]
            if one.is_relation and one.related_model is User and value is not None:
                value = self.people[cast("UUID", value)]
            setattr(row, one.attname, value)
        if model is Cabinet and row.pk != self.cabinet_id:
            raise ArchiveRefusedError(f"L’archive contient un autre cabinet que celui qu’elle dit. {NOTHING}")
        for one, left in form.left_fields(model):
            setattr(row, one.attname, left.value(row) if left.value else None)
        if isinstance(row, Membership) and row.user_id in self.known:
            self._keep_out(row)
        if isinstance(row, SealedModel):
            self._seal(row)
        return row

    def _keep_out(self, member: Membership) -> None:
        """Hold the place of a person known here until they accept it; it comes after those they have already."""
        if member.is_active:
            self.to_invite.append(member.pk)
        member.is_active, member.joined_at = False, timezone.now()

    def _invite(self) -> tuple[Invitation, ...]:
        members = Membership.objects.filter(pk__in=self.to_invite).select_related("user").order_by("pk")
        return tuple(people.offer_place_of(member) for member in members)

    def _seal(self, row: SealedModel) -> None:
        for name in row.sealed_names:
            text = row.__dict__.get(name)
            if text is not None:
                setattr(row, name, self._sealed(row, name, text))

    def _sealed(self, row: SealedModel, name: str, text: object) -> Sealed:
        bound_to = row.bound_to(name)
        if text == form.UNREADABLE:
            # Under a key that is kept nowhere: as unreadable here as it was there.
            return Sealed(crypto.seal(b"", key=crypto.new_key(), key_id=uuid4(), bound_to=bound_to))
        if not isinstance(text, str):
            raise TypeError(f"{name} is no text")
        # What holds nothing is under the firm's key, as erasure leaves it.
        subject = self._subject(row) if text else None
        key_id = _key_of(subject)
        return Sealed(crypto.seal(text.encode(), key=key_bytes(key_id), key_id=key_id, bound_to=bound_to))

    def _subject(self, row: SealedModel) -> UUID | None:
        subject = row.sealing_subject()
        return subject if subject in self.keyed else None

    def _write_files(self, row: models.Model) -> None:
        for column, binding in self.columns.get(row._meta.label, ()):
            stored_as = getattr(row, column)
            if not stored_as or stored_as in self.absent:
                continue
            subject = self._subject(cast("SealedModel", row))
            with (
                self.archive.open(f"{form.FILES}{stored_as}") as opened,
                sealing(stored_as, bound_to=binding_of(row, binding), subject_id=subject) as target,
            ):
                while part := opened.read(BLOCK):
                    target.write(part)
            self.files += 1

    def _verify(self) -> int:
        """Walk the chain of evidence and the sealed months of the journal, from the rows that were just written."""
        verdict = evidence.verify()
        head = verdict.head.hex() if verdict.links else ""
        if not verdict.holds or head != self.manifest["preuves"]["tete"]:
            raise ArchiveRefusedError(f"La chaîne de preuves de l’archive ne tient pas. {NOTHING}")
        if journal_seals.months_that_differ(on=timezone.now().astimezone(dt.UTC).date()):
            raise ArchiveRefusedError(f"Le journal de l’archive n’est plus celui qui a été scellé. {NOTHING}")
        return verdict.links

    def _tell(self, operator: User) -> None:
        """Write the operator's act down with the firm; the firm's own journal stays the one it brought."""
        facts = {"rows": sum(self.manifest["lignes"].values()), "files": self.files}
        values: list[Any] = [operator.pk, timezone.now(), "firm.imported", str(self.cabinet_id), Jsonb(facts)]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO cabinets_operatoract (operator_id, at, event, subject, facts) VALUES (%s, %s, %s, %s, %s)",
                values,
            )

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        if name not in self.manifest["fichiers"]:
            return
        with self.archive.open(name) as opened:
            for line in _each_line(cast("BinaryIO", opened)):
                told = json.loads(line)
                if not isinstance(told, dict):
                    raise TypeError(f"{name} holds a line that is no object")
                yield told


def _each_line(opened: BinaryIO) -> Iterator[bytes]:
    while line := opened.readline(LONGEST_LINE):
        yield line


def _key_of(subject: UUID | None) -> UUID:
    purpose = KeyPurpose.FIRM if subject is None else KeyPurpose.CLIENT
    return active_key(purpose=purpose, subject_id=subject)


def _default(model: type[models.Model], one: Any) -> object:
    """Return what an older archive did not know; refuse where nothing can be supposed."""
    if one.has_default():
        return one.get_default()
    if one.null:
        return None
    raise ArchiveRefusedError(f"La colonne {one.attname} manque à la table {model._meta.label}. {NOTHING}")


def _insert(model: type[models.Model], rows: list[Any]) -> None:
    """Add rows as they are: no column takes the time of the import, and a sealed value goes as it was sealed."""
    numbered = {one.attname for one in model._meta.concrete_fields if _is_numbered_here(model, one)}
    fields = [one for one in model._meta.concrete_fields if one.attname not in numbered]
    columns = ", ".join(f'"{one.column}"' for one in fields)
    holes = ", ".join(_hole(one) for one in fields)
    for part in _parts(rows, at_once=MOST_PARAMETERS // len(fields)):
        places = ", ".join([f"({holes})"] * len(part))
        values = [one.get_db_prep_save(_raw(row, one), connection) for row in part for one in fields]
        with connection.cursor() as cursor:
            statement = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {places}'  # noqa: S608 - our own names
            cursor.execute(statement, values)


def _is_numbered_here(model: type[models.Model], one: Any) -> bool:
    left = form.LEFT_COLUMNS.get(model._meta.label, {}).get(one.attname)
    return left is not None and left.value is None


def _hole(one: Any) -> str:
    return f"%s::{one.db_type(connection)}" if isinstance(one, ArrayField) else "%s"


def _raw(row: models.Model, one: Any) -> Any:
    return row.__dict__.get(one.attname) if isinstance(one, SealedTextField) else getattr(row, one.attname)


def _parts(rows: list[Any], *, at_once: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]
