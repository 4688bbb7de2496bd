"""A drafted notice to the professional-liability insurer once a formal notice has left: a person reads and sends it.

Facts only, no client named; nothing is ever sent to the insurer by the product, nor anything to the bâtonnier (R21).
"""

from dataclasses import dataclass
from urllib.parse import quote

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.enums import SPOKEN, StaffMailKind, Tone
from dunning.models import Letter, Reminder
from dunning.services import staff_mail
from dunning.services.composing import lines_of
from invoices.money import show_euros
from templates_lib.rendering import day_words, typeset


@dataclass(frozen=True, slots=True)
class Draft:
    """The notice as it is proposed: to whom, under which subject, in which words."""

    to: str
    insurer: str
    subject: str
    text: str

    @property
    def mailto(self) -> str:
        """Return the address that opens it in the person's own mail program."""
        return f"mailto:{quote(self.to)}?subject={quote(self.subject)}&body={quote(self.text)}"


def has_left(reminder: Reminder) -> bool:
    """Say whether it is a formal notice that was said: before, there is nothing to tell an insurer."""
    return reminder.step.tone == Tone.FORMAL and reminder.state in SPOKEN and reminder.accompanies_id is None


def draft_of(*, reminder: Reminder, cabinet: Cabinet) -> Draft:
    """Return the draft: what is owed, the day the notice left, and blanks for what only the firm knows."""
    claimed, _ = lines_of(reminder)
    letter = Letter.objects.filter(reminder=reminder.pk, deposited_on__isnull=False).first()
    left_on = letter.deposited_on if letter is not None else reminder.spoken_on
    owed = "\n".join(
        f"- facture {line.invoice.number} du {day_words(line.invoice.issued_on)}, échue le"
        f" {day_words(line.invoice.due_on)} : {show_euros(line.owed_cents)} (dossier {line.invoice.dossier.reference})"
        for line in claimed
    )
    text = (
        "Madame, Monsieur,\n\n"
        f"Nous vous informons, à titre préventif, qu’une mise en demeure de payer des honoraires a été adressée le"
        f" {day_words(left_on) if left_on else '[date]'} à un client du cabinet :\n\n{owed}\n\n"
        "[À compléter ou à retirer : une réclamation mettant en cause la responsabilité du cabinet a-t-elle été reçue"
        " de ce client, ou est-elle annoncée ?]\n\n"
        "L’identité du client et la nature du dossier sont couvertes par le secret professionnel ; elles ne figurent"
        " pas dans cette information.\n\n"
        f"Cordialement,\n{cabinet.signature or cabinet.name}"
    )
    policy = f" – police n° {cabinet.insurance_policy}" if cabinet.insurance_policy else ""
    subject = f"{cabinet.name}{policy} – information préventive"
    return Draft(to=cabinet.insurer_email, insurer=cabinet.insurer_name, subject=typeset(subject), text=typeset(text))


@transaction.atomic
def send_to_oneself(*, reminder: Reminder, by: Membership) -> bool:
    """Queue the draft to the person who asks, to send it themselves; False when it was asked for this minute."""
    ensure(by, Right.APPROVE_FORMAL_NOTICES)
    draft = draft_of(reminder=reminder, cabinet=Cabinet.objects.get())
    is_new = staff_mail.queue(
        kind=StaffMailKind.INSURER,
        member=by,
        key=f"{reminder.pk}:{timezone.now():%Y%m%d%H%M}",
        subject=f"Projet à relire : {draft.subject}",
        html="",
        text=f"À relire, puis à envoyer vous-même à {draft.to or 'votre assureur'}.\n\n{draft.text}",
    )
    if is_new:
        journal.record("reminder.insurer_draft_asked", reminder)
    return is_new
