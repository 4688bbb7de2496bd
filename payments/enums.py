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
    CREDIT = "credit", "Avoir du client"


# How money can come in, or go back: a credit is already here.
MONEY = tuple(means for means in PaymentMeans if means != PaymentMeans.CREDIT)


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


class MandateState(models.TextChoices):
    """Where a debtor's leave to collect is."""

    ASKED = "asked", "À signer"
    SIGNED = "signed", "En vigueur"
    ENDED = "ended", "Terminé"


STANDING_MANDATES = (MandateState.ASKED, MandateState.SIGNED)


class MandateEnd(models.TextChoices):
    """Who ended it."""

    DEBTOR = "debtor", "Le client"
    FIRM = "firm", "Le cabinet"
    BANK = "bank", "La banque ou le prestataire"
    PLAN = "plan", "La fin de l’échéancier"
    NOBODY = "nobody", "Jamais signé"


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


class PlanState(models.TextChoices):
    """Where a payment plan is."""

    PROPOSED = "proposed", "Proposé"
    ACTIVE = "active", "En cours"
    KEPT = "kept", "Tenu"
    BROKEN = "broken", "Versement manqué"
    REFUSED = "refused", "Refusé"
    CANCELLED = "cancelled", "Annulé"


class PlanOrigin(models.TextChoices):
    """Who proposed a plan: the other accepts it."""

    DEBTOR = "debtor", "Le client"
    FIRM = "firm", "Le cabinet"


class PlanMail(models.TextChoices):
    """What is written to a debtor about a plan."""

    OFFER = "offer", "Proposition du cabinet"
    CONFIRMED = "confirmed", "Confirmation"
    REFUSED = "refused", "Refus"
    REMINDER = "reminder", "Rappel d’un versement"


class MailState(models.TextChoices):
    """Where a message about a plan is."""

    WAITING = "waiting", "Va partir"
    SENDING = "sending", "En cours d’envoi"
    SENT = "sent", "Envoyé"
    REJECTED = "rejected", "Refusé par le serveur"
    UNKNOWN = "unknown", "Issue incertaine"
    CANCELLED = "cancelled", "Annulé"


# The debtor was spoken to, or may have been.
MAIL_SPOKEN = (MailState.SENDING, MailState.SENT, MailState.UNKNOWN)


class PromiseResult(models.TextChoices):
    """What became of a promise to pay."""

    KEPT = "kept", "Tenue"
    BROKEN = "broken", "Non tenue"


class BankFormat(models.TextChoices):
    """How a bank writes its statements."""

    CAMT053 = "camt053", "CAMT.053"
    CAMT054 = "camt054", "CAMT.054"
    CFONB120 = "cfonb120", "CFONB 120"
    OFX = "ofx", "OFX"
    CSV = "csv", "CSV"


class BankSource(models.TextChoices):
    """How a bank file came."""

    UPLOAD = "upload", "Déposé par une personne"
    FEED = "feed", "Reçu par le dossier de dépôt"


class LineState(models.TextChoices):
    """Where a line of the bank is."""

    UNMATCHED = "unmatched", "À rapprocher"
    MATCHED = "matched", "Rapprochée"
    IGNORED = "ignored", "Écartée"
    OUTGOING = "outgoing", "Sortie d’argent"


class IgnoredReason(models.TextChoices):
    """Why a line of the bank pays no invoice here."""

    NOT_FEES = "not_fees", "Ne concerne pas des honoraires"
    BANK = "bank", "Frais ou opération de la banque"
    KNOWN = "known", "Déjà enregistrée par ailleurs"
    OWN = "own", "Virement entre comptes du cabinet"


class GuessOutcome(models.TextChoices):
    """What accepting a suggestion does."""

    RECORD = "record", "Enregistrer le paiement"
    LINK = "link", "Rattacher au paiement déjà enregistré"
    REVERSE = "reverse", "Annuler le paiement revenu impayé"


class LinkMessageKind(models.TextChoices):
    """What a debtor asks to be sent, or is told because they asked for something."""

    CODE = "code", "Code d’accès"
    FRESH_LINK = "fresh_link", "Nouveau lien"
    ANSWER = "answer", "Réponse à une demande"
    EXTENDED = "extended", "Délai d’une réponse prolongé"
    LAST = "last", "Dernier message avant qu’une adresse ne serve plus"


class LinkMedium(models.TextChoices):
    """Where it is sent."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    NONE = "none", "Nulle part"
