"""Ask providers where letters are: what was in doubt is looked up, states move, proofs are fetched at once."""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from dunning.channels.letters import LetterOutcome, LetterStatus, Proof, RegisteredLetterProvider
from dunning.channels.protocol import DeliveryError
from dunning.enums import LetterState, ProofKind, ReminderState
from dunning.models import ChannelAccount, Letter, LetterProof
from dunning.routes import POST_DESK
from dunning.services import letter_accounts, letter_states, letters
from dunning.services.nights import SCHEDULER

logger = logging.getLogger(__name__)

PER_SWEEP = 500
SOON, DAILY, AGAIN = dt.timedelta(hours=3), dt.timedelta(hours=12), dt.timedelta(hours=1)
# An electronic letter is over sixteen days after its notice (R44); a paper one has come back well before forty.
ELECTRONIC_DAYS, PAPER_DAYS = 16, 40
# A receipt follows its letter: scanned and sent back, it may take that long.
PROOF_DAYS = 30
DOUBT_DAYS = 3
TRACKER = "laposte"
_ENDS = {
    LetterState.DELIVERED: ProofKind.RECEIPT,
    LetterState.REFUSED: ProofKind.REFUSAL,
    LetterState.UNCLAIMED: ProofKind.UNCLAIMED,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a letter is asked about: its provider, and by which reference."""

    letter_id: UUID
    reminder_id: UUID
    generation: int
    provider: RegisteredLetterProvider
    account_id: UUID
    reference: str
    is_doubt: bool
    is_electronic: bool


def due_letters(*, now: dt.datetime) -> dict[UUID, list[UUID]]:
    """Return the letters to ask about, by firm, as the scheduler sees them."""
    rows = Letter.all_cabinets.using(SCHEDULER).filter(poll_at__lte=now).order_by("poll_at", "pk")
    found: dict[UUID, list[UUID]] = {}
    for cabinet_id, letter_id in rows.values_list("cabinet_id", "pk")[:PER_SWEEP]:
        found.setdefault(cabinet_id, []).append(letter_id)
    return found


def firm_of(*, letter_id: UUID) -> UUID:
    """Return the firm a letter belongs to, as the scheduler sees it."""
    return Letter.all_cabinets.using(SCHEDULER).values_list("cabinet_id", flat=True).get(pk=letter_id)


def poll(*, cabinet_id: UUID, letter_ids: Sequence[UUID]) -> None:
    """Ask about each of these letters of one firm, each committed on its own."""
    with acting_for(cabinet_id=cabinet_id):
        for letter_id in letter_ids:
            _ask(letter_id)


def _ask(letter_id: UUID) -> None:
    with tenant_atomic(durable=True):
        question = _question(letter_id)
    if question is None:
        return
    try:
        if question.is_doubt:
            _settle_doubt(question)
        else:
            _follow(question)
    except DeliveryError as error:
        with tenant_atomic():
            ChannelAccount.objects.filter(pk=question.account_id).update(failure=str(error)[:200])
        logger.warning("letter.unanswered", extra={"letter_id": str(letter_id), "permanent": error.permanent})


def _question(letter_id: UUID) -> Question | None:
    """Prepare a question, and date the next one first: whatever happens in between, it will be asked again."""
    letter = Letter.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=letter_id).first()
    if letter is None:
        return None
    reminder = letter.reminder
    is_doubt = reminder.state in {ReminderState.UNKNOWN, ReminderState.SENDING}
    account = letter_accounts.accounts().get(_who_knows(letter))
    reference = str(reminder.pk) if is_doubt else _reference(letter)
    if account is None or not reference or (not is_doubt and reminder.state in _UNSENT):
        letter.poll_at = None
        letter.save(update_fields=["poll_at"])
        return None
    letter.poll_at = timezone.now() + AGAIN
    letter.save(update_fields=["poll_at"])
    if reminder.state == ReminderState.SENDING:
        # Somebody is speaking, or died doing it: the lease decides, then this asks again.
        return None
    return Question(
        letter_id=letter.pk,
        reminder_id=reminder.pk,
        generation=reminder.generation,
        provider=letter_accounts.provider_of(account),
        account_id=account.pk,
        reference=reference,
        is_doubt=is_doubt,
        is_electronic=letter.is_electronic,
    )


_UNSENT = frozenset({ReminderState.PLANNED, ReminderState.APPROVED, ReminderState.AWAITING_APPROVAL})


def _who_knows(letter: Letter) -> str:
    """Return who says where a letter is: its provider; La Poste for one that was posted by hand."""
    return TRACKER if letter.route == POST_DESK else letter.route


def _reference(letter: Letter) -> str:
    if letter.route in {POST_DESK, TRACKER}:
        return letter.tracking or (letter.provider_ref if letter.route == TRACKER else "")
    return letter.provider_ref


def _settle_doubt(question: Question) -> None:
    """Ask by our own reference whether a letter left; what nobody can tell stays a person's."""
    found: LetterOutcome | None = question.provider.find(question.reference)
    with tenant_atomic(durable=True):
        cabinet = Cabinet.objects.get()
        if found is not None:
            letters.settle(
                reminder_id=question.reminder_id,
                generation=question.generation,
                outcome=found,
                is_electronic=question.is_electronic,
                cabinet=cabinet,
            )
            return
        letter = Letter.objects.get(pk=question.letter_id)
        asked_for = timezone.now() - letter.created_at
        letter.poll_at = None if asked_for > dt.timedelta(days=DOUBT_DAYS) else timezone.now() + AGAIN
        letter.save(update_fields=["poll_at"])


def _follow(question: Question) -> None:
    """Read where a letter is, fetch what proves it, and write both in one transaction."""
    status = question.provider.status(question.reference)
    proofs = list(_new_proofs(question))
    with tenant_atomic(durable=True):
        write(letter_id=question.letter_id, status=status, proofs=proofs, source=question.provider.profile.slug)


def write(*, letter_id: UUID, status: LetterStatus, proofs: Iterable[Proof], source: str) -> Letter:
    """Write what a provider told, in the caller's transaction, and when to ask again."""
    cabinet = Cabinet.objects.get()
    letter = Letter.objects.select_for_update(of=("self",)).select_related("reminder__step").get(pk=letter_id)
    letter_states.advance(letter, status, cabinet)
    letter_states.keep_proofs(letter, proofs, source=source)
    letter.poll_at = _next_question(letter, cabinet.today())
    letter.save(update_fields=["poll_at"])
    return letter


def _new_proofs(question: Question) -> Iterable[Proof]:
    try:
        yield from question.provider.proofs(question.reference)
    except DeliveryError as error:
        # The states are known all the same; the proofs are asked for again with the next question.
        logger.warning("letter.proofs_unanswered", extra={"letter_id": str(question.letter_id), "error": str(error)})


def _next_question(letter: Letter, today: dt.date) -> dt.datetime | None:
    """Return when to ask again: more often while a letter moves, and no more once its proofs are here."""
    now = timezone.now()
    if letter.state == LetterState.VOID:
        return None
    if letter_states.is_over(letter):
        ended = letter.ended_on or today
        is_late = today > ended + dt.timedelta(days=PROOF_DAYS)
        return None if is_late or _is_proven(letter) else now + DAILY
    days = ELECTRONIC_DAYS if letter.is_electronic else PAPER_DAYS
    since = (letter.presented_on if letter.is_electronic else None) or letter.deposited_on or letter.dated_on or today
    if today > since + dt.timedelta(days=days):
        return None
    return now + (SOON if letter.state == LetterState.SUBMITTED else DAILY)


def _is_proven(letter: Letter) -> bool:
    wanted = _ENDS.get(LetterState(letter.state))
    kinds = set(LetterProof.objects.filter(letter=letter).values_list("kind", flat=True))
    return wanted is None or wanted in kinds
