"""What providers of letters tell by themselves: only which letter to ask them about again."""

from functools import partial

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cabinets.permissions import public
from cabinets.scoping import working_for
from dunning import tasks
from dunning.models import ChannelAccount, Letter
from dunning.services import letter_accounts

LARGEST = 2_000_000
AT_MOST = 100


@csrf_exempt
@require_POST
@public
def notice(request: HttpRequest, token: str) -> HttpResponse:
    """Take a notice at the firm's own unguessable address; believe nothing of it, and ask the provider."""
    cabinet_id = letter_accounts.firm_of_hook(token)
    if cabinet_id is None:
        raise Http404
    body = request.body[:LARGEST]
    with working_for(cabinet_id=cabinet_id):
        account = get_object_or_404(ChannelAccount, hook_hash=letter_accounts.hook_digest(token))
        named = letter_accounts.provider_of(account).parse_webhook(headers=dict(request.headers), body=body)
        letters = Letter.objects.filter(route=account.provider, provider_ref__in=named.references[:AT_MOST])
        ids = [str(pk) for pk in letters.values_list("pk", flat=True)]
        letters.exclude(poll_at=None).update(poll_at=timezone.now())
        if ids:
            transaction.on_commit(partial(tasks.poll_letters.delay, ids))
    return HttpResponse("ok", content_type="text/plain")
