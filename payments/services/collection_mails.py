"""Mails that tell the partners of another live key, and of a live account in service: money goes where they lead."""

from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from cabinets.bank_changes import SETTLED_FOR
from cabinets.enums import AccountMailKind, Right
from cabinets.models import Cabinet
from cabinets.services import account_mails, partners
from payments.models import ProviderAccount
from payments.services import held_keys

EVENTS = {
    AccountMailKind.COLLECTION_KEY: ("provider_account.changed", "provider_account.key_held"),
    AccountMailKind.COLLECTION_SERVICE: ("provider_account.switched",),
}


def tell(kind: AccountMailKind, account: ProviderAccount) -> None:
    """Have every partner told, those let go lately included, in the caller's transaction."""
    whom = partners.since(timezone.now() - SETTLED_FOR)
    account_mails.ask(kind, users=whom.values_list("user_id", flat=True), subject_id=account.pk)


def told(*, kind: AccountMailKind, subject_id: UUID, user_id: UUID) -> str | None:
    """Write to who was a partner when it was asked for, never a key; None to nobody of the firm."""
    with account_mails.read_by(ProviderAccount, subject_id=subject_id, user_id=user_id) as reader:
        if reader is None:
            return None
        account = ProviderAccount.objects.get(pk=subject_id)
        context = {
            "firm": Cabinet.objects.get(),
            "what": kind.removeprefix("collection_"),
            "provider": account.get_provider_display(),
            "held": held_keys.of(account),
            "by": partners.author_of(partners.last_line(subject_id=account.pk, events=EVENTS[kind])),
            "may_act": reader.can(Right.MANAGE_FIRM),
            "link": f"{settings.SITE_URL}/parametres/encaissement/",
        }
        return render_to_string("payments/mail_collection.txt", context)
