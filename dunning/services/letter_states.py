"""Where a letter is, written once and forward only: its dates, its reminder, the task a return asks for, its proofs."""

import datetime as dt
import hashlib
import io
from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from cabinets import journal
from cabinets.enums import ClientKind, TaskKind
from cabinets.models import Cabinet, Membership
from dunning.channels.letters import FINAL, LetterStatus, Proof, merge
from dunning.enums import LetterState, ReminderState
from dunning.models import Letter, LetterProof, Reminder
from dunning.services import evidence, outcomes
from invoices.sealed_files import remove_sealed, write_sealed

FOLDER = "letters"
BIGGEST_PROOF = 20_000_000
# What the debtor may be told again on plain paper, or what nobody received.
_COMES_BACK = frozenset({LetterState.REFUSED, LetterState.UNCLAIMED, LetterState.RETURNED})
_REMINDER_STATES = {
    LetterState.DELIVERED: ReminderState.DELIVERED,
    LetterState.REFUSED: ReminderState.REFUSED,
    LetterState.UNCLAIMED: ReminderState.UNCLAIMED,
    LetterState.RETURNED: ReminderState.BOUNCED,
}
# A reminder that left, whose letter tells more of it; « issue incertaine » is a person's, or the provider's, to settle.
_FOLLOWED = (
    ReminderState.ACCEPTED,
    ReminderState.DELIVERED,
    ReminderState.REFUSED,
    ReminderState.UNCLAIMED,
    ReminderState.BOUNCED,
)


def known_of(letter: Letter) -> LetterStatus:
    """Return what is written of a letter."""
    return LetterStatus(
        state=LetterState(letter.state),
        deposited_on=letter.deposited_on,
        presented_on=letter.presented_on,
        ended_on=letter.ended_on,
        tracking=letter.tracking,
        words="",
    )


def advance(letter: Letter, found: LetterStatus, cabinet: Cabinet) -> bool:
    """Write what was learnt of a letter, in the caller's transaction; return whether anything moved.

    The answer deadline runs from the first presentation, whatever became of the letter after (R42, R44).
    """
    known = known_of(letter)
    now = merge(known, found)
    letter.state, letter.tracking = now.state, now.tracking
    letter.deposited_on, letter.presented_on, letter.ended_on = now.deposited_on, now.presented_on, now.ended_on
    letter.answer_by = _answer_by(letter)
    if now.state == LetterState.VOID:
        letter.failure = found.words[:300]
    if (known.state, known.deposited_on, known.presented_on, known.ended_on, known.tracking) == (
        now.state,
        now.deposited_on,
        now.presented_on,
        now.ended_on,
        now.tracking,
    ):
        return False
    letter.save(
        update_fields=[
            "state",
            "tracking",
            "deposited_on",
            "presented_on",
            "ended_on",
            "answer_by",
            "failure",
        ]
    )
    if now.state != known.state:
        _tell_reminder(letter, cabinet)
        evidence.append(
            f"letter.{now.state.value}",
            reminder=letter.reminder,
            subject=letter,
            digests={"pdf": bytes(letter.digest).hex()} if letter.digest else {},
            facts={
                "route": letter.route,
                "tracking": letter.tracking,
                "deposited_on": _iso(letter.deposited_on),
                "presented_on": _iso(letter.presented_on),
                "ended_on": _iso(letter.ended_on),
            },
        )
        journal.record("letter.moved", letter, state=now.state.value, reminder=str(letter.reminder_id))
    return True


def keep_proof(letter: Letter, proof: Proof, *, source: str, by: Membership | None = None) -> LetterProof | None:
    """Seal a proof and append it, in the caller's transaction; None when the very same file is already kept."""
    digest = hashlib.sha256(proof.content).digest()
    if not proof.content or LetterProof.objects.filter(letter=letter, digest=digest).exists():
        return None
    kept = LetterProof(
        letter=letter,
        reminder_id=letter.reminder_id,
        client_id=letter.client_id,
        kind=proof.kind,
        file_name=proof.name[:120],
        media_type=proof.media_type[:60],
        source=source,
        added_by=by,
    )
    stored = write_sealed(
        io.BytesIO(proof.content),
        folder=FOLDER,
        bound_to=kept.bound_to("file"),
        subject_id=letter.client_id,
        limit=BIGGEST_PROOF,
    )
    kept.stored_as, kept.size, kept.digest = stored.stored_as, stored.size, stored.sha256
    try:
        kept.save(force_insert=True)
    except BaseException:
        remove_sealed(stored.stored_as)
        raise
    evidence.append(
        "proof.kept",
        reminder=letter.reminder,
        subject=kept,
        digests={"file": digest.hex()},
        facts={"kind": str(kept.kind), "source": source, "tracking": letter.tracking},
    )
    journal.record("letter.proof_kept", kept, kind=kept.kind, letter=str(letter.pk))
    return kept


def keep_proofs(letter: Letter, proofs: Iterable[Proof], *, source: str) -> int:
    """Append each proof that is new; return how many were."""
    return sum(keep_proof(letter, proof, source=source) is not None for proof in proofs)


def _tell_reminder(letter: Letter, cabinet: Cabinet) -> None:
    reminder = Reminder.objects.select_for_update(of=("self",)).get(pk=letter.reminder_id)
    state = _REMINDER_STATES.get(LetterState(letter.state))
    if state is not None and reminder.state in _FOLLOWED:
        reminder.state = state
        if state == ReminderState.DELIVERED:
            reminder.delivered_at = timezone.now()
        reminder.save(update_fields=["state", "delivered_at"])
    if letter.state == LetterState.RETURNED and not letter.is_electronic:
        outcomes.refuse_way(reminder)
    if letter.state in _COMES_BACK or letter.state == LetterState.VOID:
        outcomes.open_task(TaskKind.LETTER_RETURNED, reminder, cabinet)


def _answer_by(letter: Letter) -> dt.date | None:
    if letter.presented_on is None:
        return None
    step, kind = letter.reminder.step, letter.reminder.client_kind
    others = step.answer_days_others or step.answer_days
    return letter.presented_on + dt.timedelta(days=step.answer_days if kind == ClientKind.PROFESSIONAL else others)


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def is_over(letter: Letter) -> bool:
    """Say whether nothing more is expected of a letter's way."""
    return LetterState(letter.state) in {*FINAL, LetterState.RETURNED}


def letter_of(reminder_id: UUID) -> Letter | None:
    """Return the letter of a reminder, with what its deadline depends on."""
    return Letter.objects.select_related("reminder__step").filter(reminder=reminder_id).first()
