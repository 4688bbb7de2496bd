"""Collective proceedings of professional clients: looked for at the BODACC, or by a person, before anything is claimed.

A look is a network call: it is made outside any transaction, and what it found is then written. A look nobody answered
is written too, and proves nothing either way (R37).
"""

import datetime as dt
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cabinets import journal
from cabinets.enums import ClientKind, Right, TaskKind
from cabinets.models import Cabinet, Client, Dossier, Membership
from cabinets.permissions import ensure
from cabinets.scoping import tenant_atomic, whole_firm
from cabinets.territories import Territory
from invoices.bodacc import Bodacc, BodaccError, Proceeding
from invoices.enums import CheckOrigin, Grounds, StopKind
from invoices.errors import InvoiceError
from invoices.law.insolvency import CHECK_VALID, declaration
from invoices.models import InsolvencyCheck, Invoice, Standstill
from invoices.services import standstill
from invoices.services.chores import close_chores, open_chore

logger = logging.getLogger(__name__)

ORIGIN = "bodacc"
LONGEST_DETAILS = 500
TRY_AGAIN_AFTER = dt.timedelta(minutes=30)
SWITCHED_OFF = "L’interrogation du BODACC est coupée."


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the BODACC answered for one client."""

    client_id: UUID
    siren: str
    proceeding: Proceeding | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """How the watch goes, as a page says it."""

    last_at: dt.datetime | None
    answered_at: dt.datetime | None
    failure: str

    @property
    def is_failing(self) -> bool:
        """Say whether the last look got no answer."""
        return self.failure != ""


def is_concerned(*, client: Client) -> bool:
    """Say whether collective proceedings may strike this client: it is a professional in some engagement."""
    return Dossier.objects.filter(client=client.pk, kind=ClientKind.PROFESSIONAL).exists()


def is_checked(*, client: Client, now: dt.datetime) -> bool:
    """Say whether somebody looked for a proceeding of this client in the last day; who cannot have one needs no look.

    What was found stops everything by itself, until a lawyer lifts it.
    """
    if not is_concerned(client=client):
        return True
    return _fresh(now).filter(client=client.pk).exists()


def ensure_checked(*, client_ids: Collection[UUID], now: dt.datetime, asks_a_person: bool = True) -> None:
    """Look at once for those of these clients nobody looked for in the last day; ask a person for the others.

    Call it while acting for the firm and outside any transaction. Where the look is no condition (`asks_a_person` is
    false), nobody is asked, and an interface that did not answer is left alone for a while.
    """
    with tenant_atomic():
        due, missing = _due(client_ids=client_ids, now=now)
        if not asks_a_person:
            due = _not_just_tried(due, now=now)
    looks = look(due) if due else []
    if not (looks or asks_a_person):
        return
    with tenant_atomic():
        record(looks, at=now)
        if not asks_a_person:
            return
        unknown = [*missing, *(one.client_id for one in looks if one.failure)]
        today = Cabinet.objects.get().today()
        for client_id in unknown:
            open_chore(TaskKind.CHECK_INSOLVENCY, subject_id=client_id, client_id=client_id, due_on=today)


def watch(*, now: dt.datetime) -> int:
    """Look for every professional client who is late and was not looked for today; return how many were.

    Call it while acting for the firm and outside any transaction.
    """
    with tenant_atomic():
        cabinet = Cabinet.objects.get()
        late = Invoice.objects.overdue(on=cabinet.today()).filter(dossier__kind=ClientKind.PROFESSIONAL)
        due, _ = _due(client_ids=set(late.values_list("client_id", flat=True)), now=now)
    if not due:
        return 0
    looks = look(due)
    with tenant_atomic():
        record(looks, at=now)
    return len(looks)


def look(companies: Sequence[tuple[UUID, str]]) -> list[Look]:
    """Ask the BODACC for these clients; a failure is an answer too."""
    if not settings.BODACC_URL:
        return [Look(client_id, siren, failure=SWITCHED_OFF) for client_id, siren in companies]
    try:
        found = Bodacc(settings.BODACC_URL).proceedings(sorted({siren for _, siren in companies}))
    except BodaccError as error:
        logger.warning("bodacc.unreachable", extra={"count": len(companies)})
        return [Look(client_id, siren, failure=str(error)[:200]) for client_id, siren in companies]
    return [Look(client_id, siren, found[siren]) for client_id, siren in companies]


@transaction.atomic
def record(looks: Sequence[Look], *, at: dt.datetime) -> None:
    """Write what was answered; a proceeding stops everything at once, unless a lawyer already lifted that very one."""
    for one in looks:
        found = one.proceeding
        InsolvencyCheck(
            client_id=one.client_id,
            siren=one.siren,
            origin=CheckOrigin.API,
            at=at,
            is_found=None if one.failure else found is not None,
            grounds=found.grounds if found else "",
            judged_on=found.judged_on if found else None,
            published_on=found.published_on if found else None,
            notice_id=found.notice_id if found else "",
            failure=one.failure,
        ).save(force_insert=True)
        if not one.failure:
            close_chores(subject_id=one.client_id, kind=TaskKind.CHECK_INSOLVENCY)
        if found is not None and not _is_known(one.client_id, found):
            declare(
                client=Client.objects.get(pk=one.client_id),
                grounds=found.grounds,
                judged_on=found.judged_on or found.published_on,
                published_on=found.published_on,
                details=f"Annonce {found.notice_id}, {found.court}. {found.details}"[:LONGEST_DETAILS],
                origin=ORIGIN,
            )


@transaction.atomic
def declare(
    *,
    client: Client,
    grounds: Grounds,
    judged_on: dt.date,
    published_on: dt.date | None,
    details: str = "",
    origin: str = "firm",
) -> list[Standstill]:
    """Stop everything for a client in collective proceedings, the payment link too, and ask to declare the claim.

    Interest stops on the eve of the judgment. The declaration is due two months after the publication, four when the
    sea lies between the firm and its client.
    """
    due = claim_due(client=client, judged_on=judged_on, published_on=published_on)
    stops = standstill.declare(
        kind=StopKind.INSOLVENCY,
        target=client,
        reason=details,
        origin=origin,
        details=standstill.Details(started_on=judged_on, published_on=published_on, grounds=grounds, answer_by=due),
    )
    with whole_firm():
        for stop in stops:
            open_chore(TaskKind.DECLARE_CLAIM, subject_id=stop.pk, client_id=client.pk, due_on=due)
    return stops


def claim_due(*, client: Client, judged_on: dt.date, published_on: dt.date | None) -> dt.date:
    """Return the working day by which the claim is declared; without a publication, prudently from the judgment."""
    cabinet = Cabinet.objects.get()
    home, there = Territory(cabinet.territory), client.territory or cabinet.territory
    across = _is_overseas(home) != _is_overseas(Territory(there))
    return declaration(published_on or judged_on, is_across_the_sea=across, territory=home).act_by


@transaction.atomic
def state_by_hand(*, client: Client, by: Membership, on: dt.date) -> InsolvencyCheck:
    """Note that a lawyer looked that day and found nothing: « vérifié à la main le … »."""
    ensure(by, Right.APPROVE_FORMAL_NOTICES)
    now = timezone.now()
    today = Cabinet.objects.get().today()
    if on > today or on < today - CHECK_VALID:
        raise InvoiceError("La vérification date d’aujourd’hui ou d’hier. Rien n’a été enregistré.")
    check = InsolvencyCheck(client=client, siren=client.siren, origin=CheckOrigin.MANUAL, at=now, is_found=False, by=by)
    check.save(force_insert=True)
    close_chores(subject_id=client.pk, kind=TaskKind.CHECK_INSOLVENCY)
    journal.record("insolvency.checked", client, origin=CheckOrigin.MANUAL.value)
    return check


def last_check(*, client_id: UUID) -> InsolvencyCheck | None:
    """Return the last look for this client, answered or not."""
    rows = InsolvencyCheck.objects.filter(client=client_id).select_related("by__user").order_by("-at")
    return rows.first()


def watch_state() -> Watch:
    """Say how the watch goes in this firm."""
    looks = InsolvencyCheck.objects.filter(origin=CheckOrigin.API).order_by("-at")
    last = looks.first()
    answered = looks.filter(is_found__isnull=False).values_list("at", flat=True).first()
    return Watch(last.at if last else None, answered, last.failure if last else "")


def _due(*, client_ids: Collection[UUID], now: dt.datetime) -> tuple[list[tuple[UUID, str]], list[UUID]]:
    """Return those to look for, and those nobody can look for without a SIREN; a demonstration asks nobody."""
    professional = Dossier.objects.filter(client=OuterRef("pk"), kind=ClientKind.PROFESSIONAL)
    stopped = Standstill.objects.filter(client=OuterRef("pk"), kind=StopKind.INSOLVENCY, released_at=None)
    clients = Client.objects.filter(Exists(professional), ~Exists(stopped), pk__in=list(client_ids))
    todo = clients.exclude(Exists(_fresh(now).filter(client=OuterRef("pk")))).values_list("pk", "siren")
    is_demo = Cabinet.objects.get().is_demo
    named = [(pk, siren) for pk, siren in todo if siren and not is_demo]
    return named, [pk for pk, siren in todo if not siren or is_demo]


def _not_just_tried(due: list[tuple[UUID, str]], *, now: dt.datetime) -> list[tuple[UUID, str]]:
    if not settings.BODACC_URL:
        return []
    lately = InsolvencyCheck.objects.filter(client__in=[pk for pk, _ in due], at__gte=now - TRY_AGAIN_AFTER)
    tried = set(lately.values_list("client_id", flat=True))
    return [(pk, siren) for pk, siren in due if pk not in tried]


def _fresh(now: dt.datetime) -> QuerySet[InsolvencyCheck]:
    return InsolvencyCheck.objects.filter(at__gte=now - CHECK_VALID, is_found__isnull=False)


def _is_known(client_id: UUID, found: Proceeding) -> bool:
    same = Q(published_on=found.published_on) | Q(started_on=found.judged_on or found.published_on)
    return Standstill.objects.filter(same, client=client_id, kind=StopKind.INSOLVENCY).exists()


def _is_overseas(territory: Territory) -> bool:
    return territory not in {Territory.METROPOLE, Territory.ALSACE_MOSELLE}
