"""Mails that tell the partners of one more, or of one less: whoever becomes one may confirm another account one day."""

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets.bank_changes import SETTLED_FOR
from cabinets.enums import AccountMailKind, Right
from cabinets.models import Cabinet, Invitation, Membership
from cabinets.services import account_mails, partners

EVENTS = {AccountMailKind.PARTNER_ADDED: partners.CAME, AccountMailKind.PARTNER_REMOVED: partners.LEFT}


def tell_added(member: Membership) -> None:
    """Have the other partners told, in the caller's transaction."""
    _tell(AccountMailKind.PARTNER_ADDED, member, whom=_lately().exclude(pk=member.pk))


def tell_removed(member: Membership) -> None:
    """Have every partner told, and the one who no longer is."""
    _tell(AccountMailKind.PARTNER_REMOVED, member, whom=_lately())


def _lately() -> QuerySet[Membership]:
    return partners.since(timezone.now() - SETTLED_FOR)


def _tell(kind: AccountMailKind, member: Membership, *, whom: QuerySet[Membership]) -> None:
    account_mails.ask(kind, users=whom.values_list("user_id", flat=True), subject_id=member.pk)


def told(*, kind: AccountMailKind, subject_id: UUID, user_id: UUID) -> str | None:
    """Write to who was a partner when it was asked for, let go since or not; None to nobody of the firm."""
    with account_mails.read_by(Membership, subject_id=subject_id, user_id=user_id) as reader:
        if reader is None:
            return None
        member = Membership.objects.select_related("user").get(pk=subject_id)
        context = {
            "firm": Cabinet.objects.get(),
            "what": kind.removeprefix("partner_"),
            "who": str(member.user),
            "is_own": reader.pk == member.pk,
            "by": _author(kind, member),
            "days": SETTLED_FOR.days,
            "may_act": reader.can(Right.MANAGE_PEOPLE),
            "link": f"{settings.SITE_URL}/parametres/equipe/",
        }
        return render_to_string("cabinets/mail_partner.txt", context)


def _author(kind: AccountMailKind, member: Membership) -> str:
    """Name who decided it; nobody when it was the operator, or an invitation of nobody."""
    line = partners.last_line(subject_id=member.pk, events=EVENTS[kind])
    if line is None or line.event != "person.joined":
        return partners.author_of(line)
    offers = Invitation.objects.filter(email=member.user.email, accepted_at__isnull=False, invited_by__isnull=False)
    offer = offers.select_related("invited_by__user").order_by("-accepted_at").first()
    return "" if offer is None or offer.invited_by is None else str(offer.invited_by.user)
