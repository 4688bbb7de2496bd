"""How a firm's e-mails leave, and from which address: decided here alone, told wherever a message is shown."""

from dataclasses import dataclass

from django.conf import settings

from cabinets.models import Cabinet
from cabinets.outside import is_loopback
from dunning.channels.signing import Signer
from dunning.channels.smtp import SmtpChannel
from dunning.channels.smtp.settings import Security, SmtpSettings
from dunning.enums import Origin, RecordKind, RecordState
from dunning.models import MailServer, SendingDomain
from dunning.services.composing import Sender, takes_marks

LOCAL_PART = "factures"
# Beneath the firm's own sub-domain: an alias of the platform's, whose SPF it takes.
BOUNCES = "rebonds"


@dataclass(frozen=True, slots=True)
class Road:
    """How a firm's e-mails leave: the channel, and the address they leave from."""

    channel: SmtpChannel
    sender: Sender


def road_of(cabinet: Cabinet) -> Road | None:
    """Return how this firm's e-mails leave; None when nothing may.

    A demonstration's go to the catcher; a firm's to its own server where it has one, and never anywhere else when that
    server is down; the others' by the platform, from the firm's domain while it is verified, else from the platform's.
    """
    sender = sender_of(cabinet)
    if sender is None:
        return None
    match sender.origin:
        case Origin.DEMO:
            host, _, port = settings.DEMO_CATCHER.rpartition(":")
            smtp = SmtpSettings(
                host=host, port=int(port), security=Security.NONE, timeout=settings.EMAIL_TIMEOUT, is_operators=True
            )
        case Origin.OWN_SERVER:
            smtp = _own_server(MailServer.objects.get())
        case _:
            smtp = _platform()
    return Road(channel=SmtpChannel(smtp), sender=sender)


def sender_of(cabinet: Cabinet, *, with_key: bool = True) -> Sender | None:
    """Return the address this firm's e-mails leave from now; a page that only shows it opens no key."""
    if cabinet.is_demo:
        demo = Sender(address=cabinet.email, reply_to=cabinet.email, origin=Origin.DEMO)
        return demo if settings.DEMO_CATCHER else None
    server, domain = MailServer.objects.first(), SendingDomain.objects.first()
    if server is not None:
        signs = domain is not None and server.sender.rpartition("@")[2].lower() == domain.domain
        return Sender(
            address=server.sender,
            reply_to=server.reply_to,
            takes_marks=takes_marks(),
            signer=signer_of(domain) if domain is not None and signs and with_key else None,
        )
    if not has_platform():
        return None
    if domain is not None and domain.is_carrying:
        return Sender(
            address=f"{LOCAL_PART}@{domain.domain}",
            reply_to=cabinet.email,
            takes_marks=takes_marks(),
            origin=Origin.OWN_DOMAIN,
            envelope_from=f"{cabinet.slug}@{BOUNCES}.{domain.domain}",
            signer=signer_of(domain) if with_key else None,
        )
    return Sender(
        address=platform_address(cabinet),
        reply_to=cabinet.email,
        takes_marks=takes_marks(),
        origin=Origin.PLATFORM,
        envelope_from=f"{cabinet.slug}@{settings.BOUNCE_DOMAIN}",
    )


def has_platform() -> bool:
    """Say whether the operator lets firms write from the platform: a domain of its own, and a server behind TLS."""
    is_protected = settings.EMAIL_USE_TLS or is_loopback(settings.EMAIL_HOST)
    return bool(settings.SENDING_DOMAIN and settings.EMAIL_HOST) and is_protected


def platform_address(cabinet: Cabinet) -> str:
    """Return the address a firm has at once, on the platform's domain."""
    return f"{LOCAL_PART}.{cabinet.slug}@{settings.SENDING_DOMAIN}"


def signer_of(domain: SendingDomain) -> Signer | None:
    """Return what signs for a domain, while the key it publishes is the one that signs."""
    if domain.state_of(RecordKind.DKIM) is not RecordState.VERIFIED:
        return None
    return Signer(domain=domain.domain, selector=domain.selector, private_key=domain.private_key)


def _own_server(server: MailServer) -> SmtpSettings:
    return SmtpSettings(
        host=server.host,
        port=server.port,
        security=Security(server.security),
        username=server.username,
        password=server.password,
        timeout=settings.EMAIL_TIMEOUT,
        ca_file=settings.SMTP_CA_FILE,
    )


def _platform() -> SmtpSettings:
    return SmtpSettings(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        security=Security.STARTTLS if settings.EMAIL_USE_TLS else Security.NONE,
        username=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        is_operators=True,
        timeout=settings.EMAIL_TIMEOUT,
        ca_file=settings.SMTP_CA_FILE,
    )
