"""A figure tells as much as a name: who is in charge of one file reads the figures of a firm that has that file alone.

The same file is planted in two firms, one of which holds other files too. Every page of figures, every sheet and every
document of them must say word for word the same to its person in both.
"""

import csv
import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Dossier, Membership
from cabinets.scoping import working_for
from invoices.models import Invoice
from tests.architecture.test_need_to_know import BESIDE, MINE, THEIRS, Browse, plant
from tests.architecture.test_urls import PATTERNS
from tests.factories.cabinets import assign, make_cabinet, make_member, make_user

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
FIGURES = sorted(
    f"/{address}"
    for address, _ in PATTERNS
    if address.startswith(("tableau-de-bord/", "rapports/")) and "<" not in address
)
FEWEST = 20
# What differs between two firms by itself: what identifies a row or a request, and the firm's own place.
_APART = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|nonce=\"[^\"]*\""
    r"|csrfmiddlewaretoken\" value=\"[^\"]*\"|csrf-token\" content=\"[^\"]*\"|X-CSRFToken[^}]*"
)
NAME = {"first_name": "Jeanne", "last_name": "Aubry"}


def firm_with(*, others: bool) -> tuple[Membership, Membership]:
    """Return a lawyer in charge of one file, and a partner, in a firm that has others or has not."""
    firm = make_cabinet(name="Cabinet des chiffres", email="contact@chiffres.example")
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER, user=make_user(**NAME))
        mine = plant(MINE)
        lawyer = make_member(role=Role.LAWYER, user=make_user(**NAME))
        assign(dossier=Dossier.objects.get(pk=mine["dossier_id"]), member=lawyer)
        if others:
            plant(THEIRS)
            plant(BESIDE, client=Invoice.objects.get(pk=mine["invoice_id"]).client)
    return lawyer, owner


def said_by(content: bytes, kind: str) -> str:
    """Return the words and the figures of an answer."""
    if "pdf" in kind:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if "spreadsheet" in kind:
        book = load_workbook(io.BytesIO(content))
        return repr([[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()])
    if "csv" in kind:
        return repr(list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")))
    return _APART.sub("·", html.unescape(content.decode()))


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.usefixtures("disk")
def test_figures_of_one_file_are_those_of_a_firm_with_that_file_alone(browse: Browse) -> None:
    (with_others, partner), (alone, _) = firm_with(others=True), firm_with(others=False)
    among, apart, whole = browse(with_others), browse(alone), browse(partner)

    differing, unmoved = [], 0
    for address in FIGURES:
        told, wanted, all_of_it = (browser.get(address) for browser in (among, apart, whole))
        kind = str(wanted.headers["Content-Type"])
        assert (told.status_code, wanted.status_code) == (200, 200), address
        if said_by(told.getvalue(), kind) != said_by(wanted.getvalue(), kind):
            differing.append(address)
        # Seen by who sees every file, the same page says something else: the comparison is of what changes.
        unmoved += said_by(all_of_it.getvalue(), kind) == said_by(wanted.getvalue(), kind)

    assert differing == []
    assert len(FIGURES) >= FEWEST
    assert unmoved <= len(FIGURES) // 3
