"""« Mode d’envoi »: what leaves without a person, for the firm and for one client."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role, SendingMode
from cabinets.forms.sending import SendingForm
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.services import firm as firms
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_member

Browse = Callable[..., FirmBrowser]
SENDING = "/parametres/envois/"


def values_of(firm: Cabinet, **changes: Any) -> dict[str, Any]:
    form = SendingForm(instance=firm)
    values = {name: form[name].value() for name in form.fields}
    kept = {name: value for name, value in values.items() if value not in (None, False)}
    return {**kept, "opens_at": "09:00", "closes_at": "18:00", **changes}


def errors_of(firm: Cabinet, **changes: Any) -> dict[str, str]:
    form = SendingForm(values_of(firm, **changes), instance=Cabinet.objects.get(pk=firm.pk))
    return {name: " ".join(map(str, found)) for name, found in form.errors.items()}


def page_of(browser: FirmBrowser, url: str = SENDING) -> str:
    return html.unescape(browser.get(url).content.decode()).replace("\u00a0", " ")


def test_keeps_the_mode_the_hours_and_the_limits_and_journals_their_names(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    answer = browse(owner).post(
        SENDING,
        values_of(
            cabinet,
            sending_mode="from_firm",
            threshold="1 250,50 €",
            weekdays=["5", "1", "3"],
            opens_at="08:30",
            matter_words=" Dupont c/  Martin \n\nOpéra\nOpéra",
            batonnier_articles="175 et suivants",
            insurer_email="sinistres@assureur.example",
        ),
    )

    cabinet.refresh_from_db()
    assert answer.headers["Location"] == SENDING
    assert cabinet.sending_mode == SendingMode.APPROVE_FROM_FIRM
    assert (cabinet.approval_threshold_cents, cabinet.weekdays, cabinet.opens_at) == (125_050, "135", dt.time(8, 30))
    assert (cabinet.matter_words, cabinet.batonnier_articles) == ("Dupont c/ Martin\nOpéra", "175 et suivants")
    assert JournalEntry.objects.get(event="cabinet.mode_changed").facts == {"mode": "from_firm"}
    assert JournalEntry.objects.get(event="cabinet.sending_changed").facts == {
        "fields": [
            "opens_at", "weekdays", "matter_words", "batonnier_articles", "insurer_email", "approval_threshold_cents",
        ]
    }  # fmt: skip


def test_saving_without_a_change_writes_nothing(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browse(owner).post(SENDING, values_of(cabinet))

    assert JournalEntry.objects.filter(event__startswith="cabinet.").count() == 0


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"threshold": "12,345"}, "threshold", "par exemple 5"),
        ({"threshold": "0"}, "threshold", "par exemple 5"),
        ({"threshold": "NaN"}, "threshold", "par exemple 5"),
        ({"threshold": "-5"}, "threshold", "par exemple 5"),
        ({"threshold": ""}, "threshold", "par exemple 5"),
        ({"sending_mode": ""}, "sending_mode", "Choisissez un mode"),
        ({"sending_mode": "never"}, "sending_mode", "never"),
        ({"batonnier_articles": "la loi"}, "batonnier_articles", "citation seule"),
        ({"batonnier_articles": "articles 174 et suivants, action en justice"}, "batonnier_articles", "citation seule"),
        ({"matter_words": "x" * 61}, "matter_words", "trop long"),
        ({"matter_words": "\n".join(f"mot {n}" for n in range(201))}, "matter_words", "200 au plus"),
        ({"insurer_email": "assureur"}, "insurer_email", "sinistres@assureur.fr"),
        ({"daily_cap": "0"}, "daily_cap", "1"),
        ({"weekdays": []}, "weekdays", "du lundi au vendredi"),
        ({"weekdays": ["6"]}, "weekdays", "6"),
        ({"weekdays": ["7"]}, "weekdays", "7"),
        ({"opens_at": "07:00"}, "__all__", "entre 8 h et 20 h"),
        ({"closes_at": "21:00"}, "__all__", "entre 8 h et 20 h"),
        ({"opens_at": "18:00", "closes_at": "09:00"}, "__all__", "entre 8 h et 20 h"),
    ],
)
def test_says_what_to_do_about_a_wrong_value(
    cabinet: Cabinet, owner: Membership, changes: dict[str, Any], field: str, words: str
) -> None:
    found = errors_of(cabinet, **changes)

    assert words in found[field].replace("\u00a0", " ")


def test_a_refused_form_keeps_nothing_and_shows_the_page_again(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    answer = browse(owner).post(SENDING, values_of(cabinet, sending_mode="approve_all", threshold="rien"))

    cabinet.refresh_from_db()
    assert (answer.status_code, cabinet.sending_mode) == (422, SendingMode.AUTOMATIC)
    assert JournalEntry.objects.filter(event__startswith="cabinet.").count() == 0


@pytest.mark.parametrize("role", [Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
def test_only_who_manages_the_firm_opens_it(cabinet: Cabinet, browse: Browse, role: Role) -> None:
    browser = browse(make_member(role=role))
    client = make_client()

    statuses = [browser.post(url, {"sending_mode": "automatic"}).status_code for url in (SENDING, mode_url(client.pk))]

    client.refresh_from_db()
    assert (statuses, client.sending_mode) == ([403, 403], "")


def mode_url(client_id: object) -> str:
    return f"/clients/{client_id}/mode-d-envoi/"


def test_a_client_has_a_mode_of_its_own_and_may_follow_the_firm_again(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    client, browser = make_client(company="Atelier Nord"), browse(owner)

    browser.post(mode_url(client.pk), {"sending_mode": "approve_all"})
    client.refresh_from_db()
    kept, listed, shown = client.sending_mode, page_of(browser), page_of(browser, f"/clients/{client.pk}/")
    browser.post(mode_url(client.pk), {"sending_mode": ""})

    client.refresh_from_db()
    assert (kept, client.sending_mode) == ("approve_all", "")
    assert "Atelier Nord" in listed
    assert "Tout valider" in shown
    assert "Aucun : tous suivent le mode du cabinet" in page_of(browser)
    lines = JournalEntry.objects.filter(event="client.mode_changed").order_by("pk")
    assert [(line.subject_id, line.facts) for line in lines] == [
        (client.pk, {"mode": "approve_all"}),
        (client.pk, {"mode": "firm"}),
    ]


def test_refuses_a_mode_that_does_not_exist(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client()

    answer = browse(owner).post(mode_url(client.pk), {"sending_mode": "never"})

    client.refresh_from_db()
    assert (answer.status_code, client.sending_mode) == (422, "")
    assert JournalEntry.objects.filter(event="client.mode_changed").count() == 0


def test_says_who_suspended_everything_and_since_when(cabinet: Cabinet, browse: Browse) -> None:
    owner = make_member(role=Role.OWNER)
    browser = browse(owner)
    running = page_of(browser)
    firms.suspend_all(cabinet=cabinet, by=owner, at=cabinet.now())

    page = page_of(browser)

    assert "Envois en cours" in running
    assert f"depuis le 24 novembre 2026 à 10 h 30, par {owner.user}. Aucun message ne part." in page
    assert "Reprendre les envois" in page


def test_lists_its_exceptions_in_as_many_queries_for_one_as_for_five(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    counts = []
    for added in (1, 4):
        for _ in range(added):
            make_client(sending_mode="approve_all")
        browser.get(SENDING)
        with CaptureQueriesContext(connection) as queries:
            browser.get(SENDING)
        counts.append(len(queries))

    assert counts[0] == counts[1]
