"""The dunning app."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    """See the package's modules."""

    name = "dunning"
    default_auto_field = "django.db.models.BigAutoField"
