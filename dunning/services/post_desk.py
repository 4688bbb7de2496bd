"""The post desk: print, post, type the number, keep the proofs. The firm's own hands, and every rule asked again."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.models import Cabinet, Membership, Task
from cabinets.permissions import ensure
from dunning.channels.letters import LetterStatus, Proof
from dunning.channels.post_desk import read_tracking
from dunning.channels.postal import PostalAddress
from dunning.enums import Channel, LetterState, ProofKind, ReminderState
from dunning.errors import DunningError, TooLateError
from dunning.models import Letter, LetterProof, Reminder, ReminderLine
from dunning.services import letter_states, outcomes
from dunning.services.approving import why_not
from dunning.services.claiming import UNASKED, Checked
from dunning.services.letter_composing import write_letter
from dunning.services.letter_parts import WrittenLetter
from dunning.services.letters import take_in_hand
from invoices.calendar import add_working_days
from invoices.locks import lock_invoices
from invoices.services.documents import Upload, clean_name, media_type_of
from templates_lib.pdf import AttachmentError, ForeignResourceError

LETTERS = (Channel.LETTER, Channel.REGISTERED)
SOURCE = "post_desk"
PRINTED_SINCE = (
    "Elle a été imprimée entre-temps, ailleurs que dans ce tirage : elle n’est pas imprimée une seconde fois."
)
STALE = "Cette lettre porte une date passée. Imprimez-la de nouveau : la date d’une lettre est celle de son départ."
# What a slip that came back says of the letter's way.
ENDS = {
    ProofKind.RECEIPT: LetterState.DELIVERED,
    ProofKind.REFUSAL: LetterState.REFUSED,
    ProofKind.UNCLAIMED: LetterState.UNCLAIMED,
    ProofKind.RETURN: LetterState.RETURNED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A slip of the post office: what it proves, its picture, and the days it bears."""

    kind: ProofKind
    upload: Upload
    presented_on: dt.date | None = None
    ended_on: dt.date | None = None


@transaction.atomic
def print_letter(*, reminder_id: UUID, by: Membership, again: bool = False, generation: int | None = None) -> str:
    """Make the letter of today, every rule asked again, and note that it was printed; return why it may not be.

    What stops it is written down: it is cancelled with its rule, or goes back to À valider, and nothing is printed.
    Asked for twice in a day it is made once, unless `again`: the PDF that is kept is the one that was printed.
    `generation` names the very letter that was chosen: printed since by somebody else, it is refused.
    """
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.IN_HAND])
    if generation is not None and reminder.generation != generation:
        raise TooLateError(PRINTED_SINCE)
    today = Cabinet.objects.get().today()
    is_made = Letter.objects.filter(reminder=reminder, state=LetterState.PRINTED, dated_on=today).exists()
    if is_made and not again and generation is None:
        return ""
    _put_back(reminder)
    if take_in_hand(reminder_id=reminder_id, compose=_written, at_any_hour=True) is None:
        reminder.refresh_from_db()
        return why_unprinted(reminder)
    letter = Letter.objects.get(reminder=reminder_id)
    letter.state, letter.printed_at, letter.printed_by = LetterState.PRINTED, timezone.now(), by
    letter.save(update_fields=["state", "printed_at", "printed_by"])
    journal.record("letter.printed", letter, reminder=str(reminder_id))
    return ""


@transaction.atomic
def post(*, reminder_id: UUID, by: Membership, tracking: str, posted_on: dt.date, is_confirmed: bool = False) -> Letter:
    """Note that a printed letter was posted: the step is done, its number kept, the answer awaited.

    A letter cancelled meanwhile and posted all the same crossed the fact that stopped it: the truth is kept.
    """
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.IN_HAND, ReminderState.CANCELLED])
    letter = Letter.objects.select_for_update(of=("self",)).get(reminder=reminder)
    cabinet = Cabinet.objects.get()
    _ensure_postable(letter, reminder, cabinet, posted_on)
    number = read_tracking(tracking, is_confirmed=is_confirmed) if letter.is_registered else ""
    if number and Letter.objects.filter(tracking=number).exclude(pk=letter.pk).exists():
        raise DunningError("Ce numéro de suivi appartient déjà à un autre courrier. Rien n’a été enregistré.")
    was_cancelled = reminder.state == ReminderState.CANCELLED
    if was_cancelled:
        ReminderLine.objects.filter(reminder=reminder).update(counts=True)
    reminder.route = letter.route
    outcomes.mark_accepted(reminder, cabinet, code="")
    reminder.save(update_fields=["route"])
    moved = LetterStatus(state=LetterState.DEPOSITED, deposited_on=posted_on, tracking=number)
    letter_states.advance(letter_states.letter_of(reminder_id) or letter, moved, cabinet)
    _close(TaskKind.POST_LETTER, reminder_id, by)
    journal.record("letter.posted_anyway" if was_cancelled else "letter.posted", letter, reminder=str(reminder_id))
    return Letter.objects.get(pk=letter.pk)


@transaction.atomic
def destroy(*, reminder_id: UUID, by: Membership) -> Letter:
    """Note that a cancelled letter was destroyed, unposted."""
    ensure(by, Right.APPROVE_REMINDERS)
    reminder = _locked(reminder_id, [ReminderState.CANCELLED, ReminderState.DECLINED])
    letter = Letter.objects.select_for_update(of=("self",)).get(reminder=reminder)
    if letter.state not in {LetterState.READY, LetterState.PRINTED}:
        raise TooLateError("Cette lettre est déjà partie. Rien n’a été changé.")
    letter.state = LetterState.VOID
    letter.save(update_fields=["state"])
    _close(TaskKind.POST_LETTER, reminder_id, by)
    journal.record("letter.destroyed", letter, reminder=str(reminder_id))
    return letter


@transaction.atomic
def keep_slip(*, reminder_id: UUID, by: Membership, slip: Slip) -> LetterProof:
    """Seal a slip of the post office as a proof, and write where the letter ended when it says so.

    The first presentation starts the answer deadline, and a consumer's interest (R13, R42).
    """
    ensure(by, Right.APPROVE_REMINDERS)
    letter = letter_states.letter_of(reminder_id)
    if letter is None or letter.state in {LetterState.READY, LetterState.PRINTED, LetterState.VOID}:
        raise DunningError("Cette lettre n’est pas encore postée : elle n’a pas de preuve. Rien n’a été enregistré.")
    Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    _ensure_dates(letter, slip, Cabinet.objects.get().today())
    media_type = media_type_of(slip.upload.data)
    proof = Proof(
        kind=slip.kind,
        content=slip.upload.data,
        media_type=media_type,
        name=clean_name(slip.upload.name, media_type),
    )
    kept = letter_states.keep_proof(letter, proof, source=SOURCE, by=by)
    if kept is None:
        raise DunningError("Cette preuve est déjà enregistrée. Rien n’a été changé.")
    if (state := ENDS.get(slip.kind)) is not None:
        moved = LetterStatus(
            state=state, deposited_on=letter.deposited_on, presented_on=slip.presented_on, ended_on=slip.ended_on
        )
        letter_states.advance(letter, moved, Cabinet.objects.get())
    return kept


def _locked(reminder_id: UUID, states: list[ReminderState]) -> Reminder:
    # The invoices first, as whoever records a payment does: the other order would be a deadlock.
    lock_invoices(ReminderLine.objects.filter(reminder=reminder_id).values_list("invoice_id", flat=True))
    rows = Reminder.objects.select_for_update(of=("self",)).select_related("client", "contact", "step")
    reminder = rows.get(pk=reminder_id, channel__in=LETTERS)
    if reminder.state not in states:
        raise TooLateError(why_unprinted(reminder))
    return reminder


def _written(checked: Checked, address: PostalAddress) -> WrittenLetter:
    """Write the letter; what is joined to it can be mended, so that a bad file costs no accord."""
    try:
        return write_letter(checked, address)
    except (AttachmentError, ForeignResourceError) as error:
        raise DunningError(f"{error} La lettre n’est pas imprimée.") from error


def why_unprinted(reminder: Reminder) -> str:
    """Return the sentence shown to a person who prints a letter that is no longer between their hands."""
    if reminder.state == ReminderState.CANCELLED:
        return f"Ne postez pas. {why_not(reminder)}"
    if reminder.state == ReminderState.AWAITING_APPROVAL:
        return "Les faits ont changé depuis l’accord : la lettre est revenue dans « À valider ». Rien n’est imprimé."
    if reminder.state in {ReminderState.PLANNED, ReminderState.APPROVED} and reminder.failure == UNASKED:
        return f"{UNASKED} Rien n’est imprimé."
    return f"Cette lettre est à l’état « {ReminderState(reminder.state).label} ». Rien n’a été changé."


def _put_back(reminder: Reminder) -> None:
    """Return a letter to where it was taken from, so that every rule is asked of it again."""
    reminder.state = outcomes.unsent_state(reminder)
    reminder.save(update_fields=["state"])


def _ensure_postable(letter: Letter, reminder: Reminder, cabinet: Cabinet, posted_on: dt.date) -> None:
    if letter.state != LetterState.PRINTED or letter.dated_on is None:
        raise DunningError("Imprimez d’abord la lettre : c’est elle que vous postez. Rien n’a été enregistré.")
    if posted_on > cabinet.today():
        raise DunningError("Le jour du dépôt est à venir. Rien n’a été enregistré.")
    if not may_bear_its_date(letter, reminder, cabinet, posted_on):
        raise DunningError(f"{STALE} Rien n’a été enregistré.")


def may_bear_its_date(letter: Letter, reminder: Reminder, cabinet: Cabinet, posted_on: dt.date) -> bool:
    """Say whether a letter may be posted on a day: the one it bears, or the working day after."""
    if letter.dated_on is None:
        return False
    _, territory = outcomes.place_of(reminder, cabinet)
    return letter.dated_on <= posted_on <= add_working_days(letter.dated_on, 1, territory=territory)


def _ensure_dates(letter: Letter, slip: Slip, today: dt.date) -> None:
    for day in (slip.presented_on, slip.ended_on):
        if day is not None and not (letter.deposited_on or day) <= day <= today:
            raise DunningError("Cette date n’est pas entre le dépôt et aujourd’hui. Rien n’a été enregistré.")
    if slip.kind in ENDS and slip.kind != ProofKind.RETURN and slip.presented_on is None:
        raise DunningError("Indiquez le jour de la première présentation : il fait courir le délai de réponse.")


def _close(kind: TaskKind, reminder_id: UUID, by: Membership) -> None:
    Task.objects.filter(kind=kind, subject_id=reminder_id, state=TaskState.OPEN).update(
        state=TaskState.DONE, closed_at=timezone.now(), closed_by=by
    )
