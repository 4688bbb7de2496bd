"""What the floor refuses; each error carries the French sentence shown to the person."""


class CabinetError(Exception):
    """A refusal a person can read."""


class NoScopeError(RuntimeError):
    """A firm's rows were asked for outside any firm: a bug, never a choice."""


class SealBrokenError(CabinetError):
    """A sealed value does not open in its place: moved, altered, or its key is gone."""


class RightMissingError(CabinetError):
    """The person lacks the right this act requires."""
