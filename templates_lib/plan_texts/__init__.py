"""What is written about a payment plan: files a lawyer can read, the same for every reader, never a threat."""

import functools
from dataclasses import replace
from pathlib import Path

from templates_lib.enums import Kind
from templates_lib.errors import NoTextError
from templates_lib.library import TextVersion, read_text
from templates_lib.rendering import NBSP
from templates_lib.words import WORDS, Words

FOLDER = Path(__file__).parent
# The reminder of a date that a mandate collects.
COLLECTED = "collected"


@functools.cache
def plan_texts() -> tuple[TextVersion, ...]:
    """Return every text about plans, in the order of their names and versions; each speaks of one or more dates."""
    read = (read_text(path) for path in FOLDER.glob("*.toml"))
    versions = [replace(text, several=text.several or text.one) for text in read]
    return tuple(sorted(versions, key=lambda text: (text.slug, text.language, text.version)))


def plan_text(*, about: str, kind: Kind, language: str) -> TextVersion:
    """Return the latest text about a plan (« confirmed »…), read as this kind of client, in French where none is."""
    for tongue in (language, "fr"):
        found = [text for text in plan_texts() if (text.slug, text.language) == (f"plan-{about}", tongue)]
        if found:
            return replace(max(found, key=lambda text: text.version), kind=kind)
    raise NoTextError(f"Aucun texte d’échéancier{NBSP}: {about}, {language}.")


def plan_words(language: str, *, is_collected: bool = False) -> Words:
    """Return the fixed words of a message whose lines are the dates of a plan: paid by hand, or collected."""
    if language == "en":
        return replace(
            WORDS["en"],
            invoice="Instalment",
            due="Collected on" if is_collected else "To be paid on",
            due_on="on",
            left="Amount",
            pay_one="See the instalments",
            pay_several="See the instalments",
        )
    return replace(
        WORDS["fr"],
        invoice="Versement",
        due="Prélevé le" if is_collected else "À payer le",
        due_on="le",
        left="Montant",
        pay_one="Voir l’échéancier",
        pay_several="Voir l’échéancier",
    )


def rank_words(rank: int, count: int, language: str) -> str:
    """Name an instalment among the others: « Versement 2 sur 3 »."""
    return f"Instalment {rank} of {count}" if language == "en" else f"Versement {rank} sur {count}"
