"""« Modèles »: the firm's words at each place; written, checked, published, signed off, compared, taken elsewhere."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal
from cabinets.enums import Right
from cabinets.http import CabinetRequest
from cabinets.permissions import requires
from dunning.forms.texts import TextFileForm, TextForm
from dunning.services import texts as service
from dunning.services.reading import text_pages as reading
from dunning.services.reading.texts import FORM_LABELS, choices, show
from dunning.views.approvals import PREVIEW_POLICY
from templates_lib import authoring, portable
from templates_lib.authoring import Place
from templates_lib.comparing import changes
from templates_lib.enums import Kind, kind_of
from templates_lib.errors import NoTextError, TextError, TextRefusedError

page = require_http_methods(["GET", "POST"])
REFUSED = 422
PARTS = {"subject": "objet", "body": "texte"}


@require_GET
@requires(Right.EDIT_TEXTS)
def texts(request: CabinetRequest) -> HttpResponse:
    """List what is said at each step, on each channel, to one kind of client."""
    kind = kind_of(request.GET.get("qualite") or Kind.PROFESSIONAL)
    tabs = [{"label": one.label, "url": f"?qualite={one.value}", "current": one is kind} for one in Kind]
    rows = reading.rows_for(kind)
    read = reading.read_through(rows, kind=kind, cabinet=request.cabinet)
    if read.invoice:
        journal.record("text.previewed", None, kind=kind.value, count=len(read.said))
    return render(request, "dunning/texts.html", {"rows": rows, "read": read, "tabs": tabs, "kind": kind})


@page
@never_cache
@requires(Right.EDIT_TEXTS)
def text(request: CabinetRequest, place: str) -> HttpResponse:
    """Write a text: keep a draft, publish it, or send oneself a trial."""
    here = _place(place)
    form = _form(request, here)
    if request.method == "POST" and form.is_valid():
        act = _ACTS.get(request.POST.get("acte", ""), _save)
        try:
            messages.success(request, act(request, here, form))
        except TextRefusedError:
            return _desk(request, here, _form(request, here), status=REFUSED, refused=True)
        except TextError as error:
            form.add_error(None, str(error))
        else:
            return redirect("text", place)
    return _desk(request, here, form, status=REFUSED if form.errors else 200)


def _desk(
    request: CabinetRequest, here: Place, form: TextForm, *, status: int = 200, refused: bool = False
) -> HttpResponse:
    desk = reading.desk_of(place=here, cabinet=request.cabinet)
    context = {
        "desk": desk,
        "form": form,
        "refused": refused,
        "may_sign": request.member.can(Right.APPROVE_FORMAL_NOTICES),
        "tabs": [{"label": _tab(one), "url": f"/modeles/{one.key}/", "current": one == here} for one in desk.siblings],
        "zone": request.cabinet.zone,
    }
    return render(request, "dunning/text.html", context, status=status)


def _tab(place: Place) -> str:
    return place.channel.label if place.language == "fr" else f"{place.channel.label} ({place.language_label.lower()})"


def _save(request: CabinetRequest, here: Place, form: TextForm) -> str:
    authoring.save_draft(place=here, forms=form.words(), by=request.member)
    return "Brouillon enregistré. Rien ne change pour vos clients tant qu’il n’est pas publié."


def _publish(request: CabinetRequest, here: Place, form: TextForm) -> str:
    authoring.save_draft(place=here, forms=form.words(), by=request.member)
    note = form.cleaned_data["note"]
    version = service.publish(place=here, note=note, cabinet=request.cabinet, by=request.member)
    return (
        f"Version {version.number} publiée : les prochains messages la porteront. Ceux déjà approuvés ne changent pas."
    )


def _try(request: CabinetRequest, here: Place, form: TextForm) -> str:
    authoring.save_draft(place=here, forms=form.words(), by=request.member)
    version = authoring.text_of(here, form.words())
    shown = show(
        version=version, form=form.cleaned_data["shown"] or "one", invoice_id=form.invoice_id(), cabinet=request.cabinet
    )
    if shown.problem:
        raise TextError(f"Aucun essai n’est parti. {shown.problem}")
    service.send_trial(place=here, shown=shown, cabinet=request.cabinet, by=request.member)
    return "L’essai part dans la minute, à votre seule adresse. Aucun client ne le reçoit."


_ACTS: dict[str, Callable[[CabinetRequest, Place, TextForm], str]] = {"publier": _publish, "essai": _try}


@page
@never_cache
@xframe_options_sameorigin
@requires(Right.EDIT_TEXTS)
def text_preview(request: CabinetRequest, place: str) -> HttpResponse:
    """Give the text as its reader would see it, alone in its frame; what was typed is shown and not kept."""
    here = _place(place)
    form = _form(request, here)
    version, name, invoice_id = form.version, "one", None
    options = choices(here, on=request.cabinet.today())
    if request.method == "GET" and options:
        invoice_id = UUID(options[0][0])
    if request.method == "POST" and form.is_valid():
        version = authoring.text_of(here, form.words())
        name, invoice_id = form.cleaned_data["shown"] or "one", form.invoice_id()
    shown = show(version=version, form=name, invoice_id=invoice_id, cabinet=request.cabinet)
    journal.record("text.previewed", None, place=here.key)
    response = HttpResponse(shown.html)
    response["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@require_GET
@requires(Right.EDIT_TEXTS)
def text_compare(request: CabinetRequest, place: str) -> HttpResponse:
    """Show what changed between two versions, or between one and the draft."""
    here = _place(place)
    desk = reading.desk_of(place=here, cabinet=request.cabinet)
    known = {one.version.ref: one for one in desk.history}
    before = known.get(request.GET.get("de", "")) or next(one for one in desk.history if one.is_in_force)
    after = known.get(request.GET.get("a", ""))
    found = [
        (f"{FORM_LABELS[one.form]}, {PARTS[one.part]}", one)
        for one in changes(before.version, after.version if after else desk.version)
    ]
    same = [label for label, one in found if one.is_same]
    context = {"desk": desk, "before": before, "after": after, "changes": found, "same": same}
    return render(request, "dunning/text_compare.html", context)


@require_POST
@requires(Right.EDIT_TEXTS)
def text_restore(request: CabinetRequest, place: str) -> HttpResponse:
    """Take an earlier version up again, as a draft."""

    def act(here: Place) -> str:
        authoring.restore(place=here, ref=request.POST.get("version", ""), by=request.member)
        return "Cette version est reprise en brouillon. Publiez-la pour qu’elle parte."

    return _do(request, place, act)


@require_POST
@requires(Right.EDIT_TEXTS)
def text_drop(request: CabinetRequest, place: str) -> HttpResponse:
    """Throw the draft away."""

    def act(here: Place) -> str:
        authoring.drop_draft(place=here, by=request.member)
        return "Brouillon abandonné. Le texte en vigueur n’a pas changé."

    return _do(request, place, act)


@require_POST
@requires(Right.EDIT_TEXTS)
def text_library(request: CabinetRequest, place: str) -> HttpResponse:
    """Go back to the library's text."""

    def act(here: Place) -> str:
        service.back_to_library(place=here, cabinet=request.cabinet, by=request.member)
        return "Le texte de la bibliothèque est de nouveau en vigueur. Vos versions restent ici."

    return _do(request, place, act)


@require_POST
@requires(Right.APPROVE_FORMAL_NOTICES)
def text_sign_off(request: CabinetRequest, place: str) -> HttpResponse:
    """Record that a lawyer read a version and answers for it."""

    def act(here: Place) -> str:
        authoring.sign_off(place=here, ref=request.POST.get("version", ""), by=request.member)
        return "Votre relecture est enregistrée sur cette version."

    return _do(request, place, act)


@require_GET
@requires(Right.EDIT_TEXTS)
def texts_export(request: CabinetRequest) -> HttpResponse:
    """Give the texts in force as files anybody can open."""
    journal.record("text.exported", None)
    response = HttpResponse(portable.export(), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="modeles.zip"'
    return response


@page
@requires(Right.EDIT_TEXTS)
def texts_import(request: CabinetRequest) -> HttpResponse:
    """Take texts in from a file, as drafts."""
    form = TextFileForm(request.POST or None, request.FILES or None)
    taken: list[Place] | None = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            content = file.read(portable.LARGEST_BYTES + 1)
            taken = portable.take_in(name=file.name, content=content, by=request.member)
        except TextError as error:
            form.add_error("file", str(error))
    status = REFUSED if form.errors else 200
    return render(request, "dunning/texts_import.html", {"form": form, "taken": taken}, status=status)


def _do(request: CabinetRequest, place: str, act: Callable[[Place], str]) -> HttpResponse:
    here = _place(place)
    try:
        messages.success(request, act(here))
    except NoTextError as error:
        raise Http404 from error
    except TextError as error:
        messages.error(request, str(error))
    return redirect("text", place)


def _form(request: CabinetRequest, here: Place) -> TextForm:
    version = authoring.draft_of(here, authoring.template_of(here)) or here.in_force
    return TextForm(
        request.POST or None, place=here, version=version, invoices=choices(here, on=request.cabinet.today())
    )


def _place(key: str) -> Place:
    place = authoring.place_of(key)
    if place is None:
        raise Http404
    return place
