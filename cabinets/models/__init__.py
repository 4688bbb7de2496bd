"""What the floor holds."""

from cabinets.models.account_mails import AccountMail
from cabinets.models.archive import ArchivedKey, ArchiveOpening
from cabinets.models.bank_change import BankChange
from cabinets.models.clients import Assignment, Client, Contact, Dossier, Hearing
from cabinets.models.firm import Cabinet, Platform
from cabinets.models.journal import JournalEntry, JournalSeal
from cabinets.models.keys import DataKey
from cabinets.models.notes import Note, Notification
from cabinets.models.people import (
    Invitation,
    Membership,
    OpenSession,
    OperatorAct,
    PasskeyDevice,
    Session,
    TotpDevice,
    User,
)
from cabinets.models.saved_views import SavedView
from cabinets.models.subscription import Offer, Subscription
from cabinets.models.support import SupportAnswer, SupportRequest
from cabinets.models.tasks import Task
from cabinets.models.transfers import TransferRecord

__all__ = [
    "AccountMail", "ArchiveOpening", "ArchivedKey", "Assignment", "BankChange", "Cabinet", "Client", "Contact",
    "DataKey", "Dossier", "Hearing", "Invitation", "JournalEntry", "JournalSeal", "Membership", "Note",
    "Notification", "Offer", "OpenSession", "OperatorAct", "PasskeyDevice", "Platform", "SavedView", "Session",
    "Subscription", "SupportAnswer", "SupportRequest", "Task", "TotpDevice", "TransferRecord", "User",
]  # fmt: skip
