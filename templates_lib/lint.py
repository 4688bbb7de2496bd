"""What a text may not say, by law or by secrecy: each fault names the words, the rule and the mend."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from templates_lib.bans import ALLOWED, BANS, FORMAL_NOTICE, MATTER, MATTER_MEND, NO_COST, UNCHARGED, fold
from templates_lib.enums import Channel, Kind, Place, Step
from templates_lib.fields import MEDIATOR, PLACEHOLDER, Field, closest, find
from templates_lib.gsm7 import SENDER_CHARACTERS, SMS_SEPTETS, foreign_characters, septets
from templates_lib.library import TextVersion
from templates_lib.rendering import INVISIBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One reason a text may not leave: the words at fault, the rule they break, the mend."""

    words: str
    rule: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"«\u00a0{self.words}\u00a0»\u00a0: {self.reason} {self.mend} ({self.rule})"


def lint(
    text: str,
    *,
    kind: Kind,
    channel: Channel,
    step: Step,
    place: Place | None = None,
    matter_words: Iterable[str] = (),
) -> list[Fault]:
    """Return every fault of a text before its fields are filled; a text without fault may be published.

    `matter_words` are words of the firm's own to keep in, on top of the common list.
    """
    text = INVISIBLE.sub("", text)
    where = place or {Channel.EMAIL: Place.BODY, Channel.SMS: Place.SMS, Channel.LETTER: Place.LETTER}[channel]
    faults = [*_field_faults(text, kind=kind, step=step, where=where)]
    faults += _banned(text, kind=kind, channel=channel, step=step)
    faults += _matter(text, matter_words)
    if where is Place.SMS:
        faults += _sms_faults(text)
    elif where is not Place.SUBJECT:
        faults += _missing(text, kind=kind, channel=channel, step=step)
    return faults


def lint_version(version: TextVersion, *, matter_words: Iterable[str] = ()) -> list[Fault]:
    """Return every fault of a text version: the subjects and bodies of all its forms."""
    matter_words = tuple(matter_words)
    faults: list[Fault] = []
    for form in version.forms.values():
        if version.channel is Channel.EMAIL:
            faults += lint(
                form.subject,
                kind=version.kind,
                channel=version.channel,
                step=version.step,
                place=Place.SUBJECT,
                matter_words=matter_words,
            )
        faults += lint(
            form.body,
            kind=version.kind,
            channel=version.channel,
            step=version.step,
            matter_words=matter_words,
        )
    return list(dict.fromkeys(faults))


def lint_sender(name: str) -> list[Fault]:
    """Return the faults of an SMS sender name."""
    if re.fullmatch(r"(?:\+33|0033|0)[67][\d ]{8,}", name):
        return [_sender_fault(name, "Les opérateurs bloquent les envois depuis un 06 ou un 07.")]
    if len(name) > SENDER_CHARACTERS:
        return [_sender_fault(name, f"Un expéditeur de SMS tient en {SENDER_CHARACTERS} caractères.")]
    if not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}", name):
        return [_sender_fault(name, "Un expéditeur de SMS s’écrit en lettres sans accent et en chiffres.")]
    return []


def lint_rendered(html: str, text: str, *, payment_link: str, matter_words: Sequence[str] = ()) -> list[Fault]:
    """Return the faults of an e-mail as it would leave: no way to pay, a hole, words of the matter."""
    page = _Page()
    page.feed(html)
    faults: list[Fault] = []
    if payment_link not in page.links or payment_link not in text:
        faults.append(
            Fault(
                words="[Lien_paiement]",
                rule="§ 9",
                reason="Le message ne mène pas à la page de règlement.",
                mend="Rétablissez le bouton de paiement.",
            )
        )
    seen = f"{page.shown}\n{text}"
    for match in PLACEHOLDER.finditer(seen):
        if find(match[1]):
            faults.append(_hole(match[0]))
    faults += [_hole(mark) for mark in ("{{", "{%") if mark in seen]
    return faults + _matter(seen, matter_words)


class _Page(HTMLParser):
    """The links and the words of an HTML message."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.update(value for name, value in attrs if name == "href" and value)

    def handle_data(self, data: str) -> None:
        self.shown += data


def _field_faults(text: str, *, kind: Kind, step: Step, where: Place) -> Iterator[Fault]:
    if any(mark in text for mark in ("{{", "}}", "{%", "%}")) or re.search(r"[\[\]]", PLACEHOLDER.sub("", text)):
        yield Fault(
            words="[…]",
            rule="champs",
            reason="Un champ s’écrit entre deux crochets, sur une seule ligne.",
            mend="Corrigez les crochets ou retirez les accolades.",
        )
    for match in PLACEHOLDER.finditer(text):
        field = find(match[1])
        if field is None:
            near = closest(match[1])
            yield Fault(
                words=match[0],
                rule="champs",
                reason="Ce champ n’existe pas.",
                mend=f"Vouliez-vous écrire {near.bracketed}\u00a0?" if near else "Choisissez un champ de la liste.",
            )
        elif field.refused:
            yield Fault(words=match[0], rule="R34c", reason=field.refused, mend="Écrivez [Référence_dossier].")
        else:
            yield from _misuse(text, match, field, kind=kind, where=where)
    if "[Montant_facture]" in text and not re.search(r"\[Montant(?:_dû)?\]|\[Total\]", text):
        yield Fault(
            words="[Montant_facture]",
            rule="R41" if step is Step.J45 else "§ 9",
            reason="Sur une facture réglée en partie, ce champ réclame plus que ce qui reste dû.",
            mend="Écrivez [Montant_dû].",
        )


def _misuse(text: str, match: re.Match[str], field: Field, *, kind: Kind, where: Place) -> Iterator[Fault]:
    if where not in field.places:
        yield Fault(
            words=match[0],
            rule="R34c" if where is Place.SUBJECT else "champs",
            reason=f"Ce champ n’a pas sa place dans {where.label}.",
            mend="Retirez-le.",
        )
    if field.accessory and kind in UNCHARGED:
        yield Fault(words=match[0], rule="R12", reason=NO_COST, mend="Retirez ce champ.")
    if field.name == "Articles_bâtonnier" and kind is Kind.PUBLIC:
        yield Fault(
            words=match[0],
            rule="R25",
            reason="Un marché public relève du juge administratif, non du bâtonnier.",
            mend="Retirez ce champ.",
        )
    if field.name in MEDIATOR and kind is not Kind.CONSUMER:
        yield Fault(
            words=match[0],
            rule="R31",
            reason="Le médiateur de la consommation ne concerne que les consommateurs.",
            mend="Retirez ce champ.",
        )
    if field.alone and match[0] not in [line.strip() for line in text.splitlines()]:
        yield Fault(
            words=match[0],
            rule="champs",
            reason="Ce champ fait un paragraphe à lui seul.",
            mend="Laissez-le seul sur sa ligne.",
        )
    before = fold(text[max(match.start() - 40, 0) : match.start()])
    if match[0] == "[Date]" and not re.search(r"echeance|echue?s?|regler|payer", before):
        yield Fault(
            words="[Date]",
            rule="champs",
            reason="Ce champ donne la date d’échéance, et la phrase ne le dit pas.",
            mend="Écrivez [Date_échéance] ou [Date_facture].",
        )


def _banned(text: str, *, kind: Kind, channel: Channel, step: Step) -> Iterator[Fault]:
    folded = fold(text)
    claims = ALLOWED.sub(lambda match: " " * len(match[0]), folded)
    for ban in BANS:
        if ban.concerns(kind=kind, channel=channel, step=step):
            words = dict.fromkeys(_extract(text, match) for match in ban.pattern.finditer(claims))
            for found in words:
                yield Fault(words=found, rule=ban.rule, reason=ban.reason, mend=ban.mend)


def _matter(text: str, matter_words: Iterable[str]) -> list[Fault]:
    folded = fold(text)
    return [
        Fault(words=word, rule="R34c", reason=MATTER, mend=MATTER_MEND)
        for word in matter_words
        if word.strip() and re.search(rf"(?<!\w){re.escape(fold(word.strip()))}(?!\w)", folded)
    ]


def _missing(text: str, *, kind: Kind, channel: Channel, step: Step) -> Iterator[Fault]:
    folded = fold(text)
    formal = channel is Channel.LETTER and step is Step.J45
    # The cover e-mail of J+45 only announces the letter; the letter carries the mediator.
    if kind is Kind.CONSUMER and (step is Step.J30 or formal):
        absent = [f"[{name}]" for name in MEDIATOR if f"[{fold(name)}]" not in folded]
        if absent:
            yield Fault(
                words=", ".join(absent),
                rule="R31",
                reason="À un consommateur, ce message donne les coordonnées et le site du médiateur.",
                mend="Ajoutez ces champs.",
            )
    if formal:
        for duty in FORMAL_NOTICE:
            if not duty.pattern.search(folded):
                yield Fault(words=duty.words, rule=duty.rule, reason=duty.reason, mend=duty.mend)


def _sms_faults(text: str) -> Iterator[Fault]:
    fields = [field for match in PLACEHOLDER.finditer(text) if (field := find(match[1]))]
    worst = PLACEHOLDER.sub(_longest, text)
    if foreign := foreign_characters(worst):
        yield Fault(
            words=" ".join(foreign),
            rule="R56",
            reason="Ces caractères font tomber le SMS de 160 à 70 caractères.",
            mend="Écrivez sans eux\u00a0: apostrophe droite, espace ordinaire, «\u00a0No\u00a0» pour n°.",
        )
    elif (count := septets(worst)) > SMS_SEPTETS:
        yield Fault(
            words=f"{count}/{SMS_SEPTETS}",
            rule="R56",
            reason="Avec les valeurs les plus longues, le texte dépasse un SMS.",
            mend=f"Retirez {count - SMS_SEPTETS} caractères.",
        )
    if not any(field.name == "Lien_paiement" for field in fields):
        yield Fault(
            words="[Lien_paiement]",
            rule="R53",
            reason="On ne répond pas à ce SMS\u00a0: il lui faut le lien de la page de règlement.",
            mend="Ajoutez le champ.",
        )


def _longest(match: re.Match[str]) -> str:
    field = find(match[1])
    return "0" * field.longest if field else match[0]


def _extract(text: str, match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", text)[match.start() : match.end()]


def _hole(words: str) -> Fault:
    return Fault(words=words, rule="champs", reason="Ce champ est resté vide.", mend="Complétez sa valeur.")


def _sender_fault(name: str, reason: str) -> Fault:
    return Fault(words=name, rule="R53", reason=reason, mend="Choisissez un nom court, sans accent\u00a0: CabAubry.")
