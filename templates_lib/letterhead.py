"""The head of a document that bears the firm's name: its logo, who it is, where it is found."""

import base64
from dataclasses import dataclass

from cabinets.addresses import show_typed_phone
from cabinets.models import Cabinet


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What `_letterhead.html` shows of a firm; its logo is the address of a picture held in the page."""

    name: str
    lines: tuple[str, ...]
    logo: str = ""


def letterhead_of(cabinet: Cabinet) -> Letterhead:
    """Return the head of a firm's documents, without the lines it left empty."""
    lines = (
        f"Avocats au barreau de {cabinet.bar}" if cabinet.bar else "",
        cabinet.address,
        f"{cabinet.postcode} {cabinet.city}".strip(),
        show_typed_phone(cabinet.phone),
        cabinet.email,
    )
    logo = as_address(cabinet.logo_type, bytes(cabinet.logo)) if cabinet.logo and cabinet.logo_type else ""
    return Letterhead(name=cabinet.name, lines=tuple(line for line in lines if line), logo=logo)


def as_address(media_type: str, content: bytes) -> str:
    """Write a picture as the address of itself: nothing is fetched to show it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
