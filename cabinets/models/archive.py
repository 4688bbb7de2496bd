"""The intermediate archive: the keys of clients nothing happens with any more, and who had them open for an hour.

Kept apart from the other keys (CNIL, "Les durées de conservation", fiche 14; law.md R60-R61): the database hands a key
of this table to nobody but the product itself and whoever opened that client's archive with a reason.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cabinets.models.clients import Client
from cabinets.models.keys import DataKey
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall

LONGEST = dt.timedelta(hours=1)


class ArchivedKey(CabinetOwned):
    """A client's wrapped key, taken out of the daily keys."""

    key = models.OneToOneField(DataKey, on_delete=models.CASCADE, primary_key=True, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    wrapped = models.BinaryField("clé enveloppée")

    wall: ClassVar[Wall] = Wall(by="archive")

    class Meta(CabinetOwned.Meta):
        verbose_name = "clé archivée"
        verbose_name_plural = "clés archivées"

    def __str__(self) -> str:
        return str(self.pk)


class ArchiveOpening(SealedModel):
    """One person read one client's archive: why, and from when to when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    reason = SealedTextField("motif")
    opened_at = models.DateTimeField("ouverte le")
    ends_at = models.DateTimeField("jusqu’à")
    closed_at = models.DateTimeField("refermée le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client",
        append_only=True,
        # Nothing prolongs an opening: what changes of it is that it ends.
        erased=Grant(update=("closed_at", "reason")),
        scheduler=Grant(select=("id", "cabinet_id", "ends_at", "closed_at")),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "ouverture d’archive"
        verbose_name_plural = "ouvertures d’archive"
        indexes = [models.Index(fields=["member"], condition=Q(closed_at=None), name="archive_open_to_member")]
        constraints = [
            models.CheckConstraint(
                name="archive_open_for_an_hour",
                condition=Q(ends_at__gt=F("opened_at"), ends_at__lte=F("opened_at") + LONGEST),
                violation_error_message="Une archive s’ouvre pour une heure au plus.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
