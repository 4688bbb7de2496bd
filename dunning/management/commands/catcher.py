"""Run the mail catcher of the demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dunning.channels import catcher


class Command(BaseCommand):
    """Take the e-mails of demo firms until told to stop."""

    help = "Takes the e-mails of demo firms at DEMO_CATCHER (host:port) and keeps them in var/catcher."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen where DEMO_CATCHER says."""
        host, _, port = settings.DEMO_CATCHER.rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError("DEMO_CATCHER ne dit pas où écouter\u00a0: écrivez par exemple 127.0.0.1:2525.")
        try:
            catcher.serve(host=host, port=int(port), directory=settings.VAR / "catcher")
        except (OSError, ValueError) as error:
            where = settings.DEMO_CATCHER
            raise CommandError(f"La boîte de démonstration ne peut pas ouvrir {where}\u00a0: {error}") from error
