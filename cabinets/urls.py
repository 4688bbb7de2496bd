"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from cabinets.views import security, sign_in

urlpatterns: list[URLPattern] = [
    path("", sign_in.home, name="home"),
    path("connexion/", sign_in.connection, name="connection"),
    path("connexion/code/", sign_in.code, name="code"),
    path("connexion/second-facteur/", sign_in.enrolment, name="second_factor"),
    path("deconnexion/", sign_in.sign_out, name="sign_out"),
    path("mot-de-passe/oublie/", sign_in.password_forgotten, name="password_forgotten"),
    path("mot-de-passe/<str:place>/<str:token>/", sign_in.password_new, name="password_new"),
    path("profil/securite/", security.security, name="security"),
    path("profil/securite/mot-de-passe/", security.password_change, name="password_change"),
    path("profil/securite/codes/", security.renew_codes, name="renew_codes"),
    path("profil/securite/application/", security.change_application, name="change_application"),
    path("profil/securite/raccourcis/", security.shortcuts, name="shortcuts"),
    path("profil/securite/sessions/terminer/", security.end_other_sessions, name="end_other_sessions"),
    path("profil/securite/sessions/<str:reference>/terminer/", security.end_session, name="end_session"),
]
