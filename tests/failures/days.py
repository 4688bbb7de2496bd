"""Let a firm live: nights at 04:30, departures at 10:00, as many days as wanted."""

import datetime as dt
from collections import Counter
from typing import Any
from uuid import UUID

import time_machine

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.models import DunningCase
from dunning.services import dispatch, nights, plan_mail, plan_nights
from invoices.models import Invoice
from invoices.ports import ladder
from tests.factories.invoices import TODAY, make_invoice

NIGHT = dt.time(4, 30)
MORNING = dt.time(10)


def days(number: int) -> dt.timedelta:
    """Return so many days."""
    return dt.timedelta(days=number)


def live(cabinet: Cabinet, *, start: dt.date = TODAY, count: int = 1) -> None:
    """Live these days in full: each night, then each departure, with the payments declared up to date."""
    for number in range(count):
        day = start + days(number)
        declare(cabinet, day)
        night(cabinet, on=day)
        depart(cabinet, on=day)


def declare(cabinet: Cabinet, day: dt.date) -> None:
    """Say that the payments are known up to this day."""
    with working_for(cabinet_id=cabinet.pk):
        Cabinet.objects.update(settlements_declared_on=day)


def night(cabinet: Cabinet, *, on: dt.date = TODAY) -> None:
    """Evaluate whoever is due at this firm's 04:30, as the beat does."""
    moment = at(cabinet, on, NIGHT)
    with time_machine.travel(moment, tick=False):
        plan_nights.evaluate(nights.firms_due(now=moment))


def depart(cabinet: Cabinet, *, on: dt.date = TODAY, time: dt.time = MORNING) -> Counter[str]:
    """Send what is due at this firm's hour, as the sweep does."""
    moment = at(cabinet, on, time)
    with time_machine.travel(moment, tick=False):
        about_plans = plan_mail.due(now=moment).get(cabinet.pk, [])
        if about_plans:
            plan_mail.send_batch(cabinet_id=cabinet.pk, message_ids=about_plans)
        ids = dispatch.due_reminders(now=moment).get(cabinet.pk, [])
        return dispatch.send_batch(cabinet_id=cabinet.pk, reminder_ids=ids)


def at(cabinet: Cabinet, day: dt.date, time: dt.time) -> dt.datetime:
    """Return this hour of the firm's clock."""
    return dt.datetime.combine(day, time, tzinfo=cabinet.zone)


def owe(*, late: int = 4, on: dt.date = TODAY, **facts: Any) -> Invoice:
    """Enter an invoice so many days late that day on its firm's ladder, as importing or typing it does."""
    invoice = make_invoice(due_on=on - days(late), **facts)
    ladder().enter(invoice_ids=[invoice.pk], on=on)
    return invoice


def case_of(invoice_id: UUID) -> DunningCase:
    """Return where an invoice is on the ladder."""
    return DunningCase.objects.get(invoice=invoice_id)
