"""Addresses of the public pages."""

from django.urls import URLPattern, path

from website import views

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("fonctionnement/", views.how, name="how_it_works"),
    path("securite/", views.security, name="security_promises"),
    path("tarifs/", views.prices, name="prices"),
    path("cgu/", views.terms, name="terms"),
    path("demonstration/", views.demonstration, name="demonstration"),
    path("demonstration/entrer/", views.enter, name="demo_enter"),
    path("calculateur/", views.calculator, name="calculator"),
    path("mentions-legales/", views.legal, name="legal_notice"),
    path("confidentialite/", views.privacy, name="privacy"),
    path("accessibilite/", views.accessibility, name="accessibility"),
]
