"""A ladder typed on a page: one small form a step, and the acts that add, move and remove steps."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from cabinets.enums import ClientKind
from cabinets.models import Membership
from dunning.enums import Channel, Tone
from dunning.models import Scenario
from dunning.rungs import MOST_RUNGS, READY, Fault, Rung, faults_of, in_order
from templates_lib.authoring import places
from templates_lib.enums import Kind

NUMBER = "Écrivez un nombre de jours, par exemple 10."
FOLLOWING = [(channel.value, channel.label) for channel in Channel if channel != Channel.PHONE]


def _days(label: str, **options: Any) -> forms.IntegerField:
    errors = {"required": NUMBER, "invalid": NUMBER}
    return forms.IntegerField(label=label, error_messages=errors, min_value=-999, max_value=999, **options)


def _name() -> forms.CharField:
    return forms.CharField(
        label="Nom du scénario", max_length=80, error_messages={"required": "Donnez un nom au scénario."}
    )


class RungForm(forms.Form):
    """One step."""

    offset_days = _days("Jour")
    tone = forms.ChoiceField(label="Ton", choices=Tone.choices)
    channel = forms.ChoiceField(label="Canal", choices=Channel.choices)
    companions = forms.MultipleChoiceField(
        label="Puis, le même jour", choices=FOLLOWING, required=False, widget=forms.CheckboxSelectMultiple
    )
    answer_days = _days("Réponse sous (jours)")
    answer_days_others = _days("Non-professionnels (jours)", required=False)
    needs_approval = forms.BooleanField(label="Demande toujours un accord", required=False)
    signed_by = forms.ChoiceField(label="Signataire", required=False)

    def __init__(self, *args: Any, signers: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(member.pk), str(member.user)) for member in signers]
        self.fields["signed_by"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", "Celui du dossier"), *people
        ]  # fmt: skip

    def rung(self, *, rated: frozenset[Tone]) -> Rung:
        """Return the step as it was typed; a tone whose text needs the rate of the half-year still does."""
        values = self.cleaned_data
        tone = Tone(values["tone"])
        return Rung(
            offset_days=values["offset_days"],
            tone=tone,
            channel=Channel(values["channel"]),
            answer_days=values["answer_days"],
            companions=tuple(Channel(one) for one in values["companions"]),
            answer_days_others=values["answer_days_others"],
            needs_approval=values["needs_approval"],
            signed_by_id=UUID(values["signed_by"]) if values["signed_by"] else None,
            needs_rate=tone in rated,
        )

    @property
    def day(self) -> str:
        """Return the day of the step as its title says it."""
        value = self["offset_days"].value()
        return f"J{int(value):+d}" if _is_int(value) else "Jour à préciser"

    @property
    def text_url(self) -> str:
        """Return the page of the step's text, or nothing where none is written: a call, a value that is unknown."""
        asked = str(self["channel"].value())
        channel = Channel.LETTER.value if asked == Channel.REGISTERED.value else asked
        key = f"{self['tone'].value()}-{Kind.PROFESSIONAL}-{channel}-fr"
        return f"/modeles/{key}/" if key in {place.key for place in places()} else ""


class GapForm(forms.Form):
    """What is said of the whole ladder."""

    min_gap_days = _days("Écart minimal entre deux étapes (jours)")
    note = forms.CharField(label="Ce qui change", max_length=200, required=False)


class LadderForm:
    """The steps of a ladder on a page, as they are published or as they are being typed."""

    def __init__(self, *, signers: Sequence[Membership], rated: frozenset[Tone] = frozenset()) -> None:
        self.signers, self.rated = signers, rated
        self.steps: list[RungForm] = []
        self.gap = GapForm()
        self.faults: tuple[Fault, ...] = ()

    def show(self, rungs: Sequence[Rung], *, min_gap_days: int) -> None:
        """Show a published ladder."""
        self.steps = [self._step(number, initial=_initial(rung)) for number, rung in enumerate(rungs)]
        self.gap = GapForm(initial={"min_gap_days": min_gap_days})

    def change(self, data: QueryDict, act: str) -> None:
        """Show what was typed after one act: a step added, removed, or put before or after its neighbour."""
        typed = self._typed(data)
        verb, _, number = act.partition("-")
        place = int(number) if number.isdecimal() else -1
        if verb == "ajouter" and len(typed) < MOST_RUNGS:
            typed.append(_initial(_next(typed)))
        elif verb == "retirer" and 0 <= place < len(typed) and len(typed) > 1:
            typed.pop(place)
        elif verb in {"avant", "apres"}:
            _swap(typed, place, place - 1 if verb == "avant" else place + 1)
        typed.sort(key=lambda one: int(one["offset_days"]) if _is_int(one["offset_days"]) else 999)
        self.steps = [self._step(place, initial=one) for place, one in enumerate(typed)]
        self.gap = GapForm(initial={"min_gap_days": data.get("min_gap_days", "7"), "note": data.get("note", "")})

    def read(self, data: QueryDict) -> tuple[Rung, ...] | None:
        """Return the ladder that was typed, or None with its faults beside its steps."""
        self.gap = GapForm(data)
        self.steps = [self._step(place, data) for place in range(len(self._typed(data)))]
        if not all([self.gap.is_valid(), *(step.is_valid() for step in self.steps)]):
            return None
        self.steps.sort(key=lambda step: step.cleaned_data["offset_days"])
        rungs = in_order([step.rung(rated=self.rated) for step in self.steps])
        self.faults = faults_of(rungs, min_gap_days=self.min_gap_days)
        for fault in self.faults:
            form = self.gap if fault.place is None else self.steps[fault.place]
            form.add_error(None, fault.sentence)
        return None if self.faults else rungs

    @property
    def min_gap_days(self) -> int:
        """Return the least gap that was typed, once read."""
        return int(self.gap.cleaned_data["min_gap_days"])

    @property
    def note(self) -> str:
        """Return what the person says of the change."""
        return str(self.gap.cleaned_data["note"])

    @property
    def errors(self) -> list[str]:
        """Return every refusal as one sentence, in the order of the steps."""
        found = [str(error) for errors in self.gap.errors.values() for error in errors]
        for step in self.steps:
            found += [f"{step.day} : {error}" for errors in step.errors.values() for error in errors]
        return found

    def _step(self, place: int, data: QueryDict | None = None, initial: Mapping[str, Any] | None = None) -> RungForm:
        return RungForm(data, prefix=f"e{place}", initial=initial, signers=self.signers)

    def _typed(self, data: QueryDict) -> list[dict[str, Any]]:
        count = data.get("etapes", "")
        number = min(int(count), MOST_RUNGS) if count.isdecimal() else 0
        return [_raw(data, f"e{place}-") for place in range(number)]


class NewScenarioForm(forms.Form):
    """A name and a ladder to start from."""

    name = _name()
    ready = forms.ChoiceField(
        label="Partir de",
        choices=[(ready.slug, f"{ready.name} ({ready.text.rstrip('.')})") for ready in READY],
        widget=forms.RadioSelect,
        initial=READY[0].slug,
        error_messages={"required": "Choisissez un scénario de départ."},
    )

    def rungs(self) -> tuple[Rung, ...]:
        """Return the steps to start from."""
        return next(ready.rungs for ready in READY if ready.slug == self.cleaned_data["ready"])


class AssignForm(forms.Form):
    """Whom a scenario serves."""

    name = _name()
    client_kind = forms.ChoiceField(
        label="Qualité de client", required=False, choices=[("", "Aucune en particulier"), *ClientKind.choices]
    )
    practice_area = forms.CharField(
        label="Domaine", required=False, max_length=60, help_text="Comme il est écrit dans les dossiers."
    )


class ChoiceForm(forms.Form):
    """The scenario of one dossier."""

    scenario = forms.ChoiceField(label="Scénario des prochaines factures", required=False)

    def __init__(self, *args: Any, scenarios: Sequence[Scenario], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scenario"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", "Celui que le cabinet lui donne"), *((str(one.pk), one.name) for one in scenarios)
        ]  # fmt: skip


def _initial(rung: Rung) -> dict[str, Any]:
    return {
        "offset_days": rung.offset_days,
        "tone": rung.tone.value,
        "channel": rung.channel.value,
        "companions": [channel.value for channel in rung.companions],
        "answer_days": rung.answer_days,
        "answer_days_others": rung.answer_days_others,
        # Whatever was ticked, a lawyer approves a formal notice.
        "needs_approval": rung.needs_approval or rung.tone == Tone.FORMAL,
        "signed_by": str(rung.signed_by_id or ""),
    }


def _raw(data: QueryDict, prefix: str) -> dict[str, Any]:
    one = {name: data.get(prefix + name, "") for name in RungForm.base_fields}
    return {**one, "companions": data.getlist(f"{prefix}companions"), "needs_approval": bool(one["needs_approval"])}


def _next(typed: Sequence[Mapping[str, Any]]) -> Rung:
    """Return a step to add: a week after the last one that is no formal notice, in its tone."""
    known = set(Tone.values) - {Tone.FORMAL.value}
    before = [one for one in typed if one["tone"] in known and _is_int(one["offset_days"])]
    if not before:
        return Rung(offset_days=3, tone=Tone.COURTEOUS)
    last = max(before, key=lambda one: int(one["offset_days"]))
    tone = Tone.COURTEOUS if last["tone"] == Tone.NOTICE else Tone(last["tone"])
    return Rung(offset_days=max(int(last["offset_days"]) + 7, 3), tone=tone)


def _swap(typed: list[dict[str, Any]], one: int, other: int) -> None:
    """Exchange the days of two neighbours: each speaks on the other's day."""
    if min(one, other) < 0 or max(one, other) >= len(typed):
        return
    typed[one]["offset_days"], typed[other]["offset_days"] = typed[other]["offset_days"], typed[one]["offset_days"]


def _is_int(value: object) -> bool:
    return str(value).lstrip("-").isdecimal()
