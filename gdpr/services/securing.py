"""What keeps a firm's data safe, as it is found: second factors, the journal's seals, the roads of messages."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from cabinets.models import Cabinet, JournalSeal, Membership, PasskeyDevice, TotpDevice
from cabinets.services import journal_seals
from dunning.models import Mailbox, MailServer
from dunning.presenting import plural
from dunning.services import roads
from invoices.money import NBSP

# The night that seals a month comes after its end: nobody is blamed for it until a day is over.
GRACE = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at: held or not, in words, and where to act when it is not."""

    words: str
    is_held: bool
    url: str
    act: str


def points(*, cabinet: Cabinet) -> list[Point]:
    """Return everything that was looked at, as it stands now."""
    return [_second_factors(), _journal(cabinet), _sending(cabinet), *_mailbox()]


def _second_factors() -> Point:
    """A person without one opens no page; but whoever has their password may still enrol in their place."""
    active = list(Membership.objects.filter(is_active=True).values_list("user_id", flat=True))
    with_factor = set(TotpDevice.objects.filter(confirmed=True).values_list("user_id", flat=True))
    with_factor |= set(PasskeyDevice.objects.filter(suspected_at=None).values_list("user_id", flat=True))
    without = sum(user_id not in with_factor for user_id in active)
    words = f"{plural(len(active), 'personne', 'personnes')}, dont {without} encore sans second facteur."
    return Point(words, not without, "/parametres/equipe/", "Voir l’équipe")


def _journal(cabinet: Cabinet) -> Point:
    on = journal_seals.sealing_day(cabinet)
    altered = journal_seals.months_that_differ(on=on)
    missing = journal_seals.unsealed_months(on=on - GRACE)
    words = f"Mois de journal scellés{NBSP}: {JournalSeal.objects.count()}. Altérés{NBSP}: {len(altered)}."
    if missing:
        words += f" Finis et sans sceau{NBSP}: {len(missing)}, que l’exploitant scelle."
    return Point(words, not (altered or missing), "/parametres/journal/", "Voir")


def _sending(cabinet: Cabinet) -> Point:
    server = MailServer.objects.first()
    is_held = cabinet.is_demo or server is None or server.security != "none"
    if cabinet.is_demo:
        words = "Les messages de la démonstration ne quittent pas cette machine."
    elif server is not None:
        words = (
            "Les messages partent sous TLS, par le serveur du cabinet."
            if is_held
            else "Le serveur d’envoi du cabinet parle sans TLS."
        )
    elif not roads.has_platform():
        words = "Aucun serveur d’envoi n’est réglé\u00a0: aucun message ne part."
    elif settings.EMAIL_USE_TLS:
        words = "Les messages partent sous TLS, par la plateforme."
    else:
        words = "Les messages partent par la plateforme, depuis sa propre machine."
    return Point(words, is_held, "/parametres/serveur/", "Régler le serveur")


def _mailbox() -> Iterator[Point]:
    box = Mailbox.objects.filter(is_enabled=True).first()
    if box is not None:
        is_held = box.security != "none"
        words = "La boîte de réponses se lit sous TLS." if is_held else "La boîte de réponses se lit sans TLS."
        yield Point(words, is_held, "/parametres/boite/", "Régler la boîte")
