"""Imports: the file as it came, how its columns were read, what became of its lines."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from invoices.enums import ImportState, LineNature


class ImportProfile(CabinetOwned):
    """How a firm's usual file is read, remembered by the shape of its header."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    header_key = models.BinaryField("empreinte de l’en-tête")
    mapping = models.JSONField("colonnes")
    used_at = models.DateTimeField("utilisé le", auto_now=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "profil d’import"
        constraints = [
            models.UniqueConstraint(
                name="one_profile_a_header",
                fields=["cabinet", "header_key"],
                violation_error_message="Profil déjà connu.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ImportBatch(SealedModel):
    """One file, from its upload to its undoing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField("état", max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    file_name = SealedTextField("nom du fichier")
    # The sealed file, in the firm's folder; removed 24 h after the import.
    stored_as = models.CharField("rangé sous", max_length=120, blank=True)
    digest = models.BinaryField("empreinte du fichier")
    mapping = models.JSONField("colonnes", default=dict)
    layout = models.JSONField("encodage, séparateur, feuille", default=dict)
    lines = models.PositiveIntegerField("lignes", default=0)
    lines_done = models.PositiveIntegerField("lignes traitées", default=0)
    ready = models.PositiveIntegerField("lignes prêtes", default=0)
    faulty = models.PositiveIntegerField("lignes à corriger", default=0)
    duplicates = models.PositiveIntegerField("déjà connues", default=0)
    to_settle = models.PositiveIntegerField("règlements à mettre à jour", default=0)
    updates_settlements = models.BooleanField("met à jour les règlements", default=False)
    created = models.PositiveIntegerField("factures créées", default=0)
    settled = models.PositiveIntegerField("règlements mis à jour", default=0)
    failure = models.CharField("incident", max_length=200, blank=True)
    uploaded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    uploaded_at = models.DateTimeField("déposé le", auto_now_add=True)
    finished_at = models.DateTimeField("terminé le", null=True)
    undone_at = models.DateTimeField("annulé le", null=True)
    lease_until = models.DateTimeField("pris jusqu’à", null=True)
    # Since the last chunk that was committed: a file that kills its worker is not taken up for ever.
    attempts = models.PositiveSmallIntegerField("essais", default=0)

    wall: ClassVar[Wall] = Wall(
        by="uploader",
        scheduler=Grant(select=("id", "cabinet_id", "state", "lease_until", "uploaded_at", "finished_at", "stored_as")),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "import"

    def __str__(self) -> str:
        return str(self.pk)


class ImportFault(SealedModel):
    """What an import has to say of a line: why it could not go in, or what was assumed, and what to do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="faults")
    line = models.PositiveIntegerField("ligne")
    column = models.CharField("colonne", max_length=80, blank=True)
    sentence = SealedTextField("explication")
    nature = models.CharField("nature", max_length=10, choices=LineNature, default=LineNature.FAULT)

    wall: ClassVar[Wall] = Wall(by="batch")

    class Meta(SealedModel.Meta):
        verbose_name = "ligne signalée"
        verbose_name_plural = "lignes signalées"
        ordering = ["line"]
        indexes = [models.Index(fields=["batch", "nature", "line"], name="fault_of_batch")]

    def __str__(self) -> str:
        return f"ligne {self.line}"


class ImportCorrection(SealedModel):
    """What a person did of one line of a file: cells typed again, or the line set aside; the file's own words beside.

    The file itself never changes: what it said stays provable here once it is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="corrections")
    line = models.PositiveIntegerField("ligne")
    # JSON: the place of each column changed, with what the file says there, and what was typed instead.
    said = SealedTextField("ce que dit le fichier")
    typed = SealedTextField("ce qui a été saisi")
    is_set_aside = models.BooleanField("écartée", default=False)
    author = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField("le", auto_now=True)

    wall: ClassVar[Wall] = Wall(by="batch")

    class Meta(SealedModel.Meta):
        verbose_name = "ligne corrigée"
        verbose_name_plural = "lignes corrigées"
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(
                name="one_correction_a_line",
                fields=["batch", "line"],
                violation_error_message="Cette ligne est déjà corrigée.",
            ),
        ]

    def __str__(self) -> str:
        return f"ligne {self.line}"
