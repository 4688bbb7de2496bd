"""Maileva: a draft that dies is no letter, and a submission nobody answered is looked at before anything is said."""

import base64
import datetime as dt
import json
from collections.abc import Iterator

import httpx
import pytest

from dunning.channels import web
from dunning.channels.letters import Attachment, Credentials, Notice
from dunning.channels.maileva import Maileva
from dunning.channels.maileva.statuses import ON_THE_WAY, STATES
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.enums import LetterState, ProofKind
from tests.dunning.channels.letter_facts import PDF, REFERENCE, a_letter
from tests.dunning.channels.maileva_double import DRAFT, HOME, RECIPIENT, FakeMaileva, archive
from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def server() -> Iterator[FakeMaileva]:
    with FakeMaileva() as running:
        yield running


def provider(server: WebDouble) -> Maileva:
    options = {
        "client_id": "app",
        "username": "cabinet",
        "base_url": server.url,
        "token_url": f"{server.url}/token",
    }
    secrets = {"client_secret": "secret", "password": "mot de passe"}
    return Maileva(Credentials(secrets=secrets, options=options), clock=lambda: NOW)


def refused(code: str, status: int = 400) -> Said:
    return said({"errors": [{"code": code, "message": f"refus {code}"}]}, status)


def test_fills_a_draft_and_submits_it_once(server: FakeMaileva) -> None:
    letter = a_letter(attachments=(Attachment(name="facture.pdf", content=b"%PDF copie"),))

    outcome = provider(server).send(letter)

    assert (outcome.verdict, outcome.reference, server.state) == (Verdict.ACCEPTED, DRAFT, "PENDING")
    assert [f"{one.method} {one.path}" for one in server.asked] == [
        "POST /token",
        "GET /sendings",
        "POST /sendings",
        f"POST {HOME}/documents",
        f"POST {HOME}/documents",
        f"POST {HOME}/recipients",
        f"POST {HOME}/submit",
    ]
    token, _, sending, document, copy, recipient, submit = server.asked
    assert token.form == {"grant_type": "password", "username": "cabinet", "password": "mot de passe"}
    assert token.headers["authorization"] == "Basic " + base64.b64encode(b"app:secret").decode()
    assert submit.headers["authorization"] == "Bearer jeton"
    assert sending.json() == {
        "name": "Facture F-2026-014 – courrier recommandé",
        "custom_id": REFERENCE,
        "acknowledgement_of_receipt": True,
        "acknowledgement_of_receipt_scanning": True,
        "color_printing": False,
        "duplex_printing": True,
        "optional_address_sheet": False,
        "notification_email": "cabinet@moreau.example",
        "sender_address_line_1": "CABINET MOREAU",
        "sender_address_line_4": "3 PLACE BELLECOUR",
        "sender_address_line_6": "69002 LYON",
        "sender_country_code": "FR",
        "archiving_duration": 3,
    }
    assert recipient.json() == {
        "custom_id": "7c0a2e1e6d0f4a9e9a531f6e1c2b3d4e",
        "address_line_1": "DURAND SARL",
        "address_line_4": "12 BIS RUE DE LA PAIX",
        "address_line_6": "75002 PARIS",
        "country_code": "FR",
    }
    assert (document.form["document"], PDF in document.body) == ("courrier.pdf", True)
    assert json.loads(copy.form["metadata"]) == {"priority": 2, "name": "facture.pdf"}


@pytest.mark.parametrize("state", ["PENDING", "ACCEPTED", "PROCESSED", "PROCESSED_WITH_ERRORS"])
def test_never_sends_what_was_sent_already(server: FakeMaileva, state: str) -> None:
    server.listed = [{"id": "autre", "custom_id": "x"}, {"id": DRAFT, "custom_id": REFERENCE, "status": state}]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference) == (Verdict.ACCEPTED, DRAFT)
    assert server.count("POST", "/sendings") == 0


@pytest.mark.parametrize("state", ["DRAFT", "REJECTED"])
def test_begins_anew_when_only_a_draft_bears_our_reference(server: FakeMaileva, state: str) -> None:
    server.listed = [{"id": "ancien", "custom_id": REFERENCE, "status": state}]

    assert provider(server).send(a_letter()).reference == DRAFT
    assert server.count("POST", "/sendings") == 1


def test_reads_the_last_page_of_a_long_list_too(server: FakeMaileva) -> None:
    pages = {"1": [], "201": [{"id": DRAFT, "custom_id": REFERENCE, "status": "ACCEPTED"}]}
    server.routes["GET /sendings"] = lambda asked: said(
        {"sendings": pages[asked.query["start_index"]], "paging": {"total_results": 700}}
    )

    found = provider(server).find(REFERENCE)

    assert found is not None
    assert found.reference == DRAFT


BEFORE = ("POST /token", "GET /sendings", "POST /sendings", f"POST {HOME}/documents", f"POST {HOME}/recipients")
FAULTS = (Said(status=500), Said(status=503), Said(status=429), Said(cut=True), Said(status=201, body=b"<html>"))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", BEFORE)
def test_what_dies_before_the_submission_sent_nothing_and_leaves_no_draft(
    server: FakeMaileva, route: str, fault: Said
) -> None:
    server.faults[route] = [fault]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, server.count("POST", f"{HOME}/submit")) == (Verdict.POSTPONED, 0)
    assert server.state == ("GONE" if HOME in route else "")


@pytest.mark.parametrize(
    ("route", "code", "stage"),
    [
        (f"POST {HOME}/recipients", "ADDRESS_LINE_4_TOO_LONG", Stage.RECIPIENT),
        (f"POST {HOME}/recipients", "EMPTY_ADDRESS_LINE_1_OR_ADDRESS_LINE_2", Stage.RECIPIENT),
        (f"POST {HOME}/documents", "INVALID_DOCUMENT_SIZE", Stage.CONTENT),
        (f"POST {HOME}/submit", "INVALID_TOTAL_SENDING_SIZE", Stage.CONTENT),
        ("POST /sendings", "INVALID_NOTIFICATION_EMAIL", Stage.CONTENT),
    ],
)
def test_tells_what_maileva_refuses_for_good(server: FakeMaileva, route: str, code: str, stage: Stage) -> None:
    server.faults[route] = [refused(code)]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.stage, outcome.code) == (Verdict.REJECTED, stage, code)
    assert outcome.text == f"Maileva refuse : refus {code}"
    assert server.state == ("" if route == "POST /sendings" else "GONE")


@pytest.mark.parametrize("fault", [Said(status=500), Said(status=504), Said(cut=True), Said(status=302)])
def test_a_submission_that_was_heard_although_nobody_answered_is_accepted(server: FakeMaileva, fault: Said) -> None:
    def heard(asked: Asked) -> Said:
        server._submit(asked)
        return fault

    server.routes[f"POST {HOME}/submit"] = heard

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference, outcome.code) == (Verdict.ACCEPTED, DRAFT, "PENDING")


@pytest.mark.parametrize("fault", [Said(status=500), Said(cut=True)])
def test_a_submission_that_was_not_heard_is_put_off_and_its_draft_goes(server: FakeMaileva, fault: Said) -> None:
    server.routes[f"POST {HOME}/submit"] = lambda _: fault

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, server.state) == (Verdict.POSTPONED, "GONE")


@pytest.mark.parametrize(
    "silent",
    [
        (f"GET {HOME}", Said(status=500)),
        (f"GET {HOME}", said({"status": "PERHAPS"})),
        (f"DELETE {HOME}", Said(cut=True)),
    ],
)
def test_says_unknown_when_nobody_can_tell(server: FakeMaileva, silent: tuple[str, Said]) -> None:
    server.routes[f"POST {HOME}/submit"] = lambda _: Said(cut=True)
    server.faults[silent[0]] = [silent[1]]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference) == (Verdict.UNKNOWN, DRAFT)


def test_a_submission_that_hangs_is_looked_at(server: FakeMaileva, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT", httpx.Timeout(0.5))
    server.routes[f"POST {HOME}/submit"] = lambda asked: (server._submit(asked), Said(hang=1.5))[1]

    assert provider(server).send(a_letter()).verdict is Verdict.ACCEPTED


def test_knows_that_nothing_left_when_nobody_listens(server: FakeMaileva) -> None:
    channel = provider(server)
    server.__exit__(None, None, None)

    assert channel.send(a_letter()).verdict is Verdict.POSTPONED


@pytest.mark.parametrize("status", [400, 401, 403])
def test_blames_the_account_when_it_may_not_sign_in(server: FakeMaileva, status: int) -> None:
    server.faults["POST /token"] = [Said(status=status), Said(status=status)]

    with pytest.raises(DeliveryError) as fault:
        provider(server).send(a_letter())
    assert fault.value.permanent
    with pytest.raises(DeliveryError, match="refuse l’application ou l’utilisateur"):
        provider(server).check()
    assert server.count("POST", "/sendings") == 0


DAY_1, DAY_3, DAY_9 = "2026-11-02", "2026-11-04", "2026-11-10"


@pytest.mark.parametrize(
    ("codes", "state", "presented", "ended"),
    [
        ([], LetterState.SUBMITTED, None, None),
        ([("A01", DAY_1)], LetterState.DEPOSITED, None, None),
        ([("A01", DAY_1), ("A02", DAY_3)], LetterState.PRESENTED, DAY_3, None),
        ([("A01", DAY_1), ("P01", DAY_3), ("D01", DAY_9)], LetterState.DELIVERED, DAY_3, DAY_9),
        ([("A01", DAY_1), ("D01", DAY_3), ("N01", DAY_9)], LetterState.DELIVERED, DAY_3, DAY_3),
        ([("A01", DAY_1), ("P05", DAY_3), ("N05", DAY_9)], LetterState.REFUSED, DAY_3, DAY_3),
        ([("P01", DAY_3), ("A26", DAY_9), ("N03", "2026-11-20")], LetterState.UNCLAIMED, DAY_3, "2026-11-20"),
        ([("A01", DAY_1), ("A23", DAY_9)], LetterState.RETURNED, None, DAY_9),
        ([("A01", DAY_1), ("Z99", DAY_9)], LetterState.DEPOSITED, None, None),
    ],
)
def test_reads_where_a_letter_is(
    server: FakeMaileva,
    codes: list[tuple[str, str]],
    state: LetterState,
    presented: str | None,
    ended: str | None,
) -> None:
    server.went(*codes)

    status = provider(server).status(DRAFT)

    assert (status.state, status.tracking) == (state, "1E00232062142")
    assert status.presented_on == (dt.date.fromisoformat(presented) if presented else None)
    assert status.ended_on == (dt.date.fromisoformat(ended) if ended else None)


def test_tells_that_a_letter_never_left(server: FakeMaileva) -> None:
    server.state = "REJECTED"
    server.routes[f"GET {HOME}"] = lambda _: said({"id": DRAFT, "status": "REJECTED", "status_detail": "PDF illisible"})

    status = provider(server).status(DRAFT)

    assert (status.state, status.words) == (LetterState.VOID, "PDF illisible")


def test_tells_that_its_only_recipient_was_refused(server: FakeMaileva) -> None:
    server.went(recipient="REJECTED")

    assert provider(server).status(DRAFT).state is LetterState.VOID


def test_no_code_is_read_two_ways() -> None:
    assert not ON_THE_WAY & set(STATES)


def test_takes_the_proofs_out_of_their_archives(server: FakeMaileva) -> None:
    server.went(("A01", DAY_1), ("P05", DAY_3))
    server.routes[f"GET {HOME}/download_deposit_proof"] = lambda _: archive(**{"dossier/depot.pdf": b"%PDF depot"})
    server.routes[f"GET {HOME}/recipients/{RECIPIENT}/download_acknowledgement_of_receipt"] = lambda _: Said(
        body=b"%PDF refus"
    )

    found = [(one.kind, one.content, one.media_type, one.name) for one in provider(server).proofs(DRAFT)]

    assert found == [
        (ProofKind.DEPOSIT, b"%PDF depot", "application/pdf", "depot.pdf"),
        (ProofKind.REFUSAL, b"%PDF refus", "application/pdf", "avis-de-reception.pdf"),
    ]


def test_has_no_proof_yet_when_maileva_has_none(server: FakeMaileva) -> None:
    server.went()

    assert list(provider(server).proofs(DRAFT)) == []


@pytest.mark.parametrize("reference", ["", "../recipients", "a/b", "x" * 41])
def test_asks_for_no_other_address_than_a_sending(server: FakeMaileva, reference: str) -> None:
    with pytest.raises(DeliveryError, match="pas celle d’un envoi"):
        provider(server).status(reference)

    assert server.asked == []


@pytest.mark.parametrize(
    ("body", "references"),
    [
        (json.dumps({"resource_id": DRAFT, "event_type": "ON_STATUS_PROCESSED"}).encode(), (DRAFT,)),
        (json.dumps({"resource_id": "../x"}).encode(), ()),
        (b"[]", ()),
        (b"{", ()),
    ],
)
def test_reads_from_a_notice_only_which_sending_moved(
    server: FakeMaileva, body: bytes, references: tuple[str, ...]
) -> None:
    assert provider(server).parse_webhook(headers={}, body=body) == Notice(references=references)
    assert server.asked == []
