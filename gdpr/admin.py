"""The companies the installation works with: announced to the firms thirty days before they receive anything."""

import datetime as dt
from typing import Any

from django.contrib import admin

from cabinets.admin import Kept, OperatorAdmin, OperatorForm, ReadOnly, site
from gdpr.models import Closing, SubProcessor
from gdpr.services.chain_of_processors import NOTICE_DAYS
from invoices.services.rates import paris_day


class SubProcessorForm(OperatorForm):
    """A company, what it does, and from when."""

    class Meta:
        help_texts = {
            "country": "Code ISO à deux lettres. Hors de l’Espace économique européen, dites ce qui permet le transfert"
            " dans « données reçues ».",
            "since_on": "Pour un nouveau sous-traitant : trente jours au moins après aujourd’hui.",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a newcomer that firms were not told of thirty days ahead; the first ones were there from the start."""
        values = super().clean()
        since, is_new = values.get("since_on"), self.instance.pk is None
        has_others = SubProcessor.objects.using("operator").exists()
        if is_new and has_others and since is not None:
            earliest = paris_day() + dt.timedelta(days=NOTICE_DAYS)
            if since < earliest:
                self.add_error(
                    "since_on", f"Les cabinets ont trente jours pour s’opposer : pas avant le {earliest:%d/%m/%Y}."
                )
        return values


@admin.register(SubProcessor, site=site)
class SubProcessorAdmin(Kept, OperatorAdmin):
    """One row a company; one that left keeps its row with the day."""

    form = SubProcessorForm
    list_display = ("name", "role", "country", "since_on", "until_on")
    ordering = ("name",)
    fields = ("name", "role", "country", "data", "since_on", "until_on")


@admin.register(Closing, site=site)
class ClosingAdmin(ReadOnly, OperatorAdmin):
    """Accounts that end: when, and what was erased; the firm alone asks and takes back."""

    list_display = ("cabinet", "asked_at", "due_on", "withdrawn_at", "erased_at")
    list_select_related = ("cabinet",)
    ordering = ("-asked_at",)
    fields = ("cabinet", "asked_at", "due_on", "withdrawn_at", "erased_at", "counts")
