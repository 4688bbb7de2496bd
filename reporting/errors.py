"""What the dashboard refuses, in words a person reads."""


class ReportingError(Exception):
    """A refusal of this app."""


class TaskError(ReportingError):
    """A task is not closed this way."""
