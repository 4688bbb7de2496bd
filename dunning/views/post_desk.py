"""The post desk: the letters to print and to post, their proofs, and what must not leave."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import InputError
from cabinets.http import CabinetRequest, to_save
from cabinets.permissions import requires
from dunning.errors import DunningError
from dunning.forms.post_desk import PostedForm, SlipForm
from dunning.models import Letter, LetterProof
from dunning.services import post_desk
from dunning.services.reading import letter as reading
from invoices.errors import InvoiceError
from invoices.sealed_files import open_whole
from templates_lib.rendering import typeset

REFUSED = (DunningError, InputError, InvoiceError)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def desk(request: CabinetRequest) -> HttpResponse:
    """List the letters by what is to be done with them."""
    journal.listed(Letter, "post_desk", count=0)
    context = {
        "desk": reading.desk_of(request.cabinet),
        "can_act": request.member.can(Right.APPROVE_REMINDERS),
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/post_desk.html", context)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def letter(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Show one letter and what may be done with it."""
    row = _letter(reminder_id)
    journal.seen(row, "letter")
    return _page(request, row)


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def letter_pdf(request: CabinetRequest, reminder_id: UUID) -> HttpResponseBase:
    """Give the very PDF of a letter."""
    row = _letter(reminder_id)
    journal.seen(row, "letter_pdf")
    # Made here, page by page, from words alone: it may be read where it is.
    response = FileResponse(open_whole(row.stored_as, bound_to=row.bound_to("pdf")), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="lettre-{row.reminder_id}.pdf"'
    return response


@require_GET
@never_cache
@requires(Right.SEE_INVOICES)
def proof_file(request: CabinetRequest, reminder_id: UUID, proof_id: UUID) -> HttpResponseBase:
    """Give a proof as it was kept, to be saved: somebody else made it."""
    kept = get_object_or_404(LetterProof, pk=proof_id, reminder=reminder_id)
    journal.seen(kept, "proof")
    opened = open_whole(kept.stored_as, bound_to=kept.bound_to("file"))
    return to_save(FileResponse(opened, content_type=kept.media_type), name=kept.file_name or "preuve")


@require_POST
@requires(Right.APPROVE_REMINDERS)
def letter_print(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Make the letter of today, or say why it must not leave."""
    row = _letter(reminder_id)
    try:
        why = post_desk.print_letter(reminder_id=reminder_id, by=request.member, again="again" in request.POST)
    except REFUSED as error:
        why = str(error)
    if why:
        messages.error(request, typeset(why))
        return redirect("letter", reminder_id)
    messages.success(request, "La lettre du jour est prête : ouvrez-la, imprimez-la et signez-la.")
    return redirect("letter", row.reminder_id)


@require_POST
@requires(Right.APPROVE_REMINDERS)
def letter_posted(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Note the deposit of a letter, with its number."""
    row = _letter(reminder_id)
    form = PostedForm(request.POST, today=request.cabinet.today(), is_registered=row.is_registered)
    if form.is_valid():
        given = form.cleaned_data
        try:
            post_desk.post(
                reminder_id=reminder_id,
                by=request.member,
                tracking=given.get("tracking", ""),
                posted_on=given["posted_on"],
                is_confirmed=given.get("is_confirmed", False),
            )
        except REFUSED as error:
            form.add_error("tracking" if isinstance(error, InputError) else None, typeset(str(error)))
        else:
            messages.success(request, "Dépôt enregistré. La lettre est suivie jusqu’à sa preuve.")
            return redirect("letter", reminder_id)
    return _page(request, row, posted=form, status=422)


@require_POST
@requires(Right.APPROVE_REMINDERS)
def letter_destroyed(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Note that a cancelled letter was not posted."""
    row = _letter(reminder_id)
    try:
        post_desk.destroy(reminder_id=row.reminder_id, by=request.member)
    except REFUSED as error:
        messages.error(request, typeset(str(error)))
    else:
        messages.success(request, "C’est noté : rien n’est parti.")
    return redirect("post_desk")


@require_POST
@requires(Right.APPROVE_REMINDERS)
def letter_proof(request: CabinetRequest, reminder_id: UUID) -> HttpResponse:
    """Keep a slip of the post office."""
    row = _letter(reminder_id)
    form = SlipForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            post_desk.keep_slip(reminder_id=reminder_id, by=request.member, slip=form.slip())
        except REFUSED as error:
            form.add_error(None, typeset(str(error)))
        else:
            messages.success(request, "Preuve enregistrée, scellée et ajoutée à la chaîne de preuves.")
            return redirect("letter", reminder_id)
    return _page(request, row, slip=form, status=422)


def _letter(reminder_id: UUID) -> Letter:
    rows = Letter.objects.select_related("client", "reminder__step")
    return get_object_or_404(rows, reminder=reminder_id)


def _page(
    request: CabinetRequest,
    row: Letter,
    *,
    posted: PostedForm | None = None,
    slip: SlipForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = request.cabinet.today()
    context = {
        "page": reading.page_of(row, request.cabinet),
        "posted": posted or PostedForm(today=today, is_registered=row.is_registered),
        "slip": slip or SlipForm(),
        "can_act": request.member.can(Right.APPROVE_REMINDERS),
    }
    return render(request, "dunning/letter.html", context, status=status)
