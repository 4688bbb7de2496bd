"""Record what became of a message: one short transaction, by the process that claimed it and by no other."""

import datetime as dt
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import current_scope
from cabinets.services.notifications import tell_of_task
from cabinets.territories import Territory, zone_of
from dunning.channels.protocol import Outcome, Stage, Verdict
from dunning.enums import Channel, ReminderState, Tone
from dunning.models import DunningCase, Reminder, ReminderLine
from dunning.policy import FIRM_TONES
from dunning.services.alerts import after_departure
from dunning.services.evidence import append_message
from dunning.services.ladder import schedule
from dunning.services.nights import opening, window_of
from dunning.services.sums import CHARGED
from dunning.services.wake import follow
from invoices.models import Invoice
from invoices.services import claims

RETRY_MINUTES = 15
# How long a provider is asked what became of a text message.
ASKED_FOR = dt.timedelta(days=3)
TASK_DAYS = 2


def record(
    *, reminder_id: UUID, generation: int, outcome: Outcome, cabinet: Cabinet | None = None
) -> ReminderState | None:
    """Write an outcome under the generation that spoke; nothing when somebody else has taken the reminder since.

    The sender hands the firm over as it read it seconds ago: only its clock and its calendar are asked here.
    An outcome that arrives after the lease ran out still tells the truth, so it replaces « issue incertaine ».
    """
    mine = Q(state__in=[ReminderState.SENDING, ReminderState.UNKNOWN], generation=generation)
    reminder = Reminder.objects.select_for_update(of=("self",)).filter(mine, pk=reminder_id).first()
    if reminder is None:
        return None
    cabinet = cabinet or Cabinet.objects.get()
    match outcome.verdict:
        case Verdict.ACCEPTED:
            mark_accepted(reminder, cabinet, code=str(outcome.code or ""))
        case Verdict.REJECTED:
            _mark_rejected(reminder, cabinet, outcome)
        case Verdict.POSTPONED:
            _mark_postponed(reminder, cabinet, outcome)
        case Verdict.UNKNOWN:
            mark_unknown(reminder, cabinet, failure=outcome.text)
    return ReminderState(reminder.state)


def mark_accepted(reminder: Reminder, cabinet: Cabinet, *, code: str) -> None:
    """The server answers for the message: the step is done, and the next one is dated from its day."""
    was_in_doubt = reminder.state == ReminderState.UNKNOWN
    # An uncertain message left when it was spoken, not when somebody found that out.
    if not was_in_doubt or reminder.spoken_on is None:
        reminder.spoken_at, reminder.spoken_on = cabinet.now(), cabinet.today()
    reminder.state = ReminderState.ACCEPTED
    reminder.provider_code, reminder.lease_until, reminder.failure = code[:12], None, ""
    reminder.save(update_fields=["state", "spoken_at", "spoken_on", "provider_code", "lease_until", "failure"])
    cases = list(_claimed_cases(reminder))
    for case in cases:
        case.last_step_on, case.next_rank = reminder.spoken_on, max(case.next_rank, reminder.rank + 1)
    schedule(cases, moved=("last_step_on", "next_rank"))
    if was_in_doubt:
        _close_task(TaskKind.UNKNOWN_OUTCOME, reminder)
    else:
        follow(reminder, cabinet, at=cabinet.now())
    claims.ask(invoices=_charged_invoices(reminder), on=reminder.spoken_on)
    after_departure(reminder, cabinet)
    append_message("message.departed", reminder)
    journal.record("reminder.sent", reminder, rank=reminder.rank, channel=reminder.channel)


def mark_unknown(reminder: Reminder, cabinet: Cabinet, *, failure: str = "") -> None:
    """The message may have left: it counts as a contact, nothing is said again, and a person looks."""
    reminder.state = ReminderState.UNKNOWN
    reminder.spoken_at, reminder.spoken_on = cabinet.now(), cabinet.today()
    reminder.lease_until, reminder.failure = None, failure[:300]
    reminder.save(update_fields=["state", "spoken_at", "spoken_on", "lease_until", "failure"])
    _claimed_cases(reminder).update(next_action_on=None)
    open_task(TaskKind.UNKNOWN_OUTCOME, reminder, cabinet)
    append_message("message.uncertain", reminder)
    journal.record("reminder.uncertain", reminder, rank=reminder.rank)


def _mark_rejected(reminder: Reminder, cabinet: Cabinet, outcome: Outcome) -> None:
    reminder.state = ReminderState.REJECTED
    reminder.provider_code, reminder.failure, reminder.lease_until = str(outcome.code or ""), outcome.text[:300], None
    reminder.save(update_fields=["state", "provider_code", "failure", "lease_until"])
    ReminderLine.objects.filter(reminder=reminder).update(counts=False)
    if outcome.stage == Stage.RECIPIENT:
        refuse_way(reminder)
    open_task(TaskKind.REJECTED_ADDRESS, reminder, cabinet)
    schedule(list(DunningCase.objects.filter(pk__in=_case_ids(reminder)).select_related("invoice", "version")))
    append_message("message.rejected", reminder, stage=outcome.stage.value)
    journal.record("reminder.rejected", reminder, code=reminder.provider_code, stage=outcome.stage.value)


def _mark_postponed(reminder: Reminder, cabinet: Cabinet, outcome: Outcome) -> None:
    _unsay(reminder)
    reminder.provider_code, reminder.failure, reminder.lease_until = str(outcome.code or ""), outcome.text[:300], None
    again = cabinet.now() + dt.timedelta(minutes=RETRY_MINUTES * max(reminder.attempts, 1))
    reminder.depart_at = next_departure(reminder, cabinet, after=again)
    reminder.save(update_fields=["provider_code", "failure", "depart_at"])
    journal.record("reminder.postponed", reminder, code=reminder.provider_code, attempts=reminder.attempts)


def refuse_way(reminder: Reminder) -> None:
    """Note that the way a message took does not reach its addressee: nothing goes that way until it is corrected."""
    addressee, column = reminder.contact or reminder.client, "email_refused_at"
    if reminder.channel in {Channel.SMS, Channel.PHONE}:
        column = "mobile_refused_at"
    elif reminder.channel in {Channel.LETTER, Channel.REGISTERED}:
        addressee, column = reminder.client, "postal_refused_at"
    setattr(addressee, column, timezone.now())
    addressee.save(update_fields=[column])


def put_off(*, reminder_id: UUID, error: str) -> None:
    """Let a reminder that could not be tried wait for a while, and show the fault to an operator."""
    mine = Reminder.objects.filter(pk=reminder_id, state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    cabinet = Cabinet.objects.get()
    for reminder in mine.select_for_update(of=("self",), skip_locked=True).select_related("client"):
        reminder.attempts += 1
        again = cabinet.now() + dt.timedelta(minutes=RETRY_MINUTES * reminder.attempts)
        reminder.depart_at = next_departure(reminder, cabinet, after=again)
        reminder.save(update_fields=["attempts", "depart_at"])
    with connection.cursor() as cursor:
        # By hand: the application may add such a row and read none, not even the one it adds.
        cursor.execute(
            "INSERT INTO dunning_failedjob (name, subject_id, error, at) VALUES (%s, %s, %s, %s)",
            ["dunning.send", reminder_id, error[:200], timezone.now()],
        )


def give_back(*, reminder_id: UUID, generation: int) -> None:
    """Return an unspoken reminder to where it was claimed from."""
    mine = Reminder.objects.filter(pk=reminder_id, state=ReminderState.SENDING, generation=generation)
    for reminder in mine.select_for_update(of=("self",)):
        _unsay(reminder)


def _unsay(reminder: Reminder) -> None:
    """Return a reminder to where it was claimed from; the text it did not say is written anew when it is read."""
    reminder.state, reminder.lease_until = unsent_state(reminder), None
    reminder.subject = reminder.html = reminder.text = reminder.recipient = reminder.sent_from = ""
    reminder.save(update_fields=["state", "lease_until", "subject", "html", "text", "recipient", "sent_from"])


def unsent_state(reminder: Reminder) -> ReminderState:
    """Return the state a claimed reminder came from."""
    return ReminderState.PLANNED if reminder.approved_at is None else ReminderState.APPROVED


def next_departure(reminder: Reminder, cabinet: Cabinet, *, after: dt.datetime) -> dt.datetime:
    """Return the next instant at which this debtor may be written to."""
    zone_name, territory = place_of(reminder, cabinet)
    return opening(after, zone_name, territory, window_of(cabinet))


def place_of(reminder: Reminder, cabinet: Cabinet) -> tuple[str, Territory]:
    """Return the zone and the territory whose hours and holidays protect the debtor; the firm's when unknown."""
    if reminder.client.territory is None:
        return cabinet.zone_name, Territory(cabinet.territory)
    territory = Territory(reminder.client.territory)
    return zone_of(territory).key, territory


def open_task(kind: TaskKind, reminder: Reminder, cabinet: Cabinet) -> None:
    """Ask a person, once while the task is open."""
    Task.objects.bulk_create(
        [
            Task(
                kind=kind,
                client_id=reminder.client_id,
                subject_id=reminder.pk,
                due_on=cabinet.today() + dt.timedelta(days=TASK_DAYS),
            )
        ],
        ignore_conflicts=True,
    )
    tell_of_task(kind, client_id=reminder.client_id, subject_id=reminder.pk, owner_id=None)


def _close_task(kind: TaskKind, reminder: Reminder) -> None:
    open_tasks = Task.objects.filter(kind=kind, subject_id=reminder.pk, state=TaskState.OPEN)
    open_tasks.update(state=TaskState.DONE, closed_at=timezone.now(), closed_by_id=current_scope().member_id)


def _charged_invoices(reminder: Reminder) -> list[Invoice]:
    """Return the invoices beside which a message has asked what lateness adds; none before the firm steps."""
    if reminder.accompanies_id or Tone(reminder.step.tone) not in FIRM_TONES or reminder.client_kind not in CHARGED:
        return []
    lines = ReminderLine.objects.filter(reminder=reminder, is_claimed=True).select_related("invoice__dossier")
    return [line.invoice for line in lines]


def _case_ids(reminder: Reminder) -> list[UUID]:
    return list(ReminderLine.objects.filter(reminder=reminder).values_list("case", flat=True))


def _claimed_cases(reminder: Reminder) -> QuerySet[DunningCase]:
    claimed = ReminderLine.objects.filter(reminder=reminder, is_claimed=True).values("case")
    return DunningCase.objects.filter(pk__in=claimed).select_related("invoice", "version")
