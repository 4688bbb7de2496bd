"""The one place that makes a PDF: WeasyPrint, its fonts, and nothing fetched from anywhere."""

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.template import Context, Engine, Template
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, NameObject
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from templates_lib.errors import TextError

LAYOUTS = Path(__file__).parent / "layouts"
# Tagged, archivable, and open to attached files.
VARIANT = "pdf/a-3a"
# Width and height of a sheet, in points.
A4 = (595.276, 841.89)
# What reading somebody else's PDF may raise.
UNREADABLE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


# Marks of a page that only show something, and the actions that only lead somewhere.
SHOWN_MARKS = frozenset(
    f"/{name}"
    for name in (
        "Link", "Text", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight", "Underline",
        "Squiggly", "StrikeOut", "Stamp", "Caret", "Ink", "Widget",
    )
)  # fmt: skip
FOLLOWED = ("/GoTo", "/URI")


class ForeignResourceError(TextError, FatalURLFetchingError):  # type: ignore[misc]  # the library is not typed
    """A page that calls for something that is neither in it nor among the product's fonts."""


class AttachmentError(TextError):
    """A file that cannot be joined to a letter: not a PDF, damaged, or protected by a password."""


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF and how many pages it has."""

    content: bytes
    pages: int


class _Fetcher(URLFetcher):  # type: ignore[misc]  # the library is not typed
    """Answers for what a page holds itself and for the product's fonts; refuses every other address."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return what an address names, or refuse it: no page makes the server call anywhere."""
        fonts = Path(settings.FONTS_ROOT).resolve()
        if url.startswith("data:"):
            return super().fetch(url, headers)
        path = Path(url.removeprefix("file://")).resolve()
        if url.startswith("file://") and path.parent == fonts:
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": "font/woff2"})
        raise ForeignResourceError(f"«\u00a0{url[:80]}\u00a0» n’est pas dans le document.")


def render_document(template: str, context: Mapping[str, Any], *, styles: tuple[str, ...] = ("document.css",)) -> Pdf:
    """Fill a layout of this folder and make its PDF; the same context gives the same pages."""
    html = layout(template).render(Context(dict(context)))
    return render_pdf(html, styles=styles)


def render_pdf(html: str, *, styles: tuple[str, ...]) -> Pdf:
    """Make a tagged PDF/A-3a of a page written for print."""
    document = HTML(string=html, url_fetcher=_fetcher(), base_url=None).render(
        stylesheets=[_stylesheet(name) for name in styles], font_config=_fonts()
    )
    content: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_tags=True, custom_metadata=False)
    return Pdf(content=content, pages=len(document.pages))


def join(first: bytes, others: list[tuple[str, bytes]]) -> Pdf:
    """Append whole files after a document, each under a bookmark; refuse one that cannot be read.

    What is joined keeps its own pages: the result is a plain PDF when an attachment is one.
    """
    writer = PdfWriter(clone_from=io.BytesIO(first))
    for name, content in others:
        try:
            reader = PdfReader(io.BytesIO(content))
            is_locked = reader.is_encrypted
            if not is_locked:
                writer.append(_quiet(reader), outline_item=name, import_outline=False)
        except UNREADABLE as error:
            raise AttachmentError(f"«\u00a0{name}\u00a0» n’est pas un PDF lisible\u00a0: rien n’est joint.") from error
        if is_locked:
            raise AttachmentError(
                f"«\u00a0{name}\u00a0» est protégé par un mot de passe\u00a0: joignez-en une copie libre."
            )
    target = io.BytesIO()
    writer.write(target)
    return Pdf(content=target.getvalue(), pages=len(writer.pages))


def pages_only(content: bytes) -> bytes:
    """Return the pages of somebody's PDF and nothing else: no script, no action, no file within, no form to fill."""
    writer = PdfWriter()
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            reader.decrypt("")
        for page in _quiet(reader).pages:
            writer.add_page(page)
        target = io.BytesIO()
        writer.write(target)
    except UNREADABLE as error:
        raise AttachmentError("Ce PDF ne se lit pas.") from error
    return target.getvalue()


def _quiet(reader: PdfReader) -> PdfReader:
    """Leave on the pages what is seen and what leads to an address; take away, before it is copied, what would act."""
    reader.root_object.pop("/AcroForm", None)
    for page in reader.pages:
        page.pop("/AA", None)
        marks = page.get("/Annots", ArrayObject()).get_object()
        kept = [mark for mark in marks if mark.get_object().get("/Subtype") in SHOWN_MARKS]
        for mark in (one.get_object() for one in kept):
            action = mark.get("/A", DictionaryObject()).get_object()
            if action.get("/S") not in FOLLOWED or "/Next" in action:
                mark.pop("/A", None)
            for name in ("/AA", "/Parent", "/PA", "/Popup"):
                mark.pop(name, None)
        page[NameObject("/Annots")] = ArrayObject(kept)
    return reader


class Pile:
    """Documents one after the other, each on a sheet of its own when they are printed on both sides."""

    def __init__(self) -> None:
        self._writer = PdfWriter()

    def add(self, name: str, document: BinaryIO) -> int:
        """Append a document under a bookmark, on a front; return its pages, or refuse it and keep nothing of it."""
        before = len(self._writer.pages)
        try:
            reader = PdfReader(document)
            if before % 2:
                self._writer.add_blank_page(*A4)
            self._writer.append(_quiet(reader), outline_item=name, import_outline=False)
        except UNREADABLE as error:
            while len(self._writer.pages) > before:
                self._writer.remove_page(before)
            raise AttachmentError(f"«\u00a0{name}\u00a0» n’est pas un PDF lisible.") from error
        return len(reader.pages)

    def bound(self, cover: Pdf) -> Pdf:
        """Return the whole under its cover, which asks the printer for both sides of the paper."""
        self._writer.merge(0, io.BytesIO(cover.content), import_outline=False)
        if cover.pages % 2:
            self._writer.insert_blank_page(*A4, index=cover.pages)
        self._writer.create_viewer_preferences()[NameObject("/Duplex")] = NameObject("/DuplexFlipLongEdge")
        target = io.BytesIO()
        self._writer.write(target)
        return Pdf(content=target.getvalue(), pages=len(self._writer.pages))


@functools.cache
def layout(name: str) -> Template:
    """Return a layout of this folder."""
    return Engine(dirs=[str(LAYOUTS)], autoescape=True, string_if_invalid="", libraries={}, builtins=[]).get_template(
        name
    )


@functools.cache
def _fetcher() -> _Fetcher:
    return _Fetcher()


@functools.cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


@functools.cache
def _stylesheet(name: str) -> CSS:
    text = (LAYOUTS / name).read_text(encoding="utf-8")
    fonts = Path(settings.FONTS_ROOT).resolve().as_uri()
    return CSS(string=text.replace("{{ fonts }}", fonts), font_config=_fonts(), url_fetcher=_fetcher())
