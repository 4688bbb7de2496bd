"""Every address of the product, by app; what an address needs is said above its view."""

from django.urls import URLPattern, URLResolver, include, path

from cabinets.permissions import public
from config import views

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("cabinets.urls")),
    path("", include("reporting.urls")),
    path("", include("dunning.urls")),
    path("", include("invoices.urls")),
    path("", include("payments.urls")),
    path("csp/", public(views.csp_report), name="csp_report"),
    path("style/", public(views.style), name="style"),
]
