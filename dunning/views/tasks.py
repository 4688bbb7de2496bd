"""Tâches: what a person must do, whose it is, and how it ends."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right, TaskState
from cabinets.http import CabinetRequest
from cabinets.models import Task
from cabinets.permissions import requires
from dunning.errors import TaskError
from dunning.forms.tasks import EntrustForm
from dunning.services import todo
from dunning.services.reading import tasks as reading
from templates_lib.rendering import typeset

VIEWS = {reading.EVERY: "Toutes", reading.MINE: "Les miennes", reading.LATE: "En retard"}


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def tasks(request: CabinetRequest) -> HttpResponse:
    """Show everything that is open, or one's own, or what is late."""
    view = request.GET.get("vue", reading.EVERY)
    today = request.cabinet.today()
    listed = reading.listed(view=view, member=request.member, on=today)
    journal.listed(Task, "tasks", count=len(listed.rows))
    counts = {reading.EVERY: listed.every, reading.MINE: listed.mine, reading.LATE: listed.late}
    tabs = [
        {"label": label, "url": f"/taches/?vue={name}", "count": counts[name], "current": name == view}
        for name, label in VIEWS.items()
    ]
    context = {"listed": listed, "tabs": tabs, "view": view, "may_act": request.member.can(Right.EDIT_CLIENTS)}
    return render(request, "dunning/tasks.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.EDIT_CLIENTS)
def task_page(request: CabinetRequest, task_id: UUID) -> HttpResponse:
    """Give a task to a person and a day; close it when it has no object."""
    task = get_object_or_404(Task.objects.select_related("client", "owner__user"), pk=task_id)
    today = request.cabinet.today()
    form = EntrustForm(request.POST or None, task=task, today=today)
    if request.method == "POST" and form.is_valid():
        return _told(request, lambda: todo.entrust(task_id=task.pk, by=request.member, **form.cleaned_data), _entrusted)
    journal.seen(task, "task")
    [row] = reading.rows([task], on=today)
    context = {"row": row, "form": form, "is_open": task.state == TaskState.OPEN}
    return render(request, "dunning/task.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Right.EDIT_CLIENTS)
def finish_task(request: CabinetRequest, task_id: UUID) -> HttpResponse:
    """Mark a task as done, or say how it ends."""
    task = get_object_or_404(Task, pk=task_id)
    return _told(request, lambda: todo.finish(task_id=task.pk, by=request.member), _finished)


@require_POST
@requires(Right.EDIT_CLIENTS)
def drop_task(request: CabinetRequest, task_id: UUID) -> HttpResponse:
    """Close a task that has no object any more, or say how it ends."""
    task = get_object_or_404(Task, pk=task_id)
    return _told(request, lambda: todo.drop(task_id=task.pk, by=request.member), _dropped)


def _entrusted(task: Task) -> str:
    to = task.owner.user.get_full_name() if task.owner else "personne en particulier"
    return f"« {task.get_kind_display()} » est confiée à {to}."


def _finished(task: Task) -> str:
    return f"« {task.get_kind_display()} » est marquée comme faite."


def _dropped(task: Task) -> str:
    return f"« {task.get_kind_display()} » est close, sans objet."


def _told(request: CabinetRequest, act: Callable[[], Task], words: Callable[[Task], str]) -> HttpResponse:
    try:
        task = act()
    except TaskError as refusal:
        messages.error(request, typeset(str(refusal)))
    else:
        messages.success(request, typeset(words(task)))
    return redirect("dashboard" if request.POST.get("retour") == "tableau-de-bord" else "tasks")
