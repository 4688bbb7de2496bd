"""What is true of every treatment of a firm (GDPR art. 30-1): who answers for it, who receives, what guards it."""

from dataclasses import dataclass

from django.conf import settings

from cabinets.addresses import show_typed_phone
from cabinets.models import Cabinet
from gdpr.services import chain_of_processors
from gdpr.services.agreement import MEASURES
from gdpr.services.chain_of_processors import Processor
from templates_lib.rendering import day_words

NO_REPRESENTATIVE = "Sans objet : le cabinet est établi dans l’Union européenne (art. 27)."
NO_JOINT = "Aucun"
NO_TRANSFER = "Aucun transfert hors de l’Espace économique européen n’est enregistré."

NO_COUNTRY = "pays non enregistré"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The part of the register that does not change from one purpose to the next."""

    controller: str
    dpo: str
    representative: str
    joint: str
    operator: str
    processors: tuple[str, ...]
    transfers: tuple[str, ...]
    unplaced: tuple[str, ...]
    """Who receives data in a country that nobody recorded, by what they do."""
    measures: tuple[str, ...]


def of_firm(cabinet: Cabinet) -> Head:
    """Return it for the firm acted for, from its settings and from who receives its data today."""
    chain = [*chain_of_processors.of_the_installation(on=cabinet.today()), *chain_of_processors.of_the_firm()]
    operator = settings.OPERATOR["OPERATOR_NAME"] or "L’exploitant de l’installation"
    return Head(
        controller=contact_of(cabinet),
        dpo=dpo_of(cabinet) or "Aucun délégué désigné : le cabinet répond lui-même.",
        representative=NO_REPRESENTATIVE,
        joint=NO_JOINT,
        operator=operator,
        processors=(f"{operator}, exploitant de l’installation", *(_named(one) for one in chain if not one.is_coming)),
        transfers=_transfers(chain),
        unplaced=tuple(one.role for one in chain if not one.country and not one.is_coming),
        measures=MEASURES,
    )


def contact_of(cabinet: Cabinet) -> str:
    """Return the firm's name and how it is reached."""
    place = f"{cabinet.postcode} {cabinet.city}".strip()
    told = (cabinet.name, cabinet.address, place, show_typed_phone(cabinet.phone), cabinet.email)
    return ", ".join(one for one in told if one)


def dpo_of(cabinet: Cabinet) -> str:
    """Return the firm's data protection officer and their address; nothing when it named none."""
    return ", ".join(one for one in (cabinet.dpo_name, cabinet.dpo_email) if one)


def _named(one: Processor) -> str:
    return f"{one.name} ({one.role}, {one.country or NO_COUNTRY})"


def _transfers(chain: list[Processor]) -> tuple[str, ...]:
    told = [
        f"{one.name} ({one.country}) : {one.guarantee or 'aucune garantie enregistrée'}"
        for one in chain
        if one.is_outside and not one.is_chosen_by_firm and not one.is_coming
    ]
    recorded = chain_of_processors.transfers_of_the_firm()
    told += [
        f"{name} ({row.country}) : {row.get_basis_display()}, {row.reference},"
        f" examiné le {day_words(row.assessed_on)} ; données : {row.data_sent}"
        for name, row in recorded
    ]
    covered = {name for name, _ in recorded}
    told += [
        f"{one.name} ({one.country}) : aucune garantie enregistrée"
        for one in chain
        if one.is_outside and one.is_chosen_by_firm and one.name not in covered
    ]
    return tuple(told) or (NO_TRANSFER,)
