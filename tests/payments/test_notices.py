"""What providers announce: who is believed, what is kept, and what becomes of it when it is lost, doubled or late."""

import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core.cache import cache
from kombu.exceptions import OperationalError

from cabinets.enums import Role
from cabinets.errors import RightMissingError
from cabinets.scoping import working_for
from payments import tasks
from payments.enums import CheckoutState, NoticeState
from payments.models import Checkout, Payment, ProviderNotice
from payments.providers.protocol import Stage
from payments.services import asking, notices
from payments.views import notices as page
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_member
from tests.payments.fake_provider import announcement, hook_of
from tests.payments.online import Online, online_world

pytestmark = [
    pytest.mark.committed,
    pytest.mark.usefixtures("committed"),
]


@pytest.fixture(autouse=True)
def _no_count_survives() -> None:
    cache.clear()


@pytest.fixture
def online(committed: None) -> Iterator[Online]:
    with online_world() as world:
        yield world


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Return what the broker was handed."""
    delay = Mock()
    monkeypatch.setattr(tasks.handle_notice, "delay", delay)
    return delay


def announce(online: Online, *events: dict[str, object], at: dt.datetime | None = None, **headers: str) -> Any:
    body, signed = announcement(*events, at=at or dt.datetime.now(dt.UTC))
    return post(online, body, {**signed, **headers})


def post(online: Online, body: bytes, headers: dict[str, str], hook: str = "") -> Any:
    address = f"/retours/paiement/{hook or hook_of(online.cabinet)}/"
    return FirmBrowser().post(address, data=body, content_type="application/json", headers=headers)


def event(number: int, checkout: Checkout, **facts: object) -> dict[str, object]:
    return {"event_id": f"evt_{number}", "kind": "payment.moved", "ref": checkout.ref, **facts}


def rows(online: Online) -> list[tuple[str, str]]:
    with working_for(cabinet_id=online.cabinet.pk):
        return sorted(ProviderNotice.objects.values_list("event_id", "state"))


def handle_all(online: Online) -> Counter[str]:
    found = notices.due(now=dt.datetime.now(dt.UTC)).get(online.cabinet.pk, [])
    states = [notices.handle(cabinet_id=online.cabinet.pk, notice_id=pk) for pk in found]
    return Counter(state.value for state in states if state)


def test_keeps_a_signed_notice_answers_and_hands_it_over(online: Online, told: Mock) -> None:
    checkout = online.begin()

    answer = announce(online, event(1, checkout))

    assert (answer.status_code, rows(online)) == (200, [("evt_1", "received")])
    with working_for(cabinet_id=online.cabinet.pk):
        notice = ProviderNotice.objects.get()
        assert '"evt_1"' in notice.body
    told.assert_called_once_with(str(notice.pk))
    assert online.read(checkout).state == CheckoutState.OPEN


def test_keeps_the_same_notice_once(online: Online, told: Mock) -> None:
    checkout = online.begin()

    answers = [announce(online, event(1, checkout)).status_code for _ in range(5)]

    assert (answers, rows(online), told.call_count) == ([200] * 5, [("evt_1", "received")], 1)


@pytest.mark.parametrize(
    ("age", "signature", "status"),
    [(0, None, 200), (299, None, 200), (301, None, 400), (-301, None, 400), (0, "", 400), (0, "0" * 64, 400)],
)
def test_refuses_what_is_not_signed_or_too_old_and_keeps_nothing(
    online: Online, told: Mock, age: int, signature: str | None, status: int
) -> None:
    checkout = online.begin()
    forged = {} if signature is None else {"Fake-Signature": signature}

    answer = announce(online, event(1, checkout), at=NOW - dt.timedelta(seconds=age), **forged)

    assert (answer.status_code, len(rows(online))) == (status, 1 if status == 200 else 0)
    assert told.call_count == len(rows(online))


def test_refuses_a_body_changed_on_the_way(online: Online, told: Mock) -> None:
    body, headers = announcement(event(1, online.begin()), at=NOW)

    assert post(online, body.replace(b"evt_1", b"evt_2"), headers).status_code == 400
    assert rows(online) == []


def test_answers_an_unknown_address_as_it_answers_any(online: Online) -> None:
    body, headers = announcement(event(1, online.begin()), at=NOW)

    answer = post(online, body, headers, hook="nobody")

    assert answer.status_code == 404
    assert answer.content == FirmBrowser().get("/nulle-part/").content


def test_refuses_what_is_too_big_before_it_reads_it(online: Online) -> None:
    answer = post(online, b"x" * (page.LARGEST + 1), {})

    assert (answer.status_code, rows(online)) == (413, [])


def test_stops_listening_to_who_guesses(online: Online) -> None:
    statuses = [post(online, b"{}", {}, hook=f"guess-{number}").status_code for number in range(31)]

    assert (set(statuses[:30]), statuses[30]) == ({404}, 429)


def test_takes_no_form_protection_and_no_session(online: Online, told: Mock) -> None:
    browser = FirmBrowser(enforce_csrf_checks=True)
    body, headers = announcement(event(1, online.begin()), at=NOW)

    answer = browser.post(
        f"/retours/paiement/{hook_of(online.cabinet)}/", data=body, content_type="application/json", headers=headers
    )

    assert (answer.status_code, dict(answer.cookies)) == (200, {})


def test_a_broker_that_is_down_delays_and_loses_nothing(online: Online, told: Mock) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    told.side_effect = OperationalError("down")

    assert announce(online, event(1, checkout)).status_code == 200
    assert handle_all(online) == Counter({"applied": 1})
    assert online.invoice.settled_cents == 144_000


def test_what_is_announced_is_asked_again_and_never_believed(online: Online, told: Mock) -> None:
    checkout = online.begin()

    announce(online, event(1, checkout, kind="payment.succeeded"))

    assert handle_all(online) == Counter({"ignored": 1})
    assert (online.read(checkout).state, online.settled()) == (CheckoutState.OPEN, 0)


def test_finds_the_checkout_by_its_payment(online: Online, told: Mock) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)

    announce(online, event(1, checkout, ref="", payment_ref=f"pi_{checkout.ref}"))
    assert handle_all(online) == Counter({"applied": 1})
    online.provider.move(Stage.SETTLED, refunded=144_000)
    announce(online, event(2, checkout, ref="", payment_ref=f"pi_{checkout.ref}"))
    assert handle_all(online) == Counter({"applied": 1})

    assert [act for act, _ in online.provider.calls].count("find") == 1


def test_leaves_what_is_not_ours_alone(online: Online, told: Mock) -> None:
    checkout = online.begin()

    announce(
        online,
        event(1, checkout, is_about_payments=False),
        event(2, checkout, ref="", payment_ref="pi_of_a_shop"),
        event(3, checkout, ref="cs_of_a_shop"),
    )

    assert rows(online) == [("evt_1", "ignored"), ("evt_2", "received"), ("evt_3", "received")]
    for minutes in (0, 1, 4):
        with time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False):
            handle_all(online)
    assert {state for _, state in rows(online)} == {"ignored"}


# Doubling pauses, in minutes from the first try; nothing is tried at the last.
ENDS = [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023]


def test_tries_again_at_growing_pauses_then_shows_what_is_dead(online: Online, told: Mock) -> None:
    checkout = online.begin()
    announce(online, event(1, checkout))
    online.provider.silent = 99
    tried = []

    with time_machine.travel(NOW, tick=False) as clock:
        for minute in sorted({max(end + around, 0) for end in ENDS for around in (-1, 0, 1)}):
            clock.move_to(NOW + dt.timedelta(minutes=minute))
            if handle_all(online):
                tried.append(minute)

    assert tried == ENDS[:-1]
    with working_for(cabinet_id=online.cabinet.pk):
        notice = ProviderNotice.objects.get()
        assert (notice.state, notice.failure, notice.tries) == (NoticeState.DEAD, "Pas de réponse.", 10)


def test_a_refusal_is_dead_at_once_and_replayed_by_who_manages_the_firm(online: Online, told: Mock) -> None:
    checkout = online.begin()
    announce(online, event(1, checkout))
    online.provider.refuses = True
    assert handle_all(online) == Counter({"dead": 1})
    online.provider.refuses = False
    online.provider.move(Stage.SETTLED)

    with working_for(cabinet_id=online.cabinet.pk):
        notice = ProviderNotice.objects.get()
        with pytest.raises(RightMissingError):
            notices.replay(notice_id=notice.pk, by=make_member(role=Role.ASSISTANT))
        assert notices.replay(notice_id=notice.pk, by=make_member()) is True

    assert handle_all(online) == Counter({"applied": 1})
    assert online.settled() == 144_000


def test_a_notice_of_last_month_replayed_changes_nothing(online: Online, told: Mock) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    announce(online, event(1, checkout))
    handle_all(online)

    with time_machine.travel(NOW + dt.timedelta(days=31), tick=False):
        with working_for(cabinet_id=online.cabinet.pk):
            notices.replay(notice_id=ProviderNotice.objects.get().pk, by=make_member())
        assert handle_all(online) == Counter({"ignored": 1})

    assert (online.settled(), online.invoice.settled_cents) == (144_000, 144_000)


def test_a_process_killed_while_it_asks_leaves_the_notice_to_be_handled(
    online: Online, told: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    announce(online, event(1, checkout))
    monkeypatch.setattr(online.provider, "fetch", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        handle_all(online)
    monkeypatch.undo()

    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        assert handle_all(online) == Counter({"applied": 1})
    assert online.settled() == 144_000


STORY = [
    (Stage.PROCESSING, 0, 0), (Stage.FAILED, 0, 0), (Stage.PROCESSING, 0, 0), (Stage.SETTLED, 0, 0),
    (Stage.SETTLED, 44_000, 0), (Stage.SETTLED, 44_000, 50_000),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_ends_the_same_when_notices_are_doubled_lost_and_late(online: Online, told: Mock, seed: int) -> None:
    draw = random.Random(seed)
    checkout = online.begin()
    sent = [number for number in range(6) for _ in range(5) if draw.random() > 0.1]
    draw.shuffle(sent)
    moments = sorted(draw.choices(range(7), k=len(sent)))

    with time_machine.travel(NOW, tick=False) as clock:
        for moment, (stage, refunded, disputed) in enumerate(STORY):
            clock.move_to(NOW + dt.timedelta(minutes=moment))
            online.provider.move(stage, refunded=refunded, disputed=disputed)
            for number in itertools.compress(sent, [one == moment for one in moments]):
                announce(online, event(number, checkout))
            online.provider.silent = draw.choice([0, 0, 1])
            handle_all(online)
        online.provider.silent = 0
        # Whatever was lost, the clock asks by itself.
        clock.move_to(NOW + dt.timedelta(days=2))
        handle_all(online)
        for cabinet_id, ids in asking.due(now=NOW + dt.timedelta(days=2)).items():
            asking.ask_all(cabinet_id=cabinet_id, checkout_ids=ids)

    assert (online.settled(), online.invoice.settled_cents, online.credit()) == (50_000, 50_000, 0)
    assert online.provider.net() == 50_000
    assert online.read(checkout).state == CheckoutState.PAID


def test_the_clock_finds_a_payment_nobody_announced(online: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    asked = Mock()
    monkeypatch.setattr(tasks.ask_checkouts, "delay", asked)
    tasks.sweep_payments()
    assert asked.call_count == 0

    with time_machine.travel(NOW + dt.timedelta(minutes=6), tick=False):
        tasks.sweep_payments()
        tasks.ask_checkouts(*asked.call_args.args)

    assert (online.read(checkout).state, online.settled()) == (CheckoutState.PAID, 144_000)


def test_the_clock_forgets_a_page_that_never_opened_and_hammers_nobody(online: Online) -> None:
    online.provider.silent = 99
    with pytest.raises(Exception, match="Pas de réponse"):
        online.begin()
    asked = len(online.provider.calls)

    with time_machine.travel(NOW + dt.timedelta(minutes=61), tick=False):
        for cabinet_id, ids in asking.due(now=NOW + dt.timedelta(minutes=61)).items():
            asking.ask_all(cabinet_id=cabinet_id, checkout_ids=ids)

    with working_for(cabinet_id=online.cabinet.pk):
        assert [row.state for row in Checkout.objects.all()] == [CheckoutState.EXPIRED]
        assert not Payment.objects.exists()
    assert len(online.provider.calls) == asked


def test_a_silent_provider_is_asked_again_five_minutes_later(online: Online) -> None:
    online.begin()
    online.provider.silent = 99
    asked = []

    with time_machine.travel(NOW, tick=False) as clock:
        for minute in range(20):
            clock.move_to(NOW + dt.timedelta(minutes=minute))
            found = asking.due(now=NOW + dt.timedelta(minutes=minute))
            for cabinet_id, ids in found.items():
                asking.ask_all(cabinet_id=cabinet_id, checkout_ids=ids)
                asked.append(minute)

    assert asked == [5, 10, 15]
