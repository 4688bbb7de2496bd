"""GoCardless's signed notices: a batch of events, each naming what to fetch again."""

from collections.abc import Mapping, Sequence
from typing import Any

from gocardless_pro import webhooks
from gocardless_pro.errors import InvalidSignatureError

from payments.errors import NoticeError
from payments.providers.protocol import Notice

HEADER = "Webhook-Signature"
SHAPELESS = "Cette annonce signée n’a pas la forme que GoCardless décrit."
# What each event names, by the kind of thing it is about; a refund leads to its payment.
NAMED = {"billing_requests": "billing_request", "payments": "payment", "refunds": "refund", "mandates": "mandate"}


def read(*, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> list[Notice]:
    """Check the signature on the raw body, by any secret still good, and return what the batch announces."""
    signature = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
    for secret in secrets:
        events = _events(body, secret, signature)
        if events is not None:
            return [_notice(event) for event in events]
    raise NoticeError("La signature de cette annonce manque ou est fausse.")


def _events(body: bytes, secret: str, signature: str) -> list[dict[str, Any]] | None:
    # Anything but hexadecimal is compared with nothing.
    if not signature.isascii():
        return None
    try:
        events = [event.attributes for event in webhooks.parse(body, secret, signature)]
    except InvalidSignatureError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoticeError(SHAPELESS) from error
    if not all(isinstance(event, dict) for event in events):
        raise NoticeError(SHAPELESS)
    return events


def _notice(event: dict[str, Any]) -> Notice:
    event_id, about, action = event.get("id"), event.get("resource_type"), event.get("action")
    links = event.get("links")
    if not (isinstance(event_id, str) and isinstance(about, str) and isinstance(links, dict)):
        raise NoticeError(SHAPELESS)
    named = links.get(NAMED.get(about, ""))
    is_named = isinstance(named, str) and bool(named)
    is_order = about in {"billing_requests", "mandates"}
    return Notice(
        event_id=event_id,
        kind=f"{about}.{action}"[:60],
        ref=str(named) if is_named and is_order else "",
        payment_ref=str(named) if is_named and not is_order else "",
        is_about_payments=is_named,
    )
