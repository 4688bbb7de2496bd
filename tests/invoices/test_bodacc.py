"""The BODACC's open data, on a double that answers as its interface does: pages of records, a judgment as text."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from invoices.bodacc import Bodacc, BodaccError, Proceeding
from invoices.enums import Grounds
from tests.dunning.channels.web_double import Asked, Said, WebDouble, said

D = dt.date
SIREN = "552100554"
PATH = "/api/explore/v2.1/catalog/datasets/annonces-commerciales/records"


def notice(
    nature: str,
    *,
    on: str = "2025-05-20",
    judged: str = "2025-05-10",
    famille: str = "Jugement d'ouverture",
    siren: str = SIREN,
    **facts: Any,
) -> dict[str, Any]:
    judgment = {
        "type": "initial",
        "famille": famille,
        "nature": nature,
        "date": judged,
        "complementJugement": "Mandataire judiciaire : Me Exemple, 1 rue du Palais.",
    }
    return {
        "id": f"A{on.replace('-', '')}1",
        "publicationavis": "A",
        "dateparution": on,
        "familleavis": "collective",
        "familleavis_lib": "Procédures collectives",
        "typeavis": "annonce",
        "tribunal": "Tribunal de commerce de Lyon",
        "registre": [f"{siren[:3]} {siren[3:6]} {siren[6:]}", siren],
        "jugement": json.dumps(judgment),
        **facts,
    }


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with WebDouble() as double:
        yield double


def answer(web: WebDouble, *records: dict[str, Any]) -> None:
    def page(asked: Asked) -> Said:
        start, size = int(asked.query["offset"]), int(asked.query["limit"])
        return said({"total_count": len(records), "results": list(records[start : start + size])})

    web.routes[f"GET {PATH}"] = page


def ask(web: WebDouble, *sirens: str) -> dict[str, Proceeding | None]:
    return Bodacc(web.url + PATH, timeout=httpx.Timeout(1.0)).proceedings(sirens or (SIREN,))


def test_an_opening_judgment_is_told_with_its_days_its_court_and_the_words_that_name_the_mandataire(
    web: WebDouble,
) -> None:
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire"))

    assert ask(web)[SIREN] == Proceeding(
        siren=SIREN,
        grounds=Grounds.LIQUIDATION,
        judged_on=D(2025, 5, 10),
        published_on=D(2025, 5, 20),
        notice_id="A202505201",
        court="Tribunal de commerce de Lyon",
        details="Mandataire judiciaire : Me Exemple, 1 rue du Palais.",
    )
    asked = web.asked[0].query
    assert asked["where"] == ('familleavis="collective" and (registre="552100554" or registre="552 100 554")')
    assert (asked["limit"], asked["offset"]) == ("100", "0")


def test_a_company_without_a_notice_is_in_no_proceeding(web: WebDouble) -> None:
    answer(web)

    assert ask(web) == {SIREN: None}


@pytest.mark.parametrize(
    ("nature", "grounds"),
    [
        ("Jugement d'ouverture d'une procédure de redressement judiciaire", Grounds.RECOVERY),
        ("Jugement d'ouverture d'une procédure de sauvegarde", Grounds.SAFEGUARD),
        ("Jugement de conversion en liquidation judiciaire de la procédure de redressement", Grounds.LIQUIDATION),
        ("Autre jugement d'ouverture", Grounds.OTHER),
    ],
)
def test_the_judgment_says_what_it_opens(web: WebDouble, nature: str, grounds: Grounds) -> None:
    answer(web, notice(nature))

    found = ask(web)[SIREN]
    assert found is not None
    assert found.grounds is grounds


@pytest.mark.parametrize("judged", ["2025-05-10", "10/05/2025", "10 mai 2025"])
def test_a_judgments_day_is_read_as_it_is_written(web: WebDouble, judged: str) -> None:
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire", judged=judged))

    found = ask(web)[SIREN]
    assert found is not None
    assert found.judged_on == D(2025, 5, 10)


def test_a_day_nobody_can_read_is_unknown(web: WebDouble) -> None:
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire", judged="mai 2025"))

    found = ask(web)[SIREN]
    assert found is not None
    assert found.judged_on is None


def test_a_conversion_keeps_the_first_judgments_days(web: WebDouble) -> None:
    answer(
        web,
        notice("Jugement de conversion en liquidation judiciaire", on="2025-11-02", judged="2025-10-20"),
        notice("Jugement d'ouverture d'une procédure de redressement judiciaire"),
    )

    found = ask(web)[SIREN]
    assert found is not None
    assert (found.grounds, found.judged_on, found.published_on) == (
        Grounds.LIQUIDATION,
        D(2025, 5, 10),
        D(2025, 5, 20),
    )


@pytest.mark.parametrize(
    ("later", "in_force"),
    [
        (
            notice("Jugement de clôture pour extinction du passif", famille="Jugement de clôture", on="2026-01-01"),
            False,
        ),
        (notice("Jugement de clôture pour insuffisance d'actif", famille="Jugement de clôture", on="2026-01-01"), True),
        (notice("Jugement arrêtant le plan de redressement", famille="Jugement prononçant", on="2026-01-01"), True),
        (notice("Dépôt de l'état des créances", famille="Avis de dépôt", on="2026-01-01"), True),
        (
            notice("Jugement d'ouverture de liquidation judiciaire", on="2026-01-01", typeavis="annulation"),
            False,
        ),
    ],
)
def test_only_an_end_that_frees_the_debtor_ends_a_proceeding(
    web: WebDouble, later: dict[str, Any], in_force: bool
) -> None:
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire"), later)

    assert (ask(web)[SIREN] is not None) is in_force


def test_several_companies_are_asked_in_one_call_and_each_gets_its_own_answer(web: WebDouble) -> None:
    other = "732829320"
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire", siren=other))

    found = ask(web, SIREN, other)

    assert (found[SIREN], found[other] is not None, len(web.asked)) == (None, True, 1)


def test_a_long_answer_is_read_to_its_end(web: WebDouble) -> None:
    old = [notice("Dépôt de l'état des créances", famille="Avis de dépôt", on="2020-01-01") for _ in range(150)]
    answer(web, *old, notice("Jugement d'ouverture de liquidation judiciaire"))

    assert ask(web)[SIREN] is not None
    assert [one.query["offset"] for one in web.asked] == ["0", "100"]


@pytest.mark.parametrize(
    "reply",
    [
        Said(status=500),
        Said(status=429),
        Said(status=302),
        Said(body=b"<html>"),
        said({"results": []}),
        said({"total_count": 3, "results": None}),
        said({"total_count": 3, "results": []}),
        said({"total_count": 1, "results": [notice("x", dateparution=None)]}),
        said({"total_count": 1, "results": [notice("x", jugement="{")]}),
        Said(cut=True),
        Said(hang=2.0),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_nothing_found(web: WebDouble, reply: Said) -> None:
    web.routes[f"GET {PATH}"] = lambda asked: reply

    with pytest.raises(BodaccError):
        ask(web)


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(BodaccError, match="ne répond pas"):
        Bodacc("http://127.0.0.1:9/records", timeout=httpx.Timeout(1.0)).proceedings([SIREN])
