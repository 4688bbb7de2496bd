"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from reporting import views
from reporting.reports import REPORTS
from reporting.sheets import FORMATS

urlpatterns: list[URLPattern] = [
    path("tableau-de-bord/", views.dashboard, name="dashboard"),
    path("aide/", views.help_page, name="help"),
    path("rapports/", views.reports, name="reports"),
    *(path(f"rapports/{slug}/", views.report, {"slug": slug}, name=f"report_{slug}") for slug in REPORTS),
    *(
        path(f"rapports/{slug}/{kind}/", views.report_file, {"slug": slug, "kind": kind}, name=f"report_{slug}_{kind}")
        for slug in REPORTS
        for kind in FORMATS
    ),
]
