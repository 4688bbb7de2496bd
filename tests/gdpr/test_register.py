"""The register as a page, a PDF and a sheet: what the code keeps, and nothing it does not."""

import csv
import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import JournalEntry, Membership
from gdpr.inventory import HOLDINGS, PURPOSES
from gdpr.views.register import entries
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_member


def test_tells_every_table_once(owner: Membership) -> None:
    told = [kept.label for entry in entries() for kept in entry.kept]

    assert len(entries()) == len(PURPOSES)
    assert len(told) == len(HOLDINGS)


def test_gives_the_same_on_the_page_in_the_sheet_and_in_the_pdf(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    desk = browse(owner)

    page = desk.get("/rgpd/registre/").content.decode()
    sheet = desk.get("/rgpd/registre.csv").content.decode("utf-8-sig")
    document = desk.get("/rgpd/registre.pdf").content
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)

    lines = list(csv.DictReader(io.StringIO(sheet), delimiter=";"))
    assert len(lines) == len(HOLDINGS)
    for purpose in PURPOSES:
        assert purpose.name in page
        assert purpose.name in text
    assert JournalEntry.objects.filter(event="register.exported").count() == 2


@pytest.mark.parametrize("address", ["/rgpd/registre/", "/rgpd/registre.pdf", "/rgpd/registre.csv", "/rgpd/durees/"])
def test_is_for_those_who_run_the_firm(
    cabinet: object, address: str, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    assert browse(make_member(role=Role.LAWYER)).get(address).status_code == 403
