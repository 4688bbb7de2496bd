"""A real message to oneself, what the receiving server found in it, and the instructions for whoever keeps the DNS."""

import hashlib
from dataclasses import dataclass
from html import escape

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.models import Cabinet, Membership
from dunning.channels.authentication import METHODS, Reading
from dunning.enums import StaffMailKind
from dunning.models import SendingDomain
from dunning.services import staff_mail
from dunning.services.roads import sender_of
from dunning.services.sending_domains import lines_of

NAMES = {"spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC"}
TRIAL = (
    "Ce message est un essai de l’adresse d’envoi de votre cabinet. Il est parti comme partent ceux de vos clients.",
    "Pour lire ce que votre messagerie en pense, ouvrez sa source (« Afficher l’original » dans Gmail, « Afficher la "
    "source du message » dans Outlook) et collez la ligne « Authentication-Results » dans la page Délivrabilité.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one method gave, in words."""

    name: str
    passes: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a receiving server found, set beside the address messages leave from."""

    server: str
    findings: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        """Every method passes."""
        return all(finding.passes for finding in self.findings)


@transaction.atomic
def ask(*, cabinet: Cabinet, by: Membership) -> bool:
    """Queue a real message to the signed-in person; False where nothing may leave, or within the same minute."""
    sender = sender_of(cabinet, with_key=False)
    if sender is None:
        return False
    asked = staff_mail.queue(
        kind=StaffMailKind.TRIAL,
        member=by,
        key=f"trial:{timezone.now():%Y%m%d%H%M}",
        subject="Essai de l’adresse d’envoi",
        html="".join(f"<p>{escape(part)}</p>" for part in TRIAL),
        text="\n\n".join(TRIAL),
    )
    if asked:
        journal.record("sending_domain.tried", SendingDomain.objects.first(), origin=sender.origin.value)
    return asked


def judge(found: Reading, *, cabinet: Cabinet) -> Judged:
    """Say method by method what a receiving server found; a domain that is not the sender's is said not to align."""
    sender = sender_of(cabinet, with_key=False)
    domain = sender.address.rpartition("@")[2].lower() if sender else ""
    return Judged(server=found.server, findings=tuple(_finding(found, method, domain) for method in METHODS))


def _finding(found: Reading, method: str, domain: str) -> Finding:
    result = found.of(method)
    if result is None:
        return Finding(name=NAMES[method], passes=False, words="le serveur n’en dit rien")
    where = f" pour {result.domain}" if result.domain else ""
    if not result.passes:
        return Finding(name=NAMES[method], passes=False, words=f"échec ({result.result}){where}")
    if result.domain and domain and not _align(result.domain, domain):
        return Finding(
            name=NAMES[method], passes=False, words=f"valable{where}, qui n’est pas votre adresse ({domain})"
        )
    return Finding(name=NAMES[method], passes=True, words=f"valable{where}")


def _align(found: str, domain: str) -> bool:
    """Say whether one name is the other, or stands beneath it."""
    return found == domain or found.endswith(f".{domain}") or domain.endswith(f".{found}")


def instructions_of(domain: SendingDomain, cabinet: Cabinet) -> str:
    """Write the instructions, line by line, for somebody who knows the DNS and not the product."""
    lines = [
        "Bonjour,",
        f"Le cabinet {cabinet.name} envoie ses relances de factures depuis le sous-domaine {domain.domain}. "
        "Merci de publier ces lignes dans son DNS, sans changer celles qui existent :",
    ]
    lines += [
        f"{line.kind.label}\nType : {line.type}\nNom : {line.name}.\nValeur : {line.value}"
        for line in lines_of(domain, cabinet)
    ]
    lines.append(
        "Ces lignes sont publiques et ne contiennent aucun secret. La vérification est automatique, chaque heure."
    )
    return "\n\n".join(lines)


@transaction.atomic
def send_instructions(*, domain: SendingDomain, cabinet: Cabinet, by: Membership, address: str) -> bool:
    """Queue the instructions to the address a person named; False when they were just asked for."""
    text = instructions_of(domain, cabinet)
    said = hashlib.sha256(f"{address}\0{text}".encode()).hexdigest()[:24]
    asked = staff_mail.queue(
        kind=StaffMailKind.DNS,
        member=by,
        key=f"dns:{said}:{timezone.now():%Y%m%d%H}",
        subject=f"Lignes DNS à publier pour {domain.domain}",
        html="",
        text=text,
        address=address,
    )
    if asked:
        journal.record("sending_domain.instructions_sent", domain)
    return asked
