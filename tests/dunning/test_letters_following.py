"""Letters are followed until they are proven: forward only, deadlines from the first presentation, proofs once."""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

import pytest
import time_machine

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Client, Task
from cabinets.scoping import acting_for, working_for
from dunning.enums import LetterState, ReminderState
from dunning.models import ChannelAccount, Letter, LetterProof, Reminder
from dunning.services import dispatch, letter_polling, letters
from invoices.sealed_files import open_sealed_file
from tests.conftest import NOW
from tests.dunning.channels.maileva_double import DRAFT, HOME, FakeMaileva
from tests.dunning.channels.web_double import Said, WebDouble, said
from tests.dunning.letter_world import compose, formal_notice, maileva_account, posting_firm, read
from tests.factories.invoices import TODAY

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
S = LetterState


@pytest.fixture
def maileva() -> Iterator[FakeMaileva]:
    with FakeMaileva() as running:
        yield running


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return posting_firm()


def leave(cabinet: Cabinet, maileva: FakeMaileva, kind: ClientKind = ClientKind.PROFESSIONAL) -> Reminder:
    """Let a formal notice leave by Maileva."""
    with working_for(cabinet_id=cabinet.pk):
        maileva_account(maileva)
        reminder = formal_notice(kind=kind)
    with acting_for(cabinet_id=cabinet.pk):
        assert letters.deliver(reminder_id=reminder.pk, compose=compose) == "accepted"
    return reminder


def ask(*, days: int) -> dict[UUID, list[UUID]]:
    """Ask about what is due, so many days after it left."""
    with time_machine.travel(NOW + dt.timedelta(days=days, hours=1), tick=False):
        due = letter_polling.due_letters(now=NOW + dt.timedelta(days=days, hours=1))
        for cabinet_id, ids in due.items():
            letter_polling.poll(cabinet_id=cabinet_id, letter_ids=ids)
    return due


def day(number: int) -> str:
    return (TODAY + dt.timedelta(days=number)).isoformat()


def on(number: int) -> dt.date:
    return TODAY + dt.timedelta(days=number)


TAKEN, ADVISED = ("A01", day(1)), ("A02", day(3))


@pytest.mark.parametrize(
    ("codes", "letter_state", "reminder_state", "presented", "ended", "asks"),
    [
        ([TAKEN], S.DEPOSITED, "accepted", None, None, False),
        ([TAKEN, ADVISED], S.PRESENTED, "accepted", 3, None, False),
        ([TAKEN, ADVISED, ("D01", day(6))], S.DELIVERED, "delivered", 3, 6, False),
        # R42: unclaimed and refused keep their effect, and a person is asked whether to say it again.
        ([TAKEN, ADVISED, ("N03", day(19))], S.UNCLAIMED, "unclaimed", 3, 19, True),
        ([TAKEN, ("P05", day(4))], S.REFUSED, "refused", 4, 4, True),
        ([TAKEN, ("A23", day(5))], S.RETURNED, "bounced", None, 5, True),
    ],
)
def test_follows_a_letter_to_its_end(
    firm: Cabinet,
    maileva: FakeMaileva,
    codes: list[tuple[str, str]],
    letter_state: LetterState,
    reminder_state: str,
    presented: int | None,
    ended: int | None,
    asks: bool,
) -> None:
    reminder = leave(firm, maileva)
    maileva.went(*codes)

    ask(days=20)

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (letter.state, told.state, letter.tracking) == (letter_state, reminder_state, "1E00232062142")
    assert letter.deposited_on == on(1)
    assert letter.presented_on == (None if presented is None else on(presented))
    assert letter.ended_on == (None if ended is None else on(ended))
    # A professional has eight days, from the first presentation and from nothing else.
    assert letter.answer_by == (None if presented is None else on(presented + 8))
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.filter(kind="letter_returned", subject_id=reminder.pk).exists() is asks
        refused = Client.objects.get(pk=reminder.client_id).postal_refused_at
        assert (refused is not None) == (letter_state is S.RETURNED)


@pytest.mark.parametrize(
    ("kind", "days"),
    [(ClientKind.PROFESSIONAL, 8), (ClientKind.CONSUMER, 15), (ClientKind.NON_PRO_LEGAL, 15), (ClientKind.PUBLIC, 15)],
)
def test_counts_the_answer_from_the_first_presentation(
    firm: Cabinet, maileva: FakeMaileva, kind: ClientKind, days: int
) -> None:
    reminder = leave(firm, maileva, kind)
    maileva.went(TAKEN, ADVISED, ("P02", day(5)), ("N03", day(19)))

    ask(days=20)

    letter = read(firm, reminder)[1]
    assert letter is not None
    assert (letter.presented_on, letter.answer_by) == (on(3), on(3 + days))


def test_never_goes_back_whatever_is_said_later(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.went(TAKEN, ADVISED, ("D01", day(6)))
    ask(days=7)

    maileva.went(("A01", day(2)), ("A02", day(9)), ("A23", day(10)))
    ask(days=11)

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (letter.state, letter.presented_on, letter.ended_on, told.state) == (S.DELIVERED, on(3), on(6), "delivered")


def test_keeps_each_proof_once_sealed_with_its_digest(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.went(TAKEN)
    maileva.archived(deposit=b"%PDF depot")
    ask(days=2)
    maileva.went(TAKEN, ("D01", day(4)))
    maileva.archived(deposit=b"%PDF depot", receipt=b"%PDF recu")

    ask(days=5)
    ask(days=6)

    with working_for(cabinet_id=firm.pk):
        proofs = list(LetterProof.objects.filter(reminder=reminder).order_by("added_at"))
        assert [(one.kind, one.media_type, one.source, one.file_name) for one in proofs] == [
            ("deposit", "application/pdf", "maileva", "depot.pdf"),
            ("receipt", "application/pdf", "maileva", "ar.pdf"),
        ]
        kept = [open_sealed_file(one.stored_as, bound_to=one.bound_to("file")).read() for one in proofs]
        assert kept == [b"%PDF depot", b"%PDF recu"]
        # Proven: nobody asks any more.
        assert Letter.objects.get().poll_at is None


def test_asks_again_until_the_proof_is_here(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.went(TAKEN, ("D01", day(4)))

    ask(days=5)
    assert read(firm, reminder)[1].poll_at == NOW + dt.timedelta(days=5, hours=1) + letter_polling.DAILY  # type: ignore[union-attr]
    ask(days=40)

    assert read(firm, reminder)[1].poll_at is None  # type: ignore[union-attr]


def test_keeps_the_states_when_the_proofs_do_not_answer(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.went(TAKEN, ("D01", day(4)))
    maileva.routes[f"GET {HOME}/download_deposit_proof"] = lambda _: Said(status=500)

    ask(days=5)

    letter = read(firm, reminder)[1]
    assert letter is not None
    assert (letter.state, letter.poll_at is not None) == (S.DELIVERED, True)


def test_asks_again_when_nobody_answers(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.routes[f"GET {HOME}"] = lambda _: Said(status=500)

    ask(days=2)

    letter = read(firm, reminder)[1]
    assert letter is not None
    assert (letter.state, letter.poll_at) == (S.SUBMITTED, NOW + dt.timedelta(days=2, hours=1) + letter_polling.AGAIN)
    with working_for(cabinet_id=firm.pk):
        assert ChannelAccount.objects.get().failure == "Maileva ne répond pas (HTTP 500)."


def test_tells_that_a_letter_its_provider_took_never_left(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = leave(firm, maileva)
    maileva.routes[f"GET {HOME}"] = lambda _: said(
        {"id": DRAFT, "status": "REJECTED", "status_detail": "PDF illisible"}
    )

    ask(days=1)

    letter = read(firm, reminder)[1]
    assert letter is not None
    assert (letter.state, letter.failure, letter.poll_at) == (S.VOID, "PDF illisible", None)
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.filter(kind="letter_returned", subject_id=reminder.pk).count() == 1


def doubt(cabinet: Cabinet, maileva: FakeMaileva) -> Reminder:
    """Let a submission be heard and not answered, by anybody."""

    def heard(asked: object) -> Said:
        maileva.state = "PENDING"
        maileva.submissions += 1
        return Said(cut=True)

    maileva.routes[f"POST {HOME}/submit"] = heard
    maileva.faults[f"GET {HOME}"] = [Said(status=500)]
    with working_for(cabinet_id=cabinet.pk):
        maileva_account(maileva)
        reminder = formal_notice()
    with acting_for(cabinet_id=cabinet.pk):
        assert letters.deliver(reminder_id=reminder.pk, compose=compose) == "unknown"
    return reminder


def test_finds_out_by_our_own_reference_that_a_letter_left(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = doubt(firm, maileva)
    maileva.listed = [{"id": DRAFT, "custom_id": str(reminder.pk), "status": "ACCEPTED"}]

    ask(days=0)

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (told.state, told.spoken_on, letter.state, letter.provider_ref) == ("accepted", TODAY, "submitted", DRAFT)
    assert maileva.submissions == 1
    with working_for(cabinet_id=firm.pk):
        asked = Task.objects.filter(kind="unknown_outcome")
        assert list(asked.values_list("state", flat=True)) == ["done"]


def test_leaves_a_doubt_to_a_person_when_nobody_can_tell(firm: Cabinet, maileva: FakeMaileva) -> None:
    reminder = doubt(firm, maileva)

    ask(days=0)
    ask(days=4)

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (told.state, letter.poll_at) == ("unknown", None)


def test_looks_up_a_letter_whose_sender_died(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()

    class Killed(BaseException):
        pass

    def die(asked: object) -> Said:
        maileva.state = "PENDING"
        maileva.submissions += 1
        maileva.listed = [{"id": DRAFT, "custom_id": str(reminder.pk), "status": "PENDING"}]
        return Said(status=200)

    maileva.routes[f"POST {HOME}/submit"] = die
    with pytest.MonkeyPatch.context() as patch, acting_for(cabinet_id=firm.pk):
        patch.setattr(letters, "record", lambda **_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            letters.deliver(reminder_id=reminder.pk, compose=compose)
    assert read(firm, reminder)[0].state == "sending"

    later = NOW + letters.LEASE + dt.timedelta(minutes=1)
    with time_machine.travel(later, tick=False):
        expired = dispatch.expired_claims(now=later)[firm.pk]
        dispatch.settle_expired(cabinet_id=firm.pk, reminder_ids=expired, now=later)
    assert read(firm, reminder)[0].state == "unknown"
    ask(days=0)

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (told.state, letter.state, letter.provider_ref, maileva.submissions) == (
        "accepted",
        "submitted",
        DRAFT,
        1,
    )


def test_asks_nothing_while_somebody_is_speaking(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice(state=ReminderState.SENDING)
        Letter(reminder=reminder, client=reminder.client, route="maileva", recipient="x", poll_at=NOW).save(
            force_insert=True
        )

    ask(days=0)

    assert maileva.asked == []
    assert read(firm, reminder)[1].poll_at is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("has_key", [True, False])
def test_follows_a_letter_posted_by_hand_where_la_poste_may_be_asked(firm: Cabinet, has_key: bool) -> None:
    number = "1E00232062142"
    answer = [
        {
            "returnCode": 200,
            "shipment": {
                "idShip": number,
                "event": [{"order": 1, "code": "DI1", "date": f"{day(4)}T10:00:00Z", "label": "Distribué"}],
            },
        }
    ]
    with WebDouble(routes={f"GET /suivi/v2/idships/{number}": lambda _: said(answer)}) as server:
        with working_for(cabinet_id=firm.pk):
            if has_key:
                account = ChannelAccount(
                    medium="letter",
                    provider="laposte",
                    options={"base_url": server.url},
                    secrets='{"okapi_key": "k"}',
                )
                account.save(force_insert=True)
            reminder = formal_notice(state=ReminderState.ACCEPTED)
            posted = Letter(
                reminder=reminder,
                client=reminder.client,
                route="post_desk",
                recipient="x",
                state=S.DEPOSITED,
                tracking=number,
                deposited_on=on(0),
                poll_at=NOW,
            )
            posted.save(force_insert=True)

        ask(days=5)

        told, letter = read(firm, reminder)
        assert letter is not None
        assert (letter.state, told.state, len(server.asked)) == (
            (S.DELIVERED, "delivered", 1) if has_key else (S.DEPOSITED, "accepted", 0)
        )
