"""R35–R49: what stops everything, and registered letters."""

import datetime as dt
from typing import Any

import pytest

from cabinets.enums import ClientKind
from dunning.enums import Code
from dunning.policy import Facts, decide
from invoices.enums import StopKind
from invoices.law.insolvency import Declaration, declaration, is_check_fresh, last_day_of_interest
from invoices.law.interest import Debt, accessories
from invoices.law.rates import published_rates
from invoices.law.registered import (
    Outcome,
    Post,
    Window,
    answer_by,
    answer_days,
    consent_covers,
    electronic_window,
    is_formal_notice,
    is_registered,
    kept_until,
    routes,
)
from invoices.services.standstill import CLIENT_WIDE
from templates_lib.enums import Channel, Kind, Step
from templates_lib.lint import lint

D = dt.date
ON = D(2026, 11, 24)
LONG_AGO = ON - dt.timedelta(days=8)


def owed(kind: ClientKind, euros: int, due: dt.date, as_of: dt.date, **facts: Any) -> tuple[int, int]:
    late = Debt(kind=kind, principal_cents=euros * 100, due_on=due, **facts)
    answer = accessories(late, as_of=as_of, rates=published_rates())
    return answer.interest.cents, answer.indemnity_cents


def test_r35_t35_interest_stops_on_the_eve_of_the_judgment() -> None:
    judged = D(2025, 5, 10)

    assert owed(ClientKind.PROFESSIONAL, 8000, D(2025, 3, 31), D(2025, 12, 31), insolvent_on=judged) == (11241, 4000)
    assert owed(ClientKind.PROFESSIONAL, 8000, D(2025, 5, 31), D(2025, 12, 31), insolvent_on=judged) == (0, 0)
    assert last_day_of_interest(judged) == D(2025, 5, 9)
    assert decide(Facts(settlements_declared_on=ON, stops=frozenset({StopKind.INSOLVENCY})), on=ON).code == (
        Code.INSOLVENCY
    )


def test_r36_the_claim_is_declared_within_two_months_of_the_publication() -> None:
    # 20 July 2025 is a Sunday: act on the Friday before.
    assert declaration(D(2025, 5, 20)) == Declaration(D(2025, 7, 20), D(2025, 7, 18), D(2025, 11, 20))
    assert declaration(D(2025, 5, 20), is_across_the_sea=True).last_day == D(2025, 9, 20)


def test_r37_a_look_at_the_bodacc_is_good_for_a_day() -> None:
    now = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)

    ages = (dt.timedelta(hours=24), dt.timedelta(hours=25))

    assert [is_check_fresh(now - age, now=now) for age in ages] == [True, False]
    assert not is_check_fresh(None, now=now)


def test_r38_t38_no_interest_from_the_day_over_indebtedness_is_admitted() -> None:
    facts = {"presented_on": D(2025, 12, 31), "over_indebted_on": D(2026, 2, 10)}
    eve = owed(ClientKind.CONSUMER, 1200, D(2025, 12, 1), D(2026, 2, 9), **facts)

    assert eve == owed(ClientKind.CONSUMER, 1200, D(2025, 12, 1), D(2026, 6, 30), **facts)
    assert eve == (345, 0)


@pytest.mark.parametrize(
    "kind", [StopKind.DISPUTE, StopKind.MEDIATION, StopKind.PROTECTED_PERSON, StopKind.BATONNIER_SEISED]
)
def test_r39_t39_a_dispute_and_its_like_stop_what_was_about_to_leave(kind: StopKind) -> None:
    assert decide(Facts(settlements_declared_on=ON, stops=frozenset({kind})), on=ON).code == kind.value.upper()
    assert {StopKind.DISPUTE, StopKind.MEDIATION, StopKind.PROTECTED_PERSON, StopKind.REPLIED} == CLIENT_WIDE


def test_r40_t40_old_news_of_payments_and_payments_on_their_way_hold_everything() -> None:
    assert decide(Facts(settlements_declared_on=LONG_AGO), on=ON).code == Code.STALE_SOURCE
    flying = Facts(settlements_declared_on=ON, stops=frozenset({StopKind.PAYMENT_IN_FLIGHT}))
    assert decide(flying, on=ON).code == Code.PAYMENT_IN_FLIGHT


def test_r41_t41_a_formal_notice_says_so_asks_a_sum_and_gives_a_time() -> None:
    vague = lint("Merci de régler votre facture.", kind=Kind.PROFESSIONAL, channel=Channel.LETTER, step=Step.J45)

    assert "R41" in {fault.rule for fault in vague}


def test_r42_t42_an_unclaimed_letter_is_a_formal_notice_and_time_runs_from_its_presentation() -> None:
    assert [outcome for outcome in Outcome if not is_formal_notice(outcome)] == [Outcome.RETURNED]
    assert answer_by(D(2026, 3, 2), days=answer_days(ClientKind.PROFESSIONAL)) == D(2026, 3, 10)
    assert answer_by(D(2026, 3, 2), days=answer_days(ClientKind.CONSUMER)) == D(2026, 3, 17)


@pytest.mark.parametrize(
    ("kind", "has_consented", "ways"),
    [
        (ClientKind.CONSUMER, False, (Post.PAPER,)),
        (ClientKind.CONSUMER, True, (Post.ELECTRONIC, Post.PAPER)),
        (ClientKind.NON_PRO_LEGAL, False, (Post.PAPER,)),
        (ClientKind.UNKNOWN, False, (Post.PAPER,)),
        (ClientKind.PROFESSIONAL, False, (Post.ELECTRONIC, Post.PAPER)),
        (ClientKind.PUBLIC, True, (Post.PAPER,)),
    ],
)
def test_r43_t43_without_consent_who_is_no_professional_receives_paper(
    kind: ClientKind, has_consented: bool, ways: tuple[Post, ...]
) -> None:
    assert routes(kind, has_consented=has_consented) == ways


def test_r44_an_electronic_letter_waits_fifteen_days_from_the_day_after_the_notice() -> None:
    assert electronic_window(D(2026, 3, 2)) == Window(D(2026, 3, 3), D(2026, 3, 17), D(2026, 3, 18))


def test_r45_t45_the_silent_fall_back_to_a_mere_delivery_does_not_exist() -> None:
    ways = {way for kind in ClientKind for consent in (True, False) for way in routes(kind, has_consented=consent)}

    assert Post.DELIVERY not in ways


def test_r46_t46_a_mere_delivery_is_no_registered_letter() -> None:
    assert [post for post in Post if not is_registered(post)] == [Post.DELIVERY]


def test_r47_paper_waits_fifteen_calendar_days_at_the_post_office() -> None:
    assert kept_until(D(2026, 3, 2)) == D(2026, 3, 17)


def test_r49_a_consent_holds_for_the_address_it_names() -> None:
    assert consent_covers(consented_email="Jeanne@client.example", email=" jeanne@client.example ")
    assert not consent_covers(consented_email="jeanne@client.example", email="jeanne@autre.example")
    assert not consent_covers(consented_email="", email="")
