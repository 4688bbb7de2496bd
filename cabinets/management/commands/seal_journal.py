"""Seal the finished months of every firm's journal, or verify the seals."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.services import journal_seals
from cabinets.services.firm import every_firm


class Command(BaseCommand):
    """One head per finished month; `--verify` names the months that no longer match."""

    help = "Seal the finished months of every firm's journal; --verify recomputes the seals."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --verify."""
        parser.add_argument("--verify", action="store_true", help="recompute every seal and fail when one differs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk the firms one by one."""
        different = []
        for cabinet_id, slug in every_firm():
            with working_for(cabinet_id=cabinet_id):
                on = journal_seals.sealing_day(Cabinet.objects.get())
                if options["verify"]:
                    months = journal_seals.months_that_differ(on=on)
                    different += [f"{slug} {month:%Y-%m}" for month in months]
                else:
                    months = journal_seals.seal_finished_months(on=on)
                    self.stdout.write(f"{slug}: {len(months)} sealed")
        if different:
            raise CommandError(f"these months are not what was sealed: {', '.join(different)}")
        if options["verify"]:
            self.stdout.write("every seal matches")
