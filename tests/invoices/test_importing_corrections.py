"""The lines of a file that cannot go in, corrected on screen: the file stays as it came, and nothing typed is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from invoices.enums import ImportState, LineNature
from invoices.models import ImportBatch, ImportCorrection, ImportFault, Invoice
from invoices.services import importing, importing_corrections
from tests.factories.cabinets import make_member
from tests.factories.ladder import RecordingLadder
from tests.invoices.test_importing import bring, let_in
from tests.invoices.test_importing_pages import batch_in, checked, text

Browse = Callable[[Membership | None], Any]
FILE = (
    "Numéro;Date de facture;Échéance;Montant TTC;Société;E-mail\n"
    "F-1;02/11/2026;02/12/2026;1 200,00;Atelier Nord;nord@nord.example\n"
    "F-2;32/11/2026;02/12/2026;douze;Atelier Sud;sud@sud.example\n"
    "F-1;02/11/2026;02/12/2026;300,00;Atelier Est;est@est.example\n"
)
DATE, TOTAL, NUMBER = 1, 3, 0


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any, told: RecordingLadder) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def refused(batch: ImportBatch) -> set[int]:
    faults = ImportFault.objects.filter(batch=batch, nature=LineNature.FAULT)
    return set(faults.values_list("line", flat=True))


def counts(batch: ImportBatch) -> tuple[str, int, int, int]:
    batch.refresh_from_db()
    return batch.state, batch.lines, batch.ready, batch.faulty


def test_shows_each_refused_line_with_its_faulty_cells_to_type_again(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)

    page = browser.get(checked(browser, FILE))

    lines = page.context["lines"]
    assert [(line.line, [cell.label for cell in line.faulty]) for line in lines] == [
        (3, ["Date de facture", "Montant TTC"]),
        (4, ["Numéro"]),
    ]
    assert [cell.text for cell in lines[0].faulty] == ["32/11/2026", "douze"]
    assert 'name="cellule-3-3"' in page.content.decode()
    assert lines[1].faulty[0].sentences[0].replace("\u00a0", " ") in text(page)


def test_a_line_that_becomes_good_joins_and_one_still_wrong_keeps_what_was_typed(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    address = checked(browser, FILE)
    batch = ImportBatch.objects.get(pk=batch_in(address))
    before = counts(batch)
    typed = {"cellule-3-1": "12/11/2026", "cellule-3-3": "treize", "cellule-4-0": "F-3", "cellule-4-4": "Atelier Est"}

    answer = browser.post(address.replace("controle", "corriger"), typed)

    page = browser.get(answer.url)
    assert before == (ImportState.CHECKED, 3, 1, 2)
    assert counts(batch) == (ImportState.CHECKED, 3, 2, 1)
    assert refused(batch) == {3}
    assert [(cell.label, cell.text, cell.said) for cell in page.context["lines"][0].faulty] == [
        ("Montant TTC", "treize", "douze")
    ]
    assert page.context["changes"] == [
        {"line": 3, "column": "Date de facture", "said": "32/11/2026", "typed": "12/11/2026"},
        {"line": 3, "column": "Montant TTC", "said": "douze", "typed": "treize"},
        {"line": 4, "column": "Numéro", "said": "F-1", "typed": "F-3"},
    ]
    assert JournalEntry.objects.get(event="import.corrected").facts == {"count": 2, "set_aside": 0}


def test_what_was_typed_goes_in_and_what_the_file_said_stays_beside(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    address = checked(browser, FILE)
    browser.post(address.replace("controle", "corriger"), {"cellule-3-1": "12/11/2026", "cellule-3-3": "1 300,00"})
    browser.post(address.replace("controle", "corriger"), {"cellule-4-0": "F-3"})

    result = browser.get(browser.post(address).url)

    batch = ImportBatch.objects.get(pk=batch_in(address))
    assert sorted(Invoice.objects.values_list("number", "total_cents")) == [
        ("F-1", 120_000), ("F-2", 130_000), ("F-3", 30_000),
    ]  # fmt: skip
    kept = ImportCorrection.objects.get(batch=batch, line=3)
    assert (json.loads(str(kept.said)), json.loads(str(kept.typed)), kept.author_id) == (
        {"1": "32/11/2026", "3": "douze"}, {"1": "12/11/2026", "3": "1 300,00"}, owner.pk,
    )  # fmt: skip
    assert importing_corrections.lines_of(batch, {3})[3][TOTAL] == "douze"
    assert "32/11/2026 12/11/2026" in text(result)


def test_a_line_set_aside_is_neither_refused_nor_imported_and_comes_back(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    address = checked(browser, FILE)
    batch = ImportBatch.objects.get(pk=batch_in(address))
    act = address.replace("controle", "corriger")

    browser.post(act, {"ecarter": ["3", "4"]})
    aside = (counts(batch), refused(batch), importing_corrections.set_aside_lines(batch))
    browser.post(act, {"reprendre": "4"})
    back = (counts(batch), refused(batch), importing_corrections.set_aside_lines(batch))
    browser.post(address)

    assert aside == ((ImportState.CHECKED, 1, 1, 0), set(), [3, 4])
    assert back == ((ImportState.CHECKED, 2, 1, 1), {4}, [3])
    assert list(Invoice.objects.values_list("number", flat=True)) == ["F-1"]


def test_setting_the_first_of_two_lines_aside_lets_the_second_in(cabinet: Cabinet, owner: Membership) -> None:
    batch = bring(FILE)

    importing_corrections.correct(batch_id=batch.pk, typed={}, set_aside={2})

    assert ImportBatch.objects.get(pk=batch.pk).state == ImportState.CHECKING


def test_a_cell_typed_as_the_file_says_is_no_correction(cabinet: Cabinet, owner: Membership) -> None:
    batch = bring(FILE)

    changed = importing_corrections.correct(batch_id=batch.pk, typed={3: {TOTAL: "douze"}, 99: {TOTAL: "1"}})

    batch.refresh_from_db()
    assert (changed, batch.state, ImportCorrection.objects.count()) == (False, ImportState.CHECKED, 0)


def test_nothing_is_corrected_once_the_lines_are_in(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    batch = let_in(bring(FILE))

    answer = browse(owner).post(f"/factures/importer/{batch.pk}/corriger/", {"cellule-3-3": "12"})

    assert answer.status_code == 302
    with pytest.raises(importing.ImportRefusedError):
        importing_corrections.correct(batch_id=batch.pk, typed={3: {TOTAL: "12"}})
    assert (ImportCorrection.objects.count(), Invoice.objects.count()) == (0, 1)


def test_a_colleague_without_the_wider_right_finds_no_import(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    address = checked(browser, FILE)

    answer = browse(make_member(role=Role.ASSISTANT)).post(
        address.replace("controle", "corriger"), {"cellule-3-3": "12"}
    )

    assert (answer.status_code, ImportCorrection.objects.count()) == (404, 0)


def test_the_check_costs_the_same_with_one_line_to_correct_and_with_ten(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    head = FILE.splitlines()[0]

    def cost(count: int) -> int:
        lines = [f"G-{place};32/11/2026;02/12/2026;12;Atelier;a@a.example" for place in range(count)]
        address = checked(browser, "\n".join([head, *lines]))
        browser.get(address)
        with CaptureQueriesContext(connection) as asked:
            browser.get(address)
        return len(asked)

    assert cost(1) == cost(10)
