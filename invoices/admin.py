"""The half-year rates, as operators confirm them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cabinets.admin import Kept, OperatorAdmin, site
from invoices.models import InterestRate


@admin.register(InterestRate, site=site)
class InterestRateAdmin(Kept, OperatorAdmin):
    """One row a half-year; a rate that was used is corrected, never removed."""

    list_display = ("year", "half", "legal_percent", "ecb_percent", "confirmed_at")
    ordering = ("-year", "-half")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A half-year keeps its name."""
        return ("year", "half") if obj else ()
