"""An operator asks to look at a firm's pages; a partner answers, for an hour at most, and may end it at any moment."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.enums import AccountMailKind, Right, Role
from cabinets.errors import CabinetError
from cabinets.models import Cabinet, JournalEntry, Membership, SupportAnswer, SupportRequest, User
from cabinets.permissions import ensure
from cabinets.scoping import working_for
from cabinets.services import account_mails, partners
from cabinets.support_rules import MINUTES, WAITS, State, state_of

OPERATOR, SCHEDULER = "operator", "scheduler"
PATH = "/parametres/assistance/"
OVER = "Cette demande n’attend plus de réponse. Rien n’a été modifié."
ENDED = "Cet accès est déjà terminé. Rien n’a été modifié."
OWN = "Une autre personne que celle qui demande l’accès l’accorde. Rien n’a été modifié."


class SupportError(CabinetError):
    """What the page of a request refuses, in words."""


def requests() -> QuerySet[SupportRequest]:
    """Return the requests made to the firm acted for, the latest first, each with its answer."""
    told = ("answer__answered_by__user", "answer__ended_by__user")
    return SupportRequest.objects.select_related(*told).order_by("-asked_at", "-pk")


def seen_by_operators() -> QuerySet[SupportRequest]:
    """Return every request, as the operators' role reads them."""
    return SupportRequest.all_cabinets.using(OPERATOR).select_related("answer")


def state(asked: SupportRequest) -> State:
    """Say what became of a request, now."""
    return state_of(asked.facts(), now=timezone.now())


def is_busy(*, cabinet_id: UUID) -> bool:
    """Say whether a firm has a request to answer already, or an access that is open."""
    since = timezone.now() - WAITS - dt.timedelta(hours=1)
    recent = seen_by_operators().filter(cabinet_id=cabinet_id, asked_at__gt=since)
    return any(state(one) in {State.WAITS, State.OPEN} for one in recent)


def people() -> dict[UUID, str]:
    """Name whoever the journal of the firm may bear: its members, and the operators who asked or looked."""
    named = {member.pk: str(member.user) for member in Membership.objects.select_related("user")}
    for asked in SupportRequest.objects.select_related("answer"):
        name = f"Assistance\u00a0: {asked.operator_name}"
        named[asked.pk] = name
        if (answer := getattr(asked, "answer", None)) is not None:
            named[answer.pk] = name
    return named


@transaction.atomic(using=OPERATOR)
def ask(asked: SupportRequest) -> None:
    """Keep a request and the mails that tell the firm's partners of it, by the operators' role: all or nothing."""
    asked.save(using=OPERATOR, force_insert=True)
    owners = Membership.all_cabinets.using(OPERATOR).filter(cabinet=asked.cabinet_id, role=Role.OWNER, is_active=True)
    users = list(owners.order_by("pk").values_list("user_id", flat=True))
    account_mails.ask(AccountMailKind.SUPPORT_ASKED, users=users, subject_id=asked.pk, using=OPERATOR)


def announce(*, cabinet_id: UUID, request_id: UUID) -> bool:
    """Write a request in the firm's journal, once, after an operator's own role has kept it."""
    # The operator is nobody in the firm yet: under the request's own id they see no file, and the line is theirs.
    with working_for(cabinet_id=cabinet_id, member_id=request_id):
        asked = _locked(request_id)
        if asked is None or JournalEntry.objects.filter(event="support.asked", subject_id=request_id).exists():
            return False
        journal.record("support.asked", asked, operator=str(asked.operator_id))
    return True


@transaction.atomic
def grant(*, request_id: UUID, by: Membership, minutes: int) -> SupportAnswer:
    """Let the operator look for so many minutes from now; the password was asked for by the form."""
    ensure(by, Right.ALLOW_SUPPORT)
    if minutes not in MINUTES:
        raise SupportError("Choisissez l’une des durées proposées. Rien n’a été modifié.")
    asked, now = _waiting(request_id), timezone.now()
    if asked.operator_id == by.user_id:
        raise SupportError(OWN)
    answer = SupportAnswer(
        request=asked,
        is_granted=True,
        answered_by=by,
        answered_at=now,
        ends_at=now + dt.timedelta(minutes=minutes),
    )
    answer.save(force_insert=True)
    journal.record("support.granted", asked, access=str(answer.pk), minutes=minutes)
    _tell(AccountMailKind.SUPPORT_GRANTED, asked)
    return answer


@transaction.atomic
def refuse(*, request_id: UUID, by: Membership) -> None:
    """Leave the firm's pages shut."""
    ensure(by, Right.ALLOW_SUPPORT)
    asked = _waiting(request_id)
    answer = SupportAnswer(request=asked, is_granted=False, answered_by=by, answered_at=timezone.now())
    answer.save(force_insert=True)
    journal.record("support.refused", asked)
    _tell(AccountMailKind.SUPPORT_REFUSED, asked)


@transaction.atomic
def end(*, request_id: UUID, by: Membership) -> None:
    """Shut the firm's pages at once."""
    ensure(by, Right.ALLOW_SUPPORT)
    now = timezone.now()
    running = SupportAnswer.objects.filter(request=request_id, is_granted=True, ended_at=None, ends_at__gt=now)
    if running.update(ended_at=now, ended_by=by) != 1:
        raise SupportError(ENDED)
    asked = requests().get(pk=request_id)
    journal.record("support.ended", asked, access=str(asked.answer.pk))
    _tell(AccountMailKind.SUPPORT_ENDED, asked)


def settle_every_firm() -> int:
    """Every minute: close what went unanswered for three days, and note the end of what is over.

    A request whose operator's process died before the firm's journal had its line is given it here.
    """
    now = timezone.now()
    waiting = SupportRequest.all_cabinets.using(SCHEDULER).filter(answer=None)
    unanswered = waiting.filter(asked_at__lte=now - WAITS)
    over = SupportAnswer.all_cabinets.using(SCHEDULER).filter(is_granted=True, ended_at=None, ends_at__lte=now)
    done = 0
    for cabinet_id, request_id in list(waiting.values_list("cabinet_id", "pk")):
        announce(cabinet_id=cabinet_id, request_id=request_id)
    for cabinet_id, request_id in list(unanswered.values_list("cabinet_id", "pk")):
        with working_for(cabinet_id=cabinet_id):
            done += _let_lapse(request_id, now)
    for cabinet_id, answer_id in list(over.values_list("cabinet_id", "pk")):
        with working_for(cabinet_id=cabinet_id):
            done += _note_the_end(answer_id)
    return done


def _let_lapse(request_id: UUID, now: dt.datetime) -> bool:
    asked = _locked(request_id)
    if asked is None or hasattr(asked, "answer"):
        return False
    SupportAnswer(request=asked, is_granted=False, answered_at=now).save(force_insert=True)
    journal.record("support.lapsed", asked)
    return True


def _note_the_end(answer_id: UUID) -> bool:
    answer = SupportAnswer.objects.select_related("request").get(pk=answer_id)
    if SupportAnswer.objects.filter(pk=answer_id, ended_at=None).update(ended_at=answer.ends_at) != 1:
        return False
    journal.record("support.over", answer.request, access=str(answer_id))
    return True


def _locked(request_id: UUID) -> SupportRequest | None:
    return SupportRequest.objects.select_for_update(of=("self",), no_key=True).filter(pk=request_id).first()


def _waiting(request_id: UUID) -> SupportRequest:
    asked = _locked(request_id)
    if asked is None or state(asked) is not State.WAITS:
        raise SupportError(OVER)
    return asked


def _tell(kind: AccountMailKind, asked: SupportRequest) -> None:
    """Have every partner told, and the operator who awaits the answer, unless they are of another installation."""
    operator = User.objects.filter(pk=asked.operator_id).values_list("pk", flat=True)
    account_mails.ask(kind, users=[*partners.user_ids(), *operator], subject_id=asked.pk)


def told(*, kind: AccountMailKind, subject_id: UUID, user_id: UUID) -> str | None:
    """Write to one of them, at the moment it leaves; None to nobody's, and for a request that awaits nothing more."""
    cabinet_id = account_mails.firm_of(SupportRequest, subject_id=subject_id)
    if cabinet_id is None:
        return None
    with working_for(cabinet_id=cabinet_id):
        asked = requests().get(pk=subject_id)
        answer: SupportAnswer | None = getattr(asked, "answer", None)
        by: Membership | None = None
        if kind is AccountMailKind.SUPPORT_ASKED:
            whom, is_due = partners.user_ids(), state(asked) is State.WAITS
        else:
            whom, is_due = [*partners.user_ids(), asked.operator_id], answer is not None
        if answer is not None:
            by = answer.ended_by if kind is AccountMailKind.SUPPORT_ENDED else answer.answered_by
        if not is_due or user_id not in whom:
            return None
        context = {
            "firm": Cabinet.objects.get(),
            "what": kind.removeprefix("support_"),
            "asked": asked,
            "by": "" if by is None else str(by.user),
            "ends_at": answer and answer.ends_at,
            "days": WAITS.days,
            "link": f"{settings.SITE_URL}{PATH}{asked.pk}/",
        }
        return render_to_string("cabinets/mail_support.txt", context)
