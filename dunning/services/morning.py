"""The mail of the morning: what waits for each person, what leaves today, what was held; once a person and a day.

It names no client and no matter: an invoice number, the neutral reference of its dossier, a step. Whoever reads over a
shoulder, or a locked screen, learns nothing a bill does not already show.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import css_inline
from django.conf import settings
from django.db.models import Count, Q
from django.template.loader import render_to_string

from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.models.firm import PLANNER_COLUMNS
from cabinets.scoping import working_for
from cabinets.territories import Territory
from dunning.enums import Code, Reason, ReminderState, StaffMailKind, Tone
from dunning.models import Decision, Reminder, ReminderLine, StaffMail
from dunning.presenting import hour_words, offset_words, plural
from dunning.services import staff_mail, todo, vetoes
from dunning.services.nights import SCHEDULER
from dunning.services.vetoes import LEAVING
from invoices.calendar import is_working_day
from templates_lib.rendering import day_words

OPENS, CLOSES = dt.time(8), dt.time(10)
SHOWN = 12
# A night that lets a message go, or asks a person for it, held nothing back.
NOT_HELD = (Code.SEND, Code.NEEDS_APPROVAL)


@dataclass(frozen=True, slots=True)
class Line:
    """One message or one task, in a few neutral words."""

    words: str
    url: str = ""
    veto_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one person finds in the mail of one morning."""

    waiting: tuple[Line, ...]
    waiting_count: int
    tasks: tuple[Line, ...]
    tasks_count: int
    leaving: tuple[Line, ...]
    leaving_count: int
    held: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to write about: no mail, then."""
        return not (self.waiting or self.tasks or self.leaving or self.held)


def firms_due(*, now: dt.datetime) -> list[UUID]:
    """Return the firms where it is between eight and ten, by their own clock, on a day that is worked."""
    found = []
    for cabinet in Cabinet.objects.using(SCHEDULER).only(*PLANNER_COLUMNS):
        local = (cabinet.now() if cabinet.is_demo else now).astimezone(cabinet.zone)
        is_worked = is_working_day(local.date(), territory=Territory(cabinet.territory))
        if OPENS <= local.time() < CLOSES and is_worked and cabinet.is_live:
            found.append(cabinet.pk)
    return found


def write(*, cabinet_id: UUID) -> int:
    """Ask for the morning mail of each person of a firm who wants it and has no such mail yet; return how many."""
    with working_for(cabinet_id=cabinet_id):
        key = Cabinet.objects.get().today().isoformat()
        told = StaffMail.objects.filter(kind=StaffMailKind.MORNING, key=key).values("member")
        people = Membership.objects.filter(is_active=True, gets_morning_mail=True, user__is_active=True)
        wanted = list(people.exclude(pk__in=told).values_list("pk", flat=True))
    return sum(_write_to(cabinet_id=cabinet_id, member_id=member_id, key=key) for member_id in wanted)


def _write_to(*, cabinet_id: UUID, member_id: UUID, key: str) -> bool:
    """Read what this person sees, and no more."""
    with working_for(cabinet_id=cabinet_id, member_id=member_id):
        member = Membership.objects.select_related("user").get(pk=member_id)
        cabinet = Cabinet.objects.get()
        digest = digest_of(member=member, cabinet=cabinet)
        if digest.is_empty:
            return False
        values = {
            "digest": digest,
            "firm": cabinet,
            "name": member.user.get_short_name(),
            "day": day_words(cabinet.today()),
            "site": settings.SITE_URL,
        }
        page = render_to_string("dunning/emails/morning.html", values)
        return staff_mail.queue(
            kind=StaffMailKind.MORNING,
            member=member,
            key=key,
            subject=subject_of(digest),
            html=css_inline.CSSInliner(load_remote_stylesheets=False).inline(page),
            text=render_to_string("dunning/emails/morning.txt", values),
        )


def subject_of(digest: Digest) -> str:
    """Return the subject: counts, and nobody's name."""
    counts = (
        (digest.waiting_count, "accord attendu", "accords attendus"),
        (digest.tasks_count, "tâche", "tâches"),
        (digest.leaving_count, "départ aujourd’hui", "départs aujourd’hui"),
    )
    words = [plural(count, one, many) for count, one, many in counts if count]
    return "Quittance, ce matin : " + (", ".join(words) if words else "ce qui a été retenu cette nuit")


def digest_of(*, member: Membership, cabinet: Cabinet) -> Digest:
    """Return what waits for one person this morning, as far as they see the dossiers."""
    waiting = _waiting_for(member)
    today = cabinet.today()
    end = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(0), tzinfo=cabinet.zone)
    leaving = list(
        Reminder.objects.filter(state__in=LEAVING, depart_at__lt=end, accompanies=None)
        .select_related("step")
        .order_by("depart_at", "pk")
    )
    mine = Q(owner=member) | Q(owner=None)
    tasks = list(Task.objects.filter(mine, state=TaskState.OPEN, due_on__lte=today).order_by("due_on", "created_at"))
    named = _names([*waiting[:SHOWN], *leaving[:SHOWN]])
    about = todo.about(tasks[:SHOWN])
    may_hold = member.can(Right.APPROVE_REMINDERS)
    return Digest(
        waiting=tuple(
            Line(f"{named[one.pk]} · {_step(one)}", f"{settings.SITE_URL}/a-valider/{one.pk}/")
            for one in waiting[:SHOWN]
        ),
        waiting_count=len(waiting),
        tasks=tuple(
            Line(_task_words(task, about[task.pk].words), f"{settings.SITE_URL}{about[task.pk].url}")
            for task in tasks[:SHOWN]
        ),
        tasks_count=len(tasks),
        leaving=tuple(
            Line(
                f"{named[one.pk]} · {_step(one)} · {hour_words(one.depart_at, cabinet.zone)}",
                f"{settings.SITE_URL}/relances/{one.pk}/",
                vetoes.link_of(reminder=one, member=member) if may_hold else "",
            )
            for one in leaving[:SHOWN]
        ),
        leaving_count=len(leaving),
        held=tuple(_held(today)),
    )


def _waiting_for(member: Membership) -> list[Reminder]:
    """Return what this very person may approve: a formal notice is a lawyer's, a second accord somebody else's."""
    if not member.can(Right.APPROVE_REMINDERS):
        return []
    rows = Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL).exclude(approved_by=member)
    rows = rows.exclude(reasons__contains=[Reason.NO_TEXT])
    if not member.can(Right.APPROVE_FORMAL_NOTICES):
        rows = rows.exclude(step__tone=Tone.FORMAL)
    return list(rows.select_related("step").order_by("depart_at", "pk"))


def _names(reminders: Iterable[Reminder]) -> dict[UUID, str]:
    """Return how each message is named: its oldest invoice and the neutral reference of the dossier."""
    lines = ReminderLine.objects.filter(reminder__in=[one.pk for one in reminders], is_claimed=True)
    found: dict[UUID, list[str]] = {}
    rows = lines.order_by("invoice__due_on").values_list("reminder", "invoice__number", "invoice__dossier__reference")
    for reminder_id, number, reference in rows:
        found.setdefault(reminder_id, []).append(f"facture {number} (dossier {reference})")
    return {
        one.pk: (names := found.get(one.pk, ["message"]))[0]
        + (f" et {plural(len(names) - 1, 'autre', 'autres')}" if len(names) > 1 else "")
        for one in reminders
    }


def name_of(reminder: Reminder) -> str:
    """Return how one message is named without its client."""
    return _names([reminder])[reminder.pk]


def _step(reminder: Reminder) -> str:
    return f"{offset_words(reminder.step.offset_days)}, {reminder.get_channel_display().lower()}"


def _task_words(task: Task, about: str) -> str:
    return TaskKind(task.kind).label + (f" · {about}" if about else "")


def _held(on: dt.date) -> list[str]:
    """Return what last night held back, by rule: how many invoices, and why."""
    held = Decision.objects.filter(on=on).exclude(code__in=NOT_HELD)
    rows = held.values_list("code").annotate(count=Count("invoice", distinct=True)).order_by("-count", "code")
    return [f"{Code(code).label} : {plural(count, 'facture', 'factures')}" for code, count in rows]
