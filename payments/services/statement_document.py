"""The statement of a client's account as a document to hand over: what its page shows, on the firm's paper."""

from cabinets.models import Cabinet
from invoices.money import NBSP, show_euros
from payments.services.statement import Line, Statement
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import Pdf, render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")
NOTHING = "—"


def statement_document(*, account: Statement, cabinet: Cabinet) -> Pdf:
    """Make the PDF of an account; nothing is in it that the page does not show."""
    return render_document(
        "statement.html",
        {
            "head": letterhead_of(cabinet),
            "demo": f"Démonstration{NBSP}: ce relevé ne concerne personne." if cabinet.is_demo else "",
            "client": account.client.display_name,
            "on": day_words(account.on),
            "is_partial": account.is_partial,
            "lines": [_words(line) for line in account.lines],
            "billed": show_euros(account.billed_cents),
            "received": show_euros(account.received_cents),
            "balance": show_euros(account.balance_cents),
            "balance_label": "En faveur du client" if account.balance_cents < 0 else "Reste dû",
        },
        styles=STYLES,
    )


def _words(line: Line) -> dict[str, str]:
    return {
        "on": f"{line.on:%d/%m/%Y}",
        "label": line.label,
        "due_on": f"{line.due_on:%d/%m/%Y}" if line.due_on else NOTHING,
        "status": str(line.status.label) if line.status else NOTHING,
        "debit": show_euros(line.debit_cents) if line.debit_cents else NOTHING,
        "credit": show_euros(line.credit_cents) if line.credit_cents else NOTHING,
        "balance": show_euros(line.balance_cents),
    }
