"""The engine: what is said, when, and the proof of it."""

from django.apps import AppConfig


class DunningConfig(AppConfig):
    """Registers the real ladder with the invoices' floor."""

    name = "dunning"
    verbose_name = "Relances"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make facts reach the engine; models may only be imported from here on."""
        from dunning.services.ladder import Engine  # noqa: PLC0415 - no model can be imported before the apps are ready
        from dunning.services.notices import PresentedNotices  # noqa: PLC0415
        from dunning.tasks import LinkCourier  # noqa: PLC0415
        from invoices import ports  # noqa: PLC0415
        from payments import ports as payment_ports  # noqa: PLC0415

        payment_ports.register(LinkCourier())
        ports.register(Engine())
        ports.register_notices(PresentedNotices())
