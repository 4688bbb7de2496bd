"""What is said, when, and what came of it."""

from dunning.models.case import Decision, DunningCase, NightlyRun
from dunning.models.evidence import DocumentJob, EvidenceEntry, StaffMail
from dunning.models.inbound import InboundMessage, Mailbox
from dunning.models.letter import Call, ChannelAccount, Letter, LetterConsent, LetterProof, PrintRunLine, SmsCatch
from dunning.models.reminder import FailedJob, MailServer, Reminder, ReminderLine
from dunning.models.scenario import Scenario, ScenarioChoice, ScenarioVersion, Step
from dunning.models.sending import SendingDomain

__all__ = [
    "Call", "ChannelAccount", "Decision", "DocumentJob", "DunningCase", "EvidenceEntry", "FailedJob", "InboundMessage",
    "Letter", "LetterConsent", "LetterProof", "MailServer", "Mailbox", "NightlyRun", "PrintRunLine", "Reminder",
    "ReminderLine", "Scenario", "ScenarioChoice", "ScenarioVersion", "SendingDomain", "SmsCatch", "StaffMail", "Step",
]  # fmt: skip
