"""Make an operator of the platform: a person of no firm, who sets up a second factor at the first sign-in."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from cabinets.models import User


class Command(BaseCommand):
    """The password is typed, or read from standard input; it is never an argument others could list."""

    help = "Create an operator of the platform; the password is asked, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address."""
        parser.add_argument("--email", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the operator, or refuse an address or a password that will not do."""
        email = options["email"].strip().lower()
        password = getpass.getpass("Mot de passe : ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_email(email)
            validate_password(password, User(email=email))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if User.objects.filter(email=email).exists():
            raise CommandError("Cette adresse est déjà utilisée. Rien n’a été créé.")
        User.objects.create_superuser(email, password)
        self.stdout.write(f"Exploitant créé : {email}. Le second facteur se règle à la première connexion.")
