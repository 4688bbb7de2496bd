"""The half-year rates, as operators enter and confirm them: nothing is computed with one nobody confirmed."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cabinets.admin import OPERATOR, Kept, OperatorAdmin, OperatorForm, site
from invoices.models import InterestRate
from invoices.services.rates import halves_to_confirm, paris_day

HIGHEST = Decimal(20)
# The column of individual creditors stands three points and more above the ECB's rate; a lawyer's never did.
_LARGEST_GAP = Decimal(2)
_TOLD = ("legal_percent", "ecb_percent", "source")


class RateForm(OperatorForm):
    """Two rates, where they were read, and the word of the person who read them."""

    is_confirmed = forms.BooleanField(
        label="Je confirme ces taux, lus à la source",
        required=False,
        help_text="Tant qu’ils ne sont pas confirmés, aucun montant qui en dépend n’est calculé ni écrit.",
    )

    class Meta:
        help_texts = {
            "legal_percent": "Taux de l’intérêt légal, colonne « tous les autres cas » de l’arrêté : un avocat n’est"
            " jamais dans celle des créanciers particuliers.",
            "ecb_percent": "Taux de l’opération principale de refinancement de la BCE, en vigueur au premier jour du"
            " semestre.",
            "source": "Arrêté et Journal officiel, avis de la BCE : ce qu’un lecteur retrouvera.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rate: Any = self.instance
        self.fields["is_confirmed"].initial = rate.confirmed_at is not None

    def clean(self) -> dict[str, Any]:
        """Refuse a rate nobody could have published, and the column of individual creditors."""
        values = super().clean()
        legal, ecb = values.get("legal_percent"), values.get("ecb_percent")
        for name, value in (("legal_percent", legal), ("ecb_percent", ecb)):
            if value is not None and not 0 <= value <= HIGHEST:
                self.add_error(name, "Un taux est compris entre 0 et 20 % l’an : vérifiez la source.")
        if legal is not None and ecb is not None and legal - ecb > _LARGEST_GAP:
            self.add_error(
                "legal_percent",
                "Ce taux semble celui des créanciers particuliers : prenez la colonne « tous les autres cas ».",
            )
        return values


@admin.register(InterestRate, site=site)
class InterestRateAdmin(Kept, OperatorAdmin):
    """One row a half-year; a rate that was used is corrected, never removed."""

    form = RateForm
    also_written = ("confirmed_at", "confirmed_by")
    list_display = ("year", "half", "legal_percent", "ecb_percent", "confirmed_at", "confirmed_by", "source")
    list_select_related = ("confirmed_by",)
    ordering = ("-year", "-half")
    fields = ("year", "half", "legal_percent", "ecb_percent", "source", "is_confirmed", "confirmed_at", "confirmed_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A half-year keeps its name; who confirmed it and when is written by the product."""
        return ("confirmed_at", "confirmed_by", *(("year", "half") if obj else ()))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the half-year that is missing."""
        missing = halves_to_confirm(on=paris_day(), using=OPERATOR)
        return {"year": missing[0].year, "half": missing[0].half} if missing else {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for what is missing above the list."""
        missing = halves_to_confirm(on=paris_day(), using=OPERATOR)
        return super().changelist_view(request, {**(extra_context or {}), "missing_rates": missing})

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Write who confirmed, and when; a rate corrected without being confirmed again is no longer used."""
        rate: Any = obj
        if not form.cleaned_data["is_confirmed"]:
            rate.confirmed_at = rate.confirmed_by = None
        elif rate.confirmed_at is None or set(form.changed_data) & set(_TOLD):
            rate.confirmed_at, rate.confirmed_by_id = timezone.now(), request.user.pk
        super().save_model(request, obj, form, change)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write a correction with the rates before and after: they are public, and amounts hang on them."""
        before: list[str] = getattr(request, "rates_before", [])
        return self._act(request, "corrected", obj, before=before, after=_told(obj))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Keep what the row said before it is changed."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            request.rates_before = _told(found)  # type: ignore[attr-defined]
        return found


def _told(rate: InterestRate) -> list[str]:
    return [f"{rate.legal_percent:.2f}", f"{rate.ecb_percent:.2f}", rate.source, str(rate.confirmed_at or "")]
