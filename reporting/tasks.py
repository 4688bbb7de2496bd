"""After the night, keep the figures of the day that ended; after the month, write to who asked for them."""

import datetime as dt

from celery import shared_task
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from dunning.services.nights import SCHEDULER
from reporting import monthly, snapshots

# By then the night has decided, by the firm's own clock.
NOT_BEFORE = dt.time(4)


@shared_task(name="reporting.tasks.keep_figures")
def keep_figures() -> None:
    """Every hour: keep yesterday's figures of the firms where the night is over; a firm already done is skipped."""
    now = timezone.now()
    for known in Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS):
        local = (known.now() if known.is_demo else now).astimezone(known.zone)
        if local.time() < NOT_BEFORE:
            continue
        with working_for(cabinet_id=known.pk):
            snapshots.catch_up(cabinet=Cabinet.objects.get())


@shared_task(name="reporting.tasks.write_monthly_mails")
def write_monthly_mails() -> None:
    """Every hour: ask for the mails of last month in the firms where a month has just begun."""
    for cabinet_id in monthly.firms_due(now=timezone.now()):
        monthly.write(cabinet_id=cabinet_id)
