"""The operators' desk: firms, people, sessions and the kill switch, through a role that sees no firm's files."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST

from cabinets import journal
from cabinets.http import address_of
from cabinets.models import (
    Cabinet,
    Membership,
    Offer,
    OpenSession,
    OperatorAct,
    Platform,
    Subscription,
    SupportRequest,
    User,
)
from cabinets.permissions import is_verified
from cabinets.scoping import working_for
from cabinets.services import looking, support
from cabinets.services.subscription import settle
from cabinets.support_rules import State
from cabinets.wall import unread_by_operators

OPERATOR = "operator"
SHORTEST_REASON = 20
BECAME = {
    State.WAITS: "Attend la réponse du cabinet",
    State.LAPSED: "Sans réponse",
    State.REFUSED: "Refusé",
    State.OPEN: "Ouvert",
    State.OVER: "Terminé",
}


class OperatorSite(admin.AdminSite):
    """Opens to operators who proved their second factor, at the same doors as everybody."""

    site_header = "Quittance – exploitation"
    site_title = "Exploitation"
    index_title = "Exploitation"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        """Ask for an operator, and for their second factor."""
        return super().has_permission(request) and is_verified(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send to the product's own door: one place counts tries and asks for the second factor."""
        return redirect_to_login(request.GET.get("next") or settings.OPERATOR_PATH, settings.LOGIN_URL)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Mark each page as guarded by the site itself."""
        guarded = super().admin_view(view, cacheable)
        guarded.required_right = OPERATOR
        return guarded


site = OperatorSite(name="admin")


def readable(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return the rows of a table through the operators' role, without the columns that are not theirs to read."""
    return model._base_manager.using(OPERATOR).defer(*unread_by_operators(model))


class OperatorForm(forms.ModelForm[models.Model]):
    """Checks a row against the operators' view of the table: the application's own view is walled to one firm."""

    def clean(self) -> dict[str, Any]:
        """Leave out Django's own look-ups, which read through the application's role."""
        return self.cleaned_data

    def _post_clean(self) -> None:
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        form: Any = self  # Django's own hooks are absent from the stubs
        try:
            self.instance.full_clean(
                form._get_validation_exclusions(), validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            form._update_errors(error)
        rows = type(self.instance)._base_manager.using(OPERATOR).exclude(pk=self.instance.pk)
        for names in self._unique_sets():
            values = {name: getattr(self.instance, name) for name in names}
            if not self.errors and rows.filter(**values).exists():
                self.add_error(None, "Une autre ligne a déjà ces valeurs. Rien n’a été enregistré.")
        for constraint in self.instance._meta.constraints:
            if isinstance(constraint, models.CheckConstraint) and not self.errors:
                try:
                    unread = set(unread_by_operators(type(self.instance)))
                    constraint.validate(type(self.instance), self.instance, exclude=unread, using=OPERATOR)
                except ValidationError as error:
                    self.add_error(None, error)

    def _unique_sets(self) -> list[Sequence[str]]:
        meta = self.instance._meta
        single: list[Sequence[str]] = [(field.name,) for field in meta.concrete_fields if field.unique]
        several = [c.fields for c in meta.constraints if isinstance(c, models.UniqueConstraint) and c.fields]
        # A link by its key: the row it leads to is not asked for whole.
        keys = {field.name: field.attname for field in meta.concrete_fields}
        return [[keys[name] for name in names] for names in (*single, *several)]


class OperatorAdmin(admin.ModelAdmin[Any]):
    """Reads and writes through the operators' role; each act is written down, append-only."""

    form = OperatorForm
    actions = None
    # Columns a page writes by itself beside those of its form.
    also_written: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Read through the operators' role, whatever the firm, what that role may read."""
        rows: models.QuerySet[Any] = readable(self.model)
        for link in (field for field in self.opts.concrete_fields if field.is_relation):
            target = link.related_model
            if isinstance(target, type) and (unread := unread_by_operators(target)):
                # Read at once: fetched later, the other row would be asked for whole.
                rows = rows.select_related(link.name).defer(*(f"{link.name}__{name}" for name in unread))
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Keep the row and the act that tells it together, or neither."""
        with transaction.atomic(using=OPERATOR):
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Write through the operators' role, and of a row that was there only what the form holds."""
        if not change:
            obj.save(using=OPERATOR, force_insert=True)
            return
        held = {field.name for field in obj._meta.concrete_fields} & set(form.fields)
        obj.save(using=OPERATOR, update_fields=[*held, *self.also_written])

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Delete through the operators' role."""
        obj.delete(using=OPERATOR)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the rows the operators' role sees."""
        kwargs["queryset"] = readable(db_field.related_model)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the act down."""
        return self._act(request, "created", obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the act down with the names of what changed, never the values."""
        changed = [name for part in message for name in part.get("changed", {}).get("fields", [])]
        return self._act(request, "changed", obj, fields=changed)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write each deletion down."""
        return [self._act(request, "deleted", row) for row in queryset]

    def _act(self, request: HttpRequest, act: str, obj: models.Model, **facts: list[str]) -> OperatorAct:
        return OperatorAct.objects.using(OPERATOR).create(
            operator_id=str(request.user.pk),
            event=f"{obj._meta.model_name}.{act}",
            subject=str(obj.pk)[:120],
            address=address_of(request),
            facts=facts,
        )


class ReadOnly:
    """Shows rows nobody changes by hand."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


class Kept:
    """Rows that are switched off, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(Cabinet, site=site)
class CabinetAdmin(Kept, OperatorAdmin):
    """Firms: opened, activated; their files stay shut. Their subscription alone silences them for it."""

    list_display = ("name", "slug", "bar", "activated_on", "subscription_suspended_at", "suspended_at", "is_demo")
    search_fields = ("name", "slug", "siren")
    ordering = ("name",)
    fields = ("name", "slug", "siren", "bar", "email", "phone", "activated_on", "subscription_suspended_at")
    readonly_fields = ("subscription_suspended_at",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """A firm opens itself, or by a command: it takes keys and a first partner."""
        return False


@admin.register(Offer, site=site)
class OfferAdmin(Kept, OperatorAdmin):
    """What is sold here; nothing public: the installation is free, and no firm lapses."""

    list_display = ("name", "monthly_cents", "invoices", "is_public", "rank")
    ordering = ("rank", "monthly_cents")
    fields = ("name", "promise", "monthly_cents", "invoices", "is_public", "rank")


@admin.register(Subscription, site=site)
class SubscriptionAdmin(Kept, OperatorAdmin):
    """What each firm agreed to; the operators extend a trial, and say what is unpaid."""

    list_display = ("cabinet", "offer", "trial_ends_on", "began_on", "ends_on", "unpaid_since")
    list_select_related = ("cabinet", "offer")
    ordering = ("cabinet",)
    fields = ("cabinet", "offer", "monthly_cents", "trial_ends_on", "began_on", "ends_on", "unpaid_since")
    readonly_fields = ("cabinet", "offer", "monthly_cents", "began_on", "ends_on")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """A firm's own partner agrees to an offer."""
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Keep the two columns that are the operators', then silence the firm or let it speak again."""
        row: Any = obj
        row.save(using=OPERATOR, update_fields=["trial_ends_on", "unpaid_since"])
        transaction.on_commit(partial(_settle, row.cabinet_id), using=OPERATOR)


def _settle(cabinet_id: UUID) -> None:
    with working_for(cabinet_id=cabinet_id):
        settle(cabinet=Cabinet.objects.get())


@admin.register(Membership, site=site)
class MembershipAdmin(Kept, OperatorAdmin):
    """Who belongs where."""

    list_display = ("user", "cabinet", "role", "sees_every_file", "is_active")
    list_filter = ("role", "is_active")
    list_select_related = ("user", "cabinet")
    ordering = ("cabinet", "joined_at")
    fields = ("user", "cabinet", "role", "sees_every_file", "is_active")
    readonly_fields = ("user", "cabinet")

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Keep the change, and write it in the firm's journal: its people are its own."""
        super().save_model(request, obj, form, change)
        told = partial(_tell_of_member, obj, fields=form.changed_data, role_before=form.initial.get("role", ""))
        transaction.on_commit(told, using=OPERATOR)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """People join by an invitation of their firm."""
        return False


def _tell_of_member(member: Any, *, fields: list[str], role_before: str) -> None:
    # Who was a partner, and since when, is read from these lines: a second partner is one for a week.
    roles = {"role_before": role_before, "role_after": member.role} if {"role", "is_active"} & {*fields} else {}
    with working_for(cabinet_id=member.cabinet_id):
        journal.record("person.changed_by_operator", member, fields=fields, **roles)


@admin.register(User, site=site)
class UserAdmin(Kept, OperatorAdmin):
    """People: their name and whether they may sign in; their address and their password are theirs alone."""

    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "last_name")
    ordering = ("email",)
    fields = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    readonly_fields = ("email", "last_login")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """People join by an invitation; operators by a command."""
        return False


@admin.register(OpenSession, site=site)
class SessionAdmin(ReadOnly, OperatorAdmin):
    """Sessions, to be ended; what they hold, and the key that opens them, no operator reads."""

    list_display = ("__str__", "user_id", "address", "agent", "started_at", "seen_at")
    ordering = ("-seen_at",)
    fields = ("user_id", "address", "agent", "started_at", "seen_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A session may be ended."""
        return True


@admin.register(Platform, site=site)
class PlatformAdmin(Kept, OperatorAdmin):
    """The kill switch: while it is on, no firm's message leaves."""

    list_display = ("__str__", "suspended_at", "suspension_reason")
    fields = ("suspended_at", "suspension_reason")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """There is one platform."""
        return not Platform.objects.using(OPERATOR).exists()


class SupportForm(OperatorForm):
    """Which firm, why, and what to look at: the firm reads these words before it answers."""

    firm = forms.ModelChoiceField(queryset=Cabinet.objects.none(), label="Cabinet")

    class Meta:
        help_texts = {
            "reason": "Le cabinet lit ces mots avant de répondre. Ni nom de client, ni montant.",
            "looks_at": "Facultatif\u00a0: la page ou l’écran qu’il suffit de voir.",
        }
        widgets = {"reason": forms.Textarea(attrs={"rows": 4, "maxlength": 400})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "firm" in self.fields:
            cast("Any", self.fields["firm"]).queryset = readable(Cabinet).order_by("name")

    def clean(self) -> dict[str, Any]:
        """Refuse a reason that says nothing, and a second request while the firm has one to answer."""
        values = super().clean()
        if len(values.get("reason", "").strip()) < SHORTEST_REASON:
            self.add_error("reason", "Dites pourquoi, en une phrase\u00a0: le cabinet répond d’après ce motif.")
        firm = values.get("firm")
        if firm is not None and support.is_busy(cabinet_id=firm.pk):
            self.add_error("firm", "Ce cabinet a déjà une demande à lire, ou un accès ouvert. Rien n’a été demandé.")
        return values


@admin.register(SupportRequest, site=site)
class SupportRequestAdmin(ReadOnly, OperatorAdmin):
    """Looks at a firm's pages: asked here with a reason, answered by the firm and by nobody else."""

    form = SupportForm
    list_display = ("asked_at", "cabinet", "operator_name", "became")
    ordering = ("-asked_at",)
    fields = ("firm", "reason", "looks_at")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Read each request with its answer."""
        return super().get_queryset(request).select_related("answer")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask with three fields, show what became of it with the rest."""
        told = ("cabinet", "operator_name", "reason", "looks_at", "asked_at", "became", "until")
        return self.fields if obj is None else told

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Any operator may ask."""
        return True

    @admin.display(description="où en est-on")
    def became(self, asked: SupportRequest) -> str:
        """Say what became of a request, in a word."""
        return BECAME[support.state(asked)]

    @admin.display(description="jusqu’à")
    def until(self, asked: SupportRequest) -> Any:
        """Return the end of an access that was given."""
        answer = getattr(asked, "answer", None)
        return None if answer is None else answer.ended_at or answer.ends_at

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Keep the request in this operator's name, have the firm told, then write it in its journal."""
        asked: Any = obj
        asked.cabinet_id = form.cleaned_data["firm"].pk
        asked.operator_id, asked.operator_name = request.user.pk, str(request.user)
        asked.asked_at = timezone.now()
        support.ask(asked)
        announce = partial(support.announce, cabinet_id=asked.cabinet_id, request_id=asked.pk)
        transaction.on_commit(announce, using=OPERATOR)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the door when it is open to this operator."""
        asked = self.get_object(request, unquote(object_id))
        may_look = asked is not None and asked.operator_id == request.user.pk and support.state(asked) is State.OPEN
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_look": may_look})

    def get_urls(self) -> list[Any]:
        """Add the way in and the way out."""
        own = [
            path("quitter/", site.admin_view(require_POST(self.leave)), name="support_leave"),
            path("<uuid:request_id>/regarder/", site.admin_view(require_POST(self.look)), name="support_look"),
        ]
        return [*own, *super().get_urls()]

    def look(self, request: HttpRequest, request_id: UUID) -> HttpResponse:
        """Enter the firm's pages, when its answer allows it now."""
        asked = get_object_or_404(self.get_queryset(request), pk=request_id, operator_id=request.user.pk)
        if looking.enter(request=request, asked=asked):
            self._act(request, "entered", asked)
            return redirect(settings.LOGIN_REDIRECT_URL)
        messages.error(request, "Cet accès n’est pas ouvert\u00a0: le cabinet ne l’a pas accordé, ou il est terminé.")
        return redirect("admin:cabinets_supportrequest_change", request_id)

    def leave(self, request: HttpRequest) -> HttpResponse:
        """Come back to the desk; the access keeps its end."""
        looking.leave(request)
        return redirect("admin:cabinets_supportrequest_changelist")


@admin.register(OperatorAct, site=site)
class OperatorActAdmin(ReadOnly, OperatorAdmin):
    """What operators did."""

    list_display = ("at", "operator", "event", "subject", "address")
    list_select_related = ("operator",)
    ordering = ("-at",)
