"""The invoices app."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from cabinets import ports


class InvoicesConfig(AppConfig):
    """What is owed follows the clients and dossiers of the floor."""

    name = "invoices"
    verbose_name = "Factures"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the changes of clients and dossiers, and count for the offer; models exist only now."""
        ports.register(import_string("invoices.services.following.InvoiceFollower")())
        ports.register_meter(import_string("invoices.services.metering.FollowedInvoices")())
