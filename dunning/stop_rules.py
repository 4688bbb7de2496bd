"""« Quand rien ne part »: each rule of the night in words a lawyer signs, in the order in which they are read."""

from dataclasses import dataclass

from dunning.enums import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """One rule: what triggers it, when it ends, and who can lift it."""

    code: Code
    when: str
    ends: str
    who: str


@dataclass(frozen=True, slots=True)
class Family:
    """The rules that speak of the same thing, one after the other."""

    title: str
    rules: tuple[StopRule, ...]


def _rule(code: Code, when: str, ends: str, who: str) -> StopRule:
    return StopRule(code=code, when=when, ends=ends, who=who)


# fmt: off
FAMILIES: tuple[Family, ...] = (
    Family("Le cabinet ne parle pas", (
        _rule(Code.KILL_SWITCH,
            "Quelqu’un a cliqué sur « Tout suspendre », ou la plateforme a suspendu tous les envois.",
            "Quand les envois reprennent ; ce qui attendait est réexaminé avant de partir.",
            "Toute l’équipe suspend ; un associé ou un administrateur reprend."),
        _rule(Code.NOT_LIVE,
            "Le cabinet n’est pas encore activé, son abonnement est arrêté, ou il clôt son compte.",
            "À l’activation, ou quand l’abonnement reprend.",
            "Un associé ou un administrateur."),
        _rule(Code.NIGHT_ABNORMAL,
            "La nuit enverrait plus de vingt messages, et trois fois plus que d’habitude ou à plus du quart des"
            " factures ouvertes.",
            "Quand une personne confirme la nuit sur « À valider » ; elle est alors réévaluée.",
            "Toute personne qui approuve des relances."),
    )),
    Family("Rien n’est à demander", (
        _rule(Code.CLOSED,
            "La facture est un brouillon, ou elle est annulée, passée en perte ou archivée.",
            "Si la facture est rouverte.",
            "Toute personne qui modifie les factures."),
        _rule(Code.NEVER,
            "« Ne jamais relancer » est demandé pour le client, le dossier ou la facture.",
            "Quand quelqu’un choisit « Relancer de nouveau ».",
            "Toute l’équipe, sauf le comptable."),
        _rule(Code.PAID,
            "Les paiements et les avoirs couvrent la facture.",
            "Si un paiement est annulé ou revient impayé.",
            "Personne : c’est un fait."),
        _rule(Code.PAYMENT_IN_FLIGHT,
            "Un paiement par carte, prélèvement ou virement est en cours.",
            "Quand il aboutit, la facture est payée ; quand il échoue, l’examen reprend.",
            "Personne : la réponse vient de la banque."),
        _rule(Code.CLAIMED_PAID,
            "Le client dit avoir payé, et personne n’a encore vérifié.",
            "Quand une personne a regardé le compte et classé la demande.",
            "Toute l’équipe, sauf le comptable."),
        _rule(Code.CLIENT_IN_CREDIT,
            "Les avoirs et les provisions du client couvrent tout ce qu’il doit.",
            "Quand ils sont imputés, ou ne suffisent plus.",
            "Toute personne qui enregistre les paiements."),
        _rule(Code.GRACE,
            "Un paiement, même partiel, a été enregistré il y a moins longtemps que le délai d’attente du cabinet.",
            "À la fin du délai, vingt-quatre heures sauf réglage contraire.",
            "Personne : le délai court."),
        _rule(Code.STALE_SOURCE,
            "Ni relevé de la banque, ni déclaration d’une personne : les règlements récents ne sont pas connus.",
            "Dès qu’un relevé arrive, ou que quelqu’un déclare « Règlements à jour au… ».",
            "Toute personne qui enregistre les paiements."),
    )),
    Family("La loi l’interdit", (
        _rule(Code.INSOLVENCY,
            "Une procédure collective est ouverte : sauvegarde, redressement ou liquidation judiciaire.",
            "Quand un avocat constate sa clôture. La créance se déclare au mandataire, dans le délai affiché.",
            "Un avocat."),
        _rule(Code.OVER_INDEBTEDNESS,
            "La demande de surendettement du client est déclarée recevable.",
            "Quand un avocat constate la fin de la procédure.",
            "Un avocat."),
        _rule(Code.LEGAL_AID_TOTAL,
            "L’aide juridictionnelle totale est accordée dans le dossier : aucun honoraire ne peut être demandé.",
            "Si elle est retirée et que le dossier le dit.",
            "Toute personne qui modifie les dossiers."),
        _rule(Code.LEGAL_AID_PARTIAL,
            "L’aide juridictionnelle est partielle, et la convention d’honoraires ou sa notification au bâtonnier dans"
            " les quinze jours manque.",
            "Quand les deux dates sont dans le dossier.",
            "Toute personne qui modifie les dossiers."),
        _rule(Code.PROTECTED_PERSON,
            "Le client est décédé, sous tutelle ou curatelle, ou mineur.",
            "Quand un avocat a dit à qui s’adresser.",
            "Un avocat."),
        _rule(Code.WRONG_RECIPIENT,
            "La personne qui a reçu un message dit qu’il n’est pas pour elle.",
            "Quand une adresse juste est enregistrée et la demande classée.",
            "Un avocat, après correction de l’adresse."),
        _rule(Code.PRESCRIBED,
            "La mission est terminée, et deux ans (consommateur) ou cinq ans (autres clients) ont passé.",
            "Jamais d’elle-même : un acte interruptif se discute avec un avocat, hors du logiciel.",
            "Personne."),
    )),
    Family("La facture se discute ailleurs", (
        _rule(Code.DISPUTE,
            "Le client conteste une facture : toutes ses factures s’arrêtent à l’instant.",
            "Quand un avocat lève la contestation, facture par facture.",
            "Un avocat."),
        _rule(Code.MEDIATION,
            "Une médiation est en cours.",
            "Quand un avocat en note la fin.",
            "Un avocat."),
        _rule(Code.BATONNIER_SEISED,
            "Le bâtonnier est saisi, par le client ou par le cabinet.",
            "Quand un avocat note la décision.",
            "Un avocat."),
        _rule(Code.HEARING,
            "Une audience ou un délibéré du dossier est trop proche, avant ou après.",
            "Une fois passés les jours de silence réglés par le cabinet, trois sauf réglage contraire.",
            "Toute personne qui modifie les dossiers, en corrigeant la date."),
        _rule(Code.HOLD,
            "Une personne a suspendu les relances du cabinet, d’un avocat, d’un client, d’un dossier ou d’une facture.",
            "À la date choisie, ou quand quelqu’un lève la suspension.",
            "Toute l’équipe, sauf le comptable."),
        _rule(Code.PROMISE,
            "Le client a promis de payer, et le jour promis n’est pas passé.",
            "Le lendemain du jour promis.",
            "Toute l’équipe, sauf le comptable."),
        _rule(Code.PLAN,
            "Un échéancier est accordé et suivi ; ses échéances ont leurs propres rappels.",
            "Quand il est terminé ou rompu.",
            "Toute l’équipe, sauf le comptable."),
        _rule(Code.REPLIED,
            "Le client a répondu, et personne n’a encore classé sa réponse.",
            "Quand sa réponse est classée.",
            "Un avocat, ou toute personne qui classe les réponses."),
    )),
    Family("Le message n’arriverait pas, ou trop tôt", (
        _rule(Code.NO_ADDRESS,
            "Aucune adresse n’est connue pour les canaux de l’étape.",
            "Quand une adresse ou un numéro est enregistré.",
            "Toute personne qui modifie les clients."),
        _rule(Code.BOUNCED,
            "L’adresse du client a été refusée, et l’étape n’a pas d’autre canal ouvert.",
            "Quand l’adresse est corrigée.",
            "Toute personne qui modifie les clients."),
        _rule(Code.CONTACT_CAP,
            "Le client a été contacté il y a moins de sept jours, ou quatre fois en trente jours, ou un message se"
            " prépare déjà pour lui.",
            "Au septième jour, ou quand le message en préparation est parti ou annulé.",
            "Personne : le délai court."),
        _rule(Code.MIN_GAP,
            "L’étape précédente est partie il y a moins longtemps que l’écart minimal du scénario.",
            "À la fin de l’écart.",
            "Toute personne qui modifie les scénarios."),
    )),
    Family("L’étape ne convient pas", (
        _rule(Code.PROVISION_END,
            "La facture est une provision, et l’étape va plus loin que J+10 ou parle fermement.",
            "Jamais d’elle-même : une personne décide de la suite.",
            "Un avocat, hors du scénario."),
        _rule(Code.TEXT_REFUSED,
            "Le texte de l’étape ne passe pas le contrôle : mention manquante, mot interdit, champ vide.",
            "Quand le texte est corrigé et publié.",
            "Toute personne qui modifie les textes."),
        _rule(Code.RATE_MISSING,
            "L’étape ne peut s’écrire sans le taux d’intérêt d’un semestre qui n’est pas encore confirmé.",
            "Quand le taux publié est confirmé.",
            "L’exploitant du service, sur la source officielle."),
        _rule(Code.NOTICE_OVER,
            "L’étape est un avis avant l’échéance, et l’échéance est passée.",
            "L’étape suivante prend sa place, à sa date.",
            "Personne : le scénario continue."),
        _rule(Code.LADDER_DONE,
            "Toutes les étapes du scénario sont faites.",
            "Jamais d’elle-même : le dossier passe à une personne.",
            "Un avocat, qui choisit la suite."),
    )),
    Family("Et sinon", (
        _rule(Code.NEEDS_APPROVAL,
            "Aucune règle ne s’y oppose, mais une personne doit lire : mise en demeure, montant au-dessus du seuil,"
            " client stratégique, mode d’envoi du cabinet, quatorze premiers jours…",
            "Quand elle approuve, reporte ou écarte le message sur « À valider ».",
            "Toute personne qui approuve des relances ; un avocat pour une mise en demeure."),
        _rule(Code.SEND,
            "Aucune règle ne s’y oppose.",
            "Le message part à la prochaine ouverture des envois, après un dernier examen de toutes les règles.",
            "Toute l’équipe peut encore suspendre avant le départ, sauf le comptable."),
    )),
)
# fmt: on

STOP_RULES: dict[Code, StopRule] = {rule.code: rule for family in FAMILIES for rule in family.rules}
