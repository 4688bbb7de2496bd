"""« Encaissement en ligne »: the firm's payment providers, how far each was proven, their keys, trial and service."""

from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import TransferError
from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from payments import tasks
from payments.enums import Mode, PaymentMeans
from payments.errors import PaymentError
from payments.forms_accounts import AccountForm
from payments.models import ProviderAccount
from payments.providers.protocol import Profile
from payments.services import held_keys, roads
from payments.services import provider_accounts as services
from payments.services.held_keys import HeldKeys
from templates_lib.rendering import typeset

page = require_http_methods(["GET", "POST"])
REFUSED = 422
# How a mode is written in an address.
MODES = {"essai": Mode.TEST, "reel": Mode.LIVE}
HELD = (
    "Un compte réel encaisse déjà pour le cabinet : cette clé attend vingt-quatre heures, et celle d’aujourd’hui "
    "continue de servir. Chaque associé est averti par e-mail et peut la refuser."
)
TAKEN = "La clé est prise. La connexion est en cours d’essai : mettez ensuite le compte en service."
TO_SERVICE = {
    Mode.TEST: "C’est un compte d’essai : il n’encaisse rien. Ne le laissez pas devant de vrais clients.",
    Mode.LIVE: "Vos clients paieront en ligne sur ce compte. Chaque associé est averti par e-mail.",
}


@dataclass(frozen=True, slots=True)
class Door:
    """One mode of a provider: the firm's account in it, when there is one."""

    place: str
    mode: Mode
    account: ProviderAccount | None
    hook: str = ""
    lacks_webhook: bool = False
    is_ready: bool = False
    """Nothing of the firm's own stands before its service."""
    closed: tuple[str, ...] = ()
    """The means the firm offers and its provider has not opened."""
    held: HeldKeys | None = None
    """Another live key that waits its day."""
    is_due: bool = False
    """Its day is over."""


@require_GET
@never_cache
@requires(Right.MANAGE_FIRM)
def accounts(request: CabinetRequest) -> HttpResponse:
    """Show how debtors may pay: each provider, what it needs, what it proves."""
    known = services.accounts()
    journal.listed(ProviderAccount, "accounts", count=len(known))
    rows = [
        (profile, [_door(profile, place, mode, known) for place, mode in MODES.items()])
        for profile in services.PROFILES.values()
    ]
    context = {"rows": rows, "firm": request.cabinet, "zone": request.cabinet.zone}
    return render(request, "payments/accounts.html", context)


@page
@sensitive_post_parameters("secret_key", "access_token", "webhook_secret", "password")
@never_cache
@requires(Right.MANAGE_FIRM)
def account(request: CabinetRequest, key: str, place: str) -> HttpResponse:
    """Keep the keys of one account, and try them in the background."""
    profile, mode = _named(key, place)
    known = services.accounts()
    found = known.get((key, mode))
    form = AccountForm(request.POST or None, profile=profile, mode=mode, account=found, request=request)
    if form.is_bound and form.is_valid():
        try:
            kept = services.keep(provider=key, mode=mode, means=form.means, secrets=form.secrets, by=request.member)
        except PaymentError as error:
            form.add_error(profile.settings[0].name, typeset(str(error)))
        else:
            _try_later(kept)
            messages.success(request, f"{profile.label} est enregistré. La connexion est en cours d’essai.")
            if held_keys.of(kept) is not None:
                messages.warning(request, HELD)
            return redirect("payment_accounts")
    if found is not None:
        journal.seen(found, "account")
    context = {"form": form, "profile": profile, "door": _door(profile, place, mode, known)}
    return render(request, "payments/account.html", context, status=REFUSED if form.errors else 200)


@require_POST
@requires(Right.MANAGE_FIRM)
def try_account(request: CabinetRequest, key: str, place: str) -> HttpResponse:
    """Try the connection again."""
    _try_later(_account(key, place))
    messages.success(request, "La connexion est en cours d’essai. Actualisez cette page dans un instant.")
    return redirect("payment_accounts")


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.MANAGE_FIRM)
def switch(request: CabinetRequest, key: str, place: str) -> HttpResponse:
    """Put an account in service once the password is given again, or out of it at once."""
    found, label = _account(key, place), services.PROFILES[key].label
    if request.POST.get("vers") == "arret":
        return _switched(request, found, to=False)
    form = ConfirmPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        return _switched(request, found, to=True)
    context = {
        "form": form,
        "title": typeset(f"Mettre {label} en service ?"),
        "text": TO_SERVICE[Mode(found.mode)],
        "label": "Mettre en service",
        "back_url": "/parametres/encaissement/",
        "danger": False,
    }
    return render(request, "confirm.html", context, status=REFUSED if form.errors else 200)


@require_POST
@requires(Right.MANAGE_FIRM)
def held_key(request: CabinetRequest, key: str, place: str) -> HttpResponse:
    """Put a key whose day is over in the place of the one before, or refuse it."""
    found, takes = _account(key, place), request.POST.get("vers") == "prendre"
    try:
        (services.take if takes else services.refuse)(account_id=found.pk, by=request.member)
    except PaymentError as error:
        messages.error(request, typeset(str(error)))
    else:
        if takes:
            _try_later(found)
        messages.success(request, TAKEN if takes else "La clé est refusée. Rien n’a changé pour vos clients.")
    return redirect("payment_accounts")


def _switched(request: CabinetRequest, found: ProviderAccount, *, to: bool) -> HttpResponse:
    label = services.PROFILES[found.provider].label
    try:
        services.switch(account_id=found.pk, to=to, by=request.member)
    except (PaymentError, TransferError) as error:
        messages.error(request, typeset(str(error)))
    else:
        said = "est en service : vos clients peuvent payer par lui." if to else "est hors service."
        messages.success(request, typeset(f"{label} {said}"))
    return redirect("payment_accounts")


def _named(key: str, place: str) -> tuple[Profile, Mode]:
    if key not in services.PROFILES or place not in MODES:
        raise Http404
    return services.PROFILES[key], MODES[place]


def _account(key: str, place: str) -> ProviderAccount:
    _, mode = _named(key, place)
    found = services.accounts().get((key, mode))
    if found is None:
        raise Http404
    return found


def _door(profile: Profile, place: str, mode: Mode, known: dict[tuple[str, str], ProviderAccount]) -> Door:
    found = known.get((profile.slug, mode))
    if found is None:
        return Door(place, mode, None)
    opened = found.options.get("means")
    closed = [PaymentMeans(one).label for one in found.means if opened is not None and one not in opened]
    hook = roads.notice_url(found) if profile.is_hooked else ""
    lacks = services.lacks_webhook(held_keys.as_if_taken(found))
    is_ready = found.checked_at is not None and not found.failure and not lacks
    held = held_keys.of(found)
    is_due = held is not None and held.is_due(now=timezone.now())
    return Door(place, mode, found, hook, lacks, is_ready, tuple(closed), held, is_due)


def _try_later(found: ProviderAccount) -> None:
    transaction.on_commit(partial(tasks.check_provider_account.delay, str(found.pk)))
