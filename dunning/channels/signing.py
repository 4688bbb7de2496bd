"""DKIM (RFC 6376): a key pair per firm, the line it publishes, and the signature its messages bear."""

import base64
from dataclasses import dataclass, field

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

BITS = 2048
# Signed once each, and once more as absent where a second one would change what the reader sees.
SIGNED = [
    b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
    b"mime-version", b"content-type", b"auto-submitted",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A signing key and the public one, as DNS writes it."""

    private: str = field(repr=False)
    public: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What signs the messages of one domain."""

    domain: str
    selector: str
    private_key: str = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the message with its signature in front, aligned with its From."""
        header: bytes = dkim.sign(
            message,
            self.selector.encode(),
            self.domain.encode(),
            self.private_key.encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=SIGNED,
        )
        return header + message


def new_pair() -> KeyPair:
    """Make a key pair."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private=private, public=base64.b64encode(public).decode())


def published(public: str) -> str:
    """Return the TXT value that publishes a public key."""
    return f"v=DKIM1; k=rsa; p={public}"


def tags_of(text: str) -> dict[str, str]:
    """Read "v=DKIM1; k=rsa; p=…" as its tags, spaces left out."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}
