"""Wrap every key again under the newest key-encryption key; or seal a firm's values again with new keys."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cabinets.services import keys
from cabinets.services.firm import every_firm


class Command(BaseCommand):
    """Run once a new key wraps (a version of the ring, of the service, or the other of both); then the old may go."""

    help = "Wrap every data key and second factor under the newest key; --reseal SLUG gives a firm new data keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --reseal SLUG."""
        parser.add_argument("--reseal", metavar="SLUG", help="give this firm new data keys and seal its rows again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk the firms, then the second factors; then reseal the one that was named."""
        firms = every_firm()
        wanted = [cabinet_id for cabinet_id, slug in firms if slug == options["reseal"]]
        if options["reseal"] and not wanted:
            raise CommandError(f"no firm is named {options['reseal']!r}; nothing was changed")
        for cabinet_id, slug in firms:
            self.stdout.write(f"{slug}: {keys.rewrap_keys(cabinet_id=cabinet_id)} keys wrapped again")
        self.stdout.write(f"second factors: {keys.rewrap_seeds()} sealed again")
        for cabinet_id in wanted:
            self.stdout.write(f"{options['reseal']}: {keys.reseal(cabinet_id=cabinet_id)} rows sealed again")
