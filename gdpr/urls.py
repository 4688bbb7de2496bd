"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from gdpr.views import register, requests, retention

urlpatterns: list[URLPattern] = [
    path("rgpd/registre/", register.page, name="gdpr_register"),
    path("rgpd/registre.pdf", register.document, name="gdpr_register_pdf"),
    path("rgpd/registre.csv", register.sheet, name="gdpr_register_csv"),
    path("rgpd/durees/", retention.page, name="gdpr_retention"),
    path("rgpd/demandes/", requests.listing, name="rights_requests"),
    path("rgpd/demandes/ajouter/", requests.add, name="rights_add"),
    path("rgpd/demandes/prendre/<uuid:pk>/", requests.take_in, name="rights_take_in"),
    path("rgpd/demandes/<uuid:pk>/", requests.one, name="rights_request"),
    path("rgpd/demandes/<uuid:pk>/identite/", requests.identify, name="rights_identify"),
    path("rgpd/demandes/<uuid:pk>/prolonger/", requests.extend, name="rights_extend"),
    path("rgpd/demandes/<uuid:pk>/preparer/", requests.prepare, name="rights_prepare"),
    path("rgpd/demandes/<uuid:pk>/donnees.zip", requests.archive, name="rights_archive"),
    path("rgpd/demandes/<uuid:pk>/effacer/", requests.erase, name="rights_erase"),
    path("rgpd/demandes/<uuid:pk>/limiter/", requests.restrict, name="rights_restrict"),
    path("rgpd/demandes/<uuid:pk>/repondre/", requests.answer, name="rights_answer"),
]
