"""The account the firm's clients pay on: the first one at once, another one by two partners and after a day.

Whoever takes a partner's session, or their mailbox, changes nothing alone: the account before stays the firm's on every
page and letter, and every partner is told by mail at each step.
"""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.bank_changes import DELAY, LASTS, Facts, Next, next_of
from cabinets.enums import BankChangeEnd, Right, Role
from cabinets.errors import CabinetError
from cabinets.models import BankChange, Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import acting_for, tenant_atomic
from cabinets.services import partners

SCHEDULER = "scheduler"
OVER = "Ce changement d’IBAN n’attend plus rien. Rien n’a été modifié."
SUBJECTS = {
    "proposed": "Un changement de l’IBAN du cabinet est proposé",
    "confirmed": "Le changement de l’IBAN du cabinet est confirmé",
    "ended": "Le changement de l’IBAN du cabinet n’aura pas lieu",
    "applied": "L’IBAN du cabinet a changé",
}


class BankChangeError(CabinetError):
    """What the page of the account refuses, in words."""


def pending() -> BankChange | None:
    """Return the change that is proposed, if any."""
    return BankChange.objects.select_related("proposed_by__user", "confirmed_by__user").filter(ended_at=None).first()


def may_confirm(change: BankChange, member: Membership) -> bool:
    """Say whether a person is the second partner."""
    return member.role == Role.OWNER and member.pk != change.proposed_by_id and change.confirmed_by_id is None


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
    change = BankChange(
        iban=iban,
        bic=bic,
        account_holder=account_holder,
        iban_before=cabinet.iban,
        proposed_by=by,
        proposed_at=timezone.now(),
    )
    change.save(force_insert=True)
    journal.record("cabinet.iban_proposed", change)
    _tell("proposed", change)
    return change


@transaction.atomic
def confirm(*, change_id: UUID, by: Membership) -> BankChange:
    """Confirm, as the second partner; it applies once its day is over."""
    _locked()
    change = _open(change_id)
    if not may_confirm(change, by):
        raise BankChangeError("Un autre associé que celui qui le propose confirme un changement d’IBAN.")
    change.confirmed_by, change.confirmed_at = by, timezone.now()
    change.save(update_fields=["confirmed_by", "confirmed_at"])
    journal.record("cabinet.iban_confirmed", change)
    _tell("confirmed", change)
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
    _tell("ended", change)


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
            _tell("ended", change)
        case _:
            return False
    return True


def _apply(change: BankChange) -> None:
    cabinet = Cabinet.objects.get()
    if cabinet.iban != change.iban_before:
        # Something else changed it meanwhile: nobody agreed to this.
        _end(change, BankChangeEnd.LAPSED, by=None)
        _tell("ended", change)
        return
    cabinet.iban, cabinet.bic, cabinet.account_holder = change.iban, change.bic, change.account_holder
    cabinet.save(update_fields=["iban", "bic", "account_holder"])
    change.end, change.ended_at = BankChangeEnd.APPLIED, timezone.now()
    change.save(update_fields=["end", "ended_at"])
    journal.record("cabinet.iban_changed", cabinet)
    _tell("applied", change)


def _end(change: BankChange, end: BankChangeEnd, *, by: Membership | None) -> None:
    change.end, change.ended_at, change.ended_by = end, timezone.now(), by
    change.save(update_fields=["end", "ended_at", "ended_by"])
    journal.record("cabinet.iban_change_ended", change, end=end.value)


def _facts(change: BankChange) -> Facts:
    owners = Membership.objects.filter(role=Role.OWNER, is_active=True)
    return Facts(
        proposed_at=change.proposed_at,
        is_confirmed=change.confirmed_by_id is not None,
        has_somebody_else=owners.exclude(pk=change.proposed_by_id).exists(),
    )


def _locked() -> Cabinet:
    found: Cabinet = Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
    return found


def _open(change_id: UUID) -> BankChange:
    change = BankChange.objects.select_related("proposed_by__user").filter(pk=change_id, ended_at=None).first()
    if change is None:
        raise BankChangeError(OVER)
    return change


def _tell(what: str, change: BankChange) -> None:
    """Write to every partner once the act is committed: the last four characters, never the account."""
    context = {
        "firm": Cabinet.objects.get(),
        "what": what,
        "before": change.iban_before[-4:],
        "after": change.iban[-4:],
        "by": change.proposed_by.user.get_full_name(),
        "needs_somebody": what == "proposed" and waits_for_somebody(change),
        "effective_at": takes_effect_at(change),
        "days": LASTS.days,
        "link": f"{settings.SITE_URL}/parametres/cabinet/",
    }
    to, text = partners.addresses(), render_to_string("cabinets/mail_iban.txt", context)
    transaction.on_commit(lambda: partners.tell(to, subject=SUBJECTS[what], text=text))
