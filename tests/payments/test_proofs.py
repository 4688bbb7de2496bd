"""« J’ai déjà payé » with a file: what is refused and how, what is kept of it, who reads it, and its end."""

import io
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfWriter

from cabinets import received
from cabinets.addresses import show_typed_phone
from cabinets.enums import Role
from cabinets.models import Cabinet, Client, JournalEntry, Membership
from cabinets.scoping import working_for
from invoices.models import Invoice, Standstill
from payments.models import DebtorRequest, PaymentLink, Proof
from payments.services import links, proofs, requests
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.test_portal import PAID, place, read

Browse = Callable[..., FirmBrowser]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()


@pytest.fixture
def debtor(browse: Browse) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    return browse()


def pdf(*, password: str = "", pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if password:
        writer.encrypt(password)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def picture(kind: str, *, size: tuple[int, int] = (40, 20), mode: str = "RGB", place: bool = False) -> bytes:
    image, written = Image.new(mode, size, "red"), io.BytesIO()
    exif = Image.Exif()
    if place:
        exif[0x0112] = 6
        exif[0x010F] = "Appareil de Sophie"
        exif.get_ifd(0x8825)[1] = "N"
    image.save(written, kind, exif=exif)
    return written.getvalue()


def send(debtor: FirmBrowser, link: PaymentLink, name: str, data: bytes, **facts: Any) -> Any:
    return debtor.post(place(link, "deja-paye/"), PAID | {"proof": SimpleUploadedFile(name, data), **facts})


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_kept_sealed_with_what_was_said(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, tmp_path: Path
) -> None:
    data = pdf()

    assert send(debtor, link, "../../Virement <Leclerc>.exe", data)["Location"] == place(link, "demande/")

    asked = DebtorRequest.objects.select_related("proof").get()
    assert asked.proof is not None
    assert (asked.proof.file_name, asked.proof.media_type) == ("Virement Leclerc.pdf", "application/pdf")
    assert proofs.read(request=asked, proof=asked.proof) == proofs.clean(name="a.pdf", data=data).data
    [stored] = files(tmp_path)
    assert data[:60] not in stored.read_bytes()
    assert Standstill.objects.get().kind == "claimed_paid"
    assert "Un justificatif est joint." in read(debtor.get(place(link, "demande/")))


def test_one_file_tells_of_several_invoices(debtor: FirmBrowser, client: Client, link: PaymentLink) -> None:
    other = make_invoice(client=client)
    chosen = [str(pk) for pk in Invoice.objects.values_list("pk", flat=True)]

    send(debtor, link, "a.pdf", pdf(), invoices=chosen)

    assert (len(chosen), other.client_id) == (2, client.pk)
    assert Proof.objects.get().requests.count() == 2


def test_a_double_tap_keeps_one_file(link: PaymentLink, invoice: Invoice, tmp_path: Path) -> None:
    file = proofs.clean(name="a.pdf", data=pdf())

    for _ in range(2):
        requests.say_already_paid(link=link, invoices=[invoice], today=TODAY, file=file)

    assert (DebtorRequest.objects.count(), Proof.objects.count()) == (1, 1)


def test_a_file_sent_after_words_says_more(link: PaymentLink, invoice: Invoice) -> None:
    requests.say_already_paid(link=link, invoices=[invoice], today=TODAY)
    requests.say_already_paid(link=link, invoices=[invoice], today=TODAY, file=proofs.clean(name="a.pdf", data=pdf()))
    requests.say_already_paid(link=link, invoices=[invoice], today=TODAY)

    assert sorted(one.proof_id is None for one in DebtorRequest.objects.all()) == [False, True]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_drawn_again_without_its_place_nor_its_device(kind: str) -> None:
    data = picture(kind, place=True) + b"<script>alert(1)</script>"

    kept = proofs.clean(name="photo.bin", data=data)

    drawn = Image.open(io.BytesIO(kept.data))
    assert (drawn.format, drawn.size, dict(drawn.getexif())) == (kind, (20, 40), {})
    assert b"Sophie" not in kept.data
    assert b"script" not in kept.data
    assert kept.name == {"JPEG": "photo.jpg", "PNG": "photo.png"}[kind]


def test_a_big_photograph_is_made_smaller_and_a_transparent_one_stays_so() -> None:
    big = Image.open(io.BytesIO(proofs.clean(name="a.jpg", data=picture("JPEG", size=(6000, 1500))).data))
    clear = Image.open(io.BytesIO(proofs.clean(name="a.png", data=picture("PNG", mode="RGBA")).data))

    assert (big.size, clear.mode) == ((3000, 750), "RGBA")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Le fichier est vide"),
        (b"MZ\x90\x00" + b"x" * 100, "n’est ni un PDF, ni une image PNG ou JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "n’est ni un PDF"),
        (b"\x00\x00\x00\x18ftypheic" + b"x" * 100, "au format HEIC"),
        (pdf(password="secret"), "protégé par un mot de passe"),
        (pdf(pages=0), "n’a aucune page"),
        (b"%PDF-1.7\n" + b"\xff" * 200, "Ce PDF est abîmé"),
        (pdf()[:-300], "Ce PDF est abîmé"),
        (b"\xff\xd8\xff" + b"x" * 200, "Cette image est abîmée"),
        (picture("PNG")[:40], "Cette image est abîmée"),
        (picture("PNG", size=(5000, 5001), mode="1"), "Cette image est trop grande"),
        (b"%PDF-" + b"x" * proofs.BIGGEST, "dépasse 5 Mo"),
    ],
)
def test_a_file_that_is_refused_says_why_and_nothing_is_lost(
    debtor: FirmBrowser, link: PaymentLink, tmp_path: Path, data: bytes, sentence: str
) -> None:
    response = send(debtor, link, "a.pdf", data, message="Compte de ma mère.", means="cheque")

    body = response.content.decode()
    assert (response.status_code, sentence in read(response)) == (422, True)
    assert "Rien n’a été envoyé" in read(response)
    assert "Compte de ma mère." in body
    assert 'value="2026-11-20"' in body
    assert re.search(r'value="cheque"[^>]* checked', body)
    assert (DebtorRequest.objects.exists(), Standstill.objects.exists(), files(tmp_path)) == (False, False, [])


def test_another_mistake_says_that_the_file_is_to_be_chosen_again(debtor: FirmBrowser, link: PaymentLink) -> None:
    response = send(debtor, link, "a.pdf", pdf(), paid_on="")

    assert "Choisissez de nouveau votre justificatif" in read(response)
    assert 'enctype="multipart/form-data"' in response.content.decode()


def test_a_file_is_opened_once_nothing_else_is_to_be_corrected(
    debtor: FirmBrowser, link: PaymentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = proofs.clean

    def clean(**facts: Any) -> proofs.CleanFile:
        opened.append(facts["name"])
        return real(**facts)

    monkeypatch.setattr(proofs, "clean", clean)

    assert send(debtor, link, "a.png", picture("PNG"), paid_on="").status_code == 422
    assert send(debtor, link, "b.png", picture("PNG"), means="troc").status_code == 422
    assert opened == []
    assert send(debtor, link, "c.png", picture("PNG")).status_code == 302
    assert opened == ["c.png"]


def test_a_picture_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    real = received._drawing

    def drawing(*facts: Any) -> Image.Image:
        drawn.append(facts[1:])
        return real(*facts)

    monkeypatch.setattr(received, "_drawing", drawing)

    proofs.clean(name="a.jpg", data=picture("JPEG"))

    assert drawn == [("image/jpeg", 25_000_000)]


def test_pictures_are_drawn_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = [], []
    real = received._drawn

    def drawn(*facts: Any) -> bytes:
        at_once.append(1)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.pop()
        return real(*facts)

    monkeypatch.setattr(received, "_drawn", drawn)
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: proofs.clean(name="a.png", data=picture("PNG")), range(4)))

    assert (len(kept), most) == (4, [1, 1, 1, 1])


def test_a_link_opens_ten_files_an_hour_and_says_how_to_go_on(
    debtor: FirmBrowser, link: PaymentLink, cabinet: Cabinet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [send(debtor, link, "a.pdf", b"rien").status_code for _ in range(10)]
    opened = []
    monkeypatch.setattr(proofs, "clean", lambda **facts: opened.append(facts))

    response = send(debtor, link, "a.pdf", pdf())

    assert (refused, response.status_code, opened) == ([422] * 10, 429, [])
    phone = show_typed_phone(cabinet.phone)
    assert (
        "Dix justificatifs ont déjà été envoyés par ce lien en une heure. Rien n’a été envoyé\u00a0: envoyez votre"
        " réponse sans justificatif, ou réessayez dans une heure. Vous pouvez aussi appeler le cabinet"
        f"\u00a0: {phone}."
    ) in read(response)
    assert (DebtorRequest.objects.exists(), Standstill.objects.exists(), files(tmp_path)) == (False, False, [])
    # Without a file, what is said is still said.
    assert debtor.post(place(link, "deja-paye/"), PAID)["Location"] == place(link, "demande/")
    assert Standstill.objects.get().kind == "claimed_paid"


def joined(link: PaymentLink, invoice: Invoice) -> DebtorRequest:
    [asked] = requests.say_already_paid(
        link=link, invoices=[invoice], today=TODAY, file=proofs.clean(name="Virement.pdf", data=pdf())
    )
    return asked


def test_the_firm_reads_the_file_and_the_journal_says_so(
    link: PaymentLink, invoice: Invoice, owner: Membership, browse: Browse
) -> None:
    asked = joined(link, invoice)
    firm = browse(owner)

    assert "Virement.pdf" in read(firm.get(f"/demandes/{asked.pk}/"))
    response = firm.get(f"/demandes/{asked.pk}/justificatif/")

    assert response["Content-Disposition"] == 'attachment; filename="Virement.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]
    assert response.content[:5] == b"%PDF-"
    assert JournalEntry.objects.filter(event="debtorrequest.proof_read", subject_id=asked.pk).count() == 1


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_the_firm_removes_the_file_and_what_was_said_stays(tmp_path: Path, browse: Browse) -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        invoice = make_invoice()
        asked = joined(links.link_for(client=Client.objects.get()), invoice)
        member = make_member(role=Role.ASSISTANT, sees_every_file=True)
    firm = browse(member)
    assert "Retirer ce justificatif" in read(firm.get(f"/demandes/{asked.pk}/justificatif/retirer/"))
    assert len(files(tmp_path)) == 1

    firm.post(f"/demandes/{asked.pk}/justificatif/retirer/")

    with working_for(cabinet_id=cabinet.pk):
        assert (DebtorRequest.objects.get().proof_id, Proof.objects.exists()) == (None, False)
        assert JournalEntry.objects.filter(event="debtorrequest.proof_removed", subject_id=asked.pk).count() == 1
    assert files(tmp_path) == []
    assert firm.get(f"/demandes/{asked.pk}/justificatif/").status_code == 404


def test_an_accountant_reads_and_removes_nothing(
    cabinet: Cabinet, link: PaymentLink, invoice: Invoice, browse: Browse
) -> None:
    asked = joined(link, invoice)
    accountant = browse(make_member(role=Role.ACCOUNTANT))

    assert accountant.get(f"/demandes/{asked.pk}/justificatif/").status_code == 200
    assert accountant.post(f"/demandes/{asked.pk}/justificatif/retirer/").status_code == 403
    assert Proof.objects.count() == 1


def test_a_file_lost_from_the_disk_is_said_so(
    link: PaymentLink, invoice: Invoice, owner: Membership, browse: Browse, tmp_path: Path
) -> None:
    asked = joined(link, invoice)
    for file in files(tmp_path):
        file.unlink()

    response = browse(owner).get(f"/demandes/{asked.pk}/justificatif/")

    assert (response.status_code, "Ce fichier ne peut pas être remis" in read(response)) == (410, True)
    assert not JournalEntry.objects.filter(event="debtorrequest.proof_read").exists()
