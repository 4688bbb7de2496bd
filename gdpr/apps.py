"""The gdpr app."""

from django.apps import AppConfig


class GdprConfig(AppConfig):
    """See the package's modules."""

    name = "gdpr"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the debtor's pages say what the register says; models may only be imported from here on."""
        from gdpr.services.handing_over import RequestCopies  # noqa: PLC0415 - no model before the apps are ready
        from gdpr.services.information import RegisterInformer  # noqa: PLC0415 - no model before the apps are ready
        from payments import ports  # noqa: PLC0415

        ports.register_informer(RegisterInformer())
        ports.register_copies(RequestCopies())
