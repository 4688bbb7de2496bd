"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, include, path

from payments.portal.access import short_link
from payments.views import accounts, credit, notices, online, payments, plan_offers, plans, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("s/<str:token>/", short_link, name="short_link"),
    path("p/<str:token>/", include("payments.portal.urls")),
    path("retours/paiement/<str:token>/", notices.notice, name="payment_notice"),
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
    path("parametres/encaissement/", accounts.accounts, name="payment_accounts"),
    path("parametres/encaissement/<slug:key>/<slug:place>/", accounts.account, name="payment_account"),
    path("parametres/encaissement/<slug:key>/<slug:place>/essayer/", accounts.try_account, name="payment_account_try"),
    path("parametres/encaissement/<slug:key>/<slug:place>/service/", accounts.switch, name="payment_account_switch"),
    path("paiements/", payments.payments, name="payments"),
    path("paiements/<uuid:payment_id>/", online.payment, name="payment"),
    path("paiements/<uuid:payment_id>/examine/", online.payment_reviewed, name="payment_reviewed"),
    path("parametres/encaissement/annonces/", online.provider_notices, name="provider_notices"),
    path("parametres/encaissement/annonces/<uuid:notice_id>/rejouer/", online.notice_replay, name="notice_replay"),
    path("parametres/encaissement/partiel/", online.part_payments, name="part_payments"),
    path("paiements/<uuid:payment_id>/annuler/", payments.payment_reverse, name="payment_reverse"),
    path("clients/<uuid:client_id>/avoir-disponible/", credit.client_credit, name="client_credit"),
    path("remboursements/<uuid:refund_id>/annuler/", credit.refund_take_back, name="refund_take_back"),
    path("clients/<uuid:client_id>/releve/", payments.statement, name="statement"),
    path("clients/<uuid:client_id>/releve.pdf", payments.statement_pdf, name="statement_pdf"),
]
