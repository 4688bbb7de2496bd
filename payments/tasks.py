"""Wake-ups: the tables are the queue, a task only carries ids. Losing one run loses nothing."""

from itertools import islice
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services.firm import every_firm
from payments.enums import LineState
from payments.models import BankFeed, BankLine
from payments.services import asking, bank_feed, bank_finding, link_messages, mandates, notices, provider_accounts

BATCH = 25


@shared_task(name="payments.tasks.sweep_payments")
def sweep_payments() -> None:
    """Every minute: handle the notices that wait, ask about payments and mandates nobody announced anything of."""
    now = timezone.now()
    for ids in notices.due(now=now).values():
        for notice_id in ids:
            handle_notice.delay(str(notice_id))
    for cabinet_id, ids in asking.due(now=now).items():
        rest = iter(ids)
        while batch := [str(checkout_id) for checkout_id in islice(rest, BATCH)]:
            ask_checkouts.delay(str(cabinet_id), batch)

    for cabinet_id, ids in mandates.due(now=now).items():
        ask_mandates.delay(str(cabinet_id), [str(mandate_id) for mandate_id in ids])


@shared_task(name="payments.tasks.ask_mandates")
def ask_mandates(cabinet_id: str, mandate_ids: list[str]) -> None:
    """Ask a firm's providers about some of its mandates, and end there what ended here."""
    mandates.ask_all(cabinet_id=UUID(cabinet_id), mandate_ids=[UUID(one) for one in mandate_ids])


@shared_task(name="payments.tasks.handle_notice")
def handle_notice(notice_id: str) -> None:
    """Handle one notice; told twice at once, it is handled once."""
    cabinet_id = notices.firm_of(notice_id=UUID(notice_id))
    if cabinet_id is not None:
        notices.handle(cabinet_id=cabinet_id, notice_id=UUID(notice_id))


@shared_task(name="payments.tasks.ask_checkouts")
def ask_checkouts(cabinet_id: str, checkout_ids: list[str]) -> None:
    """Ask a firm's providers about some of its checkouts."""
    asking.ask_all(cabinet_id=UUID(cabinet_id), checkout_ids=[UUID(one) for one in checkout_ids])


@shared_task(name="payments.tasks.check_provider_account")
def check_provider_account(account_id: str) -> None:
    """Try a firm's account at a provider and write its answer where the settings page reads it."""
    provider_accounts.check(account_id=UUID(account_id))


@shared_task(name="payments.tasks.sweep_bank")
def sweep_bank() -> int:
    """Every minute: hand a worker each firm whose folder holds files or whose lines wait to be looked at."""
    lines = BankLine.all_cabinets.using("scheduler").filter(state=LineState.UNMATCHED, examined_at=None)
    firms = set(lines.values_list("cabinet_id", flat=True).distinct())
    folders = {path.name for path in bank_feed.every_folder()}
    firms |= {cabinet_id for cabinet_id, slug in every_firm() if slug in folders}
    for cabinet_id in firms:
        read_bank.delay(str(cabinet_id))
    return len(firms)


@shared_task(name="payments.tasks.look_again")
def look_again() -> int:
    """Every night: look again at the lines that wait, for invoices entered since."""
    lines = BankLine.all_cabinets.using("scheduler").filter(state=LineState.UNMATCHED)
    firms = set(lines.values_list("cabinet_id", flat=True).distinct())
    for cabinet_id in firms:
        read_bank.delay(str(cabinet_id))
    return len(firms)


@shared_task(name="payments.tasks.read_bank")
def read_bank(cabinet_id: str) -> None:
    """Take in what one firm's bank left, a transaction a file, then look at the lines that wait."""
    firm = UUID(cabinet_id)
    with working_for(cabinet_id=firm):
        cabinet = Cabinet.objects.get()
        is_open = BankFeed.objects.filter(is_open=True).exists()
    for path in bank_feed.waiting_files(cabinet, now=timezone.now()) if is_open else ():
        with acting_for(cabinet_id=firm), tenant_atomic(durable=True):
            refusal = bank_feed.pick_up(path, today=cabinet.today())
        bank_feed.put_away(path, refusal=refusal)
    with working_for(cabinet_id=firm):
        bank_finding.examine(today=cabinet.today())


@shared_task(name="payments.tasks.send_fresh_link")
def send_fresh_link(digest: str, answer: str) -> None:
    """Send a fresh link to the address on file; a token nobody has, or another address, is dropped here."""
    link_messages.ask_fresh_link(digest=bytes.fromhex(digest), answer=answer)
