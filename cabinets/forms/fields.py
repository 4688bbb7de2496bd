"""Fields shared by every form: days as people type them, refusals beside the field they are about."""

import datetime as dt
from typing import Any

from django import forms

DAY_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"]


class DayField(forms.DateField):
    """A day, picked in the browser's calendar or typed 24/11/2026."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        options.setdefault("input_formats", DAY_FORMATS)
        options.setdefault("error_messages", {"invalid": "Indiquez une date au format 24/11/2026."})
        super().__init__(**options)


def add_refusal(form: forms.Form, refusal: Exception) -> None:
    """Show a service's refusal on its form: beside the field it names, or above all of them."""
    field = getattr(refusal, "field", "")
    form.add_error(field if field in form.fields else None, str(refusal))


def given_day(form: forms.Form, name: str) -> dt.date | None:
    """Return a day of a valid form, or None when it was left empty."""
    day: dt.date | None = form.cleaned_data.get(name)
    return day
