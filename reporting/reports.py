"""The reports as shown, printed and exported: each one its formula, its figures, and the rows behind them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Membership
from dunning.enums import Channel
from invoices.money import show_euros
from reporting import board, figures, places, queries, snapshots
from reporting.board import Age, Kpi, Month
from reporting.figures import Cut, Position

NBSP = "\u00a0"
MONTH = figures.SLICE_DAYS


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what it is about, its figures, and where its own rows are."""

    label: str
    cells: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of figures; an empty one says why."""

    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    empty: str = "Rien sur cette période."

    @property
    def lines(self) -> list[tuple[Row, list[tuple[str, str]]]]:
        """Return each row with the name of the column of each of its cells, which a phone shows beside it."""
        return [(row, list(zip(self.head[1:], row.cells, strict=True))) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a report is asked: the day it is told of, the period before it, and the dossiers it is about."""

    cabinet: Cabinet
    on: dt.date
    slices: int = figures.QUARTER
    cut: Cut = field(default_factory=Cut)
    sees_all: bool = True

    @property
    def days(self) -> int:
        """Return the length of the period."""
        return self.slices * MONTH

    @property
    def since(self) -> dt.date:
        """Return the first day of the period."""
        return self.on - dt.timedelta(days=self.days - 1)

    @property
    def is_past(self) -> bool:
        """Say whether it is about another day than today."""
        return self.on < self.cabinet.today()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, whatever shows it."""

    slug: str
    title: str
    formula: tuple[str, ...]
    kpis: tuple[Kpi, ...] = ()
    tables: tuple[Table, ...] = ()
    ages: tuple[Age, ...] = ()
    curve: tuple[Month, ...] = ()
    notes: tuple[str, ...] = ()


def dso(ask: Ask) -> Report:
    """Tell the DSO with the two figures that explain it, its months, and what was told then."""
    told = figures.position(on=ask.on, cut=ask.cut)
    known_since = _known_since(ask)
    known = known_since is not None and ask.on >= known_since
    ends = [on for on in (*snapshots.month_ends(ask.on)[1:], ask.on) if known_since and on >= known_since]
    kept = snapshots.kept(days=ends, cut=ask.cut) if ask.sees_all else {}
    live = {on: figures.position(on=on, cut=ask.cut) for on in ends if on not in kept or on == ask.on}
    history = [(on, kept[on].position if on in kept and on != ask.on else live[on]) for on in ends]
    ratio = (
        f"{_euros(told.receivable_cents)} ÷ {_euros(told.turnover_cents(slices=ask.slices))} × {ask.days}{NBSP}jours"
    )
    rows = tuple(
        Row(
            f"{on:%d/%m/%Y}",
            (
                _days(position.dso(slices=ask.slices)),
                _days(position.countback_dso),
                _days(position.best_dso(slices=ask.slices)),
                _euros(position.receivable_cents),
                _euros(position.turnover_cents(slices=ask.slices)),
                _origin(kept, on),
            ),
        )
        for on, position in reversed(history)
    )
    return Report(
        slug="dso",
        title="Délai moyen de paiement (DSO)",
        formula=(
            "DSO = créances clients TTC ÷ chiffre d’affaires TTC de la période × jours de la période, avoirs déduits.",
            "Par épuisement : on remonte le chiffre d’affaires par tranches de 30 jours, de la plus récente à la plus"
            " ancienne, jusqu’à couvrir les créances ; le nombre de jours remontés est le délai.",
            "Meilleur possible : le même calcul avec les seules créances non échues, comme si personne ne payait en"
            " retard.",
        ),
        kpis=(
            Kpi(
                "DSO",
                _value(told.dso(slices=ask.slices) if known else None),
                "jours",
                f"moins de {board.DSO_TARGET}{NBSP}jours",
                _under(told.dso(slices=ask.slices) if known else None, board.DSO_TARGET),
                ratio,
                note=ratio if known else board.NEEDS_HISTORY,
            ),
            Kpi("DSO par épuisement", _value(told.countback_dso if known else None), "jours", "", None, ""),
            Kpi(
                "Meilleur DSO possible",
                _value(told.best_dso(slices=ask.slices) if known else None),
                "jours",
                "",
                None,
                "",
                note=f"{_euros(told.aged_cents[0])} à échoir",
            ),
        ),
        curve=tuple(
            Month(board.SHORT_MONTHS[on.month - 1], days)
            for on, position in history
            if (days := position.dso(slices=ask.slices)) is not None
        ),
        tables=(
            _corrections(ask),
            Table(
                "Fin de mois par fin de mois",
                ("Jour", "DSO", "Par épuisement", "Meilleur possible", "Créances TTC", "CA TTC", "Source"),
                rows,
                empty=f"Pas encore assez de données : {board.NEEDS_HISTORY}.",
            ),
            _by_portfolio(ask, "DSO par portefeuille", ("DSO", "Créances TTC", "CA TTC"), _dso_cells),
        ),
    )


def aging(ask: Ask) -> Report:
    """Tell what is owed by age."""
    told = figures.position(on=ask.on, cut=ask.cut)
    total = told.receivable_cents
    urls = [places.aged(rank, ask.cut) for rank in range(queries.BUCKETS)]
    ages = tuple(starmap(Age, zip(board.AGES, told.aged_cents, urls, strict=True)))
    return Report(
        slug="balance-agee",
        title="Balance âgée",
        formula=(
            "Reste dû TTC de chaque facture ouverte, avoirs et règlements déduits, rangé selon les jours passés depuis"
            " l’échéance. Le jour de l’échéance n’est pas un retard. Les factures contestées comptent.",
        ),
        ages=ages,
        tables=(
            Table(
                "Encours par ancienneté",
                ("Ancienneté", "Factures", "Reste dû", "Part"),
                (
                    *(
                        Row(age.label, (str(count), _euros(age.cents), _share(age.cents, total)), age.url)
                        for age, count in zip(ages, told.aged_counts, strict=True)
                    ),
                    Row("Total", (str(sum(told.aged_counts)), _euros(total), _share(total, total))),
                ),
            ),
            _by_portfolio(ask, "Par portefeuille", board.AGES, lambda row, _: tuple(map(_euros, row.aged_cents))),
        ),
        notes=("Les liens mènent aux factures d’aujourd’hui.",) if ask.is_past else (),
    )


def recovery(ask: Ask) -> Report:
    """Tell the share unpaid at 30 days and the share recovered at 45."""
    told = figures.position(on=ask.on, cut=ask.cut) if _is_known(ask) else Position(ask.on)
    unpaid, recovered = told.unpaid_percent, told.recovered_percent
    period = f"les {queries.PERIOD_DAYS}{NBSP}jours qui finissent le {ask.on:%d/%m/%Y}"
    return Report(
        slug="recouvrement",
        title="Recouvrement",
        formula=(
            f"Impayées à 30 jours = factures non soldées 30 jours après l’échéance ÷ factures dont le 30e jour est"
            f" tombé dans {period}, en nombre.",
            f"Recouvrement à J+45 = montant reçu 45 jours au plus après l’échéance ÷ montant facturé TTC, avoirs"
            f" déduits, des factures dont le 45e jour est tombé dans {period}.",
            "Les factures contestées et passées en perte comptent.",
        ),
        kpis=(
            Kpi(
                "Impayées à 30 jours",
                _value(unpaid),
                "%",
                f"moins de {board.UNPAID_TARGET}{NBSP}%",
                _under(unpaid, board.UNPAID_TARGET),
                "",
                note=board.NEEDS_HISTORY
                if unpaid is None
                else f"{told.unpaid_count} sur {told.due_count} · {_euros(told.unpaid_cents)},"
                f" soit {told.unpaid_amount_percent}{NBSP}% du montant",
            ),
            Kpi(
                "Recouvrement à J+45",
                _value(recovered),
                "%",
                f"plus de {board.RECOVERY_TARGET}{NBSP}%",
                None if recovered is None else recovered > board.RECOVERY_TARGET,
                "",
                note=board.NEEDS_HISTORY
                if recovered is None
                else f"{_euros(told.recovered_cents)} reçus sur {_euros(told.matured_cents)}",
            ),
        ),
        tables=(
            _corrections(ask),
            _by_portfolio(
                ask,
                "Par portefeuille",
                ("Impayées à 30 jours", "Montant impayé", "Recouvrement à J+45"),
                lambda row, _: (
                    _percent(row.unpaid_percent),
                    _euros(row.unpaid_cents),
                    _percent(row.recovered_percent),
                ),
            ),
        ),
    )


def effort(ask: Ask) -> Report:
    """Tell the time the whole firm spent in seven days, act by act; nobody is named."""
    end = dt.datetime.combine(ask.on + dt.timedelta(days=1), dt.time(), tzinfo=ask.cabinet.zone)
    start = dt.datetime.combine(ask.on - dt.timedelta(days=board.EFFORT_DAYS - 1), dt.time(), tzinfo=ask.cabinet.zone)
    counts = queries.effort(since=start, until=end, events=board.ACTS)
    active = ask.cabinet.activated_on
    known = active is not None and (ask.on - active).days >= board.EFFORT_DAYS
    acts = sorted(
        ((*board.ACTS[event], count) for event, count in counts.counts.items()),
        key=lambda act: (-act[1] * act[2], act[0]),
    )
    return Report(
        slug="temps",
        title="Temps administratif",
        formula=(
            "Pour tout le cabinet, jamais par personne : les actes du journal de sept jours, chacun compté pour le"
            " temps forfaitaire écrit ci-dessous. Ce qui se fait hors du produit n’est pas compté. Les filtres ne s’y"
            " appliquent pas.",
        ),
        kpis=(board.effort_kpi(counts if known else None),),
        tables=(
            Table(
                f"Du {start:%d/%m/%Y} au {ask.on:%d/%m/%Y}",
                ("Acte", "Nombre", "Minutes chacun", "Minutes"),
                tuple(
                    Row(label.capitalize(), (str(count), str(each), str(each * count))) for label, each, count in acts
                ),
                empty="Aucun acte cette semaine-là.",
            ),
        ),
    )


def expected(ask: Ask) -> Report:
    """Tell what each week should bring."""
    weeks = figures.expected(on=ask.cabinet.today(), cut=ask.cut)
    total = sum(week.total_cents for week in weeks)
    rows = [
        Row(
            f"Semaine du {week.week:%d/%m/%Y}" if week.week else "Sans date : échu, ni promis ni échelonné",
            (
                _euros(week.due_cents),
                _euros(week.promised_cents),
                _euros(week.planned_cents),
                _euros(week.total_cents),
            ),
            "" if week.week else places.overdue(ask.cut),
        )
        for week in weeks
    ]
    return Report(
        slug="encaissements-attendus",
        title="Encaissements attendus",
        formula=(
            "Le reste dû d’aujourd’hui, par semaine : la date des versements d’un échéancier en cours, sinon celle"
            " d’une promesse qui court, sinon l’échéance. Ce qui est échu sans promesse ni échéancier n’a pas de date :"
            " il n’est pas prévu. La somme est le total de la balance âgée.",
        ),
        tables=(
            Table(
                "Par semaine",
                ("Semaine", "Échéances", "Promesses", "Échéanciers", "Total"),
                (*rows, Row("Total", ("", "", "", _euros(total)))) if rows else (),
                empty="Aucune facture n’est à encaisser.",
            ),
        ),
        notes=("Ce rapport se lit toujours à la date d’aujourd’hui.",) if ask.is_past else (),
    )


def steps(ask: Ask) -> Report:
    """Tell what each step brought in on each channel."""
    found = figures.brought(since=ask.since, on=ask.on, cut=ask.cut)
    return Report(
        slug="etapes",
        title="Étapes et canaux",
        formula=(
            f"Reçu après l’étape = règlements reçus dans les {figures.AFTER_DAYS}{NBSP}jours qui suivent le message,"
            " sur les factures qu’il réclame. Un règlement compte une seule fois, pour le dernier message qui le"
            " précède. Il suit le message ; rien ne prouve qu’il en vient.",
        ),
        tables=(
            Table(
                f"Messages partis du {ask.since:%d/%m/%Y} au {ask.on:%d/%m/%Y}",
                ("Étape", "Canal", "Messages", "Réclamé", "Reçu après", "Part"),
                tuple(
                    Row(
                        f"J{row.offset_days:+d}",
                        (
                            str(Channel(row.channel).label),
                            str(row.sent),
                            _euros(row.claimed_cents),
                            _euros(row.received_cents),
                            _percent(row.percent),
                        ),
                    )
                    for row in found
                ),
                empty="Aucun message n’est parti sur cette période.",
            ),
        ),
    )


def losses(ask: Ask) -> Report:
    """Tell what was given up, and which promises were kept."""
    lost = figures.losses(cut=ask.cut)
    promised = figures.promises(since=ask.since, on=ask.on, cut=ask.cut)
    judged = promised.kept + promised.broken
    return Report(
        slug="pertes-et-promesses",
        title="Pertes et promesses",
        formula=(
            "Pertes = reste dû TTC des factures passées en perte, par année de facturation.",
            "Promesses tenues = promesses tenues ÷ promesses dont le jour est tombé dans la période et dont l’issue est"
            " constatée.",
        ),
        kpis=(
            Kpi(
                "Promesses tenues",
                _value(promised.kept_percent),
                "%",
                "",
                None,
                "",
                note=f"{promised.kept} sur {judged}" if judged else "aucune promesse échue sur la période",
            ),
            Kpi(
                "Passé en perte",
                _euros(sum(row.cents for row in lost)).removesuffix(f"{NBSP}€"),
                "€",
                "",
                None,
                "",
                note="toutes années, à ce jour",
            ),
        ),
        tables=(
            Table(
                "Factures passées en perte",
                ("Facturé en", "Factures", "Perdu"),
                tuple(Row(str(row.year), (str(row.count), _euros(row.cents)), places.lost(ask.cut)) for row in lost),
                empty="Aucune facture n’est passée en perte.",
            ),
        ),
    )


REPORTS: dict[str, tuple[str, str, Callable[[Ask], Report]]] = {
    "dso": ("Délai moyen de paiement (DSO)", "En combien de jours vos factures sont payées, et la tendance.", dso),
    "balance-agee": ("Balance âgée", "Ce qui reste dû, par ancienneté.", aging),
    "recouvrement": ("Recouvrement", "Impayées à 30 jours, montant reçu à J+45.", recovery),
    "temps": ("Temps administratif", "Le temps d’une semaine, acte par acte, pour tout le cabinet.", effort),
    "encaissements-attendus": ("Encaissements attendus", "Semaine par semaine, promesses et échéanciers.", expected),
    "etapes": ("Étapes et canaux", "Ce que chaque relance fait rentrer.", steps),
    "pertes-et-promesses": ("Pertes et promesses", "Ce qui est perdu, les promesses tenues.", losses),
}


def _known_since(ask: Ask) -> dt.date | None:
    """Return from when thirty days of invoices and payments are known: before, a figure would frighten for nothing."""
    since = queries.dso(days=[ask.on]).known_since
    return since + dt.timedelta(days=queries.HISTORY_DAYS) if since else None


def _is_known(ask: Ask) -> bool:
    """Say whether the day asked has its figures."""
    since = _known_since(ask)
    return since is not None and ask.on >= since


def _corrections(ask: Ask) -> Table:
    """Put what was told of a past day beside what today's data say of it."""
    title, head = "Ce qui a changé depuis", ("Chiffre", "Relevé ce jour-là", "Recalculé aujourd’hui", "Écart")
    kept = snapshots.kept(days=[ask.on], cut=ask.cut).get(ask.on) if ask.sees_all and ask.is_past else None
    if kept is None:
        why = (
            "Choisissez un jour passé pour comparer son relevé à ce que les données en disent aujourd’hui."
            if not ask.is_past
            else "Aucun relevé de ce jour."
        )
        return Table(title, head, (), empty=why if ask.sees_all else "Les relevés portent sur tout le cabinet.")
    then, now = kept.position, figures.position(on=ask.on, cut=ask.cut)
    amounts = (
        ("Créances TTC", then.receivable_cents, now.receivable_cents),
        ("CA TTC de la période", then.turnover_cents(slices=ask.slices), now.turnover_cents(slices=ask.slices)),
        ("Impayé à 30 jours", then.unpaid_cents, now.unpaid_cents),
        ("Reçu à J+45", then.recovered_cents, now.recovered_cents),
    )
    days = Row(
        "DSO", (_days(then.dso(slices=ask.slices)), _days(now.dso(slices=ask.slices)), _moved(then, now, ask.slices))
    )
    mark = " (relevé reconstitué)" if kept.is_rebuilt else ""
    rows = (Row(label, (_euros(old), _euros(new), _euros(new - old))) for label, old, new in amounts)
    return Table(title + mark, head, (days, *rows))


def _moved(then: Position, now: Position, slices: int) -> str:
    old, new = then.dso(slices=slices), now.dso(slices=slices)
    return "" if old is None or new is None else f"{new - old:+d}{NBSP}j"


def _by_portfolio(
    ask: Ask, title: str, head: tuple[str, ...], cells: Callable[[Position, int], tuple[str, ...]]
) -> Table:
    """Cut the same figures by lawyer, by client kind and by practice area."""
    parts = figures.portfolios(on=ask.on, cut=ask.cut)
    names = {row.pk: row.user.get_full_name() for row in Membership.objects.select_related("user")}
    cuts: tuple[tuple[str, Callable[[Cut], Any], Callable[[Any], str]], ...] = (
        ("Avocat", lambda part: part.lawyer, lambda key: names.get(key, "") or "sans avocat"),
        ("Clients", lambda part: part.kind, lambda key: str(ClientKind(key).label)),
        ("Domaine", lambda part: part.area, lambda key: key or "non précisé"),
    )
    rows: list[Row] = []
    for word, key_of, name_of in cuts:
        groups: dict[Any, list[Position]] = {}
        for part, position in parts.items():
            groups.setdefault(key_of(part), []).append(position)
        rows += sorted(
            (
                Row(f"{word} : {name_of(key)}", cells(figures.added(found, on=ask.on), ask.slices))
                for key, found in groups.items()
            ),
            key=lambda row: row.label,
        )
    return Table(title, ("Portefeuille", *head), tuple(rows))


def _recovery_cells(row: Position, _: int) -> tuple[str, ...]:
    return _percent(row.unpaid_percent), _euros(row.unpaid_cents), _percent(row.recovered_percent)


def _dso_cells(row: Position, slices: int) -> tuple[str, ...]:
    return (
        _days(row.dso(slices=slices)),
        _euros(row.receivable_cents),
        _euros(row.turnover_cents(slices=slices)),
    )


def _origin(kept: dict[dt.date, snapshots.Kept], on: dt.date) -> str:
    if on not in kept:
        return "calculé ce jour"
    return "reconstitué" if kept[on].is_rebuilt else "relevé"


def _under(value: int | None, target: int) -> bool | None:
    return None if value is None else value < target


def _value(value: int | None) -> str | None:
    return None if value is None else str(value)


def _days(value: int | None) -> str:
    return "sans objet" if value is None else f"{value}{NBSP}j"


def _percent(value: int | None) -> str:
    return "sans objet" if value is None else f"{value}{NBSP}%"


def _share(part: int, whole: int) -> str:
    return f"{queries.rounded(100 * part, whole)}{NBSP}%" if whole else f"0{NBSP}%"


def _euros(cents: int) -> str:
    return show_euros(cents)
