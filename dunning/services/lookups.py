"""Before a reminder is said: who may be paying right now, and who is in collective proceedings (R37)."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from cabinets.enums import ClientKind
from cabinets.scoping import tenant_atomic
from dunning.enums import Tone
from dunning.models import Reminder
from invoices.services import insolvency
from payments.services import live

LOOKED_FOR_FROM_DAYS = 10


def ask_before_speaking(*, reminder_ids: Sequence[UUID]) -> None:
    """Ask the payment providers about those these reminders address, before any is taken.

    What may be on its way and could not be asked holds its reminders (`claiming.check`). Call it while acting for the
    firm, outside any transaction: it calls over the network.
    """
    with tenant_atomic():
        clients = set(Reminder.objects.filter(pk__in=list(reminder_ids)).values_list("client_id", flat=True))
    live.ask(client_ids=clients)


def look_before_speaking(*, reminder_ids: Sequence[UUID]) -> None:
    """Look for the professional clients these reminders address from J+10 on, before any is taken.

    A formal notice nobody could look for is asked of a person. Call it while acting for the firm, outside any
    transaction: it calls over the network.
    """
    with tenant_atomic():
        rows = list(
            Reminder.objects.filter(
                pk__in=list(reminder_ids),
                client_kind=ClientKind.PROFESSIONAL,
                step__offset_days__gte=LOOKED_FOR_FROM_DAYS,
            ).values_list("client_id", "step__tone")
        )
    formal = {client_id for client_id, tone in rows if tone == Tone.FORMAL}
    others = {client_id for client_id, _ in rows} - formal
    now = timezone.now()
    if formal:
        insolvency.ensure_checked(client_ids=formal, now=now)
    if others:
        insolvency.ensure_checked(client_ids=others, now=now, asks_a_person=False)


def needs_insolvency_check(reminder: Reminder) -> bool:
    """Say whether a formal notice to a professional still waits for a look at collective proceedings."""
    if reminder.step.tone != Tone.FORMAL or reminder.client_kind != ClientKind.PROFESSIONAL:
        return False
    return not insolvency.is_checked(client=reminder.client, now=timezone.now())
