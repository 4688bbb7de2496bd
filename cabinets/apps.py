"""The floor."""

from django.apps import AppConfig


class CabinetsConfig(AppConfig):
    """Firms, people, rights, scope, clients, dossiers, journal."""

    name = "cabinets"
    verbose_name = "Cabinets"
    default_auto_field = "django.db.models.BigAutoField"
