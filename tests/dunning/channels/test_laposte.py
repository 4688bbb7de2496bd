"""La Poste: one call orders a letter, so a call nobody answered stays a doubt; a number tells where any letter is."""

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from dunning.channels.laposte import LaPoste, Suivi
from dunning.channels.letters import Credentials, LetterStatus
from dunning.channels.protocol import DeliveryError, Stage, Verdict
from dunning.enums import LetterState
from tests.dunning.channels.letter_facts import PDF, REFERENCE, a_letter
from tests.dunning.channels.web_double import Said, WebDouble, said

NUMBER = "1E00232062142"
CODES = {
    "customer_coclico": "12345678",
    "partner_coclico": "87654321",
    "contract_number": "D-0001070-5",
    "product_id": "05",
}
ORDERED = {
    **{name: CODES[name] for name in ("customer_coclico", "partner_coclico", "contract_number")},
    "order_id": "CMD-1",
    "letters": [{"smartdata": {"item_id": "1E0023206214", "item_id_cckey": "2"}}],
}
ORDERS, TRACK = "POST /lh/pro/orders", f"GET /suivi/v2/idships/{NUMBER}"


@pytest.fixture
def server() -> Iterator[WebDouble]:
    with WebDouble(routes={ORDERS: lambda _: said(ORDERED, 201)}) as running:
        yield running


def provider(server: WebDouble, **options: str) -> LaPoste:
    return LaPoste(Credentials(secrets={"okapi_key": "cle"}, options={"base_url": server.url, **CODES, **options}))


def test_orders_one_letter(server: WebDouble) -> None:
    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference, outcome.tracking, outcome.text) == (
        Verdict.ACCEPTED,
        NUMBER,
        NUMBER,
        "Commande CMD-1",
    )
    (asked,) = server.asked
    assert asked.headers["x-okapi-key"] == "cle"
    assert asked.json() == {
        **CODES,
        "order_name": REFERENCE,
        "reference_client": REFERENCE,
        "attachments": [
            {
                "address_sheet_flag": False,
                "attachment": [base64.b64encode(PDF).decode()],
                "attachment_name": "courrier.pdf",
                "color_printing_flag": False,
                "duplex_printing_flag": True,
                "sender": {
                    "name1": "CABINET MOREAU",
                    "add4": "3 PLACE BELLECOUR",
                    "zip_code": "69002",
                    "town": "LYON",
                    "country_code": "FR",
                    "email": "cabinet@moreau.example",
                },
                "receivers": [
                    {
                        "name1": "DURAND SARL",
                        "add4": "12 BIS RUE DE LA PAIX",
                        "zip_code": "75002",
                        "town": "PARIS",
                        "country_code": "FR",
                        "receiver_reference": REFERENCE,
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("fault", "verdict", "stage"),
    [
        (Said(cut=True), Verdict.UNKNOWN, Stage.END),
        (Said(status=500), Verdict.UNKNOWN, Stage.END),
        (Said(status=200, body=b"<html>"), Verdict.UNKNOWN, Stage.END),
        (said([], 200), Verdict.UNKNOWN, Stage.END),
        (said({"letters": []}, 200), Verdict.UNKNOWN, Stage.END),
        (said({**ORDERED, "letters": []}, 206), Verdict.UNKNOWN, Stage.END),
        (said({"errors": [{"code": "ERR12", "message": "PDF invalide"}]}, 400), Verdict.REJECTED, Stage.CONTENT),
        (said({"errors": [{"message": "receivers.town manque"}]}, 400), Verdict.REJECTED, Stage.RECIPIENT),
    ],
)
def test_tells_what_became_of_an_order(server: WebDouble, fault: Said, verdict: Verdict, stage: Stage) -> None:
    server.faults[ORDERS] = [fault]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.stage, len(server.asked)) == (verdict, stage, 1)


def test_keeps_the_order_s_number_when_the_letter_has_none_yet(server: WebDouble) -> None:
    server.faults[ORDERS] = [said({**ORDERED, "letters": []}, 201)]

    outcome = provider(server).send(a_letter())

    assert (outcome.verdict, outcome.reference, outcome.tracking) == (Verdict.ACCEPTED, "CMD-1", "")


@pytest.mark.parametrize(("status", "is_permanent"), [(401, True), (403, True), (429, False)])
def test_blames_the_key_not_the_letter(server: WebDouble, status: int, is_permanent: bool) -> None:
    server.faults[ORDERS] = [Said(status=status)]

    with pytest.raises(DeliveryError) as fault:
        provider(server).send(a_letter())

    assert fault.value.permanent is is_permanent


def test_orders_nothing_without_a_contract(server: WebDouble) -> None:
    with pytest.raises(DeliveryError, match="Code Coclico du client, Numéro de contrat LReL"):
        provider(server, customer_coclico="", contract_number="").send(a_letter())

    assert server.asked == []


def test_knows_that_nothing_left_when_nobody_listens(server: WebDouble) -> None:
    channel = provider(server)
    server.__exit__(None, None, None)

    assert channel.send(a_letter()).verdict is Verdict.POSTPONED


def test_asks_la_poste_to_mail_the_proof_of_deposit(server: WebDouble) -> None:
    server.routes["POST /lh/pro/orders/pddng"] = lambda _: said({}, 200)

    provider(server).ask_proof(order_id="CMD-1", ordered_on=dt.date(2026, 11, 24), email="cabinet@moreau.example")

    assert server.asked[0].json() == {
        "customer_coclico": "12345678",
        "contract_number": "D-0001070-5",
        "email": "cabinet@moreau.example",
        "order_date": "2026-11-24",
        "orders": [{"order_id": "CMD-1"}],
    }


def shipment(*events: tuple[str, str, str]) -> list[dict[str, Any]]:
    rows = [
        {"order": number, "code": code, "date": f"{day}T10:00:00+01:00", "label": label}
        for number, (code, day, label) in enumerate(events)
    ]
    return [{"lang": "fr_FR", "returnCode": 200, "shipment": {"idShip": NUMBER, "event": rows}}]


D1, D3, D9 = "2026-11-02", "2026-11-04", "2026-11-10"
TAKEN, WAITING = ("PC1", D1, "Pris en charge"), ("AG1", D3, "En attente au guichet")


@pytest.mark.parametrize(
    ("events", "state", "presented", "ended"),
    [
        ([("DR1", D1, "Annoncé")], LetterState.SUBMITTED, None, None),
        ([TAKEN, ("ET1", D3, "En cours"), ("MD2", D3, "En distribution")], LetterState.DEPOSITED, None, None),
        ([TAKEN, WAITING], LetterState.PRESENTED, D3, None),
        ([TAKEN, WAITING, ("DI1", D9, "Distribué")], LetterState.DELIVERED, D3, D9),
        ([TAKEN, ("DI1", D3, "Distribué")], LetterState.DELIVERED, D3, D3),
        ([TAKEN, ("RE1", D3, "Retour : pli refusé par le destinataire")], LetterState.REFUSED, D3, D3),
        ([TAKEN, WAITING, ("RE1", D9, "Retourné à l’expéditeur")], LetterState.UNCLAIMED, D3, D9),
        ([TAKEN, ("RE1", D9, "Retour : non réclamé")], LetterState.UNCLAIMED, None, D9),
        ([TAKEN, ("RE1", D9, "Adresse incomplète")], LetterState.RETURNED, None, D9),
        ([TAKEN, ("RE1", D3, "Retourné"), ("DI2", D9, "Distribué à l’expéditeur")], LetterState.RETURNED, None, D3),
        ([TAKEN, ("ZZ9", D9, "Inconnu")], LetterState.DEPOSITED, None, None),
    ],
)
def test_reads_where_any_letter_is(
    server: WebDouble,
    events: list[tuple[str, str, str]],
    state: LetterState,
    presented: str | None,
    ended: str | None,
) -> None:
    server.routes[TRACK] = lambda _: said(shipment(*events))

    status = Suivi(key="cle", base_url=server.url).track(NUMBER)

    assert (status.state, status.tracking) == (state, NUMBER)
    assert status.presented_on == (dt.date.fromisoformat(presented) if presented else None)
    assert status.ended_on == (dt.date.fromisoformat(ended) if ended else None)
    assert (server.asked[0].query, server.asked[0].headers["x-okapi-key"]) == ({"lang": "fr_FR"}, "cle")


@pytest.mark.parametrize("answer", [said([{"returnCode": 104}], 404), said({"returnCode": 104}, 404), said({}, 404)])
def test_a_number_la_poste_has_not_seen_is_no_error(server: WebDouble, answer: Said) -> None:
    server.routes[TRACK] = lambda _: answer

    assert provider(server).status(NUMBER) == LetterStatus(state=LetterState.SUBMITTED, tracking=NUMBER)


@pytest.mark.parametrize(
    "answer",
    [
        said([{"returnCode": 504}], 504),
        said([{"returnCode": 200}]),
        said([{"returnCode": 200, "shipment": {"idShip": "1A00000000000", "event": []}}]),
        said("texte"),
        Said(body=b"<html>"),
        Said(status=401),
        Said(status=429),
        Said(cut=True),
    ],
)
def test_tells_when_nobody_says_where_it_is(server: WebDouble, answer: Said) -> None:
    server.routes[TRACK] = lambda _: answer

    with pytest.raises(DeliveryError):
        provider(server).status(NUMBER)


def test_asks_about_nothing_but_a_number(server: WebDouble) -> None:
    with pytest.raises(DeliveryError, match="n’est pas valable"):
        provider(server).status("../orders")

    assert server.asked == []
