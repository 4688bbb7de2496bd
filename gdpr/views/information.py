"""« À copier sur votre site »: what the firm tells people about their data, ready for its own privacy page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from gdpr.services import information

TEXT = "gdpr/information.txt"


@require_GET
@requires(Right.MANAGE_FIRM)
def page(request: CabinetRequest) -> HttpResponse:
    """Show the text as the register makes it today, to copy whole."""
    told = information.of_firm(request.cabinet)
    facts = {"told": told, "reached": information.of_contacts(request.cabinet), "firm": request.cabinet}
    text = render_to_string(TEXT, facts).strip()
    journal.record("information.seen", None)
    return render(request, "gdpr/information.html", {"told": told, "text": text})
