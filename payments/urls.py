"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, include, path

from payments.portal.access import short_link
from payments.views import payments, proofs, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("s/<str:token>/", short_link, name="short_link"),
    path("p/<str:token>/", include("payments.portal.urls")),
    path("demandes/", requests.listing, name="requests"),
    path("demandes/<uuid:pk>/", requests.one, name="request"),
    path("demandes/<uuid:pk>/repondre/", requests.answer, name="answer_request"),
    path("demandes/<uuid:pk>/justificatif/", proofs.download, name="request_proof"),
    path("demandes/<uuid:pk>/justificatif/retirer/", proofs.remove, name="remove_request_proof"),
    path("demandes/<uuid:pk>/lever/", requests.release, name="release_disputes"),
    path("factures/<uuid:invoice_id>/paiement/", payments.payment_record, name="payment_record"),
    path("paiements/", payments.payments, name="payments"),
    path("paiements/<uuid:payment_id>/annuler/", payments.payment_reverse, name="payment_reverse"),
    path("clients/<uuid:client_id>/releve/", payments.statement, name="statement"),
]
