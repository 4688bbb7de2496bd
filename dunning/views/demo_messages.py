"""Messages reçus: what left a demonstration firm, as its debtors received it; no such page elsewhere."""

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.channels import catcher
from dunning.models import Reminder

# The message is foreign: no script, no form, no picture from elsewhere; its links open beside it.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; form-action 'none';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def demo_messages(request: CabinetRequest) -> HttpResponse:
    """List what the debtors of this firm received, as far as the person sees their dossiers."""
    reminders = _reminders(request)
    messages = [message for message in catcher.list_messages(_box()) if message.message_id in reminders]
    messages.sort(key=lambda message: _received_at(reminders[message.message_id]), reverse=True)
    rows = [{"message": message, "reminder": reminders[message.message_id]} for message in messages]
    journal.listed(Reminder, "demo_messages", count=len(rows))
    return render(request, "dunning/demo_messages.html", {"rows": rows, "zone": request.cabinet.zone})


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def demo_message(request: CabinetRequest, key: str) -> HttpResponse:
    """Show one message: its page, its text, its headers."""
    opened, reminder = _opened(request, key)
    journal.seen(reminder, "demo_message")
    context = {"opened": opened, "reminder": reminder, "zone": request.cabinet.zone}
    return render(request, "dunning/demo_message.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def demo_message_page(request: CabinetRequest, key: str) -> HttpResponse:
    """Give the HTML of one message to the frame that shows it, under a policy of its own."""
    opened, reminder = _opened(request, key)
    journal.seen(reminder, "demo_message_page")
    response = HttpResponse(opened.html.replace("<head>", '<head><base target="_blank">', 1))
    response["Content-Security-Policy"] = POLICY
    return response


def _opened(request: CabinetRequest, key: str) -> tuple[catcher.Opened, Reminder]:
    reminders = _reminders(request)
    opened = catcher.open_message(_box(), key)
    if opened is None or opened.received.message_id not in reminders:
        raise Http404
    return opened, reminders[opened.received.message_id]


def _reminders(request: CabinetRequest) -> dict[str, Reminder]:
    """Return the reminders the person may see, by Message-ID; a firm that is no demonstration has no such page."""
    if not request.cabinet.is_demo:
        raise Http404
    return {
        reminder.message_id: reminder for reminder in Reminder.objects.exclude(message_id="").select_related("step")
    }


def _received_at(reminder: Reminder) -> dt.datetime:
    return reminder.spoken_at or reminder.depart_at


def _box() -> Path:
    return Path(settings.VAR) / "catcher"
