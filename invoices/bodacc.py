"""Ask the BODACC's open data whether a company entered collective proceedings: frozen facts out, nothing kept.

One call asks for several companies; the answer is paged. What cannot be read is an error, never « nothing found ».
"""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from cabinets import outside
from invoices.enums import Grounds

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
PAGE = 100
COMPANIES_A_CALL = 20
# The interface does not page beyond this many answers.
DEEPEST = 9_900
_SIREN = re.compile(r"\d{9}")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_WRITTEN_DAY = re.compile(r"(\d{1,2})(?:er)?\s+([a-zéû]+)\s+(\d{4})")
_SLASHED_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
# In this order: a conversion names what it converts into last, and « liquidation » is the gravest.
_GROUNDS = (
    ("liquidation", Grounds.LIQUIDATION),
    ("redressement", Grounds.RECOVERY),
    ("sauvegarde", Grounds.SAFEGUARD),
)
_OPENS = ("ouverture", "conversion", "extension", "prononçant la liquidation", "résolution du plan")
# A liquidation closed for want of assets gives creditors nothing back: it is not an end for them.
_ENDS = ("clôture", "fin de la procédure", "infirmant")
_NO_END = ("insuffisance",)


class BodaccError(Exception):
    """Nobody answered, or not in a way that can be read: nothing is known, either way."""


@dataclass(frozen=True, slots=True)
class Proceeding:
    """A collective proceeding in force, as its notice tells it."""

    siren: str
    grounds: Grounds
    judged_on: dt.date | None
    published_on: dt.date
    notice_id: str
    court: str
    # The words of the judgment: they name the mandataire.
    details: str


@dataclass(frozen=True, slots=True)
class _Notice:
    proceeding: Proceeding
    opens: bool
    ends: bool


class Bodacc:
    """The open interface of the BODACC, without a key."""

    def __init__(self, url: str, *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._url, self._timeout = url, timeout

    def proceedings(self, sirens: Sequence[str]) -> dict[str, Proceeding | None]:
        """Return for each company the proceeding in force, or None. Raise BodaccError when that is not known."""
        found: dict[str, Proceeding | None] = {}
        with outside.client(timeout=self._timeout) as client:
            for start in range(0, len(sirens), COMPANIES_A_CALL):
                some = sirens[start : start + COMPANIES_A_CALL]
                told: dict[str, list[_Notice]] = defaultdict(list)
                for record in self._records(client, some):
                    for siren in _companies(record) & set(some):
                        told[siren].append(_notice(record, siren))
                found |= {siren: _in_force(told[siren]) for siren in some}
        return found

    def _records(self, client: httpx.Client, sirens: Sequence[str]) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        total = 1
        while len(rows) < total:
            page = self._page(client, sirens, offset=len(rows))
            total, some = page["total_count"], page["results"]
            rows += some
            if total > DEEPEST or (not some and len(rows) < total):
                raise BodaccError("La réponse du BODACC est incomplète.")
        return rows

    def _page(self, client: httpx.Client, sirens: Sequence[str], *, offset: int) -> Mapping[str, Any]:
        spellings = [spelling for siren in sirens for spelling in (siren, f"{siren[:3]} {siren[3:6]} {siren[6:]}")]
        named = " or ".join(f'registre="{spelling}"' for spelling in spellings)
        params: dict[str, str | int] = {
            "where": f'familleavis="collective" and ({named})',
            "order_by": "dateparution,id",
            "limit": PAGE,
            "offset": offset,
        }
        try:
            answer = client.get(self._url, params=params)
        except httpx.HTTPError as error:
            raise BodaccError("Le BODACC ne répond pas.") from error
        if answer.status_code != httpx.codes.OK:
            raise BodaccError(f"Le BODACC répond une erreur {answer.status_code}.")
        try:
            page = answer.json()
        except ValueError as error:
            raise BodaccError("La réponse du BODACC n’est pas lisible.") from error
        if not isinstance(page, dict) or not isinstance(page.get("total_count"), int):
            raise BodaccError("La réponse du BODACC n’est pas lisible.")
        if not isinstance(page.get("results"), list):
            raise BodaccError("La réponse du BODACC n’est pas lisible.")
        return page


def _companies(record: Mapping[str, Any]) -> set[str]:
    written = record.get("registre") or []
    several: Iterable[str] = written.split(",") if isinstance(written, str) else written
    return {plain for one in several if _SIREN.fullmatch(plain := re.sub(r"\D", "", str(one)))}


def _notice(record: Mapping[str, Any], siren: str) -> _Notice:
    judgment = _judgment(record)
    words = " ".join(str(judgment.get(key) or "") for key in ("famille", "nature")).lower()
    published = _day(str(record.get("dateparution") or ""))
    if published is None:
        raise BodaccError("Une annonce du BODACC n’a pas de date de parution.")
    ends = any(word in words for word in _ENDS) and not any(word in words for word in _NO_END)
    is_cancelled = "annulation" in str(record.get("typeavis") or "").lower()
    return _Notice(
        proceeding=Proceeding(
            siren=siren,
            grounds=_grounds(f"{words} {judgment.get('complementJugement') or ''}".lower(), words),
            judged_on=_day(str(judgment.get("date") or "")),
            published_on=published,
            notice_id=str(record.get("id") or "")[:60],
            court=str(record.get("tribunal") or ""),
            details=str(judgment.get("complementJugement") or ""),
        ),
        opens=any(word in words for word in _OPENS) and not ends and not is_cancelled,
        ends=ends or is_cancelled,
    )


def _judgment(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the judgment: a record holds it as text that is JSON itself."""
    held = record.get("jugement")
    if isinstance(held, str):
        try:
            held = json.loads(held)
        except ValueError as error:
            raise BodaccError("Une annonce du BODACC n’est pas lisible.") from error
    return held if isinstance(held, dict) else {}


def _grounds(everything: str, title: str) -> Grounds:
    for words in (title, everything):
        for word, grounds in _GROUNDS:
            if word in words:
                return grounds
    return Grounds.OTHER


def _in_force(notices: Sequence[_Notice]) -> Proceeding | None:
    """Return the first judgment of the proceeding that nothing ended since, in its latest form."""
    standing: Proceeding | None = None
    for notice in sorted(notices, key=lambda one: (one.proceeding.published_on, one.proceeding.notice_id)):
        if notice.ends:
            standing = None
        elif notice.opens:
            standing = notice.proceeding if standing is None else _converted(standing, notice.proceeding)
    return standing


def _converted(first: Proceeding, later: Proceeding) -> Proceeding:
    """Keep the first judgment's day: earlier debts are frozen from there, whatever the proceeding becomes."""
    return Proceeding(
        siren=first.siren,
        grounds=later.grounds,
        judged_on=first.judged_on,
        published_on=first.published_on,
        notice_id=first.notice_id,
        court=first.court,
        details=later.details or first.details,
    )


def _day(text: str) -> dt.date | None:
    """Read « 2025-05-10 », « 10/05/2025 » or « 10 mai 2025 »; nothing else is guessed."""
    text = text.strip().lower()
    try:
        if match := _SLASHED_DAY.fullmatch(text):
            return dt.date(int(match[3]), int(match[2]), int(match[1]))
        if (match := _WRITTEN_DAY.fullmatch(text)) and match[2] in _MONTHS:
            return dt.date(int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
