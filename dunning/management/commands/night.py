"""Evaluate a night by hand, or say what it would answer."""

import datetime as dt
import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from dunning.enums import Code
from dunning.management import night_table
from dunning.services import nights, plan_nights
from dunning.services.reporting_night import Night, held_by, read_night


class Command(BaseCommand):
    """Evaluates the night of every firm, or of one, and prints what was planned, what waits and what was held."""

    help = "Évalue la nuit des cabinets et dit ce qui part, ce qui attend et ce qui est retenu, règle par règle."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a day, a firm, and how to answer."""
        parser.add_argument(
            "--on", type=_day, metavar="AAAA-MM-JJ", help="le jour ; un autre qu’aujourd’hui n’écrit rien"
        )
        parser.add_argument("--cabinet", metavar="IDENTIFIANT", help="un seul cabinet")
        parser.add_argument("--dry-run", action="store_true", help="n’écrit rien")
        parser.add_argument("--json", action="store_true", help="les mêmes chiffres, pour une machine")

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate or rehearse, then print."""
        asked = [self._night_of(cabinet, options["on"]) for cabinet in _firms(options["cabinet"])]
        real = [night for night in asked if not options["dry_run"] and _may_write(night)]
        told: list[Night] = []
        console = night_table.console_for(self.stdout)
        if real:
            self._evaluate(real, quiet=options["json"])
            told = [_read(night) for night in real]
        if options["json"]:
            expected = [_expected(night) for night in asked if night not in real]
            self.stdout.write(json.dumps(night_table.as_json([*told, *expected]), ensure_ascii=False, indent=2))
            return
        if told:
            night_table.show(console, told)
        for night in asked:
            if night not in real:
                night_table.show_expected(console, _expected(night))

    def _night_of(self, cabinet: Cabinet, on: dt.date | None) -> nights.FirmNight:
        now = cabinet.now()
        if on is not None and on != cabinet.today():
            now = dt.datetime.combine(on, cabinet.night_at, tzinfo=cabinet.zone)
        return nights.FirmNight(cabinet=cabinet, on=on or cabinet.today(), now=now)

    def _evaluate(self, asked: list[nights.FirmNight], *, quiet: bool) -> None:
        console = night_table.console_for(self.stderr)
        columns = (TextColumn("Nuit"), BarColumn(), MofNCompleteColumn(), TextColumn("clients"))
        with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
            bar = progress.add_task("nuit", total=None)
            answered = plan_nights.evaluate(
                asked, progress=lambda done, total: progress.update(bar, completed=done, total=total)
            )
        if not answered:
            raise CommandError("Une autre nuit est en cours d’évaluation. Rien n’a été fait : recommencez ensuite.")


def _firms(slug: str | None) -> list[Cabinet]:
    rows = Cabinet.objects.using(nights.SCHEDULER).only(*PLANNER_COLUMNS).order_by("slug")
    found = list(rows.filter(slug=slug) if slug else rows)
    if not found:
        raise CommandError(
            f"Aucun cabinet ne porte l’identifiant « {slug} »." if slug else "Aucun cabinet n’est inscrit."
        )
    return found


def _may_write(night: nights.FirmNight) -> bool:
    return night.cabinet.is_demo or night.on == night.cabinet.today()


def _read(night: nights.FirmNight) -> Night:
    with working_for(cabinet_id=night.cabinet.pk):
        return read_night(cabinet=Cabinet.objects.get(), on=night.on)


def _expected(night: nights.FirmNight) -> Night:
    """Return what a night would answer, for nobody to write."""
    tally = nights.preview(night)
    with working_for(cabinet_id=night.cabinet.pk):
        cabinet = Cabinet.objects.get()
    return Night(
        slug=cabinet.slug,
        firm=cabinet.name,
        on=night.on,
        zone_name=cabinet.zone_name,
        examined=sum(tally.cases.values()),
        is_abnormal=bool(tally.cases[Code.NIGHT_ABNORMAL]),
        held=held_by(tally.cases),
        would_send=tally.messages[Code.SEND],
        would_ask=tally.messages[Code.NEEDS_APPROVAL],
    )


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"« {text} » n’est pas une date : écrivez par exemple {timezone.now():%Y-%m-%d}."
        ) from None
