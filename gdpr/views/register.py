"""The register of treatments (GDPR art. 30): the page, the PDF to keep, the sheet to sort."""

import io
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from cabinets.sheets import SheetWriter
from gdpr.inventory import PURPOSES, Holding, Purpose, holdings_of, retention_of, words_of
from gdpr.services import processor_register, register_head
from gdpr.services.emptying import model_of
from gdpr.services.facts import settings_in_force
from gdpr.terms import USUAL_ACCOUNTING_YEARS
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")
SEPARATOR = " ; "
COLUMNS = (
    "Finalité", "Fondement", "Données", "Champs", "Personnes", "Durée", "Source", "À la fin", "Qui", "Destinataires",
    "Responsable", "Délégué à la protection des données", "Transferts hors de l’Union", "Mesures de sécurité",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of row a purpose keeps, as shown."""

    label: str
    columns: str
    person: str
    duration: str
    source: str
    ending: str
    seen_by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One purpose as shown."""

    purpose: Purpose
    kept: tuple[Kept, ...]


@require_GET
@requires(Right.MANAGE_FIRM)
def page(request: CabinetRequest) -> HttpResponse:
    """Show what is kept about whom, why, on what basis, for how long and who sees it."""
    journal.record("register.seen", None)
    context = {
        "entries": entries(years=_years()),
        "cabinet": request.cabinet,
        "about": register_head.of_firm(request.cabinet),
        "operator": processor_register.of_firm(request.cabinet),
    }
    return render(request, "gdpr/register.html", context)


@require_GET
@requires(Right.MANAGE_FIRM)
def document(request: CabinetRequest) -> HttpResponse:
    """Give the register as a PDF."""
    journal.record("register.exported", None, form="pdf")
    cabinet = request.cabinet
    context = {
        "head": letterhead_of(cabinet),
        "entries": entries(years=_years()),
        "about": register_head.of_firm(cabinet),
        "on": day_words(cabinet.today()),
    }
    made = render_document("register.html", context, styles=STYLES)
    response = HttpResponse(made.content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="registre-{cabinet.today():%Y-%m-%d}.pdf"'
    return response


@require_GET
@requires(Right.MANAGE_FIRM)
def sheet(request: CabinetRequest) -> HttpResponse:
    """Give the register as a sheet."""
    journal.record("register.exported", None, form="csv")
    page = io.StringIO()
    writer = SheetWriter(page)
    writer.write(COLUMNS)
    about = register_head.of_firm(request.cabinet)
    for entry in entries(years=_years()):
        # A sheet that is sorted or cut still says whose register it is: what is true of every line is on every line.
        answers = about.operator if entry.purpose.by_vendor else about.controller
        recipients = SEPARATOR.join((*entry.purpose.recipients, *about.processors))
        everywhere = [recipients, answers, about.dpo, SEPARATOR.join(about.transfers), SEPARATOR.join(about.measures)]
        for kept in entry.kept:
            told = [kept.label, kept.columns, kept.person, kept.duration, kept.source, kept.ending, kept.seen_by]
            line = [entry.purpose.name, entry.purpose.basis.label, *told, *everywhere]
            writer.write(line)
    response = HttpResponse("\ufeff" + page.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="registre-{request.cabinet.today():%Y-%m-%d}.csv"'
    return response


@require_GET
@requires(Right.MANAGE_FIRM)
def of_the_operator(request: CabinetRequest) -> HttpResponse:
    """Give, as a PDF, the part of the operator's own register that concerns the firm (art. 30-2)."""
    journal.record("register.exported", None, form="operator")
    cabinet = request.cabinet
    made = processor_register.document(processor_register.of_firm(cabinet), on=cabinet.today())
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="registre-exploitant-{cabinet.today():%Y-%m-%d}.pdf"'
    return response


def entries(*, years: int = USUAL_ACCOUNTING_YEARS) -> list[Entry]:
    """Return the register, purpose by purpose; the firm chooses how many years its vouchers are kept."""
    return [Entry(one, tuple(_kept(holding, years) for holding in holdings_of(one))) for one in PURPOSES]


def _years() -> int:
    return int(settings_in_force().accounting_years)


def _kept(holding: Holding, years: int) -> Kept:
    model, retention = model_of(holding), retention_of(holding)
    names = [str(getattr(model._meta.get_field(name), "verbose_name", name)) for name in holding.fields]
    return Kept(
        label=str(model._meta.verbose_name_plural).capitalize(),
        columns=", ".join(names) or "liens et états",
        person=holding.person.label,
        duration=words_of(retention, accounting_years=years),
        source=retention.source,
        ending=holding.ending.label,
        seen_by=holding.seen_by.label,
    )
