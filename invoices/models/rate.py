"""Half-year rates: data with a source, entered or confirmed by an operator."""

from django.db import models
from django.db.models import Q

from cabinets.models import User


class InterestRate(models.Model):
    """The legal rate (creditor that is no individual) and the ECB's main refinancing rate of one half-year."""

    year = models.PositiveSmallIntegerField("année")
    half = models.PositiveSmallIntegerField("semestre")
    legal_percent = models.DecimalField("taux légal (% l’an)", max_digits=5, decimal_places=2)
    ecb_percent = models.DecimalField("taux BCE (% l’an)", max_digits=5, decimal_places=2)
    source = models.CharField("source", max_length=300)
    # Until an operator confirmed it, a rate is not used: nothing is computed with it.
    confirmed_at = models.DateTimeField("confirmé le", null=True, blank=True)
    # No key in the database: rates belong to no firm, and outlive every account.
    confirmed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_constraint=False
    )

    class Meta:
        verbose_name = "taux du semestre"
        verbose_name_plural = "taux des semestres"
        constraints = [
            models.UniqueConstraint(
                name="one_rate_a_half_year",
                fields=["year", "half"],
                violation_error_message="Ce semestre a déjà un taux.",
            ),
            models.CheckConstraint(
                name="rate_half_is_one_or_two",
                condition=Q(half__in=(1, 2)),
                violation_error_message="Un semestre est le premier ou le second.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}-S{self.half}"
