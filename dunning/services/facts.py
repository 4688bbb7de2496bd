"""Load the facts the policy looks at, for the invoices of one firm: what the sender asks again before it speaks."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from cabinets.enums import ClientKind, LegalAid, SendingMode
from cabinets.models import Cabinet, Client, Contact, Hearing, Platform
from dunning.enums import ANSWERS, PENDING, SPOKEN, Channel, Entry, Medium, Tone
from dunning.models import ChannelAccount, DunningCase, NightlyRun, Reminder, Step
from dunning.policy import CONTACT_WINDOW_DAYS, Facts, StepFacts
from dunning.reach import Reach, Way, best_way
from invoices.enums import InvoiceKind, InvoiceState, StopKind
from invoices.models import InterestRate, Invoice, Standstill
from payments.enums import MAIL_SPOKEN, PlanMail
from payments.models import PlanMessage
from templates_lib.library import has_text

RATED_KINDS = frozenset({ClientKind.PROFESSIONAL, ClientKind.PUBLIC})


@dataclass(frozen=True, slots=True)
class Contacts:
    """What was said to one debtor lately, and what is about to be."""

    last_on: dt.date | None = None
    in_30_days: int = 0
    is_pending: bool = False


def load_facts(
    *,
    invoice_ids: Collection[UUID],
    on: dt.date,
    now: dt.datetime,
    apart_from: UUID | None = None,
    cabinet: Cabinet | None = None,
    step: Step | None = None,
    channel: Channel | None = None,
) -> dict[UUID, Facts]:
    """Return the facts of each of these invoices that is on the ladder, by invoice.

    `apart_from` names the reminder being judged: it is no contact of its own. A caller who has just read the firm in
    this transaction hands it over. `step` is looked at in the place of the one that is next (a message that accompanies
    a step already done), `channel` in the place of the step's own.
    """
    cabinet = cabinet or Cabinet.objects.get()
    found = DunningCase.objects.filter(invoice__in=list(invoice_ids)).select_related(
        "invoice__dossier__billing_contact", "client", "version"
    )
    cases = list(_with_surroundings(found, on, cabinet.hearing_days))
    if not cases:
        return {}
    clients = {case.client_id for case in cases}
    steps = {
        (step.version_id, step.rank): step
        for step in Step.objects.filter(version__in={case.version_id for case in cases})
    }
    stops, answered = _stops(cases, on)
    contacts = _contacts(clients, on, apart_from)
    owed = _owed({case.client_id for case in cases if case.client.credit_cents > 0})
    # Read only for a step that cannot be written without a rate.
    needs_rates = any(step.needs_rate for step in steps.values())
    rates = (
        set(InterestRate.objects.filter(confirmed_at__isnull=False).values_list("year", "half"))
        if needs_rates
        else None
    )
    has_sms = cabinet.is_demo or any(case.has_sms for case in cases)
    return {
        case.invoice_id: _facts(
            case,
            cabinet,
            step or steps.get((case.version_id, case.next_rank)),
            reach=reach_of(case.client, addressee_in(case), has_sms=has_sms),
            channel=channel,
            stops=frozenset(stops[case.invoice_id]),
            contacts=contacts.get(case.client_id, Contacts()),
            client_owed_cents=owed.get(case.client_id, 0),
            hearing_near=case.hearing_near,
            platform_suspended=case.platform_suspended,
            night_abnormal=case.night_abnormal,
            has_answered=case.invoice_id in answered,
            rates=rates,
            on=on,
            now=now,
        )
        for case in cases
    }


def _facts(  # noqa: PLR0913 - one argument per source of facts
    case: Any,
    cabinet: Cabinet,
    step: Step | None,
    *,
    reach: Reach,
    channel: Channel | None,
    stops: frozenset[StopKind],
    contacts: Contacts,
    client_owed_cents: int,
    hearing_near: bool,
    platform_suspended: bool,
    night_abnormal: bool,
    has_answered: bool,
    rates: set[tuple[int, int]] | None,
    on: dt.date,
    now: dt.datetime,
) -> Facts:
    invoice, client, dossier = case.invoice, case.client, case.invoice.dossier
    way = way_of(step, reach, channel)
    grace = dt.timedelta(hours=cabinet.grace_hours)
    return Facts(
        platform_suspended=platform_suspended,
        firm_suspended=cabinet.suspended_at is not None,
        activated_on=cabinet.activated_on,
        subscription_suspended=cabinet.subscription_suspended_at is not None,
        night_abnormal=night_abnormal,
        is_open=invoice.state == InvoiceState.OPEN,
        is_never_reminded=client.is_never_reminded or dossier.is_never_reminded or invoice.is_never_reminded,
        owed_cents=invoice.outstanding_cents,
        stops=stops,
        client_credit_cents=client.credit_cents,
        client_owed_cents=client_owed_cents,
        paid_within_grace=invoice.last_payment_at is not None and invoice.last_payment_at > now - grace,
        settlements_declared_on=cabinet.settlements_declared_on,
        feed_fresh_until_on=cabinet.feed_fresh_until_on,
        kind=ClientKind(dossier.kind),
        invoice_kind=InvoiceKind(invoice.kind),
        legal_aid=LegalAid(dossier.legal_aid),
        fee_agreement_on=dossier.fee_agreement_on,
        batonnier_notified_on=dossier.batonnier_notified_on,
        mandate_ended_on=dossier.mandate_ended_on,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        performed_on=invoice.performed_on,
        hearing_near=hearing_near,
        is_territory_known=client.territory is not None,
        has_address=way.exists,
        is_address_stopped=addressee_in(case).email_stopped_at is not None,
        is_address_refused=way.is_refused,
        has_pending_reminder=contacts.is_pending,
        last_contact_on=contacts.last_on,
        contacts_in_30_days=contacts.in_30_days,
        last_step_on=case.last_step_on,
        min_gap_days=case.version.min_gap_days,
        step=step_facts(step),
        is_rate_missing=rates is not None
        and dossier.kind in RATED_KINDS
        and not half_years(invoice.due_on, on) <= rates,
        mode=SendingMode(client.sending_mode or cabinet.sending_mode),
        threshold_cents=cabinet.approval_threshold_cents,
        is_strategic=client.is_strategic,
        needs_two_approvals=client.needs_two_approvals,
        entry=Entry(case.entry),
        has_answered=has_answered,
    )


def step_facts(step: Step | None) -> StepFacts | None:
    """Return what the policy looks at in a step."""
    if step is None:
        return None
    return StepFacts(
        offset_days=step.offset_days,
        tone=Tone(step.tone),
        needs_rate=step.needs_rate,
        needs_approval=step.needs_approval,
        text_fault=step.text_fault,
        is_written=has_text(tone=step.tone, channel=step.channel),
    )


def addressee_in(case: Any) -> Client | Contact:
    """Return who the invoice of a case is billed to: the dossier's contact in charge of it, else the client."""
    contact: Contact | None = case.invoice.dossier.billing_contact
    client: Client = case.client
    return contact if contact is not None and not contact.is_archived else client


def reach_of(client: Client, addressee: Client | Contact, *, has_sms: bool) -> Reach:
    """Return the ways to an addressee; a letter goes to the client's postal address, whoever it is addressed to."""
    return Reach(
        email=Way(addressee.has_email, is_refused=addressee.email_refused_at is not None),
        sms=Way(
            addressee.has_mobile and client.accepts_sms and has_sms,
            is_refused=addressee.mobile_refused_at is not None,
        ),
        post=Way(client.has_postal, is_refused=client.postal_refused_at is not None),
        phone=Way(addressee.has_phone, is_refused=addressee.mobile_refused_at is not None),
    )


def way_of(step: Step | None, reach: Reach, channel: Channel | None = None) -> Way:
    """Return the way a step takes, or the one a given channel takes; any way at all once no step is left."""
    if channel is not None:
        return reach.by(channel)
    if step is None:
        return Way(exists=True)
    companions = [Channel(one) for one in step.companions]
    return best_way(reach, channel=Channel(step.channel), companions=companions, tone=Tone(step.tone))[1]


def half_years(due_on: dt.date, on: dt.date) -> set[tuple[int, int]]:
    """Return the half-years whose rate is needed from the day after the due date to this day."""
    start = due_on + dt.timedelta(days=1)
    first, last = start.year * 2 + (start.month > 6), on.year * 2 + (on.month > 6)  # noqa: PLR2004 - June ends a half
    return {(number // 2, number % 2 + 1) for number in range(first, last + 1)}


def _targets(cases: list[Any]) -> Q:
    return (
        Q(invoice__in=[case.invoice_id for case in cases])
        | Q(client__in=[case.client_id for case in cases])
        | Q(dossier__in=[case.invoice.dossier_id for case in cases])
        | Q(lawyer__in=[case.invoice.dossier.lawyer_id for case in cases])
        | Q(invoice=None, client=None, dossier=None, lawyer=None)
    )


def _with_surroundings(cases: QuerySet[DunningCase], on: dt.date, days: int) -> QuerySet[Any]:
    """Say beside each case what is asked of other tables with one word, yes or no."""
    around = (on - dt.timedelta(days=days), on + dt.timedelta(days=days))
    return cases.annotate(
        hearing_near=Exists(Hearing.objects.filter(dossier=OuterRef("invoice__dossier"), held_on__range=around)),
        platform_suspended=Exists(Platform.objects.filter(suspended_at__isnull=False)),
        has_sms=Exists(ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True)),
        night_abnormal=Exists(NightlyRun.objects.filter(on=on, is_abnormal=True, confirmed_at=None)),
    )


def _stops(cases: list[Any], on: dt.date) -> tuple[dict[UUID, set[StopKind]], set[UUID]]:
    """Return the stops in force on each invoice, and the invoices whose debtor ever answered."""
    rows = list(
        Standstill.objects.filter(_targets(cases), Q(released_at=None) | Q(kind__in=ANSWERS)).values_list(
            "kind", "invoice_id", "client_id", "dossier_id", "lawyer_id", "until_on", "released_at"
        )
    )
    found: dict[UUID, set[StopKind]] = defaultdict(set)
    answered = {case.invoice_id for case in cases if case.invoice.last_payment_at is not None}
    for case in cases:
        dossier = case.invoice.dossier
        for kind, invoice, client, file, lawyer, until_on, released_at in rows:
            if kind in ANSWERS and (invoice == case.invoice_id or client == case.client_id):
                answered.add(case.invoice_id)
            if (
                released_at is None
                and (until_on is None or until_on >= on)
                and invoice in {None, case.invoice_id}
                and client in {None, case.client_id}
                and file in {None, dossier.pk}
                and lawyer in {None, dossier.lawyer_id}
            ):
                found[case.invoice_id].add(StopKind(kind))
    return found, answered


def _contacts(clients: Collection[UUID], on: dt.date, apart_from: UUID | None) -> dict[UUID, Contacts]:
    rows = Reminder.objects.filter(client__in=clients).filter(Q(state__in=SPOKEN) | Q(state__in=PENDING))
    since = on - dt.timedelta(days=CONTACT_WINDOW_DAYS)
    days: dict[UUID, set[dt.date]] = defaultdict(set)
    pending: set[UUID] = set()
    for client_id, state, spoken_on in (rows.exclude(pk=apart_from) if apart_from else rows).values_list(
        "client_id", "state", "spoken_on"
    ):
        if state in PENDING:
            pending.add(client_id)
        if state in SPOKEN and spoken_on is not None:
            days[client_id].add(spoken_on)
    # The reminder of an instalment is a contact too; what answers a debtor is none.
    about_plans: dict[UUID, set[dt.date]] = defaultdict(set)
    mails = PlanMessage.objects.filter(client__in=clients, kind=PlanMail.REMINDER, state__in=MAIL_SPOKEN)
    for client_id, spoken_on in mails.values_list("client_id", "spoken_on"):
        if spoken_on is not None:
            about_plans[client_id].add(spoken_on)
    return {
        client_id: Contacts(
            last_on=max(days[client_id] | about_plans[client_id], default=None),
            in_30_days=sum(day > since for said in (days, about_plans) for day in said[client_id]),
            is_pending=client_id in pending,
        )
        for client_id in clients
    }


def _owed(credited: Collection[UUID]) -> dict[UUID, int]:
    """Return what each client who holds a credit owes in all."""
    if not credited:
        return {}
    open_invoices = Invoice.objects.filter(client__in=list(credited), state=InvoiceState.OPEN)
    owed = F("total_cents") - F("credited_cents") - F("settled_cents")
    return dict(open_invoices.values_list("client").annotate(owed=Sum(owed)))
