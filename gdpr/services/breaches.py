"""Breaches of personal data: recorded, every one, with the clock of article 33 beside."""

import datetime as dt
import hashlib
import json
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Membership
from cabinets.permissions import ensure
from gdpr.breaches import AUTHORITY, Due, Incident, dues, may_close
from gdpr.enums import Risk
from gdpr.errors import GdprError
from gdpr.models import Breach

_CLOSED = "Cette violation est close. Rien n’a été changé."


@transaction.atomic
def record(*, by: Membership, known_at: dt.datetime, what: str, whose: str) -> Breach:
    """Note a breach as soon as somebody knows of it; the 72 hours run from that moment."""
    ensure(by, Right.MANAGE_FIRM)
    if known_at > timezone.now():
        raise GdprError("Cet instant n’est pas encore venu. Rien n’a été enregistré.")
    row = Breach(known_at=known_at, what=what.strip(), whose=whose.strip(), recorded_by=by)
    row.save(force_insert=True)
    journal.record("breach.recorded", row, said=_said(row))
    return row


@transaction.atomic
def assess(
    *, breach_id: UUID, by: Membership, risk: Risk, what: str, whose: str, consequences: str, measures: str
) -> Breach:
    """Say what is known of it by now, what it may do to people and what was done about it.

    The journal keeps which words changed and a digest of all of them: an earlier version is proved, never read there.
    """
    ensure(by, Right.MANAGE_FIRM)
    row = _open(breach_id)
    given = {"what": what.strip(), "whose": whose.strip()}
    given |= {"consequences": consequences.strip(), "measures": measures.strip()}
    changed = [name for name, text in given.items() if getattr(row, name) != text]
    for name, text in given.items():
        setattr(row, name, text)
    row.risk = risk
    row.save(update_fields=["risk", *given])
    journal.record("breach.assessed", row, risk=risk.value, fields=changed, said=_said(row))
    return row


@transaction.atomic
def note_authority(*, breach_id: UUID, by: Membership, at: dt.datetime, late_reason: str = "") -> Breach:
    """Note that the CNIL was notified; beyond 72 hours, with the reason it asks for (art. 33-1)."""
    ensure(by, Right.MANAGE_FIRM)
    row = _open(breach_id)
    _require_past(row, at)
    if at > row.known_at + AUTHORITY and not late_reason.strip():
        raise GdprError("Les 72 heures sont passées : écrivez le motif du retard. Rien n’a été enregistré.")
    row.told_authority_at, row.late_reason = at, late_reason.strip()
    row.save(update_fields=["told_authority_at", "late_reason"])
    journal.record("breach.authority_told", row, at=at.isoformat())
    return row


@transaction.atomic
def note_people(*, breach_id: UUID, by: Membership, at: dt.datetime) -> Breach:
    """Note that the people concerned were told, and when they were: rarely at the moment it is written down."""
    ensure(by, Right.MANAGE_FIRM)
    row = _open(breach_id)
    _require_past(row, at)
    row.told_people_at = at
    row.save(update_fields=["told_people_at"])
    journal.record("breach.people_told", row, at=at.isoformat())
    return row


@transaction.atomic
def close(*, breach_id: UUID, by: Membership) -> Breach:
    """Close a breach once everything due was done; it stays in the record."""
    ensure(by, Right.MANAGE_FIRM)
    row, now = _open(breach_id), timezone.now()
    if not may_close(incident_of(row), now=now):
        raise GdprError("Il reste quelque chose à faire : rien n’a été clos.")
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    journal.record("breach.closed", row)
    return row


def incident_of(row: Breach) -> Incident:
    """Return what the clock of a breach depends on."""
    return Incident(
        known_at=row.known_at,
        says_whose=bool(row.whose),
        risk=Risk(row.risk),
        told_authority_at=row.told_authority_at,
        told_people_at=row.told_people_at,
    )


def dues_of(row: Breach) -> tuple[Due, ...]:
    """Return what is due of a breach, as of now; nothing once it is closed."""
    return () if row.closed_at else dues(incident_of(row), now=timezone.now())


def _said(row: Breach) -> str:
    words = [str(row.pk), row.what, row.whose, row.consequences, row.measures]
    return hashlib.sha256(json.dumps(words, ensure_ascii=False).encode()).hexdigest()


def _require_past(row: Breach, at: dt.datetime) -> None:
    if not row.known_at <= at <= timezone.now():
        raise GdprError("Cet instant est avant la violation, ou à venir. Rien n’a été enregistré.")


def _open(breach_id: UUID) -> Breach:
    row = Breach.objects.select_for_update(of=("self",), no_key=True).get(pk=breach_id)
    if row.closed_at is not None:
        raise GdprError(_CLOSED)
    return row
