"""Compose the letter of a reminder: its text and its sums of the day, on the firm's paper, with what goes with it."""

from collections.abc import Sequence

from cabinets.enums import ClientKind
from cabinets.errors import InputError
from cabinets.models import Cabinet
from dunning.channels.postal import PostalAddress
from dunning.enums import Channel, Tone
from dunning.models import Reminder, ReminderLine
from dunning.services.claiming import Checked
from dunning.services.composing import (
    firm_of,
    in_order,
    line_of,
    link_of,
    lint_of,
    matter_words_of,
    refuse_faults,
    values_of,
    version_of,
)
from dunning.services.letter_parts import WrittenLetter, address_of
from dunning.services.sums import Sums, rate_of, sums_of
from invoices.enums import DocumentKind
from invoices.models import Document
from invoices.services.claims import Statement
from invoices.services.documents import read_document
from templates_lib.email import Composed
from templates_lib.letter import ComposedLetter, Joined, Letter, Paper, Row, compose_letter, on_screen
from templates_lib.letter import write_letter as words_of
from templates_lib.rendering import NBSP, amount_words, day_words

REGISTERED_LABEL = "Lettre recommandée avec avis de réception"
PDF_TYPE = "application/pdf"
FOR_MEMORY = "pour mémoire"
INTEREST = {
    ClientKind.PROFESSIONAL: "Pénalités de retard arrêtées au {on} (art. L. 441-10, II, C. com.), au taux {rate}",
    ClientKind.PUBLIC: "Intérêts moratoires arrêtés au {on} (art. R. 2192-31 du code de la commande publique), "
    "au taux {rate}",
}
INDEMNITY = {
    ClientKind.PROFESSIONAL: "Indemnité forfaitaire de recouvrement (art. D. 441-5 C. com.)",
    ClientKind.PUBLIC: "Indemnité forfaitaire de recouvrement (art. D. 2192-35 du code de la commande publique)",
}


def write_letter(checked: Checked, address: PostalAddress) -> WrittenLetter:
    """Write a letter that leaves today, with its attachments; raise TextError when it may not leave."""
    reminder, cabinet = checked.reminder, checked.cabinet
    claimed, mentioned = in_order(checked.lines)
    version = version_of(reminder, claimed)
    refuse_faults(lint_of(version, matter_words_of(cabinet)))
    made = compose(
        reminder, cabinet, claimed, mentioned, recipient=address.shown, link=link_of(reminder), joined=_joined(claimed)
    )
    return WrittenLetter(
        subject=made.subject, text=made.text, html=made.html, pdf=made.pdf, pages=made.pages, text_ref=version.ref
    )


def compose(
    reminder: Reminder,
    cabinet: Cabinet,
    claimed: Sequence[ReminderLine],
    mentioned: Sequence[ReminderLine],
    *,
    recipient: Sequence[str],
    link: str,
    joined: Sequence[Joined] = (),
) -> ComposedLetter:
    """Fill the letter of the reminder's step as of today, and make its PDF."""
    return compose_letter(_letter(reminder, cabinet, claimed, mentioned, recipient=recipient, link=link, joined=joined))


def preview(
    reminder: Reminder,
    cabinet: Cabinet,
    claimed: Sequence[ReminderLine],
    mentioned: Sequence[ReminderLine],
    *,
    link: str,
) -> Composed:
    """Write the letter as it would be printed today, for who decides of it; the PDF is made when it is printed."""
    try:
        recipient: Sequence[str] = address_of(reminder.client, reminder.contact).shown
    except InputError as error:
        recipient = (f"Adresse à corriger : {error}",)
    made = words_of(_letter(reminder, cabinet, claimed, mentioned, recipient=recipient, link=link))
    return Composed(subject=made.subject, html=on_screen(made.html), text=made.text)


def _letter(
    reminder: Reminder,
    cabinet: Cabinet,
    claimed: Sequence[ReminderLine],
    mentioned: Sequence[ReminderLine],
    *,
    recipient: Sequence[str],
    link: str,
    joined: Sequence[Joined] = (),
) -> Letter:
    on = cabinet.today()
    sums = sums_of(reminder, claimed, on=on)
    is_formal = reminder.step.tone == Tone.FORMAL
    return Letter(
        version=version_of(reminder, claimed),
        values=values_of(reminder, cabinet, claimed, sums),
        lines=[line_of(line) for line in claimed],
        also_due=[line_of(line) for line in mentioned],
        firm=firm_of(cabinet),
        paper=paper_of(cabinet),
        recipient=recipient,
        on=on,
        total_cents=sums.total_cents if is_formal else sums.principal_cents,
        breakdown=breakdown_of(claimed, sums) if is_formal and sums.statements else (),
        reference=", ".join(dict.fromkeys(line.invoice.dossier.reference for line in claimed)),
        payment_link=link,
        route_label=REGISTERED_LABEL if reminder.channel == Channel.REGISTERED else "",
        joined=joined,
        variant=sums.variant,
        demo=cabinet.is_demo,
    )


def breakdown_of(claimed: Sequence[ReminderLine], sums: Sums) -> list[Row]:
    """Return the sums of a formal notice by invoice: what was waived is left out, what is unknown is noted."""
    rows: list[Row] = []
    for line in claimed:
        rows.append(
            Row(
                label=f"Facture {line.invoice.number} du {day_words(line.invoice.issued_on)},"
                f" échue le {day_words(line.invoice.due_on)}, TTC",
                amount=_euros(line.owed_cents),
            )
        )
        rows += _accessories(line, sums.statements[line.invoice_id], sums)
    return rows


def _accessories(line: ReminderLine, row: Statement, sums: Sums) -> list[Row]:
    kind = row.kind if row.kind in INTEREST else ClientKind.PROFESSIONAL
    rows = []
    if not row.is_interest_waived and (row.interest_cents is None or row.interest_cents > 0):
        label = INTEREST[kind].format(on=day_words(sums.on), rate=rate_of(sums, [line], "fr"))
        rows.append(Row(label=label, amount=FOR_MEMORY if row.interest_cents is None else _euros(row.interest_cents)))
    if row.indemnity_cents:
        rows.append(Row(label=INDEMNITY[kind], amount=_euros(row.indemnity_cents)))
    return rows


def paper_of(cabinet: Cabinet) -> Paper:
    """Return what a firm's letters bear."""
    return Paper(
        street=cabinet.address,
        postcode_and_city=f"{cabinet.postcode} {cabinet.city}".strip(),
        city=cabinet.city,
        iban=cabinet.iban,
        bic=cabinet.bic,
        holder=cabinet.account_holder,
        logo=_picture(cabinet.logo, cabinet.logo_type),
        signature=_picture(cabinet.signature_image, cabinet.signature_image_type),
    )


def _joined(claimed: Sequence[ReminderLine]) -> list[Joined]:
    """Return the copies of the invoices, then the fee agreements of their dossiers, where they are known as PDF."""
    invoices = [line.invoice_id for line in claimed]
    dossiers = list({line.invoice.dossier_id for line in claimed})
    copies = Document.objects.filter(invoice__in=invoices, kind=DocumentKind.INVOICE, media_type=PDF_TYPE)
    agreements = Document.objects.filter(
        dossier__in=dossiers, invoice=None, kind=DocumentKind.FEE_AGREEMENT, media_type=PDF_TYPE
    )
    found = [*copies.select_related("invoice").order_by("added_at"), *agreements.order_by("added_at")]
    return [Joined(name=_named(one), content=read_document(one)) for one in found]


def _named(document: Document) -> str:
    if document.invoice is not None:
        return f"Copie de la facture {document.invoice.number}"
    return "Convention d’honoraires"


def _picture(content: bytes | memoryview | None, media_type: str) -> tuple[str, bytes] | None:
    return (media_type, bytes(content)) if content and media_type else None


def _euros(cents: int) -> str:
    return f"{amount_words(cents)}{NBSP}€"
