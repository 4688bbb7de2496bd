"""Migrate as the owner, then make the walls between firms those of the models."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections, transaction
from django.utils import timezone

from cabinets import segments, wall


class Command(migrate.Command):
    """Nobody can migrate without rebuilding the walls."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Run on the owner's alias unless told otherwise."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then build the wall in one transaction."""
        options["database"] = "owner"
        super().handle(*args, **options)
        if not options.get("plan") and not options.get("check_unapplied"):
            with transaction.atomic(using="owner"):
                today = timezone.now().date()
                segments.make_segments(connections["owner"], on=today)
                segments.drop_segments(connections["owner"], on=today)
                wall.build(connections["owner"])
