"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from invoices.views import claims, documents, entry, facts, importing

urlpatterns: list[URLPattern] = [
    path("factures/ajouter/", entry.invoice_add, name="invoice_add"),
    path("factures/<uuid:invoice_id>/modifier/", entry.invoice_edit, name="invoice_edit"),
    path("factures/<uuid:invoice_id>/annuler/", entry.invoice_cancel, name="invoice_cancel"),
    path("factures/<uuid:invoice_id>/passer-en-perte/", entry.invoice_write_off, name="invoice_write_off"),
    path("factures/<uuid:invoice_id>/rouvrir/", entry.invoice_reopen, name="invoice_reopen"),
    path("factures/<uuid:invoice_id>/avoir/", entry.credit_note_add, name="credit_note_add"),
    path("factures/<uuid:invoice_id>/documents/ajouter/", documents.document_add, name="document_add"),
    path("factures/<uuid:invoice_id>/faits/prescription/", claims.limitation_event, name="limitation_event"),
    path(
        "factures/<uuid:invoice_id>/faits/batonnier/<uuid:standstill_id>/",
        facts.batonnier_follow,
        name="batonnier_follow",
    ),
    path("factures/<uuid:invoice_id>/faits/renoncer/<slug:claim>/", claims.claim_waive, name="claim_waive"),
    path("factures/<uuid:invoice_id>/faits/<slug:fact>/", facts.invoice_fact, name="invoice_fact"),
    path("clients/<uuid:client_id>/faits/verification/", claims.insolvency_check, name="insolvency_check"),
    path("clients/<uuid:client_id>/faits/declaration/", claims.claim_declaration, name="claim_declaration"),
    path("clients/<uuid:client_id>/faits/<slug:fact>/", facts.client_fact, name="client_fact"),
    path("clients/<uuid:client_id>/avoir/", entry.client_credit_add, name="client_credit_add"),
    path("avoirs/<uuid:credit_note_id>/annuler/", entry.credit_note_cancel, name="credit_note_cancel"),
    path("dossiers/<uuid:dossier_id>/documents/", documents.dossier_documents, name="dossier_documents"),
    path("dossiers/<uuid:dossier_id>/documents/ajouter/", documents.dossier_document_add, name="dossier_document_add"),
    path("documents/lot/", documents.documents_batch, name="documents_batch"),
    path("documents/<uuid:document_id>/", documents.document_download, name="document_download"),
    path("documents/<uuid:document_id>/retirer/", documents.document_remove, name="document_remove"),
    path("factures/importer/", importing.import_file, name="import_file"),
    path("factures/importer/modele.csv", importing.import_model, name="import_model"),
    path("factures/importer/<uuid:batch_id>/colonnes/", importing.import_columns, name="import_columns"),
    path("factures/importer/<uuid:batch_id>/controle/", importing.import_check, name="import_check"),
    path("factures/importer/<uuid:batch_id>/corriger/", importing.import_correct, name="import_correct"),
    path("factures/importer/<uuid:batch_id>/a-corriger.csv", importing.import_faults, name="import_faults"),
    path("factures/importer/<uuid:batch_id>/resultat/", importing.import_result, name="import_result"),
    path("factures/importer/<uuid:batch_id>/reprendre/", importing.import_resume, name="import_resume"),
    path("factures/importer/<uuid:batch_id>/annuler/", importing.import_undo, name="import_undo"),
]
