"""What becomes of each table when a person asks for erasure, or when its time is over. Pure."""

import datetime as dt
from dataclasses import dataclass

from gdpr.enums import Ending, Start
from gdpr.inventory import Holding, retention_of
from invoices.law.limitation import shift_months

OWED = "Une somme reste due : ces données servent au contrat (art. 17-1-a du RGPD)."
LAW = "Pièces que la loi comptable et fiscale fait conserver (art. 17-3-b du RGPD)."
CLAIMS = "Preuves utiles tant qu’une contestation reste possible (art. 17-3-e du RGPD)."
REACHED = (
    "Une facture reste à régler par cette personne : ses coordonnées servent à le constater (art. 17-3-e du RGPD)."
)
CHAIN = "Empreintes et dates seules : elles ne permettent de retrouver personne."
ANSWERS = "Preuve de la réponse aux demandes sur les données (art. 5-2 du RGPD)."


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """What the fate of a client's data depends on, on a day."""

    on: dt.date
    is_owed: bool
    messages_until: dt.date | None
    """The last day their messages are kept; None while something is owed."""
    accounts_until: dt.date | None
    """The last day their vouchers are kept; None when they have none."""
    last_moved_on: dt.date
    """The last invoice, payment or message; the day they were added when there is none."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a table's rows: gone now, or kept until a day for a reason."""

    is_gone: bool
    until_on: dt.date | None = None
    reason: str = ""


GONE = Fate(is_gone=True)


def fate(holding: Holding, facts: ClientFacts) -> Fate:
    """Return what becomes of a table's rows about this client, were erasure asked on that day."""
    if holding.ending is Ending.KEEP_TRACE:
        return Fate(is_gone=False, reason=CHAIN)
    if holding.retention == "rights":
        return Fate(is_gone=False, reason=ANSWERS)
    start = retention_of(holding).start
    if start not in {Start.FISCAL_YEAR_END, Start.DEBT_OVER}:
        return GONE
    if start is Start.FISCAL_YEAR_END and facts.accounts_until is not None and facts.on <= facts.accounts_until:
        return Fate(is_gone=False, until_on=facts.accounts_until, reason=LAW)
    if messages_may_go(facts):
        return GONE
    return Fate(is_gone=False, until_on=facts.messages_until, reason=OWED if facts.is_owed else CLAIMS)


def contact_fate(holding: Holding, facts: ClientFacts, *, is_needed: bool) -> Fate:
    """Return what becomes of a table's rows about one contact of this client.

    Their own row goes at once unless they are who settles what is owed; what was written to them follows the debt.
    """
    if holding.contact == ("pk",):
        return Fate(is_gone=False, reason=REACHED) if is_needed else GONE
    return fate(holding, facts)


def messages_may_go(facts: ClientFacts) -> bool:
    """Say whether nothing is owed and the time to claim or to contest is over."""
    return facts.messages_until is not None and facts.on > facts.messages_until


def spare_may_go(facts: ClientFacts, *, is_asked: bool) -> bool:
    """Say whether what no voucher needs may go: asked for, once nothing is owed; by itself, once messages may."""
    return not facts.is_owed if is_asked else messages_may_go(facts)


def may_be_archived(facts: ClientFacts, *, months: int) -> bool:
    """Say whether nothing is owed and nothing moved for so many months: daily use is over (law.md R60)."""
    return not facts.is_owed and shift_months(facts.last_moved_on, months) < facts.on


def client_may_go(facts: ClientFacts) -> bool:
    """Say whether nothing keeps anything of a client any more: their key may be destroyed."""
    return messages_may_go(facts) and (facts.accounts_until is None or facts.on > facts.accounts_until)
