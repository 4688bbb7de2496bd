"""Firms that post letters: an account with a double of a provider, and formal notices ready to leave."""

import datetime as dt
import json
from typing import Any

from cabinets.enums import ClientKind
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.channels.postal import PostalAddress
from dunning.enums import Medium, Reason, ReminderState
from dunning.models import ChannelAccount, Letter, Reminder
from dunning.services.claiming import Checked
from dunning.services.letter_parts import WrittenLetter
from tests.dunning.channels.web_double import WebDouble
from tests.factories.cabinets import make_cabinet, make_client, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_check, make_invoice

PDF = b"%PDF-1.7 une mise en demeure"
FORMAL_RANK = 4


def compose(checked: Checked, address: PostalAddress) -> WrittenLetter:
    """Write a letter that holds what a test looks for, and nothing else."""
    return WrittenLetter(
        subject="Mise en demeure",
        text=f"{address.name} {checked.reminder.total_cents}",
        html="<p>Mise en demeure</p>",
        pdf=PDF,
        pages=1,
        text_ref="library:formal:fr:1",
    )


def posting_firm(**facts: Any) -> Cabinet:
    """Make a firm with an address of its own."""
    return make_cabinet(**{"address": "3 place Royale", "postcode": "44000", "city": "Nantes", **facts})


def maileva_account(server: WebDouble, **facts: Any) -> ChannelAccount:
    """Put an account with Maileva's double in service."""
    return _account(
        "maileva",
        options={"client_id": "a", "username": "u", "base_url": server.url, "token_url": f"{server.url}/token"},
        secrets={"client_secret": "s", "password": "p"},
        **facts,
    )


def ar24_account(server: WebDouble, **facts: Any) -> ChannelAccount:
    """Put an account with AR24's double in service."""
    return _account(
        "ar24",
        options={"user_id": "51", "base_url": server.url},
        secrets={"token": "jeton", "private_key": "ma-cle-privee-de-test"},
        **facts,
    )


def _account(provider: str, *, options: dict[str, str], secrets: dict[str, str], **facts: Any) -> ChannelAccount:
    account = ChannelAccount(
        medium=Medium.LETTER,
        provider=provider,
        options=options,
        secrets=json.dumps(secrets),
        **{"is_enabled": True, **facts},
    )
    account.save(force_insert=True)
    return account


def formal_notice(*, kind: ClientKind = ClientKind.PROFESSIONAL, **facts: Any) -> Reminder:
    """Make a formal notice whose departure has come, approved for every reason, its client looked for."""
    client = make_client(kind=kind, **facts.pop("client", {}))
    make_check(client=client)
    invoice = make_invoice(dossier=make_dossier(client=client), due_on=TODAY - dt.timedelta(days=45))
    case = make_case(invoice=invoice, rank=FORMAL_RANK)
    return make_reminder(
        case,
        **{
            "channel": "registered",
            "state": ReminderState.APPROVED,
            "approved_at": dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC),
            "reasons": [reason.value for reason in Reason],
            **facts,
        },
    )


def read(cabinet: Cabinet, reminder: Reminder) -> tuple[Reminder, Letter | None]:
    """Return a reminder and its letter as they are now."""
    with working_for(cabinet_id=cabinet.pk):
        found = Reminder.objects.get(pk=reminder.pk)
        return found, Letter.objects.filter(reminder=reminder).first()
