"""Compose a text message: one part of 160 septets in GSM-7, whatever the values, or nothing at all."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from templates_lib.errors import TextRefusedError
from templates_lib.gsm7 import SMS_SEPTETS, foreign_characters, septets
from templates_lib.library import TextVersion, Variant
from templates_lib.rendering import render

SHORTEST_NAME = 6
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "°": "o", "œ": "oe"}
    | {"Œ": "OE", "\u00a0": " ", "\u202f": " ", "ç": "c", "Ç": "C", "€": "EUR"}
)
# Said in full, they would take a part of their own.
_FIRM_WORDS = re.compile(r"\b(?:cabinet|selarl|scp|selas|aarpi|avocats?|associ[ée]s|et|&)\b\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message as it leaves, its length in septets and its parts."""

    text: str
    septets: int
    segments: int = 1


def compose_sms(
    *, version: TextVersion, values: Mapping[str, str], invoices: int, variant: Variant | None = None
) -> Sms:
    """Fill a text message, in GSM-7 and in one part: the firm's name gives way first, then the link's scheme.

    Raise TextRefusedError rather than cut an amount, a reference or the link.
    """
    body = version.form_for(invoices=invoices, variant=variant).body
    plain = {name: to_gsm7(value) for name, value in values.items()}
    for name in short_names(plain.get("Nom_cabinet", "")):
        for link in (plain.get("Lien_paiement", ""), plain.get("Lien_paiement", "").removeprefix("https://")):
            text = to_gsm7(" ".join(render(body, {**plain, "Nom_cabinet": name, "Lien_paiement": link}).split()))
            if septets(text) <= SMS_SEPTETS:
                return Sms(text=text, septets=septets(text))
    raise TextRefusedError(
        f"Une fois rempli, ce SMS dépasse {SMS_SEPTETS} caractères\u00a0: raccourcissez son texte. (R56)"
    )


def to_gsm7(text: str) -> str:
    """Write a value with the characters every telephone takes in one part; what has no twin loses its accent."""
    written = "".join(char if not foreign_characters(char) else char.translate(_PLAIN) for char in text)
    folded = (char if not foreign_characters(char) else unicodedata.normalize("NFD", char)[0] for char in written)
    return "".join(char if not foreign_characters(char) else "?" for char in folded)


def short_names(name: str) -> list[str]:
    """Return the firm's name, then shorter and shorter, never below six characters."""
    bare = " ".join(_FIRM_WORDS.sub(" ", name).split()) or name
    names = [name, bare] + [bare[:length].rstrip(" -") for length in range(len(bare) - 1, SHORTEST_NAME - 1, -1)]
    return list(dict.fromkeys(one for one in names if one))
