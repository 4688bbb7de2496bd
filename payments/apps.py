"""The payments app."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """See the package's modules."""

    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
