"""« Conformité »: the checklist, the agreement, who receives the data, what people vouch for."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.forms.fields import add_refusal
from cabinets.http import CabinetRequest, as_download
from cabinets.permissions import requires
from gdpr.enums import Attested
from gdpr.errors import GdprError
from gdpr.forms import AttestationForm
from gdpr.models import Agreement, ComplianceStatement
from gdpr.services import agreement as agreements
from gdpr.services import centre, chain_of_processors
from gdpr.services import statement as statements

REFUSED = 422
PDF = "application/pdf"
SHOWN = 12


@require_GET
@requires(Right.MANAGE_FIRM)
def page(request: CabinetRequest) -> HttpResponse:
    """Show the seven items, what each was found on, and where to act."""
    found = centre.checks(cabinet=request.cabinet)
    journal.record("compliance.seen", None)
    met = sum(one.is_met for one in found)
    signed = ComplianceStatement.objects.select_related("signed_by__user").order_by("-signed_at")[:SHOWN]
    context = {"checks": found, "met": met, "count": len(found), "signed": signed, "proofs": statements.proofs()}
    return render(request, "gdpr/centre.html", context)


@require_POST
@requires(Right.MANAGE_FIRM)
def sign_statement(request: CabinetRequest) -> HttpResponse:
    """Sign the state of the checklist as it stands, and keep it."""
    statements.sign(by=request.member)
    messages.success(request, "L’état de conformité est signé et archivé, avec son empreinte.")
    return redirect("gdpr_centre")


@require_GET
@requires(Right.MANAGE_FIRM)
def statement(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Give a statement as it was signed."""
    row = get_object_or_404(ComplianceStatement, pk=pk)
    day = row.signed_at.astimezone(request.cabinet.zone)
    content = statements.read(statement_id=pk)
    return as_download(content, media_type=PDF, name=f"conformite-{day:%Y-%m-%d}.pdf")


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_FIRM)
def agreement(request: CabinetRequest) -> HttpResponse:
    """Read the agreement in force, and sign it in the firm's name."""
    status = None
    if request.method == "POST":
        try:
            agreements.sign(by=request.member)
        except GdprError as refusal:
            messages.error(request, str(refusal))
            status = REFUSED
        else:
            messages.success(request, "L’accord est signé et archivé, avec son empreinte.")
            return redirect("gdpr_agreement")
    journal.record("agreement.seen", None)
    signed = Agreement.objects.select_related("signed_by__user").order_by("-signed_at")
    context = {
        "state": agreements.state(),
        "signed": signed,
        "processors": chain_of_processors.of_the_installation(on=request.cabinet.today()),
    }
    return render(request, "gdpr/agreement.html", context, status=status)


@require_GET
@requires(Right.MANAGE_FIRM)
def agreement_document(request: CabinetRequest) -> HttpResponse:
    """Give the agreement in force, before it is signed."""
    journal.record("agreement.read", None)
    response = HttpResponse(agreements.document(cabinet=request.cabinet), content_type=PDF)
    response["Content-Disposition"] = f'attachment; filename="accord-{agreements.VERSION}.pdf"'
    return response


@require_GET
@requires(Right.MANAGE_FIRM)
def agreement_signed(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Give an agreement as it was signed."""
    row = get_object_or_404(Agreement, pk=pk)
    content = agreements.read(agreement_id=pk)
    return as_download(content, media_type=PDF, name=f"accord-{row.version}-signe.pdf")


@require_http_methods(["GET", "POST"])
@requires(Right.OWN_ACCOUNT)
def attest(request: CabinetRequest, kind: str) -> HttpResponse:
    """Vouch for the privacy page, the training or the yearly audit."""
    if kind not in Attested.values:
        raise Http404
    what = Attested(kind)
    if what != Attested.TRAINING and not request.member.can(Right.MANAGE_FIRM):
        raise Http404
    form = AttestationForm(request.POST or None, kind=what, today=request.cabinet.today())
    if form.is_bound and form.is_valid():
        try:
            centre.attest(by=request.member, kind=what, **form.cleaned_data)
        except GdprError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "C’est attesté, à votre nom et à ce jour.")
            return redirect("gdpr_centre" if request.member.can(Right.MANAGE_FIRM) else "security")
    journal.record("attestation.asked", None, kind=what.value)
    context = {"form": form, "what": what, "firm": request.cabinet}
    return render(request, "gdpr/attest.html", context, status=REFUSED if form.errors else None)
