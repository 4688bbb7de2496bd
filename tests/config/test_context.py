"""The frame shows what the person may open, and nothing to a visitor."""

import datetime as dt
from types import SimpleNamespace

from django.http import HttpRequest
from django.test import RequestFactory

from cabinets.enums import RIGHTS, Right, Role
from config.context import Chrome, chrome


def request_of(role: Role, path: str = "/factures/", **extra: object) -> HttpRequest:
    request = RequestFactory().get(path)
    cabinet = SimpleNamespace(
        name="Cabinet Aubry Lenoir",
        is_demo=False,
        suspended_at=None,
        zone_name="America/Martinique",
        today=lambda: dt.date(2026, 11, 24),
    )
    user = SimpleNamespace(is_authenticated=True, get_full_name=lambda: "Claire Aubry")
    values = {
        "cabinet": cabinet,
        "member": SimpleNamespace(can=lambda right: right in RIGHTS[role]),
        "user": user,
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
        "Tableau de bord", "À valider", "Factures", "Clients", "Demandes clients",
    ]  # fmt: skip
    assert [link.label for link in frame.reminders] == ["Calendrier", "Importer"]
    assert [link.label for link in frame.firm] == ["Journal", "Équipe", "Cabinet"]
    assert [link.label for link in frame.mobile] == ["Accueil", "À valider", "Factures", "Clients"]
    assert (frame.person, frame.firm_name, frame.zone) == (
        "Claire Aubry", "Cabinet Aubry Lenoir", "America/Martinique",
    )  # fmt: skip


def test_an_accountant_neither_imports_nor_manages_nor_suspends() -> None:
    frame = chrome(request_of(Role.ACCOUNTANT))["chrome"]

    assert [link.label for link in (*frame.reminders, *frame.firm)] == ["Calendrier"]
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


def test_counts_come_with_the_request_or_not_at_all() -> None:
    counted = chrome(request_of(Role.OWNER, chrome_counts={"approvals": 6, "requests": 3}))["chrome"]
    silent = chrome(request_of(Role.OWNER))["chrome"]

    assert [link.count for link in counted.daily] == [0, 6, 0, 0, 3]
    assert [link.count for link in silent.daily] == [0, 0, 0, 0, 0]


def test_the_demos_clock_and_a_missing_server_are_said() -> None:
    request = request_of(Role.OWNER, mail_server_missing=True)
    request.cabinet.is_demo = True  # type: ignore[attr-defined]

    frame = chrome(request)["chrome"]

    assert (frame.demo_on, frame.mail_server_missing) == (dt.date(2026, 11, 24), True)
