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
from gdpr.fates import client_may_go, messages_may_go
from gdpr.inventory import HOLDINGS, Holding, retention_of
from gdpr.models import Purge, RetentionSettings, RightsRequest
from gdpr.services import archives, held_back
from gdpr.services.emptying import let_go, model_of, not_emptied
from gdpr.services.erasing import purge_client, with_something_left
from gdpr.services.facts import facts_of, settings_in_force
from gdpr.terms import USUAL_ARCHIVE_MONTHS, YEAR, accounts_gone_through
from invoices.law.limitation import OTHERS_YEARS, shift_months

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
    held: int = 0
    """How many clients whose time is over, and of whom nothing goes: they ask something, or restricted its use."""

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


def coming(*, on: dt.date, settings: RetentionSettings | None = None) -> Coming:
    """Say what a purge of that day would let go of, without touching anything: what is left, whatever went before."""
    settings = settings or settings_in_force()
    rows = {holding: _old(holding, on, settings).count() for holding in ageing()}
    messages = forgotten = held = 0
    for client_ids in _clients():
        due = {pk: one for pk, one in facts_of(client_ids, on=on, settings=settings).items() if messages_may_go(one)}
        kept = set(held_back.clients().filter(pk__in=due).values_list("pk", flat=True))
        held += len(kept)
        due = {pk: one for pk, one in due.items() if pk not in kept}
        partly = {pk: one for pk, one in due.items() if not client_may_go(one)}
        forgotten += len(due) - len(partly)
        if partly:
            # Nothing else tells them apart: their messages may go, their vouchers may not.
            messages += len(with_something_left(list(partly), next(iter(partly.values()))))
    named = ((str(model_of(holding)._meta.verbose_name_plural), count) for holding, count in rows.items() if count)
    return Coming(tuple(named), messages, forgotten, held)


def would_let_go(*, on: dt.date, chosen: RetentionSettings) -> Coming | None:
    """Say what the next night would let go of with lengths that let it go of more; None when a choice takes nothing."""
    known = settings_in_force()
    is_wider = (
        not known.purges
        or chosen.accounting_years < known.accounting_years
        or chosen.fiscal_month != known.fiscal_month
    )
    if not (chosen.purges and is_wider):
        return None
    found = coming(on=on, settings=chosen)
    return None if found.is_empty else found


def purge(*, on: dt.date) -> Counter[str]:
    """Let go of what had its time in the firm acted for, a client at a time; stopped half-way, the next run goes on.

    Call it outside any transaction: each table that ages and each client is committed on its own.
    """
    with tenant_atomic():
        settings = settings_in_force()
        if not settings.purges:
            return Counter()
    counts: Counter[str] = Counter()
    for holding in ageing():
        with tenant_atomic():
            counts[holding.model] += let_go(holding, _old(holding, on, settings))
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


def destroy_old_copies(*, on: dt.date) -> int:
    """Destroy the copies of people's data that nobody fetched in time, whether or not the firm's nights let go."""
    old = RightsRequest.objects.filter(answered_at__lt=_instant(on, months=COPIES_MONTHS))
    with tenant_atomic():
        return archives.destroy(old)


def ageing() -> list[Holding]:
    """Return the tables whose rows go by their own age."""
    return [one for one in HOLDINGS if one.model in AGES or one.model in VOUCHERS or one.model == UNPLACED]


def _old(holding: Holding, on: dt.date, settings: RetentionSettings) -> QuerySet[Any]:
    """Return the rows of a table whose length is over on that day, and that still hold something."""
    rows = model_of(holding)._default_manager.all()
    if holding.model in VOUCHERS:
        last = accounts_gone_through(on, years=settings.accounting_years, month=settings.fiscal_month)
        rows = rows.filter(**{f"{VOUCHERS[holding.model]}__lte": last})
    elif holding.model == UNPLACED:
        rows = rows.filter(client=None, received_at__lt=_instant(on, months=UNPLACED_MONTHS))
    else:
        months = retention_of(holding).months or 0
        rows = rows.filter(**{f"{AGES[holding.model]}__lt": _instant(on, months=months)})
    if holding.client and holding.model != UNPLACED:
        rows = rows.exclude(**{f"{holding.client}__in": held_back.clients()})
    return not_emptied(holding, rows)


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
    return [client_id for chunk in found for client_id, facts in chunk.items() if messages_may_go(facts)]
