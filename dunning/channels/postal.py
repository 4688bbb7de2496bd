"""A postal address as La Poste reads it (NF Z10-011): six lines of 38 characters, in capitals; nothing is cut."""

import re
import unicodedata
from dataclasses import dataclass

from cabinets.errors import InputError

WIDTH = 38
# Before the street: the names, then what completes them (floor, building).
LINES_BEFORE_STREET = 3

_STREET = re.compile(
    r"^(\d+\s*(BIS|TER|QUATER|[A-D])?\b"
    r"|(RUE|AVENUE|AV|BOULEVARD|BD|PLACE|PL|CHEMIN|CHE|IMPASSE|IMP|ALLEE|ALL|ROUTE|RTE|QUAI|COURS|SQUARE|SQ|VOIE"
    r"|PASSAGE|FAUBOURG|ESPLANADE|PROMENADE|RUELLE|SENTIER|MONTEE|COTE|ROND POINT|ZA|ZI|ZAC|PARC)\b)"
)
_HAMLET = re.compile(r"^(BP|B P|CS|TSA|CEDEX|LIEU DIT|LIEUDIT)\b")
_NOT_LETTERS = re.compile(r"[^0-9A-Z'’\- /]")
_FRENCH_POSTCODE = re.compile(r"\d{5}")
# Overseas, the country an operator asks for is the department's own.
_OVERSEAS = {"971": "GP", "972": "MQ", "973": "GF", "974": "RE", "975": "PM", "976": "YT"}
_ISLANDS = {"97133": "BL", "97150": "MF"}
_LIKE_FRANCE = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "MF", "BL", "PM", "MC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """An address ready for an envelope: six lines, the last one being the town's."""

    lines: tuple[str, str, str, str, str, str]
    country: str = "FR"

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the lines that hold something, as they are printed, the country last when it is abroad."""
        abroad = () if self.country in _LIKE_FRANCE else (self.country,)
        return (*(line for line in self.lines if line), *abroad)

    @property
    def name(self) -> str:
        """Return the first line: who it is for."""
        return self.lines[0]

    @property
    def postcode(self) -> str:
        """Return what the town's line begins with."""
        return self.lines[5].partition(" ")[0]

    @property
    def town(self) -> str:
        """Return what follows the postcode."""
        return self.lines[5].partition(" ")[2]


def postal_address(
    *,
    company: str = "",
    person: str = "",
    address: str,
    postcode: str,
    city: str,
    country: str = "FR",
) -> PostalAddress:
    """Lay an address out on six lines; refuse, with what to mend, what does not fit or would not arrive."""
    names = [line for line in (_line(company), _line(person)) if line]
    if not names:
        raise InputError("Il manque le nom du destinataire sur l’enveloppe.", field="last_name")
    middle = _middle([found for text in address.splitlines() if (found := _line(text, plain=True))], names=len(names))
    iso = country.strip().upper() or "FR"
    town = _town(postcode, city, iso)
    second = names[1] if len(names) > 1 else middle.complement
    lines = (names[0], second, middle.building, middle.street, middle.hamlet, town)
    for line, field in zip(lines, ("name", "name", "address", "address", "address", "city"), strict=True):
        if len(line) > WIDTH:
            raise InputError(
                f"La ligne « {line} » compte {len(line)} caractères : une ligne d’adresse en accepte {WIDTH}. "
                "Abrégez-la.",
                field=field,
            )
    return PostalAddress(lines=lines, country=_country(iso, postcode))


@dataclass(frozen=True, slots=True)
class _Middle:
    complement: str
    building: str
    street: str
    hamlet: str


def _middle(texts: list[str], *, names: int) -> _Middle:
    """Tell the street from what stands before it (floor, building) and after it (hamlet, post box)."""
    if not texts:
        raise InputError("Il manque le numéro et la rue.", field="address")
    streets = [number for number, text in enumerate(texts) if _STREET.match(text)]
    boxes = [number for number, text in enumerate(texts) if _HAMLET.match(text)]
    at = streets[-1] if streets else (boxes[0] - 1 if boxes else len(texts) - 1)
    before, street, after = texts[: max(at, 0)], texts[at] if at >= 0 else "", texts[at + 1 :]
    if len(after) > 1 or len(before) > LINES_BEFORE_STREET - names:
        raise InputError(
            "Cette adresse a trop de lignes pour une enveloppe : regroupez bâtiment, rue et lieu-dit "
            "sur une ligne chacun.",
            field="address",
        )
    complement, building = ([""] * 2 + before)[-2:]
    return _Middle(complement=complement, building=building, street=street, hamlet=after[0] if after else "")


def _town(postcode: str, city: str, iso: str) -> str:
    code, town = "".join(postcode.split()), _line(city, plain=True)
    if not code or not town:
        raise InputError("Il manque le code postal ou la ville.", field="postcode" if not code else "city")
    if iso in _LIKE_FRANCE and not _FRENCH_POSTCODE.fullmatch(code):
        raise InputError(f"Le code postal « {code} » n’est pas valable : il compte cinq chiffres.", field="postcode")
    return f"{code.upper()} {town}"


def _country(iso: str, postcode: str) -> str:
    code = "".join(postcode.split())
    if iso != "FR":
        return iso
    return _ISLANDS.get(code) or _OVERSEAS.get(code[:3], "FR")


def _line(text: str, *, plain: bool = False) -> str:
    """Write one line in capitals; the street and the town without accents nor punctuation, as sorters read them."""
    capitals = " ".join(text.replace("\u00a0", " ").upper().split())
    if not plain:
        return capitals
    folded = unicodedata.normalize("NFKD", capitals.replace("Œ", "OE").replace("Æ", "AE"))
    bare = "".join(mark for mark in folded if not unicodedata.combining(mark))
    return " ".join(_NOT_LETTERS.sub(" ", bare).split())
