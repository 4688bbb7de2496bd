"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from gdpr.views import breaches, centre, information, leaving, processors, register, requests, retention

urlpatterns: list[URLPattern] = [
    path("rgpd/", centre.page, name="gdpr_centre"),
    path("rgpd/accord/", centre.agreement, name="gdpr_agreement"),
    path("rgpd/accord.pdf", centre.agreement_document, name="gdpr_agreement_pdf"),
    path("rgpd/accord/<uuid:pk>.pdf", centre.agreement_signed, name="gdpr_agreement_signed"),
    path("rgpd/sous-traitants/", processors.page, name="gdpr_processors"),
    path("rgpd/sous-traitants/<uuid:pk>/s-opposer/", processors.oppose, name="gdpr_object"),
    path("rgpd/information/", information.page, name="gdpr_information"),
    path("rgpd/attester/<slug:kind>/", centre.attest, name="gdpr_attest"),
    path("rgpd/violations/", breaches.listing, name="breaches"),
    path("rgpd/violations/ajouter/", breaches.add, name="breach_add"),
    path("rgpd/violations/<uuid:pk>/", breaches.one, name="breach"),
    path("rgpd/violations/<uuid:pk>/lue/", breaches.opened, name="breach_opened"),
    path("rgpd/violations/<uuid:pk>/evaluer/", breaches.assess, name="breach_assess"),
    path("rgpd/violations/<uuid:pk>/cnil/", breaches.authority, name="breach_authority"),
    path("rgpd/violations/<uuid:pk>/personnes/", breaches.people, name="breach_people"),
    path("rgpd/violations/<uuid:pk>/clore/", breaches.close, name="breach_close"),
    path("rgpd/export/", leaving.export, name="firm_export"),
    path("rgpd/export/<uuid:pk>.zip", leaving.download, name="firm_download"),
    path("rgpd/cloture/", leaving.close, name="firm_close"),
    path("rgpd/cloture/reprendre/", leaving.take_back, name="firm_take_back"),
    path("rgpd/registre/", register.page, name="gdpr_register"),
    path("rgpd/registre.pdf", register.document, name="gdpr_register_pdf"),
    path("rgpd/registre.csv", register.sheet, name="gdpr_register_csv"),
    path("rgpd/registre-exploitant.pdf", register.of_the_operator, name="gdpr_register_operator"),
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
