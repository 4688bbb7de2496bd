"""Words of what came in, and of what debtors say."""

from django.db import models


class PaymentMeans(models.TextChoices):
    """How the money came."""

    TRANSFER = "transfer", "Virement"
    CHEQUE = "cheque", "Chèque"
    CARD = "card", "Carte"
    DEBIT = "debit", "Prélèvement"
    CASH = "cash", "Espèces"
    OTHER = "other", "Autre"


class PaymentState(models.TextChoices):
    """Where a payment is: only a settled one lowers what is owed."""

    PROCESSING = "processing", "En cours"
    SETTLED = "settled", "Encaissé"
    FAILED = "failed", "Échoué"
    REVERSED = "reversed", "Annulé"


class Provider(models.TextChoices):
    """Who carries an online payment."""

    STRIPE = "stripe", "Stripe"
    PAYPLUG = "payplug", "PayPlug"
    GOCARDLESS = "gocardless", "GoCardless"


class Mode(models.TextChoices):
    """Whether the keys of a provider move real money."""

    TEST = "test", "Essai"
    LIVE = "live", "Réel"


class CheckoutState(models.TextChoices):
    """Where an online payment is, from the click to its end."""

    OPENING = "opening", "Page demandée"
    OPEN = "open", "Page ouverte"
    PROCESSING = "processing", "En cours"
    PAID = "paid", "Payé"
    FAILED = "failed", "Refusé"
    EXPIRED = "expired", "Abandonné"
    REVERSED = "reversed", "Repris"


# The provider may still say something new of these: they are asked again until they end.
UNSETTLED = (CheckoutState.OPENING, CheckoutState.OPEN, CheckoutState.PROCESSING)


class NoticeState(models.TextChoices):
    """What became of a provider's notice."""

    RECEIVED = "received", "À traiter"
    APPLIED = "applied", "Traité"
    IGNORED = "ignored", "Sans effet"
    DEAD = "dead", "En échec"


class RequestKind(models.TextChoices):
    """What a debtor says from the link."""

    ALREADY_PAID = "already_paid", "J’ai déjà payé"
    PROBLEM = "problem", "Signaler un problème"
    WRONG_RECIPIENT = "wrong_recipient", "Ce n’est pas pour moi"
    CHANNEL = "channel", "Choix du canal"
    DATA = "data", "Demande sur ses données"


class DataRight(models.TextChoices):
    """What a person asks about their data (law.md R58)."""

    ACCESS = "access", "Accès"
    RECTIFICATION = "rectify", "Rectification"
    ERASURE = "erase", "Effacement"
    RESTRICTION = "restrict", "Limitation"
    PORTABILITY = "port", "Portabilité"
    OBJECTION = "object", "Opposition"


class Preference(models.TextChoices):
    """How a debtor would rather be written to."""

    EMAIL = "email", "Par e-mail"
    LETTER = "letter", "Par courrier"


class ProblemReason(models.TextChoices):
    """Why a debtor does not pay."""

    AMOUNT = "amount", "Le montant"
    SERVICE = "service", "La prestation"
    PAID = "paid", "Déjà réglée"
    RECIPIENT = "recipient", "Je ne suis pas le bon destinataire"
    OTHER = "other", "Autre raison"


class RequestState(models.TextChoices):
    """Where a request is."""

    OPEN = "open", "À traiter"
    ANSWERED = "answered", "Traitée"


class RequestOutcome(models.TextChoices):
    """What the firm found when it looked at a request."""

    PAID = "paid", "Le paiement est retrouvé et enregistré"
    STILL_DUE = "still_due", "Aucun paiement ne correspond : la facture reste due"
    ANSWERED = "answered", "La réponse est donnée ; la contestation reste ouverte"
    ADDRESS_CHANGED = "address_changed", "Les coordonnées sont corrigées : le lien change"
    RIGHT_ADDRESS = "right_address", "Le destinataire est le bon"
    SILENCED = "silenced", "Ne plus écrire à cette adresse"
    DONE = "done", "La réponse est donnée"


# What each kind of request may become.
OUTCOMES: dict[RequestKind, tuple[RequestOutcome, ...]] = {
    RequestKind.ALREADY_PAID: (RequestOutcome.PAID, RequestOutcome.STILL_DUE),
    RequestKind.PROBLEM: (RequestOutcome.ANSWERED,),
    RequestKind.WRONG_RECIPIENT: (
        RequestOutcome.ADDRESS_CHANGED,
        RequestOutcome.RIGHT_ADDRESS,
        RequestOutcome.SILENCED,
    ),
    RequestKind.CHANNEL: (RequestOutcome.DONE,),
    RequestKind.DATA: (RequestOutcome.DONE,),
}


class LinkMessageKind(models.TextChoices):
    """What a debtor asks to be sent."""

    CODE = "code", "Code d’accès"
    FRESH_LINK = "fresh_link", "Nouveau lien"


class LinkMedium(models.TextChoices):
    """Where it is sent."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    NONE = "none", "Nulle part"
