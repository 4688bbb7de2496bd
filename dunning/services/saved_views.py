"""Keep the filters of Factures under a name: for oneself, or for the firm."""

from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import QueryDict

from cabinets import journal
from cabinets.errors import InputError
from cabinets.models import Membership, SavedView
from cabinets.sealing import open_together

# The filters an address may hold, in the order of the page.
KEPT = ("q", "etat", "age", "avocat", "etape", "min", "max", "client")
# These name a client: everybody in the firm does not see every client.
NAMING = ("q", "client")
LONGEST_NAME, LONGEST_QUERY, MOST = 60, 500, 30


def query_of(text: str) -> str:
    """Return the filters an address holds, and nothing else of it."""
    asked = QueryDict(text[:LONGEST_QUERY])
    return urlencode([(name, asked[name]) for name in KEPT if asked.get(name)])


def views_of(member: Membership) -> list[SavedView]:
    """Return the views a person may use: their own, then the firm's, by name."""
    rows = open_together(SavedView.objects.select_related("member__user").order_by("pk"))
    return sorted(rows, key=lambda row: (row.member_id != member.pk, str(row.name).casefold(), row.pk))


@transaction.atomic
def save_view(*, name: str, query: str, is_shared: bool, by: Membership) -> SavedView:
    """Keep these filters under a name. Raise InputError, and keep nothing, when there is none or one too many."""
    kept = query_of(query)
    if not kept:
        raise InputError("Aucun filtre n’est choisi : filtrez la liste, puis enregistrez la vue.", field="name")
    if SavedView.objects.filter(member=by).count() >= MOST:
        raise InputError(f"Vous avez déjà {MOST} vues : supprimez-en une. Rien n’a été enregistré.", field="name")
    view = SavedView(member=by, query=kept, name=_name(name), is_shared=_shared(kept, is_shared=is_shared))
    view.save(force_insert=True)
    journal.record("savedview.created", view, shared=view.is_shared)
    return view


@transaction.atomic
def rename_view(*, view_id: UUID, name: str, is_shared: bool, by: Membership) -> SavedView:
    """Give one's own view another name, share it or keep it for oneself again."""
    view: SavedView = SavedView.objects.select_for_update(of=("self",)).get(pk=view_id, member=by)
    view.name, view.is_shared = _name(name), _shared(str(view.query), is_shared=is_shared)
    view.save(update_fields=["name", "is_shared"])
    journal.record("savedview.changed", view, shared=view.is_shared)
    return view


@transaction.atomic
def delete_view(*, view_id: UUID, by: Membership) -> None:
    """Delete one's own view."""
    view = SavedView.objects.get(pk=view_id, member=by)
    journal.record("savedview.deleted", view)
    view.delete()


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise InputError("Donnez un nom à cette vue. Rien n’a été enregistré.", field="name")
    if len(plain) > LONGEST_NAME:
        raise InputError(f"Ce nom dépasse {LONGEST_NAME} caractères. Rien n’a été enregistré.", field="name")
    return plain


def _shared(query: str, *, is_shared: bool) -> bool:
    if is_shared and any(QueryDict(query).get(name) for name in NAMING):
        raise InputError(
            "Cette vue cherche un client : tout le cabinet ne le voit pas forcément. Gardez-la pour vous, ou retirez "
            "ce filtre. Rien n’a été enregistré.",
            field="is_shared",
        )
    return is_shared
