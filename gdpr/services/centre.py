"""The checklist as living checks: each says what it was found on, and what to do when it is not met."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import TruncDate

from cabinets import journal
from cabinets.enums import NotificationKind, Right
from cabinets.models import Cabinet, Membership, Notification
from cabinets.permissions import ensure
from cabinets.ports import TrainingTold
from cabinets.services.notifications import tell
from dunning.presenting import plural
from gdpr.enums import Attested, RightsState
from gdpr.errors import GdprError
from gdpr.models import Attestation, RetentionSettings, RightsRequest
from gdpr.services import agreement, requests, securing
from gdpr.terms import answer_due_on
from invoices.law.limitation import shift_months
from invoices.money import NBSP

YEAR_MONTHS = 12
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the checklist: met or not, on what facts, and where to act."""

    slug: str
    title: str
    is_met: bool
    facts: tuple[str, ...]
    url: str
    act: str


def checks(*, cabinet: Cabinet) -> list[Check]:
    """Return the seven items as they stand now."""
    today = cabinet.today()
    return [
        _agreement(),
        _privacy(today),
        _retention(),
        _rights(cabinet, today),
        _security(cabinet),
        _training(today),
        _audit(today),
    ]


@transaction.atomic
def attest(*, by: Membership, kind: Attested, on: dt.date, note: str) -> Attestation:
    """Keep what a person vouches for; training is one's own, the rest is for who runs the firm."""
    if kind != Attested.TRAINING:
        ensure(by, Right.MANAGE_FIRM)
    if on > Cabinet.objects.get().today():
        raise GdprError("Ce jour n’est pas encore venu. Rien n’a été enregistré.")
    if kind != Attested.TRAINING and not note.strip():
        raise GdprError("Dites où lire la preuve (adresse de la page, nom du rapport). Rien n’a été enregistré.")
    row = Attestation(kind=kind, by=by, on=on, note=note.strip()[:LONGEST_NOTE])
    row.save(force_insert=True)
    journal.record("attestation.given", row, kind=kind.value)
    return row


def _agreement() -> Check:
    known = agreement.state()
    told: tuple[str, ...] = (f"Version en vigueur : {known.version}.",)
    if known.signed is not None:
        who = known.signed.signed_by.user.get_full_name()
        told += (f"Version {known.signed.version} signée par {who} le {known.signed.signed_at:%d/%m/%Y}.",)
    return Check(
        "accord",
        "Accord de sous-traitance signé et archivé",
        known.is_signed,
        told,
        "/rgpd/accord/",
        "Lire" if known.is_signed else "Signer",
    )


def _privacy(today: dt.date) -> Check:
    last = _last(Attested.PRIVACY)
    told = (
        (f"Attestée le {last.on:%d/%m/%Y} par {last.by.user.get_full_name()} : {last.note}",)
        if last
        else ("Personne n’a encore attesté que la page du cabinet parle des relances.",)
    )
    return Check(
        "confidentialite",
        "Politique de confidentialité à jour",
        _is_recent(last, today),
        told,
        "/rgpd/attester/privacy/",
        "Attester",
    )


def _retention() -> Check:
    row = RetentionSettings.objects.first()
    is_met = row is not None and row.purges
    told: tuple[str, ...]
    if row is None:
        told = ("Les durées sont celles de la loi ; le cabinet ne les a pas encore confirmées.",)
    else:
        told = (
            f"Pièces comptables : {row.accounting_years} ans.",
            "Chaque nuit efface ce dont le délai est passé." if row.purges else "Rien n’est effacé seul.",
        )
    return Check("durees", "Durées de conservation définies et appliquées", is_met, told, "/rgpd/durees/", "Régler")


def _rights(cabinet: Cabinet, today: dt.date) -> Check:
    waiting = list(RightsRequest.objects.filter(state=RightsState.OPEN).values_list("due_on", flat=True))
    # Nobody opened them yet: their month runs since they arrived.
    arrived = requests.untaken().values_list("received_at", flat=True)
    waiting += [answer_due_on(at.astimezone(cabinet.zone).date()) for at in arrived]
    late = sum(due_on < today for due_on in waiting)
    closed = RightsRequest.objects.exclude(state=RightsState.OPEN).count()
    answered_late = _answered_late(cabinet, since=shift_months(today, -YEAR_MONTHS))
    told = (
        f"{plural(len(waiting), 'demande', 'demandes')} à répondre, dont {late} en retard{NBSP};"
        f" {plural(closed, 'close', 'closes')}.",
        f"Réponses données après leur délai depuis un an{NBSP}: {answered_late}.",
        "Une demande faite depuis la page d’un client compte dès qu’elle arrive, même si personne ne l’a ouverte.",
    )
    is_met = not late and not answered_late
    title = "Demandes des personnes traitées dans leur délai"
    return Check("droits", title, is_met, told, "/rgpd/demandes/", "Ouvrir")


def _answered_late(cabinet: Cabinet, *, since: dt.date) -> int:
    """Return how many answers came after their last day since then; a request that was withdrawn asked for none."""
    answered = RightsRequest.objects.filter(state__in=(RightsState.GRANTED, RightsState.PARTLY, RightsState.REFUSED))
    dated = answered.annotate(answered_on=TruncDate("answered_at", tzinfo=cabinet.zone))
    return dated.filter(answered_on__gt=F("due_on"), answered_on__gte=since).count()


def _security(cabinet: Cabinet) -> Check:
    found = securing.points(cabinet=cabinet)
    first = next((one for one in found if not one.is_held), None)
    url, act = (first.url, first.act) if first else ("/parametres/journal/", "Voir")
    told = tuple(one.words for one in found)
    return Check("securite", "Accès restreints, chiffrés et journalisés", first is None, told, url, act)


def _training(today: dt.date) -> Check:
    since = shift_months(today, -YEAR_MONTHS)
    trained = set(Attestation.objects.filter(kind=Attested.TRAINING, on__gt=since).values_list("by_id", flat=True))
    active = list(Membership.objects.filter(is_active=True).values_list("pk", flat=True))
    missing = [one for one in active if one not in trained]
    told: tuple[str, ...] = (f"Attestée depuis un an par {len(active) - len(missing)} sur {len(active)}.",)
    if missing:
        told += ("Chacun atteste pour soi, depuis «\u00a0Profil et sécurité\u00a0».",)
    return Check(
        "formation", "Équipe formée", bool(active) and not missing, told, "/rgpd/attester/training/", "Attester"
    )


def _audit(today: dt.date) -> Check:
    last = _last(Attested.AUDIT)
    told: tuple[str, ...]
    if last is None:
        told = ("Aucun audit n’est encore enregistré.",)
    else:
        again = shift_months(last.on, YEAR_MONTHS)
        who = last.by.user.get_full_name()
        told = (f"Fait le {last.on:%d/%m/%Y} par {who} : {last.note}", f"À refaire avant le {again:%d/%m/%Y}.")
    return Check(
        "audit", "Audit annuel de conformité", _is_recent(last, today), told, "/rgpd/attester/audit/", "Attester"
    )


def training_of(*, member_id: UUID, on: dt.date) -> TrainingTold:
    """Say when a person last vouched for their training, until when it is worth something, and whether it is over."""
    mine = Attestation.objects.filter(kind=Attested.TRAINING, by=member_id)
    last = mine.order_by("-on").values_list("on", flat=True).first()
    is_due = last is None or last <= shift_months(on, -YEAR_MONTHS)
    return TrainingTold(on=last, again_on=shift_months(last, YEAR_MONTHS) if last else None, is_due=is_due)


@transaction.atomic
def remind_of_audit(*, on: dt.date) -> int:
    """Tell who runs the firm that the yearly audit is to be done, once for each; return how many were told.

    A month before a year has passed since the last one; where there never was one, a month after the firm began.
    """
    cabinet, last = Cabinet.objects.get(), _last(Attested.AUDIT)
    if cabinet.activated_on is None:
        return 0
    due = shift_months(last.on, YEAR_MONTHS - 1) if last else shift_months(cabinet.activated_on, 1)
    if on < due:
        return 0
    about = last.pk if last else cabinet.pk
    told = Notification.objects.filter(kind=NotificationKind.AUDIT, subject_id=about).values("member")
    people = [
        one for one in Membership.objects.filter(is_active=True).exclude(pk__in=told) if one.can(Right.MANAGE_FIRM)
    ]
    tell(NotificationKind.AUDIT, member_ids=[one.pk for one in people], client_id=None, subject_id=about)
    return len(people)


def _last(kind: Attested) -> Attestation | None:
    rows = Attestation.objects.filter(kind=kind).select_related("by__user")
    return rows.order_by("-on", "-at").first()


def _is_recent(last: Attestation | None, today: dt.date) -> bool:
    return last is not None and shift_months(last.on, YEAR_MONTHS) >= today
