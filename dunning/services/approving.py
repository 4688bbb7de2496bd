"""A person decides: approve, take back, decline, postpone, resolve; each act checks the facts again."""

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from dunning.enums import Channel, Code, Reason, ReminderState, Tone
from dunning.errors import DunningError, TooLateError
from dunning.models import DunningCase, NightlyRun, Reminder, ReminderLine
from dunning.policy import decide, out_of_turn
from dunning.services import outcomes, todo
from dunning.services.composing import lines_of, version_of
from dunning.services.facts import load_facts
from dunning.services.ladder import cancel, schedule
from dunning.services.lookups import needs_insolvency_check
from dunning.services.wake import TextMessages, text_messages_of
from invoices.enums import StopKind
from invoices.locks import lock_invoices
from invoices.services import insolvency, standstill
from templates_lib.errors import TextError

# Told to a person who approves what a fact has just stopped.
WHY_NOT = {
    Code.PAID: "Cette facture vient d’être payée. Rien ne partira.",
    Code.DISPUTE: "Cette facture vient d’être contestée. Rien ne partira.",
    Code.CLAIMED_PAID: "Le client dit avoir payé. Rien ne partira avant votre vérification.",
}
NOT_LOOKED_FOR = (
    "Personne n’a vérifié depuis hier que ce client n’est pas en procédure collective. Rien ne partira : attendez la"
    " vérification, ou cochez « J’ai vérifié moi-même »."
)
FIRST_ACCORD = "Premier accord enregistré. Le message attend encore l’accord d’une autre personne."


@dataclass(frozen=True, slots=True)
class Summary:
    """What a batch would approve, before it is approved."""

    ready: tuple[Reminder, ...]
    apart: tuple[Reminder, ...]
    total_cents: int
    texts: TextMessages


def blocked_by(reminder: Reminder) -> str:
    """Return why nobody may approve this reminder yet; empty when a person may."""
    return "Texte et canal à venir" if Reason.NO_TEXT in reminder.reasons else ""


@transaction.atomic
def approve(*, reminder_id: UUID, by: Membership, vouches: bool = False) -> Reminder:
    """Let a reminder leave at its departure, with its invoices and amounts frozen as they are now.

    A lawyer who `vouches` states that they looked for collective proceedings of the client and found none. A fact
    that stopped it meanwhile cancels it: the reminder comes back cancelled, and `why_not` says why.
    """
    reminder = _locked(reminder_id, [ReminderState.AWAITING_APPROVAL])
    ensure(by, Right.APPROVE_FORMAL_NOTICES if reminder.step.tone == Tone.FORMAL else Right.APPROVE_REMINDERS)
    if why := blocked_by(reminder):
        raise DunningError(f"{why} : cette relance ne peut pas encore être approuvée. Rien ne partira.")
    if Reason.TWO_PEOPLE in reminder.reasons and reminder.approved_by_id == by.pk:
        raise DunningError("Ce client demande deux accords : le second doit venir d’une autre personne.")
    if needs_insolvency_check(reminder):
        if not vouches:
            raise DunningError(NOT_LOOKED_FOR)
        insolvency.state_by_hand(client=reminder.client, by=by, on=Cabinet.objects.get().today())
    if (code := _stopped_by(reminder)) is not None:
        cancel(reminders=[reminder], code=code)
        reminder.refresh_from_db(fields=["state", "cancel_code"])
        return reminder
    cabinet = Cabinet.objects.get()
    if Reason.TWO_PEOPLE in reminder.reasons and reminder.approved_by_id is None:
        reminder.approved_by, reminder.approved_at = by, timezone.now()
        reminder.save(update_fields=["approved_by", "approved_at"])
        _ask_second_accord(reminder, cabinet)
        journal.record("reminder.approved_once", reminder)
        return reminder
    if reminder.approved_by_id is None:
        reminder.approved_by, reminder.approved_at = by, timezone.now()
    else:
        reminder.seconded_by, reminder.seconded_at = by, timezone.now()
    reminder.state = ReminderState.APPROVED
    reminder.depart_at = outcomes.next_departure(reminder, cabinet, after=max(cabinet.now(), reminder.depart_at))
    _freeze(reminder)
    reminder.save(
        update_fields=[
            "state",
            "approved_by",
            "approved_at",
            "seconded_by",
            "seconded_at",
            "depart_at",
            "total_cents",
            "text_ref",
        ]
    )
    todo.close([TaskKind.SECOND_ACCORD], subject_id=reminder.pk, by=by, state=TaskState.DONE)
    journal.record("reminder.approved", reminder, rank=reminder.rank)
    return reminder


@transaction.atomic
def take_back(*, reminder_id: UUID, by: Membership) -> Reminder:
    """Undo an approval, until the reminder departs."""
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.APPROVED])
    reminder.state = ReminderState.AWAITING_APPROVAL
    reminder.approved_by = reminder.approved_at = reminder.seconded_by = reminder.seconded_at = None
    reminder.save(update_fields=["state", "approved_by", "approved_at", "seconded_by", "seconded_at"])
    journal.record("reminder.approval_undone", reminder)
    return reminder


@transaction.atomic
def skip(*, reminder_id: UUID, by: Membership, reason: str) -> Reminder:
    """Do not send, and count the step as done: the ladder goes on with the next one; the invoice's note says why."""
    reminder = _decline(reminder_id, by, "skip")
    claimed = ReminderLine.objects.filter(reminder=reminder, is_claimed=True).values("case")
    cases = list(DunningCase.objects.filter(pk__in=claimed).select_related("invoice", "version"))
    today = Cabinet.objects.get().today()
    for case in cases:
        case.next_rank, case.last_step_on = max(case.next_rank, reminder.rank + 1), case.last_step_on or today
        case.invoice.note = f"{case.invoice.note}\nÉtape {reminder.step} passée : {reason}".strip()
        case.invoice.save(update_fields=["note"])
    DunningCase.objects.bulk_update(cases, ["next_rank", "last_step_on"])
    schedule(cases)
    return reminder


@transaction.atomic
def hold(*, reminder_id: UUID, by: Membership, reason: str, until_on: dt.date | None = None) -> Reminder:
    """Do not send, and hold every invoice it claimed until a day or until somebody releases it."""
    reminder = _decline(reminder_id, by, "hold")
    ReminderLine.objects.filter(reminder=reminder).update(counts=False)
    for line in ReminderLine.objects.filter(reminder=reminder, is_claimed=True).select_related("invoice"):
        standstill.declare(kind=StopKind.HOLD, target=line.invoice, until_on=until_on, reason=reason)
    return reminder


@transaction.atomic
def postpone(*, reminder_id: UUID, by: Membership, to: dt.date) -> Reminder:
    """Move the departure to a later day, at the firm's opening hour for this debtor."""
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.AWAITING_APPROVAL, ReminderState.APPROVED, ReminderState.PLANNED])
    cabinet = Cabinet.objects.get()
    if to <= cabinet.today():
        raise DunningError("Choisissez un jour à venir. Le départ n’a pas changé.")
    start = dt.datetime.combine(to, dt.time(0), tzinfo=cabinet.zone)
    reminder.depart_at = outcomes.next_departure(reminder, cabinet, after=start)
    reminder.save(update_fields=["depart_at"])
    journal.record("reminder.postponed_by_hand", reminder)
    return reminder


@transaction.atomic
def resolve_unknown(*, reminder_id: UUID, by: Membership, has_left: bool) -> Reminder:
    """Say what became of an uncertain message: it left, or it did not and may be planned again."""
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.UNKNOWN])
    cabinet = Cabinet.objects.get()
    if has_left:
        outcomes.mark_accepted(reminder, cabinet, code="constaté")
        return reminder
    reminder.state, reminder.spoken_on, reminder.spoken_at = ReminderState.DECLINED, None, None
    reminder.ended_by = by
    reminder.save(update_fields=["state", "spoken_on", "spoken_at", "ended_by"])
    lines = ReminderLine.objects.filter(reminder=reminder)
    lines.update(counts=False)
    schedule(list(DunningCase.objects.filter(pk__in=lines.values("case")).select_related("invoice", "version")))
    _close(TaskKind.UNKNOWN_OUTCOME, reminder.pk, by)
    journal.record("reminder.found_unsent", reminder)
    return reminder


@transaction.atomic
def confirm_night(*, night_id: UUID, by: Membership) -> NightlyRun:
    """Let an unusual night be evaluated again, as an ordinary one, while its day lasts: the next night looks anew."""
    ensure(by, Right.RESUME_ALL)
    if NightlyRun.objects.filter(pk=night_id, on__lt=Cabinet.objects.get().today()).exists():
        raise TooLateError("Cette nuit est passée : la nuit suivante examine de nouveau les mêmes factures.")
    confirmed = NightlyRun.objects.filter(pk=night_id, is_abnormal=True, confirmed_at=None).update(
        confirmed_by=by, confirmed_at=timezone.now(), round=2, finished_at=None
    )
    night = NightlyRun.objects.get(pk=night_id)
    if not confirmed:
        raise TooLateError("Cette nuit a déjà été confirmée.")
    DunningCase.objects.filter(code=Code.NIGHT_ABNORMAL, next_action_on=night.on + dt.timedelta(days=1)).update(
        next_action_on=night.on
    )
    _close(TaskKind.ABNORMAL_NIGHT, night_id, by)
    journal.record("night.confirmed", night)
    return night


def is_batchable(reminder: Reminder) -> bool:
    """Say whether a batch may approve it: formal notices and texts to come are read one by one."""
    return reminder.step.tone != Tone.FORMAL and not blocked_by(reminder)


def summary_of(reminders: Sequence[Reminder], cabinet: Cabinet) -> Summary:
    """Sort a selection into what a batch may approve and what is read apart, with what the batch would cost."""
    ready = tuple(one for one in reminders if is_batchable(one))
    apart = tuple(one for one in reminders if not is_batchable(one))
    total_cents = sum(one.total_cents for one in ready)
    return Summary(ready=ready, apart=apart, total_cents=total_cents, texts=text_messages_of(ready, cabinet))


def approve_many(*, reminder_ids: Collection[UUID], by: Membership) -> tuple[list[Reminder], list[tuple[UUID, str]]]:
    """Approve each reminder of a batch on its own; return the approved ones, and why the others were not."""
    done: list[Reminder] = []
    refused: list[tuple[UUID, str]] = []
    for reminder_id in reminder_ids:
        try:
            with transaction.atomic():
                reminder = _approve_in_batch(reminder_id, by)
        except (DunningError, Reminder.DoesNotExist) as error:
            refused.append((reminder_id, str(error)))
        else:
            if reminder.state == ReminderState.CANCELLED:
                refused.append((reminder_id, why_not(reminder)))
            elif reminder.state == ReminderState.AWAITING_APPROVAL:
                refused.append((reminder_id, FIRST_ACCORD))
            else:
                done.append(reminder)
    return done, refused


def _approve_in_batch(reminder_id: UUID, by: Membership) -> Reminder:
    if not is_batchable(Reminder.objects.select_related("step").get(pk=reminder_id)):
        raise DunningError("Cette relance se relit une par une.")
    return approve(reminder_id=reminder_id, by=by)


def _locked(reminder_id: UUID, states: Collection[ReminderState]) -> Reminder:
    # The invoices first, as whoever records a payment does: the other order would be a deadlock.
    lock_invoices(ReminderLine.objects.filter(reminder=reminder_id).values_list("invoice_id", flat=True))
    rows = Reminder.objects.select_for_update(of=("self",)).select_related("step", "client", "contact")
    reminder = rows.filter(pk=reminder_id).first()
    if reminder is None:
        raise Reminder.DoesNotExist(f"{reminder_id}")
    if reminder.state not in states:
        label = ReminderState(reminder.state).label
        why = WHY_NOT.get(Code(reminder.cancel_code), "") if reminder.cancel_code else ""
        raise TooLateError(why or f"Cette relance est déjà à l’état « {label} ». Rien n’a été changé.")
    return reminder


def _decline(reminder_id: UUID, by: Membership, how: str) -> Reminder:
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.AWAITING_APPROVAL, ReminderState.APPROVED, ReminderState.PLANNED])
    reminder.state, reminder.ended_by = ReminderState.DECLINED, by
    reminder.save(update_fields=["state", "ended_by"])
    mentioned = ReminderLine.objects.filter(reminder=reminder, is_claimed=False).values("case")
    schedule(list(DunningCase.objects.filter(pk__in=mentioned).select_related("invoice", "version")))
    todo.close([TaskKind.SECOND_ACCORD], subject_id=reminder.pk, by=by, state=TaskState.CANCELLED)
    journal.record("reminder.declined", reminder, how=how)
    return reminder


def why_not(reminder: Reminder) -> str:
    """Return the sentence shown to a person when a cancelled reminder will not leave."""
    if not reminder.cancel_code:
        return ""
    code = Code(reminder.cancel_code)
    return WHY_NOT.get(code, f"{code.label}. Rien ne partira.")


def _stopped_by(reminder: Reminder) -> Code | None:
    """Return the rule that stops a reminder a person is approving; what a later day mends does not stop it."""
    cabinet = Cabinet.objects.get()
    claimed, _ = lines_of(reminder)
    is_by_hand = Reason.BY_HAND in reminder.reasons
    # What the client owes and heard at the whole firm, as the sender will count it.
    with whole_firm():
        facts = load_facts(
            invoice_ids=[line.invoice_id for line in claimed],
            on=cabinet.today(),
            now=cabinet.now(),
            apart_from=reminder.pk,
            step=reminder.step if is_by_hand else None,
        )
    for line in claimed:
        asked = facts[line.invoice_id]
        code = decide(out_of_turn(asked) if is_by_hand else asked, on=cabinet.today()).code
        if code not in {Code.SEND, Code.NEEDS_APPROVAL, Code.KILL_SWITCH, Code.STALE_SOURCE}:
            return code
    return None


def _ask_second_accord(reminder: Reminder, cabinet: Cabinet) -> None:
    todo.open_once(
        TaskKind.SECOND_ACCORD,
        client_id=reminder.client_id,
        subject_id=reminder.pk,
        owner_id=None,
        due_on=cabinet.today() + dt.timedelta(days=1),
    )


def _freeze(reminder: Reminder) -> None:
    """Write what was approved: the amounts, and the version of the text."""
    claimed, mentioned = lines_of(reminder)
    for line in (*claimed, *mentioned):
        line.owed_cents = line.invoice.outstanding_cents
    ReminderLine.objects.bulk_update([*claimed, *mentioned], ["owed_cents"])
    reminder.total_cents = sum(line.owed_cents for line in claimed)
    if reminder.channel == Channel.PHONE or reminder.edited_at is not None:
        return
    # Approved again, it bears the text in force today; one that nobody can write is refused when it leaves.
    reminder.text_ref = ""
    with suppress(TextError):
        reminder.text_ref = version_of(reminder, claimed).ref


def _close(kind: TaskKind, subject_id: UUID, by: Membership) -> None:
    Task.objects.filter(kind=kind, subject_id=subject_id, state=TaskState.OPEN).update(
        state=TaskState.DONE, closed_at=timezone.now(), closed_by=by
    )
