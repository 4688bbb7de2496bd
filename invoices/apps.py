"""The invoices app."""

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    """See the package's modules."""

    name = "invoices"
    default_auto_field = "django.db.models.BigAutoField"
