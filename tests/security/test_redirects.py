"""Where a person is sent: every address, with every word a page might follow, and the addresses that lead elsewhere."""

import re
import uuid
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings as configured
from django.core.cache import cache

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from payments.links import token_for
from payments.models import PaymentLink
from payments.providers.addresses import is_page
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import WORDS, populate
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, make_member, outside_any_firm
from tests.security.test_fuzz import Attacker, write_address

Browse = Callable[[Membership | None], FirmBrowser]
FORM = "application/x-www-form-urlencoded"
HOST = "evil.example"
EVIL = [
    f"//{HOST}",
    f"https://{HOST}/",
    f"https:{HOST}",
    f"https:///{HOST}",
    f"/\\{HOST}",
    f"\\\\{HOST}",
    f"///{HOST}",
    f"////{HOST}",
    f"/\t/{HOST}",
    f"\t//{HOST}",
    f"/\r\n/{HOST}",
    f" //{HOST}",
    f"\u2028//{HOST}",
    f"//{HOST}\u3002fr",
    f"https://testserver@{HOST}/",
    f"https://testserver.{HOST}/",
    f"/x\r\nLocation: https://{HOST}",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
]
# What a page may read of where to go next: the words of its address and of its form.
PARAMETERS = (
    "next", "retour", "url", "suite", "redirect", "back", "back_url", "return_to", "de", "vue", "HX-Redirect",
)  # fmt: skip
HEADERS = ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url", "Refresh", "Set-Cookie")
_LEADS = re.compile(r"""(?:href|action|src|hx-get|hx-post|formaction|content|data-[\w-]+)\s*=\s*["']([^"']*)""")


def leads_away(place: str) -> bool:
    """Say whether a browser that follows this leaves the site, or runs it."""
    seen = re.sub(r"[\t\r\n]", "", unescape(place)).strip("".join(map(chr, range(33)))).replace("\\", "/")
    parts = urlsplit(seen)
    return (
        seen.startswith("//")
        or bool(parts.netloc and parts.hostname != "testserver")
        or parts.scheme not in {"", "http"}
    )


def faults_of(answer: Any) -> list[str]:
    found = [
        f"{name}: {answer[name]}"
        for name in HEADERS
        if name in answer and (HOST in urlsplit(answer[name]).netloc or leads_away(answer[name].split(";")[0]))
    ]
    if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        found += [
            place
            for place in _LEADS.findall(answer.content.decode())
            if leads_away(place) and (HOST in place or "script:" in place or place.startswith("data:text"))
        ]
    return found


def pages(rows: dict[str, uuid.UUID]) -> Iterator[str]:
    """Yield every address, whoever may open it."""
    link = PaymentLink.objects.get()
    known: dict[str, Any] = {
        **rows, "token": token_for(link.pk, link.version, configured.LINK_KEY), "checkout_id": uuid.uuid4(),
        "mandate_id": uuid.uuid4(), "place": "x", "reference": "x", "key": "x", "filename": "x", "uidb64": "x",
    }  # fmt: skip
    for address, entry in PATTERNS:
        names = re.findall(r"<(?:\w+:)?(\w+)>", address)
        if all(name in {*known, *WORDS} or address.split("<")[0] in known for name in names):
            yield write_address(address, entry, known)


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
@pytest.mark.parametrize("who", ["a partner", "a visitor"])
def test_no_address_leads_away_whatever_it_is_told(
    cabinet: Cabinet, browse: Browse, who: str, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.PUBLIC_REQUESTS_A_MINUTE, settings.GUESSES_A_MINUTE = tmp_path, 0, 0
    addresses = list(pages(populate()))
    attacker = Attacker(browse(make_member(role=Role.OWNER) if who == "a partner" else None))
    wrong = []

    for rank, address in enumerate(addresses):
        evil = EVIL[rank % len(EVIL)]
        words = urlencode(dict.fromkeys(PARAMETERS, evil))
        attacker.browser.defaults["HTTP_REFERER"] = evil.replace("\r", "").replace("\n", "")
        for method in ("get", "post"):
            body = words.encode() if method == "post" else b""
            answer, _ = attacker.ask(method, address, query=words, body=body, content_type=FORM)
            wrong += [(method, address, evil, fault) for fault in faults_of(answer)]

    assert wrong == []
    assert len(addresses) > 250


@pytest.mark.parametrize("evil", EVIL)
def test_no_door_leads_away_once_it_opens(cabinet: Cabinet, browse: Browse, evil: str) -> None:
    cache.clear()
    member = make_member(role=Role.OWNER)
    with outside_any_firm():
        entered = browse(None).post("/connexion/", {"email": member.user.email, "password": PASSWORD, "next": evil})
    known = browse(member)
    acts = [
        known.post("/envois/suspendre/", {"next": evil}, headers={"referer": evil.replace("\r", "").replace("\n", "")}),
        known.get("/connexion/", {"next": evil}),
        known.get("/connexion/second-facteur/", {"next": evil}),
    ]

    assert [answer.status_code for answer in (entered, *acts)] == [302] * 4
    assert [fault for answer in (entered, *acts) for fault in faults_of(answer)] == []
    assert all(HOST not in answer["Location"] or answer["Location"].startswith("/x%0D%0A") for answer in acts)


@pytest.mark.parametrize("wanted", ["/factures/?etat=echue", "/clients/%C3%A9/"])
def test_a_local_address_is_followed(cabinet: Cabinet, browse: Browse, wanted: str) -> None:
    assert browse(make_member(role=Role.OWNER)).get("/connexion/", {"next": wanted})["Location"] == wanted


@pytest.mark.parametrize("url", [one for one in EVIL if not one.startswith("https://")])
def test_a_provider_s_page_is_an_https_address(url: str) -> None:
    assert not is_page(url, base_url="https://api.provider.example")
