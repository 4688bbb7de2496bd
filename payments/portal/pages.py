"""How every page of the debtor is drawn: the firm's letterhead, what its reader is, and the token in its links."""

import base64
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from cabinets.addresses import show_typed_phone
from cabinets.enums import ClientKind
from cabinets.http import FORM_REFERRER
from cabinets.models import Cabinet, Dossier
from payments.portal.access import LinkRequest

LARGEST_LOGO = 20_000


@dataclass(frozen=True, slots=True)
class Firm:
    """The letterhead of every page."""

    name: str
    bar: str
    phone: str
    phone_shown: str
    email: str
    logo_url: str


def page(request: LinkRequest, name: str, *, status: int = 200, **facts: Any) -> HttpResponse:
    """Draw one page of the space."""
    kinds = _kinds(request)
    context = {
        "firm": _firm(request.cabinet),
        "cabinet": request.cabinet,
        "token": request.token,
        "today": request.cabinet.today(),
        # No kind known: the consumer's text (law.md § 0).
        "is_consumer": bool(kinds & {ClientKind.CONSUMER, ClientKind.UNKNOWN}),
        "has_batonnier": kinds != {ClientKind.PUBLIC},
        **facts,
    }
    return render(request, f"payments/portal/{name}.html", context, status=status)


def form_page(request: LinkRequest, name: str, form: Any, *, status: int = 0, **facts: Any) -> HttpResponse:
    """Draw a page with a form, from which it may be sent."""
    response = page(request, name, form=form, status=status or (422 if form.errors else 200), **facts)
    response["Referrer-Policy"] = FORM_REFERRER
    return response


def posted(request: LinkRequest) -> QueryDict | None:
    """Return what was sent; an empty form is a form too: it is refused, and says why."""
    return request.POST if request.method == "POST" else None


def _firm(cabinet: Cabinet) -> Firm:
    logo = bytes(cabinet.logo or b"")
    url = f"data:{cabinet.logo_type};base64,{base64.b64encode(logo).decode()}" if 0 < len(logo) <= LARGEST_LOGO else ""
    return Firm(cabinet.name, cabinet.bar, cabinet.phone, show_typed_phone(cabinet.phone), cabinet.email, url)


def _kinds(request: LinkRequest) -> set[str]:
    mine = Dossier.objects.filter(client=request.link.client_id, billing_contact=request.link.contact_id)
    return set(mine.values_list("kind", flat=True)) or {request.link.client.kind}
