"""Imports in the background: killed and taken up, two workers at one file, files nobody could read."""

import datetime as dt
import io
import itertools
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import Workbook

from cabinets.enums import Role
from cabinets.models import Cabinet, Client, Dossier, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.models import Decision, DunningCase
from invoices import tasks
from invoices.enums import ImportState, InvoiceState
from invoices.models import ImportBatch, ImportFault, Invoice, Standstill
from invoices.sealed_files import path_of
from invoices.services import importing, importing_rows, importing_runs
from tests.factories.cabinets import make_cabinet, make_member
from tests.factories.ladder import RecordingLadder
from tests.invoices.test_importing import HEADER, bring, let_in, line, undo

LINES, CHUNK = 250, 100


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_runs, "CHUNK", CHUNK)


@pytest.fixture
def firm(committed: None) -> Cabinet:
    """Return a firm whose rows are committed for real."""
    return make_cabinet()


@pytest.fixture
def uploader(firm: Cabinet) -> Membership:
    """Return a partner of that firm."""
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


def big_file() -> bytes:
    """Write 250 lines, five to a client, one bad."""
    people = (line(f"A{n}", client=f"Client {n // 5} SAS", total="12,345" if n == 7 else "10") for n in range(LINES))
    return (HEADER + "".join(people)).encode()


def upload(firm: Cabinet, uploader: Membership, content: bytes) -> ImportBatch:
    """Bring a file and say its columns, as the request does."""
    with working_for(cabinet_id=firm.pk, member_id=uploader.pk):
        batch = importing.receive(stream=io.BytesIO(content), file_name="factures.csv")
        return importing.choose_columns(batch_id=batch.pk, mapping=importing.preview(batch).mapping)


def ask(firm: Cabinet, uploader: Membership, batch: ImportBatch) -> None:
    """Ask for the import, as the request does."""
    with working_for(cabinet_id=firm.pk, member_id=uploader.pk):
        assert importing.start(batch_id=batch.pk, updates_settlements=False)


def reload(firm: Cabinet, batch: ImportBatch) -> ImportBatch:
    """Read a batch again."""
    with working_for(cabinet_id=firm.pk):
        return ImportBatch.objects.get(pk=batch.pk)


def end_lease(firm: Cabinet, batch: ImportBatch) -> None:
    """Let the lease of a dead worker end."""
    with working_for(cabinet_id=firm.pk):
        ImportBatch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


@contextmanager
def dies(chunks: int) -> Iterator[None]:
    """Make the worker die in the middle of the n-th chunk it writes, everything written and nothing committed."""
    real, count = importing_rows.write, itertools.count(1)

    def write(chunk: importing_rows.Chunk, *, importer: importing_rows.Importer, on: dt.date) -> list[Invoice]:
        done = real(chunk, importer=importer, on=on)
        if next(count) == chunks:
            raise KeyboardInterrupt
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(importing_rows, "write", write)
        yield


def test_a_big_file_goes_in_by_the_sweep_and_the_worker(
    firm: Cabinet, uploader: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = upload(firm, uploader, big_file())
    handed: list[tuple[str, str]] = []
    monkeypatch.setattr(tasks.import_batch, "delay", lambda *names: handed.append(names))
    assert tasks.sweep_imports() == 1
    assert handed == [(str(firm.pk), str(batch.pk))]
    tasks.import_batch(*handed[0])
    checked = reload(firm, batch)
    assert (checked.state, checked.ready, checked.faulty, checked.lines_done) == (ImportState.CHECKED, 249, 1, 250)
    assert tasks.sweep_imports() == 0
    ask(firm, uploader, batch)
    assert tasks.sweep_imports() == 1
    tasks.import_batch(*handed[1])
    assert (reload(firm, batch).state, reload(firm, batch).created) == (ImportState.DONE, 249)
    with working_for(cabinet_id=firm.pk):
        assert (Invoice.objects.count(), Client.objects.count(), Dossier.objects.count()) == (249, 50, 50)
        told = JournalEntry.objects.filter(event="invoice.created", member_id=uploader.pk)
        assert told.count() == 249


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_killed_half_way_it_resumes_without_doubling(firm: Cabinet, uploader: Membership, chunk: int) -> None:
    batch = upload(firm, uploader, big_file())
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    ask(firm, uploader, batch)
    with dies(chunk), pytest.raises(KeyboardInterrupt):
        tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    half = reload(firm, batch)
    assert (half.state, half.lines_done) == (ImportState.IMPORTING, (chunk - 1) * CHUNK)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    assert reload(firm, batch).lines_done == half.lines_done
    end_lease(firm, batch)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    done = reload(firm, batch)
    assert (done.state, done.created, done.lines_done) == (ImportState.DONE, 249, 250)
    with working_for(cabinet_id=firm.pk):
        assert (Invoice.objects.count(), Client.objects.count(), DunningCase.objects.count()) == (249, 50, 249)


def test_a_check_that_was_killed_starts_again_and_says_each_thing_once(
    firm: Cabinet, uploader: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, real = upload(firm, uploader, big_file()), importing_runs._renew

    def renew(row: ImportBatch, **counts: int) -> None:
        real(row, **counts)
        if row.lines_done == 200:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(importing_runs, "_renew", renew)
        with pytest.raises(KeyboardInterrupt):
            tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    end_lease(firm, batch)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    checked = reload(firm, batch)
    assert (checked.ready, checked.faulty, checked.lines_done) == (249, 1, 250)
    with working_for(cabinet_id=firm.pk):
        assert ImportFault.objects.count() == 1


def test_a_worker_whose_lease_was_taken_writes_nothing_more(
    firm: Cabinet, uploader: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, real = upload(firm, uploader, big_file()), importing_rows.write
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    ask(firm, uploader, batch)

    def write(chunk: importing_rows.Chunk, *, importer: importing_rows.Importer, on: dt.date) -> list[Invoice]:
        taken = timezone.now() + dt.timedelta(hours=1)
        ImportBatch.objects.filter(pk=batch.pk).update(lease_until=taken)
        return real(chunk, importer=importer, on=on)

    monkeypatch.setattr(importing_rows, "write", write)
    with pytest.raises(importing_runs.LeaseLostError):
        tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    with working_for(cabinet_id=firm.pk):
        assert Invoice.objects.count() == 0


def test_a_file_that_kills_its_worker_three_times_is_given_up_and_may_be_taken_up(
    firm: Cabinet, uploader: Membership
) -> None:
    batch = upload(firm, uploader, big_file())
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    ask(firm, uploader, batch)
    for _ in range(3):
        with dies(1), pytest.raises(KeyboardInterrupt):
            tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
        end_lease(firm, batch)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    failed = reload(firm, batch)
    assert failed.state == ImportState.FAILED
    assert failed.failure == "Le traitement s’est interrompu 3 fois après la ligne 0."
    with working_for(cabinet_id=firm.pk, member_id=uploader.pk):
        assert importing.resume(batch_id=batch.pk)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    assert reload(firm, batch).created == 249


def test_a_worker_lets_go_when_its_time_is_over_and_the_next_one_ends_the_work(
    firm: Cabinet, uploader: Membership
) -> None:
    batch = upload(firm, uploader, big_file())
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    ask(firm, uploader, batch)
    opened = lambda: working_for(cabinet_id=firm.pk, member_id=uploader.pk, durable=True)  # noqa: E731
    for expected in (100, 200, 250):
        importing_runs.work(batch_id=batch.pk, opened=opened, seconds=-1)
        assert reload(firm, batch).lines_done == expected
    importing_runs.work(batch_id=batch.pk, opened=opened, seconds=-1)
    assert reload(firm, batch).state == ImportState.DONE


def test_a_big_import_is_undone_in_the_background(firm: Cabinet, uploader: Membership) -> None:
    batch = upload(firm, uploader, big_file())
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    ask(firm, uploader, batch)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    with working_for(cabinet_id=firm.pk, member_id=uploader.pk):
        importing.ask_undo(batch_id=batch.pk)
    tasks.run_import(cabinet_id=firm.pk, batch_id=batch.pk)
    assert reload(firm, batch).state == ImportState.UNDONE
    with working_for(cabinet_id=firm.pk):
        left = [model.objects.count() for model in (Invoice, Client, Dossier, DunningCase, Standstill)]
        assert left == [0, 0, 0, 0, 0]


def test_the_sealed_file_is_deleted_a_day_after(firm: Cabinet, uploader: Membership) -> None:
    batch = upload(firm, uploader, (HEADER + line("A1")).encode())
    with working_for(cabinet_id=firm.pk):
        path = path_of(batch.stored_as)
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=ImportState.CHECKED, uploaded_at=timezone.now() - dt.timedelta(hours=25)
        )
    orphan = path.with_name("orphan")
    orphan.write_bytes(b"x")
    os.utime(orphan, (0, 0))
    assert path.exists()
    tasks.sweep_imports()
    assert not path.exists()
    assert not orphan.exists()
    assert reload(firm, batch).stored_as == ""


# --- with the real ladder


def test_old_debts_enter_paused_and_an_undone_import_leaves_the_ladder(cabinet: Cabinet) -> None:
    batch = let_in(bring(HEADER + line("OLD", issued="01/01/2026", due="31/01/2026") + line("NEW")))
    assert DunningCase.objects.count() == 2
    assert Standstill.objects.get().invoice_id == Invoice.objects.get(number="OLD").pk
    undo(batch)
    left = [model.objects.count() for model in (Invoice, DunningCase, Standstill, Client, Dossier)]
    assert left == [0, 0, 0, 0, 0]


def test_an_invoice_a_night_wrote_about_stays_as_cancelled(cabinet: Cabinet) -> None:
    batch = let_in(bring(HEADER + line("A1") + line("A2", client="B SAS")))
    seen = Invoice.objects.get(number="A1")
    Decision(invoice=seen, on=dt.date(2026, 11, 24), code="MIN_GAP").save(force_insert=True)
    undo(batch)
    assert [(row.number, row.state) for row in Invoice.objects.all()] == [("A1", InvoiceState.CANCELLED)]
    assert Client.objects.count() == 1
    assert let_in(bring(HEADER + line("A1"))).created == 1


# --- files nobody could read


def workbook(rows: list[list[object]]) -> bytes:
    """Write a workbook."""
    book, stream = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(stream)
    return stream.getvalue()


def zip_of(entries: dict[str, bytes]) -> bytes:
    """Write an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def spoilt_workbook(part: str, content: bytes) -> bytes:
    """Write a workbook one part of which is something else."""
    with zipfile.ZipFile(
        io.BytesIO(workbook([["N° facture", "Date", "Montant"], ["A1", "01/10/2026", 10]]))
    ) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return zip_of({**entries, part: content})


_SHEET = "xl/worksheets/sheet1.xml"
_UNREADABLE = "ne se lit pas"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "Le fichier est vide", id="empty"),
        pytest.param(b"\r\n\r\n", "aucune ligne", id="only line ends"),
        pytest.param(os.urandom(20_000) + bytes(50), "encodage", id="binary"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(200), "encodage", id="image"),
        pytest.param(b"%PDF-1.7 ...", "PDF", id="pdf"),
        pytest.param(b"\xd0\xcf\x11\xe0" + bytes(600), "ancien", id="old Excel"),
        pytest.param(b"<!DOCTYPE html><html><p>a;b</p>\n<p>c;d</p></html>", "page web", id="html"),
        pytest.param(b'[{"facture": "A1"},\n{"facture": "A2"}]', "données brutes", id="json"),
        pytest.param("N° facture\nA1\nA2\n".encode(), "Une seule colonne", id="one column"),
        pytest.param("N° facture;Date;Montant\n".encode(), "que sa ligne de titres", id="header only"),
        pytest.param(b"PK\x03\x04" + bytes(100), _UNREADABLE, id="not a zip"),
        pytest.param(zip_of({"word/document.xml": b"<w/>"}), _UNREADABLE, id="another office file"),
        pytest.param(spoilt_workbook(_SHEET, b"<worksheet><sheetData><row>"), _UNREADABLE, id="cut sheet"),
        pytest.param(spoilt_workbook("xl/workbook.xml", b"no xml"), _UNREADABLE, id="no workbook"),
        pytest.param(spoilt_workbook(_SHEET, b"<a>" + bytes(3_000_000)), "trop gros", id="bomb"),
        pytest.param(
            spoilt_workbook(_SHEET, b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'),
            _UNREADABLE,
            id="entities",
        ),
        pytest.param(workbook([["N° facture", "Date"]]), "que sa ligne de titres", id="workbook with a header only"),
        pytest.param(workbook([]), "aucune ligne", id="empty workbook"),
    ],
)
def test_a_file_nobody_could_read_is_refused_and_not_kept(cabinet: Cabinet, content: bytes, sentence: str) -> None:
    with pytest.raises(importing.ImportRefusedError, match=sentence):
        importing.receive(stream=io.BytesIO(content), file_name="x")
    assert ImportBatch.objects.count() == 0
    assert list(path_of("imports/x").parent.iterdir()) == []


def test_a_workbook_goes_in_like_a_csv(cabinet: Cabinet, told: RecordingLadder) -> None:
    rows: list[list[object]] = [["N° facture", "Date", "Échéance", "Montant TTC", "Client"]]
    rows += [[f"A{n}", dt.date(2026, 10, 1), dt.date(2026, 10, 31), 12.5 + n, "Atelier Nord SAS"] for n in range(3)]
    batch = let_in(bring(workbook(rows), "factures.xlsx"))
    assert (batch.lines, batch.created) == (3, 3)
    assert [invoice.total_cents for invoice in Invoice.objects.order_by("number")] == [1250, 1350, 1450]


def test_a_file_beyond_20_mb_or_100_000_lines_is_refused(
    cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch, told: RecordingLadder
) -> None:
    monkeypatch.setattr(importing, "MAX_BYTES", 100_000)
    with pytest.raises(importing.ImportRefusedError, match="dépasse 20 Mo"):
        importing.receive(stream=io.BytesIO(bytes(100_001)), file_name="x")
    monkeypatch.setattr(importing_runs, "MAX_LINES", 2)
    batch = bring(HEADER + line("A1") + line("A2") + line("A3"))
    assert batch.state == ImportState.FAILED
    assert batch.failure == "Le fichier compte plus de 2 lignes : partagez-le en plusieurs fichiers."


def test_a_sealed_import_does_not_open_for_another_batch(cabinet: Cabinet, told: RecordingLadder) -> None:
    one = bring(HEADER + line("A1"))
    other = bring(HEADER + line("A2"))
    other.stored_as = one.stored_as
    with pytest.raises(importing.ImportRefusedError, match="ne s’ouvre plus"):
        importing.preview(other)
