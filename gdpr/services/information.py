"""What a firm tells the people whose data it uses (GDPR art. 13 and 14): made from the register."""

from cabinets.models import Cabinet
from gdpr.enums import Basis, Claim, Person
from gdpr.inventory import HOLDINGS, PURPOSES, Purpose, Retention, holdings_of, retention_of, words_of
from gdpr.matrix import ALLOWED, basis_for
from gdpr.services import register_head
from gdpr.services.facts import settings_in_force
from payments.ports import InformationTold, UseTold

PEOPLE = frozenset({Person.CLIENT, Person.WRITER})
SOURCES = (
    "vous-même, par votre convention, vos messages et vos demandes",
    "la personne ou la société qui a confié le dossier, quand vous payez pour elle ou la représentez",
    "la comptabilité du cabinet : factures, avoirs et échéances",
    "votre banque ou votre moyen de paiement, quand vous réglez",
    "les registres publics (BODACC), pour les procédures collectives",
)


class RegisterInformer:
    """Answers the debtor's pages with the register's own words."""

    def information(self, cabinet: Cabinet, *, is_contact: bool) -> InformationTold:
        """Return what the firm acted for tells its client, or whoever is reached for them."""
        return of_firm(cabinet, is_contact=is_contact)


def of_firm(cabinet: Cabinet, *, is_contact: bool = False) -> InformationTold:
    """Return what the firm acted for tells people: each use that holds anything of them, and on what it rests."""
    years, about = settings_in_force().accounting_years, register_head.of_firm(cabinet)
    uses = [one for one in PURPOSES if not one.by_vendor and _about_people(one)]
    return InformationTold(
        controller=about.controller,
        dpo=register_head.dpo_of(cabinet),
        uses=tuple(_use(one, years, is_contact=is_contact) for one in uses),
        sources=SOURCES,
        kinds=KINDS,
        transfers=tuple(one for one in about.transfers if one != register_head.NO_TRANSFER),
        unplaced=about.unplaced,
        has_consent=any(one.basis is Basis.CONSENT for one in uses),
        is_contact=is_contact,
    )


def of_contacts(cabinet: Cabinet) -> tuple[UseTold, ...]:
    """Return the uses that rest on something else for whoever is reached for a client, with the rights it gives."""
    of_clients = of_firm(cabinet).uses
    return tuple(one for one in of_firm(cabinet, is_contact=True).uses if one not in of_clients)


# What the tables hold, in words a person knows; the register says it field by field.
KINDS = (
    "vos nom, société, adresse, e-mail et téléphone",
    "vos factures, paiements, échéanciers et moyens de paiement",
    "les messages échangés, leurs preuves d’envoi et vos demandes",
    "l’ouverture de votre espace de règlement",
)


def _about_people(purpose: Purpose) -> bool:
    return any(one.person in PEOPLE for one in holdings_of(purpose))


def _use(purpose: Purpose, years: int, *, is_contact: bool) -> UseTold:
    kept = [one for one in HOLDINGS if one.purpose == purpose.slug and one.person in PEOPLE]
    basis = basis_for(purpose.basis, is_contact=is_contact)
    allowed = ALLOWED[basis]
    return UseTold(
        name=purpose.name,
        text=purpose.text,
        basis=str(basis.label),
        interest=purpose.text if basis is Basis.LEGITIMATE_INTEREST else "",
        recipients=purpose.recipients,
        lengths=tuple(dict.fromkeys(_length(retention_of(one), years) for one in kept)),
        rights=tuple(str(one.label) for one in Claim if one in allowed),
    )


def _length(retention: Retention, years: int) -> str:
    return f"{retention.name.lower()}, {words_of(retention, accounting_years=years)}"
