"""The notice to the insurer, as a draft a person reads, copies or sends themselves."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right, TaskKind, TaskState
from cabinets.http import CabinetRequest
from cabinets.models import Task
from cabinets.permissions import requires
from dunning.models import Reminder
from dunning.services import insurer


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.APPROVE_FORMAL_NOTICES)
def insurer_notice(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show the draft, or send it to the person who asks: nothing ever goes to the insurer from here."""
    reminder = get_object_or_404(Reminder.objects.select_related("step", "client"), pk=reminder_id)
    if not insurer.has_left(reminder):
        raise Http404
    if request.method == "POST":
        if insurer.send_to_oneself(reminder=reminder, by=request.member):
            messages.success(request, "Le projet vous est envoyé. L’assureur, lui, n’a rien reçu.")
        else:
            messages.info(request, "Le projet vient déjà de vous être envoyé.")
        return redirect("insurer_notice", reminder_id)
    journal.seen(reminder, "insurer_notice")
    tasks = Task.objects.filter(kind=TaskKind.INSURER_NOTICE, subject_id=reminder.pk, state=TaskState.OPEN)
    context = {
        "draft": insurer.draft_of(reminder=reminder, cabinet=request.cabinet),
        "reminder": reminder,
        "name": reminder.client.display_name,
        "task": tasks.first(),
        "may_manage": request.member.can(Right.MANAGE_FIRM),
    }
    return render(request, "dunning/insurer.html", context)
