"""What of a debt may be paid in several times, and within which limits of the firm."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from cabinets import journal
from cabinets.enums import ClientKind, LegalAid, Right
from cabinets.models import Cabinet, Client, Dossier, Membership
from cabinets.permissions import ensure
from cabinets.territories import Territory
from invoices.enums import StopKind
from invoices.law.legal_aid import is_complement_in_order, may_ask_a_fee
from invoices.models import Invoice, Standstill
from invoices.services.limitation import clocks_of
from payments.enums import PaymentState
from payments.models import Allocation, PaymentLink, PlanSettings
from payments.plans import PROTECTED, Debt, Part, compute, span_months
from payments.services import links

# Nobody agrees on dates for what is contested, paid already, or in the hands of the law (R35, R38).
BARRED = frozenset(
    {
        StopKind.PAYMENT_IN_FLIGHT,
        StopKind.CLAIMED_PAID,
        StopKind.INSOLVENCY,
        StopKind.OVER_INDEBTEDNESS,
        StopKind.PROTECTED_PERSON,
        StopKind.WRONG_RECIPIENT,
        StopKind.DISPUTE,
        StopKind.MEDIATION,
        StopKind.BATONNIER_SEISED,
    }
)


def settings_in_force() -> PlanSettings:
    """Return what the firm allows, as it set it or by default; nothing is written."""
    return PlanSettings.objects.first() or PlanSettings()


@transaction.atomic
def save_settings(*, by: Membership, **values: int | bool) -> PlanSettings:
    """Keep what the firm allows; plans already proposed or agreed stay as they are."""
    ensure(by, Right.MANAGE_FIRM)
    kept = PlanSettings.objects.select_for_update(of=("self",)).first()
    if kept is None:
        kept = _first_settings()
    for name, value in values.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(values))
    journal.record("plansettings.changed", kept, fields=sorted(values))
    return kept


def _first_settings() -> PlanSettings:
    try:
        with transaction.atomic():
            made = PlanSettings()
            made.save(force_insert=True)
    except IntegrityError:
        return PlanSettings.objects.get()  # made at the same moment by somebody else
    return made


def splittable_through(link: PaymentLink, *, on: dt.date) -> list[Invoice]:
    """Return the invoices a debtor may ask to pay in several times: due, owed, and held back by nothing."""
    owed = links.owed_through(link).filter(due_on__lt=on).select_related("dossier")
    return unbarred(list(owed), on=on)


def splittable_of(client: Client, *, on: dt.date) -> list[Invoice]:
    """Return the invoices of a client the firm may propose dates for; a consumer's only once due (T76)."""
    owed = Invoice.objects.open().filter(client=client).exclude(dossier__legal_aid=LegalAid.TOTAL)
    due = Q(due_on__lt=on) | ~Q(dossier__kind__in=PROTECTED)
    found = owed.filter(due).select_related("dossier", "client").order_by("due_on", "number_key")
    return unbarred(list(found), on=on)


def unbarred(invoices: Sequence[Invoice], *, on: dt.date) -> list[Invoice]:
    """Return those of these invoices, loaded with their dossier, that a plan may cover on a day."""
    ids = [invoice.pk for invoice in invoices]
    stopped = _stopped(invoices, on=on)
    processing = Allocation.objects.filter(invoice__in=ids, payment__state=PaymentState.PROCESSING)
    in_flight = set(processing.values_list("invoice_id", flat=True))
    clocks = clocks_of(invoices=invoices, territory=territory_in_force())
    return [
        invoice
        for invoice in invoices
        if invoice.outstanding_cents > 0
        and invoice.pk not in stopped
        and invoice.pk not in in_flight
        and may_be_asked(invoice.dossier)
        # Dates agreed on a debt that ran out would revive it: a lawyer's decision, not a form's.
        and not clocks[invoice.pk].has_run_out(on=on)
    ]


def may_be_asked(dossier: Dossier) -> bool:
    """Say whether legal aid leaves a fee to ask for (R32, R33)."""
    aid = LegalAid(dossier.legal_aid)
    if aid == LegalAid.PARTIAL:
        return is_complement_in_order(agreement_on=dossier.fee_agreement_on, notified_on=dossier.batonnier_notified_on)
    return may_ask_a_fee(aid)


def debts_of(invoices: Sequence[Invoice]) -> list[Debt]:
    """Return invoices, loaded with their dossier, as the law looks at them."""
    return [Debt(one.pk, ClientKind(one.dossier.kind), one.due_on, one.outstanding_cents) for one in invoices]


def parts_of(*, debts: Sequence[Debt], count: int, first_on: dt.date, on: dt.date, months: int) -> tuple[Part, ...]:
    """Compute the instalments of these debts on the firm's calendar."""
    return compute(
        cents=sum(debt.cents for debt in debts),
        count=count,
        first_on=first_on,
        on=on,
        months=span_months(debts=debts, months=months),
        territory=territory_in_force(),
    )


def territory_in_force() -> Territory:
    """Return the territory whose bank days date the instalments: the firm's, whose account is paid."""
    return Territory(Cabinet.objects.get().territory)


def _stopped(invoices: Sequence[Invoice], *, on: dt.date) -> set[UUID]:
    clients, dossiers = {one.client_id for one in invoices}, {one.dossier_id for one in invoices}
    reach = Q(client__in=clients) | Q(dossier__in=dossiers) | Q(invoice__in=[one.pk for one in invoices])
    rows = Standstill.objects.filter(reach, kind__in=BARRED, released_at=None)
    found: set[UUID] = set()
    for client_id, dossier_id, invoice_id, until_on in rows.values_list(
        "client_id", "dossier_id", "invoice_id", "until_on"
    ):
        if until_on is None or until_on >= on:
            found |= {
                one.pk
                for one in invoices
                if invoice_id == one.pk or client_id == one.client_id or dossier_id == one.dossier_id
            }
    return found
