"""Erase what may go of clients: because they ask, or because its time is over; the same road for both (R61)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from cabinets import journal
from cabinets.enums import KeyPurpose
from cabinets.models import Client, Contact, DataKey
from cabinets.scoping import whole_firm
from cabinets.sealing import forget_keys
from cabinets.services.clients import archive_contact
from dunning.services import evidence
from gdpr import fates
from gdpr.enums import Person
from gdpr.fates import ClientFacts, Fate
from gdpr.inventory import HOLDINGS, Holding
from gdpr.models import RightsRequest
from gdpr.services import archives, held_back
from gdpr.services.emptying import let_go, model_of, not_emptied, rows_about, rows_of
from gdpr.services.facts import facts_of, is_needed


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one table of a client, as a person is told."""

    label: str
    rows: int
    is_gone: bool
    until_on: dt.date | None
    reason: str


OF_CLIENTS: tuple[Holding, ...] = tuple(one for one in HOLDINGS if one.client and one.person is not Person.MEMBER)
OF_CONTACTS: tuple[Holding, ...] = tuple(one for one in OF_CLIENTS if one.contact)


def preview(*, client_id: UUID, on: dt.date, contact_id: UUID | None = None) -> list[Line]:
    """Say, table by table, what would go were erasure granted today, what would stay, until when and why.

    With a contact, of that person alone; without, of the client and of everyone reached for them.
    """
    facts = facts_of([client_id], on=on)[client_id]
    needed = contact_id is not None and is_needed(contact_id)
    lines = []
    for holding in OF_CLIENTS if contact_id is None else OF_CONTACTS:
        rows = _mine(holding, client_id, contact_id)
        if count := rows.count():
            fate = _fate(holding, facts, contact_id, needed=needed)
            goes = contact_id is None and fates.spare_may_go(facts, is_asked=True)
            lines += _lines(holding, fate, count, spare=holding.spare if goes else ())
    return lines


@transaction.atomic
def erase(*, client_id: UUID, on: dt.date) -> list[Line]:
    """Erase what the law lets go of a client who asks, and say what stays and why; twice erases nothing more."""
    facts = facts_of([client_id], on=on)[client_id]
    lines = preview(client_id=client_id, on=on)
    counts = _let_go_of(client_id, facts, is_asked=True)
    journal.record("client.erased", Client.objects.get(pk=client_id), rows=sum(counts.values()))
    return lines


@transaction.atomic
def erase_contact(*, client_id: UUID, contact_id: UUID, on: dt.date) -> list[Line]:
    """Erase what may go of one contact and write to them no more; the client and the vouchers are left alone."""
    lines = preview(client_id=client_id, contact_id=contact_id, on=on)
    facts, needed = facts_of([client_id], on=on)[client_id], is_needed(contact_id)
    gone = [one for one in OF_CONTACTS if _fate(one, facts, contact_id, needed=needed).is_gone]
    if not needed:
        # Their page stays for the answer: with no invoice billed to them any more, it shows nothing of the client.
        archive_contact(contact_id=contact_id)
        Contact.objects.filter(pk=contact_id).update(has_email=False, has_mobile=False, has_phone=False)
    counts = {one.model: let_go(one, _mine(one, client_id, contact_id)) for one in gone}
    if messages := counts.get("dunning.Reminder", 0) + counts.get("payments.PlanMessage", 0):
        evidence.append_emptied(client_id=client_id, messages=messages)
    archives.destroy(RightsRequest.objects.filter(contact=contact_id))
    journal.record("contact.erased", Contact.objects.get(pk=contact_id), rows=sum(counts.values()))
    return lines


def _mine(holding: Holding, client_id: UUID, contact_id: UUID | None) -> QuerySet[Any]:
    if contact_id is None:
        return rows_of(holding, [client_id])
    return rows_about(holding, client_id=client_id, contact_id=contact_id)


def _fate(holding: Holding, facts: ClientFacts, contact_id: UUID | None, *, needed: bool) -> Fate:
    if contact_id is None:
        return fates.fate(holding, facts)
    return fates.contact_fate(holding, facts, is_needed=needed)


@transaction.atomic
def purge_client(*, client_id: UUID, on: dt.date) -> Mapping[str, int]:
    """Let go of what a client's time is over for; return how many rows of each table went.

    Nothing goes of a client whose request waits for its answer, or whose data are kept without being used.
    """
    # Whole: nobody puts them in the archive or takes them out meanwhile, and a request being made waits, or is seen.
    Client.objects.select_for_update(of=("self",)).only("pk").get(pk=client_id)
    if held_back.clients().filter(pk=client_id).exists():
        return {}
    facts = facts_of([client_id], on=on)[client_id]
    counts = _let_go_of(client_id, facts, is_asked=False)
    if counts:
        journal.record("client.purged", Client.objects.get(pk=client_id), rows=sum(counts.values()))
    return counts


def _let_go_of(client_id: UUID, facts: ClientFacts, *, is_asked: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for holding, only in _what_goes(facts, is_asked=is_asked):
        counts[holding.model] += let_go(holding, rows_of(holding, [client_id]), only=only)
    if messages := counts["dunning.Reminder"] + counts["payments.PlanMessage"]:
        evidence.append_emptied(client_id=client_id, messages=messages)
    if counts["cabinets.Client"]:
        _forget_reach(client_id, is_whole=fates.client_may_go(facts))
    if is_asked:
        archives.destroy(RightsRequest.objects.filter(client=client_id))
    if fates.client_may_go(facts):
        with whole_firm():
            destroyed, _ = DataKey.objects.filter(purpose=KeyPurpose.CLIENT, subject_id=client_id).delete()
        counts["cabinets.DataKey"] += destroyed
        forget_keys()
    return Counter({name: count for name, count in counts.items() if count})


def with_something_left(client_ids: Sequence[UUID], facts: ClientFacts) -> set[UUID]:
    """Return those of these clients, whom the same fate awaits, of whom a night would still let something go."""
    left: set[UUID] = set()
    for holding, only in _what_goes(facts, is_asked=False):
        rows = not_emptied(holding, rows_of(holding, client_ids), only=only).order_by()
        left.update(rows.values_list(holding.client, flat=True).distinct())
    return left


def _what_goes(facts: ClientFacts, *, is_asked: bool) -> Iterator[tuple[Holding, tuple[str, ...]]]:
    """Yield each table that goes, whole or for these columns alone."""
    for holding in _in_order(OF_CLIENTS):
        if fates.fate(holding, facts).is_gone:
            # What goes by its own age goes with the night's sweep; a person who asks does not wait for it.
            if is_asked or not _goes_by_age(holding):
                yield holding, ()
        elif holding.spare and fates.spare_may_go(facts, is_asked=is_asked):
            yield holding, holding.spare


def _goes_by_age(holding: Holding) -> bool:
    # A line of the bank may have paid several clients: its own fiscal year decides.
    return holding.retention in {"traces", "notices", "working"} or bool(holding.closed_by)


def _in_order(holdings: Sequence[Holding]) -> list[Holding]:
    """Put the client last: what leads to them is read first."""
    return sorted(holdings, key=lambda one: one.model == "cabinets.Client")


def _forget_reach(client_id: UUID, *, is_whole: bool) -> None:
    """Tell the planner which addresses are gone; the postal one is on vouchers and goes with them."""
    reach = {"has_email": False, "has_mobile": False, "has_phone": False, "accepts_sms": False}
    if is_whole:
        reach["has_postal"] = False
    Client.objects.filter(pk=client_id).update(**reach, is_never_reminded=True)


def _lines(holding: Holding, fate: Fate, count: int, *, spare: Sequence[str]) -> list[Line]:
    """Return what a person is told of a table: its rows, then what goes of them although they stay."""
    meta = model_of(holding)._meta
    label = str(meta.verbose_name_plural if count > 1 else meta.verbose_name)
    if fate.is_gone or not spare:
        return [Line(label, count, fate.is_gone, fate.until_on, fate.reason)]
    fields = {one.name: one for one in meta.concrete_fields}
    rest = [name for name in holding.fields if name not in spare and not fields[name].choices]
    if not rest:
        return [Line(label, count, is_gone=True, until_on=None, reason="")]
    columns = [str(fields[name].verbose_name) for name in spare if not name.endswith("_index")]
    told = f"{label}\u00a0: {', '.join(columns)}"
    return [
        Line(label, count, fate.is_gone, fate.until_on, fate.reason),
        Line(told, count, is_gone=True, until_on=None, reason=""),
    ]
