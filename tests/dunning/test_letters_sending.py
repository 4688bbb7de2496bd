"""A formal notice leaves once, by the first route open to its debtor, or a person is asked."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest
import time_machine

from cabinets import sealing
from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Client, Task
from cabinets.scoping import acting_for, working_for
from dunning.channels.ar24 import crypto
from dunning.enums import ReminderState
from dunning.models import ChannelAccount, Letter, LetterConsent, Reminder
from dunning.services import letters
from invoices.enums import StopKind
from invoices.sealed_files import open_sealed_file
from invoices.services import settlement, standstill
from tests.conftest import NOW
from tests.dunning.channels.maileva_double import DRAFT, HOME, FakeMaileva
from tests.dunning.channels.web_double import Said, WebDouble, said
from tests.dunning.letter_world import PDF, ar24_account, compose, formal_notice, maileva_account, posting_firm, read
from tests.factories.invoices import TODAY

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
KEY = "ma-cle-privee-de-test"


@pytest.fixture
def maileva() -> Iterator[FakeMaileva]:
    with FakeMaileva() as running:
        yield running


@pytest.fixture
def ar24() -> Iterator[WebDouble]:
    date = crypto.stamp(NOW)

    def sealed(result: object) -> Said:
        content = json.dumps({"status": "SUCCESS", "result": result}).encode()
        return Said(body=crypto.seal(content, date=date, private_key=KEY))

    routes = {
        "POST /attachment": lambda _: sealed({"file_id": "f-1"}),
        "POST /mail": lambda _: sealed({"id": 9001, "status": "waiting"}),
        "GET /user/mail": lambda _: sealed([]),
    }
    with WebDouble(routes=routes) as running:
        yield running


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return posting_firm()


def deliver(cabinet: Cabinet, reminder: Reminder) -> str:
    with acting_for(cabinet_id=cabinet.pk):
        return letters.deliver(reminder_id=reminder.pk, compose=compose)


def test_sends_a_formal_notice_by_paper_and_keeps_the_very_pdf(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()

    assert deliver(firm, reminder) == "accepted"

    sent, letter = read(firm, reminder)
    assert letter is not None
    assert (sent.state, sent.spoken_on, sent.route, sent.provider_ref) == ("accepted", TODAY, "maileva", DRAFT)
    assert (letter.state, letter.route, letter.provider_ref, letter.is_electronic) == (
        "submitted",
        "maileva",
        DRAFT,
        False,
    )
    assert (letter.dated_on, letter.pages, letter.is_registered) == (TODAY, 1, True)
    assert letter.poll_at == NOW + letters.FIRST_QUESTION
    assert maileva.submissions == 1
    with working_for(cabinet_id=firm.pk):
        assert open_sealed_file(letter.stored_as, bound_to=letter.bound_to("pdf")).read() == PDF
        assert letter.recipient.splitlines()[-1] == "75002 PARIS"


def test_a_process_that_never_met_the_firm_opens_its_account_and_sends(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()
    sealing.forget_keys()

    assert deliver(firm, reminder) == "accepted"

    assert maileva.submissions == 1


@pytest.mark.parametrize(
    ("kind", "has_consent", "address", "route"),
    [
        # T43.
        (ClientKind.CONSUMER, False, "a@exemple.test", "maileva"),
        (ClientKind.CONSUMER, True, "a@exemple.test", "ar24"),
        # T49: another address than the consent's.
        (ClientKind.CONSUMER, True, "b@exemple.test", "maileva"),
        (ClientKind.NON_PRO_LEGAL, True, "a@exemple.test", "ar24"),
        (ClientKind.PROFESSIONAL, False, "a@exemple.test", "ar24"),
        (ClientKind.PUBLIC, True, "a@exemple.test", "maileva"),
    ],
)
def test_takes_the_route_the_law_gives(
    firm: Cabinet,
    maileva: FakeMaileva,
    ar24: WebDouble,
    kind: ClientKind,
    has_consent: bool,
    address: str,
    route: str,
) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        ar24_account(ar24, session_until=NOW + dt.timedelta(minutes=30))
        reminder = formal_notice(kind=kind, client={"email": address})
        if has_consent:
            consent = LetterConsent(client=reminder.client, email="a@exemple.test", given_on=TODAY, scope="Toutes")
            consent.save(force_insert=True)

    assert deliver(firm, reminder) == "accepted"

    sent, letter = read(firm, reminder)
    assert letter is not None
    assert (sent.route, letter.is_electronic) == (route, route == "ar24")
    assert (letter.consent_id is not None) == (route == "ar24" and has_consent)
    assert (maileva.submissions, ar24.count("POST", "/mail")) == ((1, 0) if route == "maileva" else (0, 1))
    if route == "ar24":
        assert ar24.asked[-1].form["to_email"] == "a@exemple.test"


@pytest.mark.parametrize("minutes", [None, -5])
def test_waits_for_the_code_and_sends_nothing_in_its_place(
    firm: Cabinet, maileva: FakeMaileva, ar24: WebDouble, minutes: int | None
) -> None:
    """T45."""
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        until = None if minutes is None else NOW + dt.timedelta(minutes=minutes)
        account = ar24_account(ar24, session_until=until)
        reminder = formal_notice()

    assert deliver(firm, reminder) == "awaiting_code"
    assert deliver(firm, reminder) == "awaiting_code"

    waiting, letter = read(firm, reminder)
    assert (waiting.state, waiting.attempts, letter) == ("approved", 0, None)
    assert (maileva.asked, ar24.asked) == ([], [])
    with working_for(cabinet_id=firm.pk):
        assert list(Task.objects.values_list("kind", "subject_id")) == [("one_time_code", account.pk)]


def test_asks_for_the_code_again_when_the_provider_does(firm: Cabinet, ar24: WebDouble) -> None:
    ar24.faults["POST /mail"] = [said({"status": "ERROR", "slug": "missing_otp", "message": "code"})]
    with working_for(cabinet_id=firm.pk):
        ar24_account(ar24, session_until=NOW + dt.timedelta(minutes=30))
        reminder = formal_notice()

    assert deliver(firm, reminder) == "approved"

    with working_for(cabinet_id=firm.pk):
        assert ChannelAccount.objects.get().session_until is None
        assert Task.objects.filter(kind="one_time_code").count() == 1
        assert Reminder.objects.get(pk=reminder.pk).spoken_on is None


def test_gives_the_letter_to_a_person_without_any_contract(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = formal_notice()

    assert deliver(firm, reminder) == "in_hand"

    held, letter = read(firm, reminder)
    assert letter is not None
    assert (held.state, held.spoken_on, letter.state, letter.route) == ("in_hand", None, "ready", "post_desk")
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.filter(kind="post_letter", subject_id=reminder.pk).count() == 1


def test_a_demonstration_speaks_to_no_provider(maileva: FakeMaileva) -> None:
    cabinet = posting_firm(is_demo=True, demo_on=TODAY)
    with working_for(cabinet_id=cabinet.pk):
        maileva_account(maileva)
        reminder = formal_notice()

    assert deliver(cabinet, reminder) in {"in_hand", "left"}
    assert maileva.asked == []


def test_an_account_out_of_service_is_no_route(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva, is_enabled=False)
        reminder = formal_notice()

    assert deliver(firm, reminder) == "in_hand"
    assert maileva.asked == []


def test_says_nothing_about_an_invoice_paid_meanwhile(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()
        invoice = reminder.lines.get().invoice_id
        settlement.settle(invoice_id=invoice, cents=144_000)

    assert deliver(firm, reminder) == "left"
    assert (read(firm, reminder)[0].state, maileva.asked) == ("cancelled", [])


@pytest.mark.parametrize("kind", [StopKind.DISPUTE, StopKind.INSOLVENCY, StopKind.REPLIED, StopKind.HOLD])
def test_says_nothing_while_a_fact_stops_it(firm: Cabinet, maileva: FakeMaileva, kind: StopKind) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()
        standstill.declare(kind=kind, target=reminder.client)

    deliver(firm, reminder)

    assert read(firm, reminder)[0].state in {"cancelled", "held", "awaiting_approval"}
    assert maileva.asked == []


def test_takes_another_route_once_a_consent_is_withdrawn_between_the_choice_and_the_claim(
    firm: Cabinet, maileva: FakeMaileva, ar24: WebDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        ar24_account(ar24, session_until=NOW + dt.timedelta(minutes=30))
        reminder = formal_notice(kind=ClientKind.CONSUMER, client={"email": "a@exemple.test"})
        LetterConsent(client=reminder.client, email="a@exemple.test", given_on=TODAY, scope="T").save(force_insert=True)
    real = letters._first_open

    def withdrawn(one: Reminder) -> object:
        found = real(one)
        LetterConsent.objects.update(withdrawn_on=TODAY)
        return found

    monkeypatch.setattr(letters, "_first_open", withdrawn)
    assert deliver(firm, reminder) == "left"
    monkeypatch.undo()
    assert (ar24.asked, read(firm, reminder)[1]) == ([], None)

    assert deliver(firm, reminder) == "accepted"
    assert (ar24.asked, maileva.submissions) == ([], 1)


@pytest.mark.parametrize(
    ("fault", "state", "letter_state"),
    [
        (("POST /sendings", Said(status=500)), "approved", "ready"),
        ((f"POST {HOME}/recipients", Said(cut=True)), "approved", "ready"),
        (("POST /token", Said(status=401)), "approved", "ready"),
        (
            (
                f"POST {HOME}/recipients",
                said({"errors": [{"code": "ADDRESS_LINE_4_TOO_LONG", "message": "trop long"}]}, 400),
            ),
            "rejected",
            "ready",
        ),
    ],
)
def test_records_what_kept_a_letter_from_leaving(
    firm: Cabinet, maileva: FakeMaileva, fault: tuple[str, Said], state: str, letter_state: str
) -> None:
    maileva.faults[fault[0]] = [fault[1]]
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()

    assert deliver(firm, reminder) == state

    told, letter = read(firm, reminder)
    assert letter is not None
    assert (told.state, told.spoken_on, letter.state, letter.poll_at) == (state, None, letter_state, None)
    assert maileva.submissions == 0
    with working_for(cabinet_id=firm.pk):
        assert (Client.objects.get(pk=reminder.client_id).postal_refused_at is not None) == (state == "rejected")


def test_tries_again_a_letter_that_did_not_leave_and_sends_it_once(firm: Cabinet, maileva: FakeMaileva) -> None:
    maileva.faults[f"POST {HOME}/documents"] = [Said(status=503)]
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()
    assert deliver(firm, reminder) == "approved"

    with time_machine.travel(NOW + dt.timedelta(minutes=20), tick=False):
        assert deliver(firm, reminder) == "accepted"

    sent, letter = read(firm, reminder)
    assert letter is not None
    assert (sent.state, sent.attempts, letter.state, maileva.submissions) == ("accepted", 2, "submitted", 1)


def test_asks_a_person_when_nobody_can_tell_whether_it_left(firm: Cabinet, maileva: FakeMaileva) -> None:
    maileva.routes[f"POST {HOME}/submit"] = lambda _: Said(cut=True)
    maileva.faults[f"GET {HOME}"] = [Said(status=500)]
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice()

    assert deliver(firm, reminder) == "unknown"

    doubtful, letter = read(firm, reminder)
    assert letter is not None
    assert (doubtful.state, doubtful.spoken_on, letter.state) == ("unknown", TODAY, "ready")
    assert letter.poll_at is not None
    assert deliver(firm, reminder) == "left"
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.filter(kind="unknown_outcome", subject_id=reminder.pk).count() == 1


@pytest.mark.parametrize(
    "client",
    [
        {"address": "12 rue du Commandant-Charles-de-Vaucresson prolongée"},
        {"postcode": "7500"},
        {"company": "", "first_name": "", "last_name": ""},
    ],
)
def test_asks_a_person_to_mend_an_address_that_fits_no_envelope(
    firm: Cabinet, maileva: FakeMaileva, client: dict[str, str]
) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice(client=client)

    assert deliver(firm, reminder) == "no_route"

    told, letter = read(firm, reminder)
    assert (told.state, told.cancel_code, letter, maileva.asked) == ("cancelled", "BOUNCED", None, [])
    assert told.failure
    with working_for(cabinet_id=firm.pk):
        assert Task.objects.filter(kind="rejected_address").count() == 1
        assert Client.objects.get(pk=reminder.client_id).postal_refused_at is not None


def test_a_refused_mailbox_says_nothing_of_the_postal_address(firm: Cabinet, ar24: WebDouble) -> None:
    ar24.faults["POST /mail"] = [said({"status": "ERROR", "slug": "invalid_to_email", "message": "adresse"})]
    with working_for(cabinet_id=firm.pk):
        ar24_account(ar24, session_until=NOW + dt.timedelta(minutes=30))
        reminder = formal_notice()

    assert deliver(firm, reminder) == "rejected"

    with working_for(cabinet_id=firm.pk):
        assert Client.objects.get(pk=reminder.client_id).postal_refused_at is None


def test_nothing_of_a_letter_is_written_when_its_words_may_not_leave(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = formal_notice(state=ReminderState.PLANNED, reasons=[])

    assert deliver(firm, reminder) == "left"

    assert read(firm, reminder)[0].state == "awaiting_approval"
    assert maileva.asked == []
    with working_for(cabinet_id=firm.pk):
        assert Letter.objects.count() == 0
