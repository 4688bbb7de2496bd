"""What happened to a client's invoices as a document to hand over: the words of their pages, on the firm's paper."""

from cabinets.models import Cabinet, Client
from dunning.presenting import plural
from dunning.services.reading.chronology import chronology_of
from invoices.models import Invoice
from invoices.money import NBSP
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import Pdf, render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")


def chronology_document(*, client: Client, cabinet: Cabinet, is_partial: bool) -> Pdf:
    """Make the PDF of what happened to the invoices of a client; partial when the person sees only some of them."""
    rows = Invoice.objects.filter(client=client).select_related("client", "dossier").defer("note")
    invoices = list(rows.order_by("issued_on", "number_key"))
    return render_document(
        "chronology.html",
        {
            "head": letterhead_of(cabinet),
            "demo": f"Démonstration{NBSP}: cette chronologie ne concerne personne." if cabinet.is_demo else "",
            "client": client.display_name,
            "on": day_words(cabinet.today()),
            "is_partial": is_partial,
            "count": plural(len(invoices), "facture", "factures") if invoices else "",
            "entries": chronology_of(invoices=invoices, cabinet=cabinet),
        },
        styles=STYLES,
    )
