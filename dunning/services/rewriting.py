"""« Modifier »: the words of one message, as a person changes them before approving; linted, compared, undone."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.enums import Channel, Reason, ReminderState, Tone
from dunning.errors import RewriteError, TooLateError
from dunning.models import Reminder, ReminderLine
from dunning.services.composing import compose, lines_of, matter_words_of, version_of
from dunning.services.sums import sums_of
from invoices.locks import lock_invoices
from templates_lib.errors import TextError
from templates_lib.fields import FIELDS
from templates_lib.library import Form, TextVersion
from templates_lib.lint import Fault, lint_rendered, lint_version

LONGEST_SUBJECT, LONGEST_BODY = 150, 6000


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph of a comparison: kept, added or removed."""

    how: str
    text: str


def may_be_rewritten(reminder: Reminder) -> bool:
    """Say whether a person may change its words: a message that waits and is written; a call is not."""
    return reminder.state == ReminderState.AWAITING_APPROVAL and reminder.channel != Channel.PHONE


def original_of(reminder: Reminder, claimed: Sequence[ReminderLine], *, on: dt.date) -> Form:
    """Return the words of the text's version for these invoices, before anybody changed them."""
    unchanged = reminder.edited_at
    reminder.edited_at = None
    try:
        version = version_of(reminder, claimed)
    finally:
        reminder.edited_at = unchanged
    return version.form_for(invoices=len(claimed), variant=sums_of(reminder, claimed, on=on).variant)


def words_of(reminder: Reminder, claimed: Sequence[ReminderLine], *, on: dt.date) -> Form:
    """Return the words a message bears now: a person's own, else those of its version."""
    if reminder.edited_at is None:
        return original_of(reminder, claimed, on=on)
    return Form(subject=reminder.edited_subject, body=reminder.edited_body)


def fields_for() -> list[str]:
    """Return the merge fields a message may hold, as they are written in it."""
    return [field.bracketed for field in FIELDS if not field.refused]


def compared(before: Form, after: Form) -> list[Part]:
    """Return both texts as one, paragraph by paragraph: what stayed, what was removed, what was added."""
    old = [before.subject, *before.body.split("\n\n")] if before.subject else before.body.split("\n\n")
    new = [after.subject, *after.body.split("\n\n")] if after.subject else after.body.split("\n\n")
    parts = []
    for how, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if how == "equal":
            parts += [Part("kept", text) for text in old[i:j]]
        else:
            parts += [*(Part("removed", text) for text in old[i:j]), *(Part("added", text) for text in new[k:m])]
    return parts


@transaction.atomic
def rewrite(*, reminder_id: UUID, by: Membership, subject: str, body: str) -> Reminder:
    """Give one message words of its own; RewriteError, with each rule and its mend, when they may not leave.

    A first accord given to other words is void. A formal notice stays a lawyer's to change, as it is to approve.
    """
    reminder, cabinet = _locked(reminder_id), Cabinet.objects.get()
    is_formal = reminder.step.tone == Tone.FORMAL
    ensure(by, Right.APPROVE_FORMAL_NOTICES if is_formal else Right.APPROVE_REMINDERS)
    claimed, mentioned = lines_of(reminder)
    after = Form(subject=_plain(subject), body=_plain(body))
    before = original_of(reminder, claimed, on=cabinet.today())
    if after == Form(subject=_plain(before.subject), body=_plain(before.body)):
        raise RewriteError(["Le texte est celui du modèle : rien n’a été modifié."])
    reminder.edited_at = None
    version = version_of(reminder, claimed)
    reminder.text_ref = version.ref
    _refuse(lint_version(_bearing(version, after), matter_words=matter_words_of(cabinet)))
    reminder.edited_subject, reminder.edited_body = after.subject, after.body
    reminder.edited_by, reminder.edited_at = by, timezone.now()
    _refuse(_rendered_faults(reminder, cabinet, claimed, mentioned))
    reminder.reasons = sorted({*reminder.reasons, Reason.EDITED.value})
    reminder.approved_by = reminder.approved_at = None
    reminder.save(
        update_fields=[
            *("edited_subject", "edited_body", "edited_by", "edited_at", "text_ref", "reasons"),
            *("approved_by", "approved_at"),
        ]
    )
    journal.record("reminder.edited", reminder, rank=reminder.rank, text=version.ref)
    return reminder


@transaction.atomic
def restore(*, reminder_id: UUID, by: Membership) -> Reminder:
    """Give a message back the words of its version; doing it again changes nothing."""
    reminder = _locked(reminder_id)
    ensure(by, Right.APPROVE_REMINDERS)
    if reminder.edited_at is None:
        return reminder
    reminder.edited_subject = reminder.edited_body = reminder.text_ref = ""
    reminder.edited_by = reminder.edited_at = reminder.approved_by = reminder.approved_at = None
    reminder.reasons = [reason for reason in reminder.reasons if reason != Reason.EDITED]
    reminder.save(
        update_fields=[
            *("edited_subject", "edited_body", "edited_by", "edited_at", "text_ref", "reasons"),
            *("approved_by", "approved_at"),
        ]
    )
    journal.record("reminder.edit_undone", reminder, rank=reminder.rank)
    return reminder


def _locked(reminder_id: UUID) -> Reminder:
    lock_invoices(ReminderLine.objects.filter(reminder=reminder_id).values("invoice_id"))
    rows = Reminder.objects.select_for_update(of=("self",)).select_related("step__signed_by__user", "client", "contact")
    reminder = rows.get(pk=reminder_id)
    if not may_be_rewritten(reminder):
        raise TooLateError("Ce message n’attend plus d’accord : son texte ne change plus. Rien n’a été changé.")
    return reminder


def _bearing(version: TextVersion, form: Form) -> TextVersion:
    return replace(version, one=form, several=None, variants={})


def _rendered_faults(
    reminder: Reminder, cabinet: Cabinet, claimed: list[ReminderLine], mentioned: list[ReminderLine]
) -> list[Fault]:
    if reminder.channel != Channel.EMAIL:
        return []
    link = f"{settings.SITE_URL}/p/apercu/"
    try:
        composed = compose(reminder=reminder, cabinet=cabinet, claimed=claimed, mentioned=mentioned, link=link)
    except TextError as error:
        raise RewriteError([str(error)]) from error
    return lint_rendered(composed.html, composed.text, payment_link=link, matter_words=matter_words_of(cabinet))


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise RewriteError([str(fault) for fault in faults])


def _plain(text: str) -> str:
    """Read a text as it was typed in a page: one kind of line end, no blank around."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
