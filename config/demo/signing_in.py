"""Give the people of the demonstration a second factor that this machine can answer for them."""

import base64

from django.utils import timezone

from cabinets import totp
from cabinets.models import TotpDevice, User
from cabinets.sealing import keks
from cabinets.services import second_factor
from config.demo.firms import FIRMS


def enrol_everybody() -> None:
    """Enrol an authenticator for each person who has none, as the person would."""
    for firm in FIRMS:
        for person in (firm.owner, *firm.people):
            user = User.objects.get(email=person.email(firm.domain))
            if not second_factor.has_second_factor(user=user):
                _enrol(user)


def everybody_is_enrolled() -> bool:
    """Say whether the story was told to its end: people are enrolled after it."""
    addresses = [person.email(firm.domain) for firm in FIRMS for person in (firm.owner, *firm.people)]
    enrolled: int = TotpDevice.objects.filter(user__email__in=addresses, confirmed=True).count()
    return enrolled == len(addresses)


def _enrol(user: User) -> None:
    pending = second_factor.start_enrolment(user=user)
    seed = totp.open_seed(base64.b64decode(pending), user_id=user.pk, ring=keks())
    # The step before: the code of the moment stays good for the first sign-in.
    code = totp.code_at(seed, totp.step_at(timezone.now().timestamp()) - 1)
    if second_factor.confirm_enrolment(user=user, pending=pending, code=code) is None:
        raise RuntimeError("the second factor of the demonstration was not confirmed")
