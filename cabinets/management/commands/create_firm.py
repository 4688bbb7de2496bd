"""Open a firm and invite its first partner."""

from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils.text import slugify

from cabinets.services import people


class Command(BaseCommand):
    """The firm speaks to nobody until it is activated."""

    help = "Create a firm and print the invitation of its first partner."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the firm's name and the partner's address."""
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--slug")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the firm and the offer together."""
        slug = options["slug"] or slugify(options["name"])
        try:
            offer = people.open_firm(cabinet_id=uuid4(), name=options["name"], slug=slug, owner=options["owner"])
        except IntegrityError as error:
            raise CommandError(f"Un cabinet porte déjà l’identifiant {slug} : choisissez-en un avec --slug.") from error
        self.stdout.write(
            f"{options['name']} : invitation à transmettre, valable 7 jours\n{people.link_of(invitation_id=offer.pk)}"
        )
