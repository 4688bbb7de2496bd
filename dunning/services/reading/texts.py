"""A text as its reader would see it: on a real invoice, with the sums of the day, or on an invented one."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, F, Q, QuerySet, When
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from dunning.enums import Channel as Way
from dunning.models import Reminder, ReminderLine, Step
from dunning.services.composing import firm_of, line_of, values_of
from dunning.services.letter_composing import breakdown_of
from dunning.services.sums import sums_of
from invoices.models import Invoice
from templates_lib.authoring import Place
from templates_lib.email import InvoiceLine, Links, compose_email
from templates_lib.enums import Channel
from templates_lib.enums import Step as TextStep
from templates_lib.errors import TextError
from templates_lib.fields import SAMPLES
from templates_lib.gsm7 import SMS_SEPTETS
from templates_lib.library import TextVersion
from templates_lib.rates import rate_words
from templates_lib.rendering import (
    NBSP,
    amount_words,
    blocks,
    day_words,
    period_words,
    render,
    render_html,
    typeset,
)
from templates_lib.sms import compose_sms
from templates_lib.words import WORDS

AT_MOST = 60
LINES_AT_MOST = 3
ANSWER_DAYS = {ClientKind.PROFESSIONAL: 8}
LINK = "https://payer.exemple.fr/p/k7Qp/"
LINKS = Links(
    pay=LINK, manage=LINK, already_paid=f"{LINK}deja-paye/", problem=f"{LINK}probleme/", rights=f"{LINK}donnees/"
)
INVENTED = "Facture inventée : aucune facture du cabinet ne répond à ce choix."
# Two invoices of nobody's, the oldest first.
IMAGINED = (
    ("F-2026-0398", dt.date(2026, 11, 3), 36000),
    ("F-2026-0412", dt.date(2026, 11, 14), 144000),
)
SAMPLE_INTEREST = 1198
BANNER = "margin:0;padding:8px 16px;font:14px/1.5 Arial,sans-serif;background:#fbf0da;color:#855300"
_BODY = re.compile(r"<body[^>]*>")
FORM_LABELS = {
    "one": "Une facture",
    "several": "Plusieurs factures",
    "one_unrated": "Une facture, taux du semestre inconnu",
    "several_unrated": "Plusieurs factures, taux du semestre inconnu",
    "one_bare": "Une facture, principal seul",
    "several_bare": "Plusieurs factures, principal seul",
    "one_amount": "Une facture, montant affiché",
    "several_amount": "Plusieurs factures, montant affiché",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A text once filled: what the frame shows, what a trial mail carries, and what keeps it from being shown."""

    subject: str = ""
    html: str = ""
    text: str = ""
    note: str = ""
    problem: str = ""


def choices(place: Place, *, on: dt.date) -> list[tuple[str, str]]:
    """Return the invoices a text may be tried on: open ones of this kind of client, due as its step wants first."""
    rows = _open().filter(dossier__kind=place.kind.value).select_related("client")
    is_due = Q(due_on__gte=on) if place.step is TextStep.J0 else Q(due_on__lt=on)
    fitting = Case(When(is_due, then=0), default=1)
    return [
        (str(one.pk), f"{one.number} · {one.client.display_name}")
        for one in rows.order_by(fitting, "-due_on", "pk")[:AT_MOST]
    ]


def show(*, version: TextVersion, form: str, invoice_id: UUID | None, cabinet: Cabinet) -> Shown:
    """Fill one form of a text; what the text or the firm's settings lack is said, never left as a hole."""
    return show_on(
        version=version, form=form, invoices=_invoices(invoice_id, several=form.startswith("several")), cabinet=cabinet
    )


def example_for(kind: ClientKind) -> list[Invoice]:
    """Return one real invoice of this kind of client, the latest to have come due; none when the firm has none open."""
    rows = _open().filter(dossier__kind=kind).select_related("dossier", "client")
    return list(rows.order_by("-due_on", "pk")[:1])


def show_on(*, version: TextVersion, form: str, invoices: Sequence[Invoice], cabinet: Cabinet) -> Shown:
    """Fill one form of a text with these invoices, or with invented ones when there is none."""
    try:
        return _fill(version, form, invoices, cabinet=cabinet)
    except TextError as error:
        return Shown(problem=str(error), html=_page(format_html("<p>{}</p>", str(error))), text=str(error))


def _invoices(invoice_id: UUID | None, *, several: bool) -> list[Invoice]:
    chosen = Invoice.objects.select_related("dossier", "client").filter(pk=invoice_id).first() if invoice_id else None
    if chosen is None:
        return []
    if not several:
        return [chosen]
    others = _open().filter(client=chosen.client_id).exclude(pk=chosen.pk).select_related("dossier", "client")
    found = [chosen, *others.order_by("due_on", "pk")[: LINES_AT_MOST - 1]]
    return sorted(found, key=lambda one: (one.due_on, one.number)) if len(found) > 1 else []


def _open() -> QuerySet[Invoice]:
    return Invoice.objects.filter(total_cents__gt=F("credited_cents") + F("settled_cents"))


def _fill(version: TextVersion, form: str, invoices: Sequence[Invoice], *, cabinet: Cabinet) -> Shown:
    firm = firm_of(cabinet)
    several = form.startswith("several")
    values = example = _samples(several=several, language=version.language)
    lines = _invented(several=several, language=version.language)
    note = "" if invoices else INVENTED
    if invoices:
        reminder, claimed = _message(version, invoices)
        sums = sums_of(reminder, claimed, on=cabinet.today())
        lines = [line_of(line, version.language) for line in claimed]
        values = example | values_of(reminder, cabinet, claimed, sums, language=version.language)
        if version.channel is Channel.LETTER and sums.statements:
            values["Décompte"] = "\n".join(f"{row.label}{NBSP}: {row.amount}" for row in breakdown_of(claimed, sums))
        if sums.variant is not None:
            # The form that leaves today is another one; this one is shown for its words, and says so.
            values |= {name: example[name] for name in ("Taux_libellé", "Pénalités")}
            note = _other_form(version, f"{form}_{sums.variant}")
    if form.endswith("_bare"):
        rows = (f"Facture {line.number}, échue le {line.due_on}, TTC{NBSP}: {line.amount}" for line in lines)
        values = values | {"Total": values["Montant_dû"], "Décompte": "\n".join(rows)}
    # Whatever the number of invoices, the form asked is the one shown.
    words = version.forms.get(form) or version.one
    alone = replace(version, one=words, several=words, variants={})
    if version.channel is Channel.EMAIL:
        composed = compose_email(
            version=alone, values=values, lines=lines, firm=firm, links=LINKS, demo=cabinet.is_demo
        )
        return Shown(subject=composed.subject, html=_with_note(composed.html, note), text=composed.text, note=note)
    values |= {
        "Nom_cabinet": firm.name,
        "Téléphone_cabinet": firm.phone,
        "Email_cabinet": firm.email,
        "Barreau": firm.bar,
        "Nombre_factures": str(len(lines)),
        "Numéro_facture": lines[0].number,
        "Date_échéance": lines[0].due_on,
    }
    if version.channel is Channel.LETTER:
        return _letter(alone, values, lines, note)
    values["Date_échéance"] = f"{invoices[0].due_on:%d/%m/%Y}" if invoices else "14/11/2026"
    return _sms(alone, values, len(lines), note)


def _other_form(version: TextVersion, name: str) -> str:
    if name not in version.forms:
        return ""
    leaving = f"Pour cette facture partirait aujourd’hui{NBSP}: «{NBSP}{FORM_LABELS[name]}{NBSP}»."
    return f"Taux et pénalités d’exemple. {leaving}"


def _with_note(html: str, note: str) -> str:
    """Say above a message what in it is not real; the message itself is left as it would leave."""
    banner = format_html(
        '<p style="margin:0;padding:8px 16px;font:14px/1.5 Arial,sans-serif;background:#fbf0da;color:#855300">{}</p>',
        note,
    )
    return _BODY.sub(lambda match: f"{match[0]}{banner}", html, count=1) if note else html


def _sms(version: TextVersion, values: dict[str, str], invoices: int, note: str) -> Shown:
    sms = compose_sms(version=version, values=values, invoices=invoices)
    count = f"{sms.septets} caractères sur {SMS_SEPTETS}."
    body = format_html("<p>{}</p><p><small>{}</small></p>", sms.text, count)
    return Shown(html=_page(body), text=sms.text, note=f"{count} {note}".strip())


def _letter(version: TextVersion, values: dict[str, str], lines: Sequence[InvoiceLine], note: str) -> Shown:
    form = version.one
    set_in = typeset if version.language == "fr" else str
    rows = "\n".join(f"{line.number}, échéance du {line.due_on}{NBSP}: {line.amount}" for line in lines)
    filled = {**values, "Récapitulatif": rows}
    paragraphs = blocks(set_in(form.body))
    subject = render(set_in(form.subject), filled) if form.subject else ""
    # render_html() escaped every word and every value.
    body = format_html_join("", "<p>{}</p>", ((mark_safe(render_html(one, filled)),) for one in paragraphs))  # noqa: S308
    title = format_html("<h1>{}</h1>", subject) if subject else ""
    head = format_html("<p><small>{}</small></p>{}", note, title) if note else title
    text = "\n\n".join(render(one, filled) for one in paragraphs)
    return Shown(subject=subject, html=_page(format_html("{}{}", head, body)), text=text, note=note)


def _message(version: TextVersion, invoices: Sequence[Invoice]) -> tuple[Reminder, list[ReminderLine]]:
    """Return the reminder these invoices would make; nothing of it is ever written."""
    kind = ClientKind(version.kind.value)
    way = Way.REGISTERED if version.channel is Channel.LETTER else Way(version.channel.value)
    step = Step(tone=version.step.value, channel=way, answer_days=ANSWER_DAYS.get(kind, 15))
    reminder = Reminder(client=invoices[0].client, client_kind=kind, language=version.language, channel=way, step=step)
    claimed = [ReminderLine(invoice=one, owed_cents=one.outstanding_cents, is_claimed=True) for one in invoices]
    return reminder, claimed


def _invented(*, several: bool, language: str) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            number=number,
            due_on=day_words(due_on, language),
            amount=WORDS[language].money(amount_words(cents, language)),
        )
        for number, due_on, cents in (IMAGINED if several else IMAGINED[1:])
    ]


def _samples(*, several: bool, language: str) -> dict[str, str]:
    """Return an example of every value, in the language of the text and true to the invented invoices."""
    lines = IMAGINED if several else IMAGINED[1:]
    owed = sum(cents for _, _, cents in lines)
    account = [
        *((f"Facture {number}, échue le {day_words(due_on)}, TTC", cents) for number, due_on, cents in lines),
        ("Intérêts de retard", SAMPLE_INTEREST),
        ("Indemnité forfaitaire de recouvrement", 4000 * len(lines)),
    ]
    rate = rate_words(mode="contract", rate=Decimal(10), half="", language=language)
    return {
        **SAMPLES,
        "Civilité_nom": "Madame Martin" if language == "fr" else "Ms Martin",
        "Date_facture": day_words(dt.date(2026, 10, 14), language),
        "Montant_dû": amount_words(owed, language),
        "Montant_facture": amount_words(owed, language),
        "Période_échéances": period_words(lines[0][1], lines[-1][1], language),
        "Taux_libellé": rate,
        "Pénalités": amount_words(SAMPLE_INTEREST, language),
        "Date_calcul": day_words(dt.date(2026, 12, 14), language),
        "Total": amount_words(owed + SAMPLE_INTEREST + 4000 * len(lines), language),
        "Décompte": "\n".join(f"{label}{NBSP}: {amount_words(cents)}{NBSP}€" for label, cents in account),
        "Lien_paiement": LINK,
        "Lien_gestion": LINK,
    }


def _page(body: str) -> str:
    """Return a bare page: the frame that shows it lets no script and no other origin in."""
    style = "body{font:16px/1.6 Georgia,serif;margin:2rem;max-width:38rem}h1{font-size:1.1rem}p{white-space:pre-line}"
    return format_html(
        '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Aperçu</title><style>{}</style></head>'
        "<body>{}</body></html>",
        style,
        body,
    )
