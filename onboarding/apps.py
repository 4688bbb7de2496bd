"""The onboarding app."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """See the package's modules."""

    name = "onboarding"
    default_auto_field = "django.db.models.BigAutoField"
