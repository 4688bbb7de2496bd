"""A process that has everything loaded and forks children that die where they are told, by SIGKILL.

It reads lines of orders (JSON) on its input, forks a child for each, and answers with their numbers and what ended
them. The product knows nothing of this: kill points are functions wrapped in the child. A file of stamps receives a
line at each claim, just before its commit, and at each payment, just after its own.
"""

import datetime as dt
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import UUID

import time_machine
from django.conf import settings
from django.db import connections
from django.db.backends.base import base
from django.utils import timezone

from cabinets.models import Cabinet, Membership
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from dunning.channels.maileva import Maileva
from dunning.channels.ovh_sms import OvhSms
from dunning.channels.postal import PostalAddress
from dunning.channels.smtp import session
from dunning.errors import TooLateError
from dunning.services import claiming, dispatch, letters, nights, outcomes, post_desk
from dunning.services.claiming import Checked
from dunning.services.letter_parts import WrittenLetter
from invoices import sealed_files
from invoices.services import settlement
from tests.clocks import sign_scopes_by_it
from tests.dunning.letter_world import PDF, compose

BEFORE_SPEAKING = ("before the claim", "invoices locked", "claimed, not committed", "claim committed")
AFTER_SPEAKING = ("answered", "before the record", "recorded, not committed", "after the record")
COMMITS = ("before a commit", "after a commit")
ANY_TIME = "at random"
EMAIL_POINTS = (
    *BEFORE_SPEAKING,
    "after MAIL",
    "after RCPT",
    "after DATA",
    "middle of the message",
    "message whole, no final dot",
    "after the final dot",
    *AFTER_SPEAKING,
    *COMMITS,
    ANY_TIME,
)
# Of one call over HTTP: its head alone left; it left whole; its answer is here and nobody read it.
WIRE_POINTS = ("call begun", "call made", "answer unread")
WEB_POINTS = (*BEFORE_SPEAKING, *WIRE_POINTS, *AFTER_SPEAKING, *COMMITS, ANY_TIME)
PRINT_POINTS = (
    "before the claim",
    "invoices locked",
    "middle of the file",
    "file sealed",
    "claimed, not committed",
    "printed, not committed",
    *COMMITS,
    ANY_TIME,
)
NIGHT_POINTS = (
    "before the night",
    "night opened",
    "night judged",
    "inside a chunk",
    "after a chunk",
    "before the close",
    "tasks raised",
    "after the close",
)


class Fuse:
    """Kill this process, without a word, at the nth passage of one point."""

    def __init__(self, *, point: str, passage: int) -> None:
        self.point = point
        self.left = passage

    def burn(self, point: str) -> None:
        """Pass a point."""
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                die()


def die() -> None:
    """End as a machine that loses its power does."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def stamp(path: str, *words: object) -> None:
    """Append one line in one write, with this machine's one clock; it survives the process."""
    line = " ".join(str(word) for word in (*words, time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW))) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.close(handle)


def around(owner: Any, name: str, *, before: Callable[[Any], None], after: Callable[[Any], None]) -> None:
    """Wrap a function so that something happens before and after it."""
    plain = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        before(arguments)
        answer = plain(*arguments, **options)
        after(answer)
        return answer

    setattr(owner, name, wrapped)


def nothing(_: Any) -> None:
    """Do nothing."""


def arm_claims(fuse: Fuse, stamps: str) -> None:
    """Put the kill points of every claim, and of every commit, in place."""
    burn = fuse.burn

    def claimed(taken: Any) -> None:
        if taken is not None:
            stamp(stamps, "claim", taken.reminder_id, os.getpid())
            burn("claimed, not committed")

    for sender in (dispatch, letters):
        around(sender, "take", before=lambda _: burn("before the claim"), after=claimed)
    around(claiming, "lock_invoices", before=nothing, after=lambda _: burn("invoices locked"))
    around(
        base.BaseDatabaseWrapper,
        "_commit",
        before=lambda _: burn("before a commit"),
        after=lambda _: burn("after a commit"),
    )


def arm_sending(fuse: Fuse, stamps: str) -> None:
    """Put every kill point of the four steps in place, for every channel."""
    burn = fuse.burn
    arm_claims(fuse, stamps)
    for channel in (session.SmtpSession, OvhSms, Maileva):
        around(channel, "send", before=lambda _: burn("claim committed"), after=lambda _: burn("answered"))
    around(
        outcomes,
        "record",
        before=lambda _: burn("before the record"),
        after=lambda _: burn("recorded, not committed"),
    )
    for owner, name in ((dispatch, "deliver"), (dispatch, "send_text"), (letters, "deliver")):
        around(owner, name, before=nothing, after=lambda _: burn("after the record"))
    Wire(fuse).lay()
    asked = session._ask

    def ask(smtp: Any, stage: Any, command: str, argument: str) -> Any:
        answer = asked(smtp, stage, command, argument)
        burn(f"after {command}")
        return answer

    session._ask = ask
    session._line = cast(Any, partial(Line, session._line, fuse))


class Line:
    """The socket of a conversation, that can carry a part of a message and die."""

    def __init__(self, line_of: Callable[[Any], Any], fuse: Fuse, smtp: Any) -> None:
        self.line, self.fuse = line_of(smtp), fuse

    def send(self, data: memoryview) -> int:
        """Send everything, or what the fuse allows."""
        for point, length in (("middle of the message", len(data) // 2), ("message whole, no final dot", -3)):
            if self.fuse.point == point and self.fuse.left == 1:
                self.line.sendall(data[:length])
            self.fuse.burn(point)
        self.line.sendall(data)
        self.fuse.burn("after the final dot")
        return len(data)


class Wire:
    """The sockets of calls over HTTP, that can die in the middle of one: whichever client makes it."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse, self.is_asking = fuse, False

    def lay(self) -> None:
        """Take the place of every socket's own words."""
        for name in ("send", "sendall"):
            around(socket.socket, name, before=nothing, after=self._sent)
        for name in ("recv", "recv_into"):
            around(socket.socket, name, before=self._listens, after=nothing)

    def _sent(self, _: Any) -> None:
        # The head of a call leaves by itself, its body after it.
        if not self.is_asking:
            self.is_asking = True
            self.fuse.burn("call begun")

    def _listens(self, arguments: Any) -> None:
        if self.is_asking:
            self.is_asking = False
            self.fuse.burn("call made")
            if self.fuse.point == "answer unread":
                select.select([arguments[0]], [], [])
                self.fuse.burn("answer unread")


def arm_printing(fuse: Fuse, stamps: str) -> None:
    """Put every kill point of the post desk's printing in place."""
    burn = fuse.burn
    arm_claims(fuse, stamps)
    around(sealed_files.SealedWriter, "finish", before=nothing, after=lambda _: burn("middle of the file"))
    around(letters, "write_sealed", before=nothing, after=lambda _: burn("file sealed"))
    around(post_desk, "print_letter", before=nothing, after=lambda _: burn("printed, not committed"))


def arm_night(fuse: Fuse) -> None:
    """Put every kill point of a night in place; a chunk is five clients, so that there are many."""
    burn = fuse.burn
    nights.CHUNK = 5
    around(nights, "_open", before=lambda _: burn("before the night"), after=lambda _: burn("night opened"))
    around(nights, "_run", before=nothing, after=lambda _: burn("after a chunk"))
    around(nights, "_close", before=lambda _: burn("before the close"), after=lambda _: burn("after the close"))
    around(nights, "_remember_abnormal", before=nothing, after=lambda _: burn("night judged"))
    around(nights, "_raise_tasks", before=nothing, after=lambda _: burn("tasks raised"))
    around(nights, "_count", before=nothing, after=lambda _: burn("inside a chunk"))


def write_plain_letter(checked: Checked, address: PostalAddress) -> WrittenLetter:
    """Write a letter of a few words, no two of them alike: what is tried here is not the making of a PDF."""
    return replace(compose(checked, address), pdf=PDF + os.urandom(16))


def carry_out(order: dict[str, Any], stamps: str) -> None:
    """Do what one child is for."""
    fuse = Fuse(point=order.get("point", ""), passage=order.get("passage", 1))
    if fuse.point == ANY_TIME:
        threading.Timer(order["after"], die).start()
    settings.SMS_BASE_URLS.update(order.get("sms_urls", {}))
    if order.get("plain"):
        cast(Any, dispatch).write_letter = cast(Any, post_desk).write_letter = write_plain_letter
    match order["do"]:
        case "send":
            if not order.get("here"):
                arm_sending(fuse, stamps)
            ids = [UUID(one) for one in order["reminders"]]
            dispatch.send_batch(cabinet_id=UUID(order["cabinet"]), reminder_ids=ids)
        case "print":
            if not order.get("here"):
                arm_printing(fuse, stamps)
            print_out(order)
        case "pay":
            pay(order, stamps)
        case "night":
            arm_night(fuse)
            nights.ORDINARY_NIGHT = order["ordinary"]
            cabinet = Cabinet.objects.using(nights.SCHEDULER).only(*PLANNER_COLUMNS).get(pk=order["cabinet"])
            nights.evaluate(
                [nights.FirmNight(cabinet=cabinet, on=dt.date.fromisoformat(order["on"]), now=timezone.now())]
            )


def print_out(order: dict[str, Any]) -> None:
    """Press the button of each letter, each in a request of its own."""
    for reminder_id in order["reminders"]:
        with suppress(TooLateError), working_for(cabinet_id=UUID(order["cabinet"]), durable=True):
            by = Membership.objects.get(pk=order["member"])
            post_desk.print_letter(reminder_id=UUID(reminder_id), by=by)


def pay(order: dict[str, Any], stamps: str) -> None:
    """Record payments, whole or partial, each in its own transaction, while others send."""
    draw = random.Random(order["seed"])
    for invoice_id, cents in order["payments"]:
        time.sleep(draw.uniform(0.0, order["pause"]))
        with working_for(cabinet_id=UUID(order["cabinet"]), durable=True):
            settlement.settle(invoice_id=UUID(invoice_id), cents=cents)
        stamp(stamps, "paid", invoice_id, os.getpid())


def fork(order: dict[str, Any], stamps: str) -> int:
    """Start a child for one order; every connection was closed, so that none is shared."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        carry_out(order, stamps)
        code = 0
    except Exception:  # noqa: BLE001 - a child has nobody above it to raise to
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main(database: str, stamps: str, instant: str) -> None:
    """Serve orders until the input ends, at one instant of the product's clock."""
    sign_scopes_by_it()
    time_machine.travel(dt.datetime.fromisoformat(instant), tick=False).start()
    for alias in connections:
        connections[alias].settings_dict["NAME"] = database
    for line in sys.stdin:
        # One line is a list of orders for children that live side by side.
        orders = json.loads(line)
        for order in orders:
            if order.get("here"):
                carry_out(order, stamps)
        children = [fork(order, stamps) for order in orders if not order.get("here")]
        ends = [(child, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) for child in children]
        sys.stdout.write(json.dumps(ends) + "\n")
        sys.stdout.flush()
