"""Équipe: who works here, with which role, and who is invited."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cabinets import journal, tasks
from cabinets.enums import RIGHTS, Right, Role
from cabinets.errors import CabinetError
from cabinets.forms.people import InviteForm, JoinForm, MemberForm
from cabinets.forms.sign_in import ConfirmPasswordForm
from cabinets.http import CabinetRequest, address_of, keep_home
from cabinets.models import Cabinet, Invitation, Membership, User
from cabinets.permissions import public, requires
from cabinets.scoping import working_for
from cabinets.services import people, sign_in, throttle
from cabinets.views.sign_in import person_of

page = require_http_methods(["GET", "POST"])


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as the page shows it; its link makes whoever opens it what it offers."""

    invitation: Invitation
    link: str
    is_open: bool
    is_theirs: bool
    """Who reads the page may give this role: no other is shown the link."""


@page
@sensitive_post_parameters("password")
@never_cache
@requires(Right.MANAGE_PEOPLE)
def team(request: CabinetRequest) -> HttpResponse:
    """List the members and the invitations, and invite."""
    form = InviteForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and _invited(request, form):
        return redirect("team")
    now = timezone.now()
    members = sorted(Membership.objects.select_related("user"), key=lambda m: (not m.is_active, str(m.user).lower()))
    offers = [_offer(row, now=now, by=request.member) for row in people.pending().order_by("-created_at")]
    journal.listed(Membership, "team", count=len(members))
    context = {"form": form, "members": members, "offers": offers, "zone": request.cabinet.zone}
    context["can_send"] = bool(settings.EMAIL_HOST)
    return render(request, "cabinets/team.html", context, status=422 if form.errors else 200)


def _offer(row: Invitation, *, now: dt.datetime, by: Membership) -> Offer:
    is_theirs = people.may_give(Role(row.role), by=by)
    link = people.link_of(invitation_id=row.pk) if is_theirs else ""
    return Offer(row, link, people.is_open(row, now=now), is_theirs)


def _invited(request: CabinetRequest, form: InviteForm) -> bool:
    try:
        offer = people.invite(email=form.cleaned_data["email"], role=form.cleaned_data["role"], by=request.member)
    except CabinetError as error:
        form.add_error(None, str(error))
        return False
    if settings.EMAIL_HOST:
        tasks.send_invitation.delay_on_commit(str(offer.pk))  # type: ignore[attr-defined]  # missing from its stubs
        messages.success(request, "L’invitation part par e-mail. Elle est valable 7 jours.")
    else:
        messages.warning(
            request,
            "L’invitation est prête, valable 7 jours. Aucun serveur d’envoi n’est réglé : copiez son lien ci-dessous "
            "et transmettez-le vous-même.",
        )
    return True


@require_POST
@requires(Right.MANAGE_PEOPLE)
def revoke_invitation(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Withdraw an invitation."""
    return _act(
        request,
        lambda: people.revoke(invitation=get_object_or_404(Invitation, pk=pk)),
        done="L’invitation est annulée : son lien n’ouvre plus rien.",
    )


@page
@sensitive_post_parameters("password")
@never_cache
@requires(Right.MANAGE_PEOPLE)
def member_page(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Show one member, and give them another role."""
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    initial = {"role": member.role, "wider": member.sees_every_file}
    form = MemberForm(request.POST or None, request=request, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            people.change_role(member=member, role=given["role"], wider=given["wider"], by=request.member)
        except CabinetError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Le rôle est enregistré : il vaut dès la prochaine page ouverte.")
            return redirect("team")
    journal.seen(member, "member")
    context = {"form": form, "member": member, "is_self": member.pk == request.member.pk}
    return render(request, "cabinets/member.html", context, status=422 if form.errors else 200)


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.MANAGE_PEOPLE)
def deactivate_member(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Ask the password, then shut the firm to a member: one left out no longer refuses anything."""
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    form = ConfirmPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        done = f"{member.user} n’a plus accès au cabinet. Ses sessions sont terminées."
        return _act(request, lambda: people.deactivate(member=member, by=request.member), done=done)
    context = {
        "form": form,
        "title": f"Retirer l’accès de {member.user} ?",
        "text": "Ses sessions se terminent aussitôt. Ses dossiers et son historique restent au cabinet.",
        "label": "Retirer l’accès",
        "back_url": f"/parametres/equipe/{member.pk}/",
        "danger": True,
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


@page
@sensitive_post_parameters("current")
@never_cache
@requires(Right.MANAGE_PEOPLE)
def reactivate_member(request: CabinetRequest, pk: UUID) -> HttpResponse:
    """Ask the password, then open the firm to a former member again: whoever comes back opens all they opened."""
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    form = ConfirmPasswordForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        done = f"{member.user} a de nouveau accès au cabinet."
        return _act(request, lambda: people.reactivate(member=member, by=request.member), done=done)
    context = {
        "form": form,
        "title": f"Rendre l’accès à {member.user} ?",
        "text": f"Cette personne revient avec le rôle qu’elle avait : {member.get_role_display().lower()}.",
        "label": "Rendre l’accès",
        "back_url": f"/parametres/equipe/{member.pk}/",
        "danger": False,
    }
    return render(request, "confirm.html", context, status=422 if form.errors else 200)


def _act(request: CabinetRequest, act: Callable[[], None], *, done: str) -> HttpResponse:
    try:
        act()
    except CabinetError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("team")


@require_GET
@requires(Right.OWN_ACCOUNT)
def rights(request: CabinetRequest) -> HttpResponse:
    """Show who may do what, role by role."""
    rows = [(right.label, [right in RIGHTS[role] for role in Role]) for right in Right]
    return render(request, "cabinets/rights.html", {"roles": [role.label for role in Role], "rows": rows})


@page
@sensitive_post_parameters("password")
@never_cache
@public
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person join: with their account, or with a new one."""
    wait = throttle.ADDRESS.take(f"invitation|{address_of(request)}")
    place = None if wait else people.place_of(token=token)
    if place is None:
        return render(request, "cabinets/invitation_over.html", {"firm": None}, status=404)
    with working_for(cabinet_id=place[1]):
        firm, offer = Cabinet.objects.get(pk=place[1]), Invitation.objects.get(pk=place[0])
    if not people.is_open(offer, now=timezone.now()):
        return render(request, "cabinets/invitation_over.html", {"firm": firm}, status=410)
    if User.objects.filter(email=offer.email).exists():
        return _join_with_account(request, token, firm, offer)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = people.join(token=token, user=None, **form.cleaned_data)
        except CabinetError as error:
            form.add_error(None, str(error))
        else:
            sign_in.open_session(request=request, user=person)
            return redirect("second_factor")
    context = {"form": form, "firm": firm, "offer": offer, "role": Role(offer.role).label}
    return keep_home(render(request, "cabinets/invitation.html", context, status=422 if form.errors else 200))


def _join_with_account(request: HttpRequest, token: str, firm: Cabinet, offer: Invitation) -> HttpResponse:
    person = person_of(request) if request.user.is_authenticated else None
    refusal = ""
    if request.method == "POST" and person is not None:
        try:
            people.join(token=token, user=person)
        except CabinetError as error:
            refusal = str(error)
        else:
            messages.success(request, f"Vous faites partie de l’équipe : {firm.name}.")
            return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"firm": firm, "offer": offer, "role": Role(offer.role).label, "person": person, "refusal": refusal}
    return keep_home(render(request, "cabinets/invitation_account.html", context, status=422 if refusal else 200))
