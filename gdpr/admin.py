"""What the operators owe the firms: who they work with, what they answer, what happened, and their own register."""

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join

from cabinets.admin import OPERATOR, Kept, OperatorAdmin, OperatorForm, ReadOnly, site
from cabinets.models import Cabinet
from cabinets.services.transfers import EEA
from gdpr.breaches import FIRMS, firms_clock
from gdpr.enums import Verdict
from gdpr.errors import GdprError
from gdpr.models import (
    Closing,
    IncidentNotice,
    IncidentStatement,
    InstallationIncident,
    ProcessorNotice,
    ProcessorVersion,
    SubProcessor,
)
from gdpr.services import incident_news, processor_news, processor_register
from gdpr.terms import NOTICE_DAYS
from invoices.services.rates import paris_day

UTC_HOURS = "Heure en temps universel (UTC)."


class SubProcessorForm(OperatorForm):
    """A company, what it does, and from when; what it does anew is announced as its arrival was."""

    applies_on = forms.DateField(
        label="Le changement vaut à partir du",
        required=False,
        help_text=f"Pour un changement de nom, de rôle, de pays, de données ou de garantie : {NOTICE_DAYS} jours au"
        " moins après aujourd’hui. D’ici là, les cabinets lisent ce qui vaut encore.",
    )

    class Meta:
        help_texts = {
            "country": "Code ISO à deux lettres.",
            "guarantee": "Hors de l’Espace économique européen : décision d’adéquation, clauses types et leur date.",
            "since_on": f"Pour un nouveau sous-traitant : {NOTICE_DAYS} jours au moins après aujourd’hui, dès qu’un"
            " cabinet est là. Chaque cabinet est prévenu et peut s’opposer.",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse what firms would not be told of thirty days ahead, and a transfer that nothing allows."""
        values = super().clean()
        country = str(values.get("country", "")).upper()
        values["country"] = country
        if country and country not in EEA and not values.get("guarantee", "").strip():
            self.add_error("guarantee", "Hors de l’Espace économique européen, dites ce qui permet le transfert.")
        if self.instance.pk is None:
            self._check_day("since_on", values.get("since_on"))
        elif {"name", "country", "role", "data", "guarantee"} & set(self.changed_data):
            self._check_day("applies_on", values.get("applies_on"))
        return values

    def _check_day(self, name: str, day: dt.date | None) -> None:
        if day is None:
            if name not in self.errors:
                self.add_error(name, "Dites à partir de quand : les cabinets en sont prévenus.")
            return
        earliest = paris_day() + dt.timedelta(days=NOTICE_DAYS)
        if day < earliest and processor_news.has_firms():
            self.add_error(name, f"Les cabinets ont trente jours pour s’opposer : pas avant le {earliest:%d/%m/%Y}.")


@admin.register(SubProcessor, site=site)
class SubProcessorAdmin(Kept, OperatorAdmin):
    """One row a company; one that left keeps its row with the day. What it says anew goes to every firm."""

    form = SubProcessorForm
    change_list_template = "admin/gdpr/subprocessor/change_list.html"
    list_display = ("name", "role", "country", "since_on", "until_on", "announced")
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask when a change begins of a company that is there already."""
        known = ["name", "country", "role", "data", "guarantee", "since_on", "until_on"]
        return [*known, "applies_on", "announced"] if obj else known

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave the first day as it was announced."""
        return ["since_on", "announced"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Keep the row, and its next version for the firms."""
        super().save_model(request, obj, form, change)
        day = form.cleaned_data.get("applies_on") if change else obj.since_on
        if day is not None and processor_news.publish(processor=obj, applies_on=day) is not None:
            self.message_user(request, "Les cabinets en sont prévenus dans la minute.", messages.SUCCESS)

    @admin.display(description="annonces")
    def announced(self, obj: SubProcessor) -> str:
        """Say how far each version is: told to how many firms, held back, given up."""
        versions = ProcessorVersion.objects.using(OPERATOR).filter(processor=obj).order_by("number")
        notices = ProcessorNotice.all_cabinets.using(OPERATOR)
        told = []
        for one in versions:
            if one.published_at is None:
                told.append((one.number, "déclarée avant les annonces"))
                continue
            state = f"annoncée à {notices.filter(version_ref=one.pk).count()} cabinet(s)"
            state += f", à partir du {one.applies_on:%d/%m/%Y}"
            state += ", suspendue par une opposition" if one.held_at else ", abandonnée" if one.given_up_at else ""
            told.append((one.number, state))
        return format_html_join(" ; ", "version {} : {}", told) or "–"

    def get_urls(self) -> list[URLPattern]:
        """Add the operator's own register (art. 30-2)."""
        mine = [
            path("registre/", self.admin_site.admin_view(self.register), name="gdpr_processor_register"),
            path("registre.pdf", self.admin_site.admin_view(self.register_pdf), name="gdpr_processor_register_pdf"),
        ]
        return [*mine, *super().get_urls()]

    def register(self, request: HttpRequest) -> HttpResponse:
        """Show what is done for which firm."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Registre du sous-traitant",
            "register": processor_register.whole(on=paris_day()),
        }
        return TemplateResponse(request, "admin/gdpr/subprocessor/register.html", context)

    def register_pdf(self, request: HttpRequest) -> HttpResponse:
        """Give the same as a PDF."""
        made = processor_register.document(processor_register.whole(on=paris_day()), on=paris_day())
        response = HttpResponse(made, content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="registre-sous-traitant-{paris_day():%Y-%m-%d}.pdf"'
        return response


class AnswerForm(OperatorForm):
    """What is answered to a firm that objects."""

    def clean(self) -> dict[str, Any]:
        """Ask for both, at once: an answer without its reason is none."""
        values = super().clean()
        for name, words in (("verdict", "Choisissez la suite."), ("answer", "Écrivez la réponse : le cabinet la lit.")):
            if not str(values.get(name) or "").strip():
                self.add_error(name, words)
        return values


@admin.register(ProcessorNotice, site=site)
class ObjectionAdmin(Kept, OperatorAdmin):
    """Firms that object to a sub-processor: it does not begin until each has its answer."""

    form = AnswerForm
    list_display = ("firm", "name", "applies_on", "objected_at", "verdict", "answered_at")
    ordering = ("-objected_at",)
    fields = ("firm", "name", "applies_on", "told_at", "objected_at", "objection", "verdict", "answer", "answered_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the columns the operators may, of the firms that object."""
        name = Cabinet.objects.using(OPERATOR).filter(pk=OuterRef("cabinet_id")).values("name")[:1]
        readable = ProcessorNotice.wall.operator.select if ProcessorNotice.wall.operator else ()
        # What a firm brought from another installation is its own history.
        ours = ProcessorVersion.objects.using(OPERATOR).values("pk")
        rows = super().get_queryset(request).filter(objected_at__isnull=False, version_ref__in=ours)
        shown: QuerySet[Any] = rows.select_related(None).only(*readable).annotate(firm_name=Subquery(name))
        return shown

    @admin.display(description="cabinet")
    def firm(self, obj: Any) -> str:
        """Name the firm."""
        return str(obj.firm_name)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave what was said; an answer given is not rewritten."""
        open_fields = set() if obj is None or obj.answered_at else {"verdict", "answer"}
        return [name for name in self.fields if name not in open_fields]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Firms alone object."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Answer, and let the company begin, later, once nobody waits any more."""
        try:
            processor_news.answer(notice_id=obj.pk, verdict=Verdict(obj.verdict), text=obj.answer)
        except GdprError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, "Le cabinet en est prévenu dans la minute.", messages.SUCCESS)


class IncidentForm(OperatorForm):
    """What is known of an incident, whom it concerns, and whether they are told now."""

    firm_ids = forms.MultipleChoiceField(
        label="Cabinets concernés", required=False, help_text="Inutile quand tous le sont."
    )
    is_published = forms.BooleanField(
        label="Annoncer maintenant aux cabinets concernés",
        required=False,
        help_text="Chacun reçoit un e-mail, un bandeau, et une violation ouverte à son registre. Une annonce ne se"
        " reprend pas : la suivante la complète.",
    )

    class Meta:
        help_texts = {
            "known_at": f"Le délai de {FIRMS.total_seconds() / 3600:.0f} heures pour prévenir les cabinets court de cet"
            f" instant. {UTC_HOURS}",
            "what": "Les cabinets le lisent tel quel. Ne nommez aucun client.",
            "whose": "Catégories et nombre approximatif de personnes et d’enregistrements (RGPD, art. 33-3).",
            "contact": "Nom, e-mail ou téléphone de qui répond aux cabinets.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known: Any = self.fields["firm_ids"]
        firms = Cabinet.objects.using(OPERATOR).order_by("name").values_list("pk", "name")
        known.choices = [(str(pk), name) for pk, name in firms]

    def clean_known_at(self) -> dt.datetime:
        """Refuse an instant to come."""
        at: dt.datetime = self.cleaned_data["known_at"]
        if at > timezone.now():
            raise forms.ValidationError("Cet instant n’est pas encore venu.")
        return at

    def clean_firm_ids(self) -> list[UUID]:
        """Read the firms chosen."""
        return sorted(UUID(one) for one in self.cleaned_data["firm_ids"])

    def clean(self) -> dict[str, Any]:
        """Refuse to tell nobody."""
        values = super().clean()
        if values.get("is_published") and not values.get("is_everyone") and not values.get("firm_ids"):
            self.add_error("firm_ids", "Choisissez les cabinets concernés, ou cochez tous les cabinets.")
        return values


@admin.register(InstallationIncident, site=site)
class IncidentAdmin(Kept, OperatorAdmin):
    """Breaches of the installation, with the 24 hours the firms are promised, and which of them know."""

    form = IncidentForm
    list_display = ("__str__", "known_at", "clock", "firms_told")
    ordering = ("-known_at",)
    said = ("known_at", "what", "whose", "consequences", "measures", "contact", "is_everyone", "firm_ids")
    fields = (*said, "is_published", "clock", "told")
    readonly_fields = ("clock", "told")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Keep what is known, and tell the firms when asked."""
        super().save_model(request, obj, form, change)
        if not form.cleaned_data.get("is_published"):
            return
        try:
            incident_news.publish(incident=obj)
        except GdprError as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
        else:
            self.message_user(request, "Les cabinets concernés sont prévenus dans la minute.", messages.SUCCESS)

    @admin.display(description="24 heures")
    def clock(self, obj: InstallationIncident) -> str:
        """Say how much is left to tell the firms, or how long it took."""
        # On the page that adds one, nothing is known yet.
        if obj._state.adding:
            return "–"
        said = IncidentStatement.objects.using(OPERATOR).filter(incident=obj).order_by("number")
        return firms_clock(
            obj.known_at, told_at=said.values_list("published_at", flat=True).first(), now=timezone.now()
        )

    @admin.display(description="cabinets prévenus")
    def firms_told(self, obj: InstallationIncident) -> int:
        """Count the firms that know."""
        rows = IncidentNotice.all_cabinets.using(OPERATOR).filter(incident_ref=obj.pk)
        return rows.values("cabinet_id").distinct().count()

    @admin.display(description="qui a été prévenu, et quand")
    def told(self, obj: InstallationIncident) -> str:
        """List each firm told: when, when its mails left, when somebody there opened it."""
        rows = IncidentNotice.all_cabinets.using(OPERATOR).filter(incident_ref=obj.pk)
        found = list(
            rows.order_by("number", "told_at").values_list("cabinet_id", "number", "told_at", "mailed_at", "opened_at")
        )
        names = dict(Cabinet.objects.using(OPERATOR).filter(pk__in={one[0] for one in found}).values_list("pk", "name"))
        lines = [
            (number, names.get(firm, "–"), _instant(told), _instant(mailed) or "pas encore", _instant(opened) or "non")
            for firm, number, told, mailed, opened in found
        ]
        return format_html_join("", "<p>Annonce {} – {} : {} ; e-mails {} ; ouverte {}</p>", lines) or "Personne"


def _instant(at: dt.datetime | None) -> str:
    return "" if at is None else f"{at:%d/%m/%Y %H:%M} UTC"


@admin.register(Closing, site=site)
class ClosingAdmin(ReadOnly, OperatorAdmin):
    """Accounts that end: when, and what was erased; the firm alone asks and takes back."""

    list_display = ("cabinet", "asked_at", "due_on", "withdrawn_at", "erased_at")
    list_select_related = ("cabinet",)
    ordering = ("-asked_at",)
    fields = ("cabinet", "asked_at", "due_on", "withdrawn_at", "erased_at", "counts")
