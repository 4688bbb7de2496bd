"""Canaries are planted in a firm that then lives its day; nobody hears them in what is written beside the tables.

Beside the tables: every line of log at the finest level, every key of Redis (the cache, the broker's queues), the
addresses that were asked and sent to, the pages of errors, the sessions, and what a provider is asked beyond what it
must know. In the tables, and in a dump of them: sealed, save what is declared.
"""

import base64
import datetime as dt
import hmac
import json
import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
import redis
from celery import shared_task
from django.conf import settings as installed
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from pytest_django.fixtures import Settings

from cabinets import totp
from cabinets.enums import Role
from cabinets.models import Cabinet, Client, Dossier, Membership, Session, TotpDevice
from cabinets.scoping import acting_for, current_scope, working_for
from cabinets.sealing import forget_keys, keks
from cabinets.services import second_factor
from cabinets.sessions import SessionStore
from cabinets.wall import SCOPE_SETTING, walled_models
from config import embedded, processes
from config.celery import app
from config.homes import Home
from config.logging import CONFIGURATION, HouseFormatter
from dunning.enums import Reason, ReminderState
from dunning.models import DunningCase, MailServer, Reminder
from dunning.services import dispatch, letters, receiving
from dunning.services.letter_composing import write_letter
from invoices.models import ImportBatch, Invoice
from invoices.tasks import import_batch
from payments.enums import Mode
from payments.models import ProviderAccount
from payments.services import notices
from payments.services.links import link_for
from payments.services.roads import hook_digest
from tests.cabinets.test_pages_clients import CLIENT
from tests.conftest import NOW, FirmBrowser
from tests.dunning.channels.maileva_double import FakeMaileva
from tests.dunning.channels.ovh_double import FakeOvh
from tests.dunning.channels.web_double import Asked
from tests.dunning.letter_world import maileva_account, posting_firm
from tests.dunning.test_crash_channels import ovh_account
from tests.factories.cabinets import PASSWORD, make_client, make_dossier, make_member, make_user
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_check, make_invoice
from tests.invoices.test_importing import HEADER
from tests.mail_sink import SmtpSink
from tests.payments.test_portal import PAID, place

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

NAME, FIRST = "Zebulonne", "Quetzalia"
EMAIL, PHONE, TYPED_PHONE = "zeb@canarienne.example", "+33698765432", "06 98 76 54 32"
IBAN = "FR1420041010050500013M02606"
NUMBER, NOTE, TITLE = "FCANARI77", "mot-xylophene", "Affaire Brumalice"
WRONG_PASSWORD, FILE = "motdepasse-xanthique-41", "piece-zirconelle.csv"
NEEDLES = (NAME, FIRST, EMAIL, "canarienne", PHONE, "698765432", "98 76 54 32", IBAN, NUMBER, NOTE, TITLE, "Brumalice",
           PASSWORD, WRONG_PASSWORD, FILE)  # fmt: skip
# Who works at the firm: in the accounts' own columns, and nowhere else.
OWN_EMAIL, OWN_FIRST, OWN_LAST = "wiborada@oxalide.example", "Wiborada", "Oxalidine"
TEAM = (OWN_EMAIL, OWN_FIRST, OWN_LAST)
STREET = f"1 rue {NAME}"
# What the clock wakes: each hands its work to the broker, by ids.
SWEEPS = (
    "dunning.tasks.sweep", "dunning.tasks.read_mailboxes", "dunning.tasks.evaluate_nights",
    "dunning.tasks.sweep_documents", "dunning.tasks.sweep_staff_mail", "dunning.tasks.sweep_link_messages",
    "invoices.tasks.sweep_imports", "payments.tasks.sweep_payments", "payments.tasks.sweep_bank",
    "reporting.tasks.keep_figures", "gdpr.tasks.sweep_copies",
)  # fmt: skip
# Where the register says that something is kept in clear, and why.
IN_CLEAR = {
    "invoices_invoice": {NUMBER},  # the number is a voucher's, found and sorted by the database
}
PLAIN_COLUMNS = {
    "invoices_invoice.number": {NUMBER},
    "invoices_invoice.number_key": {NUMBER},  # the same, as it is compared
    # Accounts of the installation, of no firm: who signs in is found by their address.
    "cabinets_user.email": {OWN_EMAIL, OWN_FIRST},
    "cabinets_user.first_name": {OWN_FIRST},
    "cabinets_user.last_name": {OWN_LAST},
}
# What each call to a provider owes it: the number and the text, the address and the letter.
OWED = {"jobs": {"receivers", "message"}, "recipients": {f"address_line_{number}" for number in range(1, 7)}}


def heard(text: str, needles: tuple[str, ...] = NEEDLES) -> list[str]:
    """Return the canaries heard in a text, however it is written: escaped, quoted, in Base64."""
    plain = unquote(text) + text.encode().decode("unicode_escape", "replace")
    for word in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text):
        try:
            plain += base64.b64decode(word + "=" * (-len(word) % 4)).decode("utf-8", "replace")
        except ValueError:
            continue
    return [needle for needle in needles if needle.lower() in plain.lower()]


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """Hear every line as it is written in life, at the finest level."""
    stream, root = StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(stream), root.level
    handler.setFormatter(HouseFormatter())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def store(settings: Settings) -> Iterator["redis.Redis"]:
    """Use the real shared store, and nobody who empties its queues."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": installed.REDIS_URL}
    }
    client = redis.Redis.from_url(installed.REDIS_URL)
    client.flushdb()
    yield client
    client.flushdb()


def everything_in(store: "redis.Redis") -> Iterator[tuple[str, str]]:
    """Give each key with all it holds, tasks unwrapped."""
    for key in store.scan_iter("*"):
        kind: Any = store.type(key)
        read: dict[bytes, Callable[[bytes], Any]] = {
            b"string": store.get, b"hash": store.hgetall, b"set": store.smembers,
            b"list": lambda key: store.lrange(key, 0, -1),
            b"zset": lambda key: store.zrange(key, 0, -1, withscores=True),
            b"stream": store.xrange,
        }  # fmt: skip
        yield key.decode("utf-8", "replace"), repr(read[kind](key))


class Walker:
    """A browser that remembers every address it asked or was sent to, and every page of error."""

    def __init__(self, browser: FirmBrowser) -> None:
        self.browser = browser
        self.browser.raise_request_exception = False
        self.addresses: list[str] = []
        self.cookies: set[tuple[str, str]] = set()
        self.errors: list[str] = []

    def __call__(self, method: str, address: str, *args: Any, **kwargs: Any) -> Any:
        answer = getattr(self.browser, method)(address, *args, **kwargs)
        self.addresses += [address, answer.headers.get("Location", "")]
        self.cookies |= {(name, cookie.value) for name, cookie in answer.cookies.items()}
        if answer.status_code >= 400 and answer.status_code != 422:
            self.errors.append(answer.content.decode())
        return answer


@pytest.fixture
def firm(settings: Settings, tmp_path: Path) -> Cabinet:
    settings.MEDIA_ROOT = tmp_path
    return posting_firm(
        mediator_name="Médiateur de la consommation",
        mediator_site="mediateur.example",
        mediator_address="1 place du Palais, 75001 Paris",
    )


@shared_task(name="tests.canaries.fails")
def fails(client_id: str) -> None:
    """Break as a task breaks in life: on a value."""
    raise ValueError(f"could not read {NAME} {EMAIL}")


def sign_in(walk: Walker, member: Membership) -> str:
    """Be refused, then come in with both factors; return the code that was typed."""
    user = member.user
    second_factor.install(user=user)
    device = TotpDevice.objects.get(user=user)
    code = totp.code_at(totp.open_seed(bytes(device.seed), user_id=user.pk, ring=keks()), totp.step_at(NOW.timestamp()))
    walk("post", "/connexion/", {"email": user.email, "password": WRONG_PASSWORD})
    walk("post", "/connexion/", {"email": EMAIL, "password": WRONG_PASSWORD})
    walk("post", "/connexion/", {"email": user.email, "password": PASSWORD})
    assert walk("post", "/connexion/code/", {"code": code}).status_code == 302
    return code


def write(walk: Walker, cabinet_id: UUID) -> tuple[Client, Invoice]:
    """Write a client, a matter, an invoice, a note; be refused each of them once."""
    facts = {**CLIENT, "company": "", "last_name": NAME, "first_name": FIRST, "kind": "consumer", "email": EMAIL,
             "phone": TYPED_PHONE, "address": f"1 rue {NAME}", "city": "Nantes"}  # fmt: skip
    assert walk("post", "/clients/ajouter/", {**facts, "email": f"{NAME} chez"}).status_code == 422
    assert walk("post", "/clients/ajouter/", facts).status_code == 302
    with working_for(cabinet_id=cabinet_id):
        client = Client.objects.get()
    walk("post", f"/clients/{client.pk}/dossiers/ajouter/", {"title": TITLE, "reference": "", "practice_area": NAME})
    with working_for(cabinet_id=cabinet_id):
        dossier = Dossier.objects.first()
        if dossier is None:
            dossier = Dossier(client=client, title=TITLE)
            dossier.save(force_insert=True)
    typed = {"kind": "invoice", "number": NUMBER, "total": "1 440,00 €", "issued_on": "2026-10-02",
             "due_on": "02/11/2026", "dossier": str(dossier.pk), "note": NOTE}  # fmt: skip
    assert walk("post", "/factures/ajouter/", {**typed, "total": f"{NAME}"}).status_code == 422
    assert walk("post", "/factures/ajouter/", typed).status_code == 302
    walk("post", f"/clients/{client.pk}/notes/ajouter/", {"text": NOTE})
    with working_for(cabinet_id=cabinet_id):
        return client, Invoice.objects.get()


def bring(walk: Walker, cabinet_id: UUID) -> None:
    """Import a file by its page, as far as the check."""
    row = f"F-2026-1;02/09/2026;02/10/2026;120,00;;{NAME} SARL;Professionnel;{EMAIL}"
    sent = walk("post", "/factures/importer/", {"file": SimpleUploadedFile(FILE, f"{HEADER}\n{row}".encode())})
    columns = walk("get", sent.url)
    form = columns.context["form"]
    walk("post", sent.url, {name: field.initial for name, field in form.fields.items()})
    with working_for(cabinet_id=cabinet_id):
        batch = ImportBatch.objects.get()
    import_batch(str(cabinet_id), str(batch.pk))
    walk("post", "/factures/importer/", {"file": SimpleUploadedFile(FILE, b"MZ" + NAME.encode())})


def send(cabinet_id: UUID, invoice: Invoice, *, refused: bool) -> None:
    """Let a message leave by e-mail to a server that takes it, or that names the person in its refusal."""
    with SmtpSink() as sink:
        with working_for(cabinet_id=cabinet_id):
            MailServer.objects.all().delete()
            MailServer(
                host=sink.host, port=sink.port if not refused else 9, security="none", sender="cabinet@aubry.example"
            ).save(force_insert=True)
            mine = Invoice.objects.select_related("dossier").get(pk=invoice.pk)
            Reminder.objects.all().update(state=ReminderState.CANCELLED)
            case = make_case(invoice=make_invoice(dossier=mine.dossier, number=f"{NUMBER}{int(refused)}"))
            reminder = make_reminder(case)
        told = dispatch.send_batch(cabinet_id=cabinet_id, reminder_ids=[reminder.pk])
        assert told == {"unreachable" if refused else "accepted": 1}, told


def receive(cabinet_id: UUID) -> None:
    """Read an answer of the client, one that was cut, and one that is no message."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"{NAME} <{EMAIL}>", "cabinet@example.org", f"Re: {NUMBER}"
    message["Message-ID"] = "<1@example.org>"
    message.set_content(f"Je suis {NAME}, {NOTE}, appelez le {TYPED_PHONE}. IBAN {IBAN}")
    with working_for(cabinet_id=cabinet_id):
        receiving.receive(raw=message.as_bytes(), received_at=NOW)
        receiving.receive(raw=f"From: {NAME}\r\n\xff\r\n".encode("latin-1"), received_at=NOW)


def pay(walk: Walker, cabinet_id: UUID, client: Client) -> str:
    """Visit as the debtor, write to the firm, and let a provider announce something; return the link's token."""
    with working_for(cabinet_id=cabinet_id):
        link = link_for(client=client, contact=None)
        hook = "crochet-" + "a" * 35
        ProviderAccount(
            provider="stripe",
            mode=Mode.TEST,
            label="Stripe",
            means=["card"],
            hook_hash=hook_digest(hook),
            secrets=json.dumps({"secret_key": NOTE, "webhook_secret": NOTE}),
        ).save(force_insert=True)
    address = place(link)
    walk("get", address)
    walk("post", address)
    for page in ("deja-paye/", "probleme/", "pas-moi/", "donnees/"):
        facts = {**PAID, "reason": "amount", "message": f"{NOTE} {NAME} {EMAIL} {PHONE}"}
        walk("get", address + page)
        walk("post", address + page, facts)
    walk("post", f"/retours/paiement/{hook}/", json.dumps({"email": EMAIL, "name": NAME}), "application/json")
    announce(walk, hook, cabinet_id)
    walk("get", "/p/inconnu-" + "b" * 34 + "/")
    return address.split("/")[2]


def text_and_post(cabinet_id: UUID, settings: Settings) -> dict[str, list[Asked]]:
    """Let a text message and a formal notice leave by their real clients; return what their providers were asked."""
    with FakeOvh(now=NOW.timestamp()) as ovh, FakeMaileva() as maileva:
        settings.SMS_BASE_URLS = {"ovh_sms": ovh.url}
        with working_for(cabinet_id=cabinet_id):
            ovh_account()
            maileva_account(maileva)
            text, letter = (make_reminder(named_case(rank), **facts) for rank, facts in ((2, TEXT), (4, LETTER)))
        assert dispatch.send_batch(cabinet_id=cabinet_id, reminder_ids=[text.pk]) == {"accepted": 1}
        with acting_for(cabinet_id=cabinet_id):
            assert letters.deliver(reminder_id=letter.pk, compose=write_letter) == "accepted"
        return {"sms": ovh.asked, "letter": maileva.asked}


def named_case(rank: int) -> DunningCase:
    """Put an invoice of a person who bears the canaries on the ladder."""
    client = make_client(kind="consumer", company="", last_name=NAME, first_name=FIRST, email=EMAIL, phone=PHONE,
                         has_mobile=True, has_phone=True, address=STREET)  # fmt: skip
    make_check(client=client)
    due_on = TODAY - dt.timedelta(days=15 if rank == 2 else 45)
    return make_case(invoice=make_invoice(dossier=make_dossier(client=client, title=TITLE), due_on=due_on), rank=rank)


TEXT: dict[str, Any] = {"channel": "sms"}
LETTER: dict[str, Any] = {
    "channel": "registered", "state": ReminderState.APPROVED, "approved_at": NOW,
    "reasons": [one.value for one in Reason],
}  # fmt: skip


def overheard(asked: list[Asked]) -> list[tuple[str, list[str]]]:
    """Return what each call says of a person beyond what its provider must know: address, headers, names of files."""
    found = []
    for one in asked:
        is_form = not one.headers.get("content-type", "").startswith("application/json")
        said = one.form if is_form else one.json()
        owed = OWED.get(one.path.rpartition("/")[2], set())
        rest = {name: value for name, value in said.items() if name not in owed} if isinstance(said, dict) else said
        if names := heard(json.dumps([one.path, one.query, one.headers, rest], ensure_ascii=False)):
            found.append((one.path, names))
    return found


def announce(walk: Walker, hook: str, cabinet_id: UUID) -> None:
    """Let a provider announce, signed, what it knows of who paid; take it in, then look for what it speaks of."""
    payer = {"email": EMAIL, "name": f"{FIRST} {NAME}", "phone": PHONE}
    told = {"id": "cs_1", "object": "checkout.session", "client_reference_id": None, "customer_details": payer}
    body = json.dumps({"id": "evt_1", "type": "checkout.session.completed", "data": {"object": told}})
    at = int(time.time())
    signed = hmac.new(NOTE.encode(), f"{at}.{body}".encode(), "sha256").hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signed}"}
    address = f"/retours/paiement/{hook}/"
    assert walk("post", address, body, "application/json", headers=headers).status_code == 200
    forged = {"Stripe-Signature": f"t={at},v1={'0' * 64}"}
    assert walk("post", address, body, "application/json", headers=forged).status_code == 400
    [notice_id] = notices.due(now=dt.datetime.now(dt.UTC))[cabinet_id]
    assert notices.handle(cabinet_id=cabinet_id, notice_id=notice_id) is not None


def dumped(secrets: tuple[str, ...]) -> dict[str, set[str]]:
    """Return, column by column, what is read in clear in a dump of the firm's rows and of the tables of no firm."""
    place: Any = connections["owner"].settings_dict
    program = Home.of(embedded.folder()).programs()[0] / "pg_dump"
    told = subprocess.run(  # noqa: S603 - our own words
        [program, "--data-only", "--enable-row-security", "--host", place["HOST"], "--port", str(place["PORT"]),
         "--username", place["USER"], place["NAME"]],
        env={"PGPASSWORD": place["PASSWORD"], "PGOPTIONS": f"-c {SCOPE_SETTING}={current_scope().signed()}"},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, set[str]] = {}
    for table, names, rows in re.findall(r"^COPY public\.(\w+) \((.*?)\) FROM stdin;\n(.*?)^\\\.$", told, re.M | re.S):
        columns = zip(*(row.split("\t") for row in rows.splitlines()), strict=True)
        for name, values in zip(names.split(", "), columns, strict=False):
            text = "\n".join(values).replace("\\\\", "\\")
            raw = "".join(bytes.fromhex(one).decode("latin-1") for one in re.findall(r"\\x((?:[0-9a-f]{2})+)", text))
            if heard_here := set(heard(text, secrets)) | {needle for needle in secrets if needle in raw}:
                found[f"{table}.{name}"] = heard_here
    return found


def stumble(walk: Walker, cabinet_id: UUID, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for what is not there, what is not theirs, without the form's key, and break a page and a task."""
    walk("get", f"/clients/{NAME}/")
    walk("get", "/factures/", {"q": NAME})
    walk("get", "/recherche/", {"q": EMAIL})
    walk("get", "/factures/export.csv")
    walk("get", "/clients/export.csv")
    strict = Walker(FirmBrowser(enforce_csrf_checks=True))
    strict("post", "/connexion/", {"email": EMAIL, "password": WRONG_PASSWORD})

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"{NAME} {EMAIL} {PHONE}")

    with monkeypatch.context() as patch:
        patch.setattr("cabinets.forms.clients.ClientForm.__init__", broken)
        assert walk("get", f"/clients/{client.pk}/modifier/").status_code == 500
    walk.errors += strict.errors
    walk.addresses += strict.addresses
    fails.apply(args=(str(client.pk),))
    fails.delay(str(client.pk))
    app.loader.import_default_modules()
    for name in SWEEPS:
        app.tasks[name].run()


def in_clear() -> dict[str, set[str]]:
    """Return, table by table, the canaries that its owner reads in clear."""
    found: dict[str, set[str]] = {}
    walled = {model._meta.db_table for model in walled_models()}
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SCOPE_SETTING, current_scope().signed()])
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        for table in sorted({name for (name,) in cursor.fetchall()} | walled):
            cursor.execute(f"SELECT coalesce(string_agg(to_jsonb(t)::text, chr(10)), '') FROM \"{table}\" t")
            text = cursor.fetchone()[0]
            hexed = "".join(
                bytes.fromhex(one).decode("latin-1") for one in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", text)
            )
            if names := set(heard(text)) | {needle for needle in NEEDLES if needle in hexed}:
                found[table] = names
    return found


@pytest.fixture
def day(
    firm: Cabinet, lines: StringIO, store: "redis.Redis", monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> dict[str, Any]:
    """Live the firm's day, with its canaries."""
    with working_for(cabinet_id=firm.pk):
        user = make_user(email=OWN_EMAIL, first_name=OWN_FIRST, last_name=OWN_LAST)
        member = make_member(role=Role.OWNER, user=user)
    walk = Walker(FirmBrowser())
    code = sign_in(walk, member)
    client, invoice = write(walk, firm.pk)
    bring(walk, firm.pk)
    for refused in (False, True):
        send(firm.pk, invoice, refused=refused)
    asked = text_and_post(firm.pk, settings)
    receive(firm.pk)
    token = pay(walk, firm.pk, client)
    stumble(walk, firm.pk, client, monkeypatch)
    forget_keys()
    return {"walk": walk, "lines": lines.getvalue(), "redis": dict(everything_in(store)), "token": token, "code": code,
            "client": client, "firm": firm, "asked": asked}  # fmt: skip


def test_nobody_hears_them_beside_the_tables(day: dict[str, Any], lines: StringIO) -> None:
    walk, secrets = day["walk"], (*NEEDLES, *TEAM, day["token"])
    asked = {address for address in walk.addresses if address and day["token"] not in address}

    logged = [json.loads(line) for line in day["lines"].splitlines()]
    assert {(one["logger"], str(heard(str(one), secrets))) for one in logged if heard(str(one), secrets)} == set()
    assert {key: heard(value, secrets) for key, value in day["redis"].items() if heard(key + value, secrets)} == {}
    # What was typed as an address by the test itself.
    assert [address for address in asked if heard(address) and address != f"/clients/{NAME}/"] == []
    assert [page for page in walk.errors if heard(page)] == []
    # By their names too: what a cookie holds may be compressed.
    assert {name for name, _ in walk.cookies} == {"sessionid", "csrftoken"}
    assert [name for name, value in walk.cookies if heard(value, secrets)] == []
    with working_for(cabinet_id=day["firm"].pk):
        held = [SessionStore().decode(session.session_data) for session in Session.objects.all()]
    assert [names for names in (heard(str(one)) for one in held) if names] == []
    assert len(day["lines"].splitlines()) > 10
    assert {"default", "mail"} & set(day["redis"])
    assert len(walk.errors) >= 5
    statuses = [json.loads(line).get("status_code") for line in day["lines"].splitlines()]
    assert {403, 404, 422, 500} <= set(statuses)
    with working_for(cabinet_id=day["firm"].pk):
        clear, columns = in_clear(), dumped(secrets)
    assert (clear, columns) == (IN_CLEAR, PLAIN_COLUMNS)
    assert overheard([*day["asked"]["sms"], *day["asked"]["letter"]]) == []
    [job] = [one.json() for one in day["asked"]["sms"] if one.path.endswith("/jobs")]
    assert (job["receivers"], heard(job["message"])) == ([PHONE], [])
    [envelope] = [one.json() for one in day["asked"]["letter"] if one.path.endswith("/recipients")]
    assert [envelope[name] for name in sorted(OWED["recipients"] & set(envelope))] == [
        f"{FIRST} {NAME}".upper(), STREET.upper(), "75002 PARIS",
    ]  # fmt: skip
    # What is asked of the web server is written in the firm's journal, which the dump holds, and nowhere else.
    assert "--no-access-log" in processes.web()


def test_hears_a_name_that_somebody_writes(lines: StringIO) -> None:
    logging.getLogger("cabinets").warning("client.seen", extra={"who": NAME})
    logging.getLogger("cabinets").info("client.seen %s", base64.b64encode(f"le client {NAME}".encode()).decode())

    assert [heard(line) for line in lines.getvalue().splitlines()] == [[NAME], [NAME]]


def test_the_loggers_that_would_tell_are_held_back() -> None:
    levels = {name: one["level"] for name, one in CONFIGURATION["loggers"].items()}

    assert {levels[name] for name in ("httpx", "httpcore", "urllib3", "mail", "django.db.backends", "stripe")} == {
        "WARNING"
    }
