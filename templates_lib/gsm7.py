"""The alphabet of one SMS: what fits in 160 septets, what costs two, what makes it fall to 70 characters."""

SMS_SEPTETS = 160
SENDER_CHARACTERS = 11

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def foreign_characters(text: str) -> tuple[str, ...]:
    """Return the characters GSM-7 does not know, each once, in order."""
    return tuple(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENDED))


def septets(text: str) -> int:
    """Count the septets of a text written in GSM-7 only; refuse any other."""
    if foreign := foreign_characters(text):
        raise ValueError(f"Hors de l’alphabet GSM-7\u00a0: {' '.join(foreign)}")
    return sum(2 if char in _EXTENDED else 1 for char in text)
