"""What the law and professional secrecy keep out of a text, and what a formal notice must hold: as data."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from templates_lib.enums import Channel, Kind, Step

EARLY_STEPS = (Step.J0, Step.J3, Step.J10)
UNCHARGED = (Kind.CONSUMER, Kind.NON_PRO_LEGAL)


@dataclass(frozen=True, slots=True)
class Ban:
    """Words a text may not hold, for whom, and where; written without accents, in lower case."""

    rule: str
    pattern: re.Pattern[str]
    reason: str
    mend: str
    kinds: tuple[Kind, ...] = tuple(Kind)
    steps: tuple[Step, ...] = tuple(Step)
    channels: tuple[Channel, ...] = tuple(Channel)

    def concerns(self, *, kind: Kind, channel: Channel, step: Step) -> bool:
        """Tell whether the ban holds for this reader, on this channel, at this rung."""
        return kind in self.kinds and channel in self.channels and step in self.steps


@dataclass(frozen=True, slots=True)
class Duty:
    """Words or fields a text must hold."""

    rule: str
    pattern: re.Pattern[str]
    words: str
    reason: str
    mend: str


def _spaced(pattern: str) -> re.Pattern[str]:
    """Compile a pattern whose spaces also stand for a line break or a run of spaces."""
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"))


def _words(*patterns: str) -> re.Pattern[str]:
    return _spaced(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


NO_COST = "À un client non professionnel, aucun frais ni pénalité ne se réclame."
MATTER = "Ces mots laissent deviner l’affaire\u00a0; le secret professionnel les garde au cabinet."
MATTER_MEND = "Tenez-vous-en à la facture, ou à [Référence_dossier]."

MATTER_WORDS: tuple[str, ...] = (
    r"divorces?",
    r"(?:partie )?adverses?",
    r"adversaires?",
    r"\w+ c ?/ ?(?!o(?!\w))\w+",
    r"(?:l')?affaire \w+(?: \w+)? contre",
    r"prud'? ?hom(?:mes|al|ale|aux)",
    r"gardes? a vue",
    r"garde (?:des enfants|alternee|exclusive)",
    r"pension alimentaire",
    r"prestation compensatoire",
    r"licenciements?",
    r"harcelement",
    r"mise? en examen",
    r"correctionnel(?:le)?s?",
    r"cour d'(?:appel|assises)",
    r"comparution",
    r"(?:depot de|votre|la) plainte",
    r"audiences?",
    r"plaidoiries?",
    r"jugements?",
    r"proces",
    r"succession (?:de|du|des)",
    r"votre succession",
    r"titre de sejour",
    r"droit (?:penal|de la famille|des etrangers|du travail)",
    r"opposing (?:party|parties|counsel|side)",
    r"(?:plaintiffs?|defendants?)",
    r"(?:child )?custody",
    r"alimony",
    r"unfair dismissal",
    r"criminal (?:case|charges?|proceedings?|record)",
    r"(?:court|your|the) hearings?",
    r"(?:trial|judgment|judgement)s?",
    r"your (?:case|trial|appeal|complaint)",
    r"(?:family|criminal|immigration|employment|labou?r) (?:law|court)",
    r"residence permits?",
)

BANS: tuple[Ban, ...] = (
    Ban(
        "R1",
        _spaced(r"(?<!\w)l ?\.? ?441 ?- ?[36](?!\d)"),
        "Cet article est abrogé depuis 2019.",
        "Écrivez L. 441-10, II, pour un professionnel.",
    ),
    Ban(
        "R18",
        _words(r"conditions generales", r"(?:general )?terms and conditions", r"terms of (?:service|business)"),
        "Les honoraires reposent sur une convention.",
        "Écrivez «\u00a0convention d’honoraires\u00a0».",
    ),
    Ban(
        "R19",
        _words(
            r"tribuna(?:l|ux)",
            r"assign(?:ation|ations|er)",
            r"injonctions? de payer",
            r"huissiers?",
            r"saisies?(?:-\w+)?",
            r"(?:actions?|agir|poursui(?:te|tes|vre)|ester) en justice",
            r"(?:poursuites?|voies?|actions?) judiciaires?",
            r"contentieu(?:x|se|ses)",
            r"precontentieu(?:x|se|ses)",
            r"(?:legal|court) (?:actions?|proceedings?)",
            r"lawsuits?",
            r"(?:litigation|litigate)",
            r"su(?:e|ing) you",
            r"(?:the|in|to|before) courts?",
            r"court orders?",
            r"payment orders?",
            r"bailiffs?",
            r"seizures?",
        ),
        "Les honoraires d’avocat relèvent du bâtonnier\u00a0: cette menace est exclue.",
        "Retirez-la\u00a0; au plus, annoncez une mise en demeure.",
    ),
    Ban(
        "R23",
        _words(
            r"(?:recouvrement|execution|paiement) force(?:e)?",
            r"(?:enforced|compulsory|forced) (?:recovery|payment|collection)",
            r"enforcement",
        ),
        "La décision du bâtonnier n’est pas par elle-même un titre exécutoire.",
        "Retirez ces mots.",
    ),
    Ban("R34c", _words(*MATTER_WORDS), MATTER, MATTER_MEND),
    Ban(
        "R34d",
        _words(
            r"mauvais(?:e)? (?:payeurs?|foi)",
            r"dern(?:ier|iere) (?:avertissement|chance)",
            r"sans autre (?:preavis|avis)",
            r"liste noire",
            r"fich(?:er|e|age) (?:des )?(?:mauvais|impayes)",
            r"honteu(?:x|se)",
            r"(?:bad|late) payers?",
            r"(?:final|last) (?:warning|chance)",
            r"without (?:further|prior) notice",
            r"black ?lists?",
            r"scandaleu(?:x|se)",
            r"inadmissibles?",
            r"escroc(?:s|querie)?",
            r"voleurs?",
        ),
        "La délicatesse et la modération l’interdisent.",
        "Dites le fait, sans juger la personne.",
    ),
    Ban(
        "R34d",
        _words(r"mises? en demeure", r"(?:mettons|mets) en demeure", r"formal notices?"),
        "Une mise en demeure ne s’annonce pas avant la relance de J+30.",
        "Retirez ces mots.",
        steps=EARLY_STEPS,
    ),
    Ban(
        "R42",
        _words(
            r"a compter de (?:la |sa )?reception(?: de (?:ce|cette|la presente)(?: \w+)?)?",
            r"des (?:la )?reception de (?:ce|cette|la presente)(?: \w+)?",
            r"(?:from|upon|after) receipt of this (?:letter|notice)",
        ),
        "Un courrier non réclamé ne serait jamais reçu\u00a0: le délai ne partirait pas.",
        "Écrivez «\u00a0à compter de la première présentation de ce courrier\u00a0».",
    ),
    Ban(
        "R52",
        _words(r"stop"),
        "Un code STOP fait de ce SMS un message publicitaire.",
        "Retirez-le\u00a0: le lien ou le téléphone suffisent.",
        channels=(Channel.SMS,),
    ),
    Ban(
        "R52",
        _words(r"promotions?", r"code promo", r"offre (?:speciale|promotionnelle|exceptionnelle)"),
        "Une relance ne porte aucune offre commerciale.",
        "Retirez ces mots.",
    ),
    Ban(
        "R12",
        _spaced(
            r"(?<![\d.,])(?:40(?:[.,]00)? ?(?:€|euros?(?!\w)|eur(?!\w))|quarante euros)"
            r"|(?<!\w)(?:indemnites?|penalites?|majorations?|clause penale|interets? de retard)(?!\w)"
            r"|(?<!\w)frais (?:de |d')(?:recouvrement|relance|rappel|retard|impaye|mise en demeure)s?(?!\w)"
            r"|(?<!\w)(?:late[ -]payment (?:interest|fees?|penalt(?:y|ies))|late fees?)(?!\w)"
            r"|(?<!\w)(?:recovery|collection|reminder) (?:costs?|fees?|charges?)(?!\w)"
            r"|(?<!\w)(?:surcharges?|penalt(?:y|ies)|indemnit(?:y|ies))(?!\w)"
            r"|(?:€|(?<!\w)eur) ?40(?:[.,]00)?(?![.,]?\d)|(?<!\w)forty euros?(?!\w)"
            r"|(?<!\w)(?:taux|operation) (?:\w+ )?(?:bce|(?:de la )?banque centrale europeenne)(?!\w)"
            r"|(?<!\w)[ld] ?\.? ?441 ?- ?(?:10|5)(?!\d)"
        ),
        NO_COST,
        "Retirez-les\u00a0; on peut écrire «\u00a0Aucun frais de recouvrement ne vous est demandé\u00a0».",
        kinds=UNCHARGED,
    ),
    Ban(
        "R13",
        _words(
            r"interets? (?:au taux )?(?:legal|legaux)",
            r"taux (?:de l'interet )?legal",
            r"(?:statutory|legal) (?:interest|rate)",
        ),
        "L’intérêt légal ne court qu’à partir de la mise en demeure.",
        "Retirez ces mots.",
        kinds=UNCHARGED,
        steps=(*EARLY_STEPS, Step.J30),
    ),
    Ban(
        "R15",
        _spaced(r"(?<!\w)[ld] ?\.? ?441 ?- ?(?:10|5)(?!\d)"),
        "Un acheteur public relève du code de la commande publique.",
        "Citez les articles R. 2192-31 et D. 2192-35.",
        kinds=(Kind.PUBLIC,),
    ),
    Ban(
        "R25",
        _words(r"batonniers?", r"president of the bar"),
        "Un marché public relève du juge administratif, non du bâtonnier.",
        "Retirez cette phrase.",
        kinds=(Kind.PUBLIC,),
    ),
    Ban(
        "R31",
        _words(r"mediateurs?", r"(?:consumer )?(?:ombuds(?:man|men|person)|mediators?)"),
        "Le médiateur de la consommation ne concerne que les consommateurs.",
        "Retirez cette phrase.",
        kinds=(Kind.PROFESSIONAL, Kind.NON_PRO_LEGAL, Kind.PUBLIC),
    ),
)

# Said in full, it is a promise; followed by a condition it becomes the threat it denies.
ALLOWED = _spaced(
    r"(?:aucun frais de recouvrement ne vous est (?:demande|reclame)|you are not being asked for any recovery costs)"
    r"(?=[^\S\n]*(?:[.;\n]|$))"
)

FORMAL_NOTICE: tuple[Duty, ...] = (
    Duty(
        "R41",
        _spaced(r"(?:mise|mettons|mets)(?: formellement)? en demeure"),
        "mise en demeure",
        "Le courrier n’interpelle pas le débiteur.",
        "Écrivez «\u00a0nous vous mettons en demeure de payer\u00a0».",
    ),
    Duty(
        "R41",
        re.compile(r"\[(?:total|montant_du|montant)\]"),
        "[Total] ou [Montant_dû]",
        "La somme exacte manque.",
        "Ajoutez le champ.",
    ),
    Duty(
        "R41",
        _spaced(r"(?:\[delai_jours\]|\d+) jours"),
        "[Délai_jours] jours",
        "Le délai pour payer manque.",
        "Ajoutez «\u00a0dans un délai de [Délai_jours] jours\u00a0».",
    ),
    Duty(
        "R41",
        re.compile(r"\[(?:numero_facture|reference_facture|numero|recapitulatif|decompte)\]"),
        "[Numéro_facture]",
        "La facture réclamée n’est pas désignée.",
        "Ajoutez le champ.",
    ),
    Duty(
        "R41",
        re.compile(r"\[(?:signature_avocat|votre nom|nom_cabinet|nom du cabinet)\]"),
        "[Signature_avocat]",
        "Le créancier n’est pas nommé.",
        "Ajoutez le champ.",
    ),
    Duty(
        "R42",
        _spaced(r"premiere presentation"),
        "à compter de la première présentation",
        "Le départ du délai n’est pas dit.",
        "Écrivez «\u00a0à compter de la première présentation de ce courrier\u00a0».",
    ),
)


def fold(text: str) -> str:
    """Return the text in lower case, without accents, one character for one: positions still match."""
    return "".join(map(_fold_char, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in "’‘ʼ":
        return "'"
    if char in "‐‑‒–—":
        return "-"
    if char == "\n":
        return char
    if char.isspace() or unicodedata.category(char) == "Cf":
        return " "
    return unicodedata.normalize("NFD", char)[0].lower()[0]
