"""What the firm writes for itself about a client, and what each person is told of."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.enums import NotificationKind, TaskKind
from cabinets.models.clients import Client
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall


class Note(SealedModel):
    """A note about a client, for the firm alone: no message and no document ever reads it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    mentioned = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    # Emptied when the note is deleted; that there was one, whose and when, stays.
    text = SealedTextField("note")
    created_at = models.DateTimeField("écrite le", auto_now_add=True)
    edited_at = models.DateTimeField("modifiée le", null=True)
    deleted_at = models.DateTimeField("supprimée le", null=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "note"
        indexes = [models.Index(fields=["cabinet", "client", "created_at"], name="note_of_client")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class Notification(CabinetOwned):
    """Something one person is told of, on their own page: ids and codes, never a name nor a text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("nature", max_length=20, choices=NotificationKind)
    # The task it announces, when there is one: its page is where one goes.
    task_kind = models.CharField("tâche annoncée", max_length=20, choices=TaskKind, blank=True, default="")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True)
    # The note, request, reply, plan, payment, message or night; most live on higher floors.
    subject_id = models.UUIDField("objet")
    created_at = models.DateTimeField("reçue le", auto_now_add=True)
    read_at = models.DateTimeField("lue le", null=True)

    wall: ClassVar[Wall] = Wall(
        by="member",
        scheduler=Grant(
            select=("id", "cabinet_id"),
            insert=("id", "cabinet_id", "member_id", "kind", "task_kind", "client_id", "subject_id", "created_at"),
        ),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "notification"
        constraints = [
            models.UniqueConstraint(
                name="notification_once_while_unread",
                fields=["cabinet", "member", "kind", "task_kind", "subject_id"],
                condition=Q(read_at=None),
                violation_error_message="Cette personne en est déjà avertie.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "member", "-created_at"], name="notification_of_member")]

    def __str__(self) -> str:
        return str(self.get_kind_display())
