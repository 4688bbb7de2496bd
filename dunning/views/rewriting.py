"""« Modifier »: change the words of one message before approving it, or take the change back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.enums import Channel
from dunning.errors import DunningError, RewriteError
from dunning.forms.rewriting import RewriteForm
from dunning.models import Reminder
from dunning.services import rewriting
from dunning.services.composing import lines_of
from templates_lib.errors import TextError
from templates_lib.rendering import typeset


@require_http_methods(["GET", "POST"])
@never_cache
@requires(Right.APPROVE_REMINDERS)
def approval_edit(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show the words of one message to a person who changes them; say which rule refuses them, and the mend."""
    reminder = get_object_or_404(Reminder.objects.select_related("step__signed_by__user", "client"), pk=reminder_id)
    if not rewriting.may_be_rewritten(reminder):
        messages.warning(request, "Le texte de ce message ne change plus.")
        return redirect("approval", reminder_id)
    claimed, _ = lines_of(reminder)
    try:
        words = rewriting.words_of(reminder, claimed, on=request.cabinet.today())
    except TextError as error:
        messages.warning(request, typeset(str(error)))
        return redirect("approval", reminder_id)
    has_subject = reminder.channel == Channel.EMAIL
    initial = {"subject": words.subject, "body": words.body}
    form = RewriteForm(request.POST or None, initial=initial, has_subject=has_subject)
    if request.method == "POST" and form.is_valid() and _rewritten(request, reminder_id, form):
        messages.success(request, "Texte modifié pour ce message. Relisez-le avant d’approuver.")
        return redirect("approval", reminder_id)
    journal.seen(reminder, "approval_edit")
    context = {"form": form, "reminder": reminder, "name": reminder.client.display_name}
    context |= {"fields": rewriting.fields_for(), "is_edited": reminder.edited_at is not None}
    return render(request, "dunning/approval_edit.html", context, status=422 if form.errors else 200)


def _rewritten(request: CabinetRequest, reminder_id: UUID, form: RewriteForm) -> bool:
    values = {"subject": "", **form.cleaned_data}
    try:
        rewriting.rewrite(reminder_id=reminder_id, by=request.member, **values)
    except RewriteError as error:
        for sentence in error.sentences:
            form.add_error("body", typeset(sentence))
        return False
    except DunningError as error:
        form.add_error(None, typeset(str(error)))
        return False
    return True


@require_POST
@requires(Right.APPROVE_REMINDERS)
def approval_restore(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Give a message back the words of its version."""
    get_object_or_404(Reminder, pk=reminder_id)
    try:
        rewriting.restore(reminder_id=reminder_id, by=request.member)
    except DunningError as error:
        messages.error(request, typeset(str(error)))
    else:
        messages.success(request, "Le message reprend le texte du modèle.")
    return redirect("approval", reminder_id)
