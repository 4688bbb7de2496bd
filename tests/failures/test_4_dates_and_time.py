"""Dates and time (failures F39–F46)."""

import datetime as dt

import pytest
import time_machine

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.territories import Territory, zone_of
from dunning.models import Decision, Reminder
from dunning.services import dispatch, nights
from dunning.window import next_opening
from tests.factories.cabinets import make_cabinet, make_client
from tests.factories.invoices import TODAY, make_invoice
from tests.failures.conftest import Mailbox, give_server
from tests.failures.days import at, days, depart, live, night, owe

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

PLACES = [Territory.METROPOLE, Territory.MARTINIQUE, Territory.REUNION]


def firm_of(place: Territory, mailbox: Mailbox) -> Cabinet:
    cabinet = make_cabinet(territory=place, zone_name=zone_of(place).key)
    give_server(cabinet, mailbox)
    return cabinet


@pytest.mark.parametrize("place", PLACES)
def test_f39_prints_the_due_date_of_the_invoice_in_every_zone(
    mailbox: Mailbox, committed: None, place: Territory
) -> None:
    firm = firm_of(place, mailbox)
    with working_for(cabinet_id=firm.pk):
        owe(late=3, client=make_client(territory=place))

    live(firm)

    assert ["21 novembre 2026" in text for text in mailbox.texts] == [True]


@pytest.mark.parametrize(
    ("day", "opening"),
    [
        (dt.date(2026, 10, 23), dt.datetime(2026, 10, 23, 7, tzinfo=dt.UTC)),  # summer time
        (dt.date(2026, 10, 25), dt.datetime(2026, 10, 26, 8, tzinfo=dt.UTC)),  # the night it ends
        (dt.date(2026, 3, 27), dt.datetime(2026, 3, 27, 8, tzinfo=dt.UTC)),  # winter time
        (dt.date(2026, 3, 29), dt.datetime(2026, 3, 30, 7, tzinfo=dt.UTC)),  # the night it ends
    ],
)
def test_f41_departures_keep_their_hour_when_the_clocks_change(day: dt.date, opening: dt.datetime) -> None:
    zone = zone_of(Territory.METROPOLE)
    after = dt.datetime.combine(day, dt.time(4, 30), tzinfo=zone)

    assert next_opening(after, zone=zone, territory=Territory.METROPOLE) == opening


def test_f42_a_message_leaves_in_the_hours_of_the_client(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe(client=make_client(territory=Territory.MARTINIQUE))
        owe(client=make_client(territory=Territory.REUNION))

    night(firm)

    with working_for(cabinet_id=firm.pk):
        departures = {one.client.territory: one.depart_at for one in Reminder.objects.select_related("client")}
    assert departures == {
        # 04:30 in Nantes is 07:30 in Saint-Denis and 23:30 the day before in Fort-de-France.
        Territory.REUNION: dt.datetime(2026, 11, 24, 5, tzinfo=dt.UTC),
        Territory.MARTINIQUE: dt.datetime(2026, 11, 24, 13, tzinfo=dt.UTC),
    }
    assert depart(firm, time=dt.time(13, 59)) == {"accepted": 1}
    assert depart(firm, time=dt.time(14)) == {"accepted": 1}


def test_f43_the_hour_of_the_night_is_not_the_hour_of_the_messages(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    night(firm)

    for early in (dt.time(4, 30), dt.time(6), dt.time(8, 59)):
        assert depart(firm, time=early) == {}
    assert depart(firm, time=dt.time(9)) == {"accepted": 1}


def test_f43_a_reminder_handed_to_a_sender_at_night_waits_for_the_day(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        owe()
    night(firm)
    with working_for(cabinet_id=firm.pk):
        Reminder.objects.update(depart_at=at(firm, TODAY, dt.time(1)))

    assert depart(firm, time=dt.time(4)) == {"left": 1}

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().depart_at == at(firm, TODAY, dt.time(9))


@pytest.mark.parametrize(
    ("place", "instant", "day"),
    [
        (Territory.METROPOLE, dt.datetime(2026, 11, 24, 22, 59, tzinfo=dt.UTC), dt.date(2026, 11, 24)),
        (Territory.METROPOLE, dt.datetime(2026, 11, 24, 23, 0, tzinfo=dt.UTC), dt.date(2026, 11, 25)),
        (Territory.MARTINIQUE, dt.datetime(2026, 11, 25, 3, 59, tzinfo=dt.UTC), dt.date(2026, 11, 24)),
        (Territory.REUNION, dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC), dt.date(2026, 11, 25)),
    ],
)
def test_f45_the_day_is_the_firms(place: Territory, instant: dt.datetime, day: dt.date) -> None:
    cabinet = make_cabinet(territory=place, zone_name=zone_of(place).key)
    with working_for(cabinet_id=cabinet.pk), time_machine.travel(instant, tick=False):
        invoice = make_invoice(due_on=dt.date(2026, 11, 24))

        assert (cabinet.today(), invoice.days_late(on=cabinet.today())) == (day, (day - invoice.due_on).days)


def test_f45_an_invoice_is_not_late_on_its_due_day(firm: Cabinet, mailbox: Mailbox) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=0)
        assert invoice.days_late(on=TODAY) == 0

    live(firm, count=3)

    assert mailbox.caught == []
    with working_for(cabinet_id=firm.pk):
        assert Decision.objects.count() == 0


@pytest.mark.parametrize(
    ("night_of", "leaves_on"),
    [
        (dt.date(2026, 11, 28), dt.date(2026, 11, 30)),  # a Saturday
        (dt.date(2026, 12, 25), dt.date(2026, 12, 28)),  # Christmas, a Friday
        (dt.date(2026, 11, 11), dt.date(2026, 11, 12)),  # the Armistice
    ],
)
def test_f46_nothing_leaves_on_a_week_end_nor_on_a_holiday(
    firm: Cabinet, mailbox: Mailbox, night_of: dt.date, leaves_on: dt.date
) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owe(late=3, on=night_of)

    day = night_of
    while day <= leaves_on:
        assert mailbox.caught == []
        live(firm, start=day)
        day += days(1)

    with working_for(cabinet_id=firm.pk):
        sent = Reminder.objects.get()
        assert (sent.spoken_on, sent.client_id) == (leaves_on, invoice.client_id)


def test_f46_the_holidays_are_the_clients(firm: Cabinet) -> None:
    boxing_day = dt.date(2026, 4, 3)  # Good Friday, a holiday in Alsace-Moselle alone
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(settlements_declared_on=boxing_day)
        owe(late=3, on=boxing_day, client=make_client(territory=Territory.ALSACE_MOSELLE))
        owe(late=3, on=boxing_day, client=make_client(territory=Territory.METROPOLE))

    night(firm, on=boxing_day)

    with working_for(cabinet_id=firm.pk):
        departures = sorted(one.depart_at.date() for one in Reminder.objects.all())
    assert departures == [boxing_day, dt.date(2026, 4, 7)]


def test_f46_a_firm_has_its_own_night_and_only_one(mailbox: Mailbox, committed: None) -> None:
    far = firm_of(Territory.REUNION, mailbox)
    near = firm_of(Territory.METROPOLE, mailbox)
    instant = dt.datetime(2026, 11, 24, 0, 30, tzinfo=dt.UTC)  # 04:30 in Saint-Denis, 01:30 in Nantes

    with time_machine.travel(instant, tick=False):
        due = nights.firms_due(now=instant)
        nights.evaluate(due)

        assert [one.cabinet.pk for one in due] == [far.pk]
        assert nights.firms_due(now=instant) == []
    assert near.pk != far.pk
    assert dispatch.due_reminders(now=instant) == {}
