"""A formal notice, from a lawyer's accord to the proof of its receipt, by paper and by AR24; the chain holds it all."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import acting_for, working_for
from dunning.channels.ar24 import crypto
from dunning.enums import Reason, ReminderState
from dunning.models import EvidenceEntry, Letter, LetterProof, Reminder
from dunning.services import approving, evidence, letter_polling, letters
from dunning.services.letter_composing import write_letter
from invoices.sealed_files import open_sealed_file
from tests.conftest import NOW
from tests.dunning.channels.maileva_double import FakeMaileva
from tests.dunning.channels.web_double import Asked, Said, WebDouble
from tests.dunning.letter_world import ar24_account, formal_notice, maileva_account, posting_firm
from tests.factories.cabinets import make_member
from tests.factories.invoices import TODAY

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
KEY = "ma-cle-privee-de-test"
ONE_ACCORD = [one.value for one in Reason if one not in {Reason.TWO_PEOPLE, Reason.NO_TEXT, Reason.BY_HAND}]
DEPOSIT, RECEIPT = b"%PDF depot", b"%PDF accuse de reception"


class FakeAr24(WebDouble):
    """AR24 as its client reads it: a letter goes from sent to received, its proofs at its own addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.mail: dict[str, Any] = {"status": "waiting"}
        self.files: list[bytes] = []
        self.routes = {
            "POST /attachment": self._attach,
            "POST /mail": lambda asked: self._say(asked, {"id": 9001, "status": "waiting"}),
            "GET /user/mail": lambda asked: self._say(asked, []),
            "GET /mail": lambda asked: self._say(asked, {"id": 9001, **self.mail}),
            "GET /get/proof/dp": lambda _: Said(body=DEPOSIT, media_type="application/pdf"),
            "GET /get/proof/ar": lambda _: Said(body=RECEIPT, media_type="application/pdf"),
        }

    def received(self) -> None:
        self.mail = {
            "status": "AR",
            "date": f"{TODAY} 11:00:00",
            "ts_ev_date": f"{TODAY} 11:01:00",
            "view_date": f"{TODAY + dt.timedelta(days=2)} 09:00:00",
            "proof_dp_url": f"{self.url}/get/proof/dp",
            "proof_ar_url": f"{self.url}/get/proof/ar",
        }

    def _attach(self, asked: Asked) -> Said:
        self.files.append(asked.body)
        return self._say(asked, {"file_id": f"f-{len(self.files)}"})

    def _say(self, asked: Asked, result: object) -> Said:
        content = json.dumps({"status": "SUCCESS", "result": result}).encode()
        return Said(body=crypto.seal(content, date=crypto.stamp(dt.datetime.now(dt.UTC)), private_key=KEY))


@pytest.fixture
def maileva() -> Iterator[FakeMaileva]:
    with FakeMaileva() as running:
        yield running


@pytest.fixture
def ar24() -> Iterator[FakeAr24]:
    with FakeAr24() as running:
        yield running


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return posting_firm(mediator_name="Médiateur de la consommation", mediator_site="mediateur.example")


def agreed(firm: Cabinet) -> Reminder:
    """Let a lawyer agree to a formal notice that waits, and return it at its departure."""
    lawyer = make_member(role=Role.LAWYER, cabinet=firm, sees_every_file=True)
    reminder = formal_notice(state=ReminderState.AWAITING_APPROVAL, approved_at=None, reasons=ONE_ACCORD)
    done = approving.approve(reminder_id=reminder.pk, by=lawyer)
    assert done.state == ReminderState.APPROVED
    return done


def leave(firm: Cabinet, reminder: Reminder) -> dt.datetime:
    """Let it leave at its hour, its words set as every letter's are."""
    at = max(reminder.depart_at, NOW)
    with time_machine.travel(at, tick=False), acting_for(cabinet_id=firm.pk):
        assert letters.deliver(reminder_id=reminder.pk, compose=write_letter) == "accepted"
    return at


def follow(at: dt.datetime) -> None:
    """Ask what became of it, until nobody asks any more."""
    for hours in (4, 30, 80):
        with time_machine.travel(at + dt.timedelta(hours=hours), tick=False):
            for cabinet_id, ids in letter_polling.due_letters(now=at + dt.timedelta(hours=hours)).items():
                letter_polling.poll(cabinet_id=cabinet_id, letter_ids=ids)


def proven(firm: Cabinet, reminder: Reminder, route: str) -> None:
    """Assert what a judge would ask: which words, sent when, received when, by which proof; the chain holds."""
    with working_for(cabinet_id=firm.pk):
        told, letter = Reminder.objects.get(pk=reminder.pk), Letter.objects.get(reminder=reminder)
        assert (told.state, letter.state, letter.route, letter.poll_at) == ("delivered", "delivered", route, None)
        pdf = open_sealed_file(letter.stored_as, bound_to=letter.bound_to("pdf")).read()
        words = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
        assert "MISE EN DEMEURE" in words
        proofs = LetterProof.objects.filter(reminder=reminder).order_by("kind")
        kept = {one.kind: open_sealed_file(one.stored_as, bound_to=one.bound_to("file")).read() for one in proofs}
        assert kept == {"deposit": DEPOSIT, "receipt": RECEIPT}
        said = list(EvidenceEntry.objects.filter(reminder=reminder).order_by("seq").values_list("event", flat=True))
        assert said == ["message.departed", "letter.delivered", "proof.kept", "proof.kept"]
        verdict = evidence.verify()
        assert (verdict.holds, verdict.altered) == (True, ())


def test_by_paper_through_maileva(firm: Cabinet, maileva: FakeMaileva) -> None:
    with working_for(cabinet_id=firm.pk):
        maileva_account(maileva)
        reminder = agreed(firm)
    at = leave(firm, reminder)
    day = at.date() + dt.timedelta(days=1)
    maileva.went(("A01", f"{at.date()}"), ("A02", f"{day}"), ("D01", f"{day}"))
    maileva.archived(deposit=DEPOSIT, receipt=RECEIPT)

    follow(at)

    proven(firm, reminder, "maileva")
    assert maileva.submissions == 1


def test_electronically_through_ar24(firm: Cabinet, ar24: FakeAr24) -> None:
    with working_for(cabinet_id=firm.pk):
        ar24_account(ar24, session_until=NOW + dt.timedelta(days=3))
        reminder = agreed(firm)
    at = leave(firm, reminder)
    ar24.received()

    follow(at)

    proven(firm, reminder, "ar24")
    assert ar24.count("POST", "/mail") == 1
