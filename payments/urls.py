"""Addresses of this app's pages."""

from django.urls import URLPattern, URLResolver, include, path

from payments.portal.access import short_link
from payments.views import bank, bank_settings, payments, requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("s/<str:token>/", short_link, name="short_link"),
    path("p/<str:token>/", include("payments.portal.urls")),
    path("demandes/", requests.listing, name="requests"),
    path("demandes/<uuid:pk>/", requests.one, name="request"),
    path("demandes/<uuid:pk>/repondre/", requests.answer, name="answer_request"),
    path("demandes/<uuid:pk>/lever/", requests.release, name="release_disputes"),
    path("factures/<uuid:invoice_id>/paiement/", payments.payment_record, name="payment_record"),
    path("paiements/", payments.payments, name="payments"),
    path("paiements/<uuid:payment_id>/annuler/", payments.payment_reverse, name="payment_reverse"),
    path("banque/", bank.bank, name="bank"),
    path("banque/deposer/", bank.bank_upload, name="bank_upload"),
    path("banque/chercher/", bank.bank_search, name="bank_search"),
    path("banque/lignes/<uuid:line_id>/", bank.bank_line, name="bank_line"),
    path("banque/lignes/<uuid:line_id>/ecarter/", bank.bank_ignore, name="bank_ignore"),
    path("banque/lignes/<uuid:line_id>/reprendre/", bank.bank_restore, name="bank_restore"),
    path("banque/lignes/<uuid:line_id>/annuler/", bank.bank_undo, name="bank_undo"),
    path("banque/lignes/<uuid:line_id>/accepter/", bank.bank_accept, name="bank_accept"),
    path("parametres/banque/", bank_settings.bank_settings, name="bank_settings"),
    path("parametres/banque/comptes/<uuid:bank_account_id>/", bank_settings.follow_account, name="follow_account"),
    path("clients/<uuid:client_id>/releve/", payments.statement, name="statement"),
]
