"""Seed the three firms of the demonstration, play their night, and say how to sign in."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from config.demo import story
from config.demo.days import PARIS, demo_day
from config.demo.firms import FIRMS, PASSWORD
from config.demo.mailbox import a_mailbox
from config.demo.signing_in import enrol_everybody, everybody_is_enrolled
from dunning.management import night_table
from dunning.services.nights import SCHEDULER
from dunning.services.reporting_night import Night, read_night


class Command(BaseCommand):
    """Makes the demonstration on an empty installation; on later starts, brings it to the last working day."""

    help = "Installe les trois cabinets de démonstration, joue leur nuit et dit comment se connecter."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do where firms exist already."""
        parser.add_argument(
            "--if-empty", action="store_true", help="où il y a déjà des cabinets, n’en ajoute aucun et ne se plaint pas"
        )
        parser.add_argument(
            "--on", type=dt.date.fromisoformat, metavar="AAAA-MM-JJ", help="comme si l’on était ce jour"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed where nothing is, else only move on."""
        console = night_table.console_for(self.stdout)
        today = options["on"] or timezone.now().astimezone(PARIS).date()
        known = list(Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS))
        if known and all(cabinet.is_demo for cabinet in known) and not everybody_is_enrolled():
            console.print("\n  La démonstration avait été interrompue avant sa fin : elle est refaite.")
            story.forget()
            known = []
        if not known:
            self._make(console, demo_day(today))
        elif options["if_empty"]:
            self._move_on(console, demo_day(today))
        else:
            raise CommandError(
                "Des cabinets existent déjà. Rien n’a été changé. Pour une démonstration neuve, arrêtez Quittance et "
                "donnez-lui un autre dossier par QUITTANCE_VAR."
            )

    def _make(self, console: Console, demo_on: dt.date) -> None:
        console.print(
            f"\n[bold]Démonstration[/bold] · nous sommes le {night_table.day_words(demo_on)}. "
            "Noms, montants et adresses sont inventés."
        )
        with a_mailbox(), _bar(console) as progress:
            told = progress.add_task("Six semaines d’activité de trois cabinets, jour par jour", total=None)
            story.tell(demo_on=demo_on, progress=_into(progress, told))
            enrol_everybody()
            planned = progress.add_task("Planification de la nuit, 4 h 30", total=None)
            story.play_tonight(progress=_into(progress, planned))
            sent = progress.add_task("Départ des messages, 10 h", total=None)
            story.send_what_departs(progress=_into(progress, sent))
            story.seal_the_journals()
        night_table.show(console, _nights())
        _say_where(console)

    def _move_on(self, console: Console, demo_on: dt.date) -> None:
        if not story.demo_cabinets():
            return
        if story.move_to(demo_on):
            console.print(f"  La démonstration passe au {night_table.day_words(demo_on)}.")
        story.play_tonight()
        story.seal_the_journals()
        _say_where(console)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _into(progress: Progress, task: Any) -> story.Progress:
    return lambda done, total: progress.update(task, completed=done, total=total)


def _nights() -> list[Night]:
    nights = []
    for cabinet in story.demo_cabinets():
        with working_for(cabinet_id=cabinet.pk):
            nights.append(read_night(cabinet=cabinet, on=cabinet.today()))
    return nights


def _say_where(console: Console) -> None:
    firm = FIRMS[0]
    rows = Table.grid(padding=(0, 2))
    rows.add_row("Adresse", f"[bold]{settings.SITE_URL}/[/bold]")
    rows.add_row("Personne", f"Maître {firm.owner.first_name} {firm.owner.last_name}, {firm.name}")
    rows.add_row("E-mail", firm.owner.email(firm.domain))
    rows.add_row("Mot de passe", PASSWORD)
    rows.add_row("Code", ".venv/bin/python manage.py demo_code")
    rows.add_row("Messages reçus", f"{settings.SITE_URL}/demonstration/messages/")
    console.print()
    console.print(Panel(rows, title="Se connecter à la démonstration", expand=False))
