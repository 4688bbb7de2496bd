"""Journal: who did or saw what, when, from where; read by page, filtered by the address, exported as CSV."""

import datetime as dt
import io
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cabinets import journal as writing
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.journal_labels import label_of
from cabinets.models import JournalEntry
from cabinets.permissions import ensure, requires
from cabinets.services import support
from cabinets.services.devices import device_name
from cabinets.sheets import SheetWriter

PAGE = 50
LARGEST_EXPORT = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown."""

    entry: JournalEntry
    label: str
    person: str
    device: str

    @property
    def place(self) -> str:
        """Return where it comes from: the address of whoever opens a link is not kept."""
        return self.entry.address or ("Un lien envoyé par le cabinet" if self.entry.request_id else "Le serveur")


class JournalFilter(forms.Form):
    """What the address asks for."""

    personne = forms.ChoiceField(label="Personne", required=False)
    evenement = forms.ChoiceField(label="Événement", required=False)
    du = forms.DateField(label="Du", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    au = forms.DateField(label="Au", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, people: dict[UUID, str], events: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = cast("forms.ChoiceField", self.fields["personne"])
        event = cast("forms.ChoiceField", self.fields["evenement"])
        named = sorted(people.items(), key=lambda item: item[1].lower())
        person.choices = [("", "Tout le monde"), ("produit", "Le produit"), *[(str(pk), name) for pk, name in named]]
        event.choices = [("", "Tous"), *sorted(((code, label_of(code)) for code in events), key=lambda item: item[1])]

    def lines(self, *, zone: dt.tzinfo) -> QuerySet[JournalEntry]:
        """Return the lines asked for, the latest first; a value nobody offered is no filter."""
        self.is_valid()
        asked = self.cleaned_data
        rows = JournalEntry.objects.order_by("-at", "-id")
        if asked.get("personne"):
            who = None if asked["personne"] == "produit" else asked["personne"]
            rows = rows.filter(member_id=who)
        if asked.get("evenement"):
            rows = rows.filter(event=asked["evenement"])
        if asked.get("du"):
            rows = rows.filter(at__gte=dt.datetime.combine(asked["du"], dt.time(), tzinfo=zone))
        if asked.get("au"):
            rows = rows.filter(at__lt=dt.datetime.combine(asked["au"] + dt.timedelta(days=1), dt.time(), tzinfo=zone))
        return rows


def _form(request: CabinetRequest) -> tuple[JournalFilter, dict[UUID, str]]:
    people = support.people()
    events = list(JournalEntry.objects.order_by("event").values_list("event", flat=True).distinct())
    return JournalFilter(request.GET, people=people, events=events), people


def _cursor(text: str) -> tuple[dt.datetime, int] | None:
    instant, _, number = text.rpartition("_")
    try:
        return dt.datetime.fromisoformat(instant), int(number)
    except ValueError:
        return None


def _key(entry: JournalEntry) -> str:
    return f"{entry.at.astimezone(dt.UTC).replace(tzinfo=None).isoformat()}_{entry.pk}"


def _slice(rows: QuerySet[JournalEntry], request: CabinetRequest) -> tuple[list[JournalEntry], str, str]:
    """Return one page by its key, and the keys of the pages around it."""
    after, before = (_cursor(request.GET.get(name, "")) for name in ("apres", "avant"))
    if before is not None:
        at, pk = before[0].replace(tzinfo=dt.UTC), before[1]
        newer = rows.filter(Q(at__gt=at) | Q(at=at, pk__gt=pk)).order_by("at", "pk")[: PAGE + 1]
        found = list(newer)
        shown = found[:PAGE][::-1]
        return shown, (_key(shown[0]) if len(found) > PAGE else ""), (_key(shown[-1]) if shown else "")
    if after is not None:
        at, pk = after[0].replace(tzinfo=dt.UTC), after[1]
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return shown, (_key(shown[0]) if after and shown else ""), (_key(shown[-1]) if len(found) > PAGE else "")


def _shown(entries: list[JournalEntry], people: dict[UUID, str]) -> list[Line]:
    return [
        Line(
            entry,
            label_of(entry.event),
            people.get(entry.member_id, "Ancien membre") if entry.member_id else "Le produit",
            device_name(entry.agent) if entry.agent else "",
        )
        for entry in entries
    ]


@require_GET
@requires(Right.SEE_JOURNAL)
def journal(request: CabinetRequest) -> HttpResponse:
    """Show one page of the journal."""
    form, people = _form(request)
    entries, before, after = _slice(form.lines(zone=request.cabinet.zone), request)
    lines = _shown(entries, people)
    writing.listed(JournalEntry, "journal", count=len(lines))
    context = {"form": form, "lines": lines, "before": before, "after": after, "zone": request.cabinet.zone}
    context["is_filtered"] = any(request.GET.get(name) for name in form.fields)
    return render(request, "cabinets/journal.html", context)


@require_GET
@requires(Right.SEE_JOURNAL)
def journal_csv(request: CabinetRequest) -> HttpResponse:
    """Give the lines asked for as a file that a spreadsheet opens without running anything."""
    ensure(request.member, Right.EXPORT)
    form, people = _form(request)
    lines = _shown(list(form.lines(zone=request.cabinet.zone)[:LARGEST_EXPORT]), people)
    writing.record("journal.exported", None, count=len(lines))
    text = io.StringIO()
    rows = SheetWriter(text)
    rows.write(["Date", "Heure", "Personne", "Événement", "Objet", "Identifiant", "Adresse", "Appareil", "Requête"])
    for line in lines:
        at = line.entry.at.astimezone(request.cabinet.zone)
        values = [f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}", line.person, line.label, line.entry.subject_type]
        values += [str(line.entry.subject_id or ""), line.entry.address or "", line.device, line.entry.request_id]
        rows.write(values)
    # The mark tells a spreadsheet that this is UTF-8.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="journal-{request.cabinet.today():%Y-%m-%d}.csv"'
    return response
