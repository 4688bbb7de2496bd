"""« Voir la facture »: the firm's own document, behind a code sent to the address the firm knows."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from cabinets.errors import FileLostError
from cabinets.http import as_download
from cabinets.services import lost_files
from payments.portal.access import LinkRequest, opens_link
from payments.portal.forms import AskCodeForm, CodeForm
from payments.portal.pages import form_page, page, posted
from payments.portal.views import WITH_FORM, AccountRequest, shows_account
from payments.services import details, link_messages

COOKIE, SALT, SECONDS = "detail", "payments.portal.detail", 30 * 60


@opens_link
@WITH_FORM
@shows_account
def detail(request: AccountRequest) -> HttpResponse:
    """List the documents to whoever gave the code; offer the code to anybody else, whoever may be reached by it."""
    shown = details.readable_through(request.link, request.account.invoices)
    copies = details.copies_for(request.link)
    if _is_open(request) or not (copies or details.has_documents(shown)):
        return page(request, "detail", documents=details.documents_of(shown), copies=copies)
    form = AskCodeForm(posted(request))
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "detail_ask", form)
    if not link_messages.ask_code(link=request.link):
        return form_page(request, "detail_ask", form, too_often=True, status=429)
    return redirect("portal_detail_code", token=request.token)


@opens_link
@WITH_FORM
@shows_account
def code(request: AccountRequest) -> HttpResponse:
    """Take the code, and open the documents for half an hour."""
    has_something = details.may_read(request.link) or details.copies_for(request.link)
    if _is_open(request) or not has_something:
        return redirect("portal_detail", token=request.token)
    form = CodeForm(posted(request))
    if request.method != "POST" or not form.is_valid():
        return form_page(request, "detail_code", form)
    if not link_messages.check_code(link=request.link, typed=form.cleaned_data["code"]):
        form.add_error("code", "Ce code ne convient pas ou n’est plus valable. Vérifiez-le, ou demandez-en un autre.")
        return form_page(request, "detail_code", form)
    response = redirect("portal_detail", token=request.token)
    response.set_signed_cookie(
        COOKIE,
        _opened(request),
        salt=SALT,
        max_age=SECONDS,
        path=f"/p/{request.token}/detail/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@opens_link
@require_safe
@shows_account
def document(request: AccountRequest, document_id: UUID) -> HttpResponse:
    """Hand a document over, to be saved and never shown in the page."""
    if not _is_open(request):
        return redirect("portal_detail", token=request.token)
    shown = details.readable_through(request.link, request.account.invoices)
    try:
        found = details.hand_over(link=request.link, document_id=document_id, invoices=shown)
    except FileLostError as lost:
        return _lost(request, lost)
    if found is None:
        return _missing(request)
    row, data = found
    return as_download(data, media_type=row.media_type, name=row.file_name)


@opens_link
@require_safe
@shows_account
def copy(request: AccountRequest, asked_id: UUID) -> HttpResponse:
    """Hand over the copy of their data that its reader asked for, once the firm has answered."""
    if not _is_open(request):
        return redirect("portal_detail", token=request.token)
    try:
        data = details.hand_over_copy(link=request.link, asked_id=asked_id)
    except FileLostError as lost:
        return _lost(request, lost)
    if data is None:
        return _missing(request)
    return as_download(data, media_type="application/zip", name="vos-donnees.zip")


def _lost(request: AccountRequest, lost: FileLostError) -> HttpResponse:
    lost_files.warn(lost, place="portal")
    lost_files.note(lost, place="portal")
    return _missing(request)


def _missing(request: AccountRequest) -> HttpResponse:
    shown = details.readable_through(request.link, request.account.invoices)
    facts = {"documents": details.documents_of(shown), "copies": details.copies_for(request.link)}
    return page(request, "detail", **facts, is_missing=True, status=404)


def _opened(request: LinkRequest) -> str:
    return f"{request.link.pk}/{request.link.version}"


def _is_open(request: HttpRequest | LinkRequest) -> bool:
    told = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=SECONDS)
    return told == _opened(request)  # type: ignore[arg-type]  # always a request through a link
