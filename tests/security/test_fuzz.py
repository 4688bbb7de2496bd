"""Every form and every address, sent what nobody in their right mind sends: never an error of ours.

The forms are read from the pages themselves, the addresses from the resolver. What is drawn is drawn the same way each
time (`derandomize`); QUITTANCE_FUZZ multiplies how much is drawn, for a long night.
"""

import os
import re
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import transaction
from django.urls import Resolver404, resolve, reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, Membership
from cabinets.scoping import working_for
from dunning.enums import Channel, Medium
from dunning.models import ChannelAccount, Reminder
from dunning.services import letter_accounts
from payments.errors import NoticeError
from payments.links import hash_of, token_for
from payments.providers.payplug import PayPlugProvider
from payments.services.links import link_for
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import WORDS, fingerprint, populate
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice
from tests.invoices.test_importing import HEADER, bring, line
from tests.payments.test_provider_notices import SECRET, gocardless, gocardless_signature, stripe, stripe_signature
from tests.security.forms import Field, Form, read_page
from tests.security.nonsense import NONSENSE, Submission, submissions, urlencoded

Browse = Callable[[Membership | None], FirmBrowser]
STRANGER = "ETRANGERE"
TIMES = int(os.environ.get("QUITTANCE_FUZZ", "1"))


EVERY_ROLE = pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
FEWEST_FORMS = 150
PARAMETERS = [
    "page",
    "after",
    "before",
    "apres",
    "avant",
    "q",
    "etat",
    "tri",
    "client",
    "dossier",
    "du",
    "au",
    "mois",
    "annee",
    "jour",
    "le",
    "vue",
    "next",
    "suite",
    "onglet",
    "statut",
    "avocat",
    "montant",
    "id",
    "ids",
    "selection",
    "type",
    "ordre",
    "choix",
    "periode",
    "par",
    "de",
    "a",
    "e",
    "",
]
PATHS = [
    "/factures/\x00/",
    "/\xed\xa0\x80/",
    "/\xff\xfe",
    "/..%2f..%2fetc/passwd",
    "/factures/" + "a" * 4_000,
    "/p/\x00/",
    "/p/" + "x" * 3_000 + "/",
    "/invitation/\x00/",
    "/inscription/\x00/",
    "/veto/\x00:\x00/",
    "/veto/a:b:c/",
    "/mot-de-passe/\x00/\x00/",
    "/mot-de-passe/MTIz/x-y/",
    "/retours/sms/\x00/",
    "/demonstration/messages/\x00/",
    "//",
    "/\\/",
]


DEEP = b"[" * 100_000
BODIES = [
    b"",
    b"\x00",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"{}",
    b"1",
    b'"x"',
    b"true",
    b"NaN",
    b"[null]",
    b'{"id": null}',
    b"[[[]]]",
    b'{"id": 1, "type": 2, "data": 3}',
    b'{"id": "e", "type": "t", "data": {"object": []}}',
    b'{"data": []}',
    b'{"events": {}}',
    b'{"id": "e", "type": "checkout.session.completed", "data": {"object": {"id": {"a": 1}}}}',
    b'{"events": [null, 1, {}]}',
    b'{"events": [{"id": 1, "links": []}]}',
    b'{"events": [{"id": "a", "resource_type": "payments", "links": {"payment": 3}}]}',
    b'{"resource_id": {"a": []}, "event_type": []}',
    b'{"id_lettre": ["\\u0000"]}',
    b'{"id": "\\ud800", "object": "payment"}',
    b'{"resource_id": "\\u0000", "id_mail": "\\u0000", "id": "\\u0000"}',
    b"a=\x00&MessageSid=\x00&MessageStatus=delivered",
    b"MessageSid=" + b"9" * 5_000,
    b"--x\r\n",
    b"<xml/>",
    b"{" * 10_000,
    DEEP,
    b'{"a":' * 5_000,
    b"9" * 5_000,
    b"id_mail=%00&id=%00&new_state=%00",
    b"a[b][c]=1&a[b]=2&[]=3",
    b'{"id": ' + b"9" * 5_000 + b"}",
]


def bounded(examples: int) -> Any:
    return settings(
        max_examples=examples * TIMES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


@pytest.fixture
def foreign(other_cabinet: Cabinet) -> list[uuid.UUID]:
    """Return the ids of what another firm keeps, whose every name is the same word."""
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        client = make_client(company=STRANGER, email="etrangere@etrangere.example")
        dossier = make_dossier(client=client, reference=STRANGER, title=STRANGER)
        rows: list[Any] = [client, make_contact(client=client, last_name=STRANGER), dossier]
        rows += [make_invoice(dossier=dossier, number=STRANGER), make_member(role=Role.OWNER)]
        return [row.pk for row in rows]


def body_of(response: Any) -> bytes:
    return b"".join(response) if response.streaming else bytes(response.content)


def faults_of(response: Any) -> list[str]:
    """Say what is wrong with an answer, whatever was asked."""
    body = body_of(response)
    kind = response.get("Content-Type", "")
    found = []
    if response.status_code >= 500:
        found.append(f"{response.status_code} {getattr(response, 'exc_info', None)!r}")
    if b"Traceback (most recent call last)" in body:
        found.append("a stack trace")
    if STRANGER.encode() in body:
        found.append("another firm's word")
    if response.status_code >= 400 and kind.startswith("text/html") and b"<html" in body and b'lang="fr"' not in body:
        found.append("a page that is not in French")
    return found


class Attacker:
    """A browser that leaves no trace: what each request wrote is taken back after it."""

    def __init__(self, browser: FirmBrowser) -> None:
        self.browser = browser
        self.browser.raise_request_exception = False
        self.cookies = browser.cookies.copy()
        self.asked = 0

    def ask(self, method: str, address: str, *, query: str = "", body: bytes = b"", content_type: str = "") -> Any:
        """Send one request, and open where it leads."""
        cache.clear()
        self.asked += 1
        with transaction.atomic():
            answers = [self._send(method, address, query=query, body=body, content_type=content_type)]
            place = answers[0].get("Location", "")
            if answers[0].status_code in {301, 302, 303} and place.startswith("/"):
                answers.append(self._send("get", urlsplit(place).path, query=urlsplit(place).query))
            found = [fault for answer in answers for fault in faults_of(answer)]
            transaction.set_rollback(True)
        self.browser.cookies = self.cookies.copy()  # type: ignore[assignment]  # a copy of what it was
        return answers[0], found

    def _send(self, method: str, address: str, *, query: str = "", body: bytes = b"", content_type: str = "") -> Any:
        return self.browser.generic(
            method.upper(), address, body, content_type or "application/octet-stream", QUERY_STRING=query
        )


@dataclass(slots=True)
class World:
    """What is attacked."""

    attacker: Attacker
    addresses: list[str]
    rows: dict[str, Any]
    foreign: list[uuid.UUID]


def find_forms(attacker: Attacker, addresses: list[str], *, each: int = 2) -> list[Form]:
    """Read every page once, then where its links lead, a few times a name; give each form once.

    An address no form sends to is one too, with fields of no form.
    """
    found: dict[object, Form] = {}
    waiting, seen, times = list(addresses), set(addresses), Counter[str]()
    while waiting:
        page = waiting.pop(0)
        path, _, query = page.partition("?")
        answer, _ = attacker.ask("get", path, query=query)
        if answer.streaming or not answer.get("Content-Type", "").startswith("text/html"):
            continue
        forms, links = read_page(answer.content.decode(), page=path)
        for form in forms:
            if form.action.startswith("/"):
                found.setdefault(form.shape, form)
        for link in links:
            name = name_of(link)
            if name and link not in seen and times[name] < each:
                times[name] += 1
                seen.add(link)
                waiting.append(link)
    sent_to = {form.action.split("?")[0] for form in found.values()}
    nobody = [Field("words", "text"), Field("file", "file"), Field("id", "hidden")]
    bare = [Form(page, page, "post", nobody) for page in addresses if page not in sent_to]
    return [*found.values(), *bare]


def name_of(link: str) -> str:
    """Return the name of the address a link leads to; nothing outside the product's own."""
    try:
        return str(resolve(link.partition("?")[0].partition("#")[0]).url_name)
    except Resolver404:
        return ""


def write_address(address: str, entry: Any, known: dict[str, Any]) -> str:
    start = address.split("<", maxsplit=1)[0]
    values = {**known, **WORDS}
    names = re.findall(r"<(?:\w+:)?(\w+)>", address)
    return reverse(str(entry.name), kwargs={name: values[name] if name in values else values[start] for name in names})


@pytest.fixture
def world(cabinet: Cabinet, browse: Browse, foreign: list[uuid.UUID], settings: Any, tmp_path: Path) -> World:
    """Return one of everything in a firm, its partner's browser, and every address for those rows."""
    settings.MEDIA_ROOT = tmp_path
    rows: dict[str, Any] = {**populate(), "batch_id": bring(HEADER + line("F-1")).pk}
    ChannelAccount.objects.update(provider="ovh_sms")
    Reminder.objects.update(channel=Channel.LETTER)
    link = link_for(client=Client.objects.get(pk=rows["client_id"]))
    rows |= {"token": token_for(link.pk, link.version, configured.LINK_KEY), "checkout_id": uuid.uuid4()}
    rows |= {"mandate_id": uuid.uuid4(), "place": "x", "reference": "x", "key": "x", "filename": "x"}
    attacker = Attacker(browse(make_member(role=Role.OWNER)))
    return World(attacker, [write_address(address, entry, rows) for address, entry in PATTERNS], rows, foreign)


def strikes(world: World, form: Form, *, examples: int) -> list[str]:
    """Send nonsense to a form; return what was wrong with the answers, with what was sent."""
    wrong: list[str] = []

    @bounded(examples)  # type: ignore[untyped-decorator]
    @given(submissions(form, world.foreign))
    def send(sent: Submission) -> None:
        if form.method == "get":
            query = sent.body.decode("latin-1")
            _, found = world.attacker.ask("get", form.action.split("?")[0], query=query)
        else:
            _, found = world.attacker.ask("post", form.action, body=sent.body, content_type=sent.content_type)
        wrong.extend(f"{form.method} {form.action}: {fault} after {sent!r}" for fault in found[: 1 - len(wrong)])

    send()
    return wrong


def queries(world: World, page: str) -> list[str]:
    """Open a page with nonsense in every parameter any page knows; return what was wrong with the answers."""
    wrong: list[str] = []

    @bounded(1)  # type: ignore[untyped-decorator]
    @given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(NONSENSE)), min_size=12, max_size=30))
    def read(pairs: list[tuple[str, bytes]]) -> None:
        # A server refuses a longer line before us.
        query = urlencoded([(name, value[:2_000]) for name, value in pairs]).decode()
        _, found = world.attacker.ask("get", page, query=query)
        wrong.extend(f"{page}?{query[:1500]}: {fault}" for fault in found[: 1 - len(wrong)])

    read()
    return wrong


@EVERY_ROLE
def test_answers_nonsense_sent_to_any_form_with_a_sentence(world: World) -> None:
    forms = find_forms(world.attacker, world.addresses)
    bare = [form for form in forms if form.fields and form.fields[0].name == "words"]

    wrong = [fault for form in forms for fault in strikes(world, form, examples=1)]

    assert wrong == []
    assert len(forms) - len(bare) > FEWEST_FORMS


@EVERY_ROLE
def test_answers_nonsense_in_the_query_of_any_page(world: World) -> None:
    wrong = [fault for page in world.addresses for fault in queries(world, page)]

    assert wrong == []


@pytest.mark.parametrize("path", PATHS)
def test_answers_a_path_nobody_can_read(db: None, browse: Browse, path: str) -> None:
    browser = browse(None)
    browser.raise_request_exception = False

    answer = browser.generic("GET", "/", PATH_INFO=path)

    assert faults_of(answer) == []


@pytest.mark.parametrize(("method", "one_in"), [("PUT", 1), ("DELETE", 1), ("PATCH", 4), ("TRACE", 8), ("HEAD", 8)])
@EVERY_ROLE
def test_changes_nothing_by_a_method_no_form_uses(world: World, method: str, one_in: int) -> None:
    before = fingerprint()

    wrong = [
        (page, found) for page in world.addresses[::one_in] for _, found in [world.attacker.ask(method, page)] if found
    ]

    assert (wrong, fingerprint() == before) == ([], True)


LETTER_ACCOUNTS = {
    "ar24": '{"token": "t", "private_key": "k"}',
    "maileva": '{"client_id": "i", "client_secret": "s", "username": "u", "password": "p"}',
    "laposte": '{"okapi_key": "k"}',
    "merci_facteur": '{"service_id": "i", "secret_key": "k"}',
}


@pytest.fixture
def hooks(cabinet: Cabinet) -> list[str]:
    """Return the addresses where every provider of letters and of text messages announces something to the firm."""
    found = []
    for slug, secrets in LETTER_ACCOUNTS.items():
        token = cabinet.pk.hex + slug
        ChannelAccount(
            medium=Medium.LETTER, provider=slug, secrets=secrets, hook_hash=letter_accounts.hook_digest(token)
        ).save(force_insert=True)
        found.append(f"/retours/courrier/{token}/")
    ChannelAccount(
        medium=Medium.SMS,
        provider="twilio",
        hook_hash=hash_of("telephone"),
        options={"account_sid": "AC1"},
        secrets='{"auth_token": "t"}',
    ).save(force_insert=True)  # fmt: skip
    return [*found, "/retours/sms/telephone/"]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_answers_nonsense_announced_by_a_provider(hooks: list[str], browse: Browse, body: bytes) -> None:
    before = fingerprint()
    browser = browse(None)
    browser.raise_request_exception = False

    answers = [
        (address, kind, browser.generic("POST", address, body, kind, headers=headers))
        for address in [*hooks, *(f"{address[:-2]}x/" for address in hooks)]
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
        for headers in ({}, {"x-twilio-signature": "é"})
    ]

    wrong = [(address, kind, faults_of(answer)) for address, kind, answer in answers if faults_of(answer)]
    assert wrong == []
    assert fingerprint() == before


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_answers_nonsense_that_a_provider_signed(body: bytes) -> None:
    signed = [
        (stripe(SECRET), {"stripe-signature": stripe_signature(body)}),
        (gocardless(SECRET), {"webhook-signature": gocardless_signature(body)}),
        (PayPlugProvider(secret_key="sk_test_0123456789"), {}),
    ]

    for provider, headers in signed:
        with suppress(NoticeError):
            told = provider.read_notices(body=body, headers=headers)  # type: ignore[attr-defined]  # one verb of three
            assert isinstance(told, list | tuple)
