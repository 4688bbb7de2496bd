"""The one gate of the files people send: what each is, told by what it holds, and whether it opens at all.

Never its name nor what the browser says of it. A drawing made of text (SVG) is no picture here: it may run.
"""

import io
import warnings
from enum import StrEnum
from pathlib import PurePosixPath
from threading import Lock

from PIL import Image, ImageOps
from pypdf import PdfReader

from cabinets.errors import CabinetError

NBSP = "\u00a0"
MOST_PIXELS = 60_000_000
QUALITY = 85
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
# A picture is worth a hundred megabytes while it is drawn: a process holds one at a time, whoever sends them.
_ONE_DRAWING = Lock()
_UNNAMED = frozenset('<>:"|?*;')


class Flaw(StrEnum):
    """Why a file is not taken; its value is the sentence shown."""

    EMPTY = "Le fichier est vide."
    UNKNOWN = "Ce fichier n’est ni un PDF, ni une image PNG ou JPEG."
    DAMAGED_PDF = f"Ce PDF est abîmé{NBSP}: il ne s’ouvre pas."
    LOCKED_PDF = "Ce PDF est protégé par un mot de passe."
    NO_PAGE = "Ce PDF n’a aucune page."
    DAMAGED_PICTURE = f"Cette image est abîmée{NBSP}: elle ne s’ouvre pas."
    HUGE_PICTURE = "Cette image est trop grande une fois ouverte."


_ADVICE = {Flaw.LOCKED_PDF: "donnez-en une copie sans protection", Flaw.HUGE_PICTURE: "donnez-en une plus petite"}


class FlawedFileError(CabinetError):
    """A file nobody could use, or that is not what may be sent here."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw

    def told(self, nothing: str) -> str:
        """Say what happened, what did not (« Rien n’a été enregistré »), and what to do."""
        advice = f"{NBSP}: {_ADVICE[self.flaw]}" if self.flaw in _ADVICE else ""
        return f"{self.flaw.value} {nothing}{advice}."


def media_type_of(data: bytes) -> str:
    """Return what a PDF, a PNG or a JPEG is, once it was opened whole; refuse anything else, and what is damaged."""
    media_type = told_type(data)
    if media_type in _FORMATS:
        with _ONE_DRAWING, _drawing(data, media_type, MOST_PIXELS) as picture:
            _draw_whole(picture)
    else:
        _open_pages(data)
    return media_type


def redrawn(
    data: bytes, *, longest_side: int, quality: int = QUALITY, most_pixels: int = MOST_PIXELS
) -> tuple[str, bytes]:
    """Return a picture drawn again, and what it is: its place, its device and what follows it are left behind."""
    media_type = told_type(data)
    if media_type not in _FORMATS:
        raise FlawedFileError(Flaw.UNKNOWN)
    with _ONE_DRAWING, _drawing(data, media_type, most_pixels) as picture:
        try:
            return media_type, _drawn(picture, _FORMATS[media_type], longest_side, quality)
        except Exception as error:
            raise FlawedFileError(Flaw.DAMAGED_PICTURE) from error


def told_type(data: bytes) -> str:
    """Return what a file says it is by its first bytes; it was not opened."""
    if not data:
        raise FlawedFileError(Flaw.EMPTY)
    found = next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)
    if found is None:
        raise FlawedFileError(Flaw.UNKNOWN)
    return found


def plain_name(name: str) -> str:
    """Return the last part of a file's name, without what a file system, a header or a screen would read otherwise."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return printable("".join(mark if mark not in _UNNAMED else " " for mark in last))


def printable(text: str) -> str:
    """Return a text on one line, without a mark that is not seen."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def _drawing(data: bytes, media_type: str, most_pixels: int) -> Image.Image:
    """Read the head of a picture; refuse one that would fill the memory before a point of it is drawn."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=[_FORMATS[media_type]])
    except Image.DecompressionBombError as error:
        raise FlawedFileError(Flaw.HUGE_PICTURE) from error
    except Exception as error:
        raise FlawedFileError(Flaw.DAMAGED_PICTURE) from error
    if picture.width * picture.height > most_pixels:
        raise FlawedFileError(Flaw.HUGE_PICTURE)
    return picture


def _draw_whole(picture: Image.Image) -> None:
    try:
        # A JPEG is drawn at an eighth of its size: enough to know that it opens.
        picture.draft("RGB", (1, 1))
        picture.load()
    except Exception as error:
        raise FlawedFileError(Flaw.DAMAGED_PICTURE) from error


def _drawn(picture: Image.Image, kind: str, longest_side: int, quality: int) -> bytes:
    picture.draft("RGB", (longest_side, longest_side))
    picture.thumbnail((longest_side, longest_side))
    turned = ImageOps.exif_transpose(picture)
    target = io.BytesIO()
    if kind == "JPEG":
        turned.convert("RGB").save(target, kind, quality=quality)
    else:
        shown = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
        shown.info.clear()
        shown.save(target, kind, optimize=True)
    return target.getvalue()


def _open_pages(data: bytes) -> None:
    try:
        reader = PdfReader(io.BytesIO(data))
        # A PDF that anybody reads and nobody may change opens with no password at all.
        is_locked = reader.is_encrypted and not reader.decrypt("")
        count = 0 if is_locked else len(reader.pages)
    except Exception as error:
        raise FlawedFileError(Flaw.DAMAGED_PDF) from error
    if is_locked:
        raise FlawedFileError(Flaw.LOCKED_PDF)
    if not count:
        raise FlawedFileError(Flaw.NO_PAGE)
