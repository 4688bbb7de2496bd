"""Every address of the product, by app; what an address needs is said above its view."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from cabinets.admin import site
from cabinets.permissions import public
from config import health, views

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("website.urls")),
    path("", include("onboarding.urls")),
    path("", include("cabinets.urls")),
    path("", include("reporting.urls")),
    path("", include("gdpr.urls")),
    path("", include("dunning.urls")),
    path("", include("invoices.urls")),
    path("", include("payments.urls")),
    path(settings.OPERATOR_PATH.strip("/") + "/", site.urls),
    path("etat/", health.status, name="status"),
    path("sante/vivant/", health.alive, name="alive"),
    path("sante/pret/", health.ready, name="ready"),
    path("csp/", public(views.csp_report), name="csp_report"),
    path("style/", public(views.style), name="style"),
]
