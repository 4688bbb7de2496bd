"""A firm's texts in an open format: one TOML file each, the very form of the library's files, together in a ZIP."""

import io
import tomllib
import zipfile
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from cabinets import journal
from cabinets.models import Membership
from templates_lib.authoring import Place, forms_in, place_of, places, save_draft
from templates_lib.errors import TextFileError
from templates_lib.library import Form, TextVersion

LARGEST_BYTES = 2_000_000
MOST_FILES = 200
LONGEST_BODY = 6_000
LONGEST_SUBJECT = 200
_ESCAPES = {
    ord("\\"): "\\\\",
    ord('"'): '\\"',
    **{code: f"\\u{code:04x}" for code in (*range(0x09), *range(0x0B, 0x20), 0x7F)},
}


def export() -> bytes:
    """Return the texts in force today, the firm's and the library's alike, as a ZIP of TOML files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in places():
            # A fixed date: the same texts give the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{place.key}.toml"), to_toml(place, place.in_force))
    return packed.getvalue()


def to_toml(place: Place, version: TextVersion) -> str:
    """Write a text as a file of the library is written."""
    head = {"slug": version.slug, **place.facts}
    lines = [f"{name} = {_quoted(value)}" for name, value in head.items()] + [f"version = {version.version}"]
    for name, form in version.forms.items():
        lines += ["", f"[{name}]"]
        if form.subject:
            lines.append(f"subject = {_quoted(form.subject)}")
        lines.append(f'body = """\n{form.body.translate(_ESCAPES)}\n"""')
    return "\n".join(lines) + "\n"


@transaction.atomic
def take_in(*, name: str, content: bytes, by: Membership) -> list[Place]:
    """Read a ZIP or one TOML file and make a draft of each text in it: nothing is published; all of it, or nothing."""
    taken = []
    for file_name, data in _files(name, content):
        place, forms = _read(file_name, data)
        # A text that says what is said already is no draft.
        if forms != dict(place.in_force.forms):
            save_draft(place=place, forms=forms, by=by)
            taken.append(place)
    journal.record("text.imported", None, drafts=len(taken))
    return taken


def _files(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if len(content) > LARGEST_BYTES:
        raise TextFileError("Ce fichier dépasse 2 Mo\u00a0: ce ne sont pas des modèles.")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        yield name, content
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.endswith(".toml")]
            # What the archive says of its sizes is checked before anything is unpacked.
            if not entries or len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
                raise TextFileError("Cette archive ne contient pas de modèles, ou en contient trop.")
            for entry in entries:
                with archive.open(entry) as opened:
                    yield entry.filename, opened.read(LARGEST_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise TextFileError("Cette archive est abîmée ou protégée\u00a0: rien n’a été repris.") from error


def _read(file_name: str, data: bytes) -> tuple[Place, dict[str, Form]]:
    try:
        read = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(file_name, "ce n’est pas un fichier TOML lisible.") from error
    place = place_of("-".join(str(read.get(part, "")) for part in ("step", "kind", "channel", "language")))
    if place is None:
        raise TextFileError(
            f"«\u00a0{file_name[:80]}\u00a0»\u00a0: l’étape, la qualité, le canal ou la langue est inconnu."
        )
    forms = forms_in({name: _form(file_name, name, value) for name, value in read.items() if isinstance(value, dict)})
    if unknown := set(forms) - set(place.own.forms):
        raise TextFileError(
            f"«\u00a0{file_name[:80]}\u00a0»\u00a0: la forme «\u00a0{min(unknown)[:40]}\u00a0» n’existe pas ici."
        )
    if "one" not in forms:
        raise _unreadable(file_name, "rien n’est dit pour une facture.")
    return place, {**place.in_force.forms, **forms}


def _form(file_name: str, name: str, value: dict[str, Any]) -> dict[str, str]:
    subject, body = value.get("subject", ""), value.get("body", "")
    if not isinstance(subject, str) or not isinstance(body, str) or not body.strip():
        raise TextFileError(
            f"«\u00a0{file_name[:80]}\u00a0»\u00a0: la forme «\u00a0{name[:40]}\u00a0» n’a pas de texte."
        )
    if len(body) > LONGEST_BODY or len(subject) > LONGEST_SUBJECT:
        raise TextFileError(
            f"«\u00a0{file_name[:80]}\u00a0»\u00a0: la forme «\u00a0{name[:40]}\u00a0» est trop longue."
        )
    return {"subject": subject, "body": body}


def _unreadable(file_name: str, why: str) -> TextFileError:
    return TextFileError(f"«\u00a0{file_name[:80]}\u00a0»\u00a0: {why} Rien n’a été repris.")


def _quoted(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'
