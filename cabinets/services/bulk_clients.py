"""Recognise and write many clients and dossiers at once: one query a kind, one statement a table.

A file names people in its own words. An address found in the firm names its client; else a name does, unless the two
addresses differ: two people of one name never share a debt.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID

from django.db.models import Q

from cabinets.enums import ClientKind, KeyPurpose, LegalAid
from cabinets.models import Assignment, Client, Contact, DataKey, Dossier, Membership
from cabinets.scoping import current_scope
from cabinets.sealing import load_keys, make_keys
from cabinets.services.dossiers import neutral_reference

AT_ONCE = 1000


class Doubt(Enum):
    """What a person should know of the way a client was recognised."""

    NONE = auto()
    AMBIGUOUS = auto()
    OTHER_NAME = auto()
    OTHER_EMAIL = auto()
    EMAIL_NOT_ADDED = auto()


@dataclass(frozen=True, slots=True)
class KnownClient:
    """What is enough to recognise a client: nothing sealed."""

    pk: UUID
    kind: ClientKind
    email_index: bytes | None
    name_index: bytes | None


@dataclass(slots=True)
class ClientBook:
    """The clients of the firm that the lines of a chunk may name."""

    by_email: dict[bytes, list[KnownClient]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[bytes, list[KnownClient]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def load(cls, *, emails: Collection[bytes], names: Collection[bytes]) -> "ClientBook":
        """Read every client that bears one of these addresses or names, itself or through a contact."""
        book, columns = cls(), ("pk", "kind", "email_index", "name_index")
        reached: dict[UUID, set[bytes]] = defaultdict(set)
        contacts = Contact.objects.filter(email_index__in=emails, is_archived=False)
        for pk, address in contacts.values_list("client_id", "email_index"):
            if known := _bytes(address):
                reached[pk].add(known)
        named = Q(email_index__in=emails) | Q(name_index__in=names) | Q(pk__in=list(reached))
        for pk, kind, email, name in Client.objects.filter(named).values_list(*columns):
            book.add(KnownClient(pk, ClientKind(kind), _bytes(email), _bytes(name)), also=reached.get(pk, ()))
        return book

    def add(self, client: KnownClient, *, also: Iterable[bytes] = ()) -> None:
        """Know one more client, under its address, its name, and the addresses of its contacts."""
        for address in {*also, *([client.email_index] if client.email_index else ())}:
            self.by_email[address].append(client)
        if client.name_index:
            self.by_name[client.name_index].append(client)

    def find(self, *, email: bytes | None, name: bytes | None) -> tuple[KnownClient | None, Doubt]:
        """Return the client these words name, or None when nobody is; say what is doubtful about it."""
        if email and (holders := self.by_email.get(email)):
            named = [holder for holder in holders if holder.name_index == name]
            if len(named) == 1:
                return named[0], Doubt.NONE
            return (holders[0], Doubt.OTHER_NAME) if len(holders) == 1 else (None, Doubt.AMBIGUOUS)
        homonyms = self.by_name.get(name, []) if name else []
        possible = [person for person in homonyms if not (email and person.email_index)]
        if len(possible) > 1:
            return None, Doubt.AMBIGUOUS
        if possible:
            return possible[0], Doubt.EMAIL_NOT_ADDED if email else Doubt.NONE
        return None, Doubt.OTHER_EMAIL if homonyms else Doubt.NONE


@dataclass(frozen=True, slots=True)
class KnownDossier:
    """What an import asks of a dossier."""

    pk: UUID
    client_id: UUID
    reference: str
    kind: ClientKind
    legal_aid: LegalAid = LegalAid.NONE
    is_archived: bool = False


@dataclass(slots=True)
class DossierBook:
    """The dossiers that the lines of a chunk may name, by reference."""

    by_reference: dict[str, KnownDossier] = field(default_factory=dict)

    @classmethod
    def load(cls, *, references: Collection[str], client_ids: Collection[UUID]) -> "DossierBook":
        """Read the dossiers of these references, and those that may hold a client's neutral reference."""
        wanted = {*references, *(name for pk in client_ids for name in neutral_references(pk))}
        columns = ("pk", "client_id", "reference", "kind", "legal_aid", "is_archived")
        return cls(
            {
                row[2]: KnownDossier(row[0], row[1], row[2], ClientKind(row[3]), LegalAid(row[4]), row[5])
                for row in Dossier.objects.filter(reference__in=wanted).values_list(*columns)
            }
        )

    def neutral_of(self, client_id: UUID) -> KnownDossier | str:
        """Return the client's neutral dossier, or the reference to open it under."""
        free = ""
        for reference in neutral_references(client_id):
            known = self.by_reference.get(reference)
            if known is not None and known.client_id == client_id:
                return known
            free = free or (reference if known is None else "")
        return free

    def add(self, dossier: KnownDossier) -> None:
        """Know one more dossier."""
        self.by_reference[dossier.reference] = dossier


def neutral_references(client_id: UUID) -> tuple[str, str]:
    """Return the reference of a client's neutral dossier, and a longer one for when another client has it."""
    return neutral_reference(client_id), f"D-{client_id.hex[:20].upper()}"


def write_clients(clients: Sequence[Client]) -> None:
    """Insert new clients, each with a key of its own, in one statement for the keys and one for the rows."""
    if clients:
        make_keys(purpose=KeyPurpose.CLIENT, subject_ids=[client.pk for client in clients])
        Client.objects.bulk_create(clients, batch_size=AT_ONCE)
        current_scope().at_hand.update(client.pk for client in clients)


def write_dossiers(dossiers: Sequence[Dossier], *, in_charge: dict[UUID, set[UUID]]) -> None:
    """Insert new dossiers and put these members in charge of them."""
    Dossier.objects.bulk_create(dossiers, batch_size=AT_ONCE)
    Assignment.objects.bulk_create(
        [
            Assignment(dossier=dossier, member_id=member_id)
            for dossier in dossiers
            for member_id in sorted(in_charge.get(dossier.pk, ()))
        ],
        batch_size=AT_ONCE,
    )


def hold_keys(client_ids: Iterable[UUID]) -> None:
    """Have the keys of these clients at hand, so that rows sealed under them cost no query each."""
    scope = current_scope()
    wanted = [pk for pk in client_ids if (KeyPurpose.CLIENT.value, pk) not in scope.keys]
    if wanted:
        rows = DataKey.objects.filter(purpose=KeyPurpose.CLIENT, subject_id__in=wanted, is_active=True)
        found = dict(rows.values_list("subject_id", "pk"))
        scope.keys.update({(KeyPurpose.CLIENT.value, subject): key for subject, key in found.items()})
        load_keys(found.values())


def lawyers_by_email(emails: Collection[str]) -> dict[str, UUID]:
    """Return the active members that have one of these addresses, which are in lower case."""
    if not emails:
        return {}
    members = Membership.objects.filter(is_active=True).values_list("user__email", "pk")
    return {email.lower(): pk for email, pk in members if email.lower() in emails}


def clients_of(member_id: UUID, *, among: Collection[UUID]) -> set[UUID]:
    """Return those of these clients that have a dossier in this member's charge."""
    mine = Assignment.objects.filter(member=member_id, dossier__client__in=among)
    return set(mine.values_list("dossier__client", flat=True))


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
