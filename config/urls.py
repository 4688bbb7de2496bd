"""Every address of the product, by app; what an address needs is said above its view."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("cabinets.urls")),
    path("", include("reporting.urls")),
    path("", include("dunning.urls")),
    path("", include("invoices.urls")),
    path("", include("payments.urls")),
]
