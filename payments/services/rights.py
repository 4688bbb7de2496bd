"""What a debtor asks about their data, and how they would rather be written to: taken in, and told to the firm."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from cabinets.enums import TaskKind, TaskState
from cabinets.models import Task
from cabinets.ports import follower
from cabinets.services import clients
from invoices.law.limitation import shift_months
from payments.enums import DataRight, Preference, RequestKind, RequestState
from payments.models import DebtorRequest, PaymentLink
from payments.services.requests import DAYS_TO_ANSWER, lock, open_task, receive

# The firm answers within a month (law.md R59).
MONTHS_TO_ANSWER = 1


@transaction.atomic
def ask_about_data(*, link: PaymentLink, right: DataRight, today: dt.date, message: str = "") -> DebtorRequest | None:
    """Take a request about the debtor's data and start its month; None when the same one waits already."""
    lock(link)
    request = receive(link, RequestKind.DATA, reason=right, message=message)
    if request is not None:
        open_task(TaskKind.DATA_REQUEST, request, due_on=shift_months(today, MONTHS_TO_ANSWER))
    return request


@transaction.atomic
def refuse_sms(*, link: PaymentLink) -> bool:
    """Stop text messages to a link's addressee from this very moment, for good; say whether it changed anything.

    Only the firm takes them up again: whoever holds a link may not hold the telephone that said stop.
    """
    number = (link.contact or link.client).phone
    changed = clients.stop_sms(client=link.client, contact=link.contact, number=number, origin="link")
    if changed:
        # What is planned by SMS asks its way again before it speaks, and finds it shut.
        follower().wake(client_id=link.client_id)
    return changed


def refuses_sms(link: PaymentLink) -> bool:
    """Say whether a link's addressee is texted no more, as far as they are concerned."""
    return not link.client.accepts_sms or (link.contact is not None and link.contact.mobile_refused_at is not None)


@transaction.atomic
def prefer(*, link: PaymentLink, preference: Preference | None, today: dt.date) -> DebtorRequest | None:
    """Keep how an addressee would rather be written to and ask the firm to mind it; None when nothing changed."""
    lock(link)
    if preference_of(link) == preference:
        return None
    _take_back(link)
    request = receive(link, RequestKind.CHANNEL, reason=preference or "")
    if request is None:
        return None
    if preference is None:
        request.state, request.answered_at = RequestState.ANSWERED, timezone.now()
        request.save(update_fields=["state", "answered_at"])
    else:
        open_task(TaskKind.CHANNEL_CHOICE, request, due_on=today + dt.timedelta(days=DAYS_TO_ANSWER))
    return request


def preference_of(link: PaymentLink) -> Preference | None:
    """Return the last choice of a link's addressee; None when they have none."""
    mine = DebtorRequest.objects.filter(
        kind=RequestKind.CHANNEL, link__client=link.client_id, link__contact=link.contact_id
    )
    last = mine.order_by("-received_at").values_list("reason", flat=True).first()
    return Preference(last) if last else None


def _take_back(link: PaymentLink) -> None:
    """Close what an earlier choice asked of the firm: the new one takes its place."""
    earlier = DebtorRequest.objects.filter(link=link, kind=RequestKind.CHANNEL, state=RequestState.OPEN)
    ids = list(earlier.values_list("pk", flat=True))
    earlier.update(state=RequestState.ANSWERED, answered_at=timezone.now())
    Task.objects.filter(subject_id__in=ids, state=TaskState.OPEN).update(
        state=TaskState.CANCELLED, closed_at=timezone.now()
    )
