"""A firm's own sending domain: its keys, the lines to publish, and what the DNS says of them, asked again and again."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cabinets import journal
from cabinets.enums import TaskKind, TaskState
from cabinets.models import Cabinet, Task
from cabinets.scoping import acting_for, tenant_atomic
from dunning.channels.names import Answer, Names
from dunning.channels.signing import new_pair, published, tags_of
from dunning.enums import DomainState, RecordKind, RecordState
from dunning.errors import DunningError
from dunning.models import SendingDomain
from dunning.services.nights import SCHEDULER
from dunning.services.roads import BOUNCES

logger = logging.getLogger(__name__)

# A message is the firm's own when it is signed and its bounces return under its domain; the rest is advice.
NEEDED = (RecordKind.DKIM, RecordKind.RETURN_PATH)
HOURLY_FOR = dt.timedelta(hours=72)
SELECTORS = ("quittance1", "quittance2")
# A message signed with the former key may still be on its way: its line stays this long.
KEY_LINGERS = dt.timedelta(days=7)
TASK_DAYS = 2


class Known(TypedDict, total=False):
    """What is kept of one line."""

    state: str
    since: str
    found: str
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line to publish, as a firm's DNS desk copies it, and where it stands."""

    kind: RecordKind
    type: str
    name: str
    value: str
    state: RecordState
    since: dt.datetime | None
    found: str
    is_answered: bool
    is_needed: bool


@transaction.atomic
def keep(*, domain: str) -> SendingDomain:
    """Take a sub-domain as the firm's own, with keys made for it; another one starts over with keys of its own."""
    before = SendingDomain.objects.select_for_update(of=("self",)).first()
    if before is not None and before.domain == domain:
        return before
    if before is not None:
        remove(domain=before)
    now, first, second = timezone.now(), new_pair(), new_pair()
    kept = SendingDomain(
        domain=domain,
        selector=SELECTORS[0],
        spare_selector=SELECTORS[1],
        private_key=first.private,
        public_key=first.public,
        spare_private_key=second.private,
        spare_public_key=second.public,
        asked_at=now,
        next_check_at=now,
    )
    kept.save(force_insert=True)
    journal.record("sending_domain.kept", kept)
    return kept


@transaction.atomic
def remove(*, domain: SendingDomain) -> None:
    """Forget a sub-domain and its keys: messages leave from the platform's address."""
    journal.record("sending_domain.removed", domain)
    _close_task(domain)
    SendingDomain.objects.filter(pk=domain.pk).delete()


@transaction.atomic
def ask_check(*, domain: SendingDomain) -> None:
    """Have the lines looked at now, and every hour for three days."""
    now = timezone.now()
    SendingDomain.objects.filter(pk=domain.pk).update(asked_at=now, next_check_at=now)
    journal.record("sending_domain.check_asked", domain)


@transaction.atomic
def rotate(*, domain_id: UUID) -> SendingDomain:
    """Sign with the spare key from now on, and make the next spare; refuse a spare nobody could verify."""
    domain = SendingDomain.objects.select_for_update(of=("self",)).get(pk=domain_id)
    if domain.state_of(RecordKind.DKIM_SPARE) is not RecordState.VERIFIED:
        raise DunningError("La clé de rechange n’est pas publiée : la clé en service reste la même.")
    now, fresh = timezone.now(), new_pair()
    domain.selector, domain.spare_selector = domain.spare_selector, domain.selector
    domain.private_key, domain.public_key = domain.spare_private_key, domain.spare_public_key
    domain.spare_private_key, domain.spare_public_key = fresh.private, fresh.public
    domain.records = {
        **domain.records,
        RecordKind.DKIM.value: domain.records[RecordKind.DKIM_SPARE.value],
        RecordKind.DKIM_SPARE.value: {"state": RecordState.WAITING.value, "since": now.isoformat()},
    }
    domain.state = overall(domain)
    domain.asked_at = domain.rotated_at = domain.next_check_at = now
    domain.save(
        update_fields=[
            *("selector", "spare_selector", "private_key", "public_key", "spare_private_key", "spare_public_key"),
            *("records", "state", "asked_at", "rotated_at", "next_check_at"),
        ]
    )
    journal.record("sending_domain.rotated", domain)
    return domain


def due(*, now: dt.datetime) -> list[UUID]:
    """Return the domains whose check has come, as the scheduler sees them: ids and dates."""
    rows = SendingDomain.all_cabinets.using(SCHEDULER).filter(next_check_at__lte=now)
    return list(rows.order_by("next_check_at", "pk").values_list("pk", flat=True))


def check(*, domain_id: UUID) -> None:
    """Ask the DNS for every line with no transaction open, then write what it says."""
    rows = SendingDomain.all_cabinets.using(SCHEDULER).filter(pk=domain_id)
    found = rows.values_list("cabinet_id", flat=True).first()
    if found is None:
        return
    with acting_for(cabinet_id=found):
        with tenant_atomic():
            domain, cabinet = SendingDomain.objects.filter(pk=domain_id).first(), Cabinet.objects.get()
        if domain is None:
            return
        heard = listen(lines_of(domain, cabinet))
        with tenant_atomic():
            _write(domain_id, heard, asked=(domain.public_key, domain.spare_public_key))


def listen(lines: tuple[Line, ...]) -> dict[RecordKind, tuple[bool, Answer]]:
    """Ask for each line: whether what is published is what was asked for, and the answer itself."""
    names = Names(resolvers=settings.DNS_RESOLVERS, port=settings.DNS_PORT, timeout=settings.DNS_TIMEOUT)
    heard: dict[RecordKind, tuple[bool, Answer]] = {}
    for line in lines:
        answer = _ask(names, line)
        heard[line.kind] = (_holds(line, answer), answer)
    return heard


def _ask(names: Names, line: Line) -> Answer:
    if line.type == "CNAME":
        return names.alias(line.name)
    answer = names.texts(line.name)
    if line.kind is not RecordKind.DMARC:
        return answer
    # Without a policy of its own, a sub-domain takes the one of what it is beneath (RFC 7489).
    parent = line.name.removeprefix("_dmarc.")
    while answer.is_answered and not _policies(answer) and parent.count(".") > 1:
        parent = parent.partition(".")[2]
        answer = names.texts(f"_dmarc.{parent}")
    return answer


def _policies(answer: Answer) -> list[str]:
    return [value for value in answer.values if value.startswith("v=DMARC1")]


def _holds(line: Line, answer: Answer) -> bool:
    match line.kind:
        case RecordKind.RETURN_PATH:
            return answer.values == (line.value,)
        case RecordKind.DMARC:
            policies = [tags_of(value) for value in _policies(answer)]
            return len(policies) == 1 and policies[0].get("p") in {"none", "quarantine", "reject"}
        case _:
            keys = [tags_of(value).get("p") for value in answer.values]
            return keys == [tags_of(line.value)["p"]]


def advance(known: Known, *, holds: bool, answer: Answer, now: dt.datetime) -> Known:
    """Return what is known of a line after an answer; a DNS that does not answer changes nothing."""
    state = known.get("state", RecordState.NEVER.value)
    if not answer.is_answered:
        return {**known, "answered": False}
    if holds:
        after = RecordState.VERIFIED
    elif state in {RecordState.VERIFIED, RecordState.BROKEN}:
        after = RecordState.BROKEN
    else:
        after = RecordState.WAITING
    since = known.get("since") if state == after else None
    return {
        "state": after.value,
        "since": since or now.isoformat(),
        "found": "" if holds else " · ".join(answer.values)[:300],
        "answered": True,
    }


def overall(domain: SendingDomain) -> DomainState:
    """Return what the lines add up to."""
    states = {kind: domain.state_of(kind) for kind in RecordKind}
    if any(states[kind] is RecordState.BROKEN for kind in NEEDED):
        return DomainState.BROKEN
    if set(states.values()) == {RecordState.VERIFIED}:
        return DomainState.VERIFIED
    if RecordState.VERIFIED in states.values():
        return DomainState.PARTIAL
    return DomainState.NEVER if set(states.values()) == {RecordState.NEVER} else DomainState.WAITING


def _write(domain_id: UUID, heard: Mapping[RecordKind, tuple[bool, Answer]], *, asked: tuple[str, str]) -> None:
    """Write what was heard, unless the keys changed meanwhile; say it when messages start or stop leaving from here."""
    domain = SendingDomain.objects.select_for_update(of=("self",)).filter(pk=domain_id).first()
    if domain is None or (domain.public_key, domain.spare_public_key) != asked:
        return
    now, was_carrying = timezone.now(), domain.is_carrying
    domain.records = {
        kind.value: advance(domain.records.get(kind.value, {}), holds=holds, answer=answer, now=now)
        for kind, (holds, answer) in heard.items()
    }
    domain.state = overall(domain)
    domain.is_carrying = all(domain.state_of(kind) is RecordState.VERIFIED for kind in NEEDED)
    if domain.is_carrying:
        domain.broken_since = None
    elif was_carrying:
        domain.broken_since = domain.asked_at = now
    domain.checked_at = now
    is_young = now < domain.asked_at + HOURLY_FOR
    domain.next_check_at = now + (dt.timedelta(hours=1) if is_young else dt.timedelta(days=1))
    domain.save(
        update_fields=["records", "state", "is_carrying", "broken_since", "asked_at", "checked_at", "next_check_at"]
    )
    if domain.is_carrying and not was_carrying:
        journal.record("sending_domain.verified", domain)
        _close_task(domain)
    if was_carrying and not domain.is_carrying:
        journal.record("sending_domain.broken", domain)
        _open_task(domain)
    logger.info("sending_domain.checked", extra={"domain_id": str(domain_id), "state": domain.state})


def lines_of(domain: SendingDomain, cabinet: Cabinet) -> tuple[Line, ...]:
    """Return the lines a firm publishes, in the order of their use."""
    reports = f"; rua=mailto:{cabinet.email}" if cabinet.email else ""
    wanted = (
        (RecordKind.DKIM, "TXT", f"{domain.selector}._domainkey", published(domain.public_key)),
        (RecordKind.DKIM_SPARE, "TXT", f"{domain.spare_selector}._domainkey", published(domain.spare_public_key)),
        (RecordKind.RETURN_PATH, "CNAME", BOUNCES, settings.BOUNCE_DOMAIN),
        (RecordKind.DMARC, "TXT", "_dmarc", f"v=DMARC1; p=none{reports}"),
    )
    return tuple(_line(domain, kind, type_, name, value) for kind, type_, name, value in wanted if value)


def _line(domain: SendingDomain, kind: RecordKind, type_: str, name: str, value: str) -> Line:
    known = domain.records.get(kind.value, {})
    return Line(
        kind=kind,
        type=type_,
        name=f"{name}.{domain.domain}",
        value=value,
        state=domain.state_of(kind),
        since=dt.datetime.fromisoformat(known["since"]) if known.get("since") else None,
        found=known.get("found", ""),
        is_answered=known.get("answered", True),
        is_needed=kind in NEEDED,
    )


def _open_task(domain: SendingDomain) -> None:
    due_on = Cabinet.objects.get().today() + dt.timedelta(days=TASK_DAYS)
    Task.objects.bulk_create(
        [Task(kind=TaskKind.SENDING_DOMAIN, subject_id=domain.pk, due_on=due_on)], ignore_conflicts=True
    )


def _close_task(domain: SendingDomain) -> None:
    tasks = Task.objects.filter(kind=TaskKind.SENDING_DOMAIN, subject_id=domain.pk, state=TaskState.OPEN)
    tasks.update(state=TaskState.DONE, closed_at=timezone.now())
