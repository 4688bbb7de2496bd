"""The floor of a page: the same addresses, and one that asks the database for 1 and answers."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_GET

from cabinets.permissions import public


@require_GET
@public
def select_one(request: HttpRequest) -> HttpResponse:
    """Ask the database for 1."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        found = cursor.fetchone()
    return HttpResponse(str(found), content_type="text/plain")


urlpatterns = [path("plancher/", select_one, name="floor"), path("", include("config.urls"))]
