"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, include, path

from payments.portal.access import short_link
from payments.views import payments, plan_offers, plans, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("s/<str:token>/", short_link, name="short_link"),
    path("p/<str:token>/", include("payments.portal.urls")),
    path("demandes/", requests.listing, name="requests"),
    path("demandes/<uuid:pk>/", requests.one, name="request"),
    path("demandes/<uuid:pk>/repondre/", requests.answer, name="answer_request"),
    path("demandes/<uuid:pk>/lever/", requests.release, name="release_disputes"),
    path("echeanciers/", plans.listing, name="plans"),
    path("echeanciers/<uuid:plan_id>/", plans.one, name="plan"),
    path("echeanciers/<uuid:plan_id>/accepter/", plans.accept, name="plan_accept"),
    path("echeanciers/<uuid:plan_id>/refuser/", plans.refuse, name="plan_refuse"),
    path("echeanciers/<uuid:plan_id>/autres-dates/", plan_offers.other_dates, name="plan_dates"),
    path("echeanciers/<uuid:plan_id>/accord-ecrit/", plans.written, name="plan_written"),
    path("echeanciers/<uuid:plan_id>/attendre/", plans.tolerate, name="plan_tolerate"),
    path("echeanciers/<uuid:plan_id>/terminer/", plans.end, name="plan_end"),
    path("echeanciers/<uuid:plan_id>/echeancier.pdf", plans.document, name="plan_document"),
    path("clients/<uuid:client_id>/echeancier/", plan_offers.offer, name="plan_offer"),
    path("parametres/echeanciers/", plan_offers.plan_settings, name="plan_settings"),
    path("factures/<uuid:invoice_id>/paiement/", payments.payment_record, name="payment_record"),
    path("paiements/", payments.payments, name="payments"),
    path("paiements/<uuid:payment_id>/annuler/", payments.payment_reverse, name="payment_reverse"),
    path("clients/<uuid:client_id>/releve/", payments.statement, name="statement"),
]
