"""Each night, let go of what had its time: the rows that age by themselves, then the clients nothing keeps any more."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from cabinets import journal
from cabinets.enums import KeyPurpose, Right
from cabinets.models import Client, DataKey, Membership
from cabinets.permissions import ensure
from cabinets.scoping import tenant_atomic
from gdpr import fates
from gdpr.inventory import HOLDINGS, Holding, retention_of
from gdpr.models import Purge, RetentionSettings
from gdpr.services.emptying import let_go, model_of
from gdpr.services.erasing import purge_client
from gdpr.services.facts import facts_of, settings_in_force
from invoices.law.limitation import shift_months

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
    "invoices.ImportBatch": "uploaded_at",
    "dunning.SmsCatch": "at",
    "dunning.DocumentJob": "asked_at",
    "dunning.StaffMail": "asked_at",
}


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
def save_settings(*, by: Membership, accounting_years: int, fiscal_month: int, purges: bool) -> RetentionSettings:
    """Keep the lengths a firm chooses; a shorter one lets go of more from the next night on."""
    ensure(by, Right.MANAGE_FIRM)
    chosen = {"accounting_years": accounting_years, "fiscal_month": fiscal_month, "purges": purges, "changed_by": by}
    row, _ = RetentionSettings.objects.update_or_create(defaults=chosen)
    journal.record("retention.changed", None, years=accounting_years, month=fiscal_month, purges=purges)
    return row


def firms_due() -> list[UUID]:
    """Return the firms whose nights let go of what had its time, as the scheduler sees them."""
    rows = RetentionSettings.all_cabinets.using(SCHEDULER).filter(purges=True).order_by("cabinet_id")
    return list(rows.values_list("cabinet_id", flat=True))


def coming(*, on: dt.date) -> Coming:
    """Say what a purge of that day would let go of, without touching anything."""
    aged = tuple(
        (str(model_of(one)._meta.verbose_name_plural), count) for one in _ageing() if (count := _old(one, on).count())
    )
    messages = forgotten = 0
    for client_ids in _clients():
        for facts in facts_of(client_ids, on=on).values():
            if fates.client_may_go(facts):
                forgotten += 1
            elif fates.messages_may_go(facts):
                messages += 1
    return Coming(aged, messages, forgotten)


def purge(*, on: dt.date) -> Counter[str]:
    """Let go of what had its time in the firm acted for, a client at a time; stopped half-way, the next run goes on.

    Call it outside any transaction: each table that ages and each client is committed on its own.
    """
    with tenant_atomic():
        if not settings_in_force().purges:
            return Counter()
    counts: Counter[str] = Counter()
    for holding in _ageing():
        with tenant_atomic():
            counts[holding.model] += let_go(holding, _old(holding, on))
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


def _ageing() -> list[Holding]:
    return [one for one in HOLDINGS if one.model in AGES]


def _old(holding: Holding, on: dt.date):  # type: ignore[no-untyped-def]  # rows of any table
    """Return the rows of a table whose length is over on that day."""
    months = retention_of(holding).months or 0
    limit = dt.datetime.combine(shift_months(on, -months), dt.time(), tzinfo=dt.UTC)
    rows = model_of(holding)._default_manager.filter(**{f"{AGES[holding.model]}__lt": limit})
    # A row that was emptied already is left out where its file says so.
    return rows.exclude(**{holding.files[0][0]: ""}) if holding.files else rows


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
