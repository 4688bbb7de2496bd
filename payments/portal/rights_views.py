"""« Vos données » and « Choisir un canal »: rights and preferences, open to whoever holds the link."""

from django.http import HttpResponse
from django.shortcuts import redirect

from payments import ports
from payments.enums import DataRight
from payments.portal.access import LinkRequest, opens_link
from payments.portal.forms import ANY_WAY, ChannelForm, DataForm
from payments.portal.pages import form_page, posted
from payments.portal.views import WITH_FORM, is_said_not_theirs
from payments.services import rights


@opens_link
@WITH_FORM
def data(request: LinkRequest) -> HttpResponse:
    """Say what the firm does with the debtor's data, and take what they ask about it."""
    form = DataForm(posted(request))
    if request.method != "POST" or not form.is_valid():
        is_contact = request.link.contact_id is not None
        return form_page(
            request, "data", form, told=ports.informer().information(request.cabinet, is_contact=is_contact)
        )
    rights.ask_about_data(
        link=request.link,
        right=DataRight(form.cleaned_data["right"]),
        today=request.cabinet.today(),
        message=form.cleaned_data["message"].strip(),
    )
    return redirect("portal_request", token=request.token)


@opens_link
@WITH_FORM
def channel(request: LinkRequest) -> HttpResponse:
    """Take how the debtor would rather be written to; whoever is not concerned chooses nothing for them."""
    if is_said_not_theirs(request):
        return redirect("portal_request", token=request.token)
    link = request.link
    has_mobile, refuses = (link.contact or link.client).has_mobile, rights.refuses_sms(link)
    form = ChannelForm(
        posted(request),
        initial={"preference": rights.preference_of(link) or ANY_WAY},
        gets_sms=has_mobile and not refuses,
    )
    if request.method != "POST" or not form.is_valid():
        return form_page(
            request, "channel", form, is_saved=request.GET.get("choix") == "1", refuses_sms=has_mobile and refuses
        )
    if form.cleaned_data.get("refuses_sms"):
        rights.refuse_sms(link=link)
    rights.prefer(link=link, preference=form.preferred(), today=request.cabinet.today())
    response = redirect("portal_channel", token=request.token)
    response["Location"] += "?choix=1"
    return response
