"""A provider that hangs, cuts the line or sends elsewhere: told in one sentence, in the time that was given."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from payments.errors import ProviderError
from payments.providers.gocardless import GoCardlessProvider
from payments.providers.payplug import PayPlugProvider
from payments.providers.protocol import PaymentProvider
from payments.providers.stripe import StripeProvider

Make = Callable[[str], PaymentProvider]
MAKERS: dict[str, tuple[Make, str]] = {
    "Stripe": (lambda url: StripeProvider(secret_key="rk_test_0123456789", base_url=url), "cs_test_1"),
    "PayPlug": (lambda url: PayPlugProvider(secret_key="sk_test_0123456789", base_url=url), "pay_1"),
    "GoCardless": (lambda url: GoCardlessProvider(access_token="sandbox_0123456789", base_url=url), "BRQ123"),
}
SHORT = 0.3
MOVED = b"HTTP/1.1 302 Found\r\nLocation: %b/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"


@contextmanager
def answering(said: bytes | None, came: list[socket.socket] | None = None) -> Iterator[str]:
    """Accept every line, read what is asked, say these bytes and cut it; or hold it open and say nothing."""
    held: list[socket.socket] = [] if came is None else came
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                held.append(line)
                if said is not None:
                    line.recv(65_536)
                    line.sendall(said)
                    line.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for line in held:
        line.close()


@pytest.mark.parametrize("name", MAKERS)
def test_waits_no_longer_than_it_was_told(name: str) -> None:
    make, ref = MAKERS[name]
    with answering(None) as url:
        began = time.perf_counter()

        with pytest.raises(ProviderError, match=f"{name} n’a pas répondu") as silent:
            make(url).fetch(ref, timeout=SHORT)

        assert (silent.value.is_refusal, SHORT <= time.perf_counter() - began < SHORT + 2) == (False, True)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("said", [b"", CUT, b"garbage\r\n\r\n"], ids=["cut", "cut later", "no http"])
def test_a_line_cut_before_the_answer_is_no_answer(name: str, said: bytes) -> None:
    make, ref = MAKERS[name]
    with answering(said) as url, pytest.raises(ProviderError, match=f"{name} n’a pas répondu") as cut:
        make(url).fetch(ref, timeout=SHORT)

    assert cut.value.is_refusal is False


@pytest.mark.parametrize("name", ["Stripe", "PayPlug"])
def test_goes_nowhere_else(name: str) -> None:
    """GoCardless's own client follows: without the token, which `requests` drops on the way to another host."""
    make, ref = MAKERS[name]
    came: list[socket.socket] = []
    with (
        answering(b"", came) as elsewhere,
        answering(MOVED % elsewhere.encode()) as url,
        pytest.raises(ProviderError) as moved,
    ):
        make(url).fetch(ref, timeout=SHORT)

    assert (moved.value.is_refusal, came) == (False, [])
