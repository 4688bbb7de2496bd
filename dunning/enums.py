"""Words of the engine: channels, states, and the ordered codes of the night."""

from django.db import models

from invoices.enums import StopKind


class Channel(models.TextChoices):
    """How a reminder reaches a debtor."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    LETTER = "letter", "Lettre"
    REGISTERED = "registered", "Lettre recommandée"
    PHONE = "phone", "Appel"


class Tone(models.TextChoices):
    """How a step speaks; the text follows the tone, not the day."""

    NOTICE = "notice", "Avis avant échéance"
    COURTEOUS = "courteous", "Rappel courtois"
    SOLUTIONS = "solutions", "Rappel avec solutions"
    FIRM = "firm", "Relance ferme"
    FORMAL = "formal", "Mise en demeure"


class Entry(models.TextChoices):
    """How late an invoice was when it entered the ladder (engine.md § 5)."""

    NORMAL = "normal", "À l’échéance"
    LATE = "late", "Déjà en retard"
    OLD = "old", "Dette ancienne"


class ReminderState(models.TextChoices):
    """Where a reminder is."""

    PLANNED = "planned", "Prévue"
    AWAITING_APPROVAL = "awaiting_approval", "À valider"
    APPROVED = "approved", "Approuvée"
    SENDING = "sending", "En cours d’envoi"
    IN_HAND = "in_hand", "Entre vos mains"
    ACCEPTED = "accepted", "Envoyée"
    DELIVERED = "delivered", "Remise"
    BOUNCED = "bounced", "Revenue"
    REFUSED = "refused", "Refusée par le destinataire"
    UNCLAIMED = "unclaimed", "Non réclamée"
    REJECTED = "rejected", "Refusée par le serveur"
    UNKNOWN = "unknown", "Issue incertaine"
    DECLINED = "declined", "Écartée"
    CANCELLED = "cancelled", "Annulée"


# A debtor has one such reminder at most.
PENDING = (
    ReminderState.PLANNED,
    ReminderState.AWAITING_APPROVAL,
    ReminderState.APPROVED,
    ReminderState.SENDING,
    ReminderState.IN_HAND,
)
# A letter nobody claims was presented: it keeps its effect (R42), and it was a contact.
PRESENTED = (ReminderState.REFUSED, ReminderState.UNCLAIMED)
# The debtor was spoken to, or may have been.
SPOKEN = (
    ReminderState.SENDING,
    ReminderState.ACCEPTED,
    ReminderState.DELIVERED,
    ReminderState.UNKNOWN,
    *PRESENTED,
)


# What a debtor says or does counts as an answer; opening a link does not.
ANSWERS = (
    StopKind.CLAIMED_PAID,
    StopKind.DISPUTE,
    StopKind.WRONG_RECIPIENT,
    StopKind.PROMISE,
    StopKind.PLAN,
    StopKind.REPLIED,
    StopKind.PAYMENT_IN_FLIGHT,
)


class Code(models.TextChoices):
    """The rule that decided, in the order in which rules are read (engine.md § 4)."""

    KILL_SWITCH = "KILL_SWITCH", "Tous les envois sont suspendus"
    NOT_LIVE = "NOT_LIVE", "Le cabinet n’est pas activé"
    NIGHT_ABNORMAL = "NIGHT_ABNORMAL", "Nuit inhabituelle, à confirmer"
    CLOSED = "CLOSED", "Facture close"
    NEVER = "NEVER", "Ne jamais relancer"
    PAID = "PAID", "Plus rien n’est dû"
    PAYMENT_IN_FLIGHT = "PAYMENT_IN_FLIGHT", "Un paiement est en cours"
    CLAIMED_PAID = "CLAIMED_PAID", "Le client dit avoir payé"
    CLIENT_IN_CREDIT = "CLIENT_IN_CREDIT", "Les avoirs du client couvrent la dette"
    GRACE = "GRACE", "Un paiement vient d’être enregistré"
    STALE_SOURCE = "STALE_SOURCE", "Les règlements ne sont pas à jour"
    INSOLVENCY = "INSOLVENCY", "Procédure collective"
    OVER_INDEBTEDNESS = "OVER_INDEBTEDNESS", "Surendettement"
    LEGAL_AID_TOTAL = "LEGAL_AID_TOTAL", "Aide juridictionnelle totale"
    LEGAL_AID_PARTIAL = "LEGAL_AID_PARTIAL", "Aide juridictionnelle partielle sans ses formalités"
    PROTECTED_PERSON = "PROTECTED_PERSON", "Personne protégée"
    WRONG_RECIPIENT = "WRONG_RECIPIENT", "Mauvais destinataire"
    PRESCRIBED = "PRESCRIBED", "Créance prescrite"
    DISPUTE = "DISPUTE", "Contestation"
    MEDIATION = "MEDIATION", "Médiation"
    BATONNIER_SEISED = "BATONNIER_SEISED", "Bâtonnier saisi"
    HEARING = "HEARING", "Audience proche"
    HOLD = "HOLD", "Relances suspendues"
    PROMISE = "PROMISE", "Promesse de paiement"
    PLAN = "PLAN", "Échéancier en cours"
    REPLIED = "REPLIED", "Réponse du client à classer"
    NO_ADDRESS = "NO_ADDRESS", "Aucune adresse utilisable"
    BOUNCED = "BOUNCED", "Adresse refusée"
    CONTACT_CAP = "CONTACT_CAP", "Client déjà contacté récemment"
    MIN_GAP = "MIN_GAP", "Trop tôt après l’étape précédente"
    PROVISION_END = "PROVISION_END", "Provision : une personne décide de la suite"
    TEXT_REFUSED = "TEXT_REFUSED", "Le texte de l’étape est refusé"
    RATE_MISSING = "RATE_MISSING", "Le taux du semestre manque"
    NOTICE_OVER = "NOTICE_OVER", "L’échéance est passée : l’avis n’a plus d’objet"
    LADDER_DONE = "LADDER_DONE", "Toutes les étapes sont faites"
    NEEDS_APPROVAL = "NEEDS_APPROVAL", "Attend un accord"
    SEND = "SEND", "Part"


class Reason(models.TextChoices):
    """Why a person must approve."""

    AMOUNT = "amount", "Montant au-dessus du seuil"
    STRATEGIC = "strategic", "Client stratégique"
    FORMAL = "formal", "Mise en demeure"
    NO_ANSWER = "no_answer", "Aucune réponse depuis le premier rappel"
    NO_AGREEMENT = "no_agreement", "Aucune convention d’honoraires enregistrée"
    NEW_FIRM = "new_firm", "Quatorze premiers jours"
    TWO_PEOPLE = "two_people", "Double validation"
    LATE_ENTRY = "late_entry", "Retard déjà important à l’entrée"
    KIND_UNKNOWN = "kind_unknown", "Qualité du client à préciser"
    FAR_TERRITORY = "far_territory", "Territoire sans calendrier connu"
    NO_TEXT = "no_text", "Texte et canal à venir"
    FIRM_MODE = "firm_mode", "Mode d’envoi du cabinet"
    STEP_ASKS = "step_asks", "L’étape demande un accord"
    BY_HAND = "by_hand", "Relance demandée par une personne"
    EDITED = "edited", "Texte modifié pour ce message"
    LIMITATION = "limitation", "Prescription à vérifier"
    UNCHECKED = "unchecked", "Procédure collective à vérifier"
    CHANGED = "changed", "Les faits ont changé depuis l’accord"


class Medium(models.TextChoices):
    """What a provider's account carries."""

    SMS = "sms", "SMS"
    LETTER = "letter", "Courrier"


class LetterState(models.TextChoices):
    """Where a letter is; it only moves forward."""

    READY = "ready", "À préparer"
    PRINTED = "printed", "Imprimée, à poster"
    SUBMITTED = "submitted", "Confiée au prestataire"
    DEPOSITED = "deposited", "Déposée"
    PRESENTED = "presented", "Présentée"
    DELIVERED = "delivered", "Distribuée"
    REFUSED = "refused", "Refusée"
    UNCLAIMED = "unclaimed", "Non réclamée"
    RETURNED = "returned", "Revenue : adresse inconnue"
    VOID = "void", "Annulée avant l’envoi"


class RunState(models.TextChoices):
    """Where a letter of a print run is."""

    WAITING = "waiting", "À préparer"
    PRINTED = "printed", "Imprimée"
    APART = "apart", "À part"


class ProofKind(models.TextChoices):
    """What a proof proves."""

    DEPOSIT = "deposit", "Preuve de dépôt"
    RECEIPT = "receipt", "Accusé de réception"
    REFUSAL = "refusal", "Preuve de refus"
    UNCLAIMED = "unclaimed", "Preuve de non-réclamation"
    RETURN = "return", "Retour à l’expéditeur"
    OTHER = "other", "Autre justificatif"


class CallResult(models.TextChoices):
    """The seven outcomes of a call."""

    PROMISED = "promised", "Promet de payer"
    SAYS_PAID = "says_paid", "Dit avoir payé"
    WANTS_PLAN = "wants_plan", "Demande un échéancier"
    DISPUTES = "disputes", "Conteste"
    LEFT_WORD = "left_word", "Message laissé"
    NO_REPLY = "no_reply", "Pas de réponse"
    WRONG_NUMBER = "wrong_number", "Mauvais numéro"


class InboundKind(models.TextChoices):
    """What came back."""

    REPLY = "reply", "Réponse"
    BOUNCE = "bounce", "Adresse refusée"
    SOFT_BOUNCE = "soft_bounce", "Remise retardée"
    AUTOMATIC = "automatic", "Réponse automatique"
    UNREADABLE = "unreadable", "Illisible"


class InboundState(models.TextChoices):
    """What became of what came back."""

    TO_CLASSIFY = "to_classify", "À classer"
    UNMATCHED = "unmatched", "À rattacher"
    CLASSIFIED = "classified", "Classée"
    LOGGED = "logged", "Notée"
    UNRELATED = "unrelated", "Sans rapport"


class ReplyClass(models.TextChoices):
    """What a person read in a reply."""

    PAID = "paid", "Dit avoir payé"
    DISPUTE = "dispute", "Conteste"
    PLAN = "plan", "Demande un échéancier"
    PROMISE = "promise", "Promet de payer"
    WRONG_PERSON = "wrong_person", "Mauvais destinataire"
    OTHER = "other", "Autre"


class JobState(models.TextChoices):
    """Where a document made in the background is."""

    ASKED = "asked", "Demandé"
    DONE = "done", "Prêt"
    FAILED = "failed", "Interrompu"


class JobKind(models.TextChoices):
    """A document made in the background."""

    BATONNIER = "batonnier", "Dossier du bâtonnier"
    CHRONOLOGY = "chronology", "Chronologie"
    ACCOUNT = "account", "Relevé de compte"
    PRINT_RUN = "print_run", "Lot à imprimer"


class Origin(models.TextChoices):
    """Whose address a firm's e-mails leave from."""

    OWN_SERVER = "own_server", "Serveur d’envoi du cabinet"
    OWN_DOMAIN = "own_domain", "Sous-domaine du cabinet"
    PLATFORM = "platform", "Adresse de la plateforme"
    DEMO = "demo", "Démonstration"


class RecordKind(models.TextChoices):
    """A line a firm publishes in its DNS so that its messages are known to be its own."""

    DKIM = "dkim", "Signature DKIM"
    DKIM_SPARE = "dkim_spare", "Signature DKIM de rechange"
    RETURN_PATH = "return_path", "SPF et adresse de retour"
    DMARC = "dmarc", "Politique DMARC"


class RecordState(models.TextChoices):
    """What the DNS last said of a line."""

    NEVER = "never", "Jamais vérifié"
    WAITING = "waiting", "En attente DNS"
    VERIFIED = "verified", "Vérifié"
    BROKEN = "broken", "Cassé"


class DomainState(models.TextChoices):
    """What the lines of a sending domain add up to."""

    NEVER = "never", "Jamais vérifié"
    WAITING = "waiting", "En attente DNS"
    PARTIAL = "partial", "Partiel"
    VERIFIED = "verified", "Vérifié"
    BROKEN = "broken", "Cassé"


class StaffMailKind(models.TextChoices):
    """A mail the product writes to a person of the firm."""

    MORNING = "morning", "E-mail du matin"
    MONTHLY = "monthly", "Chiffres du mois"
    TEST = "test", "Envoi d’essai"
    TEST_SMS = "test_sms", "SMS d’essai"
    INSURER = "insurer", "Projet d’information de l’assureur"
    TRIAL = "trial", "Essai de l’adresse d’envoi"
    DNS = "dns", "Instructions à l’informaticien"
    PROCESSOR = "processor", "Annonce d’un sous-traitant"
    INCIDENT = "incident", "Incident de l’installation"
