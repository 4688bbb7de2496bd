"""Passwords a machine cannot guess (CNIL 2022-100: 50 bits with throttling)."""

from typing import Any

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

ENOUGH = 3
LONGEST = 72


class StrengthValidator:
    """Refuse a password that zxcvbn finds in reach of a patient guesser, or longer than 128 characters."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError with a French sentence when the password is too easy."""
        if len(password) > 128:  # noqa: PLR2004 - the limit the help text names
            raise ValidationError("Ce mot de passe dépasse 128 caractères : raccourcissez-le.", code="too_long")
        known = [part for part in (getattr(user, "email", ""), getattr(user, "last_name", "")) if part]
        if zxcvbn(password[:LONGEST], user_inputs=known)["score"] < ENOUGH:
            raise ValidationError(
                "Ce mot de passe est facile à deviner. Choisissez une phrase de quatre mots sans lien entre eux.",
                code="too_easy",
            )

    def get_help_text(self) -> str:
        """Say what is asked, before it is refused."""
        return "Au moins 12 caractères, 128 au plus. Une phrase de quatre mots sans lien entre eux convient très bien."
