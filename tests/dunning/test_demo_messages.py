"""Messages reçus: a demonstration reads its own e-mails as received; nobody else has such a page."""

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from dunning.channels.catcher import keep
from dunning.enums import ReminderState
from dunning.models import Reminder
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_reminder

Browse = Callable[[Membership | None], Any]


@pytest.fixture
def demo(cabinet: Cabinet, tmp_path: Path) -> Iterator[Path]:
    Cabinet.objects.filter(pk=cabinet.pk).update(is_demo=True, demo_on=cabinet.today())
    box = tmp_path / "catcher"
    box.mkdir()
    with override_settings(VAR=tmp_path):
        yield box


def received(box: Path, message_id: str, *, subject: str = "Facture F-1 – échéance du 14 novembre 2026") -> str:
    message = EmailMessage(policy=WIRE)
    message["From"] = "Cabinet Aubry <facturation@aubry.example>"
    message["To"] = "jeanne@client.example"
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message.set_content("Bonjour,\n")
    message.add_alternative("<html><head><title>F</title></head><body><a href='/p/x/'>Payer</a></body></html>", "html")
    return keep(box, message.as_bytes(), sender="facturation@aubry.example", recipient="jeanne@client.example")


def sent(message_id: str) -> Reminder:
    return make_reminder(message_id=message_id, state=ReminderState.ACCEPTED)


def test_lists_the_messages_of_the_firm_and_no_other(demo: Path, browse: Browse, owner: Membership) -> None:
    sent("<mine@aubry.example>")
    received(demo, "<mine@aubry.example>")
    received(demo, "<theirs@autre.example>", subject="Facture d’un autre cabinet")

    page = browse(owner).get("/demonstration/messages/").content.decode()

    assert "jeanne@client.example" in page
    assert "Facture d’un autre cabinet" not in page


def test_shows_a_message_its_text_and_its_headers(demo: Path, browse: Browse, owner: Membership) -> None:
    sent("<mine@aubry.example>")
    key = received(demo, "<mine@aubry.example>")
    browser = browse(owner)

    page = browser.get(f"/demonstration/messages/{key}/").content.decode()
    frame = browser.get(f"/demonstration/messages/{key}/page/")

    assert f'src="/demonstration/messages/{key}/page/"' in page
    assert "sandbox" in page
    assert "&lt;mine@aubry.example&gt;" in page
    assert '<base target="_blank">' in frame.content.decode()
    assert frame["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in frame["Content-Security-Policy"]


def test_hides_the_messages_of_another_firm(demo: Path, browse: Browse, owner: Membership) -> None:
    key = received(demo, "<theirs@autre.example>")
    browser = browse(owner)

    for address in (f"/demonstration/messages/{key}/", f"/demonstration/messages/{key}/page/"):
        assert browser.get(address).status_code == 404
    assert browser.get("/demonstration/messages/../../secrets/").status_code == 404


def test_hides_the_messages_of_a_dossier_the_person_does_not_see(demo: Path, browse: Browse) -> None:
    sent("<mine@aubry.example>")
    key = received(demo, "<mine@aubry.example>")
    browser = browse(make_member(role=Role.LAWYER))

    assert "jeanne@client.example" not in browser.get("/demonstration/messages/").content.decode()
    assert browser.get(f"/demonstration/messages/{key}/").status_code == 404


def test_is_no_page_of_a_real_firm(cabinet: Cabinet, browse: Browse, owner: Membership) -> None:
    assert browse(owner).get("/demonstration/messages/").status_code == 404
