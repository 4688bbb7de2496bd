"""Print runs: the letters of the post desk printed together, one PDF, and what was left out of it."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning import tasks
from dunning.enums import JobKind, JobState
from dunning.errors import DunningError
from dunning.models import DocumentJob, Reminder
from dunning.presenting import plural
from dunning.services import print_pile
from dunning.services import print_runs as service
from dunning.services.print_runs import Chosen
from dunning.services.reading import print_run as reading
from templates_lib.rendering import typeset


@require_POST
@requires(Right.APPROVE_REMINDERS)
def print_runs(request: CabinetRequest) -> HttpResponse:
    """Ask for the letters ready, or for those ticked, to be printed together."""
    try:
        asked = service.ask(by=request.member, chosen=None if "tout" in request.POST else _chosen(request))
    except Reminder.DoesNotExist as error:
        raise Http404("Une de ces lettres n’existe pas.") from error
    except DunningError as error:
        messages.error(request, typeset(str(error)))
        return redirect("post_desk")
    transaction.on_commit(partial(tasks.print_letters.delay, str(request.cabinet.pk), str(asked.run.pk)))
    if asked.left_over:
        rest = plural(asked.left_over, "lettre reste", "lettres restent")
        messages.warning(
            request, typeset(f"Un tirage compte {service.AT_MOST} lettres au plus : {rest} pour un autre tirage.")
        )
    return redirect("print_run", asked.run.pk)


@require_GET
@never_cache
@requires(Right.APPROVE_REMINDERS)
def print_run(request: CabinetRequest, run_id: UUID) -> HttpResponse:
    """Show what a run holds, what is apart and why, and its PDF once it is ready."""
    run = _run(request, run_id)
    journal.seen(run.job, "print_run")
    context = {"run": run, "is_ready": run.job.state == JobState.DONE, "zone": request.cabinet.zone}
    return render(request, "dunning/print_run.html", context)


@require_GET
@never_cache
@requires(Right.APPROVE_REMINDERS)
def print_run_pdf(request: CabinetRequest, run_id: UUID) -> HttpResponse:
    """Give the letters of a run as one PDF, as often as it is asked for."""
    run = _run(request, run_id)
    if run.job.state != JobState.DONE:
        raise Http404("Ce tirage n’est pas prêt.")
    try:
        made = print_pile.make(run=run, cabinet=request.cabinet, by=request.member)
    except DunningError as error:
        messages.error(request, typeset(str(error)))
        return redirect("print_run", run_id)
    response = HttpResponse(made.pdf.content, content_type="application/pdf")
    day = run.job.asked_at.astimezone(request.cabinet.zone).date()
    response["Content-Disposition"] = f'attachment; filename="courrier-{day.isoformat()}.pdf"'
    return response


def _run(request: CabinetRequest, run_id: UUID) -> reading.Run:
    job = get_object_or_404(DocumentJob, pk=run_id, kind=JobKind.PRINT_RUN)
    run = reading.run_of(job, request.cabinet)
    if run is None:
        raise Http404("Aucune lettre de ce tirage n’est à vous.")
    return run


def _chosen(request: HttpRequest) -> list[Chosen]:
    """Return the letters ticked, each as it was when the page was drawn."""
    try:
        return [_read(words) for words in request.POST.getlist("lettre")]
    except ValueError as error:
        raise Http404("Cette lettre n’existe pas.") from error


def _read(words: str) -> Chosen:
    reminder_id, _, generation = words.partition(":")
    return Chosen(UUID(reminder_id), int(generation))
