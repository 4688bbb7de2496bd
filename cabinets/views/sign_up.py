"""« Créer votre cabinet »: three answers, a proven address, then the firm and its first partner."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from cabinets import tasks
from cabinets.errors import CabinetError
from cabinets.forms.people import JoinForm
from cabinets.forms.sign_up import SignUpForm
from cabinets.http import address_of, keep_home
from cabinets.permissions import public
from cabinets.services import sign_in, sign_up, throttle

page = require_http_methods(["GET", "POST"])
REFUSED, OVER = 422, 410


@page
@never_cache
@public
def sign_up_page(request: HttpRequest) -> HttpResponse:
    """Take a firm's wish and answer the same thing whether the address has an account or not."""
    form, sent = SignUpForm(request.POST or None), False
    if request.method == "POST" and sign_up.is_open() and form.is_valid():
        wait = _wait(request, form.cleaned_data["email"])
        if wait:
            form.add_error(None, f"Trop de demandes. Rien n’est parti : réessayez dans {throttle.in_words(wait)}.")
        else:
            wish = sign_up.Wish(**form.cleaned_data)
            tasks.send_sign_up_link.delay(sign_up.token_of(wish))
            sent = True
    context = {"form": form, "is_open": sign_up.is_open(), "is_sent": sent}
    return render(request, "cabinets/sign_up.html", context, status=REFUSED if form.errors else 200)


@page
@sensitive_post_parameters("password")
@never_cache
@public
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Open the firm whose partner proved their address, then ask for the second factor."""
    wait = throttle.ADDRESS.take(f"sign-up|{address_of(request)}")
    wish = None if wait else sign_up.wish_of(token)
    if wish is None:
        return render(request, "cabinets/sign_up_over.html", status=OVER)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = sign_up.open_firm(token=token, **form.cleaned_data)
        except CabinetError as refusal:
            form.add_error(None, str(refusal))
        else:
            sign_in.open_session(request=request, user=person)
            return redirect("second_factor")
    response = render(
        request, "cabinets/sign_up_confirm.html", {"form": form, "wish": wish}, status=REFUSED if form.errors else 200
    )
    return keep_home(response)


def _wait(request: HttpRequest, email: str) -> int:
    return throttle.SIGN_UP.take(address_of(request) or "unknown") or throttle.SIGN_UP_TO.take(email)
