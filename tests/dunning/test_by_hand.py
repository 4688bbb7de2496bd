"""« Relancer maintenant »: a person overrules the calendar with a reason, and no stop rule ever."""

import datetime as dt
import html
from collections.abc import Callable
from typing import Any

import pytest

from cabinets.enums import LegalAid, Role, TaskKind
from cabinets.models import Cabinet, Client, Dossier, Hearing, JournalEntry, Membership, Task
from cabinets.scoping import working_for
from dunning.enums import Code, Reason, ReminderState
from dunning.errors import DunningError, StoppedError
from dunning.models import DunningCase, MailServer, Reminder, ReminderLine, Step
from dunning.services import approving, by_hand, dispatch
from invoices.enums import InvoiceKind, InvoiceState, StopKind
from invoices.models import Invoice
from invoices.services import standstill
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import SmtpSink

Browse = Callable[[Membership | None], FirmBrowser]
DAY = dt.timedelta(days=1)
WAITING = ReminderState.AWAITING_APPROVAL


def late(*, rank: int = 1, **facts: Any) -> Invoice:
    case = make_case(invoice=make_invoice(due_on=TODAY - 20 * DAY), rank=rank, next_action_on=TODAY + DAY, **facts)
    return case.invoice


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def test_prepares_the_next_step_for_the_person_to_read(owner: Membership) -> None:
    invoice = late(rank=2)

    reminder = by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2)

    line = ReminderLine.objects.get()
    assert (reminder.state, reminder.rank, reminder.channel, reminder.night_id) == (WAITING, 2, "email", None)
    assert (reminder.reasons, reminder.total_cents) == (["by_hand"], 144_000)
    assert (line.rank, line.is_claimed, line.counts, line.owed_cents) == (2, True, True, 144_000)
    assert JournalEntry.objects.get(event="reminder.asked_by_hand").facts == {
        "rank": 2, "repeats": False, "overruled": None,
    }  # fmt: skip


def suspend(cabinet: Cabinet, invoice: Invoice) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(suspended_at=cabinet.now())


def say(kind: StopKind) -> Callable[[Cabinet, Invoice], object]:
    return lambda cabinet, invoice: standstill.declare(kind=kind, target=invoice)


STOPS: dict[Code, Callable[[Cabinet, Invoice], object]] = {
    Code.KILL_SWITCH: suspend,
    Code.NOT_LIVE: lambda cabinet, _: Cabinet.objects.update(activated_on=None),
    Code.CLOSED: lambda _, __: Invoice.objects.update(state=InvoiceState.WRITTEN_OFF),
    Code.NEVER: lambda _, __: Client.objects.update(is_never_reminded=True),
    Code.PAID: lambda _, __: Invoice.objects.update(settled_cents=144_000),
    Code.PAYMENT_IN_FLIGHT: say(StopKind.PAYMENT_IN_FLIGHT),
    Code.CLAIMED_PAID: say(StopKind.CLAIMED_PAID),
    Code.CLIENT_IN_CREDIT: lambda _, __: Client.objects.update(credit_cents=144_000),
    Code.GRACE: lambda cabinet, _: Invoice.objects.update(last_payment_at=cabinet.now()),
    Code.STALE_SOURCE: lambda _, __: Cabinet.objects.update(settlements_declared_on=TODAY - 8 * DAY),
    Code.INSOLVENCY: say(StopKind.INSOLVENCY),
    Code.OVER_INDEBTEDNESS: say(StopKind.OVER_INDEBTEDNESS),
    Code.LEGAL_AID_TOTAL: lambda _, __: Dossier.objects.update(legal_aid=LegalAid.TOTAL),
    Code.PROTECTED_PERSON: say(StopKind.PROTECTED_PERSON),
    Code.WRONG_RECIPIENT: say(StopKind.WRONG_RECIPIENT),
    Code.PRESCRIBED: lambda _, __: Dossier.objects.update(mandate_ended_on=dt.date(2019, 1, 1)),
    Code.DISPUTE: say(StopKind.DISPUTE),
    Code.MEDIATION: say(StopKind.MEDIATION),
    Code.BATONNIER_SEISED: say(StopKind.BATONNIER_SEISED),
    Code.HEARING: lambda _, invoice: Hearing(dossier=invoice.dossier, held_on=TODAY).save(force_insert=True),
    Code.HOLD: say(StopKind.HOLD),
    Code.PROMISE: say(StopKind.PROMISE),
    Code.PLAN: say(StopKind.PLAN),
    Code.REPLIED: say(StopKind.REPLIED),
    Code.NO_ADDRESS: lambda _, __: Client.objects.update(has_email=False),
    Code.BOUNCED: lambda cabinet, _: Client.objects.update(email_refused_at=cabinet.now()),
    Code.PROVISION_END: lambda _, __: Invoice.objects.update(kind=InvoiceKind.PROVISION),
    Code.TEXT_REFUSED: lambda _, __: Step.objects.update(text_fault="R12"),
}


@pytest.mark.parametrize("code", STOPS)
@pytest.mark.parametrize("too_soon", [False, True])
def test_no_reason_overrules_a_stop(cabinet: Cabinet, owner: Membership, code: Code, *, too_soon: bool) -> None:
    invoice = late(rank=3, last_step_on=TODAY - 2 * DAY if too_soon else None)
    STOPS[code](cabinet, invoice)

    with pytest.raises(StoppedError) as refused:
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=3, reason="Le client l’attend")

    assert (refused.value.code, Reminder.objects.count(), ReminderLine.objects.count()) == (code, 0, 0)
    assert JournalEntry.objects.filter(event="reminder.asked_by_hand").count() == 0


def test_too_soon_gives_way_to_a_reason_and_to_nothing_else(owner: Membership) -> None:
    invoice = late(rank=2, last_step_on=TODAY - 2 * DAY)

    with pytest.raises(StoppedError, match="Dites pourquoi ce message n’attend pas"):
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2, reason="  ")
    assert Reminder.objects.count() == 0
    by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2, reason="Demandé par le client")

    assert JournalEntry.objects.get(event="reminder.asked_by_hand").facts["overruled"] == "MIN_GAP"
    assert "demandée sans attendre : Demandé par le client" in Invoice.objects.get().note


def test_one_message_at_a_time(owner: Membership) -> None:
    invoice = late(rank=2)
    by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2)

    with pytest.raises(DunningError, match="déjà en préparation"):
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2, reason="Encore")

    assert Reminder.objects.count() == 1


def test_nothing_is_said_again_while_nobody_knows_what_became_of_the_last(owner: Membership) -> None:
    invoice = late(rank=2)
    make_reminder(DunningCase.objects.get(), state=ReminderState.UNKNOWN, spoken_on=TODAY - 9 * DAY)

    with pytest.raises(DunningError, match="déjà en préparation"):
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2, reason="Encore")


@pytest.mark.parametrize("rank", [3, 4, 9])
def test_no_step_is_asked_for_before_its_rank(owner: Membership, rank: int) -> None:
    invoice = late(rank=2)

    with pytest.raises(DunningError, match="étape suivante, ou une étape déjà faite"):
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=rank, reason="Vite")

    assert Reminder.objects.count() == 0


def test_says_nothing_of_a_due_date_that_is_not_over(owner: Membership) -> None:
    invoice = make_case(invoice=make_invoice(due_on=TODAY)).invoice

    with pytest.raises(DunningError, match="pas encore échue"):
        by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=1)

    assert Reminder.objects.count() == 0


def test_the_fact_that_comes_after_stops_it_like_any_other(owner: Membership) -> None:
    invoice = late(rank=2)
    reminder = by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2)

    standstill.declare(kind=StopKind.DISPUTE, target=invoice)

    reminder.refresh_from_db()
    assert (reminder.state, reminder.cancel_code) == ("cancelled", Code.DISPUTE)


def test_asks_at_the_desk_what_only_a_person_who_approves_may_ask(cabinet: Cabinet, browse: Browse) -> None:
    invoice = late(rank=2)

    answer = browse(make_member(role=Role.ACCOUNTANT)).post(f"/factures/{invoice.pk}/relancer/", {"rank": "2"})

    assert (answer.status_code, Reminder.objects.count()) == (403, 0)


def test_leads_from_the_invoice_to_the_message_to_read(owner: Membership, browse: Browse) -> None:
    invoice, browser = late(rank=2), browse(owner)

    assert f'href="/factures/{invoice.pk}/relancer/"' in text_of(browser.get(f"/factures/{invoice.pk}/"))
    form = text_of(browser.get(f"/clients/{invoice.client_id}/relancer/", follow=True))
    assert "J+10 · rappel avec solutions, par e-mail (l’étape suivante)" in form
    assert "J+3 · rappel courtois, par e-mail (déjà faite, dite de nouveau)" in form
    page = text_of(browser.post(f"/factures/{invoice.pk}/relancer/", {"rank": "2"}, follow=True))

    assert "Message préparé. Relisez-le : rien ne part sans votre accord." in page
    assert "Une personne a demandé cette relance." in page


def test_the_page_says_which_rule_stops_it(owner: Membership, browse: Browse) -> None:
    invoice = late(rank=2)
    standstill.declare(kind=StopKind.PROMISE, target=invoice)

    answer = browse(owner).post(f"/factures/{invoice.pk}/relancer/", {"rank": "2", "reason": "Vite"})

    assert (answer.status_code, Reminder.objects.count()) == (422, 0)
    assert "Le client a promis de payer et le jour promis n’est pas passé. Aucun message n’est préparé." in text_of(
        answer
    )


@pytest.fixture
def sending(committed: None) -> Any:
    with SmtpSink() as sink:
        firm = make_cabinet()
        with working_for(cabinet_id=firm.pk):
            MailServer(host="127.0.0.1", port=sink.port, security="none", sender=firm.email).save(force_insert=True)
        yield firm, sink


@pytest.mark.committed
def test_a_step_said_again_leaves_the_ladder_where_it_was(sending: tuple[Cabinet, SmtpSink]) -> None:
    firm, sink = sending
    with working_for(cabinet_id=firm.pk):
        owner = make_member()
        invoice = make_invoice(due_on=TODAY - 20 * DAY)
        case = make_case(invoice=invoice)
        first = make_reminder(case, state=ReminderState.ACCEPTED, spoken_on=TODAY - 3 * DAY)
        DunningCase.objects.update(next_rank=2, last_step_on=TODAY - 3 * DAY)
        again = by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=1, reason="Message perdu")
        approving.approve(reminder_id=again.pk, by=owner)

    said = dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[again.pk])

    with working_for(cabinet_id=firm.pk):
        assert dict(said) == {"accepted": 1}
        case = DunningCase.objects.get()
        assert (case.next_rank, case.last_step_on, case.next_action_on) == (2, TODAY, TODAY + 7 * DAY)
        counting = ReminderLine.objects.filter(rank=1, counts=True).values_list("reminder", flat=True)
        assert list(counting) == [first.pk]
    assert len(sink.caught) == 1


@pytest.mark.committed
def test_the_contact_cap_gives_way_at_departure_and_a_hold_does_not(sending: tuple[Cabinet, SmtpSink]) -> None:
    firm, sink = sending
    with working_for(cabinet_id=firm.pk):
        owner = make_member()
        invoice = late(rank=2, last_step_on=TODAY - DAY)
        reminder = by_hand.prepare(invoice_id=invoice.pk, by=owner, rank=2, reason="Demandé par le client")
        approving.approve(reminder_id=reminder.pk, by=owner)
        # As if its cancellation had been lost: the sender asks the rules itself.
        standstill.declare(kind=StopKind.HOLD, target=invoice)
        Reminder.objects.update(state=ReminderState.APPROVED, cancel_code="")

    dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk])

    with working_for(cabinet_id=firm.pk):
        assert (Reminder.objects.get().state, Reminder.objects.get().cancel_code) == ("cancelled", "HOLD")
    assert sink.caught == []


def test_the_second_accord_is_asked_of_another_person(owner: Membership) -> None:
    client = make_client(needs_two_approvals=True)
    case = make_case(invoice=make_invoice(client=client))
    reminder = make_reminder(case, state=WAITING, reasons=[Reason.TWO_PEOPLE])

    approving.approve(reminder_id=reminder.pk, by=owner)
    task = Task.objects.get()
    assert (task.kind, task.subject_id, task.state) == (TaskKind.SECOND_ACCORD, reminder.pk, "open")
    with pytest.raises(DunningError):
        approving.approve(reminder_id=reminder.pk, by=owner)
    approving.approve(reminder_id=reminder.pk, by=make_member())

    task.refresh_from_db()
    reminder.refresh_from_db()
    assert (task.state, reminder.state) == ("done", "approved")


def formal() -> Reminder:
    case = make_case(invoice=make_invoice(due_on=TODAY - 46 * DAY), rank=4)
    Client.objects.update(siren="732829320")
    return make_reminder(case, state=WAITING, reasons=["formal"])


def test_a_formal_notice_to_a_professional_waits_for_a_look_at_proceedings(owner: Membership, browse: Browse) -> None:
    reminder, browser = formal(), browse(owner)

    refused = browser.post(f"/a-valider/{reminder.pk}/approuver/")
    assert refused.status_code == 409
    assert "Personne n’a vérifié depuis hier que ce client n’est pas en procédure collective." in text_of(refused)
    assert Reminder.objects.get().state == WAITING
    browser.post(f"/a-valider/{reminder.pk}/approuver/", {"verifie": "1"})

    assert Reminder.objects.get().state == "approved"


def test_an_assistant_vouches_for_no_formal_notice(cabinet: Cabinet, browse: Browse) -> None:
    reminder = formal()
    assistant = make_member(role=Role.ASSISTANT, sees_every_file=True)

    answer = browse(assistant).post(f"/a-valider/{reminder.pk}/approuver/", {"verifie": "1"})

    assert (answer.status_code, Reminder.objects.get().state) == (403, WAITING)
