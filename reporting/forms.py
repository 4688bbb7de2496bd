"""What a report is asked, read from its address."""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django import forms

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Dossier, Membership
from reporting.figures import Cut
from reporting.reports import Ask

PERIODS = [("1", "30 jours"), ("3", "90 jours"), ("6", "180 jours"), ("12", "360 jours")]
PERIOD = "3"


class AskForm(forms.Form):
    """The day, the period and the cut; what is left empty asks for everything, today."""

    jour = forms.DateField(
        label="Au",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={"invalid": "Indiquez une date au format 24/11/2026."},
    )
    periode = forms.ChoiceField(label="Période", required=False, choices=PERIODS)
    avocat = forms.ChoiceField(label="Avocat", required=False)
    qualite = forms.ChoiceField(label="Clients", required=False, choices=[("", "Tous"), *ClientKind.choices])
    domaine = forms.ChoiceField(label="Domaine", required=False)

    def __init__(self, data: Mapping[str, str], *, cabinet: Cabinet, sees_all: bool) -> None:
        # What is shown is what is asked: a form sent again asks the same.
        given = {name: value for name, value in data.items() if value}
        super().__init__({"jour": cabinet.today().isoformat(), "periode": PERIOD} | given)
        self.cabinet, self.sees_all = cabinet, sees_all
        people = Membership.objects.filter(pk__in=Dossier.objects.exclude(lawyer=None).values("lawyer"))
        named = [(str(row.pk), row.user.get_full_name()) for row in people.select_related("user")]
        areas = Dossier.objects.exclude(practice_area="").order_by("practice_area")
        self.fields["avocat"].choices = [("", "Tous"), *sorted(named, key=lambda pair: pair[1].casefold())]  # type: ignore[attr-defined]  # a choice field's
        self.fields["domaine"].choices = [  # type: ignore[attr-defined]  # a choice field's
            ("", "Tous"),
            *((area, area) for area in areas.values_list("practice_area", flat=True).distinct()),
        ]

    def clean_jour(self) -> dt.date | None:
        """Refuse a day to come: nothing can be told of it."""
        day: dt.date | None = self.cleaned_data["jour"]
        if day is not None and day > self.cabinet.today():
            raise forms.ValidationError("Ce jour n’est pas encore passé : choisissez aujourd’hui ou un jour passé.")
        return day

    def ask(self) -> Ask:
        """Return what the report is asked; a wrong address asks for everything, today, and says so in its errors."""
        values = self.cleaned_data if self.is_valid() else {}
        lawyer = values.get("avocat")
        return Ask(
            cabinet=self.cabinet,
            on=values.get("jour") or self.cabinet.today(),
            slices=int(values.get("periode") or PERIOD),
            cut=Cut(UUID(lawyer) if lawyer else None, values.get("qualite", ""), values.get("domaine", "")),
            sees_all=self.sees_all,
        )
