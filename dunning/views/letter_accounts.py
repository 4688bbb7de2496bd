"""« Courrier »: the firm's providers of letters, how far each was proven, and the sender's one-time code."""

from functools import partial
from typing import NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import ClientKind, Right
from cabinets.errors import TransferError
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning import tasks
from dunning.channels.letters import Profile
from dunning.channels.post_desk import PROFILE as POST_DESK
from dunning.channels.post_desk import STEPS
from dunning.errors import DunningError
from dunning.forms.letters import CodeForm, LetterAccountForm
from dunning.models import ChannelAccount
from dunning.routes import Recipient, route_for
from dunning.services import letter_accounts as services

page = require_http_methods(["GET", "POST"])
REFUSED = 422
_ANY_ADDRESS = "x@exemple.test"


class Provider(NamedTuple):
    """One provider and the firm's account with it, if there is one."""

    profile: Profile
    account: ChannelAccount | None
    has_session: bool


class Way(NamedTuple):
    """In which order letters to one kind of client try their routes."""

    kind: str
    steps: list[str]


@require_GET
@never_cache
@requires(Right.MANAGE_FIRM)
def providers(request: CabinetRequest) -> HttpResponse:
    """Show each provider, what it needs, and the order in which letters try them."""
    known = services.accounts()
    journal.listed(ChannelAccount, "letters", count=len(known))
    rows = [_provider(profile, known.get(slug), request) for slug, profile in services.PROFILES.items()]
    context = {
        "providers": rows,
        "desk": POST_DESK,
        "steps": STEPS,
        "ways": _ways(),
        "zone": request.cabinet.zone,
        "is_demo": request.cabinet.is_demo,
    }
    return render(request, "dunning/letter_providers.html", context)


@page
@sensitive_post_parameters()
@never_cache
@requires(Right.MANAGE_FIRM)
def account(request: CabinetRequest, key: str) -> HttpResponse:
    """Keep the settings of a provider, and try them in the background."""
    profile, known = _of(key), services.accounts().get(key)
    form = LetterAccountForm(request.POST or None, profile=profile, account=known, request=request)
    if request.method == "POST" and form.is_valid():
        kept = services.keep(
            provider=key, options=form.options, changed=form.secrets, price=form.price, by=request.member
        )
        _try_later(kept)
        messages.success(request, f"{profile.label} est enregistré et hors service. La connexion est en cours d’essai.")
        return redirect("letter_providers")
    context = {"form": form, "profile": profile, "account": known}
    return render(request, "dunning/letter_account.html", context, status=REFUSED if form.errors else 200)


@require_POST
@requires(Right.MANAGE_FIRM)
def try_account(request: CabinetRequest, key: str) -> HttpResponse:
    """Try the connection again."""
    _try_later(_account(key))
    messages.success(request, "La connexion est en cours d’essai. Actualisez cette page dans un instant.")
    return redirect("letter_providers")


@require_POST
@requires(Right.MANAGE_FIRM)
def switch(request: CabinetRequest, key: str) -> HttpResponse:
    """Put an account in service, or out of it."""
    found = _account(key)
    try:
        if request.POST.get("vers") == "service":
            services.switch_on(account_id=found.pk, by=request.member)
            messages.success(
                request, f"{_of(key).label} est en service : les prochaines lettres peuvent partir par lui."
            )
        else:
            services.switch_off(account_id=found.pk, by=request.member)
            messages.success(request, f"{_of(key).label} est hors service. Les lettres déjà parties restent suivies.")
    except (DunningError, TransferError) as error:
        messages.error(request, str(error))
    return redirect("letter_providers")


@require_POST
@never_cache
@requires(Right.MANAGE_FIRM)
def hook(request: CabinetRequest, key: str) -> HttpResponse:
    """Draw the address a provider's notices arrive at, and show it once, on a page nothing keeps."""
    found, profile = _account(key), _of(key)
    if not profile.notifies:
        raise Http404
    token = services.new_hook(account_id=found.pk, by=request.member)
    address = request.build_absolute_uri(reverse("letter_notice", args=[token]))
    return render(request, "dunning/letter_hook.html", {"profile": profile, "address": address})


@page
@never_cache
@requires(Right.APPROVE_FORMAL_NOTICES)
def code(request: CabinetRequest, key: str) -> HttpResponse:
    """Take the sender's one-time code: the human step of a qualified letter (R45)."""
    found, profile = _account(key), _of(key)
    if not profile.asks_code:
        raise Http404
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.keep_code(account_id=found.pk, code=form.cleaned_data["code"], by=request.member)
        transaction.on_commit(partial(tasks.open_letter_session.delay, str(found.pk)))
        messages.success(request, "Le code est transmis. Les lettres qui l’attendaient partent s’il est accepté.")
        return redirect("letter_code", key)
    context = {
        "form": form,
        "row": _provider(profile, found, request),
        "zone": request.cabinet.zone,
        "is_pending": services.has_pending_code(found),
    }
    return render(request, "dunning/letter_code.html", context, status=REFUSED if form.errors else 200)


def _of(key: str) -> Profile:
    try:
        return services.PROFILES[key]
    except KeyError as error:
        raise Http404 from error


def _account(key: str) -> ChannelAccount:
    found = services.accounts().get(_of(key).slug)
    if found is None:
        raise Http404
    return found


def _provider(profile: Profile, found: ChannelAccount | None, request: CabinetRequest) -> Provider:
    until = found.session_until if found else None
    return Provider(profile, found, until is not None and until > request.cabinet.now())


def _try_later(found: ChannelAccount) -> None:
    transaction.on_commit(partial(tasks.check_letter_account.delay, str(found.pk)))


def _ways() -> list[Way]:
    """Return the order of the routes in service, for a client of each kind who consented where that matters."""
    routes, found = services.routes_in_service(), []
    for kind in ClientKind:
        recipient = Recipient(kind=kind, known_email=_ANY_ADDRESS, consent_email=_ANY_ADDRESS)
        steps = [f"{one.route.kind} – {one.route.label}" for one in route_for(recipient, routes) if one.is_open]
        found.append(Way(str(kind.label), steps))
    return found
