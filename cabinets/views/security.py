"""One's own account: sessions, second factors, recovery codes, password."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets.dangerous import ACTS
from cabinets.enums import AccountMailKind, Right
from cabinets.forms.sign_in import ChangePasswordForm, ConfirmPasswordForm, PasskeyNameForm
from cabinets.http import CabinetRequest, agent_of
from cabinets.models import PasskeyDevice, Session
from cabinets.permissions import requires
from cabinets.ports import trainer
from cabinets.services import account_mails, passkeys, people, second_factor, sign_in
from cabinets.services.devices import device_name
from cabinets.services.second_factor import LastFactorError
from cabinets.views.sign_in import enrol, made_passkey, person_of, session_key

page = require_http_methods(["GET", "POST"])
# When the password was given again to add a passkey, or another application: it is asked, then the browser is.
FRESH = "passkey_asked_at"
FRESH_APPLICATION = "application_asked_at"
FRESH_FOR = dt.timedelta(minutes=5)
BACK = "/profil/securite/"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner reads it."""

    reference: str
    device: str
    session: Session
    is_current: bool


def open_sessions(request: CabinetRequest) -> list[OpenSession]:
    """Return the sessions of the person, this one first, then the latest used."""
    current = request.session.session_key
    rows = Session.objects.filter(user_id=request.user.pk, expire_date__gt=timezone.now()).order_by("-seen_at")
    found = [OpenSession(sign_in.reference_of(row), device_name(row.agent), row, row.pk == current) for row in rows]
    return sorted(found, key=lambda item: not item.is_current)


@require_GET
@never_cache
@requires(Right.OWN_ACCOUNT)
def security(request: CabinetRequest) -> HttpResponse:
    """Show what protects the account."""
    person = person_of(request)
    context = {
        "person": person,
        "sessions": open_sessions(request),
        "codes_left": second_factor.recovery_codes_left(user=person),
        "has_application": second_factor.has_application(user=person),
        "passkeys": list(passkeys.passkeys_of(person)),
        "has_site": passkeys.site() is not None,
        "acts": ACTS,
        "training": trainer().training_of(member_id=request.member.pk, on=request.cabinet.today()),
        "zone": request.cabinet.zone,
        "gets_morning_mail": request.member.gets_morning_mail,
        "gets_monthly_figures": request.member.gets_monthly_figures,
    }
    return render(request, "cabinets/security.html", context)


@require_POST
@requires(Right.OWN_ACCOUNT)
def end_session(request: CabinetRequest, reference: str) -> HttpResponse:
    """End one session of the person."""
    found = next((item for item in open_sessions(request) if item.reference == reference), None)
    if found is None:
        raise Http404
    sign_in.end_one_session(user=request.user, session=found.session)
    messages.success(request, f"La session « {found.device} » est terminée.")
    return redirect(BACK)


@require_POST
@requires(Right.OWN_ACCOUNT)
def end_other_sessions(request: CabinetRequest) -> HttpResponse:
    """End every session of the person but this one."""
    count = sign_in.end_sessions(user=request.user, but=request.session.session_key)
    sign_in.note("person.sessions_ended", user=request.user, request=request, count=count)
    messages.success(request, "Vos autres sessions sont terminées." if count else "Vous n’aviez pas d’autre session.")
    return redirect(BACK)


@require_POST
@requires(Right.OWN_ACCOUNT)
def shortcuts(request: CabinetRequest) -> HttpResponse:
    """Turn the one-key shortcuts on or off."""
    wanted = request.POST.get("shortcuts") == "on"
    sign_in.choose_shortcuts(user=person_of(request), wanted=wanted)
    messages.success(
        request, "Les raccourcis clavier sont actifs." if wanted else "Les raccourcis clavier sont coupés."
    )
    return redirect(BACK)


@require_POST
@requires(Right.OWN_ACCOUNT)
def monthly_figures(request: CabinetRequest) -> HttpResponse:
    """Receive the figures of each month, or not."""
    wanted = request.POST.get("monthly") == "on"
    people.choose_monthly_figures(member=request.member, wanted=wanted)
    messages.success(
        request, "Vous recevrez les chiffres du mois." if wanted else "Vous ne recevrez plus les chiffres du mois."
    )
    return redirect(BACK)


@require_POST
@requires(Right.OWN_ACCOUNT)
def morning_mail(request: CabinetRequest) -> HttpResponse:
    """Receive the mail of the morning, or not."""
    wanted = request.POST.get("morning") == "on"
    people.choose_morning_mail(member=request.member, wanted=wanted)
    messages.success(
        request, "Vous recevrez l’e-mail du matin." if wanted else "Vous ne recevrez plus l’e-mail du matin."
    )
    return redirect(BACK)


@page
@sensitive_post_parameters("current", "password")
@never_cache
@requires(Right.OWN_ACCOUNT)
def password_change(request: CabinetRequest) -> HttpResponse:
    """Change the password; every other session ends."""
    person = person_of(request)
    form = ChangePasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        sign_in.change_password(request=request, user=person, password=form.cleaned_data["password"])
        messages.success(request, "Votre mot de passe est changé. Vos autres sessions sont terminées.")
        return redirect(BACK)
    return _asked(request, form, title="Changer de mot de passe", label="Enregistrer le mot de passe")


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.OWN_ACCOUNT)
def renew_codes(request: CabinetRequest) -> HttpResponse:
    """Replace the recovery codes, once the password is given again."""
    person = person_of(request)
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.renew_recovery_codes(user=person)
        sign_in.note("second_factor.codes_renewed", user=person, request=request)
        account_mails.tell(AccountMailKind.CODES_RENEWED, user=person)
        return render(request, "cabinets/recovery_codes.html", {"codes": codes, "url": BACK})
    text = "Vos codes de secours d’aujourd’hui ne serviront plus. Les nouveaux sont affichés une seule fois."
    return _asked(request, form, title="De nouveaux codes de secours", text=text, label="Afficher de nouveaux codes")


@page
@sensitive_post_parameters("current", "code")
@never_cache
@requires(Right.OWN_ACCOUNT)
def change_application(request: CabinetRequest) -> HttpResponse:
    """Put another application in place of the one before, once the password is given again."""
    person = person_of(request)
    if request.session.get(sign_in.PENDING) and _is_fresh(request, FRESH_APPLICATION):
        return enrol(request, person, back=BACK)
    # Begun and left: whoever finds this session later sees no code to copy.
    request.session.pop(sign_in.PENDING, None)
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        request.session[sign_in.PENDING] = second_factor.start_enrolment(user=person)
        request.session[FRESH_APPLICATION] = timezone.now().isoformat()
        return redirect(request.path)
    text = "L’application d’aujourd’hui sert jusqu’à ce que la nouvelle ait donné un code juste."
    return _asked(request, form, title="Changer d’application", text=text, label="Continuer")


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.OWN_ACCOUNT)
def remove_application(request: CabinetRequest) -> HttpResponse:
    """Take the application away, once the password is given again and a passkey is left."""
    person = person_of(request)
    if not second_factor.has_application(user=person):
        raise Http404
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.remove_application(user=person)
        except LastFactorError as refusal:
            form.add_error(None, str(refusal))
        else:
            _changed(request, "second_factor.application_removed", AccountMailKind.APPLICATION_REMOVED)
            messages.success(request, "Votre application est retirée. Vos autres sessions sont terminées.")
            return redirect(BACK)
    text = "Ses codes ne seront plus acceptés : vous vous connecterez avec une clé d’accès."
    return _asked(request, form, title="Retirer l’application ?", text=text, label="Retirer l’application", danger=True)


@page
@sensitive_post_parameters("current", "passkey")
@never_cache
@requires(Right.OWN_ACCOUNT)
def add_passkey(request: CabinetRequest) -> HttpResponse:
    """Ask the password again, then a name and a passkey made by the browser."""
    if passkeys.site() is None:
        raise Http404
    if _is_fresh(request, FRESH):
        return _make_passkey(request)
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        request.session[FRESH] = timezone.now().isoformat()
        return redirect("passkey_add")
    text = (
        "Une clé d’accès reste dans votre téléphone, votre ordinateur ou une clé USB. Vous vous connecterez avec elle "
        "après le mot de passe, sans recopier de code."
    )
    return _asked(request, form, title="Ajouter une clé d’accès", text=text, label="Continuer")


def _is_fresh(request: CabinetRequest, asked: str) -> bool:
    asked_at = request.session.get(asked)
    return asked_at is not None and timezone.now() - dt.datetime.fromisoformat(asked_at) <= FRESH_FOR


def _make_passkey(request: CabinetRequest) -> HttpResponse:
    person, refusal = person_of(request), ""
    form = PasskeyNameForm(request.POST or None, initial={"name": device_name(agent_of(request))})
    if request.method == "POST" and form.is_valid():
        made = made_passkey(request, person, name=form.cleaned_data["name"])
        if isinstance(made, PasskeyDevice):
            request.session.pop(FRESH, None)
            _changed(request, "passkey.added", AccountMailKind.PASSKEY_ADDED)
            messages.success(request, f"La clé « {made.name} » est ajoutée. Vos autres sessions sont terminées.")
            return redirect(BACK)
        refusal = made
    context = {
        "form": form,
        "refusal": refusal,
        "options": passkeys.enrolment_options(user=person, session_key=session_key(request)),
        "back_url": BACK,
    }
    return render(request, "cabinets/passkey_add.html", context, status=422 if refusal or form.errors else 200)


@page
@never_cache
@requires(Right.OWN_ACCOUNT)
def rename_passkey(request: CabinetRequest, passkey_id: UUID) -> HttpResponse:
    """Give a passkey another name."""
    person, device = person_of(request), _passkey(request, passkey_id)
    form = PasskeyNameForm(request.POST or None, initial={"name": device.name})
    if request.method == "POST" and form.is_valid():
        passkeys.rename(user=person, passkey_id=passkey_id, name=form.cleaned_data["name"])
        sign_in.note("passkey.renamed", user=person, request=request)
        messages.success(request, "Le nom est enregistré.")
        return redirect(BACK)
    return _asked(request, form, title="Renommer la clé d’accès", label="Enregistrer le nom")


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.OWN_ACCOUNT)
def remove_passkey(request: CabinetRequest, passkey_id: UUID) -> HttpResponse:
    """Take a passkey away, once the password is given again and another second factor is left."""
    person, device = person_of(request), _passkey(request, passkey_id)
    form = ConfirmPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.remove_passkey(user=person, passkey_id=passkey_id)
        except LastFactorError as refusal:
            form.add_error(None, str(refusal))
        else:
            _changed(request, "passkey.removed", AccountMailKind.PASSKEY_REMOVED)
            messages.success(request, f"La clé « {device.name} » est retirée. Vos autres sessions sont terminées.")
            return redirect(BACK)
    text = "Elle n’ouvrira plus votre compte. Effacez-la aussi de l’appareil qui la garde."
    title = f"Retirer la clé « {device.name} » ?"
    return _asked(request, form, title=title, text=text, label="Retirer la clé", danger=True)


def _passkey(request: CabinetRequest, passkey_id: UUID) -> PasskeyDevice:
    device = passkeys.passkeys_of(person_of(request)).filter(pk=passkey_id).first()
    if device is None:
        raise Http404
    return device


def _changed(request: CabinetRequest, event: str, kind: AccountMailKind) -> None:
    sign_in.second_factor_changed(request=request, user=person_of(request), event=event, kind=kind)


def _asked(
    request: CabinetRequest, form: forms.Form, *, title: str, label: str, text: str = "", danger: bool = False
) -> HttpResponse:
    context = {"form": form, "title": title, "label": label, "text": text, "back_url": BACK, "danger": danger}
    return render(request, "cabinets/asked.html", context, status=422 if form.errors else 200)
