"""The gdpr app."""

from django.apps import AppConfig


class GdprConfig(AppConfig):
    """See the package's modules."""

    name = "gdpr"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the pages below say what is known here; models may only be imported from here on."""
        from cabinets import ports as floor  # noqa: PLC0415
        from gdpr.services import centre  # noqa: PLC0415 - no model before the apps are ready
        from gdpr.services.handing_over import RequestCopies  # noqa: PLC0415 - no model before the apps are ready
        from gdpr.services.information import RegisterInformer  # noqa: PLC0415 - no model before the apps are ready
        from payments import ports  # noqa: PLC0415

        ports.register_informer(RegisterInformer())
        ports.register_copies(RequestCopies())
        floor.register_trainer(centre)
