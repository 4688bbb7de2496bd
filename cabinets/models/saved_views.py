"""A filtered list a person keeps under a name."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models.people import Membership
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Wall


class SavedView(SealedModel):
    """The filters of a list, as its address writes them: one's own, or shared with the firm.

    Sealed under the firm's key: a filter may hold a client's name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    name = SealedTextField("nom de la vue")
    query = SealedTextField("filtres")
    is_shared = models.BooleanField("partagée avec le cabinet", default=False)
    created_at = models.DateTimeField("enregistrée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(by="sharer")

    class Meta(SealedModel.Meta):
        verbose_name = "vue enregistrée"
        indexes = [models.Index(fields=["cabinet", "member"], name="savedview_of_member")]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> None:
        """Seal under the firm's key."""
        return
