"""Jobs that failed, to be closed once they are dealt with."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cabinets.admin import OperatorAdmin, site
from dunning.models import FailedJob


@admin.register(FailedJob, site=site)
class FailedJobAdmin(OperatorAdmin):
    """A name, an id, an error; no content."""

    list_display = ("at", "name", "subject_id", "error", "closed_at")
    list_filter = ("name",)
    ordering = ("-at",)
    fields = ("name", "subject_id", "error", "at", "closed_at")
    readonly_fields = ("name", "subject_id", "error", "at")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Jobs fail on their own."""
        return False
