"""« Prélever mes versements »: agreed on one page of ours, signed on the provider's, stopped from ours at once."""

from contextlib import suppress
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from cabinets.scoping import tenant_atomic
from payments.enums import MandateState, PlanState
from payments.errors import CheckoutError, ProviderError
from payments.models import Mandate, PaymentPlan
from payments.portal.access import finds_link, opens_link
from payments.portal.mandate_forms import ConsentForm
from payments.portal.pages import form_page, page
from payments.portal.pay_views import LEADING, PAGES, REFUSED, SILENT, TOO_MANY
from payments.portal.views import AccountRequest, shows_account, turn_away
from payments.providers.protocol import SHORT_TIMEOUT_SECONDS
from payments.services import mandates, plans, roads
from payments.services.plan_reading import view_of

TOO_OFTEN = "Trop de demandes ont été faites depuis ce lien. Rien n’a été demandé : patientez dix minutes."
NO_ANSWER = (
    "La page de signature ne répond pas pour le moment. Rien n’a été demandé : réessayez dans quelques minutes. Vos"
    " dates restent les mêmes, et se paient aussi depuis cette page."
)


@opens_link
@require_safe
@shows_account
def ask(request: AccountRequest) -> HttpResponse:
    """Show what collecting means, word for word, before anything is agreed."""
    plan = _plan(request)
    if plan is None or not mandates.is_offered(plan, request.cabinet):
        return redirect("portal_plan", token=request.token)
    return _show(request, plan, ConsentForm(consent=mandates.consent_to(plan, cabinet=request.cabinet)))


@finds_link
@require_POST
def agree(request: AccountRequest) -> HttpResponse:
    """Note the debtor's agreement and lead to the page where the mandate is signed."""
    with tenant_atomic():
        if (elsewhere := turn_away(request)) is not None:
            return elsewhere
        plan = _plan(request)
        if plan is None or not mandates.is_offered(plan, request.cabinet):
            return redirect("portal_plan", token=request.token)
        form = ConsentForm(request.POST, consent=mandates.consent_to(plan, cabinet=request.cabinet))
        if not form.is_valid():
            return _show(request, plan, form)
    refusal, status = TOO_OFTEN, TOO_MANY
    if not _is_too_much(request):
        try:
            mandate = mandates.begin(link=request.link, plan_id=plan.pk, consent=form.cleaned_data["texte"])
        except CheckoutError as told:
            refusal, status = str(told), REFUSED
        except ProviderError:
            refusal, status = NO_ANSWER, SILENT
        else:
            if mandate.state == MandateState.SIGNED:
                return redirect("portal_plan", token=request.token)
            return redirect("portal_mandate_leave", token=request.token, mandate_id=mandate.pk)
    with tenant_atomic():
        form.add_error(None, refusal)
        return _show(request, plan, form, status=status)


@opens_link
@require_safe
@shows_account
def leave(request: AccountRequest, mandate_id: UUID) -> HttpResponse:
    """Lead to the provider's page, by itself and by a link."""
    plan = _plan(request)
    found = Mandate.objects.filter(pk=mandate_id, plan=plan, state=MandateState.ASKED).select_related("account").first()
    if plan is None or found is None or not str(found.url).startswith(LEADING):
        return redirect("portal_plan", token=request.token)
    return page(request, "mandate_leave", url=found.url, provider=found.account.get_provider_display())


@finds_link
@require_safe
def back(request: AccountRequest) -> HttpResponse:
    """Come back from the provider's page: it is asked, then the plan tells; nothing is called signed before it is."""
    with tenant_atomic():
        plan = _plan(request)
        asked = None if plan is None else mandates.standing(plan)
    if asked is not None and asked.state == MandateState.ASKED and asked.ref:
        with suppress(ProviderError):
            mandates.ask(mandate_id=asked.pk, timeout=SHORT_TIMEOUT_SECONDS)
    return redirect("portal_plan", token=request.token)


@opens_link
@require_POST
@shows_account
def stop(request: AccountRequest) -> HttpResponse:
    """End what the debtor allowed, from this instant; the dates stand."""
    plan = plans.running_plan(request.link)
    if plan is not None:
        mandates.withdraw(link=request.link, plan_id=plan.pk)
    return redirect("portal_plan", token=request.token)


def _plan(request: AccountRequest) -> PaymentPlan | None:
    plan = plans.running_plan(request.link)
    return plan if plan is not None and plan.state == PlanState.ACTIVE else None


def _show(request: AccountRequest, plan: PaymentPlan, form: ConsentForm, *, status: int = 0) -> HttpResponse:
    account = roads.collecting_account(request.cabinet)
    provider = "" if account is None else account.get_provider_display()
    view = view_of(plan, on=request.cabinet.today())
    return form_page(request, "mandate_ask", form, view=view, provider=provider, status=status)


def _is_too_much(request: AccountRequest) -> bool:
    try:
        return PAGES.take(str(request.link.pk)) > 0
    except RedisError:
        return False
