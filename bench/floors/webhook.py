"""The floor of a webhook: the same addresses, and one that reads the body and answers."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cabinets.permissions import public


@csrf_exempt
@require_POST
@public
def read_only(request: HttpRequest) -> HttpResponse:
    """Read what was sent, and say so."""
    return HttpResponse(str(len(request.body)), content_type="text/plain")


urlpatterns = [path("plancher/", read_only, name="floor"), path("", include("config.urls"))]
