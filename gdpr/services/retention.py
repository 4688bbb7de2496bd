"""Each night, let go of what had its time: the rows that age by themselves, then the clients nothing keeps any more."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from cabinets import journal
from cabinets.enums import KeyPurpose, Right
from cabinets.models import Client, DataKey, Membership
from cabinets.permissions import ensure
from cabinets.scoping import tenant_atomic
from gdpr import fates
from gdpr.fates import ClientFacts
from gdpr.inventory import HOLDINGS, Holding, retention_of
from gdpr.models import Purge, RetentionSettings, RightsRequest
from gdpr.services import archives
from gdpr.services.emptying import let_go, model_of
from gdpr.services.erasing import purge_client
from gdpr.services.facts import facts_of, settings_in_force
from gdpr.terms import USUAL_ARCHIVE_MONTHS, YEAR, accounts_gone_through
from invoices.law.limitation import OTHERS_YEARS, shift_months

SCHEDULER = "scheduler"
CLIENTS_AT_ONCE = 500
# Tables that grow old by themselves, and the column that tells their age.
AGES = {
    "payments.LinkVisit": "at",
    "payments.LinkMessage": "asked_at",
    "payments.ProviderNotice": "received_at",
    "cabinets.Invitation": "created_at",
    "cabinets.Notification": "created_at",
    "invoices.ImportFault": "batch__uploaded_at",
    "invoices.ImportCorrection": "batch__uploaded_at",
    "invoices.ImportBatch": "uploaded_at",
    "dunning.SmsCatch": "at",
    "cabinets.ArchiveOpening": "opened_at",
    "dunning.DocumentJob": "asked_at",
    "dunning.StaffMail": "asked_at",
    "gdpr.RightsRequest": "answered_at",
}
# Vouchers of nobody in particular: theirs is the fiscal year of this column.
VOUCHERS = {
    "payments.BankLine": "booked_on",
    "payments.BankFile": "taken_at__date",
    "payments.BankGuess": "line__booked_on",
}
# What nobody could place with a client, for as long as anybody might still be claimed from.
UNPLACED = "dunning.InboundMessage"
UNPLACED_MONTHS = OTHERS_YEARS * YEAR
COPIES_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Coming:
    """What the next purge would let go of."""

    rows: tuple[tuple[str, int], ...]
    messages_of: int
    """How many clients whose messages would go."""
    forgotten: int
    """How many clients who would be forgotten whole."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing has had its time."""
        return not (self.rows or self.messages_of or self.forgotten)


@transaction.atomic
def save_settings(
    *,
    by: Membership,
    accounting_years: int,
    fiscal_month: int,
    purges: bool,
    archive_months: int = USUAL_ARCHIVE_MONTHS,
) -> RetentionSettings:
    """Keep the lengths a firm chooses; a shorter one lets go of more from the next night on."""
    ensure(by, Right.MANAGE_FIRM)
    chosen = {
        "accounting_years": accounting_years,
        "fiscal_month": fiscal_month,
        "purges": purges,
        "archive_months": archive_months,
        "changed_by": by,
    }
    row, _ = RetentionSettings.objects.update_or_create(defaults=chosen)
    facts = {"years": accounting_years, "month": fiscal_month, "archive": archive_months, "purges": purges}
    journal.record("retention.changed", None, **facts)
    return row


def firms_due() -> list[UUID]:
    """Return the firms whose nights let go of what had its time, as the scheduler sees them."""
    rows = RetentionSettings.all_cabinets.using(SCHEDULER).filter(purges=True).order_by("cabinet_id")
    return list(rows.values_list("cabinet_id", flat=True))


def coming(*, on: dt.date) -> Coming:
    """Say what a purge of that day would let go of, without touching anything: what had its time since the last one."""
    last = Purge.objects.order_by("-on").values_list("on", flat=True).first()
    counts = {
        holding.model: _old(holding, on).count() - (_old(holding, last).count() if last else 0) for holding in ageing()
    }
    messages = forgotten = 0
    for client_ids in _clients():
        for facts in facts_of(client_ids, on=on).values():
            if last is not None and not _came_due(facts, since=last):
                continue
            forgotten += fates.client_may_go(facts)
            messages += fates.messages_may_go(facts) and not fates.client_may_go(facts)
    names = {holding.model: str(model_of(holding)._meta.verbose_name_plural) for holding in ageing()}
    return Coming(tuple((names[name], count) for name, count in counts.items() if count > 0), messages, forgotten)


def _came_due(facts: ClientFacts, *, since: dt.date) -> bool:
    ends = (facts.messages_until, facts.accounts_until)
    return any(end is not None and since <= end < facts.on for end in ends)


def purge(*, on: dt.date) -> Counter[str]:
    """Let go of what had its time in the firm acted for, a client at a time; stopped half-way, the next run goes on.

    Call it outside any transaction: each table that ages and each client is committed on its own.
    """
    with tenant_atomic():
        if not settings_in_force().purges:
            return Counter()
    counts: Counter[str] = Counter()
    for holding in ageing():
        with tenant_atomic():
            counts[holding.model] += let_go(holding, _old(holding, on))
    with tenant_atomic():
        archives.destroy(_old_copies(on))
    clients = 0
    for client_id in _due_clients(on):
        with tenant_atomic():
            gone = purge_client(client_id=client_id, on=on)
        clients += "cabinets.DataKey" in gone
        counts.update(gone)
    told = Counter({name: count for name, count in counts.items() if count})
    if told:
        with tenant_atomic():
            Purge(on=on, counts=dict(told), clients=clients).save(force_insert=True)
            journal.record("retention.purged", None, rows=sum(told.values()), clients=clients)
    return told


def ageing() -> list[Holding]:
    """Return the tables whose rows go by their own age."""
    return [one for one in HOLDINGS if one.model in AGES or one.model in VOUCHERS or one.model == UNPLACED]


def _old(holding: Holding, on: dt.date) -> QuerySet[Any]:
    """Return the rows of a table whose length is over on that day."""
    rows = model_of(holding)._default_manager.all()
    if holding.model in VOUCHERS:
        settings = settings_in_force()
        last = accounts_gone_through(on, years=settings.accounting_years, month=settings.fiscal_month)
        return _not_empty(holding, rows.filter(**{f"{VOUCHERS[holding.model]}__lte": last}))
    if holding.model == UNPLACED:
        return rows.filter(client=None, received_at__lt=_instant(on, months=UNPLACED_MONTHS))
    months = retention_of(holding).months or 0
    return _not_empty(holding, rows.filter(**{f"{AGES[holding.model]}__lt": _instant(on, months=months)}))


def _not_empty(holding: Holding, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out what was emptied already, where a row's file says so; a request's copy goes long before its words."""
    is_told = holding.files and holding.model != "gdpr.RightsRequest"
    return rows.exclude(**{holding.files[0][0]: ""}) if is_told else rows


def _old_copies(on: dt.date) -> QuerySet[RightsRequest]:
    return RightsRequest.objects.filter(answered_at__lt=_instant(on, months=COPIES_MONTHS))


def _instant(on: dt.date, *, months: int) -> dt.datetime:
    return dt.datetime.combine(shift_months(on, -months), dt.time(), tzinfo=dt.UTC)


def _clients() -> Iterator[list[UUID]]:
    """Return the clients who still have a key, chunk by chunk: the others are forgotten already."""
    keyed = DataKey.objects.filter(purpose=KeyPurpose.CLIENT).values("subject_id")
    ids = list(Client.objects.filter(pk__in=keyed).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CLIENTS_AT_ONCE):
        yield ids[start : start + CLIENTS_AT_ONCE]


def _due_clients(on: dt.date) -> list[UUID]:
    with tenant_atomic():
        found = [facts_of(ids, on=on) for ids in _clients()]
    return [client_id for chunk in found for client_id, facts in chunk.items() if fates.messages_may_go(facts)]
