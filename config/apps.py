"""The config app."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """See the package's modules."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"
