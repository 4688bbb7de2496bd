"""The clock of a breach (GDPR art. 33 and 34; law.md R65): what is due, by when. Pure."""

import datetime as dt
from dataclasses import dataclass

from gdpr.enums import Risk

AUTHORITY = dt.timedelta(hours=72)
# What the agreement promises: whoever runs the installation tells the firms within a day of knowing.
FIRMS = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What the clock depends on."""

    known_at: dt.datetime
    says_whose: bool
    """Whether it says which people and which data are concerned (art. 33-3-a)."""
    risk: Risk
    told_authority_at: dt.datetime | None
    told_people_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do: by when, or done."""

    label: str
    by: dt.datetime | None
    is_done: bool
    is_late: bool


def dues(incident: Incident, *, now: dt.datetime) -> tuple[Due, ...]:
    """Return what is due: the authority within 72 hours unless there is no risk, people at once when it is high."""
    found = [Due("Évaluer le risque pour les personnes", None, incident.risk != Risk.UNKNOWN, is_late=False)]
    found.append(Due("Préciser les personnes touchées", None, incident.says_whose, is_late=False))
    if incident.risk != Risk.NONE:
        by = incident.known_at + AUTHORITY
        told = incident.told_authority_at
        found.append(Due("Notifier la CNIL", by, told is not None, is_late=(told or now) > by))
    if incident.risk == Risk.HIGH:
        found.append(Due("Prévenir les personnes", None, incident.told_people_at is not None, is_late=False))
    return tuple(found)


def may_close(incident: Incident, *, now: dt.datetime) -> bool:
    """Say whether nothing is left to do."""
    return all(due.is_done for due in dues(incident, now=now))


def firms_clock(known_at: dt.datetime, *, told_at: dt.datetime | None, now: dt.datetime) -> str:
    """Say how the day the firms are promised goes: what is left of it, or how long it took."""
    if told_at is not None:
        took = told_at - known_at
        return f"Annoncé en {_length(took)}" + (", hors du délai" if took > FIRMS else "")
    left = known_at + FIRMS - now
    return f"À annoncer : reste {_length(left)}" if left > dt.timedelta(0) else f"En retard de {_length(-left)}"


def _length(span: dt.timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02d}"
