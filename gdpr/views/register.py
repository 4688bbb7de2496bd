"""The register of treatments (GDPR art. 30): the page, the PDF to keep, the sheet to sort."""

import csv
import io
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from gdpr.inventory import PURPOSES, Holding, Purpose, holdings_of, retention_of
from gdpr.services.emptying import model_of
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")


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
    return render(request, "gdpr/register.html", {"entries": entries(), "cabinet": request.cabinet})


@require_GET
@requires(Right.MANAGE_FIRM)
def document(request: CabinetRequest) -> HttpResponse:
    """Give the register as a PDF."""
    journal.record("register.exported", None, form="pdf")
    cabinet = request.cabinet
    context = {"head": letterhead_of(cabinet), "entries": entries(), "on": day_words(cabinet.today())}
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
    writer = csv.writer(page, delimiter=";")
    writer.writerow(["Finalité", "Fondement", "Données", "Champs", "Personnes", "Durée", "Source", "À la fin", "Qui"])
    for entry in entries():
        for kept in entry.kept:
            told = [kept.label, kept.columns, kept.person, kept.duration, kept.source, kept.ending, kept.seen_by]
            writer.writerow([entry.purpose.name, entry.purpose.basis.label, *told])
    response = HttpResponse("\ufeff" + page.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="registre-{request.cabinet.today():%Y-%m-%d}.csv"'
    return response


def entries() -> list[Entry]:
    """Return the register, purpose by purpose."""
    return [Entry(one, tuple(_kept(holding) for holding in holdings_of(one))) for one in PURPOSES]


def _kept(holding: Holding) -> Kept:
    model, retention = model_of(holding), retention_of(holding)
    names = [str(getattr(model._meta.get_field(name), "verbose_name", name)) for name in holding.fields]
    return Kept(
        label=str(model._meta.verbose_name_plural).capitalize(),
        columns=", ".join(names) or "liens et états",
        person=holding.person.label,
        duration=retention.words,
        source=retention.source,
        ending=holding.ending.label,
        seen_by=holding.seen_by.label,
    )
