"""Words of the floor: roles, rights, and the table that says who may do what."""

from django.db import models


class Role(models.TextChoices):
    """What a person is in a firm."""

    OWNER = "owner", "Associé"
    ADMIN = "admin", "Administrateur du cabinet"
    LAWYER = "lawyer", "Avocat"
    ASSISTANT = "assistant", "Assistant"
    ACCOUNTANT = "accountant", "Comptable (lecture seule)"


class Right(models.TextChoices):
    """What a page or an act requires."""

    SEE_FIGURES = "see_figures", "Voir les indicateurs"
    SEE_INVOICES = "see_invoices", "Voir les factures et leurs relances"
    EDIT_INVOICES = "edit_invoices", "Saisir et corriger une facture"
    IMPORT_INVOICES = "import_invoices", "Importer des factures"
    RECORD_PAYMENTS = "record_payments", "Enregistrer un paiement"
    SEE_CLIENTS = "see_clients", "Voir les clients"
    EDIT_CLIENTS = "edit_clients", "Modifier un client, un dossier, un contact"
    APPROVE_REMINDERS = "approve_reminders", "Approuver une relance"
    APPROVE_FORMAL_NOTICES = "approve_formal_notices", "Approuver une mise en demeure"
    HOLD_REMINDERS = "hold_reminders", "Suspendre les relances d’un dossier"
    RELEASE_DISPUTES = "release_disputes", "Lever une contestation"
    SUSPEND_ALL = "suspend_all", "Tout suspendre"
    RESUME_ALL = "resume_all", "Reprendre les envois"
    ASSIGN_FILES = "assign_files", "Affecter les dossiers"
    SEE_EVERY_FILE = "see_every_file", "Voir tous les dossiers du cabinet"
    SEE_JOURNAL = "see_journal", "Lire le journal"
    MANAGE_PEOPLE = "manage_people", "Gérer l’équipe"
    EDIT_TEXTS = "edit_texts", "Modifier les modèles et les scénarios"
    MANAGE_FIRM = "manage_firm", "Régler le cabinet"
    EXPORT = "export", "Exporter"
    MANAGE_SUBSCRIPTION = "manage_subscription", "Gérer l’abonnement du cabinet"
    LEAVE = "leave", "Exporter tout le cabinet et clore son compte"
    ALLOW_SUPPORT = "allow_support", "Autoriser un accès d’assistance"
    ANSWER_RIGHTS = "answer_rights", "Répondre aux demandes sur les données personnelles"
    OPEN_ARCHIVE = "open_archive", "Ouvrir l’archive d’un client"
    OWN_ACCOUNT = "own_account", "Gérer son propre compte"


_READ = {Right.SEE_FIGURES, Right.SEE_INVOICES, Right.SEE_CLIENTS, Right.OWN_ACCOUNT}
_DESK = _READ | {
    Right.EDIT_INVOICES,
    Right.IMPORT_INVOICES,
    Right.RECORD_PAYMENTS,
    Right.EDIT_CLIENTS,
    Right.HOLD_REMINDERS,
    Right.SUSPEND_ALL,
}
_LAWYER = _DESK | {
    Right.APPROVE_REMINDERS,
    Right.APPROVE_FORMAL_NOTICES,
    Right.RELEASE_DISPUTES,
    Right.EDIT_TEXTS,
    Right.EXPORT,
}

# The table a lawyer can read. A right given to one person beyond it is a flag on the membership (see_every_file).
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.ADMIN: frozenset(
        set(Right)
        - {
            Right.APPROVE_FORMAL_NOTICES,
            Right.RELEASE_DISPUTES,
            Right.MANAGE_SUBSCRIPTION,
            Right.LEAVE,
            Right.ALLOW_SUPPORT,
        }
    ),
    Role.LAWYER: frozenset(_LAWYER),
    Role.ASSISTANT: frozenset(_DESK | {Right.APPROVE_REMINDERS}),
    Role.ACCOUNTANT: frozenset(_READ | {Right.SEE_EVERY_FILE, Right.EXPORT}),
}
# What an operator a partner let in may open: daily pages, no setting, no export, no journal.
SUPPORT_RIGHTS = frozenset(_READ | {Right.SEE_EVERY_FILE})


class ClientKind(models.TextChoices):
    """What the client is in an engagement: it decides what may be claimed (law.md § 0)."""

    PROFESSIONAL = "professional", "Professionnel"
    CONSUMER = "consumer", "Particulier"
    NON_PRO_LEGAL = "non_pro_legal", "Personne morale non professionnelle"
    PUBLIC = "public", "Acheteur public"
    UNKNOWN = "unknown", "À préciser"


class Civility(models.TextChoices):
    """How a client is greeted."""

    MADAME = "madame", "Madame"
    MONSIEUR = "monsieur", "Monsieur"
    MAITRE = "maitre", "Maître"
    NONE = "none", "Madame, Monsieur"


class Language(models.TextChoices):
    """The language a client is written to in."""

    FRENCH = "fr", "Français"
    ENGLISH = "en", "Anglais"


class SendingMode(models.TextChoices):
    """What leaves without a person: the firm's choice, which a client may have of its own."""

    APPROVE_ALL = "approve_all", "Tout valider"
    APPROVE_FROM_FIRM = "from_firm", "Valider dès J+30"
    AUTOMATIC = "automatic", "Automatique"


class AllocationRule(models.TextChoices):
    """What a part payment extinguishes first (R16)."""

    PRINCIPAL_FIRST = "principal_first", "Le principal d’abord"
    INTEREST_FIRST = "interest_first", "Les intérêts d’abord"


class SettlementSource(models.TextChoices):
    """How the firm knows through which day its payments are recorded."""

    DECLARED = "declared", "Déclaré par une personne"
    STATEMENT = "statement", "Relevé bancaire déposé"
    FEED = "feed", "Relevé bancaire reçu de la banque"


class TransferBasis(models.TextChoices):
    """On what a transfer of personal data outside the European Union rests (R66)."""

    DPF = "dpf", "Inscription au Data Privacy Framework"
    SCC = "scc", "Clauses contractuelles types"
    ADEQUACY = "adequacy", "Décision d’adéquation"


class ContactRole(models.TextChoices):
    """Why a person is known at a client's."""

    BILLING = "billing", "Facturation"
    MANAGER = "manager", "Dirigeant"
    PAYER = "payer", "Tiers payeur"
    OTHER = "other", "Autre"


class LegalAid(models.TextChoices):
    """Legal aid granted in a file (loi 91-647)."""

    NONE = "none", "Aucune"
    PARTIAL = "partial", "Partielle"
    TOTAL = "total", "Totale"


class TaskKind(models.TextChoices):
    """Something a person must do."""

    REVIEW_OLD_DEBT = "review_old_debt", "Dette ancienne à examiner"
    ALREADY_PAID = "already_paid", "Vérifier un paiement annoncé"
    DISPUTE = "dispute", "Répondre à une contestation"
    WRONG_RECIPIENT = "wrong_recipient", "Corriger un destinataire"
    UNKNOWN_OUTCOME = "unknown_outcome", "Vérifier un envoi incertain"
    REJECTED_ADDRESS = "rejected_address", "Corriger une adresse refusée"
    NO_ANSWER = "no_answer", "Client sans réponse après 48 h"
    ABNORMAL_NIGHT = "abnormal_night", "Confirmer une nuit inhabituelle"
    PROVISION_END = "provision_end", "Provision impayée : décider de la suite"
    CLASSIFY_REPLY = "classify_reply", "Classer une réponse"
    UNMATCHED_REPLY = "unmatched_reply", "Rattacher un message reçu"
    CALL = "call", "Appeler un client"
    POST_LETTER = "post_letter", "Poster un courrier"
    LETTER_RETURNED = "letter_returned", "Courrier refusé, non réclamé ou revenu"
    ONE_TIME_CODE = "one_time_code", "Saisir le code d’envoi d’une lettre électronique"
    WATCH_FILE = "watch_file", "Dossier à surveiller"
    FORMAL_PHASE = "formal_phase", "Passage en phase contentieuse"
    SECOND_ACCORD = "second_accord", "Donner un second accord"
    PLAN_REQUEST = "plan_request", "Étudier un échéancier"
    PAYMENT_REVERSED = "payment_reversed", "Examiner un paiement repris"
    DOUBLE_PAYMENT = "double_payment", "Décider d’un paiement en trop"
    PROMISE_OVER = "promise_over", "Promesse de paiement échue"
    DECLARE_CLAIM = "declare_claim", "Déclarer la créance au mandataire"
    CHECK_INSOLVENCY = "check_insolvency", "Vérifier l’absence de procédure collective"
    LIMITATION = "limitation", "Prescription proche"
    BATONNIER_DEADLINE = "batonnier_deadline", "Échéance devant le bâtonnier"
    INSURER_NOTICE = "insurer_notice", "Informer l’assureur"
    REFUSED_STATEMENT = "refused_statement", "Relevé bancaire refusé"
    CHANNEL_CHOICE = "channel_choice", "Tenir compte d’un choix de canal"
    SENDING_DOMAIN = "sending_domain", "Rétablir l’adresse d’envoi du cabinet"
    DATA_REQUEST = "data_request", "Répondre sur les données d’un client"


class NotificationKind(models.TextChoices):
    """What a person is told of."""

    MENTION = "mention", "On vous a mentionné dans une note"
    REQUEST = "request", "Une demande d’un client est arrivée"
    REPLY = "reply", "Une réponse attend d’être classée"
    ASSIGNED = "assigned", "Une tâche vous est confiée"
    PLAN = "plan", "Un échéancier est à examiner"
    PAYMENT_REVERSED = "payment_reversed", "Un paiement a été repris"
    ADDRESS = "address", "Une adresse a été refusée"
    NIGHT = "night", "Une nuit inhabituelle attend votre accord"
    AUDIT = "audit", "L’audit annuel de conformité est à faire"
    PROCESSOR = "processor", "Un sous-traitant est annoncé"
    PROCESSOR_MOVED = "processor_moved", "Le début d’un sous-traitant annoncé change"
    PROCESSOR_ANSWER = "processor_answer", "L’exploitant a répondu à votre opposition"
    INCIDENT = "incident", "L’exploitant signale un incident de sécurité"


class TaskState(models.TextChoices):
    """Where a task is."""

    OPEN = "open", "À faire"
    DONE = "done", "Fait"
    CANCELLED = "cancelled", "Sans objet"


class KeyPurpose(models.TextChoices):
    """What a data key is for."""

    FIRM = "firm", "Champs du cabinet"
    CLIENT = "client", "Champs d’un client"
    INDEX = "index", "Recherche exacte"


class BankChangeEnd(models.TextChoices):
    """What became of a proposed account."""

    APPLIED = "applied", "Appliqué"
    WITHDRAWN = "withdrawn", "Retiré"
    REFUSED = "refused", "Refusé"
    LAPSED = "lapsed", "Sans suite"


class AccountMailKind(models.TextChoices):
    """What a person is told of by mail: their account, the one their firm is paid on, a look at its pages."""

    PASSWORD_CHANGED = "password_changed", "Votre mot de passe a changé"
    PASSKEY_ADDED = "passkey_added", "Une clé d’accès a été ajoutée à votre compte"
    PASSKEY_REMOVED = "passkey_removed", "Une clé d’accès a été retirée de votre compte"
    PASSKEY_COPIED = "passkey_copied", "Une clé d’accès de votre compte a peut-être été copiée"
    APPLICATION_CHANGED = "application_changed", "Votre application d’authentification a changé"
    APPLICATION_REMOVED = "application_removed", "Votre application d’authentification a été retirée"
    CODES_RENEWED = "codes_renewed", "Vos codes de secours ont changé"
    IBAN_PROPOSED = "iban_proposed", "Un changement du compte bancaire du cabinet est proposé"
    IBAN_CONFIRMED = "iban_confirmed", "Le changement du compte bancaire du cabinet est confirmé"
    IBAN_ENDED = "iban_ended", "Le changement du compte bancaire du cabinet n’aura pas lieu"
    IBAN_APPLIED = "iban_applied", "Le compte bancaire du cabinet a changé"
    PARTNER_ADDED = "partner_added", "Le cabinet compte un associé de plus"
    PARTNER_REMOVED = "partner_removed", "Le cabinet compte un associé de moins"
    COLLECTION_KEY = "collection_key", "Une autre clé d’encaissement en ligne est enregistrée"
    COLLECTION_SERVICE = "collection_service", "Un compte d’encaissement en ligne est en service"
    SUPPORT_ASKED = "support_asked", "L’assistance demande à voir les pages du cabinet"
    SUPPORT_GRANTED = "support_granted", "Un accès d’assistance est accordé"
    SUPPORT_REFUSED = "support_refused", "Un accès d’assistance est refusé"
    SUPPORT_ENDED = "support_ended", "Un accès d’assistance est terminé"
