"""The lock of a firm's bank: files and decisions about lines come one after the other."""

from django.db import connection

from cabinets.scoping import current_cabinet_id


def lock_bank() -> None:
    """Hold the firm's bank until the transaction ends: two people, or two files, never explain the same money."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bank {current_cabinet_id()}"])
