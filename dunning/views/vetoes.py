"""The page behind « retenir »: reading it changes nothing, one chosen answer holds a departure back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets.http import keep_home
from cabinets.permissions import public
from cabinets.scoping import working_for
from dunning.presenting import moment_words, step_words
from dunning.services import morning, vetoes

ANSWERS = {"sept-jours": False, "jusqu-a-nouvel-ordre": True}


@require_http_methods(["GET", "POST"])
@never_cache
@public
def veto(request: HttpRequest, token: str) -> HttpResponse:
    """Show one departure by its neutral name; hold it back when somebody chose for how long."""
    place = vetoes.place_of(token)
    if place is None:
        return _private(render(request, "dunning/veto_over.html", status=404))
    answer = request.POST.get("duree")
    if answer in ANSWERS:
        is_held = vetoes.use(place=place, until_released=ANSWERS[answer])
        template = "dunning/veto_done.html" if is_held else "dunning/veto_over.html"
        return _private(render(request, template, status=200 if is_held else 410))
    with working_for(cabinet_id=place.cabinet_id, member_id=place.member_id):
        found = vetoes.open_veto(place)
        if found is None:
            return _private(render(request, "dunning/veto_over.html", status=410))
        context = {
            "name": morning.name_of(found.reminder),
            "step": step_words(found.reminder.step),
            "when": moment_words(found.reminder.depart_at, found.cabinet.zone),
            "asked": request.method == "POST",
        }
    return _private(render(request, "dunning/veto.html", context, status=422 if context["asked"] else 200))


def _private(response: HttpResponse) -> HttpResponse:
    keep_home(response)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response
