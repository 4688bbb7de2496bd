"""Mails due to people who sign in, about their account or their firm's: the table is the queue."""

from django.db import models
from django.utils import timezone

from cabinets.enums import AccountMailKind
from cabinets.models.people import User


class AccountMail(models.Model):
    """What a person is to be told: never a text nor a name, read when it leaves. A row gone is a mail said."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField("objet", max_length=20, choices=AccountMailKind)
    # The change, member, account or look it tells of; no key of the database, which would reach into a firm.
    subject_id = models.UUIDField("ce dont il parle", null=True)
    created_at = models.DateTimeField("demandé le", auto_now_add=True)
    next_at = models.DateTimeField("prochain essai", default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField("essais", default=0)

    class Meta:
        verbose_name = "e-mail de compte"
        verbose_name_plural = "e-mails de compte"

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
