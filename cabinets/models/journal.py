"""The journal: who did or saw what, when, from where. Written once, in monthly segments, never edited."""

from typing import ClassVar

from django.db import models

from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class JournalEntry(CabinetOwned):
    """One line: ids and event names only, no name, no amount, no content."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("instant")
    event = models.CharField("événement", max_length=60)
    member_id = models.UUIDField("membre", null=True)
    subject_type = models.CharField("objet", max_length=40)
    subject_id = models.UUIDField("identifiant", null=True)
    address = models.GenericIPAddressField("adresse IP", null=True)
    agent = models.CharField("navigateur", max_length=120, blank=True)
    request_id = models.CharField("requête", max_length=32, blank=True)
    facts = models.JSONField("faits", default=dict)

    wall: ClassVar[Wall] = Wall(
        append_only=True,
        scheduler=Grant(insert=("cabinet_id", "at", "event", "subject_type", "subject_id", "facts")),
    )

    class Meta(CabinetOwned.Meta):
        # Partitioned by month in the migration, so that a whole segment is dropped when its time is over.
        managed = False
        db_table = "cabinets_journalentry"
        verbose_name = "ligne du journal"
        verbose_name_plural = "journal"

    def __str__(self) -> str:
        return self.event

    @property
    def is_from_link(self) -> bool:
        """Say whether it comes from whoever opened a link, whose address is not kept; the server asks no request."""
        return self.member_id is None and self.address is None and self.request_id != ""


class JournalSeal(CabinetOwned):
    """The head of a finished month: altering, adding or removing a line of it no longer matches."""

    month = models.DateField("mois")
    lines = models.BigIntegerField("lignes")
    head = models.BinaryField("empreinte")
    sealed_at = models.DateTimeField("scellé le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "sceau du journal"
        verbose_name_plural = "sceaux du journal"
        constraints = [
            models.UniqueConstraint(
                name="one_seal_a_month",
                fields=["cabinet", "month"],
                violation_error_message="Ce mois est déjà scellé.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
