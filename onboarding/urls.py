"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from onboarding import views

urlpatterns: list[URLPattern] = [
    path("demarrage/", views.listing, name="onboarding"),
    path("demarrage/audit/", views.audit, name="onboarding_audit"),
    path("demarrage/essai/", views.trial, name="onboarding_trial"),
    path("demarrage/<slug:step>/<slug:mark>/", views.say, name="onboarding_say"),
    path("rapports/avant-apres/", views.before_after, name="before_after"),
    path("rapports/avant-apres/pdf/", views.before_after_document, name="before_after_pdf"),
]
