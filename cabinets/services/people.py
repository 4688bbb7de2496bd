"""The team of a firm: invite, join, give a role, widen what a person sees, let go."""

import base64
import datetime as dt
import hashlib
import hmac
import logging
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.mail import EmailMessage
from django.db import connection, models, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from cabinets import journal
from cabinets.enums import RIGHTS, Right, Role
from cabinets.errors import CabinetError
from cabinets.locks import lock_active_owners
from cabinets.models import Cabinet, Invitation, Membership, User
from cabinets.scoping import working_for
from cabinets.services import bank_account, partner_mails, sign_in
from cabinets.services.subscription import begin_trial

logger = logging.getLogger(__name__)
VALID_FOR = dt.timedelta(days=7)


class PeopleError(CabinetError):
    """What the team's page refuses, in words."""


def sees_every_file(*, role: Role, wider: bool) -> bool:
    """Say whether a person sees every dossier: by their role, or because it was given to them."""
    return Right.SEE_EVERY_FILE in RIGHTS[role] or wider


@transaction.atomic
def invite(*, email: str, role: Role, by: Membership) -> Invitation:
    """Offer a role to an address for seven days; an earlier offer to the same address ends."""
    _ensure_may_give(role, by=by)
    address = email.strip().lower()
    if Membership.objects.filter(user__email=address, is_active=True).exists():
        raise PeopleError("Cette personne fait déjà partie de l’équipe. Aucune invitation n’est partie.")
    return _offer(email=address, role=role, by=by)


def open_firm(*, cabinet_id: UUID, name: str, slug: str, owner: str, **facts: str) -> Invitation:
    """Open a firm and offer it to its first partner, both or neither; it speaks to nobody until it is activated.

    Raise IntegrityError, and create nothing, when another firm has that name in addresses.
    """
    with working_for(cabinet_id=cabinet_id):
        firm = Cabinet(id=cabinet_id, name=name, slug=slug, **facts)
        firm.save(force_insert=True)
        begin_trial(on=firm.today())
        return invite_first_owner(email=owner)


@transaction.atomic
def invite_first_owner(*, email: str) -> Invitation:
    """Offer a firm that has nobody yet to its first partner."""
    if Membership.objects.exists():
        raise PeopleError("Ce cabinet a déjà une équipe : un associé invite les suivants.")
    return _offer(email=email.strip().lower(), role=Role.OWNER, by=None)


@transaction.atomic
def offer_place_of(member: Membership) -> Invitation:
    """Offer their place to a person whose firm arrives where they have an account already: it takes in nobody."""
    return _offer(email=member.user.email, role=Role(member.role), by=None)


def _offer(*, email: str, role: Role, by: Membership | None) -> Invitation:
    now = timezone.now()
    pending().filter(email=email).update(revoked_at=now)
    invitation = Invitation(email=email, role=role, invited_by=by, expires_at=now + VALID_FOR)
    invitation.token_hash = digest_of(token_of(invitation_id=invitation.pk))
    invitation.save(force_insert=True)
    journal.record("person.invited", invitation, role=role.value)
    return invitation


def pending() -> models.QuerySet[Invitation]:
    """Return the offers nobody accepted or withdrew yet, expired ones included."""
    return Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)


@transaction.atomic
def revoke(*, invitation: Invitation) -> None:
    """Withdraw an offer: its link opens nothing any more."""
    if pending().filter(pk=invitation.pk).update(revoked_at=timezone.now()) != 1:
        raise PeopleError("Cette invitation n’attend plus de réponse. Rien n’a été modifié.")
    journal.record("invitation.revoked", invitation)


def token_of(*, invitation_id: UUID) -> str:
    """Return the token of an offer, made again from its id: only its hash is kept."""
    made = hmac.digest(settings.LINK_KEY.encode(), b"invitation|" + invitation_id.bytes, hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def link_of(*, invitation_id: UUID) -> str:
    """Return the address an invited person opens."""
    return f"{settings.SITE_URL}{reverse('invitation', args=[token_of(invitation_id=invitation_id)])}"


def place_of(*, token: str) -> tuple[UUID, UUID] | None:
    """Return the invitation and the firm a token opens, before any firm is known; None for any other token."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_id, cabinet_id FROM quittance_token('invitation', %s)", [digest_of(token)])
        found = cursor.fetchone()
    return (UUID(str(found[0])), UUID(str(found[1]))) if found else None


def is_open(invitation: Invitation, *, now: dt.datetime) -> bool:
    """Say whether an offer can still be accepted."""
    return invitation.accepted_at is None and invitation.revoked_at is None and invitation.expires_at > now


def join(*, token: str, user: User | None, first_name: str = "", last_name: str = "", password: str = "") -> User:
    """Make the bearer of an invitation a member: an account they proved, or a new one under the invited address."""
    place = place_of(token=token)
    if place is None:
        raise PeopleError("Cette invitation n’existe pas.")
    invitation_id, cabinet_id = place
    with working_for(cabinet_id=cabinet_id):
        offer = Invitation.objects.get(pk=invitation_id)
        if not is_open(offer, now=timezone.now()):
            raise PeopleError("Cette invitation n’est plus valable.")
        if user is not None and user.email != offer.email:
            raise PeopleError("Cette invitation est adressée à une autre adresse e-mail que la vôtre.")
        if pending().filter(pk=offer.pk).update(accepted_at=timezone.now()) != 1:
            raise PeopleError("Cette invitation a déjà servi.")
        person = user or _new_person(offer, first_name=first_name, last_name=last_name, password=password)
        member = _membership(person, role=Role(offer.role))
        journal.record("person.joined", member, role=offer.role)
        if member.role == Role.OWNER:
            partner_mails.tell_added(member)
    return person


def _new_person(offer: Invitation, *, first_name: str, last_name: str, password: str) -> User:
    if User.objects.filter(email=offer.email).exists():
        raise PeopleError("Un compte existe déjà pour cette adresse : connectez-vous pour accepter l’invitation.")
    person = User(email=offer.email, first_name=first_name, last_name=last_name)
    validate_password(password, person)
    person.set_password(password)
    person.save(force_insert=True)
    return person


def _membership(person: User, *, role: Role) -> Membership:
    """Give the person their place, new or found again; coming back gives no wider right than the role."""
    wide = sees_every_file(role=role, wider=False)
    member = Membership.objects.filter(user=person).first()
    if member is None:
        member = Membership(user=person, role=role, sees_every_file=wide)
        member.save(force_insert=True)
        return member
    member.role, member.sees_every_file, member.is_active = role, wide, True
    member.save(update_fields=["role", "sees_every_file", "is_active"])
    return member


@transaction.atomic
def change_role(*, member: Membership, role: Role, wider: bool, by: Membership) -> None:
    """Give a member a role and, where the role does not, the sight of every dossier; in force at their next page."""
    owners = lock_active_owners()
    if Role(member.role) != role:
        _ensure_may_give(Role(member.role), by=by)
        _ensure_may_give(role, by=by)
    if role != Role.OWNER:
        _ensure_may_leave(owners, member, by=by)
    wide = sees_every_file(role=role, wider=wider)
    before = (member.role, member.sees_every_file)
    if before == (role.value, wide):
        return
    member.role, member.sees_every_file = role, wide
    member.save(update_fields=["role", "sees_every_file"])
    journal.record(
        "person.role_changed",
        member,
        role_before=before[0],
        role_after=role.value,
        every_file_before=before[1],
        every_file_after=wide,
    )
    if member.is_active and before[0] != role and Role.OWNER in (before[0], role):
        (partner_mails.tell_added if role == Role.OWNER else partner_mails.tell_removed)(member)


@transaction.atomic
def deactivate(*, member: Membership, by: Membership) -> None:
    """Shut the firm to a member at once: every session of theirs ends."""
    if member.pk == by.pk:
        raise PeopleError("Vous ne pouvez pas retirer votre propre accès : demandez-le à un autre associé.")
    owners = lock_active_owners()
    _ensure_may_give(Role(member.role), by=by)
    _ensure_may_leave(owners, member, by=by)
    if not member.is_active:
        return
    member.is_active = False
    member.save(update_fields=["is_active"])
    sign_in.end_sessions(user=member.user)
    journal.record("person.deactivated", member, role_before=member.role)
    if member.role == Role.OWNER:
        partner_mails.tell_removed(member)


@transaction.atomic
def reactivate(*, member: Membership, by: Membership) -> None:
    """Open the firm to a former member again, with the role they had."""
    _ensure_may_give(Role(member.role), by=by)
    if member.is_active:
        return
    member.is_active = True
    member.save(update_fields=["is_active"])
    journal.record("person.reactivated", member, role_after=member.role)
    if member.role == Role.OWNER:
        partner_mails.tell_added(member)


@transaction.atomic
def choose_morning_mail(*, member: Membership, wanted: bool) -> None:
    """Send a person the mail of the morning from now on, or no more."""
    member.gets_morning_mail = wanted
    member.save(update_fields=["gets_morning_mail"])
    journal.record("person.morning_mail_chosen", member, wanted=wanted)


@transaction.atomic
def choose_monthly_figures(*, member: Membership, wanted: bool) -> None:
    """Send a person the figures of each month from now on, or no more."""
    member.gets_monthly_figures = wanted
    member.save(update_fields=["gets_monthly_figures"])
    journal.record("person.monthly_figures_chosen", member, wanted=wanted)


def may_give(role: Role, *, by: Membership) -> bool:
    """Say whether a person may give a role, or take it back."""
    # An administrator who could name a partner could make themselves one, and approve formal notices.
    return role != Role.OWNER or by.role == Role.OWNER


def _ensure_may_give(role: Role, *, by: Membership) -> None:
    if not may_give(role, by=by):
        raise PeopleError("Seul un associé peut donner ou retirer le rôle d’associé. Rien n’a été modifié.")


def _ensure_may_leave(owners: list[Membership], member: Membership, *, by: Membership) -> None:
    waiting = bank_account.pending() if member.role == Role.OWNER else None
    if waiting is not None and waiting.proposed_by_id == by.pk:
        raise PeopleError(
            "Vous proposez un autre compte bancaire pour le cabinet : aucun associé n’est retiré par vous tant que "
            "cette proposition attend. Rien n’a été modifié : retirez-la d’abord, depuis la page du cabinet."
        )
    if {owner.pk for owner in owners} == {member.pk}:
        raise PeopleError(
            "Le cabinet garde toujours au moins un associé. Rien n’a été modifié : donnez d’abord ce rôle à une "
            "autre personne."
        )


def send_invitation(*, invitation_id: UUID) -> bool:
    """Send an invited person their link; False when nothing can leave or the offer is over."""
    place = place_of(token=token_of(invitation_id=invitation_id))
    if place is None or not settings.EMAIL_HOST:
        return False
    with working_for(cabinet_id=place[1]):
        offer = Invitation.objects.get(pk=invitation_id)
        firm = Cabinet.objects.get(pk=place[1])
    if not is_open(offer, now=timezone.now()):
        return False
    values = {"firm": firm, "link": link_of(invitation_id=offer.pk), "ends_on": offer.expires_at.astimezone(firm.zone)}
    body = render_to_string("cabinets/mail_invitation.txt", values)
    EmailMessage(subject=f"{firm.name} vous invite sur Quittance", body=body, to=[offer.email]).send()
    logger.info("invitation.sent", extra={"invitation_id": str(offer.pk)})
    return True
