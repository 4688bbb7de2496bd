"""The coming weeks as a page shows them: by day, by rule, and what a change of ladder would change."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.core.cache import cache

from cabinets.models import Cabinet, Client
from cabinets.sealing import open_together
from dunning.enums import Channel, Code, Tone
from dunning.models import Scenario
from dunning.presenting import offset_words
from dunning.rungs import Rung
from dunning.services.migrating import carry, movable
from dunning.services.scenarios import publish
from dunning.services.simulate import Departure, Forecast, Held, by_code, simulate
from invoices.models import Invoice

KEPT_SECONDS = 600
SHOWN = 300
CHANGED_SHOWN = 50
PREVIEW_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message that would leave."""

    client_id: UUID
    client: str
    step: str
    tone: str
    channels: tuple[Channel, ...]
    total_cents: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """The coming days, as far as the person sees them."""

    forecast: Forecast
    days: tuple[tuple[dt.date, tuple[Line, ...]], ...]
    messages: int
    asked: int
    total_cents: int
    by_tone: tuple[tuple[str, int], ...]
    held: tuple[tuple[Code, int], ...]
    waiting: int
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the next thirty days would be without and with a change, once the cases in flight have moved."""

    days: int
    messages: tuple[int, int]
    asked: tuple[int, int]
    by_tone: tuple[tuple[str, int, int], ...]
    clients: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    changed: int

    @property
    def is_empty(self) -> bool:
        """Say whether nothing would change for anybody."""
        return self.changed == 0


def weeks(*, cabinet: Cabinet, days: int, gives_accords: bool) -> Weeks:
    """Return the coming days among the files the person sees; computed at most every ten minutes."""
    forecast = kept(cabinet=cabinet, days=days, gives_accords=gives_accords)
    departures, held, waiting = _seen(forecast)
    names = _names({one.client_id for one in departures})
    by_day: dict[dt.date, list[Line]] = {}
    for one in departures[:SHOWN]:
        by_day.setdefault(one.on, []).append(_line(one, names))
    tones = Counter(one.tone for one in departures)
    return Weeks(
        forecast=forecast,
        days=tuple((day, tuple(lines)) for day, lines in by_day.items()),
        messages=len(departures),
        asked=sum(bool(one.reasons) for one in departures),
        total_cents=sum({one.invoice_ids: one.total_cents for one in departures}.values()),
        by_tone=tuple((tone.label, tones[tone.value]) for tone in Tone if tones[tone.value]),
        held=tuple(by_code(held)),
        waiting=waiting,
        is_cut=len(departures) > SHOWN,
    )


def kept(*, cabinet: Cabinet, days: int, gives_accords: bool) -> Forecast:
    """Return the forecast computed less than ten minutes ago, or compute it: it holds ids and codes alone."""
    key = f"forecast:{cabinet.pk}:{cabinet.today()}:{days}:{int(gives_accords)}"
    known: Forecast | None = cache.get(key)
    if known is None:
        known = simulate(cabinet=cabinet, days=days, gives_accords=gives_accords)
        cache.set(key, known, KEPT_SECONDS)
    return known


def difference(*, cabinet: Cabinet, scenario: Scenario, rungs: Sequence[Rung], min_gap_days: int) -> Difference:
    """Live the next thirty days without and with this ladder, its cases in flight moved to it; nothing is kept."""
    change = partial(_try, scenario, rungs, min_gap_days)
    before, _, _ = _seen(simulate(cabinet=cabinet, days=PREVIEW_DAYS))
    after, _, _ = _seen(simulate(cabinet=cabinet, days=PREVIEW_DAYS, change=change))
    was, now = _by_client(before), _by_client(after)
    changed = [client_id for client_id in dict.fromkeys([*was, *now]) if was.get(client_id) != now.get(client_id)]
    names = _names(changed[:CHANGED_SHOWN])
    tones_before, tones_after = Counter(one.tone for one in before), Counter(one.tone for one in after)
    return Difference(
        days=PREVIEW_DAYS,
        messages=(len(before), len(after)),
        asked=(sum(bool(one.reasons) for one in before), sum(bool(one.reasons) for one in after)),
        by_tone=tuple(
            (tone.label, tones_before[tone.value], tones_after[tone.value])
            for tone in Tone
            if tones_before[tone.value] or tones_after[tone.value]
        ),
        clients=tuple(
            (names[one], was.get(one, ()), now.get(one, ())) for one in changed[:CHANGED_SHOWN] if one in names
        ),
        changed=len(changed),
    )


def _try(scenario: Scenario, rungs: Sequence[Rung], min_gap_days: int) -> None:
    version = publish(scenario=scenario, ladder=rungs, min_gap_days=min_gap_days)
    carry(cases=movable(to=version), to=version)


def _seen(forecast: Forecast) -> tuple[list[Departure], list[Held], int]:
    """Keep what is about files the person sees: the database says which."""
    named = {invoice_id for one in forecast.departures for invoice_id in one.invoice_ids}
    named |= {one.invoice_id for one in forecast.held}
    seen = set(Invoice.objects.filter(pk__in=named).values_list("pk", flat=True))
    departures = [one for one in forecast.departures if one.invoice_ids and seen.issuperset(one.invoice_ids)]
    held = [one for one in forecast.held if one.invoice_id in seen]
    return departures, held, Client.objects.filter(pk__in=forecast.waiting).count()


def _names(client_ids: Collection[UUID]) -> dict[UUID, str]:
    clients = list(Client.objects.filter(pk__in=client_ids))
    open_together(clients)
    return {client.pk: client.display_name for client in clients}


def _line(one: Departure, names: dict[UUID, str]) -> Line:
    return Line(
        client_id=one.client_id,
        client=names.get(one.client_id, ""),
        step=offset_words(one.offset_days),
        tone=Tone(one.tone).label,
        channels=one.channels,
        total_cents=one.total_cents,
        reasons=tuple(reason.label for reason in one.reasons),
    )


def _by_client(departures: Sequence[Departure]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, list[str]] = {}
    for one in departures:
        words = f"{one.on:%d/%m} {Tone(one.tone).label.lower()} ({offset_words(one.offset_days)})"
        found.setdefault(one.client_id, []).append(words)
    return {client_id: tuple(words) for client_id, words in found.items()}
