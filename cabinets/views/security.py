"""One's own account: sessions, second factor, recovery codes, password, keys."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets.enums import Right
from cabinets.forms.sign_in import ChangePasswordForm, ConfirmPasswordForm
from cabinets.http import CabinetRequest
from cabinets.models import Session
from cabinets.permissions import requires
from cabinets.services import people, second_factor, sign_in
from cabinets.services.devices import device_name
from cabinets.views.sign_in import enrol, person_of

page = require_http_methods(["GET", "POST"])
FRESH = "fresh_password"
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
    form = ChangePasswordForm(request.POST or None, user=person)
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
    form = ConfirmPasswordForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.renew_recovery_codes(user=person)
        sign_in.note("second_factor.codes_renewed", user=person, request=request)
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
    if request.session.get(sign_in.PENDING):
        return enrol(request, person, back=BACK)
    form = ConfirmPasswordForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        request.session[sign_in.PENDING] = second_factor.start_enrolment(user=person)
        return redirect(request.path)
    text = "L’application d’aujourd’hui sert jusqu’à ce que la nouvelle ait donné un code juste."
    return _asked(request, form, title="Changer d’application", text=text, label="Continuer")


def _asked(
    request: CabinetRequest, form: ConfirmPasswordForm, *, title: str, label: str, text: str = ""
) -> HttpResponse:
    context = {"form": form, "title": title, "label": label, "text": text, "back_url": BACK, "danger": False}
    return render(request, "cabinets/asked.html", context, status=422 if form.errors else 200)
