"""The frame shows what the person may open, and nothing to a visitor."""

import datetime as dt
import uuid
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries

from cabinets.enums import RIGHTS, Right, Role
from cabinets.models import Cabinet
from config.context import Chrome, chrome
from payments.enums import RequestKind, RequestState
from payments.models import DebtorRequest
from payments.services.links import link_for
from tests.factories.cabinets import make_client

MARTINIQUE = ZoneInfo("America/Martinique")


def request_of(role: Role, path: str = "/factures/", **extra: object) -> HttpRequest:
    request = RequestFactory().get(path)
    cabinet = SimpleNamespace(
        name="Cabinet Aubry Lenoir",
        is_demo=False,
        suspended_at=None,
        subscription_suspended_at=None,
        zone=MARTINIQUE,
        today=lambda: dt.date(2026, 11, 24),
    )
    user = SimpleNamespace(is_authenticated=True, get_full_name=lambda: "Claire Aubry")
    values = {
        "cabinet": cabinet,
        "member": SimpleNamespace(pk=uuid.uuid4(), can=lambda right: right in RIGHTS[role]),
        "user": user,
        "chrome_counts": {},
        **extra,
    }
    for name, value in values.items():
        setattr(request, name, value)
    return request


def test_a_visitor_gets_an_empty_frame() -> None:
    assert chrome(RequestFactory().get("/connexion/")) == {"chrome": Chrome()}


def test_a_partner_sees_every_entry_in_order() -> None:
    frame = chrome(request_of(Role.OWNER))["chrome"]

    assert [link.label for link in frame.daily] == [
        "Tableau de bord", "À valider", "Tâches", "Factures", "Clients", "Paiements", "Rapprochement",
        "Réponses", "Demandes clients", "Échéanciers",
    ]  # fmt: skip
    assert [link.label for link in frame.reminders] == [
        "La prochaine nuit",
        "Calendrier",
        "Courrier",
        "Scénarios",
        "Modèles",
        "Rapports",
        "Preuves",
        "Quand rien ne part",
        "Importer",
    ]
    assert [link.label for link in frame.firm] == [
        "Cabinet",
        "Équipe",
        "Mise en route",
        "Abonnement",
        "Journal",
        "Accès d’assistance",
    ]
    assert [link.label for link in frame.settings] == [
        "Mode d’envoi",
        "Serveur d’envoi",
        "Délivrabilité",
        "SMS",
        "Envoi du courrier",
        "Boîte de réponses",
        "Encaissement en ligne",
        "Réglage des échéanciers",
        "Relevés bancaires",
    ]
    assert [link.label for link in frame.compliance] == [
        "Conformité", "Demandes de droits", "Registre", "Durées", "Export et départ",
    ]  # fmt: skip
    assert [link.short or link.label for link in frame.mobile] == ["Accueil", "À valider", "Factures", "Clients"]
    assert (frame.person, frame.firm_name, frame.zone) == (
        "Claire Aubry", "Cabinet Aubry Lenoir", MARTINIQUE,
    )  # fmt: skip


def test_an_accountant_neither_imports_nor_manages_nor_suspends() -> None:
    frame = chrome(request_of(Role.ACCOUNTANT))["chrome"]

    assert [link.label for link in (*frame.reminders, *frame.firm, *frame.settings, *frame.compliance)] == [
        "La prochaine nuit", "Calendrier", "Courrier", "Scénarios", "Rapports", "Quand rien ne part",
    ]  # fmt: skip
    assert (frame.can_suspend, frame.can_resume) == (False, False)


def test_a_lawyer_suspends_and_does_not_resume() -> None:
    frame = chrome(request_of(Role.LAWYER))["chrome"]

    assert (frame.can_suspend, frame.can_resume) == (
        Right.SUSPEND_ALL in RIGHTS[Role.LAWYER],
        Right.RESUME_ALL in RIGHTS[Role.LAWYER],
    )


def test_the_longest_address_is_the_current_entry() -> None:
    frame = chrome(request_of(Role.OWNER, "/factures/importer/colonnes/"))["chrome"]

    assert [link.label for link in (*frame.daily, *frame.reminders) if link.current] == ["Importer"]


def test_counts_given_with_the_request_are_shown() -> None:
    frame = chrome(request_of(Role.OWNER, chrome_counts={"approvals": 6, "requests": 3}))["chrome"]

    assert [link.count for link in frame.daily] == [0, 6, 0, 0, 0, 0, 0, 0, 3, 0]


def test_a_frame_costs_one_query_and_counts_what_waits(
    cabinet: Cabinet, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = make_client()
    link = link_for(client=client)
    for state in (RequestState.OPEN, RequestState.OPEN, RequestState.ANSWERED):
        DebtorRequest(link=link, client=client, kind=RequestKind.PROBLEM, state=state).save(force_insert=True)
    request = request_of(Role.OWNER, cabinet=cabinet, chrome_counts=None)

    with django_assert_num_queries(1):
        counts = [link.count for link in chrome(request)["chrome"].daily]

    assert counts == [0, 0, 0, 0, 0, 0, 0, 0, 2, 0]


def test_a_part_without_a_frame_costs_no_query(
    cabinet: Cabinet, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        chrome(request_of(Role.OWNER, cabinet=cabinet, chrome_counts=None))


def test_the_demos_clock_and_a_missing_server_are_said() -> None:
    none, demo = (
        request_of(Role.OWNER, chrome_counts={"servers": 0}),
        request_of(Role.OWNER, chrome_counts={"servers": 0}),
    )
    demo.cabinet.is_demo = True  # type: ignore[attr-defined]

    frames = [chrome(request)["chrome"] for request in (none, demo)]

    assert [(frame.demo_on, frame.mail_server_missing) for frame in frames] == [
        (None, True),
        (dt.date(2026, 11, 24), False),
    ]
