"""The second factor: an application or a passkey, accepted once, failures counted; recovery codes kept as hashes."""

import base64
import datetime as dt
import hashlib
import re
import secrets
from uuid import UUID

import segno
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from cabinets import totp
from cabinets.errors import CabinetError
from cabinets.models import PasskeyDevice, TotpDevice, User
from cabinets.sealing import keks
from cabinets.services import passkeys, throttle

TRIES = 5
LOCKED_FOR = dt.timedelta(minutes=5)
CODES = 10
GROUPS = 3
# Without 0, 1, I, L, O and U: read aloud or copied from paper, no figure is taken for a letter.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
RECOVERY_NAME = "Codes de secours"
APPLICATION_NAME = "Application"
TOTP_LABEL = TotpDevice.model_label()


class SecondFactorLockedError(CabinetError):
    """Too many wrong codes: the person waits."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Trop de codes refusés.")
        self.seconds = seconds


class LastFactorError(CabinetError):
    """What is asked would leave an account without a second factor."""


def has_second_factor(*, user: User) -> bool:
    """Say whether a person enrolled an application or a passkey; one put aside still keeps strangers from enrolling."""
    return has_application(user=user) or bool(PasskeyDevice.objects.filter(user=user).exists())


def has_application(*, user: User) -> bool:
    """Say whether a person enrolled an application."""
    return bool(TotpDevice.objects.filter(user=user, confirmed=True).exists())


def start_enrolment(*, user: User) -> str:
    """Return a fresh seed, sealed for its person, to be kept in the session until a code confirms it."""
    return base64.b64encode(totp.seal(totp.new_seed(), user_id=user.pk, ring=keks())).decode()


def enrolment_shown(*, user: User, pending: str) -> tuple[str, str]:
    """Return the QR code as SVG and the seed in groups of four."""
    seed = _pending_seed(user=user, pending=pending)
    code = segno.make(totp.address(seed, account=user.email), error="m")
    drawn = code.svg_inline(scale=4, border=4, title="Code QR à lire avec votre application", light="white")
    return str(drawn), totp.in_groups(seed)


@transaction.atomic
def confirm_enrolment(*, user: User, pending: str, code: str) -> TotpDevice | None:
    """Keep the application that gave the right code, in place of the one before; None when the code is wrong."""
    seed = _pending_seed(user=user, pending=pending)
    step = totp.matching_step(seed, figures(code), now=timezone.now().timestamp())
    if step is None:
        return None
    sealed = totp.seal(seed, user_id=user.pk, ring=keks())
    device: TotpDevice = TotpDevice.objects.update_or_create(
        user=user,
        defaults={
            "name": APPLICATION_NAME,
            "confirmed": True,
            "seed": sealed,
            "last_step": step,
            "failures": 0,
            "failed_at": None,
        },
    )[0]
    return device


@transaction.atomic
def install(*, user: User) -> TotpDevice:
    """Give a person of the demonstration an application nobody had to set up; one they have stays."""
    device: TotpDevice = TotpDevice.objects.get_or_create(
        user=user,
        defaults={
            "name": APPLICATION_NAME,
            "confirmed": True,
            "seed": totp.seal(totp.new_seed(), user_id=user.pk, ring=keks()),
        },
    )[0]
    return device


def code_of(*, user: User, now: float) -> tuple[str, int]:
    """Return the code of a person's application and the seconds to wait before it is accepted: 0, or its next step."""
    device = TotpDevice.objects.get(user=user, confirmed=True)
    seed = totp.open_seed(bytes(device.seed), user_id=user.pk, ring=keks())
    step = max(totp.step_at(now), device.last_step + 1)
    return totp.code_at(seed, step), max(0, step * totp.PERIOD - int(now))


def _pending_seed(*, user: User, pending: str) -> bytes:
    return totp.open_seed(base64.b64decode(pending), user_id=user.pk, ring=keks())


@transaction.atomic
def accept(*, user: User, code: str) -> Device | None:
    """Accept six figures, or a recovery code, exactly once; None when it is wrong or was used already."""
    if not has_second_factor(user=user):
        return None
    device = TotpDevice.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return _accept_without_application(user, code)
    _take_a_try(device)
    accepted = _accept_figures(device, figures(code)) or _accept_recovery(user, normal(code))
    if accepted is not None:
        TotpDevice.objects.filter(pk=device.pk).update(failures=0, failed_at=None)
    return accepted


def _accept_without_application(user: User, code: str) -> Device | None:
    _take_a_shared_try(user)
    accepted = _accept_recovery(user, normal(code))
    if accepted is not None:
        throttle.SECOND_FACTOR.forget(str(user.pk))
    return accepted


def accept_passkey(*, user: User, session_key: str, answer: str) -> PasskeyDevice | passkeys.Refusal:
    """Accept what a passkey signed for this session, exactly once."""
    _take_a_shared_try(user)
    accepted = passkeys.prove(user=user, session_key=session_key, answer=answer)
    if isinstance(accepted, PasskeyDevice):
        throttle.SECOND_FACTOR.forget(str(user.pk))
    return accepted


def _take_a_shared_try(user: User) -> None:
    wait = throttle.SECOND_FACTOR.take(str(user.pk))
    if wait:
        raise SecondFactorLockedError(wait)


@transaction.atomic
def remove_passkey(*, user: User, passkey_id: UUID) -> bool:
    """Take a passkey away, unless nothing else would prove its person; False when it is not theirs."""
    _lock(user)
    device = PasskeyDevice.objects.filter(user=user, pk=passkey_id).first()
    if device is None:
        return False
    _ensure_another(has_application(user=user) or passkeys.usable(user).exclude(pk=passkey_id).exists())
    device.delete()
    return True


@transaction.atomic
def remove_application(*, user: User) -> bool:
    """Take the application away, unless nothing else would prove its person; False when there is none."""
    _lock(user)
    if not has_application(user=user):
        return False
    _ensure_another(passkeys.usable(user).exists())
    TotpDevice.objects.filter(user=user).delete()
    return True


def _lock(user: User) -> None:
    # Two removals at once would each leave the other's factor, and the account none.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


def _ensure_another(is_left: bool) -> None:  # noqa: FBT001 - the one thing it judges
    if not is_left:
        raise LastFactorError(
            "C’est votre dernier second facteur : sans lui, votre mot de passe suffirait. Rien n’a été retiré. Ajoutez "
            "d’abord une autre clé d’accès ou une application."
        )


def proving(*, user: User) -> Device | None:
    """Return something that proves a person: their application, else their latest passkey."""
    return TotpDevice.objects.filter(user=user, confirmed=True).first() or passkeys.usable(user).first()


def _take_a_try(device: TotpDevice) -> None:
    """Count the try before judging it, in one update: a hundred at once get five, not a hundred."""
    now = timezone.now()
    over = Q(failed_at__lte=now - LOCKED_FOR)
    counted = TotpDevice.objects.filter(Q(failures__lt=TRIES) | over, pk=device.pk).update(
        failures=Case(When(over, then=Value(1)), default=F("failures") + 1), failed_at=now
    )
    if not counted:
        failed_at = TotpDevice.objects.values_list("failed_at", flat=True).get(pk=device.pk) or now
        raise SecondFactorLockedError(max(1, round((failed_at + LOCKED_FOR - now).total_seconds())))


def _accept_figures(device: TotpDevice, code: str) -> Device | None:
    if len(code) != totp.DIGITS:
        return None
    seed = totp.open_seed(bytes(device.seed), user_id=device.user_id, ring=keks())
    step = totp.matching_step(seed, code, now=timezone.now().timestamp())
    if step is None:
        return None
    # The guard is the update's own condition: of two people with one code, the second changes no row.
    taken = TotpDevice.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step)
    return device if taken == 1 else None


def _accept_recovery(user: User, code: str) -> Device | None:
    if len(code) != 4 * GROUPS:
        return None
    device = StaticDevice.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return None
    used, _ = StaticToken.objects.filter(device=device, token=hashed(code, user_id=user.pk)).delete()
    return device if used == 1 else None


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Return ten new codes, shown once; the ones before no longer open anything."""
    device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": RECOVERY_NAME, "confirmed": True})
    StaticToken.objects.filter(device=device).delete()
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(4 * GROUPS)) for _ in range(CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=hashed(code, user_id=user.pk)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def recovery_codes_left(*, user: User) -> int:
    """Return how many recovery codes still work."""
    return int(StaticToken.objects.filter(device__user=user).count())


def hashed(code: str, *, user_id: UUID) -> str:
    """Return what the database keeps of a recovery code: 96 bits of a slow hash, salted with the person."""
    digest = hashlib.scrypt(code.encode(), salt=user_id.bytes, n=2**14, r=8, p=1, dklen=12)
    return base64.urlsafe_b64encode(digest).decode()


def figures(code: str) -> str:
    """Return the code without what a person or a password manager puts between its figures."""
    return re.sub(r"[\s.-]", "", code)


def normal(code: str) -> str:
    """Return a recovery code as it was made: capitals, no separator."""
    return re.sub(r"[^0-9A-Z]", "", code.upper())
