"""The reporting app."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """See the package's modules."""

    name = "reporting"
    default_auto_field = "django.db.models.BigAutoField"
