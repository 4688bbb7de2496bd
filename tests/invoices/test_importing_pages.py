"""The four screens of an import, as a browser without script sees them."""

import csv
import datetime as dt
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import acting_for, tenant_atomic, working_for
from invoices.enums import ImportState, LineNature
from invoices.importers.mapping import guess_mapping, missing_fields
from invoices.models import ImportBatch, ImportFault, Invoice
from invoices.services import importing
from invoices.views.importing import MODEL
from tests.factories.cabinets import make_member, outside_any_firm
from tests.factories.ladder import RecordingLadder
from tests.invoices.test_importing import HEADER, SAMPLE, bring, let_in, line

Browse = Callable[[Membership | None], Any]


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path, told: RecordingLadder) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def upload(browser: Any, content: bytes | str, name: str = "factures.csv") -> Any:
    """Post a file to the first screen."""
    data = content.encode() if isinstance(content, str) else content
    return browser.post("/factures/importer/", {"file": SimpleUploadedFile(name, data)})


def batch_in(address: str) -> UUID:
    """Read the batch in an address."""
    return UUID(address.split("/")[3])


def choices(page: Any) -> dict[str, str]:
    """Return what the columns' form would post as it stands."""
    form = page.context["form"]
    return {name: field.initial for name, field in form.fields.items()}


def text(page: Any) -> str:
    """Return what a page says, on one line, its no-break spaces as plain ones."""
    words = re.sub(r"<(script|style|noscript)[^>]*>.*?</\1>|<[^>]*>", " ", page.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(words).replace("\u00a0", " ").split())


def checked(browser: Any, content: bytes | str) -> str:
    """Go as far as the third screen; return its address."""
    columns = upload(browser, content).url
    return str(browser.post(columns, choices(browser.get(columns))).url)


def test_the_file_of_the_issue_goes_through_the_four_screens(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    first = browser.get("/factures/importer/")
    assert "Rien n’est relancé avant que vous ayez vu chaque ligne." in text(first)

    sent = upload(browser, SAMPLE)
    assert sent.status_code == 302
    columns = browser.get(sent.url)
    assert "18 reconnues sur 18" in text(columns)
    assert "A – N° facture F2026-0001 F2026-0002 F2026-0003" in text(columns)

    sent = browser.post(sent.url, choices(columns))
    control = browser.get(sent.url)
    said = text(control)
    assert "Prêtes 290 seront créées À corriger 10 ne seront pas importées Déjà connues 0" in said
    faulty = {
        one.line: [(cell.label, cell.sentences[0].replace("\u00a0", " ")) for cell in one.faulty]
        for one in control.context["lines"]
    }
    assert [(label, words[:48]) for label, words in faulty[177]] == [
        ("Échéance", "L’échéance manque : indiquez-la, elle ne se dédu")
    ]
    assert "L’échéance manque : indiquez-la, elle ne se déduit de la loi" in said
    assert "Importer les 290 lignes prêtes" in said
    assert "Lignes 2, 4, 6, 8, 10, 12, 14, 16 et 136 autres E-mail de l’avocat Cet avocat n’est pas membre" in said

    sent = browser.post(sent.url)
    result = browser.get(sent.url)
    said = text(result)
    assert "Import terminé" in said
    assert "Factures créées 290" in said
    assert "F2026-0001" in said
    assert Invoice.objects.count() == 290
    assert f'href="/factures/?import={batch_in(sent.url)}"' in result.content.decode()
    assert "L’annulation est possible jusqu’au 25 novembre 2026 à 10 h 30." in said

    again = browser.get(checked(browser, SAMPLE))
    assert "Rien de nouveau à importer" in text(again)
    assert "Déjà connues 290" in text(again)
    assert "retenues lors de votre dernier import" in text(browser.get(upload(browser, SAMPLE).url))


def test_an_import_is_undone_from_its_result(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    browser = browse(owner)
    batch = let_in(bring(HEADER + line("A1") + line("A2", client="B SAS")))
    told.spoken = {Invoice.objects.get(number="A1").pk}
    page = browser.get(f"/factures/importer/{batch.pk}/annuler/")
    assert "1 facture sera retirée, avec les clients et les dossiers" in text(page)
    assert "1 facture reste : le client a déjà été relancé." in text(page)
    assert Invoice.objects.count() == 2
    result = browser.get(browser.post(f"/factures/importer/{batch.pk}/annuler/").url)
    assert "Import annulé" in text(result)
    assert "1 facture reste au cabinet" in text(result)
    assert [invoice.number for invoice in Invoice.objects.all()] == ["A1"]


def test_an_import_all_of_which_was_said_offers_no_undoing(
    cabinet: Cabinet, owner: Membership, browse: Browse, told: RecordingLadder
) -> None:
    batch = let_in(bring(HEADER + line("A1")))
    told.spoken = {Invoice.objects.get().pk}
    page = browse(owner).get(f"/factures/importer/{batch.pk}/annuler/")
    assert "Aucune facture de cet import ne peut plus être retirée." in text(page)
    assert "Annuler l’import" not in text(page)


def test_after_a_day_an_import_stays(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    batch = let_in(bring(HEADER + line("A1")))
    ImportBatch.objects.filter(pk=batch.pk).update(finished_at=timezone.now() - dt.timedelta(hours=24))
    browser = browse(owner)
    assert browser.get(f"/factures/importer/{batch.pk}/annuler/").status_code == 302
    result = browser.get(browser.post(f"/factures/importer/{batch.pk}/annuler/").url)
    assert "Cet import ne s’annule plus : il a plus de 24 heures. Rien n’a été changé." in text(result)
    assert "Annuler cet import" not in text(result)
    assert Invoice.objects.count() == 1


def test_the_lines_to_correct_come_back_as_a_file_that_can_be_brought_again(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    browser = browse(owner)
    bad = line("", client="=HYPERLINK(1) SAS", total="-120,00") + line("A2", total="12,345")
    address = checked(browser, HEADER + line("A1") + bad)
    answer = browser.get(f"/factures/importer/{batch_in(address)}/a-corriger.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="lignes-a-corriger.csv"'
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert lines[0][:4] == ["Ligne", "À faire", "N° facture", "Date"]
    assert lines[1][0] == "3"
    assert lines[1][1] == "N° facture : Le numéro de facture manque : indiquez-le.".replace(" :", "\u00a0:")
    assert (lines[1][5], lines[1][7]) == ("-120,00", "'=HYPERLINK(1) SAS")
    assert lines[2][0] == "4"
    corrected = answer.content.decode().replace("12,345", "12,34").replace(";;01/10/2026", ";A3;01/10/2026")
    again = ImportBatch.objects.get(pk=batch_in(checked(browser, corrected)))
    assert (again.ready, again.faulty) == (2, 0)


def test_the_model_is_a_file_the_product_understands(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    answer = browse(owner).get("/factures/importer/modele.csv")
    (titles,) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert list(guess_mapping(titles).items()) == sorted(
        zip(MODEL, range(len(MODEL)), strict=True), key=lambda pair: list(guess_mapping(titles)).index(pair[0])
    )
    assert missing_fields(guess_mapping(titles)) == []


def test_lines_are_pasted_from_a_spreadsheet(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    sent = browser.post("/factures/importer/", {"lines": (HEADER + line("A1")).replace(";", "\t")})
    assert "Collage du 24/11/2026" in text(browser.get(sent.url))


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "Choisissez un fichier ou collez des lignes."),
        ({"lines": "bonjour"}, "Une seule colonne a été trouvée"),
        ({"file": SimpleUploadedFile("vide.csv", b"")}, "Le fichier est vide : choisissez-en un autre."),
        ({"file": SimpleUploadedFile("photo.png", b"\x89PNG" + bytes(99))}, "L’encodage du fichier n’est pas reconnu"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    cabinet: Cabinet, owner: Membership, browse: Browse, posted: dict[str, Any], sentence: str
) -> None:
    page = browse(owner).post("/factures/importer/", posted)
    assert page.status_code == 422
    assert sentence in text(page)
    assert ImportBatch.objects.count() == 0


def test_a_choice_made_twice_and_a_missing_column_are_said(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    address = upload(browser, HEADER + line("A1")).url
    posted = choices(browser.get(address))
    twice = browser.post(address, {**posted, "column_1": "number"})
    assert twice.status_code == 422
    assert "« Numéro de facture » est déjà la colonne A – N° facture : gardez-en une." in text(twice)
    missing = browser.post(address, {**posted, "column_0": "", "column_3": ""})
    assert "Indiquez la colonne qui contient : « Numéro de facture », « Montant TTC »." in text(missing)
    assert ImportBatch.objects.get().state == ImportState.UPLOADED


def test_columns_may_be_reviewed_until_the_lines_go_in(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    address = checked(browser, HEADER + line("A1", settled="50"))
    columns = f"/factures/importer/{batch_in(address)}/colonnes/"
    posted = choices(browser.get(columns))
    assert posted["column_4"] == "settled"
    browser.post(columns, {**posted, "column_4": ""})
    browser.post(address)
    assert Invoice.objects.get().settled_cents == 0
    assert browser.get(columns).url.endswith("/resultat/")
    assert browser.get(address).url.endswith("/resultat/")


def test_settlements_are_updated_only_when_asked(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    let_in(bring(HEADER + line("A1")))
    browser = browse(owner)
    address = checked(browser, HEADER + line("A1", settled="500"))
    assert "Mettre à jour les règlements de 1 facture déjà connue" in text(browser.get(address))
    result = browser.get(browser.post(address, {"updates_settlements": "on"}).url)
    assert "1 règlement mis à jour sur des factures déjà connues." in text(result)
    assert Invoice.objects.get().settled_cents == 50_000


def test_a_big_file_shows_its_progress_and_then_its_check(
    cabinet: Cabinet, owner: Membership, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE_LINES", 1)
    browser = browse(owner)
    address = checked(browser, HEADER + line("A1") + line("A2"))
    waiting = browser.get(address)
    assert "Le travail commence dans quelques secondes." in text(waiting)
    assert 'hx-trigger="every 2s"' in waiting.content.decode()
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in waiting.content.decode()
    ImportBatch.objects.update(lines_done=1, lease_until=timezone.now())
    assert "1 ligne sur 2" in text(browser.get(address, headers={"HX-Request": "true"}))
    ImportBatch.objects.update(state=ImportState.CHECKED, ready=2, lease_until=None)
    polled = browser.get(address, headers={"HX-Request": "true"})
    assert polled["HX-Redirect"] == address
    started = browser.post(address)
    assert "Import des factures" in text(browser.get(started.url))


def test_an_interrupted_import_is_taken_up_from_its_page(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    batch = bring(HEADER + line("A1"))
    failed = {"state": ImportState.FAILED, "failure": "Le traitement s’est interrompu.", "finished_at": timezone.now()}
    ImportBatch.objects.filter(pk=batch.pk).update(**failed, lines_done=0)
    browser = browse(owner)
    assert "Import interrompu" in text(browser.get(f"/factures/importer/{batch.pk}/resultat/"))
    result = browser.get(browser.post(f"/factures/importer/{batch.pk}/reprendre/").url)
    assert "Import terminé" in text(result)
    assert Invoice.objects.count() == 1


def test_a_check_that_failed_says_why(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    batch = bring(HEADER + line("A1"))
    ImportBatch.objects.filter(pk=batch.pk).update(state=ImportState.FAILED, failure="Le fichier ne se lit pas.")
    browser = browse(owner)
    assert browser.get(f"/factures/importer/{batch.pk}/resultat/").url.endswith("/controle/")
    assert "Le fichier ne se lit pas." in text(browser.get(f"/factures/importer/{batch.pk}/controle/"))


PAGES = ("colonnes/", "controle/", "a-corriger.csv", "resultat/", "annuler/")


def test_another_firms_import_is_not_found(
    cabinet: Cabinet, owner: Membership, other_cabinet: Cabinet, browse: Browse
) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = let_in(bring(HEADER + line("", total="") + line("A1")))
    browser = browse(owner)
    for batch_id in (theirs.pk, uuid4()):
        statuses = {page: browser.get(f"/factures/importer/{batch_id}/{page}").status_code for page in PAGES}
        assert statuses == dict.fromkeys(PAGES, 404)
        for page in ("colonnes/", "controle/", "annuler/", "reprendre/"):
            assert browser.post(f"/factures/importer/{batch_id}/{page}").status_code == 404


def test_a_colleagues_import_is_not_found_without_the_wider_right(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    one, other = make_member(role=Role.ASSISTANT), make_member(role=Role.ASSISTANT)
    with acting_for(cabinet_id=cabinet.pk, member_id=one.pk), tenant_atomic():
        batch = bring(HEADER + line("A1") + line(""))
    address = f"/factures/importer/{batch.pk}/controle/"
    assert [browse(member).get(address).status_code for member in (one, other, owner)] == [200, 404, 200]
    assert "factures.csv" not in text(browse(other).get("/factures/importer/"))


def test_whoever_may_not_import_is_refused(cabinet: Cabinet, browse: Browse) -> None:
    accountant = make_member(role=Role.ACCOUNTANT)
    assert browse(accountant).get("/factures/importer/").status_code == 403
    assert browse(accountant).get("/factures/importer/modele.csv").status_code == 403
    assert browse(None).get("/factures/importer/").status_code == 302


def test_pages_leave_a_line_in_the_journal(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    address = checked(browser, HEADER + line("A1") + line(""))
    browser.get(address)
    browser.get(f"/factures/importer/{batch_in(address)}/a-corriger.csv")
    browser.get(browser.post(address).url)
    events = JournalEntry.objects.filter(member_id=owner.pk).order_by("pk").values_list("event", flat=True)
    assert [event for event in events if event.startswith("import")] == [
        "import.received", "importbatch.seen", "import.checked", "importbatch.seen", "import.faults_downloaded",
        "import.started", "import.done", "importbatch.seen",
    ]  # fmt: skip


def test_a_long_list_says_how_much_of_it_is_shown(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    address = checked(browser, HEADER + "".join(line("") for _ in range(120)))
    assert ImportFault.objects.filter(nature=LineNature.FAULT).count() == 120
    assert "Les 25 premières lignes sont affichées ; 95 autres viendront ensuite." in text(browser.get(address))
    assert "Aucune ligne n’est prête." in text(browser.get(address))
