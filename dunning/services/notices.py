"""Formal notices as the floor of what is owed needs them: the day each was first presented."""

import datetime as dt
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Min

from dunning.enums import LetterState, Tone
from dunning.models import Letter, ReminderLine


class PresentedNotices:
    """Registered letters of the formal tone that reached an address, claimed or not by whoever lives there (R42)."""

    def presented(self, *, invoice_ids: Collection[UUID]) -> Mapping[UUID, dt.date]:
        """Return the first presentation of a formal notice that claimed each of these invoices."""
        letters = Letter.objects.filter(
            is_registered=True, presented_on__isnull=False, reminder__step__tone=Tone.FORMAL
        ).exclude(state__in=[LetterState.RETURNED, LetterState.VOID])
        lines = ReminderLine.objects.filter(
            invoice__in=list(invoice_ids), is_claimed=True, reminder__letter__in=letters.values("pk")
        )
        return dict(lines.values_list("invoice").annotate(Min("reminder__letter__presented_on")))
