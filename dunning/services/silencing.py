"""Acts of a person that silence or free an invoice or a client, each checked against the person's rights."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Client, Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from invoices.enums import StopKind
from invoices.models import Invoice, Standstill
from invoices.ports import ladder
from invoices.services import standstill
from payments.errors import PlanError
from payments.services.plan_reading import runs_on

# What a person at the desk lifts alone; every other fact is released by a lawyer (engine.md § 4).
LIFTED_AT_THE_DESK = frozenset({StopKind.HOLD, StopKind.PROMISE, StopKind.PLAN, StopKind.CLAIMED_PAID})


def right_to_lift(kind: str) -> Right:
    """Return the right that lifts a fact of this kind."""
    return Right.HOLD_REMINDERS if StopKind(kind) in LIFTED_AT_THE_DESK else Right.RELEASE_DISPUTES


@transaction.atomic
def suspend(
    *, target: Invoice | Client, by: Membership, reason: str, until_on: dt.date | None = None
) -> list[Standstill]:
    """Hold the reminders of an invoice or of a client until a day, or until somebody lifts the hold."""
    ensure(by, Right.HOLD_REMINDERS)
    return standstill.declare(kind=StopKind.HOLD, target=target, until_on=until_on, reason=reason)


@transaction.atomic
def contest(*, invoice: Invoice, by: Membership, reason: str) -> list[Standstill]:
    """Note that an invoice is contested: every invoice of its client stops at once."""
    ensure(by, Right.HOLD_REMINDERS)
    return standstill.declare(kind=StopKind.DISPUTE, target=invoice, reason=reason)


@transaction.atomic
def lift(*, standstill_id: UUID, by: Membership) -> Standstill:
    """Lift one fact; a dispute is lifted by a lawyer, one invoice at a time.

    Raise PlanError for the stop of a plan that runs: lifted alone, the plan and the ladder would both speak.
    """
    stop = Standstill.objects.get(pk=standstill_id)
    ensure(by, right_to_lift(stop.kind))
    if stop.kind == StopKind.PLAN and stop.invoice_id is not None and runs_on(invoice_id=stop.invoice_id):
        raise PlanError("Un échéancier est en cours : mettez-y fin depuis sa page. Rien n’a été changé.")
    return standstill.release(standstill_id=standstill_id)


@transaction.atomic
def never_remind(*, invoice_id: UUID, by: Membership, never: bool) -> Invoice:
    """Never speak of an invoice again, or let the next night look at it."""
    ensure(by, Right.HOLD_REMINDERS)
    invoice: Invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice_id)
    if invoice.is_never_reminded == never:
        return invoice
    invoice.is_never_reminded = never
    invoice.save(update_fields=["is_never_reminded"])
    _tell([invoice.pk], never=never)
    journal.record("invoice.silenced" if never else "invoice.unsilenced", invoice)
    return invoice


@transaction.atomic
def never_remind_client(*, client_id: UUID, by: Membership, never: bool) -> Client:
    """Never speak to a client again, whoever is in charge of the dossier, or let the next night look at them."""
    ensure(by, Right.HOLD_REMINDERS)
    client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    if client.is_never_reminded == never:
        return client
    client.is_never_reminded = never
    client.save(update_fields=["is_never_reminded"])
    with whole_firm():
        _tell(list(Invoice.objects.open().filter(client=client_id).values_list("pk", flat=True)), never=never)
    journal.record("client.silenced" if never else "client.unsilenced", client)
    return client


def _tell(invoice_ids: list[UUID], *, never: bool) -> None:
    if never:
        ladder().stop(invoice_ids=invoice_ids, code="NEVER")
    else:
        ladder().wake(invoice_ids=invoice_ids)
