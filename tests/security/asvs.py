"""The requirements of OWASP ASVS 5.0 the product answers to first, and the tests that prove each (security.md § 4).

`docs/securite/asvs.md` is written from here: `python -m tests.security.asvs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "securite" / "asvs.md"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: its number and level, what the product does of it, the tests that prove it, what is left."""

    number: str
    level: int
    asks: str
    how: str
    proofs: tuple[str, ...]
    left: str = ""


ROWS: dict[str, tuple[Requirement, ...]] = {
    "Logique et concurrence": (
        Requirement("2.2.2", 1, "Contrôler chaque saisie côté serveur",
            "Chaque formulaire est lu et contrôlé par le serveur ; une valeur insensée reçoit une phrase, jamais une erreur.",
            ("security/test_fuzz.py::test_answers_nonsense_sent_to_any_form_with_a_sentence",
             "security/test_fuzz.py::test_answers_nonsense_in_the_query_of_any_page",
             "invoices/test_importers_checks.py::test_any_line_is_understood_or_explained")),
        Requirement("2.3.1", 1, "Suivre les étapes dans l’ordre",
            "Une étape ne se saute pas : second facteur avant toute page, proposition d’IBAN avant confirmation.",
            ("cabinets/test_second_factor.py::test_keeps_every_page_shut_until_the_second_factor_is_proven",
             "cabinets/test_bank_account.py::test_two_partners_and_a_day",
             "failures/test_2_duplicates.py::test_f18_the_database_refuses_the_same_step_of_an_invoice_twice")),
        Requirement("2.3.3", 2, "Tout faire ou ne rien faire",
            "Une page en erreur défait toute sa transaction ; ce qui est refusé ne laisse rien.",
            ("security/test_wall_reuse.py::test_an_error_of_ours_undoes_what_the_page_wrote",
             "payments/test_recording.py::test_more_than_everything_owed_is_refused_and_nothing_is_kept")),
        Requirement("2.3.4", 2, "Verrouiller contre le double usage",
            "Verrous de ligne et contraintes d’unicité : un paiement envoyé deux fois est enregistré une fois.",
            ("payments/test_recording.py::test_the_same_form_sent_at_once_from_two_windows_records_one_payment",
             "dunning/test_two_nights.py")),
        Requirement("2.4.1", 2, "Freiner les automates",
            "Essais comptés par compte, par adresse et par lien ; un visiteur qui devine est ralenti.",
            ("cabinets/test_sign_in.py::test_stops_the_eleventh_try_from_one_address",
             "payments/test_portal.py::test_guessing_is_counted_and_never_closes_a_live_link",
             "payments/test_notices.py::test_stops_listening_to_who_guesses")),
        Requirement("15.4.2", 3, "Vérifier et agir d’un seul geste",
            "L’envoi relit tout au moment de partir, sous verrou ; la reprise après une panne n’envoie rien deux fois.",
            ("dunning/test_live_check.py", "dunning/test_crash.py::test_sends_nothing_twice_and_loses_nothing_through_hundreds_of_kills",
             "cabinets/test_second_factor.py::test_accepts_one_of_a_hundred_submissions_at_once")),
    ),
    "Navigateur": (
        Requirement("3.3.3", 2, "Cookies préfixés __Host-", "Session et jeton de formulaire liés à l’hôte.",
            ("security/test_browser.py::test_cookies_are_bound_to_the_host_and_hidden_from_scripts",)),
        Requirement("3.3.4", 2, "Cookie de session HttpOnly", "Aucun script ne lit la session.",
            ("security/test_browser.py::test_cookies_are_bound_to_the_host_and_hidden_from_scripts",)),
        Requirement("3.4.1", 1, "HSTS d’un an au moins", "Un an, sous-domaines compris.",
            ("security/test_browser.py::test_asks_for_tls_for_a_year",)),
        Requirement("3.4.3", 2, "Politique de contenu", "Tout est refusé par défaut ; ni script ni style en ligne.",
            ("security/test_browser.py::test_every_page_carries_the_content_policy",
             "config/test_look.py::test_a_template_holds_no_inline_style_handler_or_script")),
        Requirement("3.4.5", 2, "Politique de référent", "Aucune adresse n’est dite à un autre site.",
            ("security/test_browser.py::test_every_page_carries_the_content_policy",
             "payments/test_portal.py::test_no_page_is_kept_indexed_or_told_to_another_site")),
        Requirement("3.4.6", 2, "frame-ancestors", "Aucune page ne s’ouvre dans le cadre d’un autre site.",
            ("security/test_browser.py::test_every_page_carries_the_content_policy",)),
        Requirement("3.5.1", 1, "Protection contre les requêtes forgées", "Chaque formulaire porte un jeton ; sans lui, rien n’est enregistré.",
            ("security/test_browser.py::test_a_form_of_another_site_changes_nothing", "payments/test_portal.py::test_a_form_needs_its_own_page")),
        Requirement("3.5.3", 1, "Rien de sensible en GET", "Lire ne change rien ; tout acte est un POST.",
            ("cabinets/test_sign_in.py::test_signs_out_by_post_only",
             "security/test_roles.py::test_reading_every_page_changes_nothing")),
    ),
    "Connexion": (
        Requirement("6.2.4", 1, "Mots de passe courants refusés", "Liste locale et mesure de la force.",
            ("security/test_browser.py::test_refuses_a_common_or_weak_password", "cabinets/test_sign_up.py::test_creates_nothing_behind_a_weak_password")),
        Requirement("6.2.12", 2, "Mots de passe compromis refusés", "Liste locale des mots de passe les plus courants.",
            ("security/test_browser.py::test_refuses_a_common_or_weak_password",),
            left="La liste est celle de Django (20 000 mots de passe) ; aucune liste de fuites n’est consultée."),
        Requirement("6.3.1", 1, "Force brute", "Cinq essais par compte et dix par adresse.",
            ("cabinets/test_sign_in.py::test_stops_the_sixth_try_on_an_account_even_with_the_right_password",
             "cabinets/test_sign_in.py::test_no_window_of_five_minutes_holds_more_than_five_tries")),
        Requirement("6.3.3", 2, "Deux facteurs", "Aucune page d’un cabinet sans second facteur.",
            ("security/test_roles.py::test_everybody_meets_the_door_that_is_theirs",
             "cabinets/test_second_factor.py::test_keeps_every_page_shut_until_the_second_factor_is_proven",
             "cabinets/test_passkeys.py")),
        Requirement("6.3.8", 3, "Ne pas révéler les comptes", "La réponse est la même, que le compte existe ou non.",
            ("cabinets/test_sign_in.py::test_answers_the_same_whether_the_account_exists_or_not",
             "cabinets/test_sign_in.py::test_queues_a_link_for_known_and_unknown_addresses_alike",
             "cabinets/test_sign_up.py::test_answers_the_same_whether_the_address_has_an_account")),
        Requirement("6.4.3", 2, "La réinitialisation garde le second facteur", "Un mot de passe changé par lien n’ouvre rien sans le code.",
            ("cabinets/test_sign_in.py::test_sends_a_link_that_changes_the_password_once_and_ends_every_session",
             "security/test_roles.py::test_everybody_meets_the_door_that_is_theirs")),
        Requirement("6.5.1", 2, "Un code sert une fois", "Le pas accepté est gardé par la base ; un code de secours est consommé.",
            ("cabinets/test_second_factor.py::test_never_accepts_the_same_code_twice",
             "cabinets/test_second_factor.py::test_a_recovery_code_opens_once_however_it_is_typed")),
        Requirement("6.5.5", 2, "Un code TOTP vit peu", "Le pas présent et le précédent, jamais celui qui vient.",
            ("cabinets/test_totp.py::test_accepts_a_code_during_its_step_and_the_next_one_only",
             "cabinets/test_second_factor.py::test_never_goes_back_to_the_code_before_the_last_accepted"),
            left="Un code vit jusqu’à 60 s (un pas de retard est accepté) : écart assumé, le même code n’est jamais accepté deux fois."),
    ),
    "Sessions": (
        Requirement("7.2.4", 1, "Nouveau jeton à la connexion", "La clé change à la connexion et au second facteur.",
            ("cabinets/test_sign_in.py::test_changes_the_session_key_and_keeps_where_it_was_opened",
             "cabinets/test_second_factor.py::test_accepts_a_code_of_the_application_under_a_new_session_key")),
        Requirement("7.3.1", 2, "Durée d’inactivité", "Trente minutes.",
            ("cabinets/test_sign_in.py::test_ends_a_session_left_alone_for_more_than_thirty_minutes",)),
        Requirement("7.3.2", 2, "Durée totale", "Douze heures.",
            ("cabinets/test_sign_in.py::test_ends_a_busy_session_after_twelve_hours",)),
        Requirement("7.4.2", 1, "Fermer les sessions d’un compte retiré", "Le départ d’une personne ferme ses sessions aussitôt.",
            ("cabinets/test_team.py::test_letting_a_person_go_ends_their_sessions_at_once",)),
        Requirement("7.5.1", 2, "Se réauthentifier avant un acte grave", "Vingt-trois actes, en une seule liste, redemandent le mot de passe ; cinq erreurs ferment la porte.",
            ("architecture/test_dangerous.py",
             "cabinets/test_firm.py::test_another_iban_takes_the_password_and_has_its_own_line",
             "cabinets/test_second_factor.py::test_new_recovery_codes_replace_the_old_after_the_password",
             "cabinets/test_second_factor.py::test_changes_the_application_after_the_password_and_keeps_the_old_until_confirmed")),
        Requirement("7.5.2", 2, "Voir et fermer ses sessions", "La page « Sécurité » les liste et les ferme.",
            ("cabinets/test_second_factor.py::test_lists_the_sessions_of_the_person_alone_and_ends_one_or_all_others",)),
    ),
    "Autorisation": (
        Requirement("8.2.1", 1, "Droit par fonction", "Chaque adresse dit le droit qu’elle demande ; la table des rôles est celle qui s’applique.",
            ("architecture/test_urls.py::test_states_the_right_each_view_requires", "architecture/test_page_map.py",
             "cabinets/test_team.py::test_the_table_of_rights_is_the_one_that_is_applied")),
        Requirement("8.2.2", 1, "Droit par objet", "Chaque adresse est parcourue par qui n’y a rien à faire.",
            ("architecture/test_walk.py::test_gives_a_colleague_nothing_of_a_file_that_is_not_theirs",
             "architecture/test_walk.py::test_shows_a_colleague_no_name_on_any_list")),
        Requirement("8.2.3", 2, "Droit par champ", "La base cache les colonnes scellées aux rôles techniques.",
            ("cabinets/test_wall.py::test_hides_every_sealed_column_from_the_planner",
             "cabinets/test_admin.py::test_the_operators_role_reads_no_file_even_by_sql")),
        Requirement("8.3.2", 3, "Changements de droits immédiats", "Le rôle et l’affectation sont relus à chaque page.",
            ("cabinets/test_team.py::test_a_change_of_role_is_in_force_at_the_next_page",
             "cabinets/test_assignments.py::test_an_assignment_opens_and_closes_the_dossier_at_once")),
        Requirement("8.4.1", 2, "Cloison entre cabinets", "PostgreSQL tient la cloison, signée ; toute adresse d’un autre cabinet est introuvable.",
            ("architecture/test_walk.py::test_gives_another_firm_nothing_and_lets_it_change_nothing", "cabinets/test_wall.py",
             "security/test_wall_reuse.py", "security/test_soak.py::test_two_firms_read_and_write_at_once_and_nothing_crosses")),
    ),
    "Chiffrement et secrets": (
        Requirement("11.3.2", 1, "Chiffrements approuvés", "AES-256-GCM, lié à sa ligne.",
            ("security/test_browser.py::test_seals_with_aes_256_and_a_nonce_of_its_own", "cabinets/test_sealing.py")),
        Requirement("11.3.4", 3, "Jamais deux fois le même nonce", "Un nonce de 96 bits tiré à chaque écriture.",
            ("security/test_browser.py::test_seals_with_aes_256_and_a_nonce_of_its_own",)),
        Requirement("11.5.1", 2, "Aléas de 128 bits au moins", "Un UUID ne donne accès à rien ; les jetons ont 256 bits.",
            ("payments/test_links.py::test_a_token_is_43_url_characters_that_the_link_its_version_and_the_key_decide",
             "config/test_keyring.py::test_secrets_are_long_and_all_different"),
            left="L’adresse courte d’un SMS a 84 bits, trente jours de vie et des essais comptés."),
        Requirement("13.2.2", 2, "Moindre privilège", "Quatre rôles de base de données ; l’application ne possède rien, l’exploitant n’écrit que ses colonnes.",
            ("cabinets/test_wall.py::test_finds_nothing_wrong_in_the_catalogue", "cabinets/test_desk_grants.py",
             "config/test_checks.py::test_refuses_the_owner_as_the_applications_role")),
        Requirement("13.3.1", 2, "Gestion des secrets", "Secrets dans l’environnement, des fichiers lus de leur seul propriétaire, ou un service de clés.",
            ("config/test_env.py::test_a_value_is_read_from_the_environment_or_from_the_file_it_names",
             "config/test_keyring.py::test_a_secret_that_others_can_read_stops_the_start", "cabinets/test_transit.py")),
    ),
    "Données": (
        Requirement("14.2.1", 1, "Rien de sensible dans les adresses", "Aucun nom dans une adresse ; le jeton d’un lien n’est écrit nulle part.",
            ("payments/test_portal.py::test_the_token_is_written_nowhere",
             "config/test_logging.py::test_a_payment_link_is_hidden_and_a_code_path_is_not", "config/test_canaries.py"),
            left="Le jeton d’un lien de paiement reste dans l’adresse du débiteur : il y est nécessaire."),
        Requirement("14.3.2", 2, "no-store", "Aucune page d’une personne connectée n’est gardée.",
            ("security/test_browser.py::test_no_page_of_a_signed_in_person_is_kept",)),
    ),
    "Fichiers et saisies": (
        Requirement("5.2.1", 1, "Taille des fichiers bornée",
            "Chaque formulaire refuse ce qui dépasse sa limite ; ce qui dépasse la plus grande n’atteint pas le disque.",
            ("security/test_uploads.py::test_a_file_too_big_is_refused_in_its_door_s_words",
             "security/test_uploads.py::test_what_is_beyond_the_largest_file_never_reaches_the_disk")),
        Requirement("5.2.2", 1, "Type des fichiers vérifié",
            "Le contenu décide, jamais le nom : un fichier est ouvert avant d’être gardé, et chaque champ de fichier du code a "
            "sa ligne dans la table.",
            ("security/test_uploads.py::test_every_file_field_of_the_product_has_its_door",
             "security/test_uploads.py::test_every_view_that_reads_a_file_has_its_door",
             "security/test_uploads.py::test_a_hostile_file_is_refused_or_cannot_act",
             "invoices/test_documents.py::test_knows_a_file_by_its_content_whatever_its_name",
             "cabinets/test_firm.py::test_refuses_a_logo_that_is_no_small_picture"),
            left="Aucun antivirus n’examine les documents gardés : ils ne sont jamais ouverts dans la page."),
        Requirement("5.2.3", 2, "Archives bornées avant d’être ouvertes",
            "Une archive ou un classeur qui gonfle est refusé d’après sa table, avant d’être déplié.",
            ("security/test_uploads.py::test_a_hostile_file_is_refused_or_cannot_act",)),
        Requirement("5.2.6", 3, "Images bornées en points",
            "Une image de plus de soixante millions de points n’est pas dessinée.",
            ("security/test_uploads.py::test_a_hostile_file_is_refused_or_cannot_act",
             "cabinets/test_firm.py::test_knows_a_picture_by_what_it_holds")),
        Requirement("5.3.2", 1, "Aucun chemin tiré d’un nom de fichier",
            "Le nom donné n’est qu’un mot : le fichier est rangé sous un identifiant, et un nom qui sort du dossier est refusé.",
            ("security/test_uploads.py::test_a_hostile_name_names_nothing",
             "invoices/test_sealed_files.py::test_a_name_that_leaves_the_firm_s_folder_is_refused")),
        Requirement("5.4.2", 2, "Noms de fichiers rendus sans danger", "L’en-tête qui nomme un fichier ne porte ni ligne, ni chemin.",
            ("security/test_uploads.py::test_a_hostile_name_names_nothing",)),
        Requirement("3.2.1", 1, "Un fichier reçu n’agit pas dans la page",
            "Il est remis à enregistrer, sous « sandbox » et « nosniff ».",
            ("security/test_uploads.py::test_a_hostile_file_is_refused_or_cannot_act",)),
        Requirement("1.2.10", 3, "Injection de formules",
            "Une seule main écrit les tableaux ; aucune cellule n’y est calculée.",
            ("security/test_exports.py::test_no_sheet_an_address_gives_is_computed",
             "security/test_exports.py::test_no_sheet_of_chosen_invoices_is_computed",
             "security/test_exports.py::test_no_sheet_of_the_firm_s_copy_is_computed",
             "security/test_exports.py::test_nothing_else_writes_a_sheet")),
        Requirement("1.5.1", 1, "Entités XML refusées",
            "Un relevé ou un classeur qui définit des entités n’est pas lu.",
            ("security/test_uploads.py::test_a_hostile_file_is_refused_or_cannot_act",)),
        Requirement("1.3.6", 2, "Aucune adresse appelée depuis un texte",
            "Un PDF se fait de ce qu’il contient et des polices du produit ; toute autre adresse l’arrête.",
            ("security/test_pdf_fetches.py::test_the_fetcher_answers_for_nothing_else",
             "security/test_pdf_fetches.py::test_every_pdf_holds_what_was_typed_as_words")),
        Requirement("1.3.7", 2, "Aucun texte saisi n’est un gabarit",
            "Les textes d’un cabinet sont remplis par substitution, jamais par le moteur de gabarits.",
            ("security/test_pdf_fetches.py::test_a_text_a_firm_types_is_never_a_template",
             "security/test_pdf_fetches.py::test_a_value_of_a_layout_is_never_a_template")),
        Requirement("3.7.2", 2, "Aucune redirection hors du site",
            "Toute adresse est essayée avec chaque mot qu’une page pourrait suivre, et l’en-tête Referer.",
            ("security/test_redirects.py::test_no_address_leads_away_whatever_it_is_told",
             "security/test_redirects.py::test_no_door_leads_away_once_it_opens")),
        Requirement("11.3.3", 2, "Un fichier altéré n’est pas rendu",
            "Chaque morceau est vérifié avant que rien ne soit remis ; une page le dit, le journal et l’exploitant aussi.",
            ("security/test_lost_files.py::test_every_page_that_gives_a_sealed_file_says_it_is_lost",
             "security/test_lost_files.py::test_nothing_is_given_of_a_file_altered_in_its_middle")),
    ),
    "Journal et erreurs": (
        Requirement("16.2.1", 2, "Qui, quoi, quand, d’où", "Chaque ligne les porte.",
            ("cabinets/test_journal.py::test_says_who_did_what_when_and_from_where",)),
        Requirement("16.3.2", 3, "Accès refusés et lectures sensibles", "Un refus est une ligne ; une lecture aussi.",
            ("security/test_roles.py::test_a_refusal_is_a_line_of_the_journal",
             "cabinets/test_journal.py::test_notes_who_reads_the_journal")),
        Requirement("16.4.2", 2, "Journal inaltérable", "L’application ne peut ni changer ni ôter une ligne ; une altération se voit.",
            ("cabinets/test_journal.py::test_the_application_can_neither_change_nor_remove_a_line",
             "cabinets/test_journal.py::test_the_command_finds_what_the_owner_of_the_tables_altered")),
        Requirement("16.4.3", 2, "Journal envoyé ailleurs", "Chaque mois fini est scellé la nuit qui suit ; le sceau reste dans la base, et chaque état signé porte l’empreinte du dernier.",
            ("cabinets/test_journal.py::test_seals_finished_months_once_and_not_the_one_running",
             "cabinets/test_journal.py::test_each_night_seals_the_month_that_is_over_in_utc"),
            left="Rien ne part de soi-même vers un autre système : l’envoi des sceaux et des journaux techniques revient à l’exploitant."),
        Requirement("16.5.3", 2, "En cas d’échec, fermer", "Sans cabinet annoncé, rien ne se lit ; sans réponse de la base, rien ne s’ouvre.",
            ("cabinets/test_wall.py::test_shows_no_row_of_any_tenant_table_without_a_scope",
             "cabinets/test_wall.py::test_refuses_to_read_a_firms_rows_outside_any_firm",
             "config/test_env.py::test_a_missing_secret_stops_the_start")),
    ),
}  # fmt: skip


def requirements() -> list[Requirement]:
    """Return every requirement, in the order of the page."""
    return [row for rows in ROWS.values() for row in rows]


def lines() -> Iterator[str]:
    """Write the page."""
    yield "# OWASP ASVS 5.0 : ce qui est exigé, comment, et la preuve"
    yield ""
    yield "Cette page est écrite depuis `tests/security/asvs.py` : un test échoue si elle n’est plus à jour, si une preuve"
    yield "nommée n’existe plus, ou si une exigence n’en a aucune. Chaque preuve est un test du dossier `tests/`, lancé par"
    yield "`bin/test tests/<preuve>`."
    yield ""
    yield f"{len(requirements())} exigences retenues en premier, sur les niveaux 1 à 3."
    for area, rows in ROWS.items():
        yield from ("", f"## {area}", "", "| Exigence | Niveau | Comment | Preuve |", "|---|---|---|---|")
        for row in rows:
            proofs = "<br>".join(f"`{proof}`" for proof in row.proofs)
            left = f" **Reste :** {row.left}" if row.left else ""
            yield f"| {row.number} — {row.asks} | {row.level} | {row.how}{left} | {proofs} |"
    yield from ("", "## Ce que cette page ne couvre pas", "")
    yield "Les autres exigences du niveau 2 n’ont pas encore leur ligne ici. Ce qui tient à l’exploitation (TLS, correctifs,"
    yield "sauvegardes, envoi des journaux ailleurs) revient à qui héberge le service."


def text() -> str:
    """Return the whole page, typeset."""
    written = "\n".join(lines()) + "\n"
    for mark in (":", ";", "»"):
        written = written.replace(f" {mark}", f"\u00a0{mark}")
    return written.replace("« ", "«\u00a0")


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text(), encoding="utf-8")
