"""Sign in, sign out, change a password, end sessions: every door to a person's account."""

import datetime as dt
import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate, login, update_session_auth_hash
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as prove
from django_otp.models import Device

from cabinets import journal, sessions
from cabinets.enums import AccountMailKind
from cabinets.http import address_of, agent_of
from cabinets.models import OperatorAct, Session, User
from cabinets.scoping import has_scope
from cabinets.services import account_mails, second_factor, throttle

logger = logging.getLogger(__name__)
PENDING = "pending_seed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a sign-in did not go through: seconds to wait, or 0 when the pair is wrong."""

    wait_seconds: int = 0


def check_password(*, request: HttpRequest, email: str, password: str) -> User | Refusal:
    """Return the person this pair names, or a refusal that does not say whether the account exists."""
    account = email.strip().lower()
    wait = throttle.take(account=account, address=address_of(request))
    if wait:
        logger.warning("sign_in.throttled")
        return Refusal(wait_seconds=wait)
    user = authenticate(request, username=account, password=password)
    if not isinstance(user, User):
        logger.warning("sign_in.refused")
        return Refusal()
    throttle.give_back(account=account)
    return user


def open_session(*, request: HttpRequest, user: User) -> None:
    """Open a session under a new key and note where it was opened from."""
    login(request, user)
    now = timezone.now().isoformat()
    request.session.update(
        {"address": address_of(request), "agent": agent_of(request), "started_at": now, "seen_at": now}
    )


def prove_second_factor(*, request: HttpRequest, user: User, device: Device, how: str) -> None:
    """Note on the session, under a new key, that the second factor was proven."""
    prove(request, device)
    request.session.pop(PENDING, None)
    request.session.cycle_key()
    note("person.signed_in", user=user, request=request, how=how)


@transaction.atomic
def second_factor_changed(
    *, request: HttpRequest, user: User, event: str, kind: AccountMailKind, **facts: str | int
) -> None:
    """After a second factor came or went: this session gets a new key, every other ends, the person is told."""
    device = second_factor.proving(user=user)
    if device is not None and Device.from_persistent_id(request.session.get(DEVICE_ID_SESSION_KEY, "")) is None:
        # This session was proven by what has just been taken away; its person has given their password since.
        prove(request, device)
    request.session.cycle_key()
    end_sessions(user=user, but=request.session.session_key)
    note(event, user=user, request=request, **facts)
    account_mails.tell(kind, user=user)


def note(event: str, *, user: User, request: HttpRequest, **facts: str | int) -> None:
    """Journal an act on one's own account: in the firm's journal, or among the operators' acts."""
    if has_scope():
        journal.record(event, user, **facts)
    elif user.is_staff:
        OperatorAct.objects.using("operator").create(
            operator_id=user.pk, event=event, subject=str(user.pk), address=address_of(request), facts=facts
        )


def end_sessions(*, user: User, but: str | None = None) -> int:
    """End a person's sessions, all of them or all but one; return how many ended."""
    sessions = Session.objects.filter(user_id=user.pk)
    if but:
        sessions = sessions.exclude(session_key=but)
    return sessions.delete()[0]


@transaction.atomic
def change_password(*, request: HttpRequest, user: User, password: str) -> None:
    """Give a signed-in person a new password; every other session of theirs ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    end_sessions(user=user, but=request.session.session_key)
    note("person.password_changed", user=user, request=request)
    account_mails.tell(AccountMailKind.PASSWORD_CHANGED, user=user)


def forget_sessions(*, now: dt.datetime) -> int:
    """Delete every session that is over; return how many."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def send_password_link(*, user_id: UUID) -> bool:
    """Send a person the link that lets them choose a new password within the hour; False when nobody gets it."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not settings.EMAIL_HOST:
        return False
    text = render_to_string("cabinets/mail_password.txt", {"user": user, "link": password_link(user=user)})
    EmailMessage(subject="Votre mot de passe Quittance", body=text, to=[user.email]).send()
    logger.info("password_link.sent", extra={"user_id": str(user.pk)})
    return True


def password_link(*, user: User) -> str:
    """Return the signed address where a person chooses a new password."""
    place = urlsafe_base64_encode(force_bytes(str(user.pk)))
    path = reverse("password_new", args=[place, default_token_generator.make_token(user)])
    return f"{settings.SITE_URL}{path}"


def person_of_link(*, place: str, token: str) -> User | None:
    """Return whose password a link may change; None when it is over, used or invented."""
    try:
        user = User.objects.get(pk=urlsafe_base64_decode(place).decode(), is_active=True)
    except (ValueError, ValidationError, User.DoesNotExist):
        return None
    return user if default_token_generator.check_token(user, token) else None


@transaction.atomic
def choose_password(*, user: User, password: str) -> None:
    """Replace a forgotten password; every session ends and the second factor stays asked."""
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user=user)
    account_mails.tell(AccountMailKind.PASSWORD_CHANGED, user=user)
    logger.info("password.chosen", extra={"user_id": str(user.pk)})


def reference_of(session: Session) -> str:
    """Return what names a session on a page: never its key, which would open it."""
    return sessions.reference_of(session.session_key)


def end_one_session(*, user: User, session: Session) -> None:
    """End one session of a person."""
    Session.objects.filter(pk=session.pk, user_id=user.pk).delete()
    journal.record("person.sessions_ended", user, count=1)


def choose_shortcuts(*, user: User, wanted: bool) -> None:
    """Turn the one-key shortcuts of a person on or off."""
    user.has_shortcuts = wanted
    user.save(update_fields=["has_shortcuts"])
