"""Print the code of a demonstration's person: the demonstration has no telephone."""

import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from cabinets.models import Membership, TotpDevice, User
from cabinets.scoping import working_for
from cabinets.services import second_factor
from cabinets.services.firm import every_firm


class Command(BaseCommand):
    """For people of demonstration firms only: anybody else's code is theirs."""

    help = "Print the current sign-in code of a demonstration's person."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --email."""
        parser.add_argument("--email", help="whose code; by default the first partner of the first demonstration")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the person, refuse who is not of a demonstration, print."""
        demos = {cabinet_id for cabinet_id, _ in every_firm(demo_only=True)}
        person = self._named(options["email"], demos) if options["email"] else self._first()
        try:
            code, wait = second_factor.code_of(user=person, now=time.time())
        except TotpDevice.DoesNotExist as error:
            raise CommandError(f"{person.email} n’a pas encore d’application : connectez-vous une fois.") from error
        late = f" (le précédent a servi : celui-ci est accepté dans {wait} s)" if wait else ""
        self.stdout.write(f"{person.email} : {code}{late}")

    def _named(self, email: str, demos: set[UUID]) -> User:
        person = User.objects.filter(email=email.strip().lower()).first()
        if person is None or person.is_staff or not (places := _firms_of(person)) or places - demos:
            raise CommandError(
                "Cette personne n’est pas d’un cabinet de démonstration : son code n’appartient qu’à elle."
            )
        return person

    def _first(self) -> User:
        for cabinet_id, _ in every_firm(demo_only=True):
            with working_for(cabinet_id=cabinet_id):
                members = Membership.objects.filter(is_active=True, role="owner").select_related("user")
                if member := members.order_by("joined_at", "pk").first():
                    return member.user
        raise CommandError("Aucun cabinet de démonstration n’existe ici.")


def _firms_of(person: User) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cabinet_id FROM quittance_memberships(%s)", [person.pk])
        return {UUID(str(row[0])) for row in cursor.fetchall()}
