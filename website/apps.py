"""The website app."""

from django.apps import AppConfig


class WebsiteConfig(AppConfig):
    """See the package's modules."""

    name = "website"
    default_auto_field = "django.db.models.BigAutoField"
