"""A visitor of the demonstration: reads an invented firm whole, and changes nothing.

The visit is a session of an account nobody can sign in with, in a firm that is a demonstration: the middleware refuses
whatever is not a reading, before any view.
"""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership, User
from cabinets.scoping import working_for
from cabinets.services.firm import every_firm
from cabinets.services.sign_in import open_session

# A reserved name: what is written to it reaches nobody, and no password opens it.
VISITOR = "visite@demonstration.example"
VISIT = "visit"
# Reading does not change anything; an account's own pages would show where other visitors come from.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SHUT = ("/profil/",)
LEAVES = ("/deconnexion/",)


def firm_to_visit() -> UUID | None:
    """Return the first firm of the demonstration; nothing when there is none, or it is not open to visits."""
    if not settings.DEMO_VISITS:
        return None
    return next((cabinet_id for cabinet_id, _ in every_firm(demo_only=True)), None)


def enter(request: HttpRequest) -> bool:
    """Open a visit; False when there is nothing to visit."""
    cabinet_id = firm_to_visit()
    if cabinet_id is None:
        return False
    visitor, _ = User.objects.get_or_create(
        email=VISITOR, defaults={"first_name": "Visite", "last_name": "guidée", "password": "!"}
    )
    with working_for(cabinet_id=cabinet_id):
        if not Membership.objects.filter(user=visitor).exists():
            Membership(user=visitor, role=Role.LAWYER, sees_every_file=True).save(force_insert=True)
    open_session(request=request, user=visitor)
    request.session[VISIT] = str(cabinet_id)
    return True


def is_visit(request: HttpRequest, cabinet: Cabinet) -> bool:
    """Say whether a request is a visitor's, in the demonstration they came to see."""
    return is_visitor(request) and cabinet.is_demo and request.session.get(VISIT) == str(cabinet.pk)


def is_visitor(request: HttpRequest) -> bool:
    """Say whether a session is a visitor's, wherever it goes: a debtor's link, too, is only read."""
    return bool(request.session.get(VISIT)) and getattr(request.user, "email", "") == VISITOR


def may_read(request: HttpRequest) -> bool:
    """Say whether a visitor's request changes nothing, or ends the visit."""
    return request.path.startswith(LEAVES) or (request.method in SAFE and not request.path.startswith(SHUT))
