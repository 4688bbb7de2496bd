"""Data keys: one per firm, one per client, one per firm for exact search; wrapped, never in clear."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.enums import KeyPurpose
from cabinets.scoping import CabinetOwned
from cabinets.wall import Wall


class DataKey(CabinetOwned):
    """A wrapped key. Deleting a client's key makes every value sealed with it unreadable for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField("usage", max_length=8, choices=KeyPurpose)
    # The client the key belongs to; no foreign key, because the key is destroyed before the client's row is.
    subject_id = models.UUIDField("client", null=True)
    # Empty: the client is in the intermediate archive, and the key is kept apart (`ArchivedKey`).
    wrapped = models.BinaryField("clé enveloppée", null=True)
    is_active = models.BooleanField("sert à chiffrer", default=True)
    created_at = models.DateTimeField("créée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall()

    class Meta(CabinetOwned.Meta):
        verbose_name = "clé de chiffrement"
        verbose_name_plural = "clés de chiffrement"
        constraints = [
            models.UniqueConstraint(
                name="one_active_key_per_subject",
                fields=["cabinet", "purpose", "subject_id"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                violation_error_message="Une clé active existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
