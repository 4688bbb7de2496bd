"""Who does a task, and by when."""

import datetime as dt
from typing import Any

from django import forms

from cabinets.models import Membership, Task
from dunning.forms.approvals import Day
from dunning.services import todo


class EntrustForm(forms.Form):
    """A person, and a day."""

    to = forms.ModelChoiceField(
        label="Confier à",
        queryset=Membership.all_cabinets.none(),
        required=False,
        empty_label="Personne en particulier",
        help_text="Seules les personnes qui voient ce client sont proposées.",
        error_messages={"invalid_choice": "Choisissez une personne de la liste."},
    )
    due_on = Day(label="À faire avant le")

    def __init__(self, *args: Any, task: Task, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"to": task.owner_id, "due_on": task.due_on}, **kwargs})
        self.today = today
        people = self.fields["to"]
        people.queryset = todo.who_may_do(task)  # type: ignore[attr-defined]
        people.label_from_instance = lambda member: member.user.get_full_name()  # type: ignore[attr-defined]
        self.fields["due_on"].widget.attrs["min"] = today.isoformat()

    def clean_due_on(self) -> dt.date:
        """Refuse a day that is over."""
        day: dt.date = self.cleaned_data["due_on"]
        if day < self.today:
            raise forms.ValidationError("Cette date est passée : choisissez un jour à venir.")
        return day
