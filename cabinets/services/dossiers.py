"""Open dossiers, say what the law needs of them, and put people in charge."""

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from cabinets import journal
from cabinets.enums import ClientKind, LegalAid
from cabinets.errors import InputError
from cabinets.models import Assignment, Client, Contact, Dossier, Hearing, Membership
from cabinets.ports import follower
from cabinets.scoping import current_scope, whole_firm

TAKEN = "Un autre dossier porte déjà cette référence. Rien n’a été enregistré : choisissez-en une autre."
_NEUTRAL_LENGTH = 8
# A change of these makes another claim lawful, or addresses it to somebody else.
_RESTATED = frozenset({"kind", "billing_contact_id", "reference", "contract_rate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFacts:
    """What a person says of an engagement. An empty reference asks for a neutral one."""

    reference: str = ""
    title: str = ""
    kind: ClientKind = ClientKind.UNKNOWN
    practice_area: str = ""
    lawyer_id: UUID | None = None
    billing_contact_id: UUID | None = None
    mandate_ended_on: dt.date | None = None
    fee_agreement_on: dt.date | None = None
    contract_rate: Decimal | None = None
    legal_aid: LegalAid = LegalAid.NONE
    batonnier_notified_on: dt.date | None = None
    is_never_reminded: bool = False
    is_archived: bool = False


@transaction.atomic
def open_dossier(*, client_id: UUID, facts: DossierFacts) -> Dossier:
    """Open a dossier; whoever does not see every file is put in charge of the one they open."""
    client = Client.objects.get(pk=client_id)
    dossier = Dossier(client=client)
    with whole_firm():
        _state(dossier, facts)
        dossier.reference = dossier.reference or neutral_reference(dossier.pk)
        _insert(dossier)
    _take_charge(dossier)
    journal.record("dossier.opened", dossier)
    return dossier


@transaction.atomic
def update_dossier(*, dossier_id: UUID, facts: DossierFacts) -> Dossier:
    """Change a dossier; what was to be said about it is looked at again, or stops at once."""
    dossier = Dossier.objects.select_for_update(of=("self",), no_key=True).get(pk=dossier_id)
    before = {name: getattr(dossier, name) for name in asdict(facts)}
    with whole_firm():
        _state(dossier, facts)
        if not dossier.reference:
            raise InputError("Indiquez la référence neutre du dossier.", field="reference")
        if dossier.reference != before["reference"]:
            _refuse_taken(dossier)
    changed = sorted(name for name, value in before.items() if getattr(dossier, name) != value)
    if not changed:
        return dossier
    dossier.save(update_fields=changed)
    _tell(dossier, changed)
    journal.record("dossier.changed", dossier, fields=changed)
    return dossier


@transaction.atomic
def neutral_dossier(*, client: Client) -> Dossier:
    """Return the client's neutral dossier, opened the first time: what an import without a dossier column fills."""
    reference = neutral_reference(client.pk)
    with whole_firm():
        known = Dossier.objects.filter(client=client, reference=reference).first()
        dossier = known or Dossier(client=client, reference=reference, kind=client.kind)
        if known is None:
            _insert(dossier)
    if known is None:
        _take_charge(dossier)
        journal.record("dossier.opened", dossier)
    return dossier


@transaction.atomic
def assign(*, dossier_id: UUID, member_id: UUID) -> Assignment:
    """Put a dossier in a person's charge; they see it from their next page on."""
    dossier, member = Dossier.objects.get(pk=dossier_id), Membership.objects.get(pk=member_id)
    if not member.is_active:
        raise InputError("Cette personne ne fait plus partie du cabinet. Rien n’a été changé.", field="member")
    assignment, is_new = Assignment.objects.get_or_create(dossier=dossier, member=member)
    if is_new:
        journal.record("dossier.assigned", dossier, member=str(member.pk))
    return assignment


@transaction.atomic
def assign_many(*, dossier_ids: Collection[UUID], member_id: UUID) -> list[Dossier]:
    """Put many dossiers in a person's charge, in as many queries as one; return those that were not already."""
    member = Membership.objects.get(pk=member_id)
    if not member.is_active:
        raise InputError("Cette personne ne fait plus partie du cabinet. Rien n’a été changé.", field="member")
    known = set(Assignment.objects.filter(dossier__in=dossier_ids, member=member).values_list("dossier_id", flat=True))
    new = [row for row in Dossier.objects.filter(pk__in=dossier_ids).order_by("pk") if row.pk not in known]
    Assignment.objects.bulk_create([Assignment(dossier=row, member=member) for row in new], ignore_conflicts=True)
    if new:
        journal.record_many("dossier.assigned", list(new), member=str(member.pk))
    return new


@transaction.atomic
def unassign(*, dossier_id: UUID, member_id: UUID) -> None:
    """Take a dossier out of a person's charge; without the wider right they see it no more."""
    dossier = Dossier.objects.get(pk=dossier_id)
    removed, _ = Assignment.objects.filter(dossier=dossier, member=member_id).delete()
    if removed:
        journal.record("dossier.unassigned", dossier, member=str(member_id))


@transaction.atomic
def add_hearing(*, dossier_id: UUID, held_on: dt.date) -> Hearing:
    """Note a hearing: nothing is said too near it."""
    dossier = Dossier.objects.get(pk=dossier_id)
    if Hearing.objects.filter(dossier=dossier, held_on=held_on).exists():
        raise InputError(f"L’audience du {held_on:%d/%m/%Y} est déjà notée.", field="held_on")
    hearing = Hearing(dossier=dossier, held_on=held_on)
    hearing.save(force_insert=True)
    follower().wake(client_id=dossier.client_id, dossier_id=dossier.pk)
    journal.record("hearing.added", dossier, held_on=held_on.isoformat())
    return hearing


@transaction.atomic
def remove_hearing(*, hearing_id: UUID) -> None:
    """Forget a hearing that does not take place."""
    hearing = Hearing.objects.select_related("dossier").get(pk=hearing_id)
    dossier = hearing.dossier
    hearing.delete()
    follower().wake(client_id=dossier.client_id, dossier_id=dossier.pk)
    journal.record("hearing.removed", dossier)


def _state(dossier: Dossier, facts: DossierFacts) -> None:
    for name, value in asdict(facts).items():
        setattr(dossier, name, value.strip() if isinstance(value, str) else value)
    agreed, notified = facts.fee_agreement_on, facts.batonnier_notified_on
    if notified and agreed and notified < agreed:
        raise InputError(
            "La notification au bâtonnier précède la convention : corrigez l’une des deux dates.",
            field="batonnier_notified_on",
        )
    if facts.contract_rate is not None and facts.contract_rate < 0:
        raise InputError("Le taux convenu ne peut pas être négatif.", field="contract_rate")
    if (
        facts.billing_contact_id
        and not Contact.objects.filter(
            pk=facts.billing_contact_id, client=dossier.client_id, is_archived=False
        ).exists()
    ):
        raise InputError("Le contact de facturation est un contact de ce client.", field="billing_contact")
    if facts.lawyer_id and not Membership.objects.filter(pk=facts.lawyer_id).exists():
        raise InputError("L’avocat responsable est un membre du cabinet.", field="lawyer")


def _insert(dossier: Dossier) -> None:
    _refuse_taken(dossier)
    try:
        with transaction.atomic():
            dossier.save(force_insert=True)
    except IntegrityError as error:
        raise InputError(TAKEN, field="reference") from error


def _refuse_taken(dossier: Dossier) -> None:
    if Dossier.objects.filter(reference=dossier.reference).exclude(pk=dossier.pk).exists():
        raise InputError(TAKEN, field="reference")


def neutral_reference(seed: UUID) -> str:
    """Return a reference that says nothing of the matter and is the same at every import."""
    return f"D-{seed.hex[:_NEUTRAL_LENGTH].upper()}"


def _take_charge(dossier: Dossier) -> None:
    member_id = current_scope().member_id
    if member_id is None or Membership.objects.get(pk=member_id).sees_every_file:
        return
    Assignment(dossier=dossier, member_id=member_id).save(force_insert=True)


def _tell(dossier: Dossier, changed: list[str]) -> None:
    reach = {"client_id": dossier.client_id, "dossier_id": dossier.pk}
    if dossier.legal_aid == LegalAid.TOTAL:
        follower().stop(**reach, code="LEGAL_AID_TOTAL")
    elif dossier.is_never_reminded:
        follower().stop(**reach, code="NEVER")
    elif _RESTATED & set(changed):
        follower().stop(**reach, code="NEEDS_APPROVAL")
    else:
        follower().wake(**reach)
