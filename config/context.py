"""What the frame around every page shows: the menu, the counts, the banners."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from cabinets.enums import Right, TaskState
from cabinets.models import Cabinet, Notification, SupportAnswer, SupportRequest, Task
from cabinets.services import sign_up
from cabinets.support_rules import WAITS
from dunning.enums import InboundState, ReminderState
from dunning.models import InboundMessage, MailServer, Reminder, SendingDomain
from dunning.services.roads import has_platform
from gdpr.models import Closing, IncidentNotice
from payments.enums import LineState, RequestState
from payments.models import BankLine, DebtorRequest

SEARCH_URL = "/recherche/"
SUSPEND_URL = "/envois/suspendre/"
RESUME_URL = "/envois/reprendre/"
SIGN_UP_URL = "/inscription/"
PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Item:
    """One entry of the menu: shown to who holds the right, counted when the request carries the count."""

    label: str
    url: str
    icon: str
    right: Right
    count_name: str = ""
    short: str = ""
    also: Right | None = None


@dataclass(frozen=True)
class Link:
    """An entry as shown on one page."""

    label: str
    short: str
    url: str
    icon: str
    count: int
    current: bool


DASHBOARD = Item("Tableau de bord", "/tableau-de-bord/", "layout-dashboard", Right.SEE_FIGURES, short="Accueil")
APPROVALS = Item("À valider", "/a-valider/", "clipboard-check", Right.SEE_INVOICES, "approvals")
INVOICES = Item("Factures", "/factures/", "receipt-text", Right.SEE_INVOICES)
CLIENTS = Item("Clients", "/clients/", "users", Right.SEE_CLIENTS)
PAYMENTS = Item("Paiements", "/paiements/", "euro", Right.SEE_INVOICES)
# A line of the bank may be of any file: the page is for who sees them all.
BANK = Item("Rapprochement", "/banque/", "landmark", Right.RECORD_PAYMENTS, "bank", also=Right.SEE_EVERY_FILE)
TASKS = Item("Tâches", "/taches/", "circle-check", Right.SEE_CLIENTS, "tasks")
REPLIES = Item("Réponses", "/reponses/", "inbox", Right.SEE_CLIENTS, "replies")
REQUESTS = Item("Demandes clients", "/demandes/", "message-circle-warning", Right.SEE_CLIENTS, "requests")
PLANS = Item("Échéanciers", "/echeanciers/", "calendar-check", Right.SEE_CLIENTS)

DAILY = (DASHBOARD, APPROVALS, TASKS, INVOICES, CLIENTS, PAYMENTS, BANK, REPLIES, REQUESTS, PLANS)
REMINDERS = (
    Item("La prochaine nuit", "/ce-soir/", "calendar-clock", Right.SEE_INVOICES),
    Item("Calendrier", "/calendrier/", "calendar-days", Right.SEE_INVOICES),
    Item("Courrier", "/courrier/", "mail-open", Right.SEE_INVOICES),
    Item("Scénarios", "/scenarios/", "layers", Right.SEE_INVOICES),
    Item("Modèles", "/modeles/", "file-pen", Right.EDIT_TEXTS),
    Item("Rapports", "/rapports/", "chart-column", Right.SEE_FIGURES),
    Item("Preuves", "/preuves/", "shield-check", Right.SEE_JOURNAL),
    Item("Quand rien ne part", "/relances/quand-rien-ne-part/", "hand", Right.SEE_INVOICES),
    Item("Importer", "/factures/importer/", "upload", Right.IMPORT_INVOICES),
)
FIRM = (
    Item("Cabinet", "/parametres/cabinet/", "building-2", Right.MANAGE_FIRM),
    Item("Équipe", "/parametres/equipe/", "users-round", Right.MANAGE_PEOPLE),
    Item("Mise en route", "/demarrage/", "circle-dashed", Right.MANAGE_FIRM),
    Item("Abonnement", "/parametres/abonnement/", "file-check", Right.MANAGE_SUBSCRIPTION),
    Item("Journal", "/parametres/journal/", "history", Right.SEE_JOURNAL),
    Item("Accès d’assistance", "/parametres/assistance/", "eye", Right.SEE_JOURNAL),
)
SETTINGS = (
    Item("Mode d’envoi", "/parametres/envois/", "sliders-horizontal", Right.MANAGE_FIRM),
    Item("Serveur d’envoi", "/parametres/serveur/", "send", Right.MANAGE_FIRM),
    Item("Délivrabilité", "/parametres/delivrabilite/", "mail-check", Right.MANAGE_FIRM),
    Item("SMS", "/parametres/sms/", "message-square-text", Right.MANAGE_FIRM),
    Item("Envoi du courrier", "/parametres/courrier/", "mail", Right.MANAGE_FIRM),
    Item("Boîte de réponses", "/parametres/boite/", "inbox", Right.MANAGE_FIRM),
    Item("Encaissement en ligne", "/parametres/encaissement/", "credit-card", Right.MANAGE_FIRM),
    Item("Réglage des échéanciers", "/parametres/echeanciers/", "calendar-days", Right.MANAGE_FIRM),
    Item("Relevés bancaires", "/parametres/banque/", "landmark", Right.MANAGE_FIRM),
)
COMPLIANCE = (
    Item("Conformité", "/rgpd/", "scale", Right.MANAGE_FIRM),
    Item("Demandes de droits", "/rgpd/demandes/", "shield-check", Right.ANSWER_RIGHTS),
    Item("Registre", "/rgpd/registre/", "file-text", Right.MANAGE_FIRM),
    Item("Durées", "/rgpd/durees/", "clock", Right.MANAGE_FIRM),
    Item("Export et départ", "/rgpd/export/", "download", Right.LEAVE),
)
SELF = (
    Item("Notifications", "/notifications/", "bell", Right.SEE_CLIENTS, "notifications"),
    Item("Aide", "/aide/", "life-buoy", Right.OWN_ACCOUNT),
    Item("Profil", "/profil/securite/", "user-round", Right.OWN_ACCOUNT),
)
MOBILE = (DASHBOARD, APPROVALS, INVOICES, CLIENTS)
EVERY = (*DAILY, *REMINDERS, *FIRM, *SETTINGS, *COMPLIANCE, *SELF)


@dataclass(frozen=True)
class Chrome:
    """The frame of one page, ready to be shown."""

    daily: Sequence[Link] = ()
    reminders: Sequence[Link] = ()
    firm: Sequence[Link] = ()
    settings: Sequence[Link] = ()
    compliance: Sequence[Link] = ()
    own: Sequence[Link] = ()
    mobile: Sequence[Link] = ()
    search_url: str = SEARCH_URL
    suspend_url: str = SUSPEND_URL
    resume_url: str = RESUME_URL
    sign_up_url: str = ""
    person: str = ""
    firm_name: str = ""
    zone: dt.tzinfo = PARIS
    can_suspend: bool = False
    can_resume: bool = False
    suspended_at: dt.datetime | None = None
    suspended_by: str = ""
    demo_on: dt.date | None = None
    # The last day everything is still readable, once the closing of the account was asked.
    closes_on: dt.date | None = None
    can_leave: bool = False
    # A breach the operator told, until somebody says they read it: for those who run the firm.
    incident_id: UUID | None = None
    mail_server_missing: bool = False
    # "" when messages leave from where the firm chose; else why they leave from the platform's address.
    sending_fallback: str = ""
    shortcuts: bool = True
    # The subscription is over or unpaid: nothing leaves, everything stays open.
    is_unsubscribed: bool = False
    can_subscribe: bool = False
    # Somebody reads the demonstration, and changes nothing.
    is_visit: bool = False
    # Who asks to see the firm's pages, told to the partners who may answer.
    support_asked_by: str = ""
    # Until when an operator may look, told to the firm; and to the operator, who is looking.
    support_until: dt.datetime | None = None
    looks_until: dt.datetime | None = None
    leave_url: str = ""


def chrome(request: HttpRequest) -> dict[str, Chrome]:
    """Give `chrome` to every template; a template that shows no frame pays nothing for it."""
    return {"chrome": cast(Chrome, SimpleLazyObject(lambda: frame(request)))}


def frame(request: HttpRequest) -> Chrome:
    """Describe the frame of a page in one query; for a visitor it is empty and free."""
    member = getattr(request, "member", None)
    cabinet = getattr(request, "cabinet", None)
    if member is None or cabinet is None:
        # A door that is closed is shown to nobody.
        return Chrome(sign_up_url=SIGN_UP_URL if sign_up.is_open() else "")
    counts = getattr(request, "chrome_counts", None)
    if counts is None:
        counts = counts_of(cabinet_id=cabinet.pk, member_id=member.pk)
    current, look = _current(request.path), getattr(request, "look", None)
    is_silent = not cabinet.is_demo and counts.get("servers", 1) == 0

    def links(items: Sequence[Item]) -> list[Link]:
        return [
            Link(item.label, item.short, item.url, item.icon, counts.get(item.count_name, 0), item.url == current)
            for item in items
            if member.can(item.right) and (item.also is None or member.can(item.also))
        ]

    return Chrome(
        daily=links(DAILY),
        reminders=links(REMINDERS),
        firm=links(FIRM),
        settings=links(SETTINGS),
        compliance=links(COMPLIANCE),
        # An operator's own account is at their desk.
        own=links(SELF if look is None else SELF[:-1]),
        mobile=links(MOBILE),
        # The signed-in person is the member's own: the session has read it already.
        person=request.user.get_full_name() if request.user.is_authenticated else "",
        firm_name=cabinet.name,
        zone=cabinet.zone,
        can_suspend=member.can(Right.SUSPEND_ALL),
        can_resume=member.can(Right.RESUME_ALL),
        suspended_at=cabinet.suspended_at,
        suspended_by=getattr(request, "suspended_by", ""),
        demo_on=cabinet.today() if cabinet.is_demo else None,
        closes_on=counts.get("closing"),
        can_leave=member.can(Right.LEAVE),
        incident_id=counts.get("incident") if member.can(Right.MANAGE_FIRM) else None,
        # A demonstration's messages go to the catcher; a firm without a server of its own says nothing at all.
        mail_server_missing=is_silent and not has_platform(),
        sending_fallback=str(counts.get("fallback") or "") if is_silent and has_platform() else "",
        shortcuts=getattr(request.user, "has_shortcuts", True),
        # A firm that leaves is silent for that, whatever its subscription.
        is_unsubscribed=cabinet.subscription_suspended_at is not None and not counts.get("closing"),
        can_subscribe=member.can(Right.MANAGE_SUBSCRIPTION),
        is_visit=getattr(request, "is_visit", False),
        support_asked_by=str(counts.get("support_asked") or "") if member.can(Right.ALLOW_SUPPORT) else "",
        support_until=counts.get("support_until") if member.can(Right.SEE_JOURNAL) else None,
        looks_until=look.ends_at if look is not None else None,
        leave_url=f"{settings.OPERATOR_PATH}cabinets/supportrequest/quitter/" if look is not None else "",
    )


def counts_of(*, cabinet_id: UUID, member_id: UUID) -> Mapping[str, Any]:
    """Count what waits for a person, among what the database lets this one see."""
    awaited = _number_of(Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL))
    opened = _number_of(DebtorRequest.objects.filter(state=RequestState.OPEN))
    to_do = _number_of(Task.objects.filter(state=TaskState.OPEN))
    said = _number_of(InboundMessage.objects.filter(state=InboundState.TO_CLASSIFY))
    lines = _number_of(BankLine.objects.filter(state=LineState.UNMATCHED))
    servers = Coalesce(Subquery(MailServer.objects.order_by().values("cabinet").annotate(n=Count("pk")).values("n")), 0)
    fallback = Subquery(SendingDomain.objects.filter(is_carrying=False).values("state")[:1])
    unread = Notification.objects.filter(member=member_id, read_at=None).order_by()
    told = Coalesce(Subquery(unread.values("member").annotate(n=Count("pk")).values("n")), 0)
    told_of = Subquery(IncidentNotice.objects.filter(opened_at=None).order_by("-told_at").values("breach")[:1])
    ends = Subquery(Closing.objects.filter(withdrawn_at=None, erased_at=None).values("due_on")[:1])
    now = timezone.now()
    waiting = SupportRequest.objects.filter(answer=None, asked_at__gt=now - WAITS).order_by("asked_at")
    looking = SupportAnswer.objects.filter(is_granted=True, ended_at=None, ends_at__gt=now).order_by("-ends_at")
    support = (Subquery(waiting.values("operator_name")[:1]), Subquery(looking.values("ends_at")[:1]))
    asked = (awaited, opened, to_do, said, lines, servers, fallback, told, ends, told_of, *support)
    found = Cabinet.objects.filter(pk=cabinet_id).values_list(*asked).get()
    names = (
        "approvals", "requests", "tasks", "replies", "bank", "servers", "fallback", "notifications", "closing",
        "incident", "support_asked", "support_until",
    )  # fmt: skip
    return dict(zip(names, found, strict=True))


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("state").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def _current(path: str) -> str:
    """Name the menu entry a path belongs to: the longest address that begins it."""
    return max((item.url for item in EVERY if path.startswith(item.url)), key=len, default="")
