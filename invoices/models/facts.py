"""Facts recorded beside an invoice: checks of insolvency, and what moves its limitation."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models import Client, Dossier, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.enums import CheckOrigin, Grounds, LimitationEffect


class InsolvencyCheck(CabinetOwned):
    """One look for a collective proceeding of a client (R37), or the reason nobody could look. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    siren = models.CharField("SIREN", max_length=9)
    origin = models.CharField("origine", max_length=8, choices=CheckOrigin)
    at = models.DateTimeField("instant")
    # Unknown when nobody answered: it proves nothing, either way.
    is_found = models.BooleanField("procédure trouvée", null=True)
    grounds = models.CharField("procédure", max_length=20, choices=Grounds, blank=True, default="")
    judged_on = models.DateField("jugement du", null=True)
    published_on = models.DateField("publiée le", null=True)
    notice_id = models.CharField("annonce", max_length=60, blank=True, default="")
    failure = models.CharField("incident", max_length=200, blank=True, default="")
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(
        by="client",
        append_only=True,
        erased=Grant(update=("siren", "grounds", "notice_id")),
        scheduler=Grant(select=("id", "cabinet_id", "client_id", "at", "is_found")),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "vérification d’une procédure collective"
        verbose_name_plural = "vérifications d’une procédure collective"
        indexes = [models.Index(fields=["cabinet", "client", "-at"], name="check_of_client")]

    def __str__(self) -> str:
        return f"{self.siren} {self.at:%Y-%m-%d}"


class LimitationEvent(SealedModel):
    """Something that interrupts or suspends the limitation of a dossier's fees, as a person recorded it (R29)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="+")
    on = models.DateField("date")
    until_on = models.DateField("jusqu’au", null=True, blank=True)
    effect = models.CharField("effet", max_length=10, choices=LimitationEffect)
    nature = models.CharField("nature", max_length=40)
    note = SealedTextField("note")
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="dossier")

    class Meta(SealedModel.Meta):
        verbose_name = "événement de prescription"
        verbose_name_plural = "événements de prescription"

    def __str__(self) -> str:
        return f"{self.on} {self.effect}"

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.dossier.client_id
