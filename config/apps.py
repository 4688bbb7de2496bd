"""The config app."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from config.logging import Reader


class ConfigConfig(AppConfig):
    """See the package's modules."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the logs how to know the firm acted for; the floor cannot be imported before the apps are."""
        Reader.cabinet = staticmethod(import_string("cabinets.scoping.acted_for"))
