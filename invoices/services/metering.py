"""How many invoices a firm had followed: what its offer is sold by."""

import datetime as dt

from django.db.models import Q

from cabinets.scoping import whole_firm
from invoices.models import Invoice


class FollowedInvoices:
    """Counts the invoices that were still to pay on at least a day since another; the meter of the floor."""

    def followed(self, *, since: dt.date) -> int:
        """Return the invoices open now, and those whose last payment came since that day."""
        with whole_firm():
            open_now = Q(pk__in=Invoice.objects.open().values("pk"))
            return int(Invoice.objects.filter(open_now | Q(last_payment_at__date__gte=since)).count())
