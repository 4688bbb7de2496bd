"""Which invoices: words that chain."""

import datetime as dt
from typing import Any, Self

from django.db.models import F

from cabinets.scoping import CabinetManager, CabinetQuerySet
from invoices.enums import InvoiceState


class InvoiceQuerySet(CabinetQuerySet[Any]):
    """Invoices of the firm acted for."""

    def with_outstanding(self) -> Self:
        """Annotate what is still owed, in cents, as `owed_cents`."""
        return self.annotate(owed_cents=F("total_cents") - F("credited_cents") - F("settled_cents"))

    def open(self) -> Self:
        """Keep what is to be collected and not yet settled."""
        return self.filter(state=InvoiceState.OPEN, settled_cents__lt=F("total_cents") - F("credited_cents"))

    def overdue(self, *, on: dt.date) -> Self:
        """Keep open invoices whose due date is before this day: the due day itself is not late."""
        return self.open().filter(due_on__lt=on)


class InvoiceManager(CabinetManager[Any]):
    """Scoped to the firm, speaking the words above."""

    def get_queryset(self) -> InvoiceQuerySet:
        """Return the firm's invoices."""
        rows = super().get_queryset()
        return InvoiceQuerySet(model=self.model, query=rows.query, using=self._db)

    def open(self) -> InvoiceQuerySet:
        """Keep what is to be collected."""
        return self.get_queryset().open()

    def overdue(self, *, on: dt.date) -> InvoiceQuerySet:
        """Keep what is late on this day."""
        return self.get_queryset().overdue(on=on)

    def with_outstanding(self) -> InvoiceQuerySet:
        """Annotate what is still owed."""
        return self.get_queryset().with_outstanding()
