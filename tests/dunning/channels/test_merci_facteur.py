"""Merci Facteur: « success: false » means nothing left, silence means nobody knows, and its guard refuses twice."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from dunning.channels.letters import Credentials, Notice
from dunning.channels.merci_facteur import MerciFacteur
from dunning.channels.merci_facteur.client import signature
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.enums import LetterState, ProofKind
from tests.dunning.channels.letter_facts import PDF, REFERENCE, a_letter
from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
STAMP = 1795510800
SEND = "POST /sendCourrier"


def taken(asked: Asked) -> Said:
    """Take a letter once, as the documentation says of « antidoublon »."""
    form = asked.form
    for name in ("adress", "content"):
        json.loads(form[name])
    return said({"success": True, "envoi_id": 123, "price": {"total": {"ht": 7.445, "ttc": 8.93}}})


@pytest.fixture
def server() -> Iterator[WebDouble]:
    routes = {
        "GET /getToken": lambda _: said({"success": True, "token": "jeton", "expire": STAMP + 86_400}),
        SEND: taken,
    }
    with WebDouble(routes=routes) as running:
        yield running


def provider(server: WebDouble) -> MerciFacteur:
    options = {"service_id": "abc123", "user_id": "17460", "base_url": server.url}
    return MerciFacteur(Credentials(secrets={"secret_key": "secret"}, options=options), clock=lambda: NOW)


def refused(code: str, status: int = 400) -> Said:
    return said({"success": False, "error": {"code": code, "text": "refus"}}, status)


def test_signs_with_the_key_that_never_travels(server: WebDouble) -> None:
    provider(server).check()

    (asked,) = server.asked
    expected = hmac.new(b"secret", b"abc123%d" % STAMP, hashlib.sha256).hexdigest()
    assert signature(service_id="abc123", secret_key="secret", timestamp=STAMP) == expected
    assert {name: value for name, value in asked.headers.items() if name.startswith("ww-")} == {
        "ww-service-signature": expected,
        "ww-timestamp": str(STAMP),
        "ww-service-id": "abc123",
        "ww-authorized-ip": "111.111.111",
    }


def test_orders_a_letter_whose_receipt_is_scanned(server: WebDouble) -> None:
    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference, outcome.cost_cents) == (Verdict.ACCEPTED, "123", 745)
    form = server.asked[-1].form
    assert {name: form[name] for name in ("idUser", "modeEnvoi", "antidoublon")} == {
        "idUser": "17460",
        "modeEnvoi": "lrare",
        "antidoublon": REFERENCE,
    }
    assert json.loads(form["adress"])["dest"] == [
        {
            "civilite": "",
            "nom": "",
            "prenom": "",
            "societe": "DURAND SARL",
            "adresse1": "12 BIS RUE DE LA PAIX",
            "adresse2": "",
            "adresse3": "",
            "cp": "75002",
            "ville": "PARIS",
            "pays": "FRANCE",
            "reference": "",
        }
    ]
    assert json.loads(form["content"]) == {
        "letter": {
            "files": "",
            "base64files": [base64.b64encode(PDF).decode()],
            "final_filename": "courrier",
            "print_sides": "distinctrectoverso",
        },
        "photo": "",
        "card": "",
    }


@pytest.mark.parametrize(
    ("fault", "verdict", "stage"),
    [
        (Said(cut=True), Verdict.UNKNOWN, Stage.END),
        (Said(status=500), Verdict.UNKNOWN, Stage.END),
        (Said(status=200, body=b"<html>"), Verdict.UNKNOWN, Stage.END),
        (said({"hello": 1}), Verdict.UNKNOWN, Stage.END),
        (said({"success": True}), Verdict.UNKNOWN, Stage.END),
        (refused("ANTIDOUBLON_ALREADY_USED"), Verdict.UNKNOWN, Stage.END),
        (refused("INFO_ADDRESS_MISSING"), Verdict.REJECTED, Stage.RECIPIENT),
        (refused("INVALID_FILE"), Verdict.REJECTED, Stage.CONTENT),
        (Said(status=429), Verdict.POSTPONED, Stage.CONNECT),
    ],
)
def test_tells_what_became_of_an_order(server: WebDouble, fault: Said, verdict: Verdict, stage: Stage) -> None:
    server.faults[SEND] = [fault]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.stage) == (verdict, stage)
    assert server.count("POST", "/sendCourrier") == 1


@pytest.mark.parametrize("fault", [Said(cut=True), Said(status=500), Said(body=b"?")])
def test_orders_nothing_without_a_token(server: WebDouble, fault: Said) -> None:
    server.faults["GET /getToken"] = [fault]

    assert provider(server).send(a_letter()).verdict is Verdict.POSTPONED
    assert server.count("POST", "/sendCourrier") == 0


def test_blames_the_account_not_the_letter(server: WebDouble) -> None:
    server.faults["GET /getToken"] = [refused("BAD_SIGNATURE", 401)]
    with pytest.raises(DeliveryError, match="BAD_SIGNATURE") as fault:
        provider(server).check()
    assert fault.value.permanent

    server.faults[SEND] = [refused("TOKEN_EXPIRED", 401)]
    with pytest.raises(DeliveryError, match="TOKEN_EXPIRED"):
        provider(server).send(a_letter())


def row(code: str, words: str, **more: Any) -> dict[str, Any]:
    """Tell one state, as the documentation's own examples do."""
    return {"statut_courrier": code, "statut_description": words, "tracking_number": "2C123456789", **more}


TAKEN = row("pris_en_charge", "02/11/2026 : Courrier pris en charge par La Poste")
WAITING = row("attente_au_guichet", "04/11/2026 : À retirer au guichet")


@pytest.mark.parametrize(
    ("rows", "state", "presented"),
    [
        ([row("wait", "02/11/2026 : Courrier en attente", tracking_number=None)], LetterState.SUBMITTED, None),
        ([TAKEN], LetterState.DEPOSITED, None),
        ([TAKEN, WAITING], LetterState.PRESENTED, dt.date(2026, 11, 4)),
        (
            [TAKEN, row("distribue", "05/11/2026 : Courrier distribué au destinataire")],
            LetterState.DELIVERED,
            dt.date(2026, 11, 5),
        ),
        (
            [TAKEN, row("retour_expediteur", "06/11/2026 : Courrier retourné (adresse incomplète)")],
            LetterState.RETURNED,
            None,
        ),
        (
            [TAKEN, WAITING, row("retour_expediteur", "20/11/2026 : Courrier retourné (non réclamé)")],
            LetterState.UNCLAIMED,
            dt.date(2026, 11, 4),
        ),
        (
            [TAKEN, row("retour_expediteur", "06/11/2026 : Courrier retourné (refusé)")],
            LetterState.REFUSED,
            dt.date(2026, 11, 6),
        ),
        ([TAKEN, row("distribue", "date inconnue")], LetterState.DEPOSITED, None),
    ],
)
def test_reads_where_a_letter_is(
    server: WebDouble, rows: list[dict[str, Any]], state: LetterState, presented: dt.date | None
) -> None:
    server.routes["GET /getSuiviEnvoi"] = lambda _: said({"success": True, "suiviCourrier": rows})

    status = provider(server).status("123")

    assert (status.state, status.presented_on) == (state, presented)
    assert server.asked[-1].query == {"idEnvoi": "123"}


def test_fetches_the_proofs_that_exist_in_the_form_they_have(server: WebDouble) -> None:
    def proof(asked: Asked) -> Said:
        if asked.query["document"] == "depot":
            return refused("PROOF_NOT_FOUND")
        document = base64.b64encode(b"\xff\xd8 avis").decode()
        return said({"success": True, "document": document, "format_return": "jpeg"})

    server.routes["GET /getSuiviEnvoi"] = lambda _: said({"success": True, "suiviCourrier": [TAKEN]})
    server.routes["GET /getProof"] = proof

    found = [(one.kind, one.content, one.media_type, one.name) for one in provider(server).proofs("123")]

    assert found == [(ProofKind.RECEIPT, b"\xff\xd8 avis", "image/jpeg", "avis-de-reception.jpeg")]


@pytest.mark.parametrize(
    ("body", "references"),
    [
        (urlencode({"event": "{}", "detail": json.dumps([{"id_envoi": "123"}, {"id_envoi": "987"}])}), ("123", "987")),
        (urlencode({"detail": json.dumps([{"id_envoi": "../x"}, "y"])}), ()),
        (urlencode({"detail": "{"}), ()),
        ("", ()),
    ],
)
def test_reads_from_a_notice_only_which_orders_moved(server: WebDouble, body: str, references: tuple[str, ...]) -> None:
    assert provider(server).parse_webhook(headers={}, body=body.encode()) == Notice(references=references)
    assert server.asked == []
