"""A plan as a document both sides keep: its dates, its invoices, and the remedies it takes from nobody."""

from typing import Any

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from payments.enums import PlanState
from payments.models import PlanLine
from payments.plans import PROTECTED
from payments.services.plan_reading import View
from templates_lib.pdf import render_document
from templates_lib.rendering import NBSP, amount_words, day_words

LAYOUT = "plan.html"
STYLES = ("fonts.css", "document.css")


def pdf_of(view: View, *, cabinet: Cabinet) -> bytes:
    """Return a plan as a PDF; it names neither the debtor nor the matter, as the page it is read from."""
    return render_document(LAYOUT, context_of(view, cabinet=cabinet), styles=STYLES).content


def context_of(view: View, *, cabinet: Cabinet) -> dict[str, Any]:
    """Return what the document says."""
    plan = view.plan
    lines = PlanLine.objects.filter(plan=plan).select_related("invoice").order_by("invoice__due_on", "pk")
    return {
        "title": "Échéancier" if plan.agreed_on else "Échéancier proposé",
        "firm": cabinet.name,
        "demo": f"Démonstration{NBSP}: document sans effet." if cabinet.is_demo else "",
        "agreed_on": day_words(plan.agreed_on) if plan.agreed_on else "",
        "proposed_on": day_words(plan.proposed_on),
        "is_over": plan.state not in (PlanState.PROPOSED, PlanState.ACTIVE),
        "parts": [
            {"rank": part.rank, "due_on": day_words(part.due_on), "amount": _money(part.cents)} for part in view.parts
        ],
        "total": _money(plan.total_cents),
        "invoices": [
            {
                "number": line.invoice.number,
                "due_on": day_words(line.invoice.due_on),
                "amount": _money(line.owed_cents),
            }
            for line in lines
        ],
        "has_mediator": plan.kind in PROTECTED and bool(cabinet.mediator_name),
        "mediator": ", ".join(filter(None, (cabinet.mediator_name, cabinet.mediator_address, cabinet.mediator_site))),
        "has_batonnier": plan.kind != ClientKind.PUBLIC,
        "bar": cabinet.bar,
    }


def _money(cents: int) -> str:
    return f"{amount_words(cents)}{NBSP}€"
