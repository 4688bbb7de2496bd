"""What a letter is made of before it leaves: its address, its PDF, the route it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cabinets.enums import Civility, ClientKind
from cabinets.models import Cabinet, Client, Contact
from dunning.channels.letters import Addressee, Attachment
from dunning.channels.postal import PostalAddress, postal_address
from dunning.models import LetterConsent, Reminder
from dunning.routes import Choice, Recipient, route_for
from dunning.services import consents
from dunning.services.claiming import Checked
from dunning.services.letter_accounts import routes_in_service

_TITLES = {Civility.MADAME: "Madame", Civility.MONSIEUR: "Monsieur", Civility.MAITRE: "Maître"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLetter:
    """A letter as it was composed: its words, its PDF, what goes with it."""

    subject: str
    text: str
    html: str
    pdf: bytes
    pages: int
    text_ref: str = ""
    attachments: Sequence[Attachment] = ()


Composer = Callable[[Checked, PostalAddress], WrittenLetter]


def address_of(client: Client, contact: Contact | None) -> PostalAddress:
    """Return where a debtor's letters go; raise InputError, with what to mend, when they cannot."""
    person = contact or client
    title = _TITLES.get(Civility(person.civility), "")
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    return postal_address(
        company=client.company,
        person=f"{title} {name}".strip() if name else "",
        address=client.address,
        postcode=client.postcode,
        city=client.city,
        country=client.country,
    )


def sender_address(cabinet: Cabinet) -> PostalAddress:
    """Return the firm's own address, as envelopes and receipts bear it."""
    return postal_address(company=cabinet.name, address=cabinet.address, postcode=cabinet.postcode, city=cabinet.city)


def choices_of(reminder: Reminder, cabinet: Cabinet) -> list[Choice]:
    """Return the routes of a letter in the order to try; a demonstration has the post desk alone."""
    routes = [] if cabinet.is_demo else routes_in_service()
    return route_for(recipient_of(reminder), routes)


def recipient_of(reminder: Reminder) -> Recipient:
    """Return what decides of a letter's route."""
    client: Client = reminder.client
    consent = consent_of(reminder)
    return Recipient(
        kind=ClientKind(reminder.client_kind),
        country=client.country or "FR",
        consent_email=consent.email if consent else "",
        known_email=(reminder.contact or client).email,
        has_postal=client.has_postal and client.postal_refused_at is None,
    )


def consent_of(reminder: Reminder) -> LetterConsent | None:
    """Return the consent in force of the very addressee, the last one given."""
    found = consents.in_force(client_id=reminder.client_id, contact_id=reminder.contact_id)
    return found[0] if found else None


def addressee_of(reminder: Reminder, choice: Choice) -> Addressee | None:
    """Return who an electronic letter is for; nobody for a paper one."""
    if not choice.route.is_electronic:
        return None
    client: Client = reminder.client
    person = reminder.contact or client
    return Addressee(
        email=choice.email,
        first_name=person.first_name,
        last_name=person.last_name,
        company=client.company,
        is_professional=reminder.client_kind == ClientKind.PROFESSIONAL,
    )
