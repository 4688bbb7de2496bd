"""Take an import back: what was said to a debtor, or used since, stays; the rest leaves no trace but the journal."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from django.db import models
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Replace

from cabinets import journal
from cabinets.enums import KeyPurpose
from cabinets.models import Assignment, Client, DataKey, Dossier, Task
from cabinets.scoping import whole_firm
from invoices.enums import InvoiceState
from invoices.errors import OverpaidError
from invoices.models import CreditNote, ImportBatch, Invoice, Standstill
from invoices.ports import ladder
from invoices.services import settlement

# Stops the product wrote by itself when the invoice entered.
AUTOMATIC = ("inherited", "old_debt")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What undoing an import would do."""

    removed: int
    spoken: int
    used: int


def outlook(batch: ImportBatch) -> Outlook:
    """Count what would stay, and why, before a person decides."""
    with whole_firm():
        ids = list(_left_in(batch.pk).values_list("pk", flat=True))
        spoken = ladder().has_spoken(invoice_ids=ids)
        used = _used(set(ids) - spoken)
    return Outlook(removed=len(ids) - len(spoken) - len(used), spoken=len(spoken), used=len(used))


def count_kept(batch: ImportBatch) -> int:
    """Count the invoices of the batch that are still to be collected."""
    return _left_in(batch.pk).count()


def undo_chunk(*, batch_id: UUID, after: UUID | None, size: int) -> UUID | None:
    """Take back some invoices in the order of their ids; return the last one looked at, None when none is left."""
    with whole_firm():
        waiting = _left_in(batch_id).order_by("pk")
        if after is not None:
            waiting = waiting.filter(pk__gt=after)
        ids = list(waiting.values_list("pk", flat=True)[:size])
        free = set(ids) - ladder().has_spoken(invoice_ids=ids)
        free -= _used(free)
        on_record = ladder().leave(invoice_ids=free)
        gone = free - on_record
        # A message may have left while its reminder was being taken back.
        on_record -= ladder().has_spoken(invoice_ids=on_record)
        _cancel(on_record)
        _remove_invoices(gone)
        if not ids:
            _remove_credit_notes(batch_id)
    _tell("invoice.cancelled", on_record, batch_id)
    _tell("invoice.removed", gone, batch_id)
    return ids[-1] if ids else None


def remove_unused(*, batch_id: UUID, lines: Iterable[int]) -> None:
    """Remove the dossiers and clients these lines created, unless anything else was done with them since."""
    numbers = list(lines)
    with whole_firm():
        dossiers = set(_made(Dossier, "dossier", batch_id, numbers))
        dossiers -= _used_of(Dossier, dossiers, ignoring={Assignment})
        Assignment.objects.filter(dossier__in=dossiers).delete()
        Dossier.objects.filter(pk__in=dossiers).delete()
        clients = set(_made(Client, "client", batch_id, numbers))
        clients -= _used_of(Client, clients, ignoring=set())
        Client.objects.filter(pk__in=clients).delete()
        DataKey.objects.filter(purpose=KeyPurpose.CLIENT, subject_id__in=clients).delete()
    _tell("dossier.removed", dossiers, batch_id, Dossier)
    _tell("client.removed", clients, batch_id, Client)


def _left_in(batch_id: UUID) -> models.QuerySet[Invoice]:
    return Invoice.objects.filter(batch=batch_id).exclude(state=InvoiceState.CANCELLED)


def _used(invoice_ids: Collection[UUID]) -> set[UUID]:
    """Return the invoices somebody did something with: a payment, a document, a stop, a request of the client."""
    stops = Standstill.objects.filter(invoice__in=invoice_ids).exclude(origin__in=AUTOMATIC)
    settled = Invoice.objects.filter(pk__in=invoice_ids).exclude(last_payment_at=None)
    closed = Invoice.objects.filter(pk__in=invoice_ids).exclude(state=InvoiceState.OPEN)
    return (
        _used_of(Invoice, invoice_ids, ignoring={Standstill})
        | set(stops.values_list("invoice_id", flat=True))
        | set(settled.values_list("pk", flat=True))
        | set(closed.values_list("pk", flat=True))
    )


def _used_of(model: type[models.Model], ids: Collection[UUID], *, ignoring: set[type[models.Model]]) -> set[UUID]:
    """Return those that any row of any app points at; the ladder's own rows are its own business (`leave`)."""
    engine = type(ladder()).__module__.partition(".")[0]
    used: set[UUID] = set()
    for relation in model._meta.get_fields(include_hidden=True):
        other = relation.related_model
        if not relation.auto_created or relation.concrete or not isinstance(other, type) or other in ignoring:
            continue
        if model is Invoice and other._meta.app_label == engine:
            continue
        name = relation.field.attname  # type: ignore[union-attr]  # a reverse relation has the field it comes from
        used |= set(other._default_manager.filter(**{f"{name}__in": ids}).values_list(name, flat=True))
    return used


def _cancel(invoice_ids: Collection[UUID]) -> None:
    """Close what a night already looked at, and free its number for a better file."""
    Invoice.objects.filter(pk__in=invoice_ids).update(
        state=InvoiceState.CANCELLED, number_key=Replace(Cast(F("pk"), CharField()), Value("-"), Value(""))
    )


def _remove_invoices(invoice_ids: Collection[UUID]) -> None:
    Standstill.objects.filter(invoice__in=invoice_ids).delete()
    Task.objects.filter(subject_id__in=invoice_ids).delete()
    Invoice.objects.filter(pk__in=invoice_ids).delete()


def _remove_credit_notes(batch_id: UUID) -> None:
    """Take back the credits that were not used meanwhile."""
    for note in CreditNote.objects.filter(batch=batch_id, cancelled_at=None, invoice=None).order_by("pk"):
        try:
            settlement.give_client_credit(client_id=note.client_id, cents=-note.cents)
        except OverpaidError:
            continue
        note.delete()


def _made(model: type[models.Model], kind: str, batch_id: UUID, lines: list[int]) -> list[UUID]:
    ids = [uuid5(batch_id, f"{kind} {line}") for line in lines]
    return list(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))


def _tell(event: str, ids: Collection[UUID], batch_id: UUID, model: type[models.Model] = Invoice) -> None:
    if ids:
        journal.record_many(event, [model(pk=pk) for pk in sorted(ids)], batch=str(batch_id))
