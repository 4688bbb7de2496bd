"""Notifications: what one person is told of; reading them is their own affair."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.models import Notification
from cabinets.permissions import requires
from cabinets.services.notifications import mark_read
from dunning.services.reading.notifications import listed

EVERY = "toutes"


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def notifications(request: CabinetRequest) -> HttpResponse:
    """List what the person has not read yet, or everything they were told."""
    view = EVERY if request.GET.get("vue") == EVERY else ""
    found = listed(
        member=request.member, zone=request.cabinet.zone, only_unread=not view, after=request.GET.get("apres", "")
    )
    journal.listed(Notification, "notifications", count=len(found.rows))
    tabs = [
        {"label": "Non lues", "url": "/notifications/", "count": found.unread, "current": not view},
        {"label": "Toutes", "url": f"/notifications/?vue={EVERY}", "current": bool(view)},
    ]
    return render(request, "dunning/notifications.html", {"listed": found, "tabs": tabs, "is_every": bool(view)})


@require_POST
@requires(Right.SEE_CLIENTS)
def notification_read(request: CabinetRequest, notification_id: UUID) -> HttpResponse:
    """Mark one as read."""
    found = get_object_or_404(Notification, pk=notification_id, member=request.member)
    mark_read(by=request.member, notification_id=found.pk)
    messages.success(request, "La notification est marquée comme lue.")
    return redirect("notifications")


@require_POST
@requires(Right.SEE_CLIENTS)
def notifications_read(request: CabinetRequest) -> HttpResponse:
    """Mark all as read."""
    count = mark_read(by=request.member)
    if count > 1:
        messages.success(request, f"{count} notifications sont marquées comme lues.")
    else:
        messages.success(request, "Tout est lu.")
    return redirect("notifications")
