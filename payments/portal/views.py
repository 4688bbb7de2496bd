"""The debtor's pages. A page read changes nothing but the visits; what is said takes a form with an answer."""

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from cabinets.addresses import show_typed_phone
from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Dossier
from cabinets.services.throttle import Gate
from payments.enums import PaymentMeans, ProblemReason, RequestKind, RequestState
from payments.models import DebtorRequest, LinkVisit
from payments.portal.access import FORM_REFERRER, LinkRequest, opens_link
from payments.portal.account import Account, account_of, transfer_for
from payments.portal.choosing import ways_to_pay
from payments.portal.forms import AlreadyPaidForm, CheckForm, ProblemForm, WrongRecipientForm
from payments.portal.plan_words import by_day, home_plan, said_of_plans
from payments.services import links, requests

CHECK_COOKIE = "espace"
CHECK_SALT = "payments.portal.check"
CHECK_SECONDS = 30 * 60
CHECKS = Gate("link-check", tries=5, seconds=3600)
ONE_VISIT = dt.timedelta(minutes=5)
LARGEST_LOGO = 20_000
MOST_REQUESTS = 20
WITH_FORM = require_http_methods(["GET", "HEAD", "POST"])

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Firm:
    """The letterhead of every page."""

    name: str
    bar: str
    phone: str
    phone_shown: str
    email: str
    logo_url: str


@dataclass(frozen=True, slots=True)
class Said:
    """A request as the timeline of its author shows it."""

    tone: str
    icon: str
    title: str
    when: dt.date
    text: str


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
    if _is_said_not_theirs(request):
        return redirect("portal_request", token=request.token)
    request.account = account_of(request.link, on=request.cabinet.today())
    if request.account.is_sensitive and not _is_checked(request):
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
    form = AlreadyPaidForm(_posted(request), lines=lines, today=request.cabinet.today())
    if request.method == "POST" and form.is_valid():
        requests.say_already_paid(
            link=request.link,
            invoices=form.paid(),
            today=request.cabinet.today(),
            paid_on=form.cleaned_data["paid_on"],
            means=PaymentMeans(form.cleaned_data["means"]),
            message=form.cleaned_data["message"],
        )
        return redirect("portal_request", token=request.token)
    return _form(request, "already_paid", form)


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
    if _is_said_not_theirs(request) or not links.owed_through(request.link).exists():
        return redirect("portal_request", token=request.token)
    form = WrongRecipientForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        requests.wrong_recipient(link=request.link, today=request.cabinet.today(), message=form.told())
        return redirect("portal_request", token=request.token)
    return _form(request, "wrong_recipient", form)


@opens_link
@require_safe
def follow_up(request: LinkRequest) -> HttpResponse:
    """Show what was said and what the firm answered; of somebody who is not concerned, nothing else."""
    asked = DebtorRequest.objects.filter(link=request.link)
    hidden = _is_said_not_theirs(request)
    if hidden:
        asked = asked.filter(kind=RequestKind.WRONG_RECIPIENT, state=RequestState.OPEN)
    elif account_of(request.link, on=request.cabinet.today()).is_sensitive and not _is_checked(request):
        return redirect("portal_check", token=request.token)
    rows = list(asked.select_related("invoice").order_by("-received_at")[:MOST_REQUESTS])
    waiting = [row for row in rows if row.state == RequestState.OPEN]
    return _page(
        request,
        "request",
        events=by_day([] if hidden else said_of_plans(request.link), [_said(row, request.cabinet) for row in rows]),
        is_suspended=bool(waiting) and all(requests.is_suspending(row) for row in waiting),
        hidden=hidden,
    )


@opens_link
@WITH_FORM
def check(request: LinkRequest) -> HttpResponse:
    """Ask one known fact before a sensitive invoice is shown."""
    account = account_of(request.link, on=request.cabinet.today())
    if not account.is_sensitive or _is_checked(request):
        return redirect("portal_home", token=request.token)
    numbers = [line.invoice.number for line in (*account.owed, *account.closed)]
    form = CheckForm(_posted(request), postcode=request.link.client.postcode, numbers=numbers)
    if request.method != "POST":
        return _form(request, "check", form)
    if _check_refused(request):
        return _form(request, "check", form, locked=True, status=429)
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
def data(request: LinkRequest) -> HttpResponse:
    """Say what the firm does with the debtor's data, and how to use one's rights."""
    return _page(request, "data")


@opens_link
@require_safe
def recourse(request: LinkRequest) -> HttpResponse:
    """Say where a debtor who disagrees may go, by what they are to the firm."""
    return _page(request, "recourse")


def _page(request: LinkRequest, name: str, *, status: int = 200, **facts: Any) -> HttpResponse:
    kinds = _kinds(request)
    context = {
        "firm": _firm(request.cabinet),
        "cabinet": request.cabinet,
        "token": request.token,
        "today": request.cabinet.today(),
        # No kind known: the consumer's text (law.md § 0).
        "is_consumer": bool(kinds & {ClientKind.CONSUMER, ClientKind.UNKNOWN}),
        "has_batonnier": kinds != {ClientKind.PUBLIC},
        **facts,
    }
    return render(request, f"payments/portal/{name}.html", context, status=status)


def _form(request: LinkRequest, name: str, form: Any, *, status: int = 0, **facts: Any) -> HttpResponse:
    response = _page(request, name, form=form, status=status or (422 if form.errors else 200), **facts)
    response["Referrer-Policy"] = FORM_REFERRER
    return response


def _posted(request: LinkRequest) -> QueryDict | None:
    # An empty form is a form too: it is refused, and says why.
    return request.POST if request.method == "POST" else None


def _firm(cabinet: Cabinet) -> Firm:
    logo = bytes(cabinet.logo or b"")
    url = f"data:{cabinet.logo_type};base64,{base64.b64encode(logo).decode()}" if 0 < len(logo) <= LARGEST_LOGO else ""
    return Firm(cabinet.name, cabinet.bar, cabinet.phone, show_typed_phone(cabinet.phone), cabinet.email, url)


def _kinds(request: LinkRequest) -> set[str]:
    mine = Dossier.objects.filter(client=request.link.client_id, billing_contact=request.link.contact_id)
    return set(mine.values_list("kind", flat=True)) or {request.link.client.kind}


def _note_visit(request: LinkRequest) -> None:
    """Note that the page was shown: once in five minutes, and neither for a machine's prefetch nor for the firm."""
    headers = request.headers
    prefetched = (
        "prefetch" in f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}"
    )
    if request.method != "GET" or prefetched or request.user.is_authenticated:
        return
    now = timezone.now()
    if not LinkVisit.objects.filter(link=request.link, at__gt=now - ONE_VISIT).exists():
        LinkVisit(link=request.link, at=now).save(force_insert=True)


def _is_said_not_theirs(request: LinkRequest) -> bool:
    return DebtorRequest.objects.filter(
        link=request.link, kind=RequestKind.WRONG_RECIPIENT, state=RequestState.OPEN
    ).exists()


def _checked_value(request: LinkRequest) -> str:
    return f"{request.link.pk}/{request.link.version}"


def _is_checked(request: HttpRequest | LinkRequest) -> bool:
    told = request.get_signed_cookie(CHECK_COOKIE, default="", salt=CHECK_SALT, max_age=CHECK_SECONDS)
    return told == _checked_value(request)  # type: ignore[arg-type]  # always a request through a link


def _check_refused(request: LinkRequest) -> bool:
    try:
        return CHECKS.take(str(request.link.pk)) > 0
    except RedisError:
        return True


def _said(asked: DebtorRequest, cabinet: Cabinet) -> Said:
    title = str(asked.get_kind_display())
    if asked.kind != RequestKind.WRONG_RECIPIENT and asked.invoice is not None:
        title = f"{title} – facture {asked.invoice.number}"
    if asked.state == RequestState.OPEN:
        text = "Votre demande est reçue. Le cabinet l’étudie et vous répond ici."
        return Said("info", "hourglass", title, asked.received_at.astimezone(cabinet.zone).date(), text)
    text = str(asked.answer) or "Le cabinet a traité votre demande."
    when = (asked.answered_at or asked.received_at).astimezone(cabinet.zone).date()
    return Said("ok", "circle-check", title, when, text)


# What the pages of a plan share with these.
page_of, form_page, posted, with_form = _page, _form, _posted, WITH_FORM
