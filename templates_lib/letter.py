"""Compose a letter: the firm's paper, the window of its envelope, the text, the sums, and how to pay."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.template import Context
from segno import helpers

from templates_lib.email import Composed, Firm, InvoiceLine
from templates_lib.enums import Step
from templates_lib.errors import BrokenTextError
from templates_lib.letterhead import as_address
from templates_lib.library import TextVersion, Variant
from templates_lib.pdf import LAYOUTS, join, layout, render_pdf
from templates_lib.rendering import NBSP, blocks, day_words, domain_of, render, render_html, typeset

SUMMARY, BREAKDOWN = "[Récapitulatif]", "[Décompte]"
SIGNATURE = "[Signature_avocat]"
FORMAL_TITLE = "MISE EN DEMEURE"
STYLES = ("fonts.css", "letter.css")
QR_LIMIT_CENTS = 99_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the sums: what it is, and its amount with its currency (or « pour mémoire »)."""

    label: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a firm's letters bear: its pictures as bytes with their media type, and where it is paid."""

    postcode_and_city: str = ""
    city: str = ""
    street: str = ""
    iban: str = ""
    bic: str = ""
    holder: str = ""
    logo: tuple[str, bytes] | None = None
    signature: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A whole PDF that goes with a letter."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ComposedLetter:
    """A letter as it is read: its object, its words, and the very PDF."""

    subject: str
    html: str
    text: str
    pdf: bytes
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Everything a letter is composed from."""

    version: TextVersion
    values: Mapping[str, str]
    lines: Sequence[InvoiceLine]
    firm: Firm
    paper: Paper
    recipient: Sequence[str]
    on: dt.date
    total_cents: int
    breakdown: Sequence[Row] = ()
    also_due: Sequence[InvoiceLine] = ()
    reference: str = ""
    payment_link: str = ""
    route_label: str = ""
    """« Lettre recommandée avec avis de réception » for a registered one; nothing for plain mail (R46)."""
    joined: Sequence[Joined] = field(default=())
    variant: Variant | None = None
    demo: bool = False


def compose_letter(letter: Letter) -> ComposedLetter:
    """Write a letter and make its PDF, with what is joined to it; raise TextError when it may not leave."""
    words = write_letter(letter)
    made = render_pdf(words.html, styles=STYLES)
    whole = join(made.content, [(one.name, one.content) for one in letter.joined]) if letter.joined else made
    return ComposedLetter(subject=words.subject, html=words.html, text=words.text, pdf=whole.content, pages=whole.pages)


def on_screen(html: str) -> str:
    """Return a letter's page with its styles in it, for who reads it before it is printed."""
    return html.replace("</head>", f"<style>{(LAYOUTS / 'letter.css').read_text(encoding='utf-8')}</style></head>", 1)


def write_letter(letter: Letter) -> Composed:
    """Write the words of a letter, without its PDF; raise TextError when it may not leave."""
    if not letter.lines:
        raise BrokenTextError("Une lettre réclame au moins une facture.")
    filled = {**letter.values, **_known(letter)}
    form = letter.version.form_for(invoices=len(letter.lines), variant=letter.variant)
    subject = render(typeset(form.subject), filled)
    paragraphs = [part for part in blocks(typeset(form.body)) if part != SIGNATURE]
    table = next((part for part in paragraphs if part in {SUMMARY, BREAKDOWN}), "")
    cut = paragraphs.index(table) if table else len(paragraphs)
    before, after = paragraphs[:cut], paragraphs[cut + 1 :]
    rows = list(letter.breakdown) if table == BREAKDOWN else _summary(letter) if table else []
    total = _total(letter, filled, table) if len(rows) > 1 else ""
    is_formal = letter.version.step is Step.J45
    context = {
        **_frame(letter),
        "subject": subject,
        "title": FORMAL_TITLE if is_formal else "",
        "before": [render_html(_untitled(part), filled, link_labels=_labels(filled)) for part in before],
        "after": [render_html(_unsigned(part), filled, link_labels=_labels(filled)) for part in after],
        "heading": "Décompte" if table == BREAKDOWN else "Facture",
        "rows": rows,
        "total": total,
        "total_label": "Total à payer" if table == BREAKDOWN else "Reste à payer",
        "also_due": [Row(label=_named(line), amount=line.amount) for line in letter.also_due],
        "signature": filled.get("Signature_avocat", letter.firm.name),
    }
    html = _page(context)
    text = _plain(letter, subject, before, after, rows, total, filled)
    return Composed(subject=subject, html=html, text=text)


def transfer_code(letter: Letter) -> str:
    """Return the EPC QR code of a transfer of the whole sum, as the address of its picture; nothing without an IBAN."""
    if not letter.paper.iban or not 0 < letter.total_cents <= QR_LIMIT_CENTS:
        return ""
    code = helpers.make_epc_qr(
        name=(letter.paper.holder or letter.firm.name)[:70],
        iban=letter.paper.iban,
        amount=Decimal(letter.total_cents) / 100,
        text=letter.reference[:140],
        bic=letter.paper.bic or None,
    )
    return code.svg_data_uri(scale=4, border=1)


def digest_of(pdf: bytes) -> bytes:
    """Return what a letter is known by in the evidence."""
    return hashlib.sha256(pdf).digest()


def _frame(letter: Letter) -> dict[str, object]:
    firm, paper = letter.firm, letter.paper
    lines = [paper.street, paper.postcode_and_city, firm.phone, firm.email]
    return {
        "firm": firm,
        "firm_lines": [line for line in lines if line],
        "logo": as_address(*paper.logo) if paper.logo else "",
        "signature_image": as_address(*paper.signature) if paper.signature else "",
        "recipient": letter.recipient,
        "route_label": letter.route_label,
        "dated": letter.on.isoformat(),
        "place_and_date": f"{paper.city}, le {day_words(letter.on)}" if paper.city else f"Le {day_words(letter.on)}",
        "reference": letter.reference,
        "payment_reference": letter.reference,
        "iban": " ".join(paper.iban[start : start + 4] for start in range(0, len(paper.iban), 4)),
        "bic": paper.bic,
        "holder": paper.holder or firm.name,
        "qr": transfer_code(letter),
        "joined": [one.name for one in letter.joined],
        "demo": f"Démonstration{NBSP}: cette lettre n’est partie vers personne." if letter.demo else "",
    }


def _known(letter: Letter) -> dict[str, str]:
    firm = letter.firm
    known = {
        "Nom_cabinet": firm.name,
        "Téléphone_cabinet": firm.phone,
        "Email_cabinet": firm.email,
        "Barreau": firm.bar,
        "Lien_paiement": letter.payment_link,
        "Lien_gestion": letter.payment_link,
        "Nombre_factures": str(len(letter.lines)),
    }
    if len(letter.lines) == 1:
        known |= {"Numéro_facture": letter.lines[0].number, "Date_échéance": letter.lines[0].due_on}
    return known


def _summary(letter: Letter) -> list[Row]:
    return [Row(label=_named(line), amount=line.amount) for line in letter.lines]


def _named(line: InvoiceLine) -> str:
    return f"{line.number}, échéance du {line.due_on}"


def _total(letter: Letter, filled: Mapping[str, str], table: str) -> str:
    return f"{filled['Total' if table == BREAKDOWN else 'Montant_dû']}{NBSP}€"


def _untitled(paragraph: str) -> str:
    """Leave to the title what the text says again in capitals."""
    return paragraph.removeprefix(f"{FORMAL_TITLE}. ")


def _unsigned(paragraph: str) -> str:
    return paragraph.replace(f"\n{SIGNATURE}", "")


def _labels(filled: Mapping[str, str]) -> dict[str, str]:
    """On paper a link is read, not followed: it is written in full."""
    return {name: filled[name] or domain_of(filled[name]) for name in ("Lien_paiement", "Lien_gestion")}


def _plain(
    letter: Letter,
    subject: str,
    before: Sequence[str],
    after: Sequence[str],
    rows: Sequence[Row],
    total: str,
    filled: Mapping[str, str],
) -> str:
    parts = [
        "\n".join(letter.recipient),
        *([letter.route_label] if letter.route_label else []),
        f"{letter.paper.city}, le {day_words(letter.on)}",
        f"Objet{NBSP}: {subject}",
        *(render(part, filled) for part in before),
        "\n".join(f"- {row.label}{NBSP}: {row.amount}" for row in rows),
        *([f"Total{NBSP}: {total}"] if total else []),
        *(render(_unsigned(part), filled) for part in after),
        *(f"Également à régler{NBSP}: {_named(line)}{NBSP}: {line.amount}" for line in letter.also_due),
        filled.get("Signature_avocat", letter.firm.name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _page(context: Mapping[str, object]) -> str:
    return layout("letter.html").render(Context(dict(context)))


__all__ = ["ComposedLetter", "Joined", "Letter", "Paper", "Row", "compose_letter", "digest_of"]
