"""Where the SMTP server is, and how it is spoken to."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cabinets.outside import is_loopback


class Security(StrEnum):
    """How the conversation is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """One SMTP server; unprotected only towards this very machine."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 20.0
    ca_file: Path | None = None
    """The authority that signed the server's certificate, when the system does not know it."""
    greeting: str = ""
    """The name we say hello with; by default, this machine's when it has a full one."""
    is_operators: bool = False
    """Named by the operator's own settings, and not by a firm: it may stand in a private network."""

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port < 65536:  # noqa: PLR2004 (the ports of TCP)
            raise ValueError("Un serveur d’envoi a un nom et un port.")
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError("Sans TLS, seul un serveur de cette machine peut recevoir les messages.")
        if not (self.username + self.password).isascii():
            raise ValueError("L’identifiant et le mot de passe d’envoi s’écrivent sans accent.")
        if self.timeout <= 0:
            raise ValueError("Le délai d’attente du serveur d’envoi est positif.")
