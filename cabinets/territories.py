"""Where people live by another clock, or other public holidays."""

import re
from zoneinfo import ZoneInfo

from django.db import models


class Territory(models.TextChoices):
    """Whose public holidays and time zone apply (law.md R55); a place outside this list has no value here."""

    METROPOLE = "metropole", "France métropolitaine"
    ALSACE_MOSELLE = "alsace_moselle", "Alsace-Moselle"
    GUADELOUPE = "guadeloupe", "Guadeloupe"
    MARTINIQUE = "martinique", "Martinique"
    GUYANE = "guyane", "Guyane"
    REUNION = "reunion", "La Réunion"
    MAYOTTE = "mayotte", "Mayotte"
    SAINT_MARTIN = "saint_martin", "Saint-Martin"
    SAINT_BARTHELEMY = "saint_barthelemy", "Saint-Barthélemy"


_ZONES = {
    Territory.METROPOLE: "Europe/Paris",
    Territory.ALSACE_MOSELLE: "Europe/Paris",
    Territory.GUADELOUPE: "America/Guadeloupe",
    Territory.MARTINIQUE: "America/Martinique",
    Territory.GUYANE: "America/Cayenne",
    Territory.REUNION: "Indian/Reunion",
    Territory.MAYOTTE: "Indian/Mayotte",
    Territory.SAINT_MARTIN: "America/Marigot",
    Territory.SAINT_BARTHELEMY: "America/St_Barthelemy",
}
_BY_POSTCODE = {"97133": Territory.SAINT_BARTHELEMY, "97150": Territory.SAINT_MARTIN}
_BY_DEPARTMENT = {
    "57": Territory.ALSACE_MOSELLE,
    "67": Territory.ALSACE_MOSELLE,
    "68": Territory.ALSACE_MOSELLE,
    "971": Territory.GUADELOUPE,
    "972": Territory.MARTINIQUE,
    "973": Territory.GUYANE,
    "974": Territory.REUNION,
    "976": Territory.MAYOTTE,
}
_BY_COUNTRY = {
    "GP": Territory.GUADELOUPE,
    "MQ": Territory.MARTINIQUE,
    "GF": Territory.GUYANE,
    "RE": Territory.REUNION,
    "YT": Territory.MAYOTTE,
    "MF": Territory.SAINT_MARTIN,
    "BL": Territory.SAINT_BARTHELEMY,
}
_METROPOLE = re.compile(r"(?:0[1-9]|[1-8][0-9]|9[0-5])[0-9]{3}")


def territory_of(postcode: str | None, country: str = "FR") -> Territory | None:
    """Name the territory of a postal address, or None when the firm's own calendar must serve."""
    iso = country.strip().upper()
    if iso in _BY_COUNTRY:
        return _BY_COUNTRY[iso]
    code = re.sub(r"\s", "", postcode or "")
    if iso not in {"", "FR", "FRANCE"} or not re.fullmatch(r"[0-9]{5}", code):
        return None
    known = _BY_POSTCODE.get(code) or _BY_DEPARTMENT.get(code[:3]) or _BY_DEPARTMENT.get(code[:2])
    return known or (Territory.METROPOLE if _METROPOLE.fullmatch(code) else None)


def zone_of(territory: Territory) -> ZoneInfo:
    """Give the time zone people live by in this territory."""
    return ZoneInfo(_ZONES[territory])
