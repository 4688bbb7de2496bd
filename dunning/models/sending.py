"""The domain a firm writes from: its signing keys, the lines it publishes, and what the DNS last said of them."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from dunning.enums import DomainState, RecordKind, RecordState


class SendingDomain(SealedModel):
    """A firm's own sub-domain; both signing keys are published from the first day, so that one replaces the other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.CharField("sous-domaine d’envoi", max_length=190)
    selector = models.CharField("sélecteur en service", max_length=20)
    spare_selector = models.CharField("sélecteur de rechange", max_length=20)
    private_key = SealedTextField("clé privée")
    spare_private_key = SealedTextField("clé privée de rechange")
    public_key = models.TextField("clé publique")
    spare_public_key = models.TextField("clé publique de rechange")
    # RecordKind -> {"state", "since", "found", "answered"}.
    records = models.JSONField("lignes DNS", default=dict)
    state = models.CharField("état", max_length=8, choices=DomainState, default=DomainState.NEVER)
    # A message leaves from here while it is signed and its bounces return under it.
    is_carrying = models.BooleanField("porte les envois", default=False)
    broken_since = models.DateTimeField("cassé depuis", null=True)
    asked_at = models.DateTimeField("demandé le")
    rotated_at = models.DateTimeField("clé changée le", null=True)
    checked_at = models.DateTimeField("vérifié le", null=True)
    next_check_at = models.DateTimeField("prochaine vérification")

    wall: ClassVar[Wall] = Wall(scheduler=Grant(select=("id", "cabinet_id", "next_check_at")))

    class Meta(SealedModel.Meta):
        verbose_name = "domaine d’envoi"
        verbose_name_plural = "domaines d’envoi"
        constraints = [
            models.UniqueConstraint(
                name="one_sending_domain",
                fields=["cabinet"],
                violation_error_message="Un sous-domaine d’envoi est déjà réglé.",
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    def state_of(self, kind: RecordKind) -> RecordState:
        """Return what the DNS last said of one line."""
        return RecordState(self.records.get(kind.value, {}).get("state", RecordState.NEVER))
