"""Every file anybody may send, against every file made to harm: a sentence and nothing kept, or kept so as not to act.

The doors come from the code: a new file field, or a new view that reads a file, fails here until it has its row.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django import forms
from django.apps import apps
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from cabinets.enums import Role
from cabinets.models import Cabinet, Dossier, Membership
from config.uploads import LARGEST_BYTES, CutShort
from dunning.enums import LetterState, ReminderState
from dunning.models import Letter, LetterProof
from invoices.models import Document, Invoice
from payments.models import BankFile, DebtorRequest, PaymentLink
from payments.services import links
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import fingerprint
from tests.cabinets.test_firm import values_of
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.files import make_pdf, make_picture
from tests.factories.invoices import TODAY, make_check, make_invoice
from tests.invoices.test_importing import HEADER, line
from tests.payments.bank.files import camt, entry
from tests.payments.test_portal import PAID, place
from tests.security.hostile_files import ACTIVE, HOSTILE, NAMES

Browse = Callable[[Membership | None], FirmBrowser]
ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024
KEPT = ""
NAMED = "file-under-test"
# What no name given back holds: a place, a line, a tag, a mark that turns what follows round.
ODD = ("/", "\\", "\r", "\n", "<", "%0", "%2F", "%5C", "%E2%80%AE", "%E2%80%8B", '"; filename')
LONGEST_HEADER = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A page that takes a file: the field that reads it, what else is sent, what is said of each file, what is kept."""

    field: str
    address: Callable[[], str]
    good: tuple[str, bytes]
    biggest: int
    said: Mapping[str, str]
    too_big: str
    also: Callable[[], Mapping[str, Any]] = dict
    served: Callable[[], str] | None = None
    keeps_active: bool = True

    @property
    def name(self) -> str:
        """Return the name its file is sent under."""
        return self.field.partition(".")[2]


def paper(nothing: str, *, empty: str = "Le fichier est vide. {}.") -> dict[str, str]:
    """Return what is said where a PDF or a picture is taken."""
    unknown = f"Ce fichier n’est ni un PDF, ni une image PNG ou JPEG. {nothing}."
    huge = f"Cette image est trop grande une fois ouverte. {nothing} : donnez-en une plus petite."
    return {
        "a picture named as a PDF": KEPT,
        "a page named as a picture": unknown,
        "a drawing that runs": unknown,
        "a program named as a PDF": unknown,
        "nothing": empty.format(nothing),
        "null characters": unknown,
        "an archive that swells": unknown,
        "a workbook that swells": unknown,
        "a workbook with entities": unknown,
        "a workbook that reads a file": unknown,
        "a statement with entities": unknown,
        "a PDF that runs scripts": KEPT,
        "a PDF that launches a program": KEPT,
        "a PDF that holds a file": KEPT,
        "a PDF behind a password": f"Ce PDF est protégé par un mot de passe. {nothing} : donnez-en une copie sans "
        "protection.",
        "a PDF cut short": f"Ce PDF est abîmé : il ne s’ouvre pas. {nothing}.",
        "a picture that swells": huge,
        "a photograph that swells": huge,
        "a PDF that is an archive too": KEPT,
        "a photograph that is a page too": KEPT,
    }


DOCUMENT = paper("Rien n’a été enregistré")
NO_PICTURE = (
    "Ce fichier n’est ni un PNG ni un JPEG. Exportez votre logo dans l’un de ces formats : un SVG n’est pas accepté."
)
LOGO = dict.fromkeys(HOSTILE, NO_PICTURE) | {
    "a picture named as a PDF": KEPT,
    "nothing": "Le fichier soumis est vide.",
    "a photograph that is a page too": KEPT,
    "a picture that swells": DOCUMENT["a picture that swells"],
    "a photograph that swells": DOCUMENT["a photograph that swells"],
}
ENCODING = "L’encodage du fichier n’est pas reconnu : enregistrez-le au format « CSV UTF-8 »."
PICTURES = (
    "a picture named as a PDF", "a picture that swells", "a photograph that swells", "a photograph that is a page too",
    "a program named as a PDF", "null characters",
)  # fmt: skip
PDFS = tuple(kind for kind in HOSTILE if kind.startswith("a PDF"))
ARCHIVES = tuple(kind for kind in HOSTILE if kind.startswith(("an archive", "a workbook")))
SHEET = {
    **dict.fromkeys(PICTURES, ENCODING),
    **dict.fromkeys(PDFS, "Un PDF ne s’importe pas ici : choisissez un fichier CSV ou XLSX."),
    "nothing": "Le fichier est vide : choisissez-en un autre.",
    "a page named as a picture": "Ce fichier est une page web ou des données brutes : choisissez un fichier CSV ou "
    "XLSX.",
    "a drawing that runs": "Une seule colonne a été trouvée : vérifiez que le fichier est un CSV ou un XLSX.",
    "a statement with entities": "Ce fichier est une page web ou des données brutes : choisissez un fichier CSV ou "
    "XLSX.",
    **dict.fromkeys(
        ARCHIVES[:2], "Le classeur est trop gros une fois décompressé : partagez-le en plusieurs fichiers."
    ),
    **dict.fromkeys(
        ARCHIVES[2:],
        "Le classeur ne se lit pas : ouvrez-le, enregistrez-le au format « .xlsx », puis déposez-le à nouveau.",
    ),
}
STATEMENT = {
    **dict.fromkeys(PICTURES, f"{ENCODING} Rien n’a été enregistré."),
    **dict.fromkeys(
        (*PDFS, *ARCHIVES),
        "Un PDF ou un classeur n’est pas un relevé lisible : exportez en CAMT.053, CFONB 120, OFX ou CSV. Rien n’a été "
        "enregistré.",
    ),
    "nothing": "Le fichier est vide : choisissez-en un autre.",
    "a page named as a picture": "Le fichier XML est coupé ou abîmé : téléchargez-le à nouveau. Rien n’a été "
    "enregistré.",
    "a drawing that runs": "Ce fichier XML n’est ni un relevé CAMT.053 ni un avis CAMT.054 : demandez l’un des deux à "
    "votre banque. Rien n’a été enregistré.",
    "a statement with entities": "Ce fichier XML contient des définitions interdites : il n’est pas lu. Rien n’a été "
    "enregistré.",
}
TEXTS = {
    **{
        kind: f"« {name} » : ce n’est pas un fichier TOML lisible. Rien n’a été repris."
        for kind, (name, _) in HOSTILE.items()
    },
    **dict.fromkeys(ARCHIVES, "Cette archive ne contient pas de modèles, ou en contient trop."),
    "a PDF that is an archive too": "« a.toml » : ce n’est pas un fichier TOML lisible. Rien n’a été repris.",
    "nothing": "Ce fichier est vide : rien n’a été repris.",
}


def invoice_id() -> Any:
    return Invoice.objects.get().pk


DOORS = {
    "firm": Door(
        field="FirmForm.logo_file",
        address=lambda: "/parametres/cabinet/",
        also=lambda: values_of(Cabinet.objects.get()),
        good=("logo.png", make_picture("PNG")),
        biggest=200 * 1024,
        said=LOGO,
        too_big="Ce logo dépasse 200 ko. Rien n’a été enregistré : enregistrez-le en plus petit, puis déposez-le.",
    ),
    "document_add": Door(
        field="DocumentForm.file",
        address=lambda: reverse("document_add", args=[invoice_id()]),
        also=lambda: {"kind": "invoice"},
        good=("facture.pdf", make_pdf()),
        biggest=10 * MEGABYTE,
        said=DOCUMENT,
        too_big="Le fichier dépasse 10 Mo. Rien n’a été enregistré : allégez-le.",
        served=lambda: reverse("document_download", args=[Document.objects.get().pk]),
    ),
    "dossier_document_add": Door(
        field="DocumentForm.file",
        address=lambda: reverse("dossier_document_add", args=[Dossier.objects.get().pk]),
        also=lambda: {"kind": "fee_agreement"},
        good=("convention.pdf", make_pdf()),
        biggest=10 * MEGABYTE,
        said=DOCUMENT,
        too_big="Le fichier dépasse 10 Mo. Rien n’a été enregistré : allégez-le.",
        served=lambda: reverse("document_download", args=[Document.objects.get().pk]),
    ),
    "documents_batch": Door(
        field="BatchForm.papers",
        address=lambda: reverse("documents_batch"),
        good=("F-77.pdf", make_pdf()),
        biggest=10 * MEGABYTE,
        said=DOCUMENT,
        too_big="Le fichier dépasse 10 Mo. Rien n’a été enregistré : allégez-le.",
        served=lambda: reverse("document_download", args=[Document.objects.get().pk]),
    ),
    "import_file": Door(
        field="FileForm.file",
        address=lambda: reverse("import_file"),
        good=("factures.csv", (HEADER + line("F-1")).encode()),
        biggest=20 * MEGABYTE,
        said=SHEET,
        too_big="Le fichier dépasse 20 Mo. Rien n’a été importé : partagez-le en plusieurs.",
    ),
    "letter_proof": Door(
        field="SlipForm.file",
        address=lambda: reverse("letter_proof", args=[Letter.objects.get().reminder_id]),
        also=lambda: {"kind": "deposit"},
        good=("recepisse.pdf", make_pdf()),
        biggest=10 * MEGABYTE,
        said={**DOCUMENT, "nothing": "Le fichier soumis est vide."},
        too_big="Le fichier dépasse 10 Mo. Rien n’a été enregistré : allégez-le.",
        served=lambda: reverse("proof_file", args=[Letter.objects.get().reminder_id, LetterProof.objects.get().pk]),
    ),
    "texts_import": Door(
        field="TextFileForm.file",
        address=lambda: reverse("texts_import"),
        good=("x.toml", b""),
        biggest=2_000_000,
        said=TEXTS,
        too_big="Ce fichier dépasse 2 Mo : ce ne sont pas des modèles.",
    ),
    "bank_upload": Door(
        field="StatementForm.file",
        address=lambda: reverse("bank_upload"),
        good=("releve.xml", camt(entry("77.00", "DON"))),
        biggest=10 * MEGABYTE,
        said=STATEMENT,
        too_big="Le fichier dépasse 10 Mo. Rien n’a été enregistré : exportez une période plus courte.",
        served=lambda: reverse("bank_file", args=[BankFile.objects.get().pk]),
    ),
    "portal_already_paid": Door(
        field="AlreadyPaidForm.proof",
        address=lambda: place(PaymentLink.objects.get(), "deja-paye/"),
        also=lambda: PAID,
        good=("virement.pdf", make_pdf()),
        biggest=5 * MEGABYTE,
        said=paper("Rien n’a été envoyé"),
        too_big="Le fichier dépasse 5 Mo. Rien n’a été envoyé : allégez-le, ou envoyez une photo moins grande.",
        served=lambda: reverse("request_proof", args=[DebtorRequest.objects.get().pk]),
        keeps_active=False,
    ),
}


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    cache.clear()
    return tmp_path


@pytest.fixture
def firm(cabinet: Cabinet, disk: Path) -> Membership:
    """Make what the doors open on: an invoice, its posted letter, its debtor's link; return the partner."""
    owner = make_member(role=Role.OWNER)
    invoice = make_invoice(number="F-77")
    make_check(client=invoice.client)
    reminder = make_reminder(make_case(invoice=invoice), state=ReminderState.ACCEPTED, channel="registered")
    Letter(
        reminder=reminder, client=invoice.client, route="post_desk", recipient="x", state=LetterState.DEPOSITED,
        deposited_on=TODAY,
    ).save(force_insert=True)  # fmt: skip
    links.link_for(client=invoice.client)
    return owner


def every_form(base: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for kind in base.__subclasses__():
        yield kind
        yield from every_form(kind)


def test_every_file_field_of_the_product_has_its_door() -> None:
    # The resolver has loaded every view, and every view its forms.
    fields = {
        f"{kind.__name__}.{name}"
        for kind in every_form()
        if not kind.__module__.startswith("django.")
        for name, one in getattr(kind, "base_fields", {}).items()
        if isinstance(one, forms.FileField)
    }

    assert PATTERNS
    assert fields == {door.field for door in DOORS.values()}


def test_every_view_that_reads_a_file_has_its_door() -> None:
    readers = {
        (str(path.relative_to(ROOT).with_suffix("")).replace("/", "."), function.name)
        for app in apps.get_app_configs()
        if Path(app.path).parent == ROOT
        for path in Path(app.path).rglob("*.py")
        if "request.FILES" in (source := path.read_text(encoding="utf-8"))
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        if "request.FILES" in ast.unparse(function)
    }
    named = {(one.callback.__module__, one.callback.__name__): one.name for _, one in PATTERNS}

    assert {named[reader] for reader in readers} == set(DOORS)


def test_no_column_holds_a_file_in_clear() -> None:
    assert [
        str(one) for model in apps.get_models() for one in model._meta.fields if isinstance(one, models.FileField)
    ] == []


def sentences_of(answer: Any) -> list[str]:
    """Return what an answer says is wrong, as its page shows it."""
    told = []
    for layer in answer.context or ():
        for value in getattr(layer, "dicts", [layer]):
            for one in value.values():
                if isinstance(one, forms.BaseForm) and one.is_bound:
                    told += [str(text) for texts in one.errors.values() for text in texts]
        outcomes = layer.get("outcomes") if hasattr(layer, "get") else None
        told += [outcome.sentence for outcome in outcomes or () if outcome.match == "refused"]
    return list(dict.fromkeys(text.replace("\u00a0", " ") for text in told))


@dataclass(slots=True)
class Outcome:
    """What became of a file."""

    status: int
    sentences: list[str]
    is_kept: bool
    files: int
    served: Any = None
    given: bytes | None = None


def send(door: Door, browser: FirmBrowser, reader: FirmBrowser, disk: Path, name: str, data: bytes) -> Outcome:
    """Send a file, look at what is kept and how it is given back, and take everything back."""
    before = fingerprint()
    cache.clear()  # a link opens ten files an hour
    with transaction.atomic():
        sent = encode_multipart(BOUNDARY, {**door.also(), door.name: SimpleUploadedFile(NAMED, data)})
        # A name written so reaches the form as it is, whatever a browser would have made of it.
        sent = sent.replace(f'filename="{NAMED}"'.encode(), f"filename*=UTF-8''{quote(name)}".encode(), 1)
        cookies = browser.cookies.copy()
        answer = browser.generic("POST", door.address(), sent, MULTIPART_CONTENT)
        kept = [path for path in disk.rglob("*") if path.is_file()]
        changed = fingerprint() != before
        served = reader.get(door.served()) if changed and door.served else None
        given = None if served is None else b"".join(served) if served.streaming else served.content
        browser.cookies = cookies  # type: ignore[assignment]  # a copy of what it was
        transaction.set_rollback(True)
    for path in kept:
        path.unlink()
    return Outcome(answer.status_code, sentences_of(answer), changed, len(kept), served, given)


def faults_of(outcome: Outcome, door: Door) -> list[str]:
    """Say how what was kept could act on who reads it."""
    served, found = outcome.served, []
    if served is None:
        return []
    if not served["Content-Disposition"].startswith("attachment; filename"):
        found.append(served["Content-Disposition"])
    if served["X-Content-Type-Options"] != "nosniff":
        found.append("sniffed")
    if served["Content-Security-Policy"] != "default-src 'none'; sandbox":
        found.append("no sandbox")
    if served["Content-Type"] not in {"application/pdf", "image/png", "image/jpeg", "application/octet-stream"}:
        found.append(served["Content-Type"])
    if not door.keeps_active:
        found += [mark.decode() for mark in (*ACTIVE, b"<script", b"PK\x03\x04") if mark in (outcome.given or b"")]
    return found


@pytest.mark.parametrize("place_", DOORS)
def test_a_hostile_file_is_refused_or_cannot_act(place_: str, firm: Membership, browse: Browse, disk: Path) -> None:
    door, reader = DOORS[place_], browse(firm)
    browser = browse(None) if place_.startswith("portal") else reader
    found, harmful = {}, {}

    for kind, (name, data) in HOSTILE.items():
        bears = f"F-77 {name}" if place_ == "documents_batch" else name
        outcome = send(door, browser, reader, disk, bears, data)
        assert outcome.status < 500, kind
        found[kind] = KEPT if outcome.is_kept else " ".join(outcome.sentences)
        assert outcome.is_kept or outcome.files == 0, f"{kind}: a file stays on the disk"
        if faults := faults_of(outcome, door):
            harmful[kind] = faults

    assert (found, harmful) == (dict(door.said), {})


@pytest.mark.parametrize("place_", DOORS)
def test_a_file_too_big_is_refused_in_its_door_s_words(
    place_: str, firm: Membership, browse: Browse, disk: Path
) -> None:
    door, reader = DOORS[place_], browse(firm)
    browser = browse(None) if place_.startswith("portal") else reader
    data = door.good[1] + b" " * (door.biggest + 1 - len(door.good[1]))

    outcome = send(door, browser, reader, disk, door.good[0], data)

    assert (outcome.is_kept, outcome.files, outcome.sentences) == (False, 0, [door.too_big])


@pytest.mark.parametrize("place_", [name for name in DOORS if name != "texts_import"])
def test_a_hostile_name_names_nothing(place_: str, firm: Membership, browse: Browse, disk: Path) -> None:
    door, reader = DOORS[place_], browse(firm)
    browser = browse(None) if place_.startswith("portal") else reader
    found = {}

    for kind, name in NAMES.items():
        bears = name if place_ != "documents_batch" else f"{name} F-77" if kind.startswith("a path") else f"F-77 {name}"
        outcome = send(door, browser, reader, disk, bears, door.good[1])
        said = outcome.served["Content-Disposition"] if outcome.served is not None else ""
        found[kind] = (outcome.is_kept, [mark for mark in ODD if mark in said], len(said) < LONGEST_HEADER)

    assert found == dict.fromkeys(NAMES, (True, [], True))


def test_what_is_beyond_the_largest_file_never_reaches_the_disk(settings: Any) -> None:
    handler = CutShort()
    sent = range(0, 3 * LARGEST_BYTES, 65_536)

    kept = sum(len(handler.receive_data_chunk(b"x" * 65_536, start) or b"") for start in sent)

    assert (kept, settings.FILE_UPLOAD_HANDLERS[0]) == (LARGEST_BYTES, "config.uploads.CutShort")
    assert max(door.biggest for door in DOORS.values()) < LARGEST_BYTES
