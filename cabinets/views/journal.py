"""Journal: who did or saw what, when, from where; read by page, filtered by the address, exported as CSV."""

import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
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
from cabinets.sheets import BOM, SheetWriter

PAGE = 50
READ_TOGETHER = 2_000
COLUMNS = (
    "Date", "Heure", "Personne", "Événement", "Objet", "Identifiant", "Adresse", "Appareil", "Requête", "Faits",
)  # fmt: skip


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
        return self.entry.address or ("Un lien envoyé par le cabinet" if self.entry.is_from_link else "Le serveur")


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


def _shown(entries: Iterable[JournalEntry], people: dict[UUID, str]) -> Iterator[Line]:
    for entry in entries:
        yield Line(
            entry,
            label_of(entry.event),
            people.get(entry.member_id, "Ancien membre") if entry.member_id else "Le produit",
            device_name(entry.agent) if entry.agent else "",
        )


@require_GET
@requires(Right.SEE_JOURNAL)
def journal(request: CabinetRequest) -> HttpResponse:
    """Show one page of the journal."""
    form, people = _form(request)
    entries, before, after = _slice(form.lines(zone=request.cabinet.zone), request)
    lines = list(_shown(entries, people))
    writing.listed(JournalEntry, "journal", count=len(lines))
    context = {"form": form, "lines": lines, "before": before, "after": after, "zone": request.cabinet.zone}
    context["is_filtered"] = any(request.GET.get(name) for name in form.fields)
    return render(request, "cabinets/journal.html", context)


@require_GET
@requires(Right.SEE_JOURNAL)
def journal_csv(request: CabinetRequest) -> HttpResponseBase:
    """Give every line asked for, however many, as a file that a spreadsheet opens without running anything."""
    ensure(request.member, Right.EXPORT)
    form, people = _form(request)
    zone = request.cabinet.zone
    content = io.BytesIO()  # in memory: what a person reads is left on no disk
    lines = _shown(form.lines(zone=zone).iterator(READ_TOGETHER), people)
    writing.record("journal.exported", None, count=_write(lines, content, zone=zone))
    name = f"journal-{request.cabinet.today():%Y-%m-%d}.csv"
    return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def _write(lines: Iterable[Line], out: IO[bytes], *, zone: dt.tzinfo) -> int:
    """Write lines as a sheet, from its beginning, and return how many."""
    text, count = io.TextIOWrapper(out, encoding="utf-8", newline=""), 0
    # The mark tells a spreadsheet that this is UTF-8.
    text.write(BOM)
    rows = SheetWriter(text)
    rows.write(COLUMNS)
    for count, line in enumerate(lines, start=1):  # noqa: B007 - counted, then told
        rows.write(_cells(line, zone))
    text.flush()
    text.detach()
    out.seek(0)
    return count


def _cells(line: Line, zone: dt.tzinfo) -> Sequence[str]:
    entry = line.entry
    at = entry.at.astimezone(zone)
    facts = json.dumps(entry.facts, ensure_ascii=False, sort_keys=True) if entry.facts else ""
    told = [f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}", line.person, line.label, entry.subject_type]
    return [*told, str(entry.subject_id or ""), entry.address or "", line.device, entry.request_id, facts]
