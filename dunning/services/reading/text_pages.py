"""The pages of texts: what speaks at each place, the versions of one, who answers for them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from dunning.services.composing import matter_words_of
from dunning.services.reading.texts import Shown, example_for, show_on
from templates_lib.authoring import Place, draft_of, faults_of, places, template_of, versions_of
from templates_lib.enums import Channel, Kind, Step
from templates_lib.enums import Place as Spot
from templates_lib.fields import FIELDS, Field
from templates_lib.library import TextVersion
from templates_lib.lint import Fault
from templates_lib.models import SignOff, Template, TemplateVersion
from templates_lib.services import OWN, version_of

# A rung is read as it leaves first: by e-mail where it has one, else as a letter.
LEADING = (Channel.EMAIL, Channel.LETTER, Channel.SMS)
SPOTS = {Channel.EMAIL: Spot.BODY, Channel.SMS: Spot.SMS, Channel.LETTER: Spot.LETTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place, as the list shows it."""

    place: Place
    version: str
    is_own: bool
    own_version: TemplateVersion | None
    has_draft: bool
    signed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A rung, and what is said there on each channel."""

    step: Step
    channels: list[tuple[Channel, list[Cell]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a rung says, filled."""

    step: Step
    cell: Cell
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadThrough:
    """What every rung says on one invoice; no invoice when it is an invented one."""

    invoice: str
    said: tuple[Filled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One version of a place, with who published it and who answers for it."""

    version: TextVersion
    title: str
    is_in_force: bool
    published_at: dt.datetime | None
    published_by: str
    note: str
    signed: list[tuple[str, dt.datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the editor shows beside the words."""

    place: Place
    template: Template | None
    version: TextVersion
    is_draft: bool
    faults: list[Fault]
    history: list[Said]
    fields: list[Field]
    siblings: list[Place]
    readers: list[Place]


def rows_for(kind: Kind) -> list[Row]:
    """Return every rung for a kind of client, in three queries."""
    templates = {(one.step, one.channel, one.language): one for one in Template.objects.filter(kind=kind)}
    last: dict[object, TemplateVersion] = {}
    for version in TemplateVersion.objects.filter(template__kind=kind).defer("forms").order_by("number"):
        last[version.template_id] = version
    signed = _signed()
    rows = []
    for step in Step:
        here = [one for one in places() if one.step is step and one.kind is kind]
        channels = []
        for channel in Channel:
            cells = [
                _cell(one, templates.get((one.step, one.channel, one.language)), last, signed)
                for one in here
                if one.channel is channel
            ]
            channels.append((channel, cells))
        rows.append(Row(step=step, channels=channels))
    return rows


def read_through(rows: Sequence[Row], *, kind: Kind, cabinet: Cabinet) -> ReadThrough:
    """Return what each rung says on one real invoice of the firm, on the channel that leads it, in French."""
    leading = [(row.step, cell) for row in rows if (cell := _leading(row)) is not None]
    ids = [cell.own_version.pk for _, cell in leading if cell.own_version is not None]
    own = {one.pk: one for one in TemplateVersion.objects.filter(pk__in=ids).select_related("template")}
    invoices = example_for(ClientKind(kind.value))
    said = []
    for step, cell in leading:
        version = cell.place.own
        if cell.own_version is not None:
            version = replace(version_of(own[cell.own_version.pk]), kind=cell.place.kind)
        shown = show_on(version=version, form="one", invoices=invoices, cabinet=cabinet)
        said.append(Filled(step=step, cell=cell, shown=shown))
    name = f"{invoices[0].number}, {invoices[0].client.display_name}" if invoices else ""
    return ReadThrough(invoice=name, said=tuple(said))


def _leading(row: Row) -> Cell | None:
    cells = {channel: [one for one in here if one.place.language == "fr"] for channel, here in row.channels}
    return next((cells[channel][0] for channel in LEADING if cells.get(channel)), None)


def _cell(
    place: Place,
    template: Template | None,
    last: dict[object, TemplateVersion],
    signed: dict[str, list[tuple[str, dt.datetime]]],
) -> Cell:
    own = last.get(template.pk) if template is not None and template.is_in_force else None
    ref = place.own.ref if own is None else f"{OWN}{own.pk}"
    return Cell(
        place=place,
        version="Bibliothèque" if own is None else f"Version {own.number} du cabinet",
        is_own=own is not None,
        own_version=own,
        has_draft=template is not None and template.draft is not None,
        signed_by=", ".join(name for name, _ in signed.get(ref, [])),
    )


def desk_of(*, place: Place, cabinet: Cabinet) -> Desk:
    """Return what the editor of a place shows: the draft under way, else the words in force."""
    template = template_of(place)
    draft = draft_of(place, template)
    version = draft or place.in_force
    return Desk(
        place=place,
        template=template,
        version=version,
        is_draft=draft is not None,
        faults=faults_of(version, matter_words_of(cabinet)),
        history=history_of(place, template),
        fields=[one for one in FIELDS if not one.refused and SPOTS[place.channel] in one.places],
        siblings=_siblings(place),
        readers=[one for one in places() if _other(one, place, apart_from="kind")],
    )


def history_of(place: Place, template: Template | None) -> list[Said]:
    """Return the versions of a place, the newest first, the library's last."""
    signed, in_force = _signed(), place.in_force.ref
    rows = (
        {}
        if template is None
        else {
            f"{OWN}{row.pk}": row
            for row in TemplateVersion.objects.filter(template=template)
            .defer("forms")
            .select_related("published_by__user")
        }
    )
    return [_said(one, rows.get(one.ref), signed, in_force) for one in versions_of(place)]


def _said(
    version: TextVersion,
    row: TemplateVersion | None,
    signed: dict[str, list[tuple[str, dt.datetime]]],
    in_force: str,
) -> Said:
    author = row.published_by if row is not None else None
    return Said(
        version=version,
        title="Bibliothèque" if row is None else f"Version {row.number}",
        is_in_force=version.ref == in_force,
        published_at=None if row is None else row.published_at,
        published_by="" if author is None else author.user.get_full_name(),
        note="" if row is None else row.note,
        signed=signed.get(version.ref, []),
    )


def _signed() -> dict[str, list[tuple[str, dt.datetime]]]:
    found: dict[str, list[tuple[str, dt.datetime]]] = {}
    for one in SignOff.objects.select_related("by__user").order_by("at"):
        found.setdefault(one.text_ref, []).append((one.by.user.get_full_name(), one.at))
    return found


def _siblings(place: Place) -> list[Place]:
    """Return the places of the same rung and reader: one tab a channel and a language."""
    return [one for one in places() if (one.step, one.kind) == (place.step, place.kind)]


def _other(one: Place, place: Place, *, apart_from: str) -> bool:
    return all(one.facts[name] == value for name, value in place.facts.items() if name != apart_from)
