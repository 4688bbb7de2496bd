"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from reporting import views

urlpatterns: list[URLPattern] = [
    path("tableau-de-bord/", views.dashboard, name="dashboard"),
    path("aide/", views.help_page, name="help"),
]
