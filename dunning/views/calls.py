"""A call to make: whom, about what, and what came of it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.enums import CallResult, Channel
from dunning.errors import DunningError
from dunning.forms.calls import CallForm
from dunning.models import Reminder
from dunning.services import calls
from dunning.services.reading import call as reading
from templates_lib.rendering import typeset


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.HOLD_REMINDERS)
def call(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show whom to call, about what and what may not be said; note what came of it."""
    rows = Reminder.objects.filter(channel=Channel.PHONE).select_related("client", "contact", "step")
    reminder = get_object_or_404(rows, pk=reminder_id)
    form, status = CallForm(request.POST or None, today=request.cabinet.today()), 200
    if request.method == "POST" and form.is_valid():
        try:
            calls.record(reminder_id=reminder.pk, by=request.member, **form.cleaned_data)
        except DunningError as error:
            form.add_error(None, typeset(str(error)))
        else:
            messages.success(request, f"Appel noté : {CallResult(form.cleaned_data['result']).label.lower()}.")
            return redirect("tasks")
    if form.errors:
        status = 422
    journal.seen(reminder, "call")
    page = reading.page_of(reminder=reminder, cabinet=request.cabinet)
    return render(request, "dunning/call.html", {"page": page, "form": form}, status=status)
