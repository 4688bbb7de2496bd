"""What is said, when, and what came of it."""

from dunning.models.case import Decision, DunningCase, NightlyRun
from dunning.models.reminder import FailedJob, MailServer, Reminder, ReminderLine
from dunning.models.scenario import Scenario, ScenarioVersion, Step

__all__ = [
    "Decision", "DunningCase", "FailedJob", "MailServer", "NightlyRun", "Reminder", "ReminderLine", "Scenario",
    "ScenarioVersion", "Step",
]  # fmt: skip
