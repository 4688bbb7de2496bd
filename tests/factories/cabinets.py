"""Firms, people, clients and dossiers for tests; each call makes one that is complete and unremarkable."""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cabinets import scoping
from cabinets.enums import ClientKind, Role
from cabinets.models import Assignment, Cabinet, Client, Contact, Dossier, Membership, User
from cabinets.scoping import working_for

PASSWORD = "un-mot-de-passe-de-papier-42"
_numbers = itertools.count(1)


@contextmanager
def outside_any_firm() -> Iterator[None]:
    """Leave the firm the test acts for: what a request or a task starts from."""
    token = scoping._scope.set(None)
    try:
        yield
    finally:
        scoping._scope.reset(token)


def make_cabinet(**facts: Any) -> Cabinet:
    """Make a live firm whose payments were declared up to date yesterday."""
    number = next(_numbers)
    cabinet = Cabinet(
        **{
            "id": uuid.uuid4(),
            "slug": f"cabinet-{number}",
            "name": f"Cabinet {number}",
            "bar": "Nantes",
            "email": f"contact@cabinet-{number}.example",
            "phone": "+33240000000",
            "iban": "FR7630006000011234567890189",
            "bic": "AGRIFRPP",
            "account_holder": f"Cabinet {number}",
            "activated_on": dt.date(2026, 1, 2),
            "settled_through_on": dt.date(2026, 11, 23),
            "settlements_declared_on": dt.date(2026, 11, 23),
            **facts,
        }
    )
    with outside_any_firm(), working_for(cabinet_id=cabinet.pk):
        cabinet.save(force_insert=True)
    return cabinet


def make_user(**facts: Any) -> User:
    """Make a person who can sign in with PASSWORD."""
    number = next(_numbers)
    defaults = {
        "email": f"personne-{number}@cabinet.example",
        "first_name": "Claire",
        "last_name": f"Aubry {number}",
    }
    return User.objects.create_user(password=PASSWORD, **{**defaults, **facts})


def make_member(*, role: Role = Role.OWNER, user: User | None = None, **facts: Any) -> Membership:
    """Make a member of the firm acted for; owners, administrators and accountants see every file."""
    user = user or make_user()
    wide = role in {Role.OWNER, Role.ADMIN, Role.ACCOUNTANT}
    member = Membership(user=user, role=role, **{"sees_every_file": wide, **facts})
    member.save(force_insert=True)
    return member


def make_client(**facts: Any) -> Client:
    """Make a professional client with an e-mail and a postal address, in the firm acted for."""
    number = next(_numbers)
    client = Client(
        **{
            "company": f"Société {number}",
            "email": f"facturation@societe-{number}.example",
            "has_email": True,
            "address": f"{number} rue de la Paix",
            "postcode": "75002",
            "city": "Paris",
            "has_postal": True,
            "territory": "metropole",
            "kind": ClientKind.PROFESSIONAL,
            **facts,
        }
    )
    client.save(force_insert=True)
    return client


def make_contact(*, client: Client, **facts: Any) -> Contact:
    """Make a billing contact of a client."""
    contact = Contact(
        client=client, **{"role": "billing", "email": "compta@societe.example", "has_email": True, **facts}
    )
    contact.save(force_insert=True)
    return contact


def make_dossier(*, client: Client | None = None, **facts: Any) -> Dossier:
    """Make a dossier with a fee agreement and a running mandate."""
    client = client or make_client()
    number = next(_numbers)
    dossier = Dossier(
        client=client,
        **{
            "reference": f"R-{number:04}",
            "kind": client.kind,
            "fee_agreement_on": dt.date(2026, 1, 15),
            **facts,
        },
    )
    dossier.save(force_insert=True)
    return dossier


def assign(*, dossier: Dossier, member: Membership) -> Assignment:
    """Put a dossier in a member's charge."""
    assignment = Assignment(dossier=dossier, member=member)
    assignment.save(force_insert=True)
    return assignment
