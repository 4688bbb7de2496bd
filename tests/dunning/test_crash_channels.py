"""Processes die while they text, post and print: no provider takes anything twice, nothing is lost without a trace."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import pytest
from django.conf import settings

from cabinets.models import JournalEntry, Task
from cabinets.scoping import working_for
from dunning.enums import LetterState, Medium, ReminderState
from dunning.errors import TooLateError
from dunning.models import ChannelAccount, Letter, Reminder, ReminderLine
from dunning.services import dispatch, post_desk
from invoices.sealed_files import open_sealed_file
from tests.conftest import NOW
from tests.dunning.channels.maileva_double import MailevaRegister
from tests.dunning.channels.ovh_double import SERVICE, FakeOvh
from tests.dunning.crash_worker import ANY_TIME, PRINT_POINTS, WEB_POINTS, write_plain_letter
from tests.dunning.crashing import (
    Kills,
    Storm,
    Worker,
    crossed,
    due,
    judge,
    let_time_pass,
    pay_some,
    worker,
)
from tests.dunning.letter_world import formal_notice, maileva_account, posting_firm
from tests.dunning.test_sms import texted
from tests.factories.cabinets import make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

TEXTS, LETTERS, PRINTS, PAID = 60, 44, 24, 8
# The first call of a batch of texts asks for the time; the sixth call of a letter is the one that sends it.
TEXT_PASSAGES = {
    **dict.fromkeys(("call begun", "call made", "answer unread"), (2, 2, 3)),
    **dict.fromkeys(("before a commit", "after a commit"), (4, 5, 6)),
}
LETTER_PASSAGES = {
    "call begun": (3, 4, 6),
    "call made": (5, 6, 6),
    "answer unread": (3, 6, 6),
    **dict.fromkeys(("before a commit", "after a commit"), (4, 5, 6, 7)),
}
PRINT_PASSAGES = dict.fromkeys(PRINT_POINTS, (1, 2))


@pytest.fixture(scope="module")
def running(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker for all: what it forks starts anew each time."""
    with worker(tmp_path_factory.mktemp("crash") / "stamps") as one:
        yield one


@pytest.fixture
def _plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write letters of a few words here too."""
    for sender in (dispatch, post_desk):
        monkeypatch.setattr(sender, "write_letter", write_plain_letter)


def ovh_account() -> None:
    """Put an account with OVHcloud's double in service."""
    account = ChannelAccount(
        medium=Medium.SMS,
        provider="ovh_sms",
        sender="CabAubry",
        options={"service": SERVICE, "application_key": "key"},
        secrets=json.dumps({"application_secret": "secret", "consumer_key": "consumer"}),
        is_enabled=True,
    )
    account.save(force_insert=True)


def all_were_met(kills: Kills, points: tuple[str, ...]) -> bool:
    return all(kills.at[point] for point in points if point != ANY_TIME)


def test_texts_nobody_twice_and_loses_no_text_through_kills(running: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(4)
    with FakeOvh(now=NOW.timestamp()) as ovh:
        monkeypatch.setitem(settings.SMS_BASE_URLS, "ovh_sms", ovh.url)
        firm = make_cabinet(daily_cap=1_000_000)
        with working_for(cabinet_id=firm.pk):
            ovh_account()
            planned = [texted().pk for _ in range(TEXTS)]
            payments = pay_some(planned[1:], PAID, draw)
        storm = Storm(
            order={"do": "send", "cabinet": firm.pk, "sms_urls": {"ovh_sms": ovh.url}},
            points=WEB_POINTS,
            per_point=1,
            first=planned[0],
            to_do=lambda: due(firm),
            passages=TEXT_PASSAGES,
            payments=payments,
        )
        kills = storm.rage(running, draw)
        let_time_pass()

    assert all_were_met(kills, WEB_POINTS)
    tags = {str(one)[:20]: one for one in planned}
    with working_for(cabinet_id=firm.pk):
        kept = Counter(tags[tag] for tag in ovh.taken)
        ends = judge(kept=kept, planned=planned, running=running, kills=kills, paid=PAID)
    # Both kinds of doubt were met: the text left, and it did not.
    assert ends.unknown & ends.kept
    assert ends.unknown - ends.kept


@pytest.mark.usefixtures("_plain_letters")
def test_posts_no_letter_twice_and_finds_out_what_left_through_kills(running: Worker) -> None:
    draw = random.Random(5)
    firm = posting_firm(daily_cap=1_000_000)
    with MailevaRegister() as maileva:
        with working_for(cabinet_id=firm.pk):
            maileva_account(maileva)
            planned = [formal_notice().pk for _ in range(LETTERS)]
            payments = pay_some(planned[1:], PAID, draw)
        storm = Storm(
            order={"do": "send", "cabinet": firm.pk, "plain": True},
            points=WEB_POINTS,
            per_point=1,
            first=planned[0],
            to_do=lambda: due(firm),
            passages=LETTER_PASSAGES,
            payments=payments,
        )
        kills = storm.rage(running, draw)
        let_time_pass()

    assert all_were_met(kills, WEB_POINTS)
    with working_for(cabinet_id=firm.pk):
        kept = Counter(UUID(reference) for reference in maileva.submitted)
        ends = judge(kept=kept, planned=planned, running=running, kills=kills, paid=PAID)
        found_out = Task.objects.filter(kind="unknown_outcome", state="done")
        assert set(found_out.values_list("subject_id", flat=True)) <= ends.sent
        assert found_out.count() > 0
        # What Maileva has is known to have left, and where; what nobody submitted stays a person's to decide.
        assert ends.sent == ends.kept
        assert ends.unknown
        letters = Letter.objects.filter(reminder__in=ends.sent)
        assert {maileva.sendings[one.provider_ref]["custom_id"] for one in letters} == {str(one) for one in ends.sent}


@pytest.mark.usefixtures("_plain_letters")
def test_prints_a_letter_once_with_its_file_through_kills(running: Worker) -> None:
    draw = random.Random(6)
    firm = posting_firm(daily_cap=1_000_000)
    with working_for(cabinet_id=firm.pk):
        by = make_member()
        planned = [formal_notice().pk for _ in range(PRINTS)]
        payments = pay_some(planned[1:], PAID, draw)
    assert dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=planned) == {"in_hand": PRINTS}

    def to_print() -> list[UUID]:
        with working_for(cabinet_id=firm.pk):
            rows = Reminder.objects.filter(state=ReminderState.IN_HAND, letter__state=LetterState.READY)
            return draw.sample(sorted(rows.values_list("pk", flat=True)), rows.count())

    kills = Storm(
        order={"do": "print", "cabinet": firm.pk, "member": by.pk, "plain": True},
        points=PRINT_POINTS,
        per_point=1,
        first=planned[0],
        to_do=to_print,
        payments=payments,
        passages=PRINT_PASSAGES,
    ).rage(running, draw)

    # Whoever saw no answer presses the button again.
    for reminder_id in planned:
        with suppress(TooLateError), working_for(cabinet_id=firm.pk):
            post_desk.print_letter(reminder_id=reminder_id, by=by)

    assert all_were_met(kills, PRINT_POINTS)
    with working_for(cabinet_id=firm.pk):
        states = dict(Reminder.objects.values_list("pk", "state"))
        letters = {letter.reminder_id: letter for letter in Letter.objects.all()}
        lines = dict(ReminderLine.objects.values_list("invoice_id", "reminder_id"))
        said = JournalEntry.objects.filter(event="letter.printed").values_list("facts__reminder", flat=True)
        printed = Counter(UUID(reminder) for reminder in said)
        asked = Task.objects.filter(kind="post_letter", state="open").values_list("subject_id", flat=True)

        assert set(states) == set(letters) == set(planned)
        assert max(printed.values()) == 1
        assert set(printed) == {one for one, letter in letters.items() if letter.state == LetterState.PRINTED}
        in_hand = {one for one, state in states.items() if state == ReminderState.IN_HAND}
        assert in_hand <= set(printed)
        assert {states[one] for one in set(planned) - in_hand} == {ReminderState.CANCELLED}
        assert Counter(asked) >= Counter(in_hand)
        assert [one for one, letter in letters.items() if not is_whole(letter)] == []
        paid = {one: at for one, (_, at) in running.read_stamps("paid").items() if one in lines}
        assert len(paid) == PAID
        assert crossed(set(printed), running.read_stamps("claim"), paid, lines) == []


def is_whole(letter: Letter) -> bool:
    """Say whether the very PDF of a letter is on disk."""
    with open_sealed_file(letter.stored_as, bound_to=letter.bound_to("pdf")) as opened:
        content = opened.read()
    return content.startswith(b"%PDF-") and hashlib.sha256(content).digest() == bytes(letter.digest or b"")
