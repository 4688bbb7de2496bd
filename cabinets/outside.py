"""Calls that leave this machine: the address really spoken to is checked, and is the one that was checked.

A host a firm typed may resolve to this machine, to the network it stands in, or to a cloud's own desk of secrets; and
may resolve to something else between the look and the call. So a name is resolved once, each of its addresses must be
public, and the call goes to that very address. What the operator's own settings name is exempt.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not anybody’s, or reaching private addresses through a public one: NAT64, 6to4, Teredo.
_NEVER = tuple(
    ipaddress.ip_network(one) for one in ("192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_SECONDS = 20.0


class ForbiddenAddressError(OSError):
    """The host is on this machine or in its network: nothing was said to it."""

    def __init__(self, host: str) -> None:
        super().__init__(f"l’adresse de {host} est privée, et n’est pas de celles que l’exploitant permet")
        self.strerror = "adresse privée, que l’exploitant ne permet pas"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine, without asking any name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Say whether an address is one of the whole Internet's, however it is written."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found in network for network in _NEVER):
        return False
    return found.is_global and not found.is_multicast


def addresses_of(host: str, port: int) -> list[str]:
    """Resolve a host once and return its addresses; raise ForbiddenAddressError when one of them is not public."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    if not _is_exempt(host) and not all(is_public(one) or _is_exempt(one) for one in addresses):
        raise ForbiddenAddressError(host)
    return addresses


def _is_exempt(host: str) -> bool:
    allowed: Iterable[str] = settings.PRIVATE_HOSTS
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") in allowed
    return any(address in network for network in _networks(allowed))


def _networks(allowed: Iterable[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for one in allowed:
        try:
            yield ipaddress.ip_network(one, strict=False)
        except ValueError:
            continue  # a name, compared elsewhere


def connect(host: str, port: int, timeout: float | None = None) -> socket.socket:
    """Open a line to a host that may be spoken to, at the address that was checked."""
    failure: OSError | None = None
    for address in addresses_of(host, port):
        try:
            return socket.create_connection((address, port), timeout or _SECONDS)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{host} n’a pas d’adresse")


class GuardedTransport(httpx.HTTPTransport):
    """Speaks to the address that was checked, in the name of the host: its certificate is still the host's."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve, check, then call."""
        host = request.url.host
        try:
            address = addresses_of(host, request.url.port or (443 if request.url.scheme == "https" else 80))[0]
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


@contextmanager
def client(*, timeout: httpx.Timeout | float, **options: Any) -> Iterator[httpx.Client]:
    """Open a client that speaks to public addresses only, follows no redirection and obeys no proxy of the machine."""
    transport = GuardedTransport(trust_env=False, verify=_authorities())
    with httpx.Client(
        timeout=timeout, follow_redirects=False, trust_env=False, transport=transport, **options
    ) as opened:
        yield opened


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom every call trusts, read once: reading a hundred certificates takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)
