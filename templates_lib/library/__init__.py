"""The texts the product comes with, each a file a lawyer can read; a published version never changes."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from templates_lib.enums import Channel, Kind, Step
from templates_lib.errors import NoTextError
from templates_lib.rendering import blocks

FOLDER = Path(__file__).parent

# At the courteous steps a non-professional legal person reads what a consumer reads, a public buyer
# what a professional reads; from J+30 on each kind has its own words.
SPEAKS_AS = {Kind.NON_PRO_LEGAL: Kind.CONSUMER, Kind.PUBLIC: Kind.PROFESSIONAL}


class Variant(StrEnum):
    """What a form leaves out or adds, on top of how many invoices it speaks of."""

    UNRATED = "unrated"
    """A rate is missing: interest is announced, its amount is not."""
    BARE = "bare"
    """What lateness adds was waived, or is not due: only the principal is asked."""
    AMOUNT = "amount"
    """The amount is named where it is left out by default."""


@dataclass(frozen=True, slots=True)
class Form:
    """The words of a text: its subject, and its body in paragraphs."""

    subject: str
    body: str

    @property
    def blocks(self) -> tuple[str, ...]:
        """The paragraphs of the body."""
        return blocks(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextVersion:
    """One version of one text, as it is written for one invoice and for several."""

    slug: str
    step: Step
    kind: Kind
    channel: Channel
    language: str
    version: int
    one: Form
    several: Form | None = None
    variants: Mapping[str, Form] = field(default_factory=dict, hash=False)
    """« one_unrated », « several_bare »… : the words where something may not be said, or may."""
    source: str = ""
    """The name of a firm's own version; the library's are named after their file."""

    @property
    def ref(self) -> str:
        """The name a reminder keeps of the text it bears."""
        return self.source or f"library:{self.slug}:{self.language}:{self.version}"

    @property
    def forms(self) -> dict[str, Form]:
        """Every form of the text, by its name in the file."""
        several = {} if self.several is None else {"several": self.several}
        return {"one": self.one, **several, **self.variants}

    def form_for(self, *, invoices: int, variant: Variant | None = None) -> Form:
        """Return the words for this many invoices, in the variant asked where the text has one."""
        number = "several" if invoices > 1 else "one"
        forms = self.forms
        if variant is not None and (special := forms.get(f"{number}_{variant.value}")):
            return special
        if number not in forms:
            raise NoTextError(f"Le texte «\u00a0{self.slug}\u00a0» n’est pas écrit pour plusieurs factures.")
        return forms[number]


@functools.cache
def library() -> tuple[TextVersion, ...]:
    """Return every text the product comes with, in the order of their names and versions."""
    versions = [read_text(path) for path in FOLDER.glob("*.toml")]
    return tuple(sorted(versions, key=lambda text: (text.slug, text.language, text.version)))


def text_for(
    *,
    step: Step,
    kind: Kind,
    channel: Channel = Channel.EMAIL,
    language: str = "fr",
    late_entry: bool = False,
) -> TextVersion:
    """Return the latest text of a rung for a kind of client, in French where the language has none.

    A debt that enters the ladder late (10 to 90 days) first meets J+3's text, whatever its rung.
    """
    spoken = Step.J3 if late_entry else step
    for tongue in (language, "fr"):
        for reader in (kind, SPEAKS_AS.get(kind, kind)):
            found = [
                text
                for text in library()
                if (text.step, text.kind, text.channel, text.language) == (spoken, reader, channel, tongue)
            ]
            if found:
                return max(found, key=lambda text: text.version)
    raise NoTextError(f"Aucun texte\u00a0: {spoken.label}, {kind.label}, {channel.label}, {language}.")


def text_by_ref(ref: str) -> TextVersion:
    """Return the library's text a reminder names; raise NoTextError when there is none of that name."""
    for text in library():
        if text.ref == ref:
            return text
    raise NoTextError(f"Aucun texte ne porte le nom «\u00a0{ref}\u00a0».")


@functools.cache
def has_text(*, tone: str, channel: str) -> bool:
    """Say whether a text is published for a tone on a channel; a registered letter is a letter, a call needs none."""
    if channel == "phone":
        return True
    written = Channel.LETTER if channel == "registered" else channel
    return any((text.step, text.channel) == (tone, written) for text in library())


def read_text(path: Path) -> TextVersion:
    """Read one file of the product's texts."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    forms = {name: _form(value) for name, value in data.items() if isinstance(value, dict)}
    if "one" not in forms:
        raise NoTextError(f"{path.name} ne dit rien pour une facture.")
    return TextVersion(
        slug=data["slug"],
        step=Step(data["step"]),
        kind=Kind(data["kind"]),
        channel=Channel(data["channel"]),
        language=data["language"],
        version=data["version"],
        one=forms.pop("one"),
        several=forms.pop("several", None),
        variants=forms,
    )


def _form(data: dict[str, str]) -> Form:
    return Form(subject=data.get("subject", ""), body=data["body"].strip())
