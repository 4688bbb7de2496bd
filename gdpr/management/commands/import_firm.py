"""Bring a firm in from the archive of another installation: an operator's act."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cabinets.models import Invitation, User
from cabinets.services import people, sign_in
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
            f"{found.name} : {found.rows} lignes et {found.files} fichiers importés, {found.links} maillons de preuve "
            "vérifiés.\n"
            "Rien ne part tant qu’un associé n’a pas activé les envois. Il reste à faire :\n"
            "  - chacun choisit un mot de passe, puis règle son second facteur : par « Mot de passe oublié », ou\n"
            f"    par ces liens à remettre aux associés, valables une heure :\n{_links(found.owners)}"
            f"{_invitations(found.invited)}"
            "  - un associé saisit de nouveau le serveur d’envoi, la boîte de réponses et les clés des prestataires ;\n"
            "  - un associé relit les réglages du cabinet, puis active les envois."
        )


def _invitations(offers: Sequence[Invitation]) -> str:
    if not offers:
        return ""
    told = "".join(f"      {offer.email} {people.link_of(invitation_id=offer.pk)}\n" for offer in offers)
    return f"  - ces personnes ont déjà un compte ici : chacune accepte sa place par ce lien, valable 7 jours :\n{told}"


def _links(owners: Sequence[User]) -> str:
    return "".join(f"      {person.email} {sign_in.password_link(user=person)}\n" for person in owners)
