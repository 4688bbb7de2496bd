"""Calls a step asks for: handed to a person, and what each of the seven outcomes changes, in one transaction."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.addresses import find_phone, show_phone
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.permissions import ensure
from cabinets.territories import Territory
from dunning.enums import CallResult, Channel, Code, ReminderState
from dunning.errors import CallError, TooLateError
from dunning.models import Call, DunningCase, Reminder, ReminderLine
from dunning.policy import decide
from dunning.services import alerts, in_hand, outcomes, todo
from dunning.services.claiming import MENTIONABLE, Checked, Words
from dunning.services.composing import addressee_of
from dunning.services.facts import load_facts
from dunning.services.ladder import schedule
from invoices.calendar import add_working_days
from invoices.enums import StopKind
from invoices.locks import lock_invoices
from invoices.models import Invoice
from invoices.services import facts, standstill

TRIES = 3
PLAN_HOLD_DAYS = 14
PROMISE_WITHIN_DAYS = 60
DAYS_TO_LOOK = 2
ORIGIN = "call"
# A call that was being made when a fact stopped it still happened: what was said in it is noted.
RECORDABLE = (ReminderState.IN_HAND, ReminderState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A call as it was noted: what it is about, by whom, on which day."""

    reminder: Reminder
    invoices: tuple[Invoice, ...]
    cabinet: Cabinet
    by: Membership
    note: str = ""
    promised_on: dt.date | None = None

    @property
    def today(self) -> dt.date:
        """Return the firm's day."""
        return self.cabinet.today()


def begin(*, reminder_id: UUID) -> str:
    """Ask a person to make a call whose hour has come; return the state it ends in, or "left" when it must not be."""
    return in_hand.hand_over(reminder_id=reminder_id, write=_number, kind=TaskKind.CALL)


def _number(checked: Checked) -> Words[None]:
    """A call has no words of its own: what is kept is the number it goes to."""
    return Words(subject="", html="", text="", recipient=addressee_of(checked.reminder).phone, payload=None)


def number_of(reminder: Reminder) -> tuple[str, str]:
    """Return the number to call as it is dialled and as it is read; nothing when none is known."""
    typed = reminder.recipient or addressee_of(reminder).phone
    known = find_phone(typed)
    return (known, show_phone(known)) if known else ("", typed)


def lines_of_call(reminder: Reminder) -> list[ReminderLine]:
    """Return what a call is about, oldest due date first: its own lines, or those of the message it accompanies."""
    lines = ReminderLine.objects.filter(reminder=reminder.accompanies_id or reminder.pk, is_claimed=True)
    return list(lines.select_related("invoice__dossier").order_by("invoice__due_on", "invoice__number_key"))


def tries_of(reminder: Reminder) -> list[Call]:
    """Return the calls already noted for a reminder, oldest first."""
    return list(Call.objects.filter(reminder=reminder).select_related("by__user").order_by("at", "pk"))


def stopped_by(reminder: Reminder, cabinet: Cabinet) -> Code | None:
    """Return the rule under which nobody should call now; a call in hand for days may have met a new one."""
    if reminder.state == ReminderState.CANCELLED:
        return Code(reminder.cancel_code) if reminder.cancel_code else Code.CLOSED
    ids = [line.invoice_id for line in lines_of_call(reminder)]
    seen = load_facts(
        invoice_ids=ids, on=cabinet.today(), now=cabinet.now(), apart_from=reminder.pk, step=reminder.step
    )
    codes = [decide(one, on=cabinet.today()).code for one in seen.values()]
    return next((code for code in codes if code not in MENTIONABLE), None)


@transaction.atomic
def record(
    *, reminder_id: UUID, by: Membership, result: CallResult, note: str = "", promised_on: dt.date | None = None
) -> Call:
    """Note what came of a call, and what it changes: the step, the facts that stop, what is asked of a person."""
    ensure(by, Right.HOLD_REMINDERS)
    lead = Reminder.objects.filter(pk=reminder_id).values_list("accompanies", flat=True).first()
    lock_invoices(ReminderLine.objects.filter(reminder=lead or reminder_id).values("invoice_id"))
    rows = Reminder.objects.filter(channel=Channel.PHONE).select_related("step", "client", "contact")
    reminder = rows.select_for_update(of=("self",)).get(pk=reminder_id)
    if reminder.state not in RECORDABLE or reminder.attempts == 0:
        raise TooLateError("Cet appel n’est plus à faire : son issue est déjà notée. Rien n’a été changé.")
    heard = Heard(
        reminder=reminder,
        invoices=tuple(line.invoice for line in lines_of_call(reminder)),
        cabinet=Cabinet.objects.get(),
        by=by,
        note=note,
        promised_on=promised_on,
    )
    _refuse_nonsense(heard, result)
    call = Call(
        reminder=reminder,
        client_id=reminder.client_id,
        result=result,
        promised_on=promised_on,
        note=note,
        by=by,
        at=heard.cabinet.now(),
    )
    call.save(force_insert=True)
    journal.record("call.recorded", reminder, result=result.value)
    EFFECTS[result](heard)
    return call


def _refuse_nonsense(heard: Heard, result: CallResult) -> None:
    if result == CallResult.PROMISED:
        last = heard.today + dt.timedelta(days=PROMISE_WITHIN_DAYS)
        if heard.promised_on is None or not heard.today <= heard.promised_on <= last:
            raise CallError("Indiquez le jour promis, dans les soixante jours qui viennent. Rien n’a été noté.")
    if result == CallResult.NO_REPLY and any(
        call.at.astimezone(heard.cabinet.zone).date() == heard.today
        for call in tries_of(heard.reminder)
        if call.result == CallResult.NO_REPLY
    ):
        raise CallError("Un essai sans réponse est déjà noté aujourd’hui : rappelez un autre jour ouvré.")


def _promised(heard: Heard) -> None:
    _done(heard)
    for invoice in heard.invoices:
        if heard.promised_on is not None and invoice.outstanding_cents > 0:
            facts.promise(
                invoice=invoice,
                by=heard.by,
                until_on=heard.promised_on,
                cents=invoice.outstanding_cents,
                on=heard.today,
                reason=heard.note,
                origin=ORIGIN,
            )


def _says_paid(heard: Heard) -> None:
    _done(heard)
    for invoice in heard.invoices:
        standstill.declare(kind=StopKind.CLAIMED_PAID, target=invoice, reason=heard.note, origin=ORIGIN)
        _ask(heard, TaskKind.ALREADY_PAID, invoice)


def _wants_plan(heard: Heard) -> None:
    _done(heard)
    until_on = heard.today + dt.timedelta(days=PLAN_HOLD_DAYS)
    for invoice in heard.invoices:
        standstill.declare(
            kind=StopKind.HOLD,
            target=invoice,
            until_on=until_on,
            reason=heard.note or "Échéancier demandé au téléphone",
            origin=ORIGIN,
        )
        _ask(heard, TaskKind.PLAN_REQUEST, invoice)


def _disputes(heard: Heard) -> None:
    _done(heard)
    for invoice in heard.invoices:
        standstill.declare(kind=StopKind.DISPUTE, target=invoice, reason=heard.note, origin=ORIGIN)
        _ask(heard, TaskKind.DISPUTE, invoice)


def _left_word(heard: Heard) -> None:
    _done(heard)


def _no_reply(heard: Heard) -> None:
    """Try again on the next working day, twice; then the step is done, and a person chooses what follows."""
    reminder = heard.reminder
    tried = sum(call.result == CallResult.NO_REPLY for call in tries_of(reminder))
    if reminder.state != ReminderState.IN_HAND:
        return
    if tried >= TRIES:
        _done(heard)
        in_hand.ask(reminder, kind=TaskKind.NO_ANSWER, due_on=heard.today + dt.timedelta(days=DAYS_TO_LOOK))
        return
    territory = Territory(reminder.client.territory or heard.cabinet.territory)
    again_on = add_working_days(heard.today, 1, territory=territory)
    Task.objects.filter(kind=TaskKind.CALL, subject_id=reminder.pk, state=TaskState.OPEN).update(due_on=again_on)


def _wrong_number(heard: Heard) -> None:
    """Nobody was reached and nobody will be that way: the step is to be done again once the number is corrected."""
    reminder = heard.reminder
    outcomes.refuse_way(reminder)
    in_hand.ask(reminder, kind=TaskKind.REJECTED_ADDRESS, due_on=heard.today + dt.timedelta(days=outcomes.TASK_DAYS))
    if reminder.state != ReminderState.IN_HAND:
        return
    reminder.state, reminder.failure = ReminderState.REJECTED, CallResult.WRONG_NUMBER.label
    reminder.save(update_fields=["state", "failure"])
    lines = ReminderLine.objects.filter(reminder=reminder)
    lines.update(counts=False)
    schedule(list(DunningCase.objects.filter(pk__in=lines.values("case")).select_related("invoice", "version")))
    _close_task(heard)


def _done(heard: Heard) -> None:
    """The debtor was spoken to, or was left word: the step is done, and the next one is dated from today."""
    if heard.reminder.state == ReminderState.IN_HAND:
        outcomes.mark_accepted(heard.reminder, heard.cabinet, code="")
    _close_task(heard)


def _close_task(heard: Heard) -> None:
    todo.close([TaskKind.CALL], subject_id=heard.reminder.pk, by=heard.by, state=TaskState.DONE)


def _ask(heard: Heard, kind: TaskKind, invoice: Invoice) -> None:
    todo.open_once(
        kind,
        client_id=invoice.client_id,
        subject_id=invoice.pk,
        owner_id=invoice.dossier.lawyer_id or alerts.lawyer_of(heard.reminder),
        due_on=heard.today + dt.timedelta(days=DAYS_TO_LOOK),
    )


EFFECTS: dict[CallResult, Callable[[Heard], None]] = {
    CallResult.PROMISED: _promised,
    CallResult.SAYS_PAID: _says_paid,
    CallResult.WANTS_PLAN: _wants_plan,
    CallResult.DISPUTES: _disputes,
    CallResult.LEFT_WORD: _left_word,
    CallResult.NO_REPLY: _no_reply,
    CallResult.WRONG_NUMBER: _wrong_number,
}
