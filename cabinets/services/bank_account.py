"""The account the firm's clients pay on: the first one at once, another one by two partners and after a day.

Whoever takes a partner's session, or their mailbox, changes nothing alone: the account before, its bank and its holder
stay the firm's on every page and letter, and every partner is told by mail at each step, those let go lately included.
Those mails are asked for in the same transaction and leave after it: no server of mail delays an act, nor undoes it.
"""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.bank_changes import DELAY, LASTS, SETTLED_FOR, Facts, Next, next_of, settled_since
from cabinets.enums import AccountMailKind, BankChangeEnd, Right, Role
from cabinets.errors import CabinetError
from cabinets.models import BankChange, Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.services import account_mails, partners

SCHEDULER = "scheduler"
NBSP = "\u00a0"
NOT_THE_SECOND = (
    "Un autre associé que celui qui le propose confirme un changement d’IBAN, et il devait l’être depuis sept jours "
    "quand il a été proposé (la moitié de l’âge d’un cabinet plus récent). Rien n’a été modifié."
)
OVER = "Ce changement de compte n’attend plus rien. Rien n’a été modifié."
# What makes the account: a payment page never shows a new one of these that nobody else approved.
PARTS = {"iban": "l’IBAN", "bic": "le BIC", "account_holder": "le titulaire"}


class BankChangeError(CabinetError):
    """What the page of the account refuses, in words."""


def pending() -> BankChange | None:
    """Return the change that is proposed, if any."""
    return BankChange.objects.select_related("proposed_by__user", "confirmed_by__user").filter(ended_at=None).first()


def may_confirm(change: BankChange, member: Membership) -> bool:
    """Say whether a person is the second partner."""
    if member.role != Role.OWNER or member.pk == change.proposed_by_id or change.confirmed_by_id is not None:
        return False
    opened_at = Cabinet.objects.values_list("created_at", flat=True).get()
    settled = settled_since(opened_at=opened_at, proposed_at=change.proposed_at)
    return not partners.became_one_since(settled, member=member)


def waits_for_somebody(change: BankChange) -> bool:
    """Say whether a second partner is still to confirm."""
    return next_of(_facts(change), now=timezone.now()) is Next.WAITS_FOR_SOMEBODY


def takes_effect_at(change: BankChange) -> dt.datetime:
    """Return the earliest instant at which a change may apply."""
    return change.proposed_at + DELAY


@transaction.atomic
def propose(*, by: Membership, iban: str, bic: str, account_holder: str) -> BankChange:
    """Propose another account; a former proposal is withdrawn. The password was asked for by the form."""
    ensure(by, Right.MANAGE_FIRM)
    cabinet = _locked()
    if (former := pending()) is not None:
        _end(former, BankChangeEnd.WITHDRAWN, by=by)
    now = timezone.now()
    change = BankChange(
        iban=iban,
        bic=bic,
        account_holder=account_holder,
        iban_before=cabinet.iban,
        bic_before=cabinet.bic,
        account_holder_before=cabinet.account_holder,
        proposed_by=by,
        proposed_at=now,
        needs_somebody=partners.since(now - SETTLED_FOR).exclude(pk=by.pk).exists(),
    )
    change.save(force_insert=True)
    journal.record("cabinet.iban_proposed", change)
    _tell(AccountMailKind.IBAN_PROPOSED, change)
    return change


@transaction.atomic
def confirm(*, change_id: UUID, by: Membership) -> BankChange:
    """Confirm, as the second partner; it applies once its day is over."""
    _locked()
    change = _open(change_id)
    if not may_confirm(change, by):
        raise BankChangeError(NOT_THE_SECOND)
    change.confirmed_by, change.confirmed_at = by, timezone.now()
    change.save(update_fields=["confirmed_by", "confirmed_at"])
    journal.record("cabinet.iban_confirmed", change)
    _tell(AccountMailKind.IBAN_CONFIRMED, change)
    _settle(change)
    return change


@transaction.atomic
def refuse(*, change_id: UUID, by: Membership) -> None:
    """Withdraw one's own proposal, or refuse another's, at any time before it applies."""
    ensure(by, Right.MANAGE_FIRM)
    _locked()
    change = _open(change_id)
    own = change.proposed_by_id == by.pk
    _end(change, BankChangeEnd.WITHDRAWN if own else BankChangeEnd.REFUSED, by=by)
    _tell(AccountMailKind.IBAN_ENDED, change)


def settle_every_firm() -> int:
    """Every ten minutes: apply what two partners want and whose day is over, let go of what nobody confirmed."""
    waiting = BankChange.all_cabinets.using(SCHEDULER).filter(ended_at=None)
    done = 0
    for cabinet_id, change_id in list(waiting.values_list("cabinet_id", "pk")):
        with acting_for(cabinet_id=cabinet_id), tenant_atomic():
            _locked()
            change = BankChange.objects.filter(pk=change_id, ended_at=None).first()
            done += change is not None and _settle(change)
    return done


def _settle(change: BankChange) -> bool:
    match next_of(_facts(change), now=timezone.now()):
        case Next.APPLIES:
            _apply(change)
        case Next.LAPSES:
            _end(change, BankChangeEnd.LAPSED, by=None)
            _tell(AccountMailKind.IBAN_ENDED, change)
        case _:
            return False
    return True


def _apply(change: BankChange) -> None:
    cabinet = Cabinet.objects.get()
    if any(getattr(cabinet, part) != getattr(change, f"{part}_before") for part in PARTS):
        # Something else changed it meanwhile: nobody agreed to this.
        _end(change, BankChangeEnd.LAPSED, by=None)
        _tell(AccountMailKind.IBAN_ENDED, change)
        return
    cabinet.iban, cabinet.bic, cabinet.account_holder = change.iban, change.bic, change.account_holder
    cabinet.save(update_fields=["iban", "bic", "account_holder"])
    change.end, change.ended_at = BankChangeEnd.APPLIED, timezone.now()
    change.save(update_fields=["end", "ended_at"])
    journal.record("cabinet.iban_changed", cabinet)
    _tell(AccountMailKind.IBAN_APPLIED, change)


def _end(change: BankChange, end: BankChangeEnd, *, by: Membership | None) -> None:
    change.end, change.ended_at, change.ended_by = end, timezone.now(), by
    change.save(update_fields=["end", "ended_at", "ended_by"])
    journal.record("cabinet.iban_change_ended", change, end=end.value)


def _facts(change: BankChange) -> Facts:
    return Facts(
        proposed_at=change.proposed_at,
        is_confirmed=change.confirmed_by_id is not None,
        needs_somebody=change.needs_somebody,
    )


def _locked() -> Cabinet:
    found: Cabinet = Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
    return found


def _open(change_id: UUID) -> BankChange:
    change = BankChange.objects.select_related("proposed_by__user").filter(pk=change_id, ended_at=None).first()
    if change is None:
        raise BankChangeError(OVER)
    return change


def _tell(kind: AccountMailKind, change: BankChange) -> None:
    told = partners.since(change.proposed_at - SETTLED_FOR)
    account_mails.ask(kind, users=told.values_list("user_id", flat=True), subject_id=change.pk)


def changed_parts(change: BankChange) -> list[str]:
    """Name what a change would replace, as it is written in a sentence."""
    return [said for part, said in PARTS.items() if getattr(change, part) != getattr(change, f"{part}_before")]


def in_words(change: BankChange) -> str:
    """Say who wants what to change, by the last four characters of each account."""
    who = change.proposed_by.user.get_full_name()
    if change.iban != change.iban_before:
        text = f"{who} propose que vos clients paient sur le compte …{change.iban[-4:]} au lieu de "
        text += f"…{change.iban_before[-4:]}"
    else:
        text = f"{who} propose un changement pour le compte …{change.iban[-4:]}, dont l’IBAN reste le même"
    said = {"bic": ("BIC", change.bic), "account_holder": ("titulaire", change.account_holder)}
    more = [
        f"{name}{NBSP}: {value or 'aucun'}"
        for part, (name, value) in said.items()
        if getattr(change, part) != getattr(change, f"{part}_before")
    ]
    return f"{text} ({', '.join(more)})." if more else f"{text}."


def told(*, kind: AccountMailKind, subject_id: UUID, user_id: UUID) -> str | None:
    """Write to who was a partner when it was asked for, the last four characters alone; None to nobody of the firm."""
    with account_mails.read_by(BankChange, subject_id=subject_id, user_id=user_id) as member:
        if member is None:
            return None
        change = BankChange.objects.select_related("proposed_by__user").get(pk=subject_id)
        context = {
            "firm": Cabinet.objects.get(),
            "what": kind.removeprefix("iban_"),
            "parts": changed_parts(change),
            "same_iban": change.iban == change.iban_before,
            "before": change.iban_before[-4:],
            "after": change.iban[-4:],
            "by": change.proposed_by.user.get_full_name(),
            "needs_somebody": change.ended_at is None and waits_for_somebody(change),
            "effective_at": takes_effect_at(change),
            "days": LASTS.days,
            "may_refuse": member.can(Right.MANAGE_FIRM),
            "link": f"{settings.SITE_URL}/parametres/cabinet/",
        }
        return render_to_string("cabinets/mail_iban.txt", context)
