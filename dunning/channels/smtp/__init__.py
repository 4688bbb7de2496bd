"""E-mail over SMTP: the server of the firm or of the platform, always behind TLS."""

from dataclasses import dataclass

from dunning.channels.smtp.session import SmtpSession
from dunning.channels.smtp.settings import Security, SmtpSettings

__all__ = ["Security", "SmtpChannel", "SmtpSession", "SmtpSettings"]


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """An SMTP server, ready to be spoken to."""

    settings: SmtpSettings
    slug: str = "smtp"

    def open(self) -> SmtpSession:
        """Return a conversation that connects when it is entered."""
        return SmtpSession(self.settings)
