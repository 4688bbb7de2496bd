"""What the frame around every page shows: the menu, the counts, the banners."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from cabinets.enums import Right

SEARCH_URL = "/factures/"
SUSPEND_URL = "/suspendre/"
RESUME_URL = "/reprendre/"


@dataclass(frozen=True)
class Item:
    """One entry of the menu: shown to who holds the right, counted when the request carries the count."""

    label: str
    url: str
    icon: str
    right: Right
    count_name: str = ""
    short: str = ""


@dataclass(frozen=True)
class Link:
    """An entry as shown on one page."""

    label: str
    url: str
    icon: str
    count: int
    current: bool


DASHBOARD = Item("Tableau de bord", "/tableau-de-bord/", "layout-dashboard", Right.SEE_FIGURES, short="Accueil")
APPROVALS = Item("À valider", "/a-valider/", "clipboard-check", Right.SEE_INVOICES, "approvals")
INVOICES = Item("Factures", "/factures/", "receipt-text", Right.SEE_INVOICES)
CLIENTS = Item("Clients", "/clients/", "users", Right.SEE_CLIENTS)
REQUESTS = Item("Demandes clients", "/demandes/", "message-circle-warning", Right.SEE_CLIENTS, "requests")

DAILY = (DASHBOARD, APPROVALS, INVOICES, CLIENTS, REQUESTS)
REMINDERS = (
    Item("Calendrier", "/calendrier/", "calendar-days", Right.SEE_INVOICES),
    Item("Importer", "/factures/importer/", "upload", Right.IMPORT_INVOICES),
)
FIRM = (
    Item("Journal", "/parametres/journal/", "history", Right.SEE_JOURNAL),
    Item("Équipe", "/parametres/equipe/", "users-round", Right.MANAGE_PEOPLE),
    Item("Cabinet", "/parametres/cabinet/", "building-2", Right.MANAGE_FIRM),
)
SELF = (
    Item("Aide", "/aide/", "life-buoy", Right.OWN_ACCOUNT),
    Item("Profil", "/profil/securite/", "user-round", Right.OWN_ACCOUNT),
)
MOBILE = (DASHBOARD, APPROVALS, INVOICES, CLIENTS)
EVERY = (*DAILY, *REMINDERS, *FIRM, *SELF)


@dataclass(frozen=True)
class Chrome:
    """The frame of one page, ready to be shown."""

    daily: Sequence[Link] = ()
    reminders: Sequence[Link] = ()
    firm: Sequence[Link] = ()
    own: Sequence[Link] = ()
    mobile: Sequence[Link] = ()
    search_url: str = SEARCH_URL
    suspend_url: str = SUSPEND_URL
    resume_url: str = RESUME_URL
    person: str = ""
    firm_name: str = ""
    zone: str = "Europe/Paris"
    can_suspend: bool = False
    can_resume: bool = False
    suspended_at: dt.datetime | None = None
    suspended_by: str = ""
    demo_on: dt.date | None = None
    mail_server_missing: bool = False
    shortcuts: bool = True


def chrome(request: HttpRequest) -> dict[str, Chrome]:
    """Give `chrome` to every template: empty for a visitor, and never a query of its own."""
    member = getattr(request, "member", None)
    cabinet = getattr(request, "cabinet", None)
    if member is None or cabinet is None:
        return {"chrome": Chrome()}
    counts: Mapping[str, int] = getattr(request, "chrome_counts", None) or {}
    current = _current(request.path)

    def links(items: Sequence[Item], *, short: bool = False) -> list[Link]:
        return [
            Link(
                label=item.short if short and item.short else item.label,
                url=item.url,
                icon=item.icon,
                count=counts.get(item.count_name, 0),
                current=item.url == current,
            )
            for item in items
            if member.can(item.right)
        ]

    return {
        "chrome": Chrome(
            daily=links(DAILY),
            reminders=links(REMINDERS),
            firm=links(FIRM),
            own=links(SELF),
            mobile=links(MOBILE, short=True),
            person=_person(request),
            firm_name=cabinet.name,
            zone=getattr(cabinet, "zone_name", "Europe/Paris"),
            can_suspend=member.can(Right.SUSPEND_ALL),
            can_resume=member.can(Right.RESUME_ALL),
            suspended_at=cabinet.suspended_at,
            suspended_by=getattr(request, "suspended_by", ""),
            demo_on=cabinet.today() if cabinet.is_demo else None,
            mail_server_missing=getattr(request, "mail_server_missing", False),
            shortcuts=getattr(member, "shortcuts", True),
        )
    }


def _current(path: str) -> str:
    """Name the menu entry a path belongs to: the longest address that begins it."""
    return max((item.url for item in EVERY if path.startswith(item.url)), key=len, default="")


def _person(request: HttpRequest) -> str:
    # The signed-in person is the member's own: reading it from the session costs no second query.
    return request.user.get_full_name() if request.user.is_authenticated else ""
