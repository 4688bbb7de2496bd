"""Accès d’assistance: who asked to see the firm's pages, why, who allowed it, until when, what was looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.support import GrantForm
from cabinets.http import CabinetRequest
from cabinets.journal_labels import label_of
from cabinets.models import JournalEntry, SupportRequest
from cabinets.permissions import requires
from cabinets.services import support
from cabinets.services.support import SupportError
from cabinets.support_rules import State

page = require_http_methods(["GET", "POST"])
SHOWN = 100
BADGES = {
    State.WAITS: ("wait", "hourglass", "Attend votre réponse"),
    State.LAPSED: ("neutral", "clock", "Sans réponse"),
    State.REFUSED: ("neutral", "ban", "Refusé"),
    State.OPEN: ("late", "eye", "En cours"),
    State.OVER: ("ok", "circle-check", "Terminé"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A request as the pages show it."""

    asked: SupportRequest
    state: State

    @property
    def badge(self) -> tuple[str, str, str]:
        """Return its tone, its icon and its words."""
        return BADGES[self.state]

    @property
    def waits(self) -> bool:
        """Say whether a partner may answer."""
        return self.state is State.WAITS

    @property
    def is_open(self) -> bool:
        """Say whether the operator may look now."""
        return self.state is State.OPEN


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the journal that an access left."""

    entry: JournalEntry
    label: str
    page: str


@require_GET
@never_cache
@requires(Right.SEE_JOURNAL)
def support_list(request: CabinetRequest) -> HttpResponse:
    """List the requests made to the firm, the latest first."""
    lines = [Line(asked, support.state(asked)) for asked in support.requests()[:SHOWN]]
    journal.listed(SupportRequest, "support", count=len(lines))
    return render(request, "cabinets/support.html", {"lines": lines, "zone": request.cabinet.zone})


@require_GET
@never_cache
@requires(Right.SEE_JOURNAL)
def support_request(request: CabinetRequest, request_id: UUID) -> HttpResponse:
    """Show one request, its answer, and everything that was looked at."""
    line = _line(request_id)
    journal.seen(line.asked, "support")
    looks = _looked_at(line.asked)
    context = {"line": line, "looks": looks[:SHOWN], "has_more": len(looks) > SHOWN, "zone": request.cabinet.zone}
    context["may_answer"] = request.member.can(Right.ALLOW_SUPPORT)
    return render(request, "cabinets/support_request.html", context)


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.ALLOW_SUPPORT)
def support_grant(request: CabinetRequest, request_id: UUID) -> HttpResponse:
    """Ask for how long and for the partner's password, then let the operator look."""
    line = _line(request_id)
    form = GrantForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            support.grant(request_id=request_id, by=request.member, minutes=form.cleaned_data["minutes"])
        except SupportError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "L’accès est ouvert. Vous pouvez y mettre fin à tout moment depuis cette page.")
            return redirect("support_request", request_id)
    context = {"form": form, "line": line, "zone": request.cabinet.zone}
    return render(request, "cabinets/support_grant.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Right.ALLOW_SUPPORT)
def support_refuse(request: CabinetRequest, request_id: UUID) -> HttpResponse:
    """Leave the firm's pages shut."""
    return _act(
        request,
        request_id,
        lambda: support.refuse(request_id=request_id, by=request.member),
        done="La demande est refusée\u00a0: rien n’a été ouvert.",
    )


@require_POST
@requires(Right.ALLOW_SUPPORT)
def support_end(request: CabinetRequest, request_id: UUID) -> HttpResponse:
    """Shut the firm's pages at once."""
    return _act(
        request,
        request_id,
        lambda: support.end(request_id=request_id, by=request.member),
        done="L’accès est terminé\u00a0: plus aucune page du cabinet n’est ouverte à l’assistance.",
    )


def _act(request: CabinetRequest, request_id: UUID, act: Callable[[], None], *, done: str) -> HttpResponse:
    get_object_or_404(SupportRequest, pk=request_id)
    try:
        act()
    except SupportError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("support_request", request_id)


def _line(request_id: UUID) -> Line:
    asked = support.requests().filter(pk=request_id).first()
    if asked is None:
        raise Http404
    return Line(asked, support.state(asked))


def _looked_at(asked: SupportRequest) -> Sequence[Look]:
    """Return what the journal holds of an access, oldest first, one more than is shown."""
    answer = getattr(asked, "answer", None)
    if answer is None:
        return []
    rows = JournalEntry.objects.filter(member_id=answer.pk, at__gte=answer.answered_at).order_by("at", "pk")
    return [Look(one, label_of(one.event), _address_in(one)) for one in rows[: SHOWN + 1]]


def _address_in(entry: JournalEntry) -> str:
    address = str(entry.facts.get("page", ""))
    return address if address.startswith("/") else ""
