"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, include, path

from payments.portal.access import short_link
from payments.views import accounts, credit, notices, online, payments, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("s/<str:token>/", short_link, name="short_link"),
    path("p/<str:token>/", include("payments.portal.urls")),
    path("retours/paiement/<str:token>/", notices.notice, name="payment_notice"),
    path("demandes/", requests.listing, name="requests"),
    path("demandes/<uuid:pk>/", requests.one, name="request"),
    path("demandes/<uuid:pk>/repondre/", requests.answer, name="answer_request"),
    path("demandes/<uuid:pk>/lever/", requests.release, name="release_disputes"),
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
