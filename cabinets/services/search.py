"""Find clients and dossiers: an address or a number exactly, by its index; a name by opening the firm's own names."""

from dataclasses import dataclass

from django.db.models import QuerySet

from cabinets.addresses import begins_words, find_phone
from cabinets.models import Client, Contact, Dossier
from cabinets.sealing import open_together
from cabinets.services.clients import email_key, phone_key

SHORTEST = 2


@dataclass(frozen=True, slots=True)
class FoundClient:
    """A client that answers a search, and why."""

    client: Client
    name: str
    why: str = ""


def find_clients(text: str, *, limit: int = 20) -> list[FoundClient]:
    """Return the clients the person may see whose e-mail or telephone is this one, or whose name begins like it."""
    wanted = text.strip()
    if len(wanted) < SHORTEST:
        return []
    if "@" in wanted:
        return _by_email(wanted.lower(), limit)
    return _by_phone(wanted, limit) or _by_name(wanted, limit)


def find_dossiers(text: str, *, limit: int = 20) -> list[Dossier]:
    """Return the dossiers the person may see whose neutral reference holds this text, their client open."""
    wanted = text.strip()
    if len(wanted) < SHORTEST:
        return []
    found = Dossier.objects.filter(reference__icontains=wanted).select_related("client").defer("title")
    rows = list(found.order_by("is_archived", "reference", "pk")[:limit])
    open_together(row.client for row in rows)
    return rows


def _by_email(email: str, limit: int) -> list[FoundClient]:
    key = email_key(email)
    found = list(_at_hand().filter(email_index=key)[:limit])
    reached = Contact.objects.filter(email_index=key, is_archived=False, client__archived_on=None)
    contacts = reached.select_related("client")
    others = [contact.client for contact in contacts if contact.client not in found]
    answers = [FoundClient(client, client.display_name, "Adresse e-mail") for client in open_together(found)]
    return [
        *answers,
        *(FoundClient(client, client.display_name, "E-mail d’un contact") for client in open_together(others)),
    ][:limit]


def _by_phone(text: str, limit: int) -> list[FoundClient]:
    if (phone := find_phone(text)) is None:
        return []
    found = open_together(_at_hand().filter(phone_index=phone_key(phone))[:limit])
    return [FoundClient(client, client.display_name, "Téléphone") for client in found]


def _by_name(text: str, limit: int) -> list[FoundClient]:
    named = ((client, f"{client.company} {client.first_name} {client.last_name}") for client in _all_clients())
    found = [FoundClient(client, client.display_name) for client, name in named if begins_words(text, name)]
    return sorted(found, key=lambda answer: answer.name.casefold())[:limit]


def _all_clients() -> list[Client]:
    return open_together(_at_hand().only("id", "cabinet_id", "civility", "company", "first_name", "last_name"))


def _at_hand() -> QuerySet[Client]:
    """Return the clients in daily use: the archive has a search of its own, for whoever may open it."""
    return Client.objects.filter(archived_on=None)
