"""Words of what is owed, and of the facts that stop."""

from django.db import models


class InvoiceKind(models.TextChoices):
    """What the document is: a provision is never put on formal notice (R34)."""

    INVOICE = "invoice", "Facture"
    PROVISION = "provision", "Provision"


class InvoiceState(models.TextChoices):
    """What the firm decided of the invoice; the status on screen is computed (`Invoice.status`)."""

    DRAFT = "draft", "Brouillon"
    OPEN = "open", "À encaisser"
    CANCELLED = "cancelled", "Annulée"
    WRITTEN_OFF = "written_off", "Irrécouvrable"
    ARCHIVED = "archived", "Archivée"


class InvoiceStatus(models.TextChoices):
    """The one word an invoice wears on every screen."""

    DRAFT = "draft", "Brouillon"
    NOT_DUE = "not_due", "À échoir"
    OVERDUE = "overdue", "Échue"
    PART_PAID = "part_paid", "Partiellement payée"
    IN_FLIGHT = "in_flight", "Paiement en cours"
    PAID = "paid", "Payée"
    DISPUTED = "disputed", "Contestée"
    PLAN = "plan", "Échéancier"
    HELD = "held", "Suspendue"
    WRITTEN_OFF = "written_off", "Irrécouvrable"
    CANCELLED = "cancelled", "Annulée"
    ARCHIVED = "archived", "Archivée"


class StopKind(models.TextChoices):
    """A fact that stops or bends the ladder; each is the stop rule of the same name."""

    PAYMENT_IN_FLIGHT = "payment_in_flight", "Paiement en cours"
    CLAIMED_PAID = "claimed_paid", "Le client dit avoir payé"
    INSOLVENCY = "insolvency", "Procédure collective"
    OVER_INDEBTEDNESS = "over_indebtedness", "Surendettement"
    PROTECTED_PERSON = "protected_person", "Décès, tutelle ou minorité"
    WRONG_RECIPIENT = "wrong_recipient", "Mauvais destinataire"
    DISPUTE = "dispute", "Contestation"
    MEDIATION = "mediation", "Médiation"
    BATONNIER_SEISED = "batonnier_seised", "Bâtonnier saisi"
    HOLD = "hold", "Suspension"
    PROMISE = "promise", "Promesse de paiement"
    PLAN = "plan", "Échéancier en cours"
    REPLIED = "replied", "Réponse à classer"


class Grounds(models.TextChoices):
    """Why a fact stops, where its kind alone does not say it."""

    AMOUNT = "amount", "Montant contesté"
    SERVICE = "service", "Prestation contestée"
    ALREADY_PAID = "already_paid", "Déjà réglé selon le client"
    AGREEMENT = "agreement", "Convention d’honoraires contestée"
    SAFEGUARD = "safeguard", "Sauvegarde"
    RECOVERY = "recovery", "Redressement judiciaire"
    LIQUIDATION = "liquidation", "Liquidation judiciaire"
    DEATH = "death", "Décès"
    GUARDIANSHIP = "guardianship", "Tutelle ou curatelle"
    MINOR = "minor", "Minorité"
    OTHER = "other", "Autre raison"


class ClaimKind(models.TextChoices):
    """What lateness adds beside an invoice, never on it."""

    INTEREST = "interest", "Pénalités ou intérêts"
    INDEMNITY = "indemnity", "Indemnité forfaitaire de 40 €"


class CheckOrigin(models.TextChoices):
    """Who looked for an insolvency proceeding."""

    API = "api", "Interrogation du BODACC"
    MANUAL = "manual", "Vérification par une personne"


class LimitationEffect(models.TextChoices):
    """What an event does to limitation (R29)."""

    NONE = "none", "Sans effet"
    INTERRUPT = "interrupt", "Interrompt"
    SUSPEND = "suspend", "Suspend"


class DocumentKind(models.TextChoices):
    """What a sealed file is."""

    INVOICE = "invoice", "Facture"
    FEE_AGREEMENT = "fee_agreement", "Convention d’honoraires"
    PROOF = "proof", "Justificatif"


class Removal(models.TextChoices):
    """Why a document was removed."""

    WRONG_FILE = "wrong_file", "Ce n’est pas le bon fichier"
    REPLACED = "replaced", "Il est remplacé par un autre"
    REQUESTED = "requested", "Le client demande son retrait"
    OTHER = "other", "Autre raison"


class ImportState(models.TextChoices):
    """Where an import is."""

    UPLOADED = "uploaded", "Fichier reçu"
    CHECKING = "checking", "Contrôle en cours"
    CHECKED = "checked", "Contrôlé"
    IMPORTING = "importing", "Import en cours"
    DONE = "done", "Terminé"
    FAILED = "failed", "Interrompu"
    UNDOING = "undoing", "Annulation en cours"
    UNDONE = "undone", "Annulé"


# A worker carries these on; the others wait for a person or are over.
RUNNING = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)


class LineNature(models.TextChoices):
    """What an import has to say of a line."""

    FAULT = "fault", "À corriger"
    DUPLICATE = "duplicate", "Déjà connue"
    DIFFERENCE = "difference", "Montant différent"
    SETTLEMENT = "settlement", "Règlement à mettre à jour"
    NOTICE = "notice", "À vérifier"
