"""Which step a person asks for, and why it does not wait."""

from collections.abc import Sequence
from typing import Any

from django import forms

from dunning.enums import Channel
from dunning.forms.approvals import LONGEST_REASON
from dunning.models import Step
from dunning.presenting import step_words


class ByHandForm(forms.Form):
    """The next step, or one already done; a reason when it comes too soon."""

    rank = forms.TypedChoiceField(
        label="Quel message ?",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez un message."},
    )
    reason = forms.CharField(
        label="Pourquoi ce message n’attend pas",
        required=False,
        max_length=LONGEST_REASON,
        help_text="Demandé seulement si le client a été contacté récemment. Reste au cabinet.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, steps: Sequence[Step], next_rank: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rank"].choices = [(step.rank, _words(step, next_rank)) for step in steps]  # type: ignore[attr-defined]
        self.fields["rank"].initial = steps[0].rank if steps else None


def _words(step: Step, next_rank: int) -> str:
    place = "l’étape suivante" if step.rank == next_rank else "déjà faite, dite de nouveau"
    return f"{step_words(step).capitalize()}, par {Channel(step.channel).label.lower()} ({place})"
