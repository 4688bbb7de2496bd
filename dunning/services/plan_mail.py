"""Messages about payment plans: claimed, committed, said by the firm's own server, recorded; every rule asked again."""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.models import Cabinet, Client, Contact
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.territories import Territory, zone_of
from dunning.channels.protocol import DeliveryError, EmailSession, Outcome, Outgoing, Stage, Verdict
from dunning.enums import Channel, Code, Tone
from dunning.models import MailServer
from dunning.policy import Facts, StepFacts, decide
from dunning.services.dispatch import SPEAK_WITHIN_SECONDS
from dunning.services.evidence import append_plan_message
from dunning.services.facts import load_facts
from dunning.services.nights import SCHEDULER, opening, window_of
from dunning.services.outcomes import RETRY_MINUTES, TASK_DAYS
from dunning.services.plan_words import write
from dunning.services.roads import Road, road_of
from dunning.window import is_open
from invoices.enums import StopKind
from invoices.locks import lock_invoices
from invoices.services.chores import open_chore
from payments.enums import MailState, PlanMail, PlanState
from payments.models import PlanLine, PlanMessage
from payments.services.debiting import Collecting, collecting_of
from payments.services.plan_reading import View, view_of
from payments.services.plans import lock_plan
from templates_lib.errors import TextError

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(minutes=2)
LOOK_AGAIN = dt.timedelta(hours=1)
AT_MOST = 2000
# Said while the plan is there to be spoken of.
BELONGS = {
    PlanMail.OFFER: PlanState.PROPOSED,
    PlanMail.CONFIRMED: PlanState.ACTIVE,
    PlanMail.REFUSED: PlanState.REFUSED,
    PlanMail.REMINDER: PlanState.ACTIVE,
}
# What keeps even an answer from being written: nobody is to be asked, or nobody would read it.
GRAVE = frozenset(
    {StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS, StopKind.PROTECTED_PERSON, StopKind.WRONG_RECIPIENT}
)
# An answer waits for the firm to speak again; anything else that stops it ends it.
FIRM_WIDE = frozenset({Code.KILL_SWITCH, Code.NOT_LIVE, Code.NIGHT_ABNORMAL})
SAID = frozenset({Code.SEND, Code.NEEDS_APPROVAL})
# What the chain of evidence says of where a message ended.
PROVEN = {
    MailState.SENT: "message.departed",
    MailState.UNKNOWN: "message.uncertain",
    MailState.REJECTED: "message.rejected",
}
_GENTLE = StepFacts(offset_days=3, tone=Tone.COURTEOUS)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message claimed for sending: everything was checked, and committed."""

    generation: int
    outgoing: Outgoing
    taken_at: float


def due(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the messages whose departure has come, by firm, as the scheduler sees them: ids, dates and states."""
    demo_firms = Cabinet.objects.using(SCHEDULER).filter(is_demo=True).only(*PLANNER_COLUMNS)
    clocks = {cabinet.pk: cabinet.now() for cabinet in demo_firms}
    waiting = PlanMessage.all_cabinets.using(SCHEDULER).filter(state=MailState.WAITING)
    latest = max([now, *clocks.values()])
    found: dict[UUID, list[UUID]] = {}
    rows = waiting.filter(depart_at__lte=latest).order_by("depart_at", "pk")
    for cabinet_id, message_id, depart_at in rows.values_list("cabinet_id", "pk", "depart_at")[:AT_MOST]:
        if depart_at <= clocks.get(cabinet_id, now):
            found.setdefault(cabinet_id, []).append(message_id)
    return found


def expired(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the messages somebody claimed and never spoke of again, by firm."""
    rows = PlanMessage.all_cabinets.using(SCHEDULER).filter(state=MailState.SENDING, lease_until__lt=now)
    found: dict[UUID, list[UUID]] = {}
    for cabinet_id, message_id in rows.values_list("cabinet_id", "pk"):
        found.setdefault(cabinet_id, []).append(message_id)
    return found


def firm_of(*, message_id: UUID) -> UUID:
    """Return the firm a message belongs to, as the scheduler sees it."""
    return PlanMessage.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=message_id)


def send_batch(*, cabinet_id: UUID, message_ids: Sequence[UUID]) -> Counter[str]:
    """Send these messages of one firm over one connection, each committed on its own; count what became of them."""
    tally: Counter[str] = Counter()
    with acting_for(cabinet_id=cabinet_id):
        with tenant_atomic():
            road = road_of(Cabinet.objects.get())
        if road is None:
            return Counter(no_server=len(message_ids))
        try:
            with road.channel.open() as session:
                for message_id in message_ids:
                    tally[_apart(message_id, session=session, road=road)] += 1
        except DeliveryError as error:
            with tenant_atomic():
                MailServer.objects.update(failure=str(error)[:200], checked_at=timezone.now())
            logger.warning("plan_mail.unreachable", extra={"permanent": error.permanent})
            tally["unreachable"] += len(message_ids) - sum(tally.values())
    return tally


def deliver(*, message_id: UUID, session: EmailSession, road: Road) -> str:
    """Claim one message, speak, and record; return the state it ends in, or "left" when it was not to be said now."""
    with tenant_atomic(durable=True):
        taken = take(message_id=message_id, road=road)
    if taken is None:
        return "left"
    if time.monotonic() - taken.taken_at > SPEAK_WITHIN_SECONDS:
        with tenant_atomic(durable=True):
            _give_back(message_id, taken.generation)
        return "left"
    outcome = session.send(taken.outgoing)
    with tenant_atomic(durable=True):
        return record(message_id=message_id, generation=taken.generation, outcome=outcome)


def take(*, message_id: UUID, road: Road) -> Taken | None:
    """Take a message after checking everything again under the invoices' locks; None when it must not leave now."""
    plan_id = PlanMessage.objects.filter(pk=message_id).values_list("plan", flat=True).first()
    if plan_id is None:
        return None
    # The invoices first, as whoever records a payment does; then the plan, as whoever decides of it.
    lock_invoices(PlanLine.objects.filter(plan=plan_id).values("invoice_id"))
    plan = lock_plan(plan_id)
    rows = PlanMessage.objects.filter(pk=message_id, state=MailState.WAITING).select_related("instalment")
    message = rows.select_for_update(of=("self",), skip_locked=True).first()
    cabinet = Cabinet.objects.get()
    now = cabinet.now()
    if message is None or message.depart_at > now:
        return None
    message.plan = plan
    view = view_of(plan, on=cabinet.today())
    if not _is_to_be_said(message, view, cabinet, now):
        return None
    try:
        words = write(message, view, cabinet=cabinet, sender=road.sender, now=now)
    except TextError as error:
        logger.warning("plan_mail.unwritable", extra={"message_id": str(message.pk), "error": type(error).__name__})
        _cancel(message, Code.TEXT_REFUSED)
        _ask(message, TaskKind.PLAN_REQUEST, on=cabinet.today())
        return None
    message.state, message.generation, message.held_by = MailState.SENDING, message.generation + 1, ""
    message.lease_until, message.attempts = timezone.now() + LEASE, message.attempts + 1
    message.subject, message.html, message.text = words.subject, words.html, words.text
    message.recipient, message.message_id, message.text_ref = words.recipient, words.message_id, words.text_ref
    message.save(
        update_fields=[
            *("state", "generation", "held_by", "lease_until", "attempts", "subject", "html", "text"),
            *("recipient", "message_id", "text_ref"),
        ]
    )
    return Taken(message.generation, words.payload, time.monotonic())


def record(*, message_id: UUID, generation: int, outcome: Outcome) -> str:
    """Write an outcome under the generation that spoke; "left" when somebody else has taken the message since."""
    mine = PlanMessage.objects.filter(state__in=[MailState.SENDING, MailState.UNKNOWN], generation=generation)
    rows = mine.select_for_update(of=("self",)).select_related("plan__client", "plan__contact")
    message = rows.filter(pk=message_id).first()
    if message is None:
        return "left"
    cabinet = Cabinet.objects.get()
    message.lease_until, message.failure = None, "" if outcome.is_accepted else outcome.text[:300]
    match outcome.verdict:
        case Verdict.ACCEPTED | Verdict.UNKNOWN:
            message.state = MailState.SENT if outcome.is_accepted else MailState.UNKNOWN
            message.spoken_at, message.spoken_on = cabinet.now(), cabinet.today()
        case Verdict.REJECTED:
            message.state = MailState.REJECTED
        case Verdict.POSTPONED:
            message.state = MailState.WAITING
            message.depart_at = cabinet.now() + dt.timedelta(minutes=RETRY_MINUTES * message.attempts)
    message.save(update_fields=["state", "lease_until", "failure", "spoken_at", "spoken_on", "depart_at"])
    if message.state == MailState.UNKNOWN:
        _ask(message, TaskKind.PLAN_REQUEST, on=cabinet.today())
    elif message.state == MailState.REJECTED:
        if outcome.stage == Stage.RECIPIENT:
            _refuse_address(message)
        _ask(message, TaskKind.REJECTED_ADDRESS, on=cabinet.today())
    if message.state in PROVEN:
        append_plan_message(PROVEN[MailState(message.state)], message)
    journal.record(f"planmessage.{message.state}", message, kind=message.kind)
    return str(message.state)


def settle_expired(*, cabinet_id: UUID, message_ids: Sequence[UUID], now: dt.datetime) -> int:
    """Mark as uncertain what was claimed and never recorded; return how many. Nothing is ever sent again blindly."""
    with acting_for(cabinet_id=cabinet_id), tenant_atomic():
        cabinet = Cabinet.objects.get()
        stuck = PlanMessage.objects.filter(pk__in=list(message_ids), state=MailState.SENDING, lease_until__lt=now)
        rows = list(stuck.select_related("plan").select_for_update(of=("self",), skip_locked=True))
        for message in rows:
            message.state, message.lease_until = MailState.UNKNOWN, None
            message.spoken_at, message.spoken_on = cabinet.now(), cabinet.today()
            message.save(update_fields=["state", "lease_until", "spoken_at", "spoken_on"])
            _ask(message, TaskKind.PLAN_REQUEST, on=cabinet.today())
            journal.record("planmessage.unknown", message, kind=message.kind)
        # The chain's lock comes after every row's.
        for message in rows:
            append_plan_message(PROVEN[MailState.UNKNOWN], message)
    return len(rows)


def _apart(message_id: UUID, *, session: EmailSession, road: Road) -> str:
    try:
        return deliver(message_id=message_id, session=session, road=road)
    except DeliveryError:
        raise
    except Exception as error:
        logger.exception("plan_mail.failed", extra={"message_id": str(message_id), "error": type(error).__name__})
        with tenant_atomic():
            waiting = PlanMessage.objects.filter(pk=message_id, state=MailState.WAITING)
            waiting.update(depart_at=Cabinet.objects.get().now() + LOOK_AGAIN, failure=type(error).__name__)
        return "failed"


def _is_to_be_said(message: PlanMessage, view: View, cabinet: Cabinet, now: dt.datetime) -> bool:
    """Say whether a message may leave at this moment; otherwise write when it may, or that it never will."""
    if message.plan.state != BELONGS[PlanMail(message.kind)] or _is_pointless(message, view):
        _cancel(message, None)
        return False
    zone, territory = _place(message.plan.client, cabinet)
    if not is_open(now, zone=ZoneInfo(zone), territory=territory, window=window_of(cabinet)):
        _wait(message, view, cabinet, None, after=now)
        return False
    code = _what_stops(message, view, cabinet, now)
    if code is None:
        return True
    if message.kind == PlanMail.REMINDER or code in FIRM_WIDE:
        _wait(message, view, cabinet, code, after=now + LOOK_AGAIN)
    else:
        _cancel(message, code)
    return False


def _is_pointless(message: PlanMessage, view: View) -> bool:
    """Say whether an instalment is paid, or its day has come: its reminder comes before, or not at all."""
    if message.kind != PlanMail.REMINDER or message.instalment is None:
        return False
    part = next(one for one in view.parts if one.rank == message.instalment.rank)
    return part.left_cents <= 0 or view.on >= part.due_on


def _what_stops(message: PlanMessage, view: View, cabinet: Cabinet, now: dt.datetime) -> Code | None:
    """Return the first rule that keeps this message from leaving, asked of every invoice still owed."""
    owed = [one.pk for one in view.invoices if one.outstanding_cents > 0]
    facts = load_facts(invoice_ids=owed, on=view.on, now=now, cabinet=cabinet, channel=Channel.EMAIL)
    if not facts:
        return Code.CLOSED
    is_coming = False
    if message.kind == PlanMail.REMINDER and message.instalment is not None:
        collecting = collecting_of(message.plan, message.instalment)
        if collecting is Collecting.UNSURE:
            return Code.PAYMENT_IN_FLIGHT
        is_coming = collecting is Collecting.SURE
    adapt = partial(_for_a_reminder, is_coming=is_coming) if message.kind == PlanMail.REMINDER else _for_an_answer
    codes = [decide(adapt(one, on=view.on), on=view.on).code for one in facts.values()]
    return next((code for code in codes if code not in SAID), None)


def _for_a_reminder(facts: Facts, *, on: dt.date, is_coming: bool) -> Facts:
    """Return the facts as they bear on an instalment: its own date in the place of the ladder's, every stop but it.

    The money on its way that its own mandate collects is what the message is about.
    """
    own = {StopKind.PLAN, StopKind.PAYMENT_IN_FLIGHT} if is_coming else {StopKind.PLAN}
    return replace(facts, stops=facts.stops - own, step=_GENTLE, last_step_on=None, is_rate_missing=False)


def _for_an_answer(facts: Facts, *, on: dt.date) -> Facts:
    """Return the facts as they bear on what answers a debtor: no contact of the firm's own making (engine.md § 2.5)."""
    return replace(
        facts,
        stops=facts.stops & GRAVE,
        is_never_reminded=False,
        client_credit_cents=0,
        paid_within_grace=False,
        settlements_declared_on=on,
        hearing_near=False,
        has_pending_reminder=False,
        last_contact_on=None,
        contacts_in_30_days=0,
        last_step_on=None,
        step=_GENTLE,
        is_rate_missing=False,
    )


def _wait(message: PlanMessage, view: View, cabinet: Cabinet, code: Code | None, *, after: dt.datetime) -> None:
    zone, territory = _place(message.plan.client, cabinet)
    moment = opening(after, zone, territory, window_of(cabinet))
    part = message.instalment
    if message.kind == PlanMail.REMINDER and part is not None and moment.astimezone(cabinet.zone).date() >= part.due_on:
        _cancel(message, code)
        return
    message.depart_at, message.held_by = moment, "" if code is None else code.value
    message.save(update_fields=["depart_at", "held_by"])


def _cancel(message: PlanMessage, code: Code | None) -> None:
    # What held it back so far is still why it never left.
    message.state, message.held_by = MailState.CANCELLED, message.held_by if code is None else code.value
    message.save(update_fields=["state", "held_by"])
    journal.record("planmessage.cancelled", message, kind=message.kind, code=message.held_by)


def _give_back(message_id: UUID, generation: int) -> None:
    mine = PlanMessage.objects.filter(pk=message_id, state=MailState.SENDING, generation=generation)
    mine.update(state=MailState.WAITING, lease_until=None)


def _ask(message: PlanMessage, kind: TaskKind, *, on: dt.date) -> None:
    open_chore(
        kind,
        subject_id=message.plan_id,
        client_id=message.client_id,
        due_on=on + dt.timedelta(days=TASK_DAYS),
    )


def _refuse_address(message: PlanMessage) -> None:
    addressee: Client | Contact = message.plan.contact or message.plan.client
    addressee.email_refused_at = timezone.now()
    addressee.save(update_fields=["email_refused_at"])


def _place(client: Client, cabinet: Cabinet) -> tuple[str, Territory]:
    if client.territory is None:
        return cabinet.zone_name, Territory(cabinet.territory)
    territory = Territory(client.territory)
    return zone_of(territory).key, territory
