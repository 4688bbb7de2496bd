"""The payments app."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from cabinets import ports as floor
from invoices import ports


class PaymentsConfig(AppConfig):
    """What came in; it tells the floor of what is owed on which day."""

    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend the days of payments, follow what is left, open the way to providers; models exist only now."""
        ports.register_receipts(import_string("payments.services.receipts.DatedReceipts")())
        ports.register_balances(import_string("payments.services.balances.FollowedBalances")())
        floor.register_writer("collection_", import_string("payments.services.collection_mails.told"))
        client_of = import_string("payments.services.provider_accounts.client_of")
        import_string("payments.services.roads.register")(client_of)
