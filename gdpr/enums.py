"""Words of the register: on what a treatment rests, whom it is about, when a datum is let go of, and how."""

from django.db import models


class Basis(models.TextChoices):
    """On what a purpose rests (GDPR art. 6-1); one a purpose (R57)."""

    CONTRACT = "contract", "Exécution du contrat (art. 6-1-b)"
    LEGAL_OBLIGATION = "legal_obligation", "Obligation légale (art. 6-1-c)"
    LEGITIMATE_INTEREST = "legitimate_interest", "Intérêt légitime (art. 6-1-f)"
    CONSENT = "consent", "Consentement (art. 6-1-a)"


class Person(models.TextChoices):
    """Whom a row is about."""

    CLIENT = "client", "Clients du cabinet, leurs contacts et tiers payeurs"
    WRITER = "writer", "Personnes qui écrivent au cabinet ou virent une somme"
    MEMBER = "member", "Avocats, assistants et comptables du cabinet"
    OPERATOR = "operator", "Personnes qui exploitent l’installation"
    FIRM = "firm", "Le cabinet lui-même"


class Start(models.TextChoices):
    """What a length is counted from."""

    FISCAL_YEAR_END = "fiscal_year_end", "Fin de l’exercice de la pièce"
    DEBT_OVER = "debt_over", "Fin de la mission, ou dernier règlement s’il est plus tard"
    WRITTEN = "written", "Écriture de la ligne"
    DONE = "done", "Fin du traitement de la ligne"
    LEFT = "left", "Départ de la personne"
    CLOSED = "closed", "Clôture du compte du cabinet"


class Ending(models.TextChoices):
    """What becomes of a row's personal fields when their time is over, or when erasure is due."""

    EMPTY = "empty", "Champs vidés, fichiers détruits ; la ligne reste sans personne"
    DELETE = "delete", "Ligne supprimée"
    KEEP_TRACE = "keep_trace", "Gardée : ne contient que des empreintes et des dates"
    STAYS = "stays", "Gardée : son accès cesse, son nom demeure auprès de ses actes"
    WITH_FIRM = "with_firm", "Détruite avec la clé du cabinet, à sa clôture"


class Claim(models.TextChoices):
    """A right a person may use (GDPR art. 15 to 21)."""

    ACCESS = "access", "Accès"
    RECTIFICATION = "rectification", "Rectification"
    ERASURE = "erasure", "Effacement"
    RESTRICTION = "restriction", "Limitation"
    PORTABILITY = "portability", "Portabilité"
    OBJECTION = "objection", "Opposition"


class RequestOrigin(models.TextChoices):
    """How a request arrived."""

    LINK = "link", "Page du client"
    EMAIL = "email", "E-mail"
    LETTER = "letter", "Courrier"
    SPOKEN = "spoken", "De vive voix"


class IdentityProof(models.TextChoices):
    """How a person was recognised; a copy of an identity card is asked for only in doubt (art. 12-6)."""

    KNOWN = "known", "Écrit depuis l’adresse connue du cabinet"
    CODE = "code", "Code envoyé à l’adresse connue"
    MET = "met", "Reconnue en personne ou au téléphone"
    DOCUMENT = "document", "Pièce d’identité vue, non conservée"


class RightsState(models.TextChoices):
    """How far a request is."""

    OPEN = "open", "À répondre"
    GRANTED = "granted", "Satisfaite"
    PARTLY = "partly", "Satisfaite en partie"
    REFUSED = "refused", "Refusée"
    WITHDRAWN = "withdrawn", "Retirée"


class Attested(models.TextChoices):
    """What a person vouches for, with a date (the checklist)."""

    PRIVACY = "privacy", "Politique de confidentialité à jour"
    TRAINING = "training", "Formation suivie"
    AUDIT = "audit", "Audit annuel fait"


class Risk(models.TextChoices):
    """What a breach may do to people (GDPR art. 33 and 34)."""

    UNKNOWN = "unknown", "À évaluer"
    NONE = "none", "Aucun risque"
    SOME = "some", "Risque"
    HIGH = "high", "Risque élevé"


class CopyState(models.TextChoices):
    """Where the archive of a firm stands."""

    ASKED = "asked", "Demandée"
    MAKING = "making", "En préparation"
    READY = "ready", "Prête"
    FAILED = "failed", "Interrompue"
    GONE = "gone", "Retirée"


class BreachOrigin(models.TextChoices):
    """Who first knew of a breach."""

    FIRM = "firm", "Constatée par le cabinet"
    OPERATOR = "operator", "Signalée par l’exploitant"


class Verdict(models.TextChoices):
    """What the operator answers a firm that objects to a sub-processor."""

    MAINTAINED = "maintained", "Maintenu"
    GIVEN_UP = "given_up", "Abandonné"
