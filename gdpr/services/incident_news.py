"""Incidents of the installation told to the firms they concern: at once, once each, a breach opened (art. 33-2)."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connections, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import working_for
from dunning.enums import StaffMailKind
from gdpr.enums import BreachOrigin
from gdpr.errors import GdprError
from gdpr.models import Breach, IncidentNotice, IncidentStatement, InstallationIncident
from gdpr.services import partners_told
from gdpr.services.partners_told import AT_ONCE, OPERATOR, SCHEDULER

SAID = ("what", "whose", "consequences", "measures", "contact")
WHOM = ("is_everyone", "firm_ids")

_UNTOLD = """
SELECT c.id, s.id FROM gdpr_incidentstatement s
JOIN cabinets_cabinet c ON c.id = ANY(s.firm_ids) OR (s.is_everyone AND c.created_at <= s.published_at)
WHERE NOT EXISTS (SELECT 1 FROM gdpr_incidentnotice n WHERE n.cabinet_id = c.id AND n.statement_ref = s.id)
  AND NOT EXISTS (SELECT 1 FROM gdpr_closing e WHERE e.cabinet_id = c.id AND e.erased_at IS NOT NULL)
ORDER BY s.published_at, s.number, c.id LIMIT %s
"""


def publish(*, incident: InstallationIncident) -> IncidentStatement:
    """Publish what is known of an incident now, for the firms it names; through the operators' role.

    The same words for the same firms are not told again.
    """
    if not incident.is_everyone and not incident.firm_ids:
        raise GdprError("Choisissez les cabinets concernés, ou tous. Rien n’a été annoncé.")
    said = IncidentStatement.objects.using(OPERATOR).filter(incident=incident)
    last = said.order_by("-number").first()
    told = {name: getattr(incident, name) for name in (*SAID, *WHOM)}
    if last is not None and told == {name: getattr(last, name) for name in (*SAID, *WHOM)}:
        raise GdprError("Rien n’a changé depuis la dernière annonce. Rien n’a été annoncé de nouveau.")
    row = IncidentStatement(
        incident=incident, number=last.number + 1 if last else 1, published_at=timezone.now(), **told
    )
    row.save(using=OPERATOR, force_insert=True)
    return row


def untold_incidents() -> int:
    """Count the incidents noted that were told to no firm: their 24 hours run."""
    said = IncidentStatement.objects.using(OPERATOR).values("incident")
    return InstallationIncident.objects.using(OPERATOR).exclude(pk__in=said).count()


def untold() -> list[tuple[UUID, UUID]]:
    """Return the firms to tell and of which statement, the oldest first, as the scheduler sees them."""
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(_UNTOLD, [AT_ONCE])
        return [(cabinet_id, statement_id) for cabinet_id, statement_id in cursor.fetchall()]


def tell_firm(*, cabinet_id: UUID, statement_id: UUID) -> bool:
    """Tell one firm one statement: its breach, its partners, its journal and the proof, all or nothing.

    The first statement opens a breach, whose 72 hours run from this instant; the next ones complete it.
    """
    statement = IncidentStatement.objects.using(OPERATOR).select_related("incident").filter(pk=statement_id).first()
    if statement is None:
        return False
    with working_for(cabinet_id=cabinet_id, durable=True):
        # One at a time in a firm: the second statement never opens a breach beside the first.
        Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
        if IncidentNotice.objects.filter(statement_ref=statement.pk).exists():
            return False
        if not (statement.is_everyone or cabinet_id in statement.firm_ids):
            return False
        breach, is_new = _breach_of(statement)
        notice = IncidentNotice(
            breach=breach,
            incident_ref=statement.incident_id,
            statement_ref=statement.pk,
            number=statement.number,
            known_at=statement.incident.known_at,
            told_at=timezone.now(),
            **{name: getattr(statement, name) for name in SAID},
        )
        notice.told_to = "\n".join(_tell_partners(notice, is_new=is_new))
        notice.save(force_insert=True)
        journal.record("incident.announced", breach, number=notice.number, is_new=is_new)
    return True


def _breach_of(statement: IncidentStatement) -> tuple[Breach, bool]:
    known = Breach.objects.filter(incident_ref=statement.incident_id).first()
    if known is not None:
        return known, False
    breach = Breach(
        known_at=timezone.now(),
        origin=BreachOrigin.OPERATOR,
        incident_ref=statement.incident_id,
        what=statement.what,
        whose=statement.whose,
    )
    breach.save(force_insert=True)
    journal.record("breach.recorded", breach, origin=BreachOrigin.OPERATOR.value)
    return breach, True


def _tell_partners(notice: IncidentNotice, *, is_new: bool) -> list[str]:
    link = partners_told.link_to(f"/rgpd/violations/{notice.breach_id}/")
    firm = Cabinet.objects.get()
    text = render_to_string("gdpr/mail_incident.txt", {"notice": notice, "is_new": is_new, "firm": firm, "link": link})
    subject = "Incident de sécurité" if is_new else "Incident de sécurité, suite"
    return partners_told.tell(
        kind=StaffMailKind.INCIDENT,
        key=str(notice.statement_ref),
        subject=f"{subject} : vos données peuvent être touchées",
        text=text,
        news=NotificationKind.INCIDENT,
        subject_id=notice.breach_id,
    )


def statements_of(breach: Breach) -> Sequence[IncidentNotice]:
    """Return what the operator said of a breach, the latest first."""
    rows = IncidentNotice.objects.filter(breach=breach).select_related("opened_by__user")
    return list(rows.order_by("-number"))


@transaction.atomic
def open_notices(*, breach_id: UUID, by: Membership) -> int:
    """Note that somebody of the firm read what the operator said: the banner leaves."""
    ensure(by, Right.MANAGE_FIRM)
    waiting = IncidentNotice.objects.filter(breach_id=breach_id, opened_at=None)
    opened = waiting.update(opened_at=timezone.now(), opened_by=by)
    if opened:
        journal.record("incident.opened", Breach.objects.get(pk=breach_id), count=opened)
    return opened
