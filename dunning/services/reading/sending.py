"""From which address messages leave, in words: on the page of the sending address, and wherever a message is shown."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from cabinets.models import Cabinet, Membership
from dunning.enums import SPOKEN, Channel, DomainState, Origin, RecordKind, RecordState, StaffMailKind
from dunning.models import Reminder, SendingDomain, StaffMail
from dunning.services.composing import Sender
from dunning.services.roads import LOCAL_PART, has_platform, platform_address, sender_of
from dunning.services.sending_domains import KEY_LINGERS, Line, lines_of

WHAT_FOR = {
    RecordKind.DKIM: "Elle signe vos messages : le destinataire vérifie qu’ils viennent de vous et n’ont pas changé.",
    RecordKind.DKIM_SPARE: "Elle attend : le jour où la clé change, votre informaticien n’a rien à faire.",
    RecordKind.RETURN_PATH: (
        "Elle autorise notre serveur à envoyer pour ce sous-domaine (SPF) et nous rend les messages refusés."
    ),
    RecordKind.DMARC: (
        "Elle dit aux messageries quoi faire d’un message qui usurpe ce sous-domaine. « p=none » observe d’abord ; "
        "passez à « p=quarantine » après quelques semaines sans incident."
    ),
}
TONES = {
    RecordState.NEVER: ("neutral", "circle-dashed"),
    RecordState.WAITING: ("wait", "hourglass"),
    RecordState.VERIFIED: ("ok", "circle-check"),
    RecordState.BROKEN: ("late", "circle-x"),
}
DOMAIN_TONES = {
    DomainState.NEVER: ("neutral", "circle-dashed"),
    DomainState.WAITING: ("wait", "hourglass"),
    DomainState.PARTIAL: ("wait", "triangle-alert"),
    DomainState.VERIFIED: ("ok", "circle-check"),
    DomainState.BROKEN: ("late", "circle-x"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line to publish, ready to be shown."""

    line: Line
    what_for: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of the sending address."""

    sender: Sender | None
    origin: str
    why: str
    platform: str
    domain: SendingDomain | None
    tone: str
    icon: str
    lines: tuple[Shown, ...]
    works: str
    may_rotate: bool
    rotates_on: dt.datetime | None
    trials: tuple[StaffMail, ...]
    sent: tuple[StaffMail, ...]


def page_of(*, cabinet: Cabinet, member: Membership) -> Page:
    """Return what the page of the sending address shows."""
    sender, domain = sender_of(cabinet, with_key=False), SendingDomain.objects.first()
    lines = () if domain is None else lines_of(domain, cabinet)
    tone, icon = DOMAIN_TONES[DomainState(domain.state)] if domain else ("neutral", "circle-dashed")
    lingers = domain.rotated_at + KEY_LINGERS if domain and domain.rotated_at else None
    mails = StaffMail.objects.filter(member=member).order_by("-asked_at")
    return Page(
        sender=sender,
        origin="" if sender is None else sender.origin.label,
        why=fallback_words(sender, domain),
        platform=platform_address(cabinet) if has_platform() else "",
        domain=domain,
        tone=tone,
        icon=icon,
        lines=tuple(_shown(line) for line in lines),
        works=works_words(domain),
        may_rotate=domain is not None and domain.state_of(RecordKind.DKIM_SPARE) is RecordState.VERIFIED,
        rotates_on=lingers,
        trials=tuple(mails.filter(kind=StaffMailKind.TRIAL)[:3]),
        sent=tuple(mails.filter(kind=StaffMailKind.DNS)[:3]),
    )


def _shown(line: Line) -> Shown:
    tone, icon = TONES[line.state]
    return Shown(line=line, what_for=WHAT_FOR[line.kind], tone=tone, icon=icon)


def fallback_words(sender: Sender | None, domain: SendingDomain | None) -> str:
    """Say why messages leave from the platform's address when the firm chose its own; nothing when they do not."""
    if sender is None or sender.origin is not Origin.PLATFORM or domain is None:
        return ""
    if domain.state == DomainState.BROKEN:
        return f"{domain.domain} n’est plus vérifié"
    return f"{domain.domain} n’est pas encore vérifié"


def works_words(domain: SendingDomain | None) -> str:
    """Say what still works while only some lines hold."""
    if domain is None or domain.state not in {DomainState.PARTIAL, DomainState.BROKEN}:
        return ""
    if domain.is_carrying:
        return (
            f"Vos messages partent bien de {LOCAL_PART}@{domain.domain}, signés. Les autres lignes restent à publier."
        )
    if not has_platform():
        return "La plateforme n’envoie pas pour vous : la signature sert aux messages du serveur de votre cabinet."
    signs = domain.state_of(RecordKind.DKIM) is RecordState.VERIFIED
    returns = domain.state_of(RecordKind.RETURN_PATH) is RecordState.VERIFIED
    if signs:
        return "La signature est en place. Il manque la ligne de retour : les messages ne partent pas encore d’ici."
    if returns:
        return "La ligne de retour est en place. Il manque la signature : les messages ne partent pas encore d’ici."
    return "Ni la signature ni la ligne de retour ne répondent : aucun message ne part d’ici."


def sender_words(reminder: Reminder, cabinet: Cabinet) -> str:
    """Say from which address an e-mail left, or would leave now, and whether it is the platform's."""
    if reminder.channel != Channel.EMAIL:
        return ""
    if reminder.sent_from or reminder.state in SPOKEN:
        is_ours = reminder.sent_from.endswith(f"@{settings.SENDING_DOMAIN}") and bool(settings.SENDING_DOMAIN)
        return f"{reminder.sent_from} (adresse de la plateforme)" if is_ours else reminder.sent_from
    sender = sender_of(cabinet, with_key=False)
    if sender is None:
        return "Aucune adresse d’envoi : rien ne part"
    if sender.origin is not Origin.PLATFORM:
        return sender.address
    why = fallback_words(sender, SendingDomain.objects.first())
    reason = f" : {why}" if why else ""
    return f"{sender.address} (adresse de la plateforme{reason})"
