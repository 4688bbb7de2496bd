"""Facts of the engine in words a person reads; nothing here asks the database."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cabinets.enums import ClientKind
from dunning.enums import CallResult, Channel, Code, Reason, ReplyClass, Tone
from dunning.models import Step
from dunning.policy import CONTACT_GAP_DAYS, CONTACTS_PER_30_DAYS, Verdict
from invoices.money import show_euros
from templates_lib.rendering import day_words

NBSP = "\u00a0"
WEEK = 7
NEAR_DAYS = {0: "auj.", 1: "demain"}
SHORT_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
# What the night wrote: a code, the facts it saw, and when it looks again.
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of « Ce que nous savons »."""

    icon: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a timeline, in the words of `_timeline.html`."""

    at: dt.datetime
    tone: str
    icon: str
    title: str
    when: str
    text: str = ""
    url: str = ""
    link_label: str = ""
    future: bool = False
    # The row it tells, when two rows in the same words are two facts: two payments, two messages.
    source: UUID | None = None


CHANNEL_ICONS = {
    Channel.EMAIL: "mail",
    Channel.SMS: "message-square-text",
    Channel.LETTER: "mail-open",
    Channel.REGISTERED: "file-check",
    Channel.PHONE: "phone",
}

# What a kind of client changes in what is said (law.md R12–R15).
KIND_MEANS = {
    ClientKind.PROFESSIONAL: "Pénalités de retard et indemnité de 40 € par facture, réclamées à partir de J+30",
    ClientKind.CONSUMER: "Ni pénalité ni frais de recouvrement ne lui sont réclamés",
    ClientKind.NON_PRO_LEGAL: "Textes du particulier : ni pénalité ni indemnité de 40 €",
    ClientKind.PUBLIC: "Intérêts moratoires et indemnité de 40 € de plein droit, réclamés à partir de J+30",
    ClientKind.UNKNOWN: "Textes du particulier, sans aucun frais ; à préciser dans le dossier avant J+30",
}

WHY_A_PERSON = {
    Reason.AMOUNT: "Le montant dépasse le seuil de validation du cabinet.",
    Reason.STRATEGIC: "Client stratégique : chaque message est relu.",
    Reason.FORMAL: "Une mise en demeure est toujours approuvée par un avocat.",
    Reason.NO_ANSWER: "Le client n’a donné aucune réponse depuis le premier rappel.",
    Reason.NO_AGREEMENT: "Aucune convention d’honoraires n’est enregistrée dans le dossier.",
    Reason.NEW_FIRM: "Les quatorze premiers jours, tout est relu.",
    Reason.TWO_PEOPLE: "Ce client demande l’accord de deux personnes différentes.",
    Reason.LATE_ENTRY: "La facture avait déjà un retard important à son entrée.",
    Reason.KIND_UNKNOWN: "La qualité du client n’est pas précisée dans le dossier.",
    Reason.FAR_TERRITORY: "Le territoire du client est inconnu : ses jours fériés ne sont pas vérifiés.",
    Reason.NO_TEXT: "Le texte et le canal de cette étape ne sont pas encore publiés : rien ne part.",
    Reason.FIRM_MODE: "Le mode d’envoi du cabinet ou du client demande une relecture.",
    Reason.STEP_ASKS: "Cette étape du scénario demande toujours un accord.",
    Reason.BY_HAND: "Une personne a demandé cette relance.",
    Reason.EDITED: "Le texte a été modifié pour ce message.",
    Reason.LIMITATION: "Le délai de prescription est à vérifier : la fin de mission n’est pas renseignée.",
    Reason.UNCHECKED: "Personne n’a vérifié depuis hier que ce client n’est pas en procédure collective.",
    Reason.CHANGED: "Les faits ou les montants ont changé depuis l’accord donné.",
}

# What each outcome of a call changes, at once.
CALL_MEANS = {
    CallResult.PROMISED: "plus rien ne part avant le jour promis ; l’étape est faite",
    CallResult.SAYS_PAID: "les relances s’arrêtent, et une tâche demande de vérifier ; l’étape est faite",
    CallResult.WANTS_PLAN: "quatorze jours de pause et une tâche pour étudier l’échéancier ; l’étape est faite",
    CallResult.DISPUTES: "toutes les relances de ce client s’arrêtent ; un avocat les libère une par une",
    CallResult.LEFT_WORD: "le client a été contacté ; l’étape est faite",
    CallResult.NO_REPLY: "deux autres essais, un par jour ouvré ; après le troisième, l’étape est faite",
    CallResult.WRONG_NUMBER: "ce numéro n’est plus appelé avant correction ; l’étape ne compte pas",
}
# What each class of an answer changes, said on its button's page and once it is done.
REPLY_MEANS = {
    ReplyClass.PAID: "Les factures cochées attendent que quelqu’un vérifie le paiement.",
    ReplyClass.DISPUTE: "Toutes les relances de ce client s’arrêtent ; un avocat les libère une par une.",
    ReplyClass.PLAN: "Quatorze jours de pause sur les factures cochées, et une tâche pour étudier la demande.",
    ReplyClass.PROMISE: "Rien ne part pour les factures cochées avant le jour promis.",
    ReplyClass.WRONG_PERSON: "On n’écrit plus à cette adresse avant qu’elle soit corrigée.",
    ReplyClass.OTHER: "Les relances reprennent à la prochaine nuit.",
}
# What whoever calls keeps to themselves (law.md R19, R34c).
NEVER_SAID = (
    "L’affaire, son numéro, l’adversaire, la juridiction : une autre personne peut décrocher ou écouter.",
    "Le montant et la facture, avant d’être certain de parler à la bonne personne.",
    "Sur un répondeur : autre chose que votre nom, celui du cabinet et le numéro à rappeler.",
    "Une action en justice, un huissier, une saisie : seul le bâtonnier connaît des honoraires.",
    "Une menace, une insistance, un second appel le même jour.",
)
NEVER_SAID_TO_OTHERS = ("Des pénalités ou des frais de recouvrement : ce client n’en doit aucun à ce stade.",)

# What each link of the chain of evidence tells.
EVIDENCE_EVENTS = {
    "message.departed": "Message parti",
    "message.delivered": "Message remis",
    "message.uncertain": "Issue incertaine",
    "message.rejected": "Message refusé par le serveur",
    "message.bounced": "Message revenu",
    "letter.submitted": "Lettre confiée au prestataire",
    "letter.deposited": "Lettre déposée",
    "letter.presented": "Lettre présentée",
    "letter.delivered": "Lettre distribuée",
    "letter.refused": "Lettre refusée",
    "letter.unclaimed": "Lettre non réclamée",
    "letter.returned": "Lettre revenue",
    "proof.kept": "Preuve reçue",
}

# What a rule means and what moves it, in the order of the codes.
RULE_MEANS = {
    Code.KILL_SWITCH: "Tous les envois étaient suspendus. Ils reprennent quand une personne habilitée le décide.",
    Code.NOT_LIVE: "Le cabinet n’était pas activé, son abonnement était arrêté, ou il clôturait son compte.",
    Code.NIGHT_ABNORMAL: "Cette nuit aurait envoyé bien plus de messages que d’habitude : une personne la confirme.",
    Code.CLOSED: "La facture est close : brouillon, annulée, passée en perte ou archivée.",
    Code.NEVER: "« Ne jamais relancer » est demandé pour le client, le dossier ou la facture.",
    Code.PAID: "Rien ne reste dû après les paiements et les avoirs.",
    Code.PAYMENT_IN_FLIGHT: "Un paiement est en cours : il est attendu avant tout message.",
    Code.CLAIMED_PAID: "Le client dit avoir payé et personne n’a encore vérifié.",
    Code.CLIENT_IN_CREDIT: "Les avoirs et provisions du client couvrent ce qu’il doit.",
    Code.GRACE: "Un paiement vient d’être enregistré : un délai d’attente le suit.",
    Code.STALE_SOURCE: "Ni relevé de la banque, ni déclaration récente : les derniers règlements ne sont pas connus.",
    Code.INSOLVENCY: "Une procédure collective est ouverte : tout s’arrête.",
    Code.OVER_INDEBTEDNESS: "Une procédure de surendettement est ouverte : tout s’arrête.",
    Code.LEGAL_AID_TOTAL: "Aide juridictionnelle totale : aucun honoraire ne peut être demandé.",
    Code.LEGAL_AID_PARTIAL: "Aide partielle : la convention ou sa notification au bâtonnier manque au dossier.",
    Code.PROTECTED_PERSON: "Décès, tutelle ou minorité : un avocat décide de la suite.",
    Code.WRONG_RECIPIENT: "L’adresse n’est pas la bonne : elle est arrêtée jusqu’à sa correction.",
    Code.PRESCRIBED: "Le délai de prescription est écoulé.",
    Code.DISPUTE: "La facture ou une autre du client est contestée, jusqu’à ce qu’un avocat lève la contestation.",
    Code.MEDIATION: "Une médiation est en cours.",
    Code.BATONNIER_SEISED: "Le bâtonnier est saisi.",
    Code.HEARING: "Une audience du dossier est trop proche.",
    Code.HOLD: "Les relances sont suspendues pour la facture, le dossier, le client, l’avocat ou le cabinet.",
    Code.PROMISE: "Le client a promis de payer et le jour promis n’est pas passé.",
    Code.PLAN: "Un échéancier est suivi.",
    Code.REPLIED: "Le client a répondu et sa réponse n’est pas encore classée.",
    Code.NO_ADDRESS: "Aucune adresse utilisable n’est connue pour le canal de l’étape.",
    Code.BOUNCED: "L’adresse du client a été refusée par son serveur.",
    Code.CONTACT_CAP: (
        f"Le client a été contacté il y a moins de {CONTACT_GAP_DAYS} jours, {CONTACTS_PER_30_DAYS} fois en 30 jours,"
        " ou un message se prépare pour lui."
    ),
    Code.MIN_GAP: "L’étape précédente est trop récente.",
    Code.PROVISION_END: "Une provision s’arrête après J+10 : une personne décide de la suite.",
    Code.TEXT_REFUSED: "Le texte de l’étape ne passe pas le contrôle.",
    Code.RATE_MISSING: "Le taux d’intérêt du semestre n’est pas encore connu.",
    Code.NOTICE_OVER: "L’échéance est passée : l’avis n’a plus d’objet, l’étape suivante prend sa place.",
    Code.LADDER_DONE: "Toutes les étapes du scénario sont faites.",
    Code.NEEDS_APPROVAL: "Le message attend l’accord d’une personne.",
    Code.SEND: "Aucune règle ne s’y oppose : le message part à la prochaine ouverture.",
}


def step_words(step: Step) -> str:
    """Return "J+10 · rappel avec solutions"."""
    return f"{offset_words(step.offset_days)} · {Tone(step.tone).label.lower()}"


def offset_words(days: int) -> str:
    """Return "J+10", or "J-5" before the due date."""
    return f"J{days:+d}"


def late_words(*, due_on: dt.date, on: dt.date) -> str:
    """Return how late an invoice is, or when it falls due."""
    days = (on - due_on).days
    if days > 0:
        return f"il y a {days} jour{'s' if days > 1 else ''}"
    if days == 0:
        return "aujourd’hui"
    return f"dans {-days} jour{'s' if days < -1 else ''}"


def hour_words(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Return "9 h 30" in this zone."""
    local = at.astimezone(zone)
    return f"{local.hour}{NBSP}h" + (f"{NBSP}{local.minute:02d}" if local.minute else "")


def moment_words(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Return "24 novembre 2026 à 9 h 30" in this zone."""
    return f"{day_words(at.astimezone(zone).date())} à {hour_words(at, zone)}"


def soon_words(at: dt.datetime, *, on: dt.date, zone: dt.tzinfo) -> str:
    """Return "demain 9 h 30", "jeu. 9 h 30" within a week, then "24 déc."."""
    day = at.astimezone(zone).date()
    days = (day - on).days
    if not 0 <= days < WEEK:
        return f"{day.day}{NBSP}{SHORT_MONTHS[day.month - 1]}"
    name = NEAR_DAYS.get(days, SHORT_DAYS[day.weekday()])
    return f"{name} {hour_words(at, zone)}"


def plural(count: int, one: str, many: str) -> str:
    """Return "3 relances" or "1 relance"."""
    return f"{count}{NBSP}{one if count < 2 else many}"  # noqa: PLR2004 - French counts zero and one alike


def verdict_words(verdict: Verdict) -> str:
    """Return what the rules answer, with the reasons for which a person must approve."""
    if not verdict.reasons:
        return RULE_MEANS[verdict.code]
    return " ".join(WHY_A_PERSON[reason] for reason in verdict.reasons)


def reasons_of(codes: Sequence[str]) -> list[str]:
    """Return the sentences that say why a person must approve."""
    return [WHY_A_PERSON[Reason(code)] for code in codes]


def facts_words(facts: Facts) -> list[str]:
    """Return the facts a night saw, each in a few words."""
    words = []
    if (owed := facts.get("owed_cents")) is not None:
        words.append(f"Reste dû : {show_euros(owed)}")
    if due_on := _day(facts, "due_on"):
        words.append(f"Échéance : {day_words(due_on)}")
    if (offset := facts.get("offset_days")) is not None:
        words.append(f"Étape : {offset_words(offset)}")
    if until_on := _day(facts, "until_on"):
        words.append(f"Arrêt jusqu’au {day_words(until_on)}")
    if last := _day(facts, "last_contact_on"):
        words.append(f"Dernier contact : {day_words(last)}")
    if contacts := facts.get("contacts"):
        words.append(f"{contacts} contact{'s' if contacts > 1 else ''} en 30 jours")
    if step := _day(facts, "last_step_on"):
        words.append(f"Étape précédente partie le {day_words(step)}")
    words += [f"Motif d’accord : {Reason(code).label.lower()}" for code in facts.get("reasons", ())]
    return words


def _day(facts: Facts, name: str) -> dt.date | None:
    value = facts.get(name)
    return dt.date.fromisoformat(value) if value else None
