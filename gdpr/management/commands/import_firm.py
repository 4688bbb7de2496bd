"""Bring a firm in from the archive of another installation: an operator's act."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cabinets.models import User
from gdpr.errors import GdprError
from gdpr.services import firm_import


class Command(BaseCommand):
    """Checks the archive whole before it writes anything; a firm that is here already is refused."""

    help = "Bring a firm in from its archive; all of it, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the archive, who brings it in, and the digest its page shows."""
        parser.add_argument("archive", type=Path)
        parser.add_argument("--operator", required=True, metavar="EMAIL", help="who answers for it")
        parser.add_argument("--sha256", default="", help="the digest shown where the archive was made")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring it in, and say what remains to be done by hand."""
        operator = User.objects.filter(email=options["operator"].strip().lower(), is_staff=True).first()
        if operator is None:
            raise CommandError("Cette adresse n’est pas celle d’un exploitant. Rien n’a été importé.")
        if not options["archive"].is_file():
            raise CommandError("Cette archive n’existe pas. Rien n’a été importé.")
        try:
            found = firm_import.bring_in(options["archive"], operator=operator, digest=options["sha256"])
        except GdprError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{found.name} : {found.rows} lignes et {found.files} fichiers importés, {found.links} maillons de preuve "
            "vérifiés.\n"
            "Rien ne part tant qu’un associé n’a pas activé les envois. Il reste à faire :\n"
            "  - chacun demande un nouveau mot de passe à la page de connexion, puis règle son second facteur ;\n"
            "  - un associé saisit de nouveau le serveur d’envoi, la boîte de réponses et les clés des prestataires ;\n"
            "  - un associé relit les réglages du cabinet, puis active les envois."
        )
