"""Tasks: what a person must do, by when, and where to do it."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.enums import TaskKind, TaskState
from cabinets.models.clients import Client
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class Task(CabinetOwned):
    """One thing for one person (or for whoever sees the client) to do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=20, choices=TaskKind)
    state = models.CharField("état", max_length=10, choices=TaskState, default=TaskState.OPEN)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", null=True)
    # The invoice, reminder or request it is about; those live on higher floors.
    subject_id = models.UUIDField("objet", null=True)
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    due_on = models.DateField("à faire avant le")
    created_at = models.DateTimeField("créée le", auto_now_add=True)
    closed_at = models.DateTimeField("close le", null=True)
    closed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client",
        scheduler=Grant(
            select=("id", "cabinet_id", "kind", "state", "client_id", "subject_id"),
            insert=(
                "id",
                "cabinet_id",
                "kind",
                "state",
                "client_id",
                "subject_id",
                "owner_id",
                "due_on",
                "created_at",
            ),
        ),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "tâche"
        constraints = [
            models.UniqueConstraint(
                name="task_once_while_open",
                fields=["cabinet", "kind", "subject_id"],
                condition=models.Q(state=TaskState.OPEN),
                nulls_distinct=False,
                violation_error_message="Cette tâche est déjà ouverte.",
            ),
        ]
        indexes = [models.Index(fields=["cabinet", "state", "due_on"], name="task_open")]

    def __str__(self) -> str:
        return str(self.get_kind_display())
