"""A real name server on loopback, over UDP: it answers from a zone the test writes, or fails when told to."""

import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsDouble:
    """Start with `with`; write `zone[(name, "TXT")] = [values]`; `fails` answers SERVFAIL; `asked` tells what was."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.fails = False
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stopped = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(4096)
            if self._stopped:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(query)).to_wire(), sender)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.fails:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        if values := self.zone.get((name, kind)):
            texts = [_quoted(value) if kind == "TXT" else f"{value}." for value in values]
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *texts))
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


def _quoted(value: str) -> str:
    """Write a text as zones do: strings of 255 characters at most, side by side."""
    return " ".join(f'"{value[start : start + 255]}"' for start in range(0, len(value), 255))
