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


class RequestKind(models.TextChoices):
    """What a debtor says from the link."""

    ALREADY_PAID = "already_paid", "J’ai déjà payé"
    PROBLEM = "problem", "Signaler un problème"
    WRONG_RECIPIENT = "wrong_recipient", "Ce n’est pas pour moi"


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


# What each kind of request may become.
OUTCOMES: dict[RequestKind, tuple[RequestOutcome, ...]] = {
    RequestKind.ALREADY_PAID: (RequestOutcome.PAID, RequestOutcome.STILL_DUE),
    RequestKind.PROBLEM: (RequestOutcome.ANSWERED,),
    RequestKind.WRONG_RECIPIENT: (
        RequestOutcome.ADDRESS_CHANGED,
        RequestOutcome.RIGHT_ADDRESS,
        RequestOutcome.SILENCED,
    ),
}


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
