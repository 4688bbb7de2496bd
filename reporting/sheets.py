"""A report as a file: for a spreadsheet (CSV, XLSX) or for the partners' table (PDF, with its definitions)."""

import io
from collections.abc import Iterator

from openpyxl import Workbook
from openpyxl.styles import Font

from cabinets.models import Cabinet
from cabinets.sheets import SheetWriter, seen
from reporting.reports import Report
from templates_lib.letterhead import letterhead_of
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")
SHEET_NAME = 31
WIDE, NARROW = 44, 20


def lines_of(report: Report, *, scope: str) -> Iterator[tuple[str, ...]]:
    """Yield the whole report, line by line: what it is about, its formula, its figures, its tables."""
    yield (report.title,)
    yield (scope,)
    yield from ((line,) for line in report.formula)
    for kpi in report.kpis:
        value = "Pas encore assez de données" if kpi.value is None else f"{kpi.value} {kpi.unit}".strip()
        yield (kpi.label, value, f"objectif : {kpi.target}" if kpi.target else "", kpi.note)
    for table in report.tables:
        yield ()
        yield (table.title,)
        if not table.rows:
            yield (table.empty,)
            continue
        yield table.head
        yield from ((row.label, *row.cells) for row in table.rows)


def as_csv(report: Report, *, scope: str, cabinet: Cabinet) -> bytes:
    """Return the report for a French spreadsheet: semicolons, UTF-8 with its mark."""
    del cabinet
    out = io.StringIO()
    SheetWriter(out).write_all(lines_of(report, scope=scope))
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(report: Report, *, scope: str, cabinet: Cabinet) -> bytes:
    """Return the report as a workbook; every cell is text, none is a formula."""
    del cabinet
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(report.title[:SHEET_NAME])
    for rank, line in enumerate(lines_of(report, scope=scope), start=1):
        for column, cell in enumerate(line, start=1):
            place = sheet.cell(row=rank, column=column)
            place.value, place.data_type = seen(cell), "s"
            if rank == 1:
                place.font = Font(bold=True)
    sheet.column_dimensions["A"].width = WIDE
    for letter in "BCDEFG":
        sheet.column_dimensions[letter].width = NARROW
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_pdf(report: Report, *, scope: str, cabinet: Cabinet) -> bytes:
    """Return the report on the firm's paper, with the definition of each figure."""
    return render_document(
        "report.html",
        {
            "head": letterhead_of(cabinet),
            "demo": "Démonstration : ces chiffres ne concernent personne." if cabinet.is_demo else "",
            "report": report,
            "scope": scope,
            "on": day_words(cabinet.today()),
        },
        styles=STYLES,
    ).content


FORMATS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (as_pdf, "application/pdf"),
}
