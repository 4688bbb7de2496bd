"""The page of a call: whom, about what, what was said before, what may not be said."""

from dataclasses import dataclass

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from dunning.enums import CallResult, Code, ReminderState
from dunning.models import Reminder
from dunning.presenting import NEVER_SAID, NEVER_SAID_TO_OTHERS, Fact, moment_words, step_words
from dunning.services import calls
from dunning.services.composing import addressee_of, greeting
from dunning.services.reading.queue import known
from invoices.models import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One call already noted."""

    when: str
    by: str
    result: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """One call to make, or made."""

    reminder: Reminder
    name: str
    addressee: str
    dialled: str
    number: str
    step: str
    invoices: tuple[Invoice, ...]
    total_cents: int
    facts: tuple[Fact, ...]
    never: tuple[str, ...]
    tries: tuple[Tried, ...]
    stopped_by: Code | None

    @property
    def is_to_make(self) -> bool:
        """Say whether the call is still between somebody's hands."""
        return self.reminder.state == ReminderState.IN_HAND

    @property
    def is_recordable(self) -> bool:
        """Say whether its outcome may be noted: one stopped while it was being made was made all the same."""
        return self.reminder.attempts > 0 and self.reminder.state in calls.RECORDABLE


def page_of(*, reminder: Reminder, cabinet: Cabinet) -> CallPage:
    """Return what a person needs before they dial; the reminder comes with its client, contact and step."""
    lines = calls.lines_of_call(reminder)
    person = addressee_of(reminder)
    dialled, number = calls.number_of(reminder)
    is_live = reminder.state in calls.RECORDABLE
    owes_penalties = reminder.client_kind in {ClientKind.PROFESSIONAL, ClientKind.PUBLIC}
    never = NEVER_SAID if owes_penalties else (*NEVER_SAID, *NEVER_SAID_TO_OTHERS)
    return CallPage(
        reminder=reminder,
        name=reminder.client.display_name,
        addressee=greeting(person) if person.last_name else "",
        dialled=dialled,
        number=number,
        step=step_words(reminder.step),
        invoices=tuple(line.invoice for line in lines),
        total_cents=sum(line.invoice.outstanding_cents for line in lines),
        facts=tuple(known(reminder, lines, cabinet)),
        never=never,
        tries=tuple(_tried(reminder, cabinet)),
        stopped_by=calls.stopped_by(reminder, cabinet) if is_live else None,
    )


def _tried(reminder: Reminder, cabinet: Cabinet) -> list[Tried]:
    return [
        Tried(
            when=moment_words(call.at, cabinet.zone),
            by=call.by.user.get_full_name() if call.by else "",
            result=CallResult(call.result).label,
            note=call.note,
        )
        for call in calls.tries_of(reminder)
    ]
