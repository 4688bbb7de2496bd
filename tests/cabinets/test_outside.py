"""Calls that leave: no road towards this machine or its network, whatever a firm types and whatever a resolver says."""

import ast
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from cabinets import outside
from cabinets.outside import ForbiddenAddressError, addresses_of
from dunning.channels import web
from dunning.channels.protocol import DeliveryError
from dunning.channels.smtp import SmtpChannel
from dunning.channels.smtp import settings as smtp
from dunning.inbound import mailbox
from dunning.inbound.imap import ImapMailbox
from invoices.bodacc import Bodacc, BodaccError
from payments.errors import ProviderError
from payments.providers.payplug.client import PayPlugClient
from tests.dunning.channels.web_double import Said, WebDouble

PRIVATE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.10", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "198.18.0.1", "203.0.113.7", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
    "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "9.9.9.9", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.fixture(autouse=True)
def _nothing_private_is_allowed(settings: Settings) -> None:
    settings.PRIVATE_HOSTS = []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Answer for these names: one list of addresses a question, the last for good; count what was asked."""
    known: dict[str, list[list[str]]] = {}

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        if host not in known:
            known[host] = [[host]]
        said = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in said]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Remember the lines that would have been opened, and open none."""
    opened: list[tuple[str, int]] = []

    def connect(place: tuple[str, int], *_: object, **__: object) -> socket.socket:
        opened.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    return opened


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_this_machine_or_its_network_is_refused(names: dict[str, list[list[str]]], address: str) -> None:
    names["mail.cabinet.example"] = [[address]]

    for host in ("mail.cabinet.example", address):
        with pytest.raises(ForbiddenAddressError):
            addresses_of(host, 993)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_not(names: dict[str, list[list[str]]], address: str) -> None:
    names["mail.cabinet.example"] = [[address]]

    assert addresses_of("mail.cabinet.example", 993) == [address]


def test_one_private_address_among_public_ones_is_enough(names: dict[str, list[list[str]]]) -> None:
    names["mail.cabinet.example"] = [["1.1.1.1", "10.0.0.1"]]

    with pytest.raises(ForbiddenAddressError):
        addresses_of("mail.cabinet.example", 993)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "017700000001", "localhost", "LOCALHOST"])
def test_another_way_of_writing_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        addresses_of(host, 25)


@pytest.mark.parametrize("allowed", [["10.0.0.0/8"], ["10.0.0.1"], ["smtp.intern"]])
def test_what_the_operator_allows_is_reached_and_its_neighbour_is_not(
    settings: Settings, names: dict[str, list[list[str]]], allowed: list[str]
) -> None:
    settings.PRIVATE_HOSTS = allowed
    names["smtp.intern"] = [["10.0.0.1"]]

    assert addresses_of("smtp.intern", 25) == ["10.0.0.1"]
    with pytest.raises(ForbiddenAddressError):
        addresses_of("192.168.0.1", 25)


def test_the_address_that_was_checked_is_the_one_that_is_called(
    names: dict[str, list[list[str]]], reached: list[tuple[str, int]]
) -> None:
    names["mail.cabinet.example"] = [["1.1.1.1"], ["127.0.0.1"]]

    with pytest.raises(ConnectionRefusedError):
        outside.connect("mail.cabinet.example", 993)

    assert reached == [("1.1.1.1", 993)]


def _smtp(host: str, security: smtp.Security) -> None:
    channel = SmtpChannel(smtp.SmtpSettings(host=host, port=587, security=security))
    with channel.open():
        pass


def _imap(host: str, security: mailbox.Security) -> None:
    box = ImapMailbox(mailbox.MailboxSettings(host=host, port=993, username="a", secret="b", security=security))
    with box.open():
        pass


ROADS = [
    (lambda host: _smtp(host, smtp.Security.TLS), DeliveryError),
    (lambda host: _smtp(host, smtp.Security.STARTTLS), DeliveryError),
    (lambda host: _imap(host, mailbox.Security.TLS), mailbox.MailboxError),
    (lambda host: _imap(host, mailbox.Security.STARTTLS), mailbox.MailboxError),
    (lambda host: web.call("GET", f"https://{host}/", name="AR24"), DeliveryError),
    (lambda host: Bodacc(f"https://{host}/records").proceedings(["732829320"]), BodaccError),
    (lambda host: PayPlugClient(secret_key="k", base_url=f"https://{host}").get("/v1", timeout=1.0), ProviderError),
]


@pytest.mark.parametrize(("road", "error"), ROADS)
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1"])
def test_every_road_out_refuses_a_private_address_and_says_nothing_to_it(
    names: dict[str, list[list[str]]], reached: list[tuple[str, int]], road: Any, error: Any, address: str
) -> None:
    names["mail.cabinet.example"] = [[address]]

    with pytest.raises(error) as refusal:
        road("mail.cabinet.example")

    assert reached == []
    assert address not in str(refusal.value)


@pytest.mark.parametrize(("road", "error"), ROADS)
def test_every_road_out_goes_to_the_address_it_looked_at(
    names: dict[str, list[list[str]]], reached: list[tuple[str, int]], road: Any, error: Any
) -> None:
    names["mail.cabinet.example"] = [["1.1.1.1"], ["127.0.0.1"]]

    with pytest.raises(error):
        road("mail.cabinet.example")

    assert {host for host, _ in reached} == {"1.1.1.1"}


@pytest.fixture
def allowed_here(settings: Settings) -> Iterator[WebDouble]:
    settings.PRIVATE_HOSTS = ["127.0.0.1"]
    with WebDouble() as double:
        yield double


def test_a_redirection_is_not_followed_and_the_host_keeps_its_name(allowed_here: WebDouble) -> None:
    allowed_here.routes["GET /"] = lambda _: Said(status=302)
    place = allowed_here.url.replace("127.0.0.1", "localhost")

    with outside.client(timeout=2.0) as client, pytest.raises(httpx.ConnectError):
        client.get(place.replace("localhost", "127.0.0.2"))
    answer = web.call("GET", allowed_here.url + "/", name="AR24")

    assert answer.status == 302
    assert [one.headers["host"] for one in allowed_here.asked] == [allowed_here.url.removeprefix("http://")]


# Who may open a line without the guard, and why.
WITHOUT = {
    "cabinets/outside.py": "the guard itself",
    "cabinets/transit.py": "the operator's own key service",
    "config/servers.py": "the embedded servers, by their socket",
    "config/processes.py": "ports of this machine, looked at before they are taken",
    "config/demo/mailbox.py": "the demonstration's catcher, on this machine",
    "dunning/channels/smtp/session.py": "through outside.connect, or the operator's own server",
    "dunning/inbound/imap.py": "through outside.connect",
    "dunning/channels/names.py": "questions to name servers the operator sets",
    "dunning/channels/sms.py": "official clients of named providers",
    "dunning/channels/ovh_sms/__init__.py": "official client, named host",
    "dunning/channels/twilio/__init__.py": "official client, named host",
    "payments/providers/stripe/provider.py": "official client, named host, no redirection",
    "payments/providers/stripe/notices.py": "names the official client's errors",
    "payments/providers/gocardless/client.py": "official client, named host",
    "payments/providers/gocardless/notices.py": "names the official client's errors",
    "payments/providers/gocardless/provider.py": "names the official client's services",
    "invoices/bodacc.py": "through outside.client",
    "dunning/channels/web.py": "through outside.client",
    "dunning/channels/ar24/client.py": "through web.call",
    "payments/providers/payplug/client.py": "through outside.client",
}
LINES = {"httpx", "requests", "socket", "smtplib", "imaplib", "urllib.request", "urllib3", "ftplib", "dns", "twilio",
         "ovh", "stripe", "gocardless_pro", "imap_tools", "http"}  # fmt: skip


def test_nothing_else_opens_a_line() -> None:
    root = Path(outside.__file__).parents[1]
    apps = ["cabinets", "config", "dunning", "gdpr", "invoices", "onboarding", "payments", "reporting",
            "templates_lib", "website"]  # fmt: skip
    found = set()
    for app in apps:
        for path in (root / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name in LINES or name.partition(".")[0] in LINES - {"http"} for name in names):
                    found.add(str(path.relative_to(root)))

    assert sorted(found - set(WITHOUT)) == []
    assert sorted(set(WITHOUT) - found - {"cabinets/outside.py"}) == []
