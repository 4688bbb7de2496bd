"""Send letters: choose the route again, claim, commit, hand over, record. A letter leaves once, or a person is asked.

Killed anywhere, a process leaves a letter that is unsent and tried again, or uncertain: then its provider is asked by
our own reference, which is the same at each attempt.
"""

import datetime as dt
import io
import logging
import time
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind
from cabinets.errors import InputError
from cabinets.models import Cabinet, Task
from cabinets.scoping import tenant_atomic
from dunning.channels.letters import AwaitingCode, LetterOutcome, OutgoingLetter, RegisteredLetterProvider
from dunning.channels.protocol import DeliveryError, Outcome, Stage, Verdict
from dunning.enums import Channel, Code, LetterState, ReminderState
from dunning.models import ChannelAccount, Letter, Reminder
from dunning.routes import POST_DESK, Choice
from dunning.services import letter_accounts, outcomes
from dunning.services.claiming import Checked, Claim, Words, take
from dunning.services.ladder import cancel
from dunning.services.letter_parts import (
    Composer,
    WrittenLetter,
    address_of,
    addressee_of,
    choices_of,
    consent_of,
    sender_address,
)
from invoices.sealed_files import write_sealed

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A letter goes in several calls: longer than that, nobody is speaking any more.
LEASE = dt.timedelta(minutes=12)
SPEAK_WITHIN_SECONDS = 30.0
FIRST_QUESTION = dt.timedelta(minutes=15)
FOLDER = "letters"
TITLE = "Courrier recommandé"


class RouteChanged(Exception):  # noqa: N818 (a turn, not an error)
    """The route that was chosen may no longer be taken: the next sweep chooses again."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A letter ready to be handed over, and its row."""

    letter_id: UUID
    outgoing: OutgoingLetter


def deliver(*, reminder_id: UUID, compose: Composer) -> str:
    """Send one letter by the first route open to its debtor; return the state it ends in, or what it waits for."""
    with tenant_atomic():
        reminder = Reminder.objects.select_related("client", "contact", "step").get(pk=reminder_id)
        choice = _first_open(reminder)
        account = letter_accounts.accounts().get(choice.route.slug) if choice else None
        # What an account keeps sealed opens in a transaction only: outside, its key is nobody's.
        provider = letter_accounts.provider_of(account) if account else None
    if choice is None:
        return _no_route(reminder_id)
    if choice.route.slug == POST_DESK or account is None or provider is None:
        return put_in_hand(reminder_id=reminder_id, compose=compose)
    if _waits_for_code(account):
        with tenant_atomic():
            ask_code(account)
        return "awaiting_code"
    try:
        return _speak(reminder_id, choice, account, provider, compose)
    except RouteChanged:
        return "left"
    except InputError as error:
        return _bad_address(reminder_id, str(error))


def put_in_hand(*, reminder_id: UUID, compose: Composer) -> str:
    """Give a letter to a person: composed, checked, and theirs to print and post (« Entre vos mains »)."""
    try:
        with tenant_atomic(durable=True):
            taken = take_in_hand(reminder_id=reminder_id, compose=compose)
    except InputError as error:
        return _bad_address(reminder_id, str(error))
    return "left" if taken is None else ReminderState.IN_HAND.value


def take_in_hand(*, reminder_id: UUID, compose: Composer, at_any_hour: bool = False) -> Claim[UUID] | None:
    """Compose a letter of today for a person to post, every rule asked; raise InputError on a bad address."""

    def write(checked: Checked) -> Words[UUID]:
        choice = next(one for one in choices_of(checked.reminder, checked.cabinet) if one.route.slug == POST_DESK)
        written = compose(checked, address_of(checked.reminder.client, checked.reminder.contact))
        letter = _keep(checked, choice, written)
        outcomes.open_task(TaskKind.POST_LETTER, checked.reminder, checked.cabinet)
        return _words(checked, written, letter.pk)

    return take(reminder_id=reminder_id, write=write, into=ReminderState.IN_HAND, lease=None, at_any_hour=at_any_hour)


def _speak(
    reminder_id: UUID, choice: Choice, account: ChannelAccount, provider: RegisteredLetterProvider, compose: Composer
) -> str:
    """Claim, commit, hand over, record: nothing is held while the provider is spoken to."""
    with tenant_atomic(durable=True):
        taken = take(reminder_id=reminder_id, write=lambda checked: _write(checked, choice, compose), lease=LEASE)
    if taken is None:
        return "left"
    if time.monotonic() - taken.taken_at > SPEAK_WITHIN_SECONDS:
        with tenant_atomic(durable=True):
            outcomes.give_back(reminder_id=reminder_id, generation=taken.generation)
        return "left"
    outcome = _hand_over(provider, account, taken)
    with tenant_atomic(durable=True):
        state = record(claim=taken, outcome=outcome, is_electronic=choice.route.is_electronic)
    return state.value if state else "left"


def _hand_over(provider: RegisteredLetterProvider, account: ChannelAccount, taken: Claim[Departure]) -> LetterOutcome:
    """Speak to the provider; what it raises was said before anything was handed over."""
    try:
        return provider.send(taken.payload.outgoing)
    except AwaitingCode as error:
        with tenant_atomic():
            ChannelAccount.objects.filter(pk=account.pk).update(session_until=None)
            ask_code(account)
        return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))
    except DeliveryError as error:
        with tenant_atomic():
            ChannelAccount.objects.filter(pk=account.pk).update(failure=str(error)[:200], checked_at=timezone.now())
        logger.warning("letter.unreachable", extra={"provider": account.provider, "permanent": error.permanent})
        return LetterOutcome(verdict=Verdict.POSTPONED, stage=Stage.CONNECT, text=str(error))


def record(*, claim: Claim[Departure], outcome: LetterOutcome, is_electronic: bool) -> ReminderState | None:
    """Write what became of a letter under the generation that spoke, on its reminder and on its row alike."""
    return settle(
        reminder_id=claim.reminder_id,
        generation=claim.generation,
        outcome=outcome,
        is_electronic=is_electronic,
        cabinet=claim.cabinet,
    )


def settle(
    *,
    reminder_id: UUID,
    generation: int,
    outcome: LetterOutcome,
    is_electronic: bool,
    cabinet: Cabinet,
) -> ReminderState | None:
    """Write an outcome, heard from the call itself or found out later by our reference."""
    # A mailbox nobody opens says nothing of the postal address.
    stage = Stage.CONTENT if is_electronic and outcome.stage is Stage.RECIPIENT else outcome.stage
    told = Outcome(verdict=outcome.verdict, stage=stage, text=outcome.text)
    state = outcomes.record(reminder_id=reminder_id, generation=generation, outcome=told, cabinet=cabinet)
    if state is None:
        return None
    letter = Letter.objects.select_for_update(of=("self",)).get(reminder=reminder_id)
    letter.provider_ref = outcome.reference[:80] or letter.provider_ref
    letter.tracking = outcome.tracking[:40] or letter.tracking
    letter.failure = "" if outcome.is_accepted else outcome.text[:300]
    letter.cost_cents = letter.cost_cents if outcome.cost_cents is None else outcome.cost_cents
    letter.poll_at = None
    if outcome.is_accepted:
        letter.state = LetterState.SUBMITTED
    if state in {ReminderState.ACCEPTED, ReminderState.UNKNOWN}:
        letter.poll_at = timezone.now() + FIRST_QUESTION
    letter.save(
        update_fields=["provider_ref", "tracking", "failure", "cost_cents", "poll_at", "state"],
    )
    Reminder.objects.filter(pk=reminder_id).update(
        route=letter.route, provider_ref=letter.provider_ref, provider_code=outcome.code[:12]
    )
    if outcome.is_accepted:
        journal.record("letter.submitted", letter, route=letter.route, reminder=str(reminder_id))
    return state


def ask_code(account: ChannelAccount) -> None:
    """Ask a person for the sender's one-time code, once while the task is open."""
    today = Cabinet.objects.get().today()
    Task.objects.bulk_create(
        [Task(kind=TaskKind.ONE_TIME_CODE, subject_id=account.pk, due_on=today)], ignore_conflicts=True
    )


def _waits_for_code(account: ChannelAccount) -> bool:
    if not letter_accounts.PROFILES[account.provider].asks_code:
        return False
    return account.session_until is None or account.session_until <= timezone.now()


def _first_open(reminder: Reminder) -> Choice | None:
    cabinet = Cabinet.objects.get()
    choices = choices_of(reminder, cabinet)
    # A letter that is not registered goes on plain paper, from the firm's own printer.
    wanted = [one for one in choices if one.route.slug == POST_DESK or reminder.channel == Channel.REGISTERED]
    return next((one for one in wanted if one.is_open), None)


def _write(checked: Checked, choice: Choice, compose: Composer) -> Words[Departure]:
    """Compose a letter, once its route is open still; keep the very PDF that leaves."""
    reminder = checked.reminder
    if _first_open(reminder) != choice:
        raise RouteChanged
    address = address_of(reminder.client, reminder.contact)
    written = compose(checked, address)
    letter = _keep(checked, choice, written)
    outgoing = OutgoingLetter(
        reference=str(reminder.pk),
        title=TITLE,
        recipient=address,
        sender=sender_address(checked.cabinet),
        sender_email=checked.cabinet.email,
        pdf=written.pdf,
        attachments=tuple(written.attachments),
        electronic=addressee_of(reminder, choice),
    )
    return _words(checked, written, Departure(letter_id=letter.pk, outgoing=outgoing), email=choice.email)


def _words(checked: Checked, written: WrittenLetter, payload: T, *, email: str = "") -> Words[T]:
    return Words(
        subject=written.subject,
        html=written.html,
        text=written.text,
        recipient=email or "\n".join(address_of(checked.reminder.client, checked.reminder.contact).shown),
        text_ref=written.text_ref,
        payload=payload,
    )


def _keep(checked: Checked, choice: Choice, written: WrittenLetter) -> Letter:
    """Write the row of a letter and seal its PDF; another attempt of the same letter takes the same row."""
    reminder = checked.reminder
    letter = Letter.objects.filter(reminder=reminder).first() or Letter(reminder=reminder, client=reminder.client)
    is_new = letter.route == ""
    stored = write_sealed(
        io.BytesIO(written.pdf), folder=FOLDER, bound_to=letter.bound_to("pdf"), subject_id=reminder.client_id
    )
    letter.route, letter.is_electronic = choice.route.slug, choice.route.is_electronic
    letter.is_registered = reminder.channel == Channel.REGISTERED
    letter.consent = consent_of(reminder) if choice.route.is_electronic else None
    letter.recipient = choice.email or "\n".join(address_of(reminder.client, reminder.contact).shown)
    letter.stored_as, letter.digest, letter.pages = stored.stored_as, stored.sha256, written.pages
    letter.dated_on, letter.state, letter.failure = checked.cabinet.today(), LetterState.READY, ""
    # Killed before it records, a process leaves a letter its provider will be asked about.
    letter.poll_at = None if choice.route.slug == POST_DESK else timezone.now() + LEASE + FIRST_QUESTION
    if is_new:
        letter.save(force_insert=True)
    else:
        letter.save(update_fields=_KEPT)
    return letter


_KEPT = [
    "route",
    "is_electronic",
    "is_registered",
    "consent",
    "recipient",
    "stored_as",
    "digest",
    "pages",
    "dated_on",
    "state",
    "failure",
    "poll_at",
]


def _no_route(reminder_id: UUID) -> str:
    return _bad_address(reminder_id, "Aucune voie n’est ouverte vers ce destinataire.")


def _bad_address(reminder_id: UUID, reason: str) -> str:
    """Take back a letter that cannot be addressed, and ask a person to mend the address; nothing left."""
    waiting = Reminder.objects.filter(pk=reminder_id, state__in=[ReminderState.PLANNED, ReminderState.APPROVED])
    with tenant_atomic():
        cabinet = Cabinet.objects.get()
        for reminder in waiting.select_for_update(of=("self",)).select_related("client", "contact"):
            outcomes.refuse_way(reminder)
            cancel(reminders=[reminder], code=Code.BOUNCED)
            Reminder.objects.filter(pk=reminder.pk).update(failure=reason[:300])
            outcomes.open_task(TaskKind.REJECTED_ADDRESS, reminder, cabinet)
    return "no_route"
