"""The dashboard as shown: the figures of `queries` in words, with their formula, their target and what they lack."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import starmap

from cabinets.models import Cabinet
from invoices.money import show_euros
from payments.freshness import are_payments_stale
from reporting import places, queries

NBSP = "\u00a0"
DSO_TARGET = 35
UNPAID_TARGET = 15
RECOVERY_TARGET = 85
EFFORT_TARGET_MINUTES = 60
MONTHS_SHOWN = 12
EFFORT_DAYS = 7
TREND_DAYS = 30
HOUR_MINUTES = 60
AGES = ("À échoir", "1 à 30 j", "31 à 60 j", "61 à 90 j", "Plus de 90 j")
SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
NEEDS_HISTORY = f"il faut {queries.HISTORY_DAYS}{NBSP}jours de factures et de règlements"

# What one act is taken to cost, in minutes: said beside the figure, because nobody's time is measured.
ACTS: Mapping[str, tuple[str, int]] = {
    "reminder.approved": ("relances approuvées", 2),
    "reminder.approved_once": ("premières validations", 2),
    "reminder.declined": ("relances écartées", 2),
    "reminder.postponed_by_hand": ("relances reportées", 1),
    "reminder.found_unsent": ("envois vérifiés", 3),
    "night.confirmed": ("nuits confirmées", 3),
    "debtorrequest.answered": ("réponses à des clients", 5),
    "payment.recorded": ("paiements enregistrés", 2),
    "payment.reversed": ("paiements annulés", 2),
    "cabinet.settlements_declared": ("règlements déclarés à jour", 2),
    "credit_note.created": ("avoirs saisis", 3),
    "invoice.created": ("factures saisies", 3),
    "invoice.changed": ("factures corrigées", 2),
    "import.received": ("fichiers importés", 10),
    "document.added": ("documents joints", 1),
    "client.created": ("clients créés", 3),
    "client.changed": ("clients corrigés", 1),
    "contact.changed": ("contacts corrigés", 1),
    "dossier.changed": ("dossiers corrigés", 2),
    "hold.declared": ("suspensions", 1),
    "hold.released": ("reprises", 1),
    "dispute.released": ("contestations levées", 3),
    "task.done": ("tâches faites", 2),
}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of the ruled strip, in the words of `_kpi.html`."""

    label: str
    value: str | None
    unit: str
    target: str
    met: bool | None
    hint: str
    note: str = ""
    trend: str = ""
    trend_up: bool = False
    trend_bad: bool = False
    # Where the figure is told in full.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Age:
    """One bar of the aging chart."""

    label: str
    cents: int
    url: str


@dataclass(frozen=True, slots=True)
class Month:
    """One point of the curve."""

    label: str
    days: int


@dataclass(frozen=True, slots=True)
class Board:
    """Every figure of one page, on one day."""

    kpis: tuple[Kpi, ...]
    ages: tuple[Age, ...]
    aging: queries.Aging
    overdue_percent: int
    curve: tuple[Month, ...]
    collected: queries.Collected
    waiting: queries.Waiting


def board(*, cabinet: Cabinet, sees_all: bool) -> Board:
    """Compute the figures of the firm's day, as far as the person sees."""
    now, today = cabinet.now(), cabinet.today()
    before = today - dt.timedelta(days=TREND_DAYS)
    aged, dso = queries.aging(on=today), queries.dso(days=month_ends(today))
    cohorts = queries.cohorts(days=[today, before])
    effort = queries.effort(since=now - dt.timedelta(days=EFFORT_DAYS), events=ACTS)
    known = dso.known_since is not None and (today - dso.known_since).days >= queries.HISTORY_DAYS
    was_known = dso.known_since is not None and (before - dso.known_since).days >= queries.HISTORY_DAYS
    current = cohorts[today] if known else queries.Cohort()
    former = cohorts[before] if was_known else queries.Cohort()
    active = cabinet.activated_on is not None and (today - cabinet.activated_on).days >= EFFORT_DAYS
    return Board(
        kpis=(
            replace(dso_kpi(dso, on=today), url=places.report("dso")),
            replace(unpaid_kpi(current, former), url=places.report("recouvrement")),
            replace(recovery_kpi(current, former), url=places.report("recouvrement")),
            replace(effort_kpi(effort if active else None), url=places.report("temps")),
        ),
        ages=tuple(Age(AGES[rank], bucket.cents, places.aged(rank)) for rank, bucket in enumerate(aged.buckets)),
        aging=aged,
        overdue_percent=queries.rounded(100 * aged.overdue.cents, aged.total_cents) if aged.total_cents else 0,
        curve=tuple(
            Month(SHORT_MONTHS[point.on.month - 1], point.days) for point in dso.points if point.days is not None
        ),
        collected=queries.collected(on=today, sees_all=sees_all),
        waiting=queries.waiting(),
    )


def curve_of(dso: queries.Dso) -> tuple[Month, ...]:
    """Return the months of the curve that have a DSO."""
    known = [(point.on, point.days) for point in dso.points]
    return tuple(Month(SHORT_MONTHS[on.month - 1], days) for on, days in known if days is not None)


def month_ends(today: dt.date) -> list[dt.date]:
    """Return the last days of the eleven months before this one, then today."""
    days, first = [today], today.replace(day=1)
    while len(days) < MONTHS_SHOWN:
        last = first - dt.timedelta(days=1)
        days.append(last)
        first = last.replace(day=1)
    return days[::-1]


def dso_kpi(dso: queries.Dso, *, on: dt.date) -> Kpi:
    """Say the DSO of today, and how it moved since the first month of the curve."""
    known = [point for point in dso.points if point.days is not None]
    today = next((point for point in known if point.on == on), None)
    days = today.days if today else None
    formula = "Créances clients TTC ÷ chiffre d’affaires TTC de la période × jours de la période, avoirs déduits."
    if today:
        formula += (
            f" Ici{NBSP}: {_euros(today.receivable_cents)} ÷ {_euros(today.turnover_cents)} des"
            f" {today.period_days}{NBSP}derniers jours × {today.period_days}."
        )
    moved = 0 if today is None or days is None else days - (known[0].days or 0)
    return Kpi(
        label="Délai moyen (DSO)",
        value=None if days is None else str(days),
        unit="jour" if days in {0, 1} else "jours",
        target=f"moins de {DSO_TARGET}{NBSP}jours",
        met=None if days is None else days < DSO_TARGET,
        hint=formula,
        note=(f"depuis {MONTHS[known[0].on.month - 1]}" if moved else "") if today else NEEDS_HISTORY,
        trend=f"{abs(moved)}{NBSP}j" if moved else "",
        trend_up=moved > 0,
        trend_bad=moved > 0,
    )


def unpaid_kpi(now: queries.Cohort, before: queries.Cohort) -> Kpi:
    """Say the share of invoices still unpaid 30 days after their due date, by number, with the amount beside."""
    share = now.unpaid_percent
    moved = 0 if share is None or before.unpaid_percent is None else share - before.unpaid_percent
    return Kpi(
        label="Impayées à 30 jours",
        value=None if share is None else str(share),
        unit="%",
        target=f"moins de {UNPAID_TARGET}{NBSP}%",
        met=None if share is None else share < UNPAID_TARGET,
        hint=(
            "Parmi les factures dont le 30e jour après l’échéance est tombé dans les"
            f" {queries.PERIOD_DAYS}{NBSP}derniers jours, la part, en nombre, de celles qui n’étaient pas soldées"
            " ce jour-là. Les factures contestées et passées en perte comptent."
        ),
        note=NEEDS_HISTORY if share is None else _since(moved) + _of(now.unpaid_count, now.due_count, now.unpaid_cents),
        trend=_points(moved),
        trend_up=moved > 0,
        trend_bad=moved > 0,
    )


def recovery_kpi(now: queries.Cohort, before: queries.Cohort) -> Kpi:
    """Say the share of the amount received 45 days after the due date."""
    share = now.recovered_percent
    moved = 0 if share is None or before.recovered_percent is None else share - before.recovered_percent
    return Kpi(
        label="Recouvrement à J+45",
        value=None if share is None else str(share),
        unit="%",
        target=f"plus de {RECOVERY_TARGET}{NBSP}%",
        met=None if share is None else share > RECOVERY_TARGET,
        hint=(
            "Pour les factures dont le 45e jour après l’échéance est tombé dans les"
            f" {queries.PERIOD_DAYS}{NBSP}derniers jours{NBSP}: montant reçu ce jour-là au plus tard ÷ montant"
            " facturé TTC, avoirs déduits."
        ),
        note=NEEDS_HISTORY if share is None else _since(moved) + _received(now.recovered_cents, now.billed_cents),
        trend=_points(moved),
        trend_up=moved > 0,
        trend_bad=moved < 0,
    )


def minutes_of(effort: queries.Effort) -> int:
    """Return what the acts of a week are taken to cost, in minutes."""
    return sum(ACTS[event][1] * count for event, count in effort.counts.items())


def effort_kpi(effort: queries.Effort | None) -> Kpi:
    """Say the time the whole firm spent in the product in seven days, with what each act is taken to cost."""
    counted = [] if effort is None else [(*ACTS[event], count) for event, count in effort.counts.items()]
    counted.sort(key=lambda act: (-act[1] * act[2], act[0]))
    minutes = sum(each * count for _, each, count in counted)
    hint = (
        "Pour tout le cabinet, jamais par personne. Les actes du journal des 7 derniers jours, chacun compté pour un"
        f" temps forfaitaire{NBSP}: {', '.join(starmap(_act, counted)) or 'aucun acte'}. Ce qui se fait hors du"
        " produit n’est pas compté."
    )
    value, unit = (None, "") if effort is None else _duration(minutes)
    acts = sum(count for _, _, count in counted)
    return Kpi(
        label="Temps administratif",
        value=value,
        unit=unit,
        target=f"moins de 1{NBSP}h par semaine",
        met=None if effort is None else minutes < EFFORT_TARGET_MINUTES,
        hint=hint,
        note="il faut une semaine d’activité"
        if effort is None
        else f"cette semaine, estimé sur {acts}{NBSP}acte{'s' if acts > 1 else ''}",
    )


def settlements_are_stale(cabinet: Cabinet, *, on: dt.date) -> bool:
    """Say whether nobody declared the payments up to date lately: the night then holds everything back."""
    return are_payments_stale(
        declared_on=cabinet.settlements_declared_on, feed_fresh_until_on=cabinet.feed_fresh_until_on, on=on
    )


def _act(label: str, each: int, count: int) -> str:
    return f"{count}{NBSP}{label} ({each}{NBSP}min)"


def _duration(minutes: int) -> tuple[str, str]:
    hours, rest = divmod(minutes, HOUR_MINUTES)
    if not hours:
        return str(rest), "min"
    return str(hours), f"h{NBSP}{rest:02d}" if rest else "h"


def _points(moved: int) -> str:
    return f"{abs(moved)}{NBSP}pt{'s' if abs(moved) > 1 else ''}" if moved else ""


def _since(moved: int) -> str:
    return f"en {TREND_DAYS}{NBSP}jours · " if moved else ""


def _received(part: int, whole: int) -> str:
    return f"{_euros(part)} reçus sur {_euros(whole)}"


def _of(part: int, whole: int, cents: int) -> str:
    return f"{part} facture{'s' if part > 1 else ''} sur {whole}" + (f" · {_euros(cents)}" if cents else "")


def _euros(cents: int) -> str:
    return show_euros(cents).replace(",00", "")
