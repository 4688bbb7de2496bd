"""Addresses of the debtor's pages, under one token."""

from django.urls import path

from payments.portal import detail_views, follow_up, mandate_views, pay_views, plan_views, rights_views, views

urlpatterns = [
    path("", views.home, name="portal_home"),
    path("factures/", pay_views.invoices, name="portal_invoices"),
    path("payer/", pay_views.pay, name="portal_pay"),
    path("payer/<uuid:checkout_id>/", pay_views.leave, name="portal_leave"),
    path("retour/<uuid:checkout_id>/", pay_views.back, name="portal_back"),
    path("virement/", pay_views.transfer, name="portal_transfer"),
    path("recu/<uuid:payment_id>/", pay_views.receipt, name="portal_receipt"),
    path("deja-paye/", views.already_paid, name="portal_already_paid"),
    path("probleme/", views.problem, name="portal_problem"),
    path("pas-pour-moi/", views.wrong_recipient, name="portal_wrong_recipient"),
    path("echeancier/", plan_views.plan, name="portal_plan"),
    path("echeancier/accepter/", plan_views.accept, name="portal_plan_accept"),
    path("echeancier/retirer/", plan_views.withdraw, name="portal_plan_withdraw"),
    path("echeancier/echeancier.pdf", plan_views.document, name="portal_plan_pdf"),
    path("echeancier/prelevement/", mandate_views.ask, name="portal_mandate"),
    path("echeancier/prelevement/autoriser/", mandate_views.agree, name="portal_mandate_agree"),
    path("echeancier/prelevement/arreter/", mandate_views.stop, name="portal_mandate_stop"),
    path("echeancier/prelevement/<uuid:mandate_id>/", mandate_views.leave, name="portal_mandate_leave"),
    path("echeancier/retour/", mandate_views.back, name="portal_mandate_back"),
    path("demande/", follow_up.follow_up, name="portal_request"),
    path("verification/", views.check, name="portal_check"),
    path("detail/", detail_views.detail, name="portal_detail"),
    path("detail/code/", detail_views.code, name="portal_detail_code"),
    path("detail/copie/<uuid:asked_id>/", detail_views.copy, name="portal_copy"),
    path("detail/<uuid:document_id>/", detail_views.document, name="portal_document"),
    path("donnees/", rights_views.data, name="portal_data"),
    path("canal/", rights_views.channel, name="portal_channel"),
    path("recours/", views.recourse, name="portal_recourse"),
]
