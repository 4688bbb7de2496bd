"""Addresses of this app's pages."""

from django.urls import URLPattern, path

from cabinets.views import firm, journal, security, sign_in, team

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
    path("parametres/equipe/", team.team, name="team"),
    path("parametres/equipe/droits/", team.rights, name="rights"),
    path("parametres/equipe/<uuid:pk>/", team.member_page, name="member"),
    path("parametres/equipe/<uuid:pk>/retirer/", team.deactivate_member, name="deactivate_member"),
    path("parametres/equipe/<uuid:pk>/rendre/", team.reactivate_member, name="reactivate_member"),
    path("parametres/equipe/invitations/<uuid:pk>/annuler/", team.revoke_invitation, name="revoke_invitation"),
    path("parametres/cabinet/", firm.firm, name="firm"),
    path("parametres/cabinet/logo/", firm.logo, name="firm_logo"),
    path("parametres/journal/", journal.journal, name="journal"),
    path("parametres/journal/export.csv", journal.journal_csv, name="journal_csv"),
    path("envois/suspendre/", firm.suspend_all, name="suspend_all"),
    path("envois/reprendre/", firm.resume_all, name="resume_all"),
    path("reglements/a-jour/", firm.declare_settlements, name="declare_settlements"),
    path("invitation/<str:token>/", team.invitation, name="invitation"),
]
