"""Every address, for every person, by every method: who meets which door, and that nothing changes behind a shut one.

`tests/architecture/test_walk.py` walks the rows of a stranger and of a colleague; here each kind of person meets every
address, with and without rows. The rows are the firm's own and, for the stranger, another's: 404 whatever the method.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import transaction

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, Dossier, JournalEntry, Membership
from payments.links import token_for
from payments.services.links import link_for
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import CANARY, fingerprint, populate, stranger
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_member
from tests.security.test_fuzz import body_of, write_address

__all__ = ["stranger"]
Browse = Callable[[Membership | None], FirmBrowser]
METHODS = ("get", "post", "put", "delete")
EVERY_ROLE = pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
# What a person without their second factor, or nobody, meets at an address that asks for a right.
DOORS = ("/connexion/", "/connexion/second-facteur/")
Place = tuple[str, Any, str]


@pytest.fixture
def places(cabinet: Cabinet) -> tuple[list[Place], dict[str, Any]]:
    """Return every address that asks for a right, written for the firm's rows, and whether it names one."""
    rows: dict[str, Any] = populate()
    link = link_for(client=Client.objects.get(pk=rows["client_id"]))
    rows["token"] = token_for(link.pk, link.version, configured.LINK_KEY)
    nobody = {"checkout_id": uuid.uuid4(), "mandate_id": uuid.uuid4()}
    known = {**rows, **nobody, **dict.fromkeys(("place", "reference", "key", "filename"), "x")}
    return [
        (address, entry, write_address(address, entry, known))
        for address, entry in PATTERNS
        if getattr(entry.callback, "required_right", None)
    ], rows


def walk(browser: FirmBrowser, places: list[Place], methods: tuple[str, ...] = METHODS) -> Iterator[tuple[str, ...]]:
    """Ask every address by these methods; give the method, address, status, door, and the canary's voice."""
    for number, (address, _, url) in enumerate(places):
        # The methods no form sends are refused by the same few lines everywhere: one address in six shows it.
        for method in methods if number % 6 == 0 else methods[:2]:
            answer = getattr(browser, method)(url)
            sings = "canary" if CANARY.encode() in body_of(answer) else ""
            door = str(answer.headers.get("Location", "")).split("?")[0]
            yield method, address, str(answer.status_code), door, sings


def without_second_factor(member: Membership) -> FirmBrowser:
    browser = FirmBrowser()
    browser.force_login(member.user)
    return browser


@EVERY_ROLE
def test_everybody_meets_the_door_that_is_theirs(places: tuple[list[Place], dict[str, Any]], browse: Browse) -> None:
    before = fingerprint()
    people = {DOORS[0]: browse(None), DOORS[1]: without_second_factor(make_member(role=Role.OWNER))}
    before = fingerprint()

    wrong = [
        answer
        for door, browser in people.items()
        for answer in walk(browser, places[0])
        if (answer[2], answer[3], answer[4]) not in {("302", door, ""), ("405", "", "")}
    ]

    assert (wrong, fingerprint() == before) == ([], True)


@EVERY_ROLE
def test_a_row_of_another_firm_is_not_found_by_any_method(
    places: tuple[list[Place], dict[str, Any]], stranger: Membership, browse: Browse
) -> None:
    rows = {str(pk) for pk in places[1].values() if isinstance(pk, uuid.UUID)}
    theirs = [place for place in places[0] if any(pk in place[2] for pk in rows)]
    before = fingerprint()

    wrong = [
        answer for answer in walk(browse(stranger), theirs) if answer[2] not in {"404", "405"} or answer[4] == "canary"
    ]

    assert (wrong, fingerprint() == before) == ([], True)
    assert len(theirs) > 150


@EVERY_ROLE
def test_an_assistant_changes_nothing_by_asking_what_their_role_does_not_open(
    places: tuple[list[Place], dict[str, Any]], browse: Browse
) -> None:
    assigned = make_member(role=Role.ASSISTANT)
    assign(dossier=Dossier.objects.get(pk=places[1]["dossier_id"]), member=assigned)
    shut = [place for place in places[0] if not assigned.can(place[1].callback.required_right)]
    before = fingerprint()

    wrong = [
        answer for answer in walk(browse(assigned), shut) if answer[2] not in {"403", "405"} or answer[4] == "canary"
    ]

    assert (wrong, fingerprint() == before) == ([], True)
    assert len(shut) > 60


@EVERY_ROLE
def test_an_assistant_assigned_to_a_file_opens_it(places: tuple[list[Place], dict[str, Any]], browse: Browse) -> None:
    assigned = make_member(role=Role.ASSISTANT)
    assign(dossier=Dossier.objects.get(pk=places[1]["dossier_id"]), member=assigned)
    browser = browse(assigned)

    for name in ("client_id", "dossier_id", "invoice_id"):
        kind = {"client_id": "clients", "dossier_id": "dossiers", "invoice_id": "factures"}[name]
        answer = browser.get(f"/{kind}/{places[1][name]}/")
        assert (answer.status_code, CANARY.encode() in answer.content) == (200, True)


@EVERY_ROLE
def test_no_page_takes_a_method_no_form_sends(places: tuple[list[Place], dict[str, Any]], browse: Browse) -> None:
    browser = browse(make_member(role=Role.OWNER))
    before = fingerprint()

    for method in ("put", "delete"):
        for _, _, url in places[0]:
            with transaction.atomic():
                assert getattr(browser, method)(url).status_code < 500

    assert fingerprint() == before


# What is read is counted by the product itself; no fact of the firm may change.
KEPT_BY_READING = {"payments_linkvisit"}


@EVERY_ROLE
def test_reading_every_page_changes_nothing(
    places: tuple[list[Place], dict[str, Any]], browse: Browse, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    browser = browse(make_member(role=Role.OWNER))
    browser.raise_request_exception = False
    before = fingerprint()

    for _ in walk(browser, places[0], ("get",)):
        pass

    after = fingerprint()
    assert sorted(table for table in before if before[table] != after[table] and table not in KEPT_BY_READING) == []


def test_a_refusal_is_a_line_of_the_journal(cabinet: Cabinet, browse: Browse) -> None:
    assistant = make_member(role=Role.ASSISTANT)

    answer = browse(assistant).get("/parametres/journal/")

    line = JournalEntry.objects.filter(event="access.refused").get()
    assert (answer.status_code, line.member_id, line.facts) == (403, assistant.pk, {"right": "see_journal"})
