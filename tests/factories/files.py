"""Files people send: a PDF that opens, a picture, and what to put in them."""

import io
from collections.abc import Callable

from PIL import Image
from pypdf import PdfWriter


def make_pdf(words: bytes = b"une facture", *, change: Callable[[PdfWriter], object] | None = None) -> bytes:
    """Return a PDF of one page; the words are written as they are before its end."""
    writer = PdfWriter()
    writer.add_blank_page(width=100, height=100)
    if change is not None:
        change(writer)
    target = io.BytesIO()
    writer.write(target)
    head, _, end = target.getvalue().rpartition(b"startxref")
    lines = b"".join(b"%" + words[start : start + 200] + b"\n" for start in range(0, len(words), 200))
    return head + lines + b"startxref" + end


def make_picture(kind: str = "PNG", *, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    """Return a picture of one colour."""
    target = io.BytesIO()
    Image.new(mode, size).save(target, kind)
    return target.getvalue()
