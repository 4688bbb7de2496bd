"""Alarms before the end of limitation: each is heard once, a missed night rings the next."""

import datetime as dt
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

from cabinets.enums import ClientKind, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.scoping import working_for
from invoices import tasks
from invoices.enums import InvoiceState
from invoices.errors import InvoiceError
from invoices.law.limitation import Nature
from invoices.models import Invoice, LimitationEvent
from invoices.services import limitation
from invoices.services.chores import close_chores
from tests.factories.cabinets import make_cabinet, make_dossier, make_member
from tests.factories.invoices import make_invoice

D = dt.date
# A consumer's mission ended on 15 March 2024: the last day is Sunday 15 March 2026, act by the Friday before.
ENDED = D(2024, 3, 15)


def owe(kind: ClientKind = ClientKind.CONSUMER, *, ended: dt.date | None = ENDED, **facts: Any) -> Invoice:
    return make_invoice(dossier=make_dossier(kind=kind, mandate_ended_on=ended), due_on=D(2024, 4, 30), **facts)


def ring(on: dt.date) -> int:
    with time_machine.travel(dt.datetime.combine(on, dt.time(6), tzinfo=dt.UTC), tick=False):
        return limitation.ring(on=on)


def test_each_alarm_is_heard_once(cabinet: Cabinet) -> None:
    invoice = owe()

    heard = []
    for offset in range(-3, 200):
        day = D(2025, 9, 15) + dt.timedelta(days=offset)
        if ring(day):
            heard.append(day)
            close_chores(subject_id=invoice.pk)

    assert heard == [D(2025, 9, 15), D(2025, 12, 15), D(2026, 2, 15), D(2026, 3, 1)]
    assert set(Task.objects.values_list("kind", "due_on", "subject_id")) == {
        (TaskKind.LIMITATION, D(2026, 3, 13), invoice.pk)
    }


def test_a_night_that_was_missed_rings_the_next_and_an_open_task_is_not_doubled(cabinet: Cabinet) -> None:
    owe()

    assert [ring(day) for day in (D(2025, 9, 20), D(2025, 9, 21), D(2025, 12, 20))] == [1, 0, 1]
    assert Task.objects.filter(state=TaskState.OPEN).count() == 1


def test_what_is_over_paid_or_young_is_silent(cabinet: Cabinet) -> None:
    owe(ended=D(2023, 8, 1))
    owe(ClientKind.PROFESSIONAL)
    owe(settled_cents=144_000)
    owe(state=InvoiceState.WRITTEN_OFF)
    owe(ended=D(2025, 3, 15))

    quiet = (D(2025, 9, 14), D(2025, 9, 15), D(2026, 3, 16), D(2026, 9, 14))
    assert [ring(day) for day in quiet] == [0, 0, 0, 0]
    assert ring(D(2026, 9, 15)) == 1
    # The one that rang is the youngest: its last day is 15 March 2027.
    assert Task.objects.get().due_on == D(2027, 3, 15)


def test_a_professional_is_told_of_after_four_years_and_a_half(cabinet: Cabinet) -> None:
    owe(ClientKind.PROFESSIONAL)

    assert [ring(D(2028, 9, 14)), ring(D(2028, 9, 15))] == [0, 1]


def test_what_moves_the_last_day_moves_its_alarms(cabinet: Cabinet, owner: Membership) -> None:
    invoice = owe()
    limitation.record_event(
        dossier=invoice.dossier,
        by=owner,
        nature=Nature.ACKNOWLEDGEMENT,
        on=D(2025, 9, 1),
        until_on=None,
        note="",
        today=D(2025, 9, 1),
    )

    assert [ring(D(2025, 9, 15)), ring(D(2027, 3, 1))] == [0, 1]


@pytest.mark.parametrize(
    ("nature", "on", "until_on"),
    [
        (Nature.ACKNOWLEDGEMENT, D(2026, 11, 25), None),
        (Nature.ACKNOWLEDGEMENT, D(2026, 11, 20), D(2026, 11, 21)),
        (Nature.MEDIATION, D(2026, 11, 20), D(2026, 11, 19)),
    ],
)
def test_an_event_that_cannot_be_is_refused(
    cabinet: Cabinet, owner: Membership, nature: Nature, on: dt.date, until_on: dt.date | None
) -> None:
    with pytest.raises(InvoiceError):
        limitation.record_event(
            dossier=make_dossier(), by=owner, nature=nature, on=on, until_on=until_on, note="", today=D(2026, 11, 24)
        )

    assert not LimitationEvent.objects.exists()


@pytest.mark.committed
def test_the_clock_finds_every_live_firm_and_a_worker_does_one(committed: None) -> None:
    live = make_cabinet(name="Vivant", activated_on=D(2020, 1, 1))
    make_cabinet(name="Fermé", activated_on=None)
    demo = make_cabinet(name="Démonstration", activated_on=D(2020, 1, 1), is_demo=True)
    with working_for(cabinet_id=live.pk):
        make_member()
        owe(ended=D(2025, 1, 20))

    with patch.object(tasks.watch_limitations_of, "delay") as later:
        assert tasks.watch_limitations() == 2
    assert {call.args for call in later.call_args_list} == {(str(live.pk),), (str(demo.pk),)}
    with patch.object(tasks.watch_insolvencies_of, "delay") as later:
        assert tasks.watch_insolvencies() == 1
    assert [call.args for call in later.call_args_list] == [(str(live.pk),)]
    assert tasks.watch_limitations_of(str(live.pk)) == 1
    assert tasks.watch_insolvencies_of(str(live.pk)) == 0
