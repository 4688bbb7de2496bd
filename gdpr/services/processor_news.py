"""Sub-processors announced to the firms, which may object: told once each, held back until somebody answers.

The rule, as the firms' page says it: an objection holds the company back for every firm until the operator answers.
When it is maintained, it does not begin within thirty days of the answer, so that the firm may export its data and
leave; when it is given up, it does not begin at all.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connections, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets import journal
from cabinets.enums import NotificationKind, Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from cabinets.scoping import working_for
from dunning.enums import StaffMailKind
from gdpr.enums import Verdict
from gdpr.errors import GdprError
from gdpr.models import ProcessorNotice, ProcessorVersion, SubProcessor
from gdpr.services import partners_told
from gdpr.services.partners_told import AT_ONCE, OPERATOR, SCHEDULER
from gdpr.terms import NOTICE_DAYS
from invoices.services.rates import paris_day

PAGE = "/rgpd/sous-traitants/"
SAID = ("name", "country", "role", "data", "guarantee")
LONGEST_REASON = 2000
LEASE_SECONDS = 120

# Every firm that was here when it was announced, and was not told; one whose account was erased has nobody to tell.
_UNTOLD = """
SELECT c.id, v.id FROM gdpr_processorversion v
JOIN cabinets_cabinet c ON c.created_at <= v.published_at
WHERE v.given_up_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM gdpr_processornotice n WHERE n.cabinet_id = c.id AND n.version_ref = v.id)
  AND NOT EXISTS (SELECT 1 FROM gdpr_closing e WHERE e.cabinet_id = c.id AND e.erased_at IS NOT NULL)
ORDER BY v.published_at, c.id LIMIT %s
"""

# Every firm that reads another day, or another end, than the last it was told; whoever objected reads it in its answer.
_MOVED = """
SELECT n.cabinet_id, n.id FROM gdpr_processornotice n
JOIN gdpr_processorversion v ON v.id = n.version_ref
WHERE (n.objected_at IS NULL OR n.answer_told_at IS NOT NULL)
  AND CASE WHEN v.given_up_at IS NOT NULL THEN 'given_up' WHEN v.held_at IS NOT NULL THEN 'held'
      ELSE v.applies_on::text END <> coalesce(nullif(n.moved_to, ''), n.applies_on::text)
  AND (v.held_at IS NOT NULL OR v.given_up_at >= %s OR v.applies_on >= %s)
  AND NOT EXISTS (SELECT 1 FROM gdpr_closing e WHERE e.cabinet_id = n.cabinet_id AND e.erased_at IS NOT NULL)
ORDER BY n.told_at, n.id LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was announced to the firm of one version, and where it stands."""

    notice: ProcessorNotice
    starts_on: dt.date | None
    """None while an objection holds it back, or once it was given up."""
    is_given_up: bool
    is_begun: bool
    notice_days: int
    may_object: bool

    @property
    def is_short(self) -> bool:
        """Say whether the firm had less than the days it is promised."""
        return self.notice_days < NOTICE_DAYS


def has_firms() -> bool:
    """Say whether a firm is here that a newcomer must be announced to; a demonstration is nobody's."""
    return Cabinet.objects.using(OPERATOR).filter(is_demo=False).only("pk").exists()


def publish(*, processor: SubProcessor, applies_on: dt.date) -> ProcessorVersion | None:
    """Write what a company is declared to do as its next version, to announce; None when nothing it says changed.

    Through the operators' role, in the caller's transaction; the days ahead are the form's to check.
    """
    versions = ProcessorVersion.objects.using(OPERATOR).filter(processor=processor)
    last = versions.order_by("-number").first()
    said = {name: getattr(processor, name) for name in SAID}
    if last is not None and last.given_up_at is None and said == {name: getattr(last, name) for name in SAID}:
        return None
    number = last.number + 1 if last else 1
    row = ProcessorVersion(
        processor=processor, number=number, applies_on=applies_on, published_at=timezone.now(), **said
    )
    row.save(using=OPERATOR, force_insert=True)
    return row


def untold() -> list[tuple[UUID, UUID]]:
    """Return the firms to tell and of which version, as the scheduler sees them."""
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(_UNTOLD, [AT_ONCE])
        return [(cabinet_id, version_id) for cabinet_id, version_id in cursor.fetchall()]


def tell_firm(*, cabinet_id: UUID, version_id: UUID) -> bool:
    """Tell one firm of one version: its partners, its journal and the proof, all or nothing."""
    with working_for(cabinet_id=cabinet_id, durable=True):
        version = ProcessorVersion.objects.filter(pk=version_id, given_up_at=None).first()
        if version is None or version.published_at is None:
            return False
        # One worker at a time in a firm: whoever comes second finds the first one's proof.
        Cabinet.objects.select_for_update(of=("self",), no_key=True).get()
        if ProcessorNotice.objects.filter(version_ref=version.pk).exists():
            return False
        notice = ProcessorNotice(
            version_ref=version.pk,
            is_change=version.number > 1,
            applies_on=version.applies_on,
            told_at=timezone.now(),
            **{name: getattr(version, name) for name in SAID},
        )
        notice.told_to = "\n".join(_tell_partners(notice))
        notice.save(force_insert=True)
        journal.record("processor.announced", notice, applies_on=notice.applies_on.isoformat())
    return True


def _tell_partners(notice: ProcessorNotice) -> list[str]:
    text = render_to_string(
        "gdpr/mail_processor.txt",
        {
            "notice": notice,
            "days": (notice.applies_on - Cabinet.objects.get().today()).days,
            "notice_days": NOTICE_DAYS,
            "link": partners_told.link_to(PAGE),
        },
    )
    subject = "Un sous-traitant change" if notice.is_change else "Un nouveau sous-traitant"
    return partners_told.tell(
        kind=StaffMailKind.PROCESSOR,
        key=str(notice.version_ref),
        subject=f"{subject} : {notice.name}",
        text=text,
        news=NotificationKind.PROCESSOR,
        subject_id=notice.pk,
    )


def moved() -> list[tuple[UUID, UUID]]:
    """Return the firms whose announced day moved and that were not told, as the scheduler sees them."""
    with connections[SCHEDULER].cursor() as cursor:
        cursor.execute(_MOVED, [partners_told.looked_at_since(), paris_day(), AT_ONCE])
        return [(cabinet_id, notice_id) for cabinet_id, notice_id in cursor.fetchall()]


def tell_moved(*, cabinet_id: UUID, notice_id: UUID) -> bool:
    """Tell a firm what became of the day it was announced: held back by an objection, put off, or given up; once each.

    A firm that objected reads it in the answer it is given.
    """
    with working_for(cabinet_id=cabinet_id, durable=True):
        notice = ProcessorNotice.objects.select_for_update(of=("self",), no_key=True).get(pk=notice_id)
        version = ProcessorVersion.objects.filter(pk=notice.version_ref).first()
        waits_for_answer = notice.objected_at is not None and notice.answer_told_at is None
        if version is None or waits_for_answer or _end_of(version) == (notice.moved_to or str(notice.applies_on)):
            return False
        notice.moved_to = _end_of(version)
        notice.save(update_fields=["moved_to"])
        known = {"notice": notice, "version": version, "link": partners_told.link_to(PAGE)}
        partners_told.tell(
            kind=StaffMailKind.PROCESSOR,
            key=f"{notice.version_ref}-{timezone.now():%Y%m%d%H%M%S}",
            subject=f"Le début d’un sous-traitant change : {notice.name}",
            text=render_to_string("gdpr/mail_processor_moved.txt", known),
            news=NotificationKind.PROCESSOR_MOVED,
            subject_id=notice.pk,
        )
        journal.record("processor.moved", notice, to=notice.moved_to)
    return True


def _end_of(version: ProcessorVersion) -> str:
    """Say what becomes of a version: the day it begins, or why there is none."""
    if version.given_up_at is not None:
        return "given_up"
    return "held" if version.held_at is not None else version.applies_on.isoformat()


def shown(*, cabinet: Cabinet) -> list[Shown]:
    """Return what was announced to the firm acted for, the latest first."""
    notices = list(ProcessorNotice.objects.select_related("objected_by__user").order_by("-told_at", "name"))
    versions = ProcessorVersion.objects.in_bulk([one.version_ref for one in notices])
    return [_shown(one, versions.get(one.version_ref), cabinet) for one in notices]


def _shown(notice: ProcessorNotice, version: ProcessorVersion | None, cabinet: Cabinet) -> Shown:
    on, told_on = cabinet.today(), notice.told_at.astimezone(cabinet.zone).date()
    is_given_up = version is not None and version.given_up_at is not None
    is_held = version is not None and version.held_at is not None
    applies_on = version.applies_on if version is not None else notice.applies_on
    is_begun = not is_given_up and not is_held and applies_on <= on
    return Shown(
        notice=notice,
        starts_on=None if is_given_up or is_held else applies_on,
        is_given_up=is_given_up,
        is_begun=is_begun,
        notice_days=max((notice.applies_on - told_on).days, 0),
        # Told late, a firm has its thirty days all the same: the company may have begun, the firm may still leave.
        may_object=version is not None
        and not is_given_up
        and notice.objected_at is None
        and (not is_begun or on <= told_on + dt.timedelta(days=NOTICE_DAYS)),
    )


@transaction.atomic
def object_to(*, notice_id: UUID, by: Membership, reason: str) -> ProcessorNotice:
    """Object to a company in the firm's name: it does not begin until the operator has answered."""
    ensure(by, Right.MANAGE_FIRM)
    notice = ProcessorNotice.objects.select_for_update(of=("self",), no_key=True).get(pk=notice_id)
    cabinet = Cabinet.objects.get()
    if cabinet.is_demo:
        raise GdprError("Une démonstration ne s’oppose à rien : personne n’y répondrait. Rien n’a été transmis.")
    if notice.objected_at is not None:
        raise GdprError("Le cabinet s’est déjà opposé à ce sous-traitant. Rien n’a été changé.")
    if not reason.strip():
        raise GdprError("Écrivez le motif : l’exploitant y répond. Rien n’a été transmis.")
    version = ProcessorVersion.objects.filter(pk=notice.version_ref).first()
    if not _shown(notice, version, cabinet).may_object:
        raise GdprError("Le délai pour s’opposer est passé. Rien n’a été transmis.")
    notice.objected_at, notice.objected_by = timezone.now(), by
    notice.objection = reason.strip()[:LONGEST_REASON]
    notice.save(update_fields=["objected_at", "objected_by", "objection"])
    # One that has begun already cannot be held back; the operator answers all the same.
    ProcessorVersion.objects.filter(pk=notice.version_ref, applies_on__gt=cabinet.today(), held_at=None).update(
        held_at=notice.objected_at
    )
    journal.record("processor.objected", notice)
    return notice


@transaction.atomic(using=OPERATOR)
def answer(*, notice_id: UUID, verdict: Verdict, text: str) -> None:
    """Answer a firm's objection, through the operators' role.

    Maintained: the company begins thirty days after the last answer at the earliest, once nobody waits for one.
    """
    waiting = ProcessorNotice.all_cabinets.using(OPERATOR).filter(objected_at__isnull=False, answered_at=None)
    version_ref = waiting.filter(pk=notice_id).values_list("version_ref", flat=True).first()
    if version_ref is None:
        raise GdprError("Cette opposition a déjà sa réponse. Rien n’a été changé.")
    if not text.strip():
        raise GdprError("Écrivez la réponse : le cabinet la lit. Rien n’a été enregistré.")
    # The version first, as a firm that objects takes it: whoever comes second sees what the first one did.
    version = ProcessorVersion.objects.using(OPERATOR).select_for_update(of=("self",)).filter(pk=version_ref).first()
    if version is None:
        raise GdprError("Cette annonce vient d’une autre installation. Rien n’a été enregistré.")
    told = {"verdict": verdict, "answer": text.strip(), "answered_at": timezone.now()}
    if verdict is Verdict.GIVEN_UP:
        # What is given up is so for every firm that waits.
        waiting.filter(version_ref=version_ref).update(**told)
        _give_up(version)
        return
    waiting.filter(pk=notice_id).update(**told)
    if version.held_at is not None or version.applies_on > paris_day():
        version.applies_on = max(version.applies_on, paris_day() + dt.timedelta(days=NOTICE_DAYS))
    if not waiting.filter(version_ref=version_ref).exists():
        version.held_at = None
    version.save(using=OPERATOR, update_fields=["applies_on", "held_at"])


def _give_up(version: ProcessorVersion) -> None:
    """Leave a version aside: what the company did before is what it does; a newcomer never comes."""
    version.given_up_at, version.held_at = timezone.now(), None
    version.save(using=OPERATOR, update_fields=["given_up_at", "held_at"])
    kept = ProcessorVersion.objects.using(OPERATOR).filter(processor_id=version.processor_id, given_up_at=None)
    last, rows = kept.order_by("-number").first(), SubProcessor.objects.using(OPERATOR)
    mine = rows.filter(pk=version.processor_id)
    if last is None:
        mine.update(until_on=paris_day())
    elif last.number < version.number:
        mine.update(**{name: getattr(last, name) for name in SAID})


def waiting() -> int:
    """Count the objections the operator has not answered."""
    rows = ProcessorNotice.all_cabinets.using(OPERATOR)
    ours = ProcessorVersion.objects.using(OPERATOR).values("pk")
    return rows.filter(objected_at__isnull=False, answered_at=None, version_ref__in=ours).count()


def unanswered() -> list[tuple[UUID, UUID]]:
    """Return the answers no firm has been told of yet, as the scheduler sees them: firm and notice."""
    rows = ProcessorNotice.all_cabinets.using(SCHEDULER).filter(answered_at__isnull=False, answer_told_at=None)
    return list(rows.order_by("answered_at").values_list("cabinet_id", "pk")[:AT_ONCE])


def tell_answer(*, cabinet_id: UUID, notice_id: UUID) -> bool:
    """Tell a firm what was answered to its objection, once."""
    with working_for(cabinet_id=cabinet_id, durable=True):
        mine = ProcessorNotice.objects.filter(pk=notice_id, answered_at__isnull=False, answer_told_at=None)
        if mine.update(answer_told_at=timezone.now()) != 1:
            return False
        notice = ProcessorNotice.objects.get(pk=notice_id)
        version = ProcessorVersion.objects.filter(pk=notice.version_ref).first()
        if version is not None:
            # The answer says it: the same day is not told twice.
            notice.moved_to = _end_of(version)
            notice.save(update_fields=["moved_to"])
        known: Mapping[str, Any] = {
            "notice": notice,
            "version": version,
            "is_given_up": notice.verdict == Verdict.GIVEN_UP,
            "notice_days": NOTICE_DAYS,
            "link": partners_told.link_to(PAGE),
        }
        partners_told.tell(
            kind=StaffMailKind.PROCESSOR,
            key=f"{notice.version_ref}-answer",
            subject=f"Réponse à votre opposition : {notice.name}",
            text=render_to_string("gdpr/mail_processor_answer.txt", known),
            news=NotificationKind.PROCESSOR_ANSWER,
            subject_id=notice.pk,
        )
        journal.record("processor.answered", notice, verdict=notice.verdict)
    return True


def unrelayed() -> list[tuple[UUID, UUID]]:
    """Return the objections the operator has not been written about, as the scheduler sees them."""
    if not (settings.EMAIL_HOST and settings.OPERATOR["OPERATOR_EMAIL"]):
        # The operators' desk shows them all the same.
        return []
    rows = ProcessorNotice.all_cabinets.using(SCHEDULER).filter(objected_at__isnull=False, relayed_at=None)
    return list(rows.order_by("objected_at").values_list("cabinet_id", "pk")[:AT_ONCE])


def relay(*, cabinet_id: UUID, notice_id: UUID) -> bool:
    """Write to the operator that a firm objects; speak with no transaction, then record.

    A process killed between the two says it again under the same Message-ID: warned twice is the smaller fault.
    """
    if not cache.add(f"objection:{notice_id}", 1, LEASE_SECONDS):
        return False
    try:
        with working_for(cabinet_id=cabinet_id):
            notice = ProcessorNotice.objects.filter(pk=notice_id, objected_at__isnull=False, relayed_at=None).first()
            firm = Cabinet.objects.get()
        if notice is None:
            return False
        desk = partners_told.link_to(f"{settings.OPERATOR_PATH}gdpr/processornotice/{notice.pk}/change/")
        text = render_to_string("gdpr/mail_objection.txt", {"notice": notice, "firm": firm, "link": desk})
        host = settings.SITE_URL.rpartition("/")[2].partition(":")[0]
        EmailMessage(
            subject=f"Opposition de {firm.name} à {notice.name}",
            body=text,
            to=[settings.OPERATOR["OPERATOR_EMAIL"]],
            headers={"Message-ID": f"<objection-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"},
        ).send()
        with working_for(cabinet_id=cabinet_id, durable=True):
            ProcessorNotice.objects.filter(pk=notice_id).update(relayed_at=timezone.now())
    finally:
        cache.delete(f"objection:{notice_id}")
    return True
