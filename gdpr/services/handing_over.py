"""What a person reads of their request on their own page: why it takes longer, and the copy once answered."""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets import journal
from gdpr.enums import RightsState
from gdpr.models import RightsRequest
from gdpr.services.exporting import EVERYTHING
from invoices.sealed_files import read_sealed
from payments.ports import CopyTold, DelayTold
from payments.services.links import ANSWER_DAYS

# As long as the copy itself is kept (gdpr.services.retention).
WAITS = dt.timedelta(days=ANSWER_DAYS)


class RequestCopies:
    """Answers the debtor's pages with what their requests became, and the copies they were answered with."""

    def delays(self, asked_ids: Collection[UUID]) -> list[DelayTold]:
        """Return those of these requests whose answer was put off, with the reason the firm wrote for its author."""
        rows = RightsRequest.objects.filter(asked__in=list(asked_ids), extended_on__isnull=False)
        return [
            DelayTold(asked_id=row.asked_id, said_on=row.extended_on, due_on=row.due_on, reason=row.extension_reason)
            for row in rows
            if row.asked_id is not None and row.extended_on is not None
        ]

    def waiting(self, asked_ids: Collection[UUID]) -> list[CopyTold]:
        """Return the copies of these requests, the latest first."""
        rows = _waiting().filter(asked__in=list(asked_ids)).order_by("-answered_at")
        return [
            CopyTold(asked_id=row.asked_id, size=row.size or 0, made_on=row.answered_at.date())
            for row in rows
            if row.asked_id is not None and row.answered_at is not None
        ]

    @transaction.atomic
    def read(self, asked_id: UUID) -> bytes | None:
        """Return the copy of a request; None when it no longer waits."""
        row = _waiting().filter(asked=asked_id).first()
        if row is None:
            return None
        content = read_sealed(row.stored_as, bound_to=row.bound_to("file"))
        journal.record("rightsrequest.fetched", row)
        return content


def _waiting() -> QuerySet[RightsRequest]:
    return RightsRequest.objects.filter(
        claim__in=EVERYTHING,
        state__in=(RightsState.GRANTED, RightsState.PARTLY),
        answered_at__gt=timezone.now() - WAITS,
    ).exclude(stored_as="")
