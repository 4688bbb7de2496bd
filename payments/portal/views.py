"""The debtor's pages. A page read changes nothing but the visits; what is said takes a form with an answer."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from cabinets.addresses import show_typed_phone
from cabinets.http import FORM_REFERRER
from cabinets.services.throttle import Gate
from payments.enums import PaymentMeans, ProblemReason, RequestKind, RequestState
from payments.models import DebtorRequest, LinkVisit
from payments.portal.access import LinkRequest, opens_link
from payments.portal.account import Account, account_of, transfer_for
from payments.portal.choosing import ways_to_pay
from payments.portal.forms import AlreadyPaidForm, CheckForm, ProblemForm, WrongRecipientForm
from payments.portal.pages import form_page as _form
from payments.portal.pages import page as _page
from payments.portal.pages import posted as _posted
from payments.portal.plan_words import home_plan
from payments.portal.robots import is_robot
from payments.services import details, links, requests

CHECK_COOKIE = "espace"
CHECK_SALT = "payments.portal.check"
CHECK_SECONDS = 30 * 60
CHECKS = Gate("link-check", tries=5, seconds=3600)
# Opening a file is the heaviest thing a link can ask.
PROOFS = Gate("link-proof", tries=10, seconds=3600)
TOO_MANY_FILES = (
    "Dix justificatifs ont déjà été envoyés par ce lien en une heure. Rien n’a été envoyé\u00a0: envoyez votre réponse"
    " sans justificatif, ou réessayez dans une heure. Vous pouvez aussi appeler le cabinet{number}."
)
TOO_MANY = 429
ONE_VISIT = dt.timedelta(minutes=5)
WITH_FORM = require_http_methods(["GET", "HEAD", "POST"])

View = Callable[..., HttpResponse]


class AccountRequest(LinkRequest):
    """A request that may see the account."""

    account: Account


def shows_account(view: View) -> View:
    """Give a view the account, or send its reader to what comes before it: a known fact, or their own report."""

    @wraps(view)
    def shown(request: AccountRequest, **facts: Any) -> HttpResponse:
        return turn_away(request) or view(request, **facts)

    return shown


def turn_away(request: AccountRequest) -> HttpResponse | None:
    """Give a request the account, or return where its reader is sent first."""
    if is_said_not_theirs(request):
        return redirect("portal_request", token=request.token)
    request.account = account_of(request.link, on=request.cabinet.today())
    if request.account.is_sensitive and not is_checked(request):
        return redirect("portal_check", token=request.token)
    return None


@opens_link
@require_safe
@shows_account
def home(request: AccountRequest) -> HttpResponse:
    """Show what is owed and how to pay it."""
    _note_visit(request)
    transfer = transfer_for(request.account, cabinet=request.cabinet)
    waiting = DebtorRequest.objects.filter(link=request.link, state=RequestState.OPEN).order_by("received_at").first()
    ways = ways_to_pay(request.account, request.account.asked, request.cabinet)
    response = _page(
        request,
        "home",
        account=request.account,
        transfer=transfer,
        ways=ways,
        waiting=waiting,
        is_suspended=waiting is not None and requests.is_suspending(waiting),
        plan=home_plan(request.link, on=request.cabinet.today()),
        has_documents=details.has_documents(details.readable_through(request.link, request.account.invoices)),
    )
    if ways is not None:
        response["Referrer-Policy"] = FORM_REFERRER
    return response


@opens_link
@WITH_FORM
@shows_account
def already_paid(request: AccountRequest) -> HttpResponse:
    """Take « J’ai déjà payé »: which invoices, when, how."""
    lines = [line for line in request.account.owed if line.is_payable]
    if not lines:
        return redirect("portal_request", token=request.token)
    refused = _refused_file(request) if request.FILES else ""
    form = AlreadyPaidForm(
        _posted(request), request.FILES or None, lines=lines, today=request.cabinet.today(), refused_file=refused
    )
    if request.method == "POST" and form.is_valid():
        requests.say_already_paid(
            link=request.link,
            invoices=form.paid(),
            today=request.cabinet.today(),
            paid_on=form.cleaned_data["paid_on"],
            means=PaymentMeans(form.cleaned_data["means"]),
            message=form.cleaned_data["message"],
            file=form.cleaned_data["proof"],
        )
        return redirect("portal_request", token=request.token)
    return _form(request, "already_paid", form, status=TOO_MANY if refused else 0)


@opens_link
@WITH_FORM
@shows_account
def problem(request: AccountRequest) -> HttpResponse:
    """Take « Signaler un problème »: what, and about which invoice."""
    if not request.account.owed:
        return redirect("portal_request", token=request.token)
    form = ProblemForm(_posted(request), lines=request.account.owed)
    if request.method == "POST" and form.is_valid():
        requests.report_problem(
            link=request.link,
            invoice=form.about(),
            reason=ProblemReason(form.cleaned_data["reason"]),
            today=request.cabinet.today(),
            message=form.cleaned_data["message"],
        )
        return redirect("portal_request", token=request.token)
    return _form(request, "problem", form)


@opens_link
@WITH_FORM
def wrong_recipient(request: LinkRequest) -> HttpResponse:
    """Take « Ce n’est pas pour moi »: why."""
    if is_said_not_theirs(request) or not links.owed_through(request.link).exists():
        return redirect("portal_request", token=request.token)
    form = WrongRecipientForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        requests.wrong_recipient(link=request.link, today=request.cabinet.today(), message=form.told())
        return redirect("portal_request", token=request.token)
    return _form(request, "wrong_recipient", form)


@opens_link
@WITH_FORM
def check(request: LinkRequest) -> HttpResponse:
    """Ask one known fact before a sensitive invoice is shown."""
    account = account_of(request.link, on=request.cabinet.today())
    if not account.is_sensitive or is_checked(request):
        return redirect("portal_home", token=request.token)
    numbers = [line.invoice.number for line in (*account.owed, *account.closed)]
    form = CheckForm(_posted(request), postcode=request.link.client.postcode, numbers=numbers)
    if request.method != "POST":
        return _form(request, "check", form)
    if _check_refused(request):
        return _form(request, "check", form, locked=True, status=TOO_MANY)
    if not form.is_valid():
        return _form(request, "check", form)
    response = redirect("portal_home", token=request.token)
    response.set_signed_cookie(
        CHECK_COOKIE,
        _checked_value(request),
        salt=CHECK_SALT,
        max_age=CHECK_SECONDS,
        path=f"/p/{request.token}/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@opens_link
@require_safe
def recourse(request: LinkRequest) -> HttpResponse:
    """Say where a debtor who disagrees may go, by what they are to the firm."""
    return _page(request, "recourse")


def _note_visit(request: LinkRequest) -> None:
    """Note that the page was shown: once in five minutes, and neither for a machine that says so nor for the firm."""
    headers = request.headers
    prefetched = (
        "prefetch" in f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}"
    )
    is_machine = prefetched or is_robot(headers.get("User-Agent", ""))
    if request.method != "GET" or is_machine or request.user.is_authenticated:
        return
    now = timezone.now()
    if not LinkVisit.objects.filter(link=request.link, invoice=None, at__gt=now - ONE_VISIT).exists():
        LinkVisit(link=request.link, at=now).save(force_insert=True)


def is_said_not_theirs(request: LinkRequest) -> bool:
    """Say whether the reader told that the messages are for somebody else: they see nothing more of the account."""
    return DebtorRequest.objects.filter(
        link=request.link, kind=RequestKind.WRONG_RECIPIENT, state=RequestState.OPEN
    ).exists()


def _checked_value(request: LinkRequest) -> str:
    return f"{request.link.pk}/{request.link.version}"


def is_checked(request: HttpRequest | LinkRequest) -> bool:
    """Say whether the reader gave the fact a sensitive invoice asks for, less than half an hour ago."""
    told = request.get_signed_cookie(CHECK_COOKIE, default="", salt=CHECK_SALT, max_age=CHECK_SECONDS)
    return told == _checked_value(request)  # type: ignore[arg-type]  # always a request through a link


def _refused_file(request: LinkRequest) -> str:
    """Say why the file that was sent is not opened; nothing while the link has tries left."""
    try:
        is_spent = PROOFS.take(str(request.link.pk)) > 0
    except RedisError:
        is_spent = False
    phone = show_typed_phone(request.cabinet.phone)
    return TOO_MANY_FILES.format(number=f"\u00a0: {phone}" if phone else "") if is_spent else ""


def _check_refused(request: LinkRequest) -> bool:
    try:
        return CHECKS.take(str(request.link.pk)) > 0
    except RedisError:
        return True
