"""Which right a view requires: said above it, checked before it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from cabinets import journal
from cabinets.enums import RIGHTS, Right, Role
from cabinets.errors import RightMissingError
from cabinets.models import Membership

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
SECOND_FACTOR_URL = "/connexion/second-facteur/"


def requires(right: Right) -> Callable[[V], V]:
    """Open a view to members who hold this right and proved their second factor; the journal notes a refusal."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member: Membership | None = getattr(request, "member", None)
            if not request.user.is_authenticated:
                # A form's address cannot be opened afterwards: only a page that was being read is returned to.
                wanted = request.get_full_path() if request.method == "GET" else settings.LOGIN_REDIRECT_URL
                return redirect_to_login(wanted, settings.LOGIN_URL)
            if not is_verified(request):
                return HttpResponseRedirect(SECOND_FACTOR_URL)
            if member is None:
                return render(request, "403.html", {"who": None}, status=403)
            if not member.can(right):
                journal.record("access.refused", None, right=right.value)
                return render(request, "403.html", {"right": right, "who": granters(right)}, status=403)
            return view(request, *args, **kwargs)

        guarded.required_right = right  # type: ignore[attr-defined]
        return cast("V", guarded)

    return decorate


def is_verified(request: HttpRequest) -> bool:
    """Say whether this session proved its second factor (django-otp's middleware adds the method to the person).

    A visitor of the demonstration has none to prove: the middleware lets them read, and nothing else.
    """
    return bool(getattr(request.user, "is_verified", lambda: False)()) or bool(getattr(request, "is_visit", False))


def public(view: V) -> V:
    """Mark a view that asks for no account; what guards it is written in the view."""
    view.required_right = None  # type: ignore[attr-defined]
    return view


def archived_too(view: V) -> V:
    """Mark a view of a client that tells of the archive itself; every other one is shut while the client is there."""
    view.reads_archive = True  # type: ignore[attr-defined]
    return view


def ensure(member: Membership, right: Right) -> None:
    """Refuse an act inside a service or a form when its author lacks the right."""
    if not member.can(right):
        raise RightMissingError(f"Votre rôle ne permet pas cette action : « {right.label} ».")


def granters(right: Right) -> list[str]:
    """Return the roles that hold a right, as written on the page that refuses it."""
    return [role.label for role in Role if right in RIGHTS[role]]
