"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from dunning.views import approvals, calls, clients, invoices, lists, rules, tasks, tonight
from dunning.views.demo_messages import demo_message, demo_message_page, demo_messages

urlpatterns: list[URLPattern] = [
    path("demonstration/messages/", demo_messages, name="demo_messages"),
    path("demonstration/messages/<str:key>/", demo_message, name="demo_message"),
    path("demonstration/messages/<str:key>/page/", demo_message_page, name="demo_message_page"),
    path("ce-soir/", tonight.coming_night, name="coming_night"),
    path("envois/activer/", tonight.activate, name="activate"),
    path("parametres/serveur/", tonight.mail_server, name="mail_server"),
    path("a-valider/", approvals.approvals, name="approvals"),
    path("a-valider/lot/", approvals.approvals_batch, name="approvals_batch"),
    path("a-valider/nuit/<uuid:night_id>/confirmer/", approvals.night_confirm, name="night_confirm"),
    path("a-valider/<uuid:reminder_id>/", approvals.approval, name="approval"),
    path("a-valider/<uuid:reminder_id>/apercu/", approvals.approval_preview, name="approval_preview"),
    path("a-valider/<uuid:reminder_id>/approuver/", approvals.approve, name="approve"),
    path("a-valider/<uuid:reminder_id>/annuler/", approvals.approval_undo, name="approval_undo"),
    path("a-valider/<uuid:reminder_id>/reporter/", approvals.approval_postpone, name="approval_postpone"),
    path("a-valider/<uuid:reminder_id>/ecarter/", approvals.approval_decline, name="approval_decline"),
    path("a-valider/<uuid:reminder_id>/issue/", approvals.approval_resolve, name="approval_resolve"),
    path("relances/quand-rien-ne-part/", rules.stop_rules, name="stop_rules"),
    path("relances/<uuid:reminder_id>/", invoices.message, name="message"),
    path("factures/", lists.invoices, name="invoices"),
    path("factures/export.csv", lists.invoices_export, name="invoices_export"),
    path("factures/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("factures/<uuid:invoice_id>/pourquoi/", invoices.invoice_why, name="invoice_why"),
    path("factures/<uuid:invoice_id>/suspendre/", invoices.invoice_suspend, name="invoice_suspend"),
    path("factures/<uuid:invoice_id>/contester/", invoices.invoice_contest, name="invoice_contest"),
    path("factures/<uuid:invoice_id>/ne-jamais-relancer/", invoices.invoice_never, name="invoice_never"),
    path("factures/<uuid:invoice_id>/lever/<uuid:standstill_id>/", invoices.invoice_lift, name="invoice_lift"),
    path("clients/", lists.clients, name="clients"),
    path("clients/<uuid:client_id>/", clients.client_page, name="client"),
    path("clients/<uuid:client_id>/suspendre/", clients.client_suspend, name="client_suspend"),
    path("clients/<uuid:client_id>/ne-jamais-relancer/", clients.client_never, name="client_never"),
    path("clients/<uuid:client_id>/lever/<uuid:standstill_id>/", clients.client_lift, name="client_lift"),
    path("appels/<uuid:reminder_id>/", calls.call, name="call"),
    path("taches/", tasks.tasks, name="tasks"),
    path("taches/<uuid:task_id>/", tasks.task_page, name="task"),
    path("taches/<uuid:task_id>/faite/", tasks.finish_task, name="finish_task"),
    path("taches/<uuid:task_id>/sans-objet/", tasks.drop_task, name="drop_task"),
    path("calendrier/", clients.calendar, name="calendar"),
]
