"""A firm's own texts: a draft that is edited, versions that never change once published, and who signed them off."""

import uuid
from typing import ClassVar

from django.db import models

from cabinets.models import Membership
from cabinets.scoping import CabinetOwned
from cabinets.wall import Wall
from templates_lib.enums import Channel, Kind, Step

LANGUAGES = [("fr", "Français"), ("en", "Anglais")]


class Template(CabinetOwned):
    """The place of a text (rung, kind of client, channel, language) in a firm, and its draft."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    step = models.CharField("étape", max_length=10, choices=Step)
    kind = models.CharField("qualité du client", max_length=16, choices=Kind)
    channel = models.CharField("canal", max_length=8, choices=Channel)
    language = models.CharField("langue", max_length=2, choices=LANGUAGES, default="fr")
    # {"one": {"subject": …, "body": …}, "several": …}: the forms of a library file; none: no draft under way.
    draft = models.JSONField("brouillon", null=True)
    draft_origin = models.CharField("brouillon parti de", max_length=90, blank=True, default="")
    draft_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    draft_at = models.DateTimeField("brouillon du", null=True)
    # False once the firm went back to the library's text: its versions stay, none is in force.
    is_in_force = models.BooleanField("texte du cabinet en vigueur", default=False)

    wall: ClassVar[Wall] = Wall()

    class Meta(CabinetOwned.Meta):
        verbose_name = "modèle"
        constraints = [
            models.UniqueConstraint(
                name="one_template_a_place",
                fields=["cabinet", "step", "kind", "channel", "language"],
                violation_error_message="Ce modèle existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class TemplateVersion(CabinetOwned):
    """A text as a firm published it; the database refuses to change it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("version")
    forms = models.JSONField("formes")
    origin = models.CharField("parti de", max_length=90, blank=True, default="")
    note = models.CharField("ce qui change", max_length=200, blank=True, default="")
    published_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    published_at = models.DateTimeField("publiée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "version d’un modèle"
        verbose_name_plural = "versions des modèles"
        constraints = [
            models.UniqueConstraint(
                name="template_version_once",
                fields=["template", "number"],
                violation_error_message="Cette version existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class SignOff(CabinetOwned):
    """A lawyer read a version, the library's or the firm's own, and answers for it. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # "library:<slug>:<language>:<n>" or "firm:<id>", as reminders name the text they bear.
    text_ref = models.CharField("version", max_length=90)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("signée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "approbation d’un texte"
        verbose_name_plural = "approbations des textes"
        constraints = [
            models.UniqueConstraint(
                name="sign_off_once",
                fields=["cabinet", "text_ref", "by"],
                violation_error_message="Vous avez déjà approuvé cette version.",
            ),
        ]

    def __str__(self) -> str:
        return self.text_ref
