"""The intermediate archive: put clients away, read one for an hour with a reason, bring one back to daily use."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cabinets import journal, sealing
from cabinets.addresses import find_phone
from cabinets.enums import Right
from cabinets.errors import CabinetError
from cabinets.models import ArchiveOpening, Cabinet, Client, Contact, Dossier, Membership
from cabinets.models.archive import LONGEST
from cabinets.permissions import ensure
from cabinets.scoping import current_scope, whole_firm, working_for
from cabinets.services.clients import email_key, name_key, phone_key

SCHEDULER = "scheduler"
# One statement each way: a key moves as it is at that moment, whoever wraps it again meanwhile, and is never nowhere.
_TAKE_OUT = """
WITH held AS (
    SELECT k.id, k.cabinet_id, k.subject_id, k.wrapped FROM cabinets_datakey k
    WHERE k.purpose = 'client' AND k.subject_id = ANY(%(clients)s) AND k.wrapped IS NOT NULL ORDER BY k.id FOR UPDATE
), moved AS (
    INSERT INTO cabinets_archivedkey (key_id, cabinet_id, client_id, wrapped)
    SELECT id, cabinet_id, subject_id, wrapped FROM held RETURNING key_id
)
UPDATE cabinets_datakey k SET wrapped = NULL FROM moved WHERE k.id = moved.key_id RETURNING k.id
"""
_PUT_BACK = """
WITH kept AS (DELETE FROM cabinets_archivedkey WHERE client_id = ANY(%(clients)s) RETURNING key_id, wrapped)
UPDATE cabinets_datakey k SET wrapped = kept.wrapped FROM kept WHERE k.id = kept.key_id RETURNING k.id
"""
NOT_ARCHIVED = "Ce client n’est pas en archive. Rien n’a été modifié."
NO_REASON = "Écrivez pourquoi l’archive est ouverte : le motif est gardé. Rien n’a été ouvert."
LONGEST_REASON = 300


class ArchiveError(CabinetError):
    """What the archive refuses, in words."""


def put_away(client_ids: Sequence[UUID], *, on: dt.date) -> int:
    """Put clients in the archive; return how many were not there yet. Their keys are out of reach at once.

    Another process that opened a key within the last five minutes may read with it until they are over.
    """
    found = locked(client_ids)
    ids = [client.pk for client in found]
    Client.objects.filter(pk__in=ids).update(archived_on=on)
    sealing.forget(withhold(ids))
    journal.record_many("client.archived", list(found))
    return len(ids)


def locked(client_ids: Sequence[UUID]) -> list[Client]:
    """Lock those of these clients that are in daily use, whole: a row being added about one waits, or is seen."""
    clients = Client.objects.filter(pk__in=client_ids, archived_on=None)
    return list(clients.select_for_update(of=("self",)).only("pk").order_by("pk"))


def withhold(client_ids: Sequence[UUID]) -> list[UUID]:
    """Take every key of these clients out of the daily ones; return the ids of the keys that were taken out.

    What they sealed stays where it is: nobody reads it any more, and the figures of the firm keep counting it.
    """
    with whole_firm(), connection.cursor() as cursor:
        cursor.execute(_TAKE_OUT, {"clients": list(client_ids)})
        taken = [row[0] for row in cursor.fetchall()]
    scope = current_scope()
    scope.archived.clear()
    scope.at_hand.difference_update(client_ids)
    scope.returned.difference_update(taken)
    return taken


def give_back(client_ids: Collection[UUID]) -> int:
    """Return clients to daily use: their keys, the day, the end of every opening; return how many were archived.

    Call it once the act that brings them back is allowed: what is refused afterwards leaves them where they were.
    """
    scope = current_scope()
    with whole_firm():
        clients = Client.objects.filter(pk__in=list(client_ids)).exclude(archived_on=None)
        found = list(clients.select_for_update(of=("self",), no_key=True).only("pk").order_by("pk"))
        scope.at_hand.update(client_ids)
        if not found:
            return 0
        ids = [client.pk for client in found]
        with connection.cursor() as cursor:
            cursor.execute(_PUT_BACK, {"clients": ids})
            scope.returned.update(row[0] for row in cursor.fetchall())
        today = Cabinet.objects.get().today()
        Client.objects.filter(pk__in=ids).update(archived_on=None, returned_on=today)
        ArchiveOpening.objects.filter(client__in=ids, closed_at=None).update(closed_at=timezone.now())
    scope.archived.clear()
    scope.learned()
    journal.record_many("client.returned", list(found))
    return len(found)


@transaction.atomic
def bring_back(*, client_id: UUID, by: Membership) -> None:
    """Return a client to daily use, because a person says so."""
    ensure(by, Right.OPEN_ARCHIVE)
    Client.objects.get(pk=client_id)
    if give_back([client_id]) != 1:
        raise ArchiveError(NOT_ARCHIVED)


@transaction.atomic
def open_for(*, client_id: UUID, by: Membership, reason: str) -> ArchiveOpening:
    """Let a person read one client's archive for an hour; asked again meanwhile, the opening that runs answers."""
    ensure(by, Right.OPEN_ARCHIVE)
    client = Client.objects.select_for_update(of=("self",), no_key=True).get(pk=client_id)
    if client.archived_on is None:
        raise ArchiveError(NOT_ARCHIVED)
    if not reason.strip():
        raise ArchiveError(NO_REASON)
    if (running := opening_of(client_id=client_id, member=by)) is not None:
        return running
    now = timezone.now()
    words = " ".join(reason.split())[:LONGEST_REASON]
    opening = ArchiveOpening(client=client, member=by, reason=words, opened_at=now, ends_at=now + LONGEST)
    opening.save(force_insert=True)
    current_scope().archived.clear()
    journal.record("archive.opened", client, opening=str(opening.pk))
    return opening


@transaction.atomic
def close(*, client_id: UUID, by: Membership) -> None:
    """Shut what this person has open of a client."""
    mine = ArchiveOpening.objects.filter(client=client_id, member=by, closed_at=None)
    if mine.update(closed_at=timezone.now()):
        current_scope().archived.clear()
        journal.record("archive.closed", Client.objects.only("pk").get(pk=client_id))


def opening_of(*, client_id: UUID, member: Membership) -> ArchiveOpening | None:
    """Return what lets this person read a client's archive at this moment."""
    mine = ArchiveOpening.objects.filter(client=client_id, member=member, closed_at=None, ends_at__gt=timezone.now())
    return mine.order_by("-ends_at").first()


def is_withheld(*, client_id: UUID, member: Membership) -> bool:
    """Say whether a client is in the archive, and this person has not opened it."""
    archived = Client.objects.filter(pk=client_id).exclude(archived_on=None).exists()
    return archived and opening_of(client_id=client_id, member=member) is None


def openings() -> QuerySet[ArchiveOpening]:
    """Return the openings the person may know of, the latest first."""
    return ArchiveOpening.objects.select_related("client", "member__user").order_by("-opened_at", "-pk")


def find(text: str, *, limit: int = 20) -> list[Client]:
    """Return the archived clients of exactly this name, address, number or neutral dossier reference.

    The archive is not leafed through: who looks for somebody says whom.
    """
    wanted = " ".join(text.split())
    if not wanted:
        return []
    archived = Client.objects.exclude(archived_on=None)
    if "@" in wanted:
        key = email_key(wanted.lower())
        reached = Contact.objects.filter(email_index=key).values("client")
        found = archived.filter(email_index=key) | archived.filter(pk__in=reached)
    elif (phone := find_phone(wanted)) is not None:
        found = archived.filter(phone_index=phone_key(phone))
    else:
        named = archived.filter(name_index=name_key(company=wanted, first_name="", last_name=""))
        files = Dossier.objects.filter(reference__iexact=wanted).values("client")
        found = named | archived.filter(pk__in=files)
    return list(found.only("pk", "cabinet_id", "archived_on").distinct().order_by("archived_on", "pk")[:limit])


def close_what_is_over() -> int:
    """Every minute: note the end of the openings whose hour is over; return how many."""
    over = ArchiveOpening.all_cabinets.using(SCHEDULER).filter(closed_at=None, ends_at__lte=timezone.now())
    done = 0
    for cabinet_id, opening_id in list(over.values_list("cabinet_id", "pk")):
        with working_for(cabinet_id=cabinet_id):
            row = ArchiveOpening.objects.select_related("client").get(pk=opening_id)
            if ArchiveOpening.objects.filter(pk=opening_id, closed_at=None).update(closed_at=row.ends_at):
                journal.record("archive.over", row.client, opening=str(opening_id))
                done += 1
    return done
