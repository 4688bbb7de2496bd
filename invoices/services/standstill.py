"""Write and release the facts that stop: reminders are cancelled in the same transaction."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cabinets import journal
from cabinets.models import Client, Dossier, Membership
from cabinets.scoping import current_scope, whole_firm
from cabinets.services import bulk_clients
from invoices.enums import Grounds, InvoiceState, StopKind
from invoices.errors import InvoiceError
from invoices.models import Invoice, Standstill
from invoices.ports import ladder
from invoices.services.chores import close_all, close_what_asked

# These stop every invoice of the client at once, and are released one invoice at a time (engine.md § 4).
CLIENT_WIDE = frozenset({StopKind.DISPUTE, StopKind.REPLIED, StopKind.PROTECTED_PERSON, StopKind.MEDIATION})

Target = Invoice | Dossier | Client | Membership | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a fact carries beside its kind: its own days, its grounds, what was promised, by when to act."""

    started_on: dt.date | None = None
    published_on: dt.date | None = None
    grounds: Grounds | None = None
    promised_cents: int | None = None
    answer_by: dt.date | None = None

    def columns(self) -> dict[str, object]:
        """Return the columns of a row."""
        return {
            "started_on": self.started_on,
            "published_on": self.published_on,
            "grounds": self.grounds or "",
            "promised_cents": self.promised_cents,
            "answer_by": self.answer_by,
        }


NOTHING_MORE = Details()


@transaction.atomic
def declare(
    *,
    kind: StopKind,
    target: Target,
    until_on: dt.date | None = None,
    reason: str = "",
    origin: str = "firm",
    details: Details = NOTHING_MORE,
) -> list[Standstill]:
    """Stop reminders for a reason and a target (None: the whole firm); return the rows written, one per stopped target.

    A client-wide kind is written on each open invoice of the client, whoever sees them. Declaring again what is already
    in force changes nothing and returns nothing.
    """
    author = _author()
    with whole_firm():
        stops = [
            Standstill(
                **place,
                **details.columns(),
                kind=kind,
                until_on=until_on,
                reason=reason,
                origin=origin,
                created_by_id=author,
            )
            for place in _places(kind, target)
            if not _in_force(kind, place, origin)
        ]
        for stop in stops:
            stop.save(force_insert=True)
        ladder().stop(invoice_ids=_reached(target, kind), code=kind.value.upper())
    if stops:
        journal.record_many(f"{kind.value}.declared", [_subject(stop) for stop in stops], origin=origin)
    return stops


@transaction.atomic
def release(*, standstill_id: UUID) -> Standstill:
    """Lift one stop; the next night looks at what it held."""
    found = Standstill.objects.filter(pk=standstill_id)
    lifted = found.filter(released_at=None).update(released_at=timezone.now(), released_by_id=_author())
    stop = found.get()
    if lifted:
        with whole_firm():
            ladder().wake(invoice_ids=_reached(_target(stop), None))
            close_what_asked(stop)
        journal.record(f"{StopKind(stop.kind).value}.released", _subject(stop))
    return stop


@transaction.atomic
def hold_many(*, invoices: Sequence[Invoice], until_on: dt.date | None, reason: str) -> list[Standstill]:
    """Hold the reminders of many invoices, in as many queries as of one; return the rows written.

    The caller locked the invoices and left out those a hold already keeps: a second hold would outlive the first.
    """
    author = _author()
    bulk_clients.hold_keys({invoice.client_id for invoice in invoices})
    with whole_firm():
        stops = [
            Standstill(
                invoice=invoice,
                kind=StopKind.HOLD,
                until_on=until_on,
                reason=reason,
                origin="firm",
                created_by_id=author,
            )
            for invoice in invoices
        ]
        Standstill.objects.bulk_create(stops)
        ladder().stop(invoice_ids=[invoice.pk for invoice in invoices], code=StopKind.HOLD.value.upper())
    if stops:
        journal.record_many("hold.declared", list(invoices), origin="firm")
    return stops


@transaction.atomic
def resume_many(*, invoices: Sequence[Invoice]) -> int:
    """Lift the holds written on these invoices themselves, whatever else stops them; return how many were lifted."""
    held = Standstill.objects.filter(invoice__in=invoices, kind=StopKind.HOLD, released_at=None)
    lifted = dict(held.values_list("pk", "invoice_id"))
    Standstill.objects.filter(pk__in=lifted, released_at=None).update(
        released_at=timezone.now(), released_by_id=_author()
    )
    reached = [invoice for invoice in invoices if invoice.pk in lifted.values()]
    with whole_firm():
        ladder().wake(invoice_ids=[invoice.pk for invoice in reached])
        close_all(subject_ids=lifted)
    if reached:
        journal.record_many("hold.released", list(reached))
    return len(lifted)


@transaction.atomic
def inherit(*, invoice_ids: Collection[UUID]) -> None:
    """Give new invoices the client-wide stops in force at their client."""
    author = _author()
    with whole_firm():
        for invoice in Invoice.objects.filter(pk__in=invoice_ids):
            known = Standstill.objects.filter(invoice=invoice, released_at=None).values_list("kind", flat=True)
            for kind, until_on in _client_wide(invoice):
                if kind in known:
                    continue
                stop = Standstill(
                    invoice=invoice, kind=kind, until_on=until_on, origin="inherited", created_by_id=author
                )
                stop.save(force_insert=True)


def _client_wide(invoice: Invoice) -> list[tuple[str, dt.date | None]]:
    """Return each client-wide kind in force on the client's other invoices, with its last day of all."""
    stops = Standstill.objects.filter(invoice__client=invoice.client_id, released_at=None, kind__in=CLIENT_WIDE)
    last: dict[str, dt.date | None] = {}
    for kind, until_on in stops.exclude(invoice=invoice.pk).values_list("kind", "until_on"):
        before = last.setdefault(kind, until_on)
        last[kind] = max(before, until_on) if before and until_on else None
    return sorted(last.items())


def _author() -> UUID | None:
    # Read before the view widens: inside whole_firm() nobody in particular acts.
    return current_scope().member_id


def _places(kind: StopKind, target: Target) -> list[dict[str, UUID]]:
    if kind in CLIENT_WIDE:
        if isinstance(target, Client):
            client_id = target.pk
        elif isinstance(target, Invoice | Dossier):
            client_id = target.client_id
        else:
            raise InvoiceError(f"« {kind.label} » vise un client, un dossier ou une facture.")
        ids = Invoice.objects.filter(client=client_id, state=InvoiceState.OPEN).values_list("pk", flat=True)
        return [{"invoice_id": pk} for pk in ids] or [{"client_id": client_id}]
    if target is None:
        return [{}]
    name = {Invoice: "invoice_id", Dossier: "dossier_id", Client: "client_id", Membership: "lawyer_id"}[type(target)]
    return [{name: target.pk}]


def _in_force(kind: StopKind, place: dict[str, UUID], origin: str) -> bool:
    empty = {"invoice_id": None, "dossier_id": None, "client_id": None, "lawyer_id": None}
    rows = Standstill.objects.filter(kind=kind, released_at=None, until_on=None, **{**empty, **place})
    # A provider and a bank each say when their own payment is over: one that ends leaves the other's.
    return (rows.filter(origin=origin) if kind == StopKind.PAYMENT_IN_FLIGHT else rows).exists()


def _reached(target: Target, kind: StopKind | None) -> list[UUID]:
    invoices = Invoice.objects.filter(state=InvoiceState.OPEN)
    if kind in CLIENT_WIDE and isinstance(target, Invoice | Dossier):
        reach = Q(client=target.client_id)
    elif isinstance(target, Invoice):
        reach = Q(pk=target.pk)
    elif isinstance(target, Dossier):
        reach = Q(dossier=target.pk)
    elif isinstance(target, Client):
        reach = Q(client=target.pk)
    elif isinstance(target, Membership):
        reach = Q(dossier__lawyer=target.pk)
    else:
        reach = Q()
    return list(invoices.filter(reach).values_list("pk", flat=True))


def _target(stop: Standstill) -> Target:
    return stop.invoice or stop.dossier or stop.client or stop.lawyer


def _subject(stop: Standstill) -> Invoice | Dossier | Client | Membership | Standstill:
    return _target(stop) or stop
