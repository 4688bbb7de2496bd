"""The gdpr app."""

from django.apps import AppConfig


class GdprConfig(AppConfig):
    """See the package's modules."""

    name = "gdpr"
    default_auto_field = "django.db.models.BigAutoField"
