"""The doors: sign-in, second factor, forgotten password, sign-out."""

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.models import Device

from cabinets import tasks
from cabinets.enums import AccountMailKind
from cabinets.forms.sign_in import CodeForm, EmailForm, NewPasswordForm, RecoveryForm, SignInForm
from cabinets.http import address_of, agent_of, keep_home
from cabinets.models import PasskeyDevice, User
from cabinets.permissions import is_verified, public
from cabinets.services import account_mails, passkeys, second_factor, sign_in, throttle
from cabinets.services.devices import device_name
from cabinets.services.passkeys import PasskeyError, Refusal
from cabinets.services.second_factor import SecondFactorLockedError

page = require_http_methods(["GET", "POST"])
NEXT = "next"
WRONG_PAIR = "Cette adresse et ce mot de passe ne vont pas ensemble. Vérifiez l’adresse, puis retapez le mot de passe."
WRONG_CODE = (
    "Ce code n’est pas accepté : il est faux, trop ancien, ou a déjà servi. Attendez le prochain code de votre "
    "application, puis saisissez-le."
)
# The hidden field a browser's answer comes back in.
ANSWER = "passkey"
REFUSED_KEYS = {
    Refusal.OVER: "Cette demande a expiré ou a déjà servi : rien n’a été accepté. Recommencez.",
    Refusal.UNKNOWN: "Cette clé d’accès n’est pas enregistrée sur votre compte. Choisissez-en une autre, ou utilisez "
    "un code.",
    Refusal.WRONG: "Cette clé d’accès n’a pas pu être vérifiée. Recommencez, ou utilisez un code.",
    Refusal.COPIED: "Cette clé d’accès est mise de côté : une copie semble avoir servi. Utilisez un code, puis "
    "retirez-la dans « Profil ». Un e-mail vous le dit aussi.",
}
LOCKED = "Trop d’essais refusés. Réessayez dans {wait}."


def safe_next(request: HttpRequest, *, default: str = "") -> str:
    """Return the local address a person wanted, or the default: never another site's."""
    wanted = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    here = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    # A word without a slash would be read as the name of a view, and there is none.
    return wanted if here and wanted.startswith("/") else default


def landing(request: HttpRequest) -> str:
    """Return where a person goes once signed in."""
    firmless = getattr(request, "member", None) is None and bool(getattr(request.user, "is_staff", False))
    return safe_next(request, default=settings.OPERATOR_PATH if firmless else settings.LOGIN_REDIRECT_URL)


def with_next(url: str, request: HttpRequest) -> str:
    """Carry the wanted address to the next door."""
    wanted = safe_next(request)
    return f"{url}?{_query(wanted)}" if wanted else url


def _query(wanted: str) -> str:
    query = HttpRequest().GET.copy()
    query[NEXT] = wanted
    return query.urlencode()


@page
@sensitive_post_parameters("password")
@never_cache
@public
def connection(request: HttpRequest) -> HttpResponse:
    """Ask for an address and a password."""
    if request.user.is_authenticated:
        return redirect(landing(request) if is_verified(request) else with_next("/connexion/code/", request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = sign_in.check_password(request=request, **form.cleaned_data)
        if isinstance(found, User):
            sign_in.open_session(request=request, user=found)
            return _to_second_factor(request, found)
        form.add_error(None, _refusal(found))
    context = {"form": form, "next": safe_next(request), "is_expired": "expiree" in request.GET}
    return render(request, "cabinets/connection.html", context, status=422 if form.errors else 200)


def _refusal(refusal: sign_in.Refusal) -> str:
    if not refusal.wait_seconds:
        return WRONG_PAIR
    return (
        "Trop d’essais. Par sécurité, la connexion est bloquée : réessayez dans "
        f"{throttle.in_words(refusal.wait_seconds)}, ou choisissez un nouveau mot de passe."
    )


def _to_second_factor(request: HttpRequest, user: User) -> HttpResponseRedirect:
    if second_factor.has_second_factor(user=user):
        return HttpResponseRedirect(with_next("/connexion/code/", request))
    request.session[sign_in.PENDING] = second_factor.start_enrolment(user=user)
    return HttpResponseRedirect(with_next("/connexion/second-facteur/", request))


@page
@sensitive_post_parameters("code")
@never_cache
@public
def code(request: HttpRequest) -> HttpResponse:
    """Ask for six figures, or for a recovery code when the application is out of reach."""
    if not request.user.is_authenticated:
        return redirect(settings.LOGIN_URL)
    if is_verified(request):
        return redirect(landing(request))
    person = person_of(request)
    if not second_factor.has_second_factor(user=person):
        return redirect(with_next("/connexion/second-facteur/", request))
    has_application = second_factor.has_application(user=person)
    recovery = "secours" in request.GET or not has_application
    is_answer = request.method == "POST" and ANSWER in request.POST
    form: forms.Form = (RecoveryForm if recovery else CodeForm)(None if is_answer else request.POST or None)
    refusal = ""
    if is_answer:
        refusal = _refused_passkey(request, person)
    if (is_answer and not refusal) or (form.is_bound and form.is_valid() and _proven(request, person, form)):
        return redirect(landing(request))
    context = {
        "form": form,
        "next": safe_next(request),
        "is_recovery": recovery,
        "has_application": has_application,
        "refusal": refusal,
        "options": passkeys.proof_options(user=person, session_key=session_key(request)),
    }
    return render(request, "cabinets/code.html", context, status=422 if refusal or form.errors else 200)


def session_key(request: HttpRequest) -> str:
    """Return the key of the session a person is signed in with."""
    return str(request.session.session_key)


def _refused_passkey(request: HttpRequest, person: User) -> str:
    """Prove the second factor by what a passkey signed; return why it is refused, or nothing."""
    try:
        proven = second_factor.accept_passkey(
            user=person, session_key=session_key(request), answer=request.POST[ANSWER]
        )
    except SecondFactorLockedError as locked:
        return LOCKED.format(wait=throttle.in_words(locked.seconds))
    if isinstance(proven, PasskeyDevice):
        sign_in.prove_second_factor(request=request, user=person, device=proven, how="passkey")
        return ""
    sign_in.note("passkey.refused", user=person, request=request, why=proven.value)
    if proven is Refusal.COPIED:
        sign_in.note("passkey.copied", user=person, request=request)
        account_mails.tell(AccountMailKind.PASSKEY_COPIED, user=person)
    return REFUSED_KEYS[proven]


def _proven(request: HttpRequest, person: User, form: forms.Form) -> bool:
    try:
        device = second_factor.accept(user=person, code=form.cleaned_data["code"])
    except SecondFactorLockedError as locked:
        wait = throttle.in_words(locked.seconds)
        form.add_error("code", f"Trop de codes refusés. Réessayez dans {wait} avec le code affiché à ce moment-là.")
        return False
    if device is None:
        sign_in.note("second_factor.refused", user=person, request=request)
        form.add_error("code", WRONG_CODE)
        return False
    how = "recovery_code" if device.model_label() != second_factor.TOTP_LABEL else "application"
    sign_in.prove_second_factor(request=request, user=person, device=device, how=how)
    if how == "recovery_code":
        left = second_factor.recovery_codes_left(user=person)
        messages.warning(
            request,
            f"Ce code de secours ne servira plus : il vous en reste {left}. Si vous n’avez plus votre application, "
            "changez-la maintenant dans « Profil ».",
        )
    return True


def person_of(request: HttpRequest) -> User:
    """Return the signed-in person; a visitor here is a mistake of ours."""
    if not request.user.is_authenticated:
        raise PermissionError("nobody is signed in")
    return User.objects.get(pk=request.user.pk)


@page
@sensitive_post_parameters("code")
@never_cache
@public
def enrolment(request: HttpRequest) -> HttpResponse:
    """Make a person set up their second factor before they see anything else."""
    if not request.user.is_authenticated:
        return redirect(settings.LOGIN_URL)
    person = person_of(request)
    if second_factor.has_second_factor(user=person):
        return redirect(landing(request) if is_verified(request) else with_next("/connexion/code/", request))
    return enrol(request, person, back="")


def enrol(request: HttpRequest, person: User, *, back: str) -> HttpResponse:
    """Show the QR code, confirm it by a code, then show the recovery codes once; or take a first passkey instead."""
    if request.method == "POST" and "start" in request.POST:
        request.session[sign_in.PENDING] = second_factor.start_enrolment(user=person)
        return redirect(request.get_full_path())
    refusal = ""
    if request.method == "POST" and ANSWER in request.POST and not back:
        made = made_passkey(request, person, name=device_name(agent_of(request)))
        if isinstance(made, PasskeyDevice):
            return _enrolled(request, person, made, back=back)
        refusal = made
    pending = request.session.get(sign_in.PENDING)
    context: dict[str, Any] = {"next": safe_next(request), "back": back, "refusal": refusal}
    if not back:
        context["options"] = passkeys.enrolment_options(user=person, session_key=session_key(request))
    status = 422 if refusal else 200
    if pending is None:
        return render(request, "cabinets/second_factor_start.html", context, status=status)
    form = CodeForm(None if ANSWER in request.POST else request.POST or None)
    if form.is_bound and form.is_valid():
        device = second_factor.confirm_enrolment(user=person, pending=pending, code=form.cleaned_data["code"])
        if device is not None:
            return _enrolled(request, person, device, back=back)
        form.add_error("code", "Ce code ne correspond pas. Vérifiez l’heure de votre téléphone, puis recopiez le code.")
    qr, key = second_factor.enrolment_shown(user=person, pending=pending)
    context |= {"form": form, "qr": qr, "key": key}
    return render(request, "cabinets/second_factor.html", context, status=422 if form.errors else status)


def _enrolled(request: HttpRequest, person: User, device: Device, *, back: str) -> HttpResponse:
    codes = second_factor.renew_recovery_codes(user=person)
    sign_in.prove_second_factor(request=request, user=person, device=device, how="enrolment")
    if back:
        kind = AccountMailKind.APPLICATION_CHANGED
        sign_in.second_factor_changed(
            request=request, user=person, event="second_factor.application_changed", kind=kind
        )
    return render(request, "cabinets/recovery_codes.html", {"codes": codes, "url": back or landing(request)})


def made_passkey(request: HttpRequest, person: User, *, name: str) -> PasskeyDevice | str:
    """Keep the passkey a browser has just made; return it, or why it is refused."""
    try:
        made = passkeys.enrol(
            user=person, session_key=session_key(request), answer=request.POST.get(ANSWER, ""), name=name
        )
    except PasskeyError as refusal:
        return str(refusal)
    return made if isinstance(made, PasskeyDevice) else REFUSED_KEYS[made]


@require_POST
@public
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    messages.success(request, "Vous êtes déconnecté.")
    return redirect(settings.LOGOUT_REDIRECT_URL)


@page
@never_cache
@public
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Take an address and answer the same thing whether an account has it or not."""
    form = EmailForm(request.POST or None)
    can_send = bool(settings.EMAIL_HOST)
    sent = False
    if request.method == "POST" and can_send and form.is_valid():
        wait = throttle.RESET_ADDRESS.take(address_of(request) or "unknown")
        if wait:
            form.add_error(None, f"Trop de demandes depuis cette adresse. Réessayez dans {throttle.in_words(wait)}.")
        else:
            person = User.objects.filter(email=form.cleaned_data["email"].lower()).only("pk").first()
            # Queued for an unknown address too, which the worker drops: the answer takes the same time.
            tasks.send_password_link.delay(str(person.pk if person else uuid4()))
            sent = True
    context = {"form": form, "can_send": can_send, "is_sent": sent}
    return render(request, "cabinets/password_forgotten.html", context, status=422 if form.errors else 200)


@page
@sensitive_post_parameters("password")
@never_cache
@public
def password_new(request: HttpRequest, place: str, token: str) -> HttpResponse:
    """Let the bearer of a fresh link choose a password; the second factor stays asked."""
    person = sign_in.person_of_link(place=place, token=token)
    if person is None:
        return render(request, "cabinets/password_link_over.html", status=410)
    form = NewPasswordForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        sign_in.choose_password(user=person, password=form.cleaned_data["password"])
        messages.success(request, "Votre mot de passe est changé. Connectez-vous, puis donnez votre second facteur.")
        return redirect(settings.LOGIN_URL)
    response = render(request, "cabinets/password_new.html", {"form": form}, status=422 if form.errors else 200)
    return keep_home(response)
