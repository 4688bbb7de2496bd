"""AR24: its seals against openssl, and what each answer means when HTTP always says 200."""

import base64
import datetime as dt
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from dunning.channels.ar24 import Ar24, client, crypto
from dunning.channels.letters import Attachment, AwaitingCode, Credentials, LetterStatus, Notice
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.enums import LetterState, ProofKind
from tests.dunning.channels.letter_facts import PDF, REFERENCE, a_letter
from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

KEY = "ma-cle-privee-de-test"
DATE = "2026-01-15 10:00:00"
NOW = dt.datetime(2026, 1, 15, 9, 0, tzinfo=dt.UTC)
SIGNATURE = "564UH/rEamZ0nOUHrZCtDSKMMYTERxMPrpV+XbDPo/Y="
SEALED = b"bwTpSeyVAOASjDFh/kGEZTfZq6mDMcpn5wPkc1rH0PlAV1JlJ7m95FlHE0BEcZFs"


def openssl(content: bytes, *, key: bytes, vector: bytes) -> bytes:
    """Encrypt with a program that knows nothing of ours."""
    done = subprocess.run(  # noqa: S603 - fixed arguments
        ["/usr/bin/openssl", "enc", "-aes-256-cbc", "-K", key.hex(), "-iv", vector.hex()],
        input=content,
        capture_output=True,
        check=True,
    )
    return base64.b64encode(done.stdout)


def test_signs_as_openssl_does() -> None:
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    vector = hashlib.sha256(hashed.encode()).hexdigest()[:16].encode()

    assert crypto.sign(DATE, KEY) == SIGNATURE
    assert crypto.sign(DATE, KEY).encode() == openssl(DATE.encode(), key=hashed[:32].encode(), vector=vector)


def test_opens_the_answer_openssl_sealed() -> None:
    assert crypto.unseal(SEALED, date=DATE, private_key=KEY) == b'{"status":"SUCCESS","result":{"id":1}}'
    assert crypto.seal(b'{"status":"SUCCESS","result":{"id":1}}', date=DATE, private_key=KEY) == SEALED


def test_does_not_open_the_answer_of_another_call() -> None:
    with pytest.raises(ValueError, match="padding"):
        crypto.unseal(SEALED, date="2026-01-15 10:00:01", private_key=KEY)


@pytest.mark.parametrize(
    ("now", "date"),
    [
        (dt.datetime(2026, 1, 15, 9, 0, tzinfo=dt.UTC), "2026-01-15 10:00:00"),
        (dt.datetime(2026, 7, 15, 22, 30, tzinfo=dt.UTC), "2026-07-16 00:30:00"),
    ],
)
def test_dates_its_calls_by_the_clock_of_paris(now: dt.datetime, date: str) -> None:
    assert crypto.stamp(now) == date


def sealed(result: Any) -> Said:
    """Answer what was asked, sealed for the date every call of these tests bears."""
    content = json.dumps({"status": "SUCCESS", "result": result}).encode()
    return Said(body=crypto.seal(content, date=DATE, private_key=KEY), media_type="text/html")


def error(slug: str) -> Said:
    return said({"status": "ERROR", "slug": slug, "message": f"refus de {slug}"})


@pytest.fixture
def server() -> Iterator[WebDouble]:
    routes = {
        "GET /user": lambda _: sealed({"id": 51, "email": "avocat@moreau.example"}),
        "POST /user/auth_otp": lambda _: sealed([]),
        "POST /attachment": lambda _: sealed({"file_id": "f-1"}),
        "POST /mail": lambda _: sealed({"id": 9001, "status": "waiting", "price_ht": "2.99"}),
        "GET /user/mail": lambda _: sealed([]),
    }
    with WebDouble(routes=routes) as running:
        yield running


def provider(server: WebDouble, *, session: bool = True) -> Ar24:
    credentials = Credentials(
        secrets={"token": "jeton", "private_key": KEY},
        options={"user_id": "51", "base_url": server.url},
        session_until=NOW + dt.timedelta(minutes=40) if session else None,
    )
    return Ar24(credentials, clock=lambda: NOW)


def test_sends_a_qualified_letter_with_its_files(server: WebDouble) -> None:
    files = iter(["f-1", "f-2"])
    server.routes["POST /attachment"] = lambda _: sealed({"file_id": next(files)})
    letter = a_letter(electronic=True, attachments=(Attachment(name="facture.pdf", content=b"%PDF copie"),))

    outcome = provider(server).send(letter)

    assert (outcome.verdict, outcome.reference, outcome.cost_cents) == (Verdict.ACCEPTED, "9001", 299)
    first, second, mail = server.asked
    assert [one.path for one in server.asked] == ["/attachment", "/attachment", "/mail"]
    assert (first.form["file"], second.form["file"]) == ("courrier.pdf", "facture.pdf")
    assert PDF in first.body
    assert {one.headers["signature"] for one in server.asked} == {SIGNATURE}
    assert mail.form == {
        "token": "jeton",
        "date": DATE,
        "id_user": "51",
        "eidas": "1",
        "to_lastname": "Durand",
        "to_firstname": "Élise",
        "to_company": "Durand SARL",
        "to_email": "direction@durand.example",
        "dest_statut": "professionnel",
        "content": "Facture F-2026-014 – courrier recommandé",
        "ref_dossier": REFERENCE,
        "attachment[0]": "f-1",
        "attachment[1]": "f-2",
    }


@pytest.mark.parametrize("minutes", [None, -1, 0, 1, 2])
def test_asks_for_the_code_and_sends_nothing_in_any_form_without_a_session(
    server: WebDouble, minutes: int | None
) -> None:
    """T45."""
    until = None if minutes is None else NOW + dt.timedelta(minutes=minutes)
    channel = provider(server)
    channel._credentials = replace(channel._credentials, session_until=until)

    with pytest.raises(AwaitingCode):
        channel.send(a_letter(electronic=True))

    assert server.asked == []


@pytest.mark.parametrize("slug", ["missing_otp", "invalid_otp_code", "user_not_verified"])
def test_asks_for_the_code_again_when_ar24_does(server: WebDouble, slug: str) -> None:
    server.faults["POST /mail"] = [error(slug)]

    with pytest.raises(AwaitingCode):
        provider(server).send(a_letter(electronic=True))

    assert server.count("POST", "/mail") == 1


def test_never_sends_to_somebody_without_the_address_of_a_consent(server: WebDouble) -> None:
    with pytest.raises(DeliveryError, match="adresse électronique"):
        provider(server).send(a_letter())

    assert server.asked == []


def test_opens_a_session_of_one_hour(server: WebDouble) -> None:
    assert provider(server, session=False).authenticate("123456") == NOW + dt.timedelta(hours=1)
    assert server.asked[0].form["otp"] == "123456"


def test_says_that_the_code_was_refused(server: WebDouble) -> None:
    server.faults["POST /user/auth_otp"] = [error("invalid_otp")]

    with pytest.raises(DeliveryError, match="refuse ce code"):
        provider(server, session=False).authenticate("000000")


@pytest.mark.parametrize(
    ("fault", "verdict", "stage"),
    [
        # T48: HTTP says 200, the body says no.
        (error("invalid_to_email"), Verdict.REJECTED, Stage.RECIPIENT),
        (error("missing_content"), Verdict.REJECTED, Stage.CONTENT),
        (said({"status": "maintenance"}), Verdict.POSTPONED, Stage.CONNECT),
        (error("rate_limit"), Verdict.POSTPONED, Stage.CONNECT),
        (Said(status=500, body=b"oops", media_type="text/html"), Verdict.UNKNOWN, Stage.END),
        (Said(body=b"<html>502</html>", media_type="text/html"), Verdict.UNKNOWN, Stage.END),
        (Said(body=SEALED[:-4]), Verdict.UNKNOWN, Stage.END),
        (said({"status": "PERHAPS"}), Verdict.UNKNOWN, Stage.END),
        (said([]), Verdict.UNKNOWN, Stage.END),
        (Said(cut=True), Verdict.UNKNOWN, Stage.END),
        (sealed({"status": "waiting"}), Verdict.UNKNOWN, Stage.END),
        (sealed({"id": 9001, "status": "error"}), Verdict.REJECTED, Stage.CONTENT),
    ],
)
def test_tells_what_became_of_a_letter(server: WebDouble, fault: Said, verdict: Verdict, stage: Stage) -> None:
    server.faults["POST /mail"] = [fault]

    outcome = provider(server).send(a_letter(electronic=True))

    assert (outcome.verdict, outcome.stage) == (verdict, stage)
    assert server.count("POST", "/mail") == 1


def test_says_unknown_when_no_answer_came_in_time(server: WebDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(0.3))
    server.faults["POST /mail"] = [Said(hang=1.0)]

    assert provider(server).send(a_letter(electronic=True)).verdict is Verdict.UNKNOWN


def test_finds_a_letter_that_left_although_no_answer_came(server: WebDouble) -> None:
    server.faults["POST /mail"] = [Said(cut=True)]
    server.routes["GET /user/mail"] = lambda _: sealed(
        [{"id": 8999, "ref_dossier": "une autre"}, {"id": 9001, "ref_dossier": REFERENCE, "status": "sent"}]
    )

    outcome = provider(server).send(a_letter(electronic=True))

    assert (outcome.verdict, outcome.reference) == (Verdict.ACCEPTED, "9001")


@pytest.mark.parametrize("fault", [Said(cut=True), Said(status=502), said({"status": "maintenance"})])
def test_sends_nothing_when_a_file_does_not_arrive(server: WebDouble, fault: Said) -> None:
    server.faults["POST /attachment"] = [fault]

    assert provider(server).send(a_letter(electronic=True)).verdict is Verdict.POSTPONED
    assert server.count("POST", "/mail") == 0


def test_knows_that_nothing_left_when_nobody_listens(server: WebDouble) -> None:
    channel = provider(server)
    server.__exit__(None, None, None)

    assert channel.send(a_letter(electronic=True)).verdict is Verdict.POSTPONED


@pytest.mark.parametrize("slug", ["token_not_exist", "signature_error", "date_expired"])
def test_blames_the_account_not_the_letter(server: WebDouble, slug: str) -> None:
    server.faults["GET /user"] = [error(slug)]
    server.faults["POST /mail"] = [error(slug)]

    with pytest.raises(DeliveryError) as refused:
        provider(server).send(a_letter(electronic=True))
    assert refused.value.permanent
    with pytest.raises(DeliveryError, match=f"refus de {slug}"):
        provider(server).check()


DAYS = {"date": "2026-01-15 10:00:02", "ts_ev_date": "2026-01-15 10:01:00"}
DEPOSITED = PRESENTED = dt.date(2026, 1, 15)


@pytest.mark.parametrize(
    ("mail", "state", "presented_on", "ended_on"),
    [
        ({"status": "waiting"}, LetterState.SUBMITTED, None, None),
        ({"status": "waiting", "date": DAYS["date"]}, LetterState.DEPOSITED, None, None),
        ({"status": "sent", **DAYS}, LetterState.PRESENTED, PRESENTED, None),
        (
            {"status": "AR", **DAYS, "view_date": "2026-01-17 08:00:00"},
            LetterState.DELIVERED,
            PRESENTED,
            dt.date(2026, 1, 17),
        ),
        (
            {"status": "refused", **DAYS, "refused_date": "2026-01-18 08:00:00"},
            LetterState.REFUSED,
            PRESENTED,
            dt.date(2026, 1, 18),
        ),
        (
            {"status": "negligence", **DAYS, "negligence_date": "2026-01-31 00:05:00"},
            LetterState.UNCLAIMED,
            PRESENTED,
            dt.date(2026, 1, 31),
        ),
        (
            # A wrong address is a notice to nobody (R49).
            {"status": "bounced", **DAYS, "bounced_date": "2026-01-15 10:02:00"},
            LetterState.RETURNED,
            None,
            dt.date(2026, 1, 15),
        ),
        ({"status": "sent", "ts_ev_date": "hier"}, LetterState.SUBMITTED, None, None),
    ],
)
def test_reads_where_a_letter_is(
    server: WebDouble,
    mail: dict[str, str],
    state: LetterState,
    presented_on: dt.date | None,
    ended_on: dt.date | None,
) -> None:
    server.routes["GET /mail"] = lambda _: sealed({"id": 9001, **mail})

    status = provider(server).status("9001")

    assert (status.state, status.presented_on, status.ended_on) == (state, presented_on, ended_on)
    assert isinstance(status, LetterStatus)


def test_believes_no_answer_about_another_letter(server: WebDouble) -> None:
    server.routes["GET /mail"] = lambda _: sealed({"id": 7, **DAYS})

    with pytest.raises(DeliveryError, match="autre lettre"):
        provider(server).status("9001")


def test_fetches_each_proof_from_ar24_only(server: WebDouble) -> None:
    def mail(_: Asked) -> Said:
        return sealed(
            {
                "id": 9001,
                "proof_dp_url": f"{server.url}/get/proof/dp",
                "proof_ar_url": f"{server.url}/get/proof/ar",
                "proof_ng_url": "",
            }
        )

    server.routes["GET /mail"] = mail
    server.routes["GET /get/proof/*"] = lambda asked: Said(body=asked.path.encode(), media_type="application/pdf")

    found = [(one.kind, one.content, one.media_type, one.name) for one in provider(server).proofs("9001")]

    assert found == [
        (ProofKind.DEPOSIT, b"/get/proof/dp", "application/pdf", "preuve-de-depot.pdf"),
        (ProofKind.RECEIPT, b"/get/proof/ar", "application/pdf", "accuse-de-reception.pdf"),
    ]


def test_reads_no_proof_from_elsewhere(server: WebDouble) -> None:
    server.routes["GET /mail"] = lambda _: sealed({"id": 9001, "proof_ar_url": "https://autre.example/ar.pdf"})

    with pytest.raises(DeliveryError, match="autre serveur"):
        list(provider(server).proofs("9001"))


@pytest.mark.parametrize(
    ("body", "references"),
    [
        (b"id_mail=9001&new_state=AR&proof_url=https%3A%2F%2Fautre.example", ("9001",)),
        (b"id_mail=9001%3Bdrop&new_state=AR", ()),
        (b"\xff\xfe", ()),
        (b"", ()),
    ],
)
def test_reads_from_a_notice_only_which_letter_moved(
    server: WebDouble, body: bytes, references: tuple[str, ...]
) -> None:
    assert provider(server).parse_webhook(headers={}, body=body) == Notice(references=references)
    assert server.asked == []


def test_speaks_in_clear_to_this_machine_only() -> None:
    credentials = Credentials(secrets={}, options={"base_url": "http://ar24.example/api"})

    with pytest.raises(ValueError, match="https"):
        Ar24(credentials)
