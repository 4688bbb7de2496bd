"""Réponses: what came back, made to be classified fast."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import RightMissingError
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from cabinets.services.search import find_clients
from dunning import tasks
from dunning.enums import ReplyClass
from dunning.errors import DunningError
from dunning.forms.inbound import AttachForm, ClassifyForm
from dunning.forms.mailbox import MailboxForm
from dunning.models import InboundMessage, Mailbox
from dunning.presenting import REPLY_MEANS
from dunning.services import classifying, mailboxes
from dunning.services.reading import inbound as reading
from templates_lib.rendering import typeset

CONFLICT = 409


@require_GET
@requires(Right.SEE_CLIENTS)
def replies(request: CabinetRequest) -> HttpResponse:
    """List what came back: first what waits for a person."""
    view = request.GET.get("vue", reading.TO_CLASSIFY)
    view = view if view in reading.VIEWS else reading.TO_CLASSIFY
    listed = reading.listed(view=view, page=_page_asked(request), cabinet=request.cabinet)
    journal.listed(InboundMessage, "replies", count=len(listed.rows))
    tabs = [
        {"label": label, "url": f"?vue={key}", "current": key == view, "count": listed.counts[key]}
        for key, (label, _) in reading.VIEWS.items()
    ]
    context = {"listed": listed, "tabs": tabs, "view": view, "label": reading.VIEWS[view][0]}
    context["mailbox"] = Mailbox.objects.first()
    context["may_set"] = request.member.can(Right.MANAGE_FIRM)
    return render(request, "dunning/replies.html", context)


@require_GET
@never_cache
@requires(Right.SEE_CLIENTS)
def reply(request: CabinetRequest, message_id: UUID) -> HttpResponse:
    """Show one message beside what is known, and the one click it needs."""
    return _page(request, _found(message_id))


@require_POST
@requires(Right.HOLD_REMINDERS)
def reply_classify(request: CabinetRequest, message_id: UUID) -> HttpResponse:
    """Write what the answer says, and go on to the next one."""
    message = _found(message_id)
    page = reading.page_of(message=message, cabinet=request.cabinet, member=request.member)
    form = ClassifyForm(
        request.POST, invoices=[(one.invoice, one.is_likely) for one in page.owed], today=request.cabinet.today()
    )
    if not form.is_valid():
        return _page(request, message, form=form, status=422)
    values = form.cleaned_data
    told = f"Noté : {ReplyClass(values['reply_class']).label.lower()}. {REPLY_MEANS[values['reply_class']]}"
    following = reading.following(message)
    return _act(
        request,
        message,
        lambda: classifying.classify(message_id=message.pk, by=request.member, **values),
        told,
        f"/reponses/{following.pk}/" if following else "/reponses/",
    )


@require_POST
@requires(Right.HOLD_REMINDERS)
def reply_attach(request: CabinetRequest, message_id: UUID) -> HttpResponse:
    """Say whose message it is."""
    message, form = _found(message_id), AttachForm(request.POST)
    if not form.is_valid():
        return _page(request, message, refusal="Choisissez un client du cabinet. Rien n’a été changé.", status=422)
    client = form.cleaned_data["client"]
    return _act(
        request,
        message,
        lambda: classifying.attach(message_id=message.pk, by=request.member, client_id=client.pk),
        "Message rattaché. Les relances de ce client attendent que la réponse soit classée.",
        f"/reponses/{message.pk}/",
    )


@require_POST
@requires(Right.HOLD_REMINDERS)
def reply_set_aside(request: CabinetRequest, message_id: UUID) -> HttpResponse:
    """Say that a message concerns no client."""
    message = _found(message_id)
    return _act(
        request,
        message,
        lambda: classifying.set_aside(message_id=message.pk, by=request.member),
        "Message mis de côté : il ne concerne aucun client. Il est gardé.",
        "/reponses/?vue=a-rattacher",
    )


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "new_password")
@requires(Right.MANAGE_FIRM)
def mailbox(request: CabinetRequest) -> HttpResponse:
    """Show and keep the mailbox the firm's debtors answer to."""
    box = Mailbox.objects.first()
    form = MailboxForm(request.POST or None, instance=box, request=request)
    if request.method == "POST" and form.is_valid():
        kept = mailboxes.keep(mailbox=form.save(commit=False), password=form.cleaned_data["new_password"])
        transaction.on_commit(partial(tasks.read_mailbox.delay, str(kept.pk)))
        messages.success(request, "La boîte est enregistrée. Une première lecture est en cours.")
        return redirect("mailbox")
    context = {"form": form, "mailbox": box, "zone": request.cabinet.zone}
    return render(request, "dunning/mailbox.html", context, status=422 if form.errors else 200)


def _found(message_id: UUID) -> InboundMessage:
    rows = InboundMessage.objects.select_related("client", "reminder__step", "handled_by__user")
    return get_object_or_404(rows, pk=message_id)


def _act(
    request: CabinetRequest, message: InboundMessage, act: Callable[[], object], told: str, following: str
) -> HttpResponse:
    """Run one act; go on when it was done, show the message again with the reason when it was not."""
    try:
        act()
    except RightMissingError as error:
        return _page(request, _found(message.pk), refusal=str(error), status=403)
    except DunningError as error:
        return _page(request, _found(message.pk), refusal=str(error), status=CONFLICT)
    messages.success(request, typeset(told))
    return redirect(following)


def _page(
    request: CabinetRequest,
    message: InboundMessage,
    *,
    form: ClassifyForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    journal.seen(message, "reply")
    page = reading.page_of(message=message, cabinet=request.cabinet, member=request.member)
    likely = [(one.invoice, one.is_likely) for one in page.owed]
    wanted = request.GET.get("q", "").strip()
    context = {
        "page": page,
        "form": form or ClassifyForm(invoices=likely, today=request.cabinet.today()),
        "refusal": typeset(refusal),
        "may_act": request.member.can(Right.HOLD_REMINDERS),
        "may_resume": request.member.can(Right.RELEASE_DISPUTES),
        "may_edit": request.member.can(Right.EDIT_CLIENTS),
        "wanted": wanted,
        "found": find_clients(wanted) if wanted and page.waits_for_a_client else [],
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/reply.html", context, status=status)


def _page_asked(request: CabinetRequest) -> int:
    asked = request.GET.get("apres") or request.GET.get("avant") or "1"
    return int(asked) if asked.isdecimal() else 1
