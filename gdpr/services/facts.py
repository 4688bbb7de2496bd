"""Read what the fate of clients' data depends on: what is owed, the last voucher, the end of each engagement."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Max

from cabinets.enums import ClientKind
from cabinets.models import Client, Dossier
from dunning.models import InboundMessage, Reminder
from gdpr.fates import ClientFacts
from gdpr.models import RetentionSettings
from gdpr.terms import Debt, accounts_kept_until, messages_kept_until
from invoices.enums import InvoiceState
from invoices.models import CreditNote, Invoice
from payments.enums import PlanState
from payments.models import Payment, PaymentPlan, Refund

_READ = ("client_id", "dossier_id", "issued_on", "due_on", "state", "total_cents", "settled_cents", "credited_cents")


def settings_in_force() -> RetentionSettings:
    """Return the firm's lengths; those of the law where it chose none."""
    return RetentionSettings.objects.first() or RetentionSettings()


def facts_of(
    client_ids: Sequence[UUID], *, on: dt.date, settings: RetentionSettings | None = None
) -> dict[UUID, ClientFacts]:
    """Return the facts of these clients on a day, in as many queries for one as for a thousand.

    With the firm's lengths, or with those it is about to choose.
    """
    settings = settings or settings_in_force()
    mine: dict[str, object] = {"client__in": client_ids}
    vouchers = [
        *_latest(CreditNote, "issued_on", mine),
        *_latest(Payment, "received_on", mine),
        *_latest(Refund, "paid_on", mine),
    ]
    last_voucher: dict[UUID, dt.date] = {}
    moved: dict[UUID, dt.date] = {}
    for client_id, day in vouchers:
        last_voucher[client_id] = max(last_voucher.get(client_id, day), day)
    for client_id, instant in (*_latest(InboundMessage, "received_at", mine), *_latest(Reminder, "spoken_at", mine)):
        day = instant.date()
        moved[client_id] = max(moved.get(client_id, day), day)
    by_dossier, owed = _dossiers_moved(client_ids, last_voucher)
    debts: dict[UUID, list[Debt]] = defaultdict(list)
    known = Dossier.objects.filter(client__in=client_ids).values_list("pk", "client_id", "kind", "mandate_ended_on")
    created = dict(Client.objects.filter(pk__in=client_ids).values_list("pk", "created_at"))
    for dossier_id, client_id, kind, ended_on in known:
        last_on = max(by_dossier.get(dossier_id, created[client_id].date()), last_voucher.get(client_id, dt.date.min))
        debts[client_id].append(
            Debt(
                kind=ClientKind(kind) if kind in ClientKind.values else ClientKind.UNKNOWN,
                is_owed=client_id in owed,
                mandate_ended_on=ended_on,
                last_moved_on=max(last_on, moved.get(client_id, last_on)),
            )
        )
    return {
        client_id: _facts(
            on=on,
            is_owed=client_id in owed,
            debts=debts.get(client_id) or [_without_dossier(created[client_id].date(), is_owed=client_id in owed)],
            last_voucher=last_voucher.get(client_id),
            settings=settings,
        )
        for client_id in created
    }


def is_needed(contact_id: UUID) -> bool:
    """Say whether something is still to be settled by this contact: invoices billed to them, or a plan that runs."""
    plans = PaymentPlan.objects.filter(contact=contact_id, state__in=(PlanState.PROPOSED, PlanState.ACTIVE))
    billed = Invoice.objects.filter(dossier__billing_contact=contact_id, state=InvoiceState.OPEN)
    return plans.exists() or any(invoice.outstanding_cents > 0 for invoice in billed)


def _latest(model: type, column: str, mine: dict[str, object]) -> list[tuple[UUID, Any]]:
    rows = model.objects.filter(**mine).exclude(**{column: None}).values("client_id")  # type: ignore[attr-defined]
    return list(rows.annotate(last=Max(column)).values_list("client_id", "last"))


def _dossiers_moved(
    client_ids: Sequence[UUID], last_voucher: dict[UUID, dt.date]
) -> tuple[dict[UUID, dt.date], set[UUID]]:
    """Return the last day each dossier moved and the clients who owe something; note their last invoice."""
    moved: dict[UUID, dt.date] = {}
    owed: set[UUID] = set()
    rows = Invoice.objects.filter(client__in=client_ids).order_by()
    for invoice in rows.only(*_READ).iterator(2000):
        moved[invoice.dossier_id] = max(moved.get(invoice.dossier_id, invoice.due_on), invoice.due_on)
        issued = last_voucher.get(invoice.client_id, invoice.issued_on)
        last_voucher[invoice.client_id] = max(issued, invoice.issued_on)
        if invoice.state == InvoiceState.OPEN and invoice.outstanding_cents > 0:
            owed.add(invoice.client_id)
    return moved, owed


def _without_dossier(created_on: dt.date, *, is_owed: bool) -> Debt:
    return Debt(kind=ClientKind.UNKNOWN, is_owed=is_owed, mandate_ended_on=None, last_moved_on=created_on)


def _facts(
    *,
    on: dt.date,
    is_owed: bool,
    debts: list[Debt],
    last_voucher: dt.date | None,
    settings: RetentionSettings,
) -> ClientFacts:
    ends = [messages_kept_until(debt) for debt in debts]
    known = [end for end in ends if end is not None]
    years, month = settings.accounting_years, settings.fiscal_month
    return ClientFacts(
        on=on,
        is_owed=is_owed,
        messages_until=None if is_owed or len(known) < len(ends) else max(known),
        last_moved_on=max(debt.last_moved_on for debt in debts),
        accounts_until=None if last_voucher is None else accounts_kept_until(last_voucher, years=years, month=month),
    )
