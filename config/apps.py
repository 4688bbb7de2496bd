"""The config app."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class ConfigConfig(AppConfig):
    """Joins the shell to the floors once their models are loaded."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Wire; by name, because models cannot be imported before every app is known."""
        import_string("config.wiring.wire")()
