"""Life-cycle statuses of an electronic invoice and what each does to reminders, as data (R72)."""

from enum import StrEnum


class Effect(StrEnum):
    """What a status does to reminders."""

    RUN = "run"
    UNDISPUTED_PART = "undisputed_part"
    PAUSE = "pause"
    PAUSE_FIVE_DAYS = "pause_five_days"
    STOP = "stop"
    STOP_WITHOUT_ACCESSORIES = "stop_without_accessories"
    CLOSE_OR_CONTINUE = "close_or_continue"
    CLOSE = "close"


# XP Z12-012, CDAR D22B.
STATUSES: dict[int, tuple[str, Effect]] = {
    200: ("déposée", Effect.RUN),
    201: ("émise", Effect.RUN),
    202: ("reçue", Effect.RUN),
    203: ("mise à disposition", Effect.RUN),
    204: ("prise en charge", Effect.RUN),
    205: ("approuvée", Effect.RUN),
    206: ("approuvée partiellement", Effect.UNDISPUTED_PART),
    207: ("en litige", Effect.PAUSE),
    208: ("suspendue", Effect.PAUSE),
    209: ("complétée", Effect.RUN),
    210: ("refusée", Effect.STOP),
    211: ("paiement transmis", Effect.PAUSE_FIVE_DAYS),
    212: ("encaissée", Effect.CLOSE_OR_CONTINUE),
    213: ("rejetée", Effect.STOP_WITHOUT_ACCESSORIES),
    220: ("annulée", Effect.CLOSE),
    221: ("erreur de routage", Effect.STOP_WITHOUT_ACCESSORIES),
}
MANDATORY = frozenset({200, 213, 210, 212})


def effect_of(code: int | None) -> Effect:
    """Say what a status does; without any (an individual, or before the mandate) reminders run on the firm's own."""
    return Effect.RUN if code is None else STATUSES[code][1]
