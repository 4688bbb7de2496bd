"""Whose message it is: never guessed between two, never taken from what anybody may write."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.inbound.matching import How, Known, Match, match
from dunning.inbound.parsing import Incoming, parse
from dunning.inbound.tokens import marked_address, read_marks

ONE, TWO, FIRM, OTHER = uuid4(), uuid4(), uuid4(), uuid4()
FIRST, SECOND = uuid4(), uuid4()
KEY = b"k" * 32
KNOWN = Known(
    reminders={FIRST: ONE, SECOND: TWO},
    senders={"un@x.example": frozenset({ONE}), "partage@x.example": frozenset({ONE, TWO})},
)


def named(*ids: UUID) -> tuple[str, ...]:
    return tuple(f"<{one}@cabinet.example>" for one in ids)


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        (Incoming(in_reply_to=named(FIRST)), Match(how=How.REFERENCE, client_ids=frozenset({ONE}), reminder_id=FIRST)),
        (
            Incoming(references=named(uuid4(), SECOND), sender="un@x.example"),
            Match(how=How.REFERENCE, client_ids=frozenset({TWO}), reminder_id=SECOND),
        ),
        (
            Incoming(in_reply_to=named(FIRST), references=named(SECOND)),
            Match(how=How.AMBIGUOUS, client_ids=frozenset({ONE, TWO}), reminder_id=FIRST),
        ),
        (
            Incoming(in_reply_to=named(uuid4()), sender="un@x.example"),
            Match(how=How.SENDER, client_ids=frozenset({ONE})),
        ),
        (Incoming(sender="partage@x.example"), Match(how=How.AMBIGUOUS, client_ids=frozenset({ONE, TWO}))),
        (Incoming(sender="inconnu@x.example"), Match(how=How.NOBODY)),
        (Incoming(in_reply_to=("<pas-un-des-notres@x.example>",)), Match(how=How.NOBODY)),
    ],
    ids=["its answer", "its thread before its sender", "two threads", "a stranger's id", "shared", "nobody", "no id"],
)
def test_says_whose_message_it_is(incoming: Incoming, expected: Match) -> None:
    assert match(incoming, KNOWN) == expected


def test_the_mark_of_the_address_names_the_reminder() -> None:
    address = marked_address("reponses@cabinet.example", reminder_id=FIRST, cabinet_id=FIRM, key=KEY)
    marked = read_marks([address.upper(), "autre@x.example"], cabinet_id=FIRM, key=KEY)

    assert marked == (FIRST,)
    assert match(Incoming(sender="x@x.example"), KNOWN, marked=marked) == Match(
        how=How.REFERENCE, client_ids=frozenset({ONE}), reminder_id=FIRST
    )
    assert len(address.partition("@")[0]) <= 64


@given(st.integers(0, 41), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_mark_changed_by_one_letter_names_nothing(place: int, letter: str) -> None:
    address = marked_address("r@cabinet.example", reminder_id=FIRST, cabinet_id=FIRM, key=KEY)
    start = address.index("+r") + 2 + place
    changed = address[:start] + letter + address[start + 1 :]

    # The last letter of base32 carries bits that are not read.
    assert read_marks([changed], cabinet_id=FIRM, key=KEY) in (
        (),
        (FIRST,) if letter == address[start] or place == 41 else (),
    )


@pytest.mark.parametrize(("cabinet_id", "key"), [(OTHER, KEY), (FIRM, b"x" * 32)])
def test_a_mark_of_another_firm_or_of_another_key_names_nothing(cabinet_id: UUID, key: bytes) -> None:
    address = marked_address("r@cabinet.example", reminder_id=FIRST, cabinet_id=cabinet_id, key=key)

    assert read_marks([address], cabinet_id=FIRM, key=KEY) == ()


@pytest.mark.parametrize("address", ["deja+pris@cabinet.example", f"{'b' * 30}@cabinet.example", "sans-arobase"])
def test_an_address_that_cannot_bear_a_mark_stays_as_it_is(address: str) -> None:
    assert marked_address(address, reminder_id=FIRST, cabinet_id=FIRM, key=KEY) == address


def test_a_bounce_is_matched_by_the_message_it_carries() -> None:
    raw = (
        b"From: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n"
        b"\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <%s@cabinet.example>\r\n\r\n--r--\r\n"
        % str(FIRST).encode()
    )

    assert match(parse(raw), KNOWN).reminder_id == FIRST
