"""The floor."""

from importlib import import_module

from django.apps import AppConfig

from cabinets import ports


class CabinetsConfig(AppConfig):
    """Firms, people, rights, scope, clients, dossiers, journal."""

    name = "cabinets"
    verbose_name = "Cabinets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let what is sealed anew about an archived client bring them back, and mails be written by who knows."""
        ports.register_archivist(import_module("cabinets.services.archive"))
        for start, writer in (("iban_", "bank_account"), ("partner_", "partner_mails"), ("support_", "support")):
            ports.register_writer(start, import_module(f"cabinets.services.{writer}").told)
