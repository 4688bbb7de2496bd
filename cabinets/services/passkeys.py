"""Passkeys: add one, have one prove its person, put one aside when it looks copied, take one away.

The browser's answer is checked by py_webauthn; what it does not keep is kept here: a challenge answers once, for one
session, within five minutes, and a count that goes back is a copy (docs/adr/0025).
"""

import json
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cabinets.errors import CabinetError
from cabinets.models import PasskeyDevice, User
from cabinets.passkeys import (
    LASTS,
    Ceremony,
    Site,
    fingerprint,
    is_answered_in_time,
    new_challenge,
    open_key,
    seal_key,
    site_of,
)
from cabinets.sealing import keks

NAME = "Quittance"
LABEL = PasskeyDevice.model_label()
LONGEST_NAME = 64
# The standard's own limit of an identifier, and far more than any answer takes.
LONGEST_ID, LONGEST_ANSWER = 1023, 20_000
MOST = 10
_TRANSPORTS = {one.value for one in AuthenticatorTransport}
# What py_webauthn and the decoders beneath it raise for an answer that is not one.
_UNREADABLE = (WebAuthnException, ValueError, TypeError, KeyError)


class Refusal(StrEnum):
    """Why an answer proves nothing."""

    OVER = "over"
    """Its challenge is too old, was answered already, or is another session's."""
    UNKNOWN = "unknown"
    """The key is nobody's, or another person's."""
    WRONG = "wrong"
    """Signed by another key, for another site, or without verifying the person."""
    COPIED = "copied"
    """Its count went back: two copies answer."""


class PasskeyError(CabinetError):
    """What the page of the passkeys refuses, in words."""


def site() -> Site | None:
    """Return the site keys are bound to; None where browsers know no passkey."""
    return site_of(settings.SITE_URL)


def passkeys_of(user: User) -> QuerySet[PasskeyDevice]:
    """Return a person's keys, the latest used first."""
    rows: QuerySet[PasskeyDevice] = PasskeyDevice.objects.filter(user=user)
    return rows.order_by("-last_used_at", "-created_at", "pk")


def usable(user: User) -> QuerySet[PasskeyDevice]:
    """Return the keys that may prove a person."""
    return passkeys_of(user).filter(confirmed=True, suspected_at=None)


def enrolment_options(*, user: User, session_key: str) -> str:
    """Return what a browser needs to make a key, as JSON; empty where no passkey can be made."""
    here = site()
    if here is None:
        return ""
    asked = AuthenticatorSelectionCriteria(
        resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
    )
    options = generate_registration_options(
        rp_id=here.name,
        rp_name=NAME,
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=str(user),
        challenge=_challenge(session_key, Ceremony.ENROL),
        timeout=int(LASTS.total_seconds() * 1000),
        authenticator_selection=asked,
        exclude_credentials=_described(passkeys_of(user)),
    )
    return str(options_to_json(options))


def proof_options(*, user: User, session_key: str) -> str:
    """Return what a browser needs to prove one of a person's keys, as JSON; empty when they have none to use."""
    here, keys = site(), list(usable(user))
    if here is None or not keys:
        return ""
    options = generate_authentication_options(
        rp_id=here.name,
        challenge=_challenge(session_key, Ceremony.PROVE),
        timeout=int(LASTS.total_seconds() * 1000),
        allow_credentials=_described(keys),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return str(options_to_json(options))


def enrol(*, user: User, session_key: str, answer: str, name: str) -> PasskeyDevice | Refusal:
    """Keep the key a browser has just made; a refusal keeps nothing."""
    here, credential = site(), _registration(answer)
    if here is None or credential is None:
        return Refusal.WRONG
    challenge = _answered(credential.response.client_data_json, session_key, Ceremony.ENROL)
    if challenge is None:
        return Refusal.OVER
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return Refusal.WRONG
    if len(made.credential_id) > LONGEST_ID:
        return Refusal.WRONG
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        return _kept(user, made.credential_id, made.credential_public_key, made.sign_count, credential, name)


def _kept(
    user: User, credential_id: bytes, public_key: bytes, count: int, credential: RegistrationCredential, name: str
) -> PasskeyDevice | Refusal:
    if passkeys_of(user).count() >= MOST:
        raise PasskeyError(f"Un compte garde {MOST} clés d’accès au plus. Retirez-en une. Rien n’a été enregistré.")
    digest = fingerprint(credential_id)
    if PasskeyDevice.objects.filter(credential_hash=digest).exists():
        return Refusal.UNKNOWN
    device = PasskeyDevice(
        user=user,
        name=tidy(name),
        confirmed=True,
        credential_id=credential_id,
        credential_hash=digest,
        public_key=seal_key(public_key, user_id=user.pk, credential_id=credential_id, ring=keks()),
        sign_count=count,
        transports=[one.value for one in credential.response.transports or []],
    )
    device.save(force_insert=True)
    return device


@transaction.atomic
def prove(*, user: User, session_key: str, answer: str) -> PasskeyDevice | Refusal:
    """Accept one answer of one of a person's keys, once; a count that goes back puts the key aside."""
    here, credential = site(), _assertion(answer)
    if here is None or credential is None:
        return Refusal.WRONG
    challenge = _answered(credential.response.client_data_json, session_key, Ceremony.PROVE)
    if challenge is None:
        return Refusal.OVER
    device = usable(user).filter(credential_hash=fingerprint(credential.raw_id)).first()
    if device is None:
        return Refusal.UNKNOWN
    raw_id = bytes(device.credential_id)
    try:
        # From zero: the count is compared here, once the signature is known to be the key's.
        proven = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
            credential_public_key=open_key(
                bytes(device.public_key), user_id=user.pk, credential_id=raw_id, ring=keks()
            ),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return Refusal.WRONG
    return device if _counted(device, proven.new_sign_count) else Refusal.COPIED


def _counted(device: PasskeyDevice, count: int) -> bool:
    """Move the count forward in one update: of two answers with one count, the second changes no row."""
    now, rows = timezone.now(), PasskeyDevice.objects.filter(pk=device.pk)
    # A key kept in several devices at once does not count: it says zero every time.
    forward = Q(sign_count__lt=count) if count else Q(sign_count=0)
    if rows.filter(forward).update(sign_count=count, last_used_at=now):
        return True
    # No longer confirmed: the sessions it proved are asked for another second factor.
    rows.update(suspected_at=now, confirmed=False)
    return False


def rename(*, user: User, passkey_id: UUID, name: str) -> PasskeyDevice | None:
    """Give a key another name; None when it is not this person's."""
    device = passkeys_of(user).filter(pk=passkey_id).first()
    if device is not None:
        device.name = tidy(name)
        device.save(update_fields=["name"])
    return device


def tidy(name: str) -> str:
    """Return a name as it is kept."""
    return " ".join(name.split())[:LONGEST_NAME] or "Clé d’accès"


def _described(keys: Any) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=bytes(key.credential_id),
            transports=[AuthenticatorTransport(one) for one in key.transports if one in _TRANSPORTS] or None,
        )
        for key in keys
    ]


def _challenge(session_key: str, ceremony: Ceremony) -> bytes:
    return new_challenge(session_key=session_key, ceremony=ceremony, now=timezone.now(), secret=settings.SECRET_KEY)


def _answered(client_data: bytes, session_key: str, ceremony: Ceremony) -> bytes | None:
    """Return the challenge an answer is to, and spend it; None when it is not ours, too old, or spent."""
    try:
        challenge = parse_client_data_json(client_data).challenge
    except _UNREADABLE:
        return None
    is_ours = is_answered_in_time(
        challenge, session_key=session_key, ceremony=ceremony, now=timezone.now(), secret=settings.SECRET_KEY
    )
    # One key of the shared store, set once: of two answers at the same instant, one spends it.
    spent = f"passkey:{fingerprint(challenge)}"
    return challenge if is_ours and cache.add(spent, 1, int(LASTS.total_seconds()) + 60) else None


def _registration(answer: str) -> RegistrationCredential | None:
    try:
        return parse_registration_credential_json(_read(answer))
    except _UNREADABLE:
        return None


def _assertion(answer: str) -> AuthenticationCredential | None:
    try:
        return parse_authentication_credential_json(_read(answer))
    except _UNREADABLE:
        return None


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("an answer of a browser is not that long")
    told = json.loads(answer)
    if not isinstance(told, dict):
        raise TypeError("an answer of a browser is an object")
    return told
