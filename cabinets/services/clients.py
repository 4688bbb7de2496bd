"""Write clients and their contacts, with what planning and search need to know beside the sealed values."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.addresses import is_mobile, normalise_email, normalise_phone, plain_name
from cabinets.enums import Civility, ClientKind, ContactRole, Language
from cabinets.errors import InputError
from cabinets.models import Client, Contact, Dossier, Membership
from cabinets.ports import follower
from cabinets.scoping import current_scope, whole_firm
from cabinets.sealing import blind_index, open_together
from cabinets.services import dossiers
from cabinets.territories import territory_of

# The names of the indexes in the derivation of their keys: one of each for clients and contacts together.
EMAIL_INDEX, PHONE_INDEX, NAME_INDEX = "client.email", "client.phone", "client.name"
# A change of these says another thing to the debtor, or to another person.
_RESTATED = ("kind", "language", "civility", "first_name", "last_name", "company")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """What a person says of a client."""

    civility: Civility = Civility.NONE
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    siren: str = ""
    kind: ClientKind = ClientKind.UNKNOWN
    email: str = ""
    phone: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "FR"
    language: Language = Language.FRENCH
    is_strategic: bool = False
    needs_two_approvals: bool = False
    is_never_reminded: bool = False
    accepts_sms: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What a person says of somebody reached at a client's."""

    role: ContactRole = ContactRole.OTHER
    civility: Civility = Civility.NONE
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""


def new_client(facts: ClientFacts) -> Client:
    """Return a client ready to be inserted: values normalised, indexes and flags computed. Nothing is written."""
    client = Client()
    _state(client, facts)
    return client


@transaction.atomic
def create_client(*, facts: ClientFacts, client_id: UUID | None = None) -> Client:
    """Add a client; whoever does not see every file is given the client's first, neutral dossier.

    `client_id` is the form's own identifier: sent twice, the form makes one client.
    """
    if client_id and (known := Client.objects.filter(pk=client_id).first()):
        return known
    with whole_firm():
        client = new_client(facts)
        if client_id:
            client.pk = client_id
        client.save(force_insert=True)
    if _sees_assigned_only():
        dossiers.neutral_dossier(client=client)
    journal.record("client.created", client)
    return client


@transaction.atomic
def update_client(*, client_id: UUID, facts: ClientFacts) -> Client:
    """Change a client; a new address may be written to again, and the next night looks at the invoices anew."""
    client = Client.objects.select_for_update(of=("self",), no_key=True).get(pk=client_id)
    before = {name: getattr(client, name) for name in asdict(facts)}
    territory, reaches = client.territory, (client.email, client.phone, _postal(client))
    _state(client, facts)
    changed = [name for name, value in before.items() if getattr(client, name) != value]
    if not changed and client.territory == territory:
        return client
    email, phone, postal = reaches
    if client.email != email:
        client.email_refused_at = client.email_stopped_at = None
    if client.phone != phone:
        client.mobile_refused_at = None
    if _postal(client) != postal:
        client.postal_refused_at = None
    client.save(update_fields=[*asdict(facts), *_COMPUTED, *_REFUSALS])
    _tell(client, changed)
    journal.record("client.changed", client, fields=changed)
    return client


@transaction.atomic
def create_contact(*, client_id: UUID, facts: ContactFacts) -> Contact:
    """Add a person reached at a client's."""
    client = Client.objects.get(pk=client_id)
    contact = Contact(client=client)
    _state_contact(contact, client, facts)
    contact.save(force_insert=True)
    journal.record("contact.created", contact)
    return contact


@transaction.atomic
def update_contact(*, contact_id: UUID, facts: ContactFacts) -> Contact:
    """Change a contact; a new address may be written to again."""
    contact = Contact.objects.select_for_update(of=("self",), no_key=True).select_related("client").get(pk=contact_id)
    email, phone, name = contact.email, contact.phone, _greeted(contact)
    _state_contact(contact, contact.client, facts)
    if contact.email != email:
        contact.email_refused_at = contact.email_stopped_at = None
    if contact.phone != phone:
        contact.mobile_refused_at = None
    stated = [*asdict(facts), "email_index", *_REACHES, "email_refused_at", "email_stopped_at", "mobile_refused_at"]
    contact.save(update_fields=stated)
    if _greeted(contact) != name:
        follower().stop(client_id=contact.client_id, code="NEEDS_APPROVAL")
    else:
        follower().wake(client_id=contact.client_id)
    journal.record("contact.changed", contact)
    return contact


@transaction.atomic
def archive_contact(*, contact_id: UUID) -> Contact:
    """Write to this person no more; the dossiers they were billed for go back to the client."""
    contact = Contact.objects.get(pk=contact_id)
    if Contact.objects.filter(pk=contact_id, is_archived=False).update(is_archived=True):
        with whole_firm():
            was_billed = Dossier.objects.filter(billing_contact=contact_id).update(billing_contact=None)
        if was_billed:
            # What is planned or approved is addressed to this person.
            follower().stop(client_id=contact.client_id, code="NEEDS_APPROVAL")
        journal.record("contact.archived", contact)
    return contact


@transaction.atomic
def stop_sms(*, client: Client, contact: Contact | None, number: str, **facts: str) -> bool:
    """Text a number no more, from this very moment; say whether it changed anything.

    A contact's own number stops alone. In any doubt the whole client's do: no contact, one who is archived or whose
    number changed since, the client's own number, or a client who has no other. A text not sent is the smaller loss,
    as is a call to that contact, which the same mark holds back until the firm writes another number.
    """
    is_own = contact is not None and not contact.is_archived and contact.has_mobile and contact.phone == number
    if contact is None or not is_own or not client.has_mobile or client.phone == number:
        if changed := bool(Client.objects.filter(pk=client.pk, accepts_sms=True).update(accepts_sms=False)):
            journal.record("client.sms_refused", client, **facts)
        return changed
    # Two people may be reached on one number.
    reached = Contact.objects.filter(client=client, has_mobile=True, mobile_refused_at=None)
    same = [one.pk for one in open_together(reached) if one.phone == number]
    if changed := bool(Contact.objects.filter(pk__in=same).update(mobile_refused_at=timezone.now())):
        journal.record("contact.sms_refused", contact, **facts)
    return changed


def email_key(email: str) -> bytes | None:
    """Return the exact-search index of an address of a client or of a contact."""
    return blind_index(email, column=EMAIL_INDEX)


def phone_key(phone: str) -> bytes | None:
    """Return the exact-search index of a number in E.164."""
    return blind_index(phone, column=PHONE_INDEX)


def name_key(*, company: str, first_name: str, last_name: str) -> bytes | None:
    """Return the index under which one client's name is found again, whatever its accents, case and hyphens."""
    return blind_index(plain_name(company or f"{first_name} {last_name}"), column=NAME_INDEX)


_REACHES = ("has_email", "has_mobile", "has_phone")
_COMPUTED = ("email_index", "phone_index", "name_index", *_REACHES, "has_postal", "territory")
_REFUSALS = ("email_refused_at", "email_stopped_at", "mobile_refused_at", "postal_refused_at")


def _state(client: Client, facts: ClientFacts) -> None:
    if not (facts.company.strip() or facts.last_name.strip()):
        raise InputError("Indiquez la société ou le nom du client.", field="last_name")
    for name, value in asdict(facts).items():
        setattr(client, name, value.strip() if isinstance(value, str) else value)
    client.country = facts.country.strip().upper() or "FR"
    client.territory = territory_of(facts.postcode, client.country)
    client.email = normalise_email(facts.email)
    client.phone = normalise_phone(facts.phone, territory=client.territory, country=client.country)
    client.has_email = bool(client.email)
    client.has_mobile, client.has_phone = is_mobile(client.phone), bool(client.phone)
    client.has_postal = all((client.address, client.postcode, client.city))
    client.email_index = email_key(client.email)
    client.phone_index = phone_key(client.phone)
    client.name_index = name_key(company=client.company, first_name=client.first_name, last_name=client.last_name)


def _state_contact(contact: Contact, client: Client, facts: ContactFacts) -> None:
    if not (facts.last_name.strip() or facts.email.strip()):
        raise InputError("Indiquez le nom du contact ou son adresse e-mail.", field="last_name")
    for name, value in asdict(facts).items():
        setattr(contact, name, value.strip() if isinstance(value, str) else value)
    contact.email = normalise_email(facts.email)
    contact.phone = normalise_phone(facts.phone, territory=client.territory, country=client.country)
    contact.has_email = bool(contact.email)
    contact.has_mobile, contact.has_phone = is_mobile(contact.phone), bool(contact.phone)
    contact.email_index = email_key(contact.email)


def _postal(client: Client) -> tuple[str, str, str]:
    return client.address, client.postcode, client.city


def _greeted(contact: Contact) -> tuple[str, str, str]:
    return contact.civility, contact.first_name, contact.last_name


def _tell(client: Client, changed: list[str]) -> None:
    if client.is_never_reminded:
        follower().stop(client_id=client.pk, code="NEVER")
    elif set(changed) & {*_RESTATED, "is_strategic", "needs_two_approvals"}:
        # What waits or was approved was written for the client as it was: a person reads it again.
        follower().stop(client_id=client.pk, code="NEEDS_APPROVAL")
    else:
        follower().wake(client_id=client.pk)


def _sees_assigned_only() -> bool:
    member_id = current_scope().member_id
    return member_id is not None and not Membership.objects.get(pk=member_id).sees_every_file
