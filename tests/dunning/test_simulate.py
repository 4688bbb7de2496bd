"""The coming weeks, lived in advance: what they say is what the real days do, and nothing of them stays."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, current_scope, tenant_atomic, working_for
from cabinets.wall import walled_models
from dunning.enums import Code, Reason, ReminderState, Tone
from dunning.models import MailServer, Reminder
from dunning.services import simulate as simulating
from dunning.services.simulate import simulate
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.ports import ladder
from tests.dunning.worlds import draw_firm
from tests.factories.cabinets import make_cabinet, make_client
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.failures.days import days, declare, depart, night
from tests.mail_sink import SmtpSink


def fingerprint() -> dict[str, str]:
    """Return what every table holds, evidence and journal included."""
    found = {}
    with connection.cursor() as cursor:
        for table in [model._meta.db_table for model in walled_models()] + ["cabinets_cabinet"]:
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t")
            found[table] = str(cursor.fetchone()[0])
    return found


def owe(*, late: int, **facts: Any) -> None:
    invoice = make_invoice(due_on=TODAY - days(late), **facts)
    ladder().enter(invoice_ids=[invoice.pk], on=TODAY)


def test_lives_the_whole_ladder_of_one_invoice(cabinet: Cabinet) -> None:
    owe(late=3)

    forecast = simulate(cabinet=cabinet, days=45)

    assert [(one.on, one.offset_days) for one in forecast.departures] == [
        (TODAY, 3),
        (TODAY + days(7), 10),
        (dt.date(2026, 12, 21), 30),
        (dt.date(2027, 1, 5), 45),
    ]
    assert {Reason.FORMAL, Reason.NO_ANSWER} <= set(forecast.departures[-1].reasons)
    assert forecast.departures[-1].tone == Tone.FORMAL


@pytest.mark.parametrize("seed", [3, 11])
def test_leaves_no_row_behind_in_any_table(cabinet: Cabinet, seed: int) -> None:
    draw_firm(cabinet, seed=seed, clients=12)
    keys, before = dict(current_scope().keys), fingerprint()

    forecast = simulate(cabinet=cabinet, days=14)

    assert len(forecast.departures) > 0
    assert fingerprint() == before
    assert current_scope().keys == keys


def test_leaves_no_row_behind_when_it_breaks(cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    owe(late=3)
    before = fingerprint()
    monkeypatch.setattr(simulating, "companions_of", lambda *args, **kwargs: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        simulate(cabinet=cabinet, days=14)

    assert fingerprint() == before


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_says_what_the_real_days_then_do() -> None:
    with SmtpSink() as sink:
        firm = make_cabinet()
        with working_for(cabinet_id=firm.pk):
            MailServer(host=sink.host, port=sink.port, security="none", sender=firm.email).save(force_insert=True)
            for late in (3, 5, 12):
                owe(late=late)
            owe(late=4, client=make_client(has_email=False))
            owe(late=4, client=make_client(is_never_reminded=True))
        with acting_for(cabinet_id=firm.pk), tenant_atomic():
            foreseen = simulate(cabinet=firm, days=9, gives_accords=False)

        for number in range(9):
            declare(firm, TODAY + days(number))
            night(firm, on=TODAY + days(number))
            depart(firm, on=TODAY + days(number))

        with working_for(cabinet_id=firm.pk):
            said = Reminder.objects.filter(state=ReminderState.ACCEPTED, accompanies=None)
            lived = set(said.values_list("spoken_on", "client_id", "step__offset_days"))
        assert {(one.on, one.client_id, one.offset_days) for one in foreseen.departures} == lived
        assert len(lived) == 4


def test_says_what_is_held_and_by_which_rule(cabinet: Cabinet) -> None:
    silent = make_client(is_never_reminded=True)
    owe(late=4, client=silent)
    invoice = make_case(invoice=make_invoice(due_on=TODAY - days(4))).invoice
    Standstill(kind=StopKind.HOLD, invoice=invoice, until_on=TODAY + days(5)).save(force_insert=True)

    forecast = simulate(cabinet=cabinet, days=14)

    assert simulating.by_code(forecast.held) == [(Code.NEVER, 1), (Code.HOLD, 1)]
    assert [(one.on, one.invoice_ids) for one in forecast.departures] == [
        (TODAY + days(6), (invoice.pk,)), (TODAY + days(13), (invoice.pk,)),
    ]  # fmt: skip


def test_without_accords_what_waits_keeps_waiting(cabinet: Cabinet) -> None:
    owe(late=4, client=make_client(is_strategic=True))

    given, refused = (simulate(cabinet=cabinet, days=14, gives_accords=given) for given in (True, False))

    assert [one.reasons for one in given.departures] == [(Reason.STRATEGIC,), (Reason.STRATEGIC,)]
    assert (refused.departures, len(refused.waiting)) == ((), 1)


def test_counts_a_new_firms_first_fourteen_days_as_days_of_accord(cabinet: Cabinet) -> None:
    Cabinet.objects.update(activated_on=None)
    cabinet.refresh_from_db()
    owe(late=3)

    forecast = simulate(cabinet=cabinet, days=30)

    assert [Reason.NEW_FIRM in one.reasons for one in forecast.departures] == [True, True, False]
    cabinet.refresh_from_db()
    assert cabinet.activated_on is None


def test_keeps_to_the_daily_cap_and_to_the_days_of_sending(cabinet: Cabinet) -> None:
    Cabinet.objects.update(daily_cap=1)
    cabinet.refresh_from_db()
    for _ in range(3):
        owe(late=0)

    forecast = simulate(cabinet=cabinet, days=10)

    assert [one.on for one in forecast.departures] == [
        dt.date(2026, 11, 27), dt.date(2026, 11, 30), dt.date(2026, 12, 1),
    ]  # fmt: skip


def test_takes_into_account_what_is_ready_already(cabinet: Cabinet) -> None:
    make_reminder(make_case(invoice=make_invoice(due_on=TODAY - days(3))))

    forecast = simulate(cabinet=cabinet, days=9)

    assert [(one.on, one.offset_days) for one in forecast.departures] == [(TODAY, 3), (TODAY + days(7), 10)]


def test_tells_a_night_out_of_the_ordinary(cabinet: Cabinet) -> None:
    for _ in range(21):
        owe(late=3)

    forecast = simulate(cabinet=cabinet, days=2)

    assert (len(forecast.departures), forecast.unusual_on) == (21, (TODAY,))


def test_looks_at_so_many_cases_and_says_so(cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "MOST_CASES", 2)
    for late in (5, 4, 3):
        owe(late=late)

    forecast = simulate(cabinet=cabinet, days=1)

    assert (len(forecast.departures), forecast.looked_at, forecast.in_time) == (2, 2, 3)
