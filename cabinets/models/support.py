"""Looks an operator may take at a firm's pages: what was asked by one role, and what the firm answered by another.

Two tables, because two database roles write them: the operators' adds requests and cannot write an answer; the
application writes an answer behind the firm's wall, and cannot change one but to end it.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.support_rules import LONGEST, Facts
from cabinets.wall import Grant, Wall


class SupportRequest(CabinetOwned):
    """An operator asks one firm to let them look, and says why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # An id and a name, and no link: the firm keeps who looked when it leaves for another installation.
    operator_id = models.UUIDField("exploitant")
    operator_name = models.CharField("nom de l’exploitant", max_length=121)
    reason = models.CharField("motif", max_length=400)
    looks_at = models.CharField("à regarder", max_length=200, blank=True, default="")
    asked_at = models.DateTimeField("demandé le")

    wall: ClassVar[Wall] = Wall(
        append_only=True,
        erased=Grant(update=("operator_name", "reason", "looks_at")),
        scheduler=Grant(select=("id", "cabinet_id", "asked_at")),
        operator=Grant(select=("*",), insert=("*",)),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "accès d’assistance"
        verbose_name_plural = "accès d’assistance"
        indexes = [models.Index(fields=["cabinet", "-asked_at"], name="support_request_of_cabinet")]

    def __str__(self) -> str:
        return str(self.pk)

    def facts(self) -> Facts:
        """Return what the rules read of a request and of its answer, read with it as `answer`."""
        answer: SupportAnswer | None = getattr(self, "answer", None)
        if answer is None:
            return Facts(asked_at=self.asked_at)
        return Facts(
            asked_at=self.asked_at,
            is_answered=True,
            is_granted=answer.is_granted,
            answered_at=answer.answered_at,
            ends_at=answer.ends_at,
            ended_at=answer.ended_at,
            has_author=answer.answered_by_id is not None,
        )


class SupportAnswer(CabinetOwned):
    """What a partner answered, once; without an author, the request went unanswered.

    Its id is who an operator is while they look: the wall lets it read, and the journal bears it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(SupportRequest, on_delete=models.PROTECT, related_name="answer")
    is_granted = models.BooleanField("accordé")
    answered_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    answered_at = models.DateTimeField("répondu le")
    ends_at = models.DateTimeField("jusqu’à", null=True)
    ended_at = models.DateTimeField("terminé le", null=True)
    ended_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(
        append_only=True,
        # Nothing prolongs an access: what changes of an answer is that it ends.
        erased=Grant(update=("ended_at", "ended_by_id")),
        scheduler=Grant(select=("id", "cabinet_id", "request_id", "is_granted", "ends_at", "ended_at")),
        operator=Grant(select=("*",)),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "réponse à une demande d’assistance"
        verbose_name_plural = "réponses aux demandes d’assistance"
        constraints = [
            models.CheckConstraint(
                name="support_granted_by_somebody_for_an_hour",
                condition=Q(is_granted=False, ends_at=None)
                | Q(
                    is_granted=True,
                    answered_by__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=F("answered_at"),
                    ends_at__lte=F("answered_at") + LONGEST,
                ),
                violation_error_message="Un accès d’assistance est accordé par un associé, pour une heure au plus.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
