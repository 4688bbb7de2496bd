"""What the engine refuses; each error carries the French sentence shown to the person."""


class DunningError(Exception):
    """A refusal a person can read."""


class TooLateError(DunningError):
    """The reminder is no longer in a state that allows the act: it left, or a fact stopped it."""


class NoMailServerError(DunningError):
    """The firm has no server to send from."""


class TaskError(DunningError):
    """A task is not closed, or not given, this way."""


class AccountError(DunningError):
    """An account with a provider cannot be put to that use."""


class ConsentError(DunningError):
    """A consent that cannot be kept as it is."""


class LetterError(DunningError):
    """A letter that cannot be moved that way."""


class CallError(DunningError):
    """What was noted of a call does not hold together."""


class ScenarioError(DunningError):
    """What was asked of a scenario cannot be kept; says which field it is and what to do instead."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class StoppedError(DunningError):
    """A rule stops what a person asks for."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class RewriteError(DunningError):
    """Words that may not leave: one sentence a fault, each with its rule and its mend."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class InboundError(DunningError):
    """A received message cannot be classified that way."""
