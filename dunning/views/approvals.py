"""À valider: read, decide, undo; each act answers with what really happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import RightMissingError
from cabinets.http import CabinetRequest
from cabinets.permissions import granters, requires
from dunning.enums import ReminderState
from dunning.errors import DunningError
from dunning.forms.approvals import DeclineForm, PostponeForm
from dunning.models import NightlyRun, Reminder
from dunning.presenting import moment_words, plural
from dunning.services import approving
from dunning.services.reading import queue as reading
from templates_lib.rendering import typeset

page = require_http_methods(["GET", "POST"])
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Refused:
    """A message of a batch that was not approved, and why."""

    name: str
    why: str


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def approvals(request: CabinetRequest) -> HttpResponse:
    """Show what waits for a person, with the first message open beside it."""
    listed = reading.queue(cabinet=request.cabinet)
    journal.listed(Reminder, "approvals", count=len(listed.items))
    return _page(request, listed, _found(listed.items[0].reminder.pk) if listed.items else None)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def approval(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show one message, everything known about it, and the decision to take."""
    return _page(request, reading.queue(cabinet=request.cabinet), _found(reminder_id), is_chosen=True)


@require_GET
@xframe_options_sameorigin
@requires(Right.SEE_INVOICES)
def approval_preview(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Give the message alone, for the frame that shows it: no script, no link that works, no other origin."""
    reminder = _found(reminder_id)
    composed = reading.message_of(reminder=reminder, cabinet=request.cabinet)
    if composed is None:
        raise Http404
    journal.seen(reminder, "preview")
    response = HttpResponse(composed.html)
    response["Content-Security-Policy"] = PREVIEW_POLICY
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@requires(Right.APPROVE_REMINDERS)
def approve(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Approve one message, or say what stopped it meanwhile."""
    following = _following(request, reminder_id)

    def act() -> Reminder:
        vouches = request.POST.get("verifie") == "1"
        return approving.approve(reminder_id=reminder_id, by=request.member, vouches=vouches)

    def told(reminder: Reminder) -> str:
        if reminder.state == ReminderState.AWAITING_APPROVAL:
            return approving.FIRST_ACCORD
        departure = moment_words(reminder.depart_at, request.cabinet.zone)
        return f"Accord enregistré. Départ prévu le {departure} : vous pouvez l’annuler jusque-là."

    return _decide(request, reminder_id, act, told, following)


@require_POST
@requires(Right.APPROVE_REMINDERS)
def approval_undo(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Take an accord back before the departure."""
    return _decide(
        request,
        reminder_id,
        lambda: approving.take_back(reminder_id=reminder_id, by=request.member),
        lambda _: "Accord annulé. Rien ne partira sans un nouvel accord.",
        f"/a-valider/{reminder_id}/",
    )


@page
@requires(Right.APPROVE_REMINDERS)
def approval_postpone(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Move a departure to a later day."""
    reminder, today = _found(reminder_id), request.cabinet.today()
    form = PostponeForm(request.POST or None, today=today)
    back = _back(request, f"/a-valider/{reminder_id}/")
    if request.method == "POST" and form.is_valid():
        return _decide(
            request,
            reminder_id,
            lambda: approving.postpone(reminder_id=reminder_id, by=request.member, to=form.cleaned_data["to"]),
            lambda moved: f"Départ déplacé au {moment_words(moved.depart_at, request.cabinet.zone)}.",
            back,
        )
    journal.seen(reminder, "postpone")
    context = {
        "form": form,
        "title": "Reporter le départ",
        "text": f"{reminder.client.display_name} : départ prévu le"
        f" {moment_words(reminder.depart_at, request.cabinet.zone)}.",
        "label": "Reporter",
        "back_url": back,
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


@page
@requires(Right.APPROVE_REMINDERS)
def approval_decline(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Do not send: skip the step, or hold the invoices; and say why."""
    reminder, today = _found(reminder_id), request.cabinet.today()
    form = DeclineForm(request.POST or None, today=today)
    if request.method == "POST" and form.is_valid():
        following = _following(request, reminder_id)
        values = form.cleaned_data
        if values["how"] == DeclineForm.SKIP:
            return _decide(
                request,
                reminder_id,
                lambda: approving.skip(reminder_id=reminder_id, by=request.member, reason=values["reason"]),
                lambda _: "Étape passée. Ce message ne partira pas ; la suite du scénario est gardée.",
                following,
            )
        return _decide(
            request,
            reminder_id,
            lambda: approving.hold(
                reminder_id=reminder_id, by=request.member, reason=values["reason"], until_on=values["until_on"]
            ),
            lambda _: "Relances suspendues. Ce message ne partira pas.",
            following,
        )
    journal.seen(reminder, "decline")
    context = {
        "form": form,
        "title": "Ne pas envoyer ce message",
        "text": f"{reminder.client.display_name} : rien ne partira. Choisissez ce que deviennent les factures.",
        "label": "Ne pas envoyer",
        "danger": True,
        "back_url": f"/a-valider/{reminder_id}/",
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Right.APPROVE_REMINDERS)
def approval_resolve(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Say what became of a message nobody could confirm."""
    issue = request.POST.get("issue")
    if issue not in {"parti", "pas-parti"}:
        # Silence is no answer: what was not found unsent is not said again.
        return _conflict(request, reminder_id, "Dites si le message est parti ou non. Rien n’a été changé.")
    has_left = issue == "parti"
    return _decide(
        request,
        reminder_id,
        lambda: approving.resolve_unknown(reminder_id=reminder_id, by=request.member, has_left=has_left),
        lambda _: (
            "Noté : ce message est parti. L’étape suivante est datée."
            if has_left
            else "Noté : ce message n’est pas parti. La prochaine nuit l’examinera de nouveau."
        ),
        "/a-valider/",
    )


@page
@never_cache
@requires(Right.APPROVE_REMINDERS)
def approvals_batch(request: CabinetRequest) -> HttpResponse:
    """Sum up a selection (or all that may be approved together), then approve each message on its own."""
    ids = _ids(request.POST.getlist("reminder"))
    if request.method == "GET":
        listed = reading.queue(cabinet=request.cabinet)
        ids = [item.reminder.pk for item in listed.waiting]
    selected = reading.chosen(reminder_ids=ids)
    if "accord" in request.POST:
        return _approve_batch(request, ids, selected)
    journal.listed(Reminder, "approvals_batch", count=len(selected))
    summary = approving.summary_of(selected, request.cabinet)
    return render(request, "dunning/batch.html", {"summary": summary, "zone": request.cabinet.zone})


def _approve_batch(request: CabinetRequest, ids: Sequence[UUID], selected: Sequence[Reminder]) -> HttpResponse:
    names = {one.pk: one.client.display_name for one in selected}
    done, refused = approving.approve_many(reminder_ids=list(names), by=request.member)
    told = [Refused(names[pk], typeset(why)) for pk, why in refused]
    gone = len(set(ids) - set(names))
    context = {
        "done": [(names[one.pk], one) for one in done],
        "refused": told,
        "gone": plural(gone, "message n’attendait", "messages n’attendaient") if gone else "",
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/batch_done.html", context, status=CONFLICT if told and not done else 200)


@require_POST
@requires(Right.RESUME_ALL)
def night_confirm(request: CabinetRequest, night_id: UUID) -> HttpResponse:
    """Let an unusual night be evaluated again."""
    get_object_or_404(NightlyRun, pk=night_id)
    try:
        approving.confirm_night(night_id=night_id, by=request.member)
    except DunningError as error:
        messages.warning(request, typeset(str(error)))
    else:
        messages.success(request, "Nuit confirmée. Elle est évaluée de nouveau dans le quart d’heure.")
    return redirect("approvals")


def _found(reminder_id: UUID) -> Reminder:
    rows = Reminder.objects.select_related(
        "client", "contact", "step__signed_by__user", "approved_by__user", "edited_by__user"
    )
    return get_object_or_404(rows, pk=reminder_id)


def _page(
    request: CabinetRequest,
    listed: reading.Queue,
    reminder: Reminder | None,
    *,
    refusal: str = "",
    is_chosen: bool = False,
) -> HttpResponse:
    """Draw the list and the reading pane; `is_chosen` says which of the two a phone shows."""
    read, before, after, place = None, None, None, 0
    if reminder is not None:
        journal.seen(reminder, "approval")
        read = reading.read(reminder=reminder, cabinet=request.cabinet, member=request.member)
        before, after, place = listed.around(reminder.pk)
    context = {
        "queue": listed,
        "read": read,
        "before": before,
        "after": after,
        "place": place,
        "is_chosen": is_chosen,
        "refusal": refusal,
        "is_stale": reading.is_source_stale(request.cabinet),
        "may_declare": request.member.can(Right.RECORD_PAYMENTS),
        "may_confirm": request.member.can(Right.RESUME_ALL),
        "may_approve": request.member.can(Right.APPROVE_REMINDERS),
        "who": granters(read.needed_right) if read else [],
        "today": request.cabinet.today(),
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/approvals.html", context, status=CONFLICT if refusal else 200)


def _decide(
    request: CabinetRequest,
    reminder_id: UUID,
    act: Callable[[], Reminder],
    told: Callable[[Reminder], str],
    following: str,
) -> HttpResponse:
    """Run one act; go on when it was done, show the message again with the reason when it was not."""
    decided = _found(reminder_id)
    try:
        reminder = act()
    except DunningError as error:
        return _conflict(request, reminder_id, str(error))
    except RightMissingError as error:
        journal.record("access.refused", None, right=Right.APPROVE_FORMAL_NOTICES.value)
        return _conflict(request, reminder_id, str(error), status=403)
    if why := approving.why_not(reminder):
        return _conflict(request, reminder_id, why)
    said = told(reminder)
    if following != f"/a-valider/{reminder_id}/":
        # The next message is shown meanwhile: what was decided is not about its client.
        said = f"{decided.client.display_name} : {said[0].lower()}{said[1:]}"
    messages.success(request, typeset(said))
    return redirect(following)


def _conflict(request: CabinetRequest, reminder_id: UUID, why: str, *, status: int = CONFLICT) -> HttpResponse:
    listed = reading.queue(cabinet=request.cabinet)
    response = _page(request, listed, _found(reminder_id), refusal=typeset(why), is_chosen=True)
    response.status_code = status
    return response


def _following(request: CabinetRequest, reminder_id: UUID) -> str:
    """Return where to go once this message is decided: the next one to decide, or the list."""
    waiting = [item.reminder.pk for item in reading.queue(cabinet=request.cabinet).waiting]
    if reminder_id not in waiting or len(waiting) == 1:
        return "/a-valider/"
    place = waiting.index(reminder_id)
    return f"/a-valider/{waiting[place + 1] if place + 1 < len(waiting) else waiting[place - 1]}/"


def _back(request: CabinetRequest, default: str) -> str:
    """Return the page this one was opened from, among those that lead here."""
    return "/calendrier/" if request.GET.get("de") == "calendrier" else default


def _ids(values: Sequence[str]) -> list[UUID]:
    """Read the ids of a form; what is no id is nothing."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
