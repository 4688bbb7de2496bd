"""Messages about plans over a real SMTP server: said once, never after the money came, every rule asked again."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from unittest import mock

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from cabinets.enums import ClientKind, Role, TaskKind, TaskState
from cabinets.models import Cabinet, Client, Membership, Task
from cabinets.scoping import acting_for, working_for
from dunning.evidence import digest_of
from dunning.models import Decision, EvidenceEntry, MailServer, Reminder
from dunning.policy import CONTACT_GAP_DAYS
from dunning.services import batonnier, evidence, nights, plan_mail, plan_nights
from dunning.services.facts import load_facts
from dunning.services.reading.chronology import chronology_of
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import settlement, standstill
from payments.enums import CheckoutState, MailState, MandateState, PaymentMeans, PlanMail, PlanState
from payments.models import Checkout, CheckoutLine, Instalment, Mandate, PaymentPlan, PlanLine, PlanMessage
from payments.services import links, plan_following, plans
from templates_lib.enums import Kind
from templates_lib.lint import lint_version
from templates_lib.plan_texts import COLLECTED, plan_text, plan_texts
from tests.factories.cabinets import make_cabinet, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import DATA, END, RCPT, Drop, Reply, SmtpSink
from tests.payments.fake_provider import make_account

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]

FIRST = dt.date(2026, 12, 2)
# A Sunday on which a night that was late asks for the first reminder: it leaves on the Monday.
NIGHT, MONDAY = dt.date(2026, 11, 29), dt.date(2026, 11, 30)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def firm(sink: SmtpSink, committed: None) -> Cabinet:
    cabinet = make_cabinet(settlements_declared_on=MONDAY)
    with working_for(cabinet_id=cabinet.pk):
        MailServer(host="127.0.0.1", port=sink.port, security="none", sender=cabinet.email).save(force_insert=True)
    return cabinet


@pytest.fixture
def lawyer(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.LAWYER)


def owed(**facts: object) -> Invoice:
    client = make_client(kind=ClientKind.CONSUMER, email="jeanne@martin.example", last_name="Martin", **facts)
    invoice = make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER), number="F-2026-0412")
    make_case(invoice=invoice)
    return invoice


def agreed(firm: Cabinet, lawyer: Membership, **facts: object) -> tuple[PaymentPlan, Invoice]:
    """Agree on three instalments with a new debtor of the firm."""
    with working_for(cabinet_id=firm.pk):
        invoice = owed(**facts)
        link = links.link_for(client=Client.objects.get(pk=invoice.client_id))
        plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
        return plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY), invoice


def reminded(firm: Cabinet, lawyer: Membership, **facts: object) -> tuple[PaymentPlan, Invoice]:
    """The same, its confirmation said, on the night that asks for the first reminder."""
    plan, invoice = agreed(firm, lawyer, **facts)
    send(firm)
    with acting_for(cabinet_id=firm.pk):
        assert plan_following.watch(on=NIGHT) == 1
    return plan, invoice


def at(day: dt.date, hour: int = 10) -> time_machine.travel:
    return time_machine.travel(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC), tick=False)


def send(firm: Cabinet) -> Counter[str]:
    ids = plan_mail.due(now=timezone.now()).get(firm.pk, [])
    return plan_mail.send_batch(cabinet_id=firm.pk, message_ids=ids)


def states(firm: Cabinet) -> list[tuple[str, str, str]]:
    with working_for(cabinet_id=firm.pk):
        return list(PlanMessage.objects.order_by("created_at", "kind").values_list("kind", "state", "held_by"))


def words(sink: SmtpSink) -> list[str]:
    read = [message_from_bytes(one.content, policy=policy.default) for one in sink.caught]
    bodies = [one.get_body(preferencelist=("plain",)) for one in read]
    return [" ".join(str(body.get_content()).split()) for body in bodies if body is not None]


def tasks(firm: Cabinet) -> list[tuple[str, object]]:
    with working_for(cabinet_id=firm.pk):
        return list(Task.objects.filter(state=TaskState.OPEN).values_list("kind", "subject_id"))


def chained(firm: Cabinet) -> list[str]:
    with working_for(cabinet_id=firm.pk):
        return list(EvidenceEntry.objects.order_by("seq").values_list("event", flat=True))


def test_the_confirmation_writes_the_dates_the_amounts_and_the_remedies(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    agreed(firm, lawyer)

    assert send(firm) == Counter(sent=1)
    assert send(firm) == Counter()

    [text] = words(sink)
    for expected in (
        "notre accord sur le paiement de 1 440,00 € en plusieurs fois",
        "Versement 1 sur 3, le 2 décembre 2026 : 480,00 €",
        "Versement 2 sur 3, le 4 janvier 2027 : 480,00 €",
        "Versement 3 sur 3, le 2 février 2027 : 480,00 €",
        "sans frais ni intérêts",
        "ne vous prive d’aucun recours",
    ):
        assert expected in text
    subject = message_from_bytes(sink.caught[0].content, policy=policy.default)["Subject"]
    assert subject == "Échéancier – confirmation"
    assert states(firm) == [("confirmed", "sent", "")]


def test_a_reminder_leaves_once_before_its_date(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    reminded(firm, lawyer)
    with at(NIGHT):
        assert send(firm) == Counter(left=1)  # a Sunday
    with at(MONDAY):
        assert send(firm) == Counter(sent=1)
        assert send(firm) == Counter()

    assert "est à payer le 2 décembre 2026" in words(sink)[-1]
    assert "480,00 €" in words(sink)[-1]
    assert "1 440,00" not in words(sink)[-1]


def test_what_left_is_in_the_chain_the_chronology_and_the_batonniers_file(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    plan, invoice = reminded(firm, lawyer)
    with at(MONDAY):
        assert send(firm) == Counter(sent=1)

    with working_for(cabinet_id=firm.pk):
        confirmed, reminder = PlanMessage.objects.order_by("created_at")
        links_of = list(EvidenceEntry.objects.order_by("seq"))
        kept = Invoice.objects.select_related("client", "dossier").get(pk=invoice.pk)
        told = [entry.event for entry in chronology_of(invoices=[kept], cabinet=firm)]
        pieces = batonnier.exhibits_of(kept)
        verdict = evidence.verify()
    assert [(one.event, one.subject_id, one.client_id, one.facts["kind"]) for one in links_of] == [
        ("message.departed", confirmed.pk, plan.client_id, "confirmed"),
        ("message.departed", reminder.pk, plan.client_id, "reminder"),
    ]
    assert links_of[1].digests == {
        "subject": digest_of(reminder.subject),
        "html": digest_of(reminder.html),
        "text": digest_of(reminder.text),
        "recipient": digest_of("jeanne@martin.example"),
    }
    assert (verdict.holds, verdict.links) == (True, 2)
    said = [(event.title, event.text) for event in told if event.icon == "mail-check"]
    assert said == [
        ("E-mail sur l’échéancier\u00a0: confirmation", "Accepté par le serveur."),
        (
            "E-mail sur l’échéancier\u00a0: rappel d’un versement",
            "Accepté par le serveur. Versement n° 1, à payer le 2\u00a0décembre 2026.",
        ),
    ]
    assert [(one.label, one.content) for one in pieces] == [
        ("E-mail, échéancier : confirmation", confirmed.text.encode()),
        ("E-mail, échéancier : rappel d’un versement", reminder.text.encode()),
    ]


def test_a_plans_message_changed_after_it_left_is_found_out(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer)
    send(firm)

    with working_for(cabinet_id=firm.pk):
        message = PlanMessage.objects.get()
        message.text = "Autre chose"
        message.save(update_fields=["text"])
        verdict = evidence.verify()

    assert (verdict.holds, verdict.altered, verdict.broken_at) == (False, (message.pk,), None)


def test_the_batonniers_file_tells_nothing_of_another_dossier(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    plan, invoice = agreed(firm, lawyer)
    send(firm)

    with working_for(cabinet_id=firm.pk):
        other = make_dossier(client=Client.objects.get(pk=plan.client_id), kind=ClientKind.CONSUMER)
        PaymentPlan.objects.filter(pk=plan.pk).update(dossier_ids=sorted([*plan.dossier_ids, other.pk]))
        kept = Invoice.objects.select_related("client", "dossier").get(pk=invoice.pk)
        assert batonnier.exhibits_of(kept) == []


def test_no_reminder_leaves_after_the_money_came(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    _, invoice = reminded(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        settlement.settle(invoice_id=invoice.pk, cents=48_000)

    with at(MONDAY):
        assert send(firm) == Counter(left=1)

    assert len(sink.caught) == 1
    assert states(firm)[-1] == ("reminder", "cancelled", "")


def test_no_reminder_leaves_on_its_date_or_after(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    reminded(firm, lawyer)

    with at(FIRST):
        assert send(firm) == Counter(left=1)

    assert len(sink.caught) == 1
    assert states(firm)[-1][1] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (StopKind.DISPUTE, "DISPUTE"),
        (StopKind.CLAIMED_PAID, "CLAIMED_PAID"),
        (StopKind.PAYMENT_IN_FLIGHT, "PAYMENT_IN_FLIGHT"),
        (StopKind.HOLD, "HOLD"),
        (StopKind.INSOLVENCY, "INSOLVENCY"),
    ],
)
def test_a_reminder_waits_for_whatever_stops_its_invoice_and_dies_with_its_date(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink, kind: StopKind, code: str
) -> None:
    _, invoice = reminded(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        standstill.declare(kind=kind, target=invoice)

    with at(MONDAY):
        assert send(firm) == Counter(left=1)
    assert states(firm)[-1] == ("reminder", "waiting", code)
    with at(FIRST - dt.timedelta(days=1), 17):
        send(firm)
    assert states(firm)[-1] == ("reminder", "cancelled", code)
    assert len(sink.caught) == 1


def test_nothing_leaves_while_everything_is_suspended(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(suspended_at=timezone.now())
    assert send(firm) == Counter(left=1)
    assert states(firm) == [("confirmed", "waiting", "KILL_SWITCH")]

    with working_for(cabinet_id=firm.pk):
        Cabinet.objects.update(suspended_at=None)
    with at(TODAY, 14):
        assert send(firm) == Counter(sent=1)


def test_an_answer_is_no_contact_and_the_cap_does_not_hold_it(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    _, invoice = agreed(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        make_reminder(make_case(invoice=make_invoice(client=Client.objects.get(pk=invoice.client_id))))
        Reminder.objects.update(state="accepted", spoken_on=TODAY)

    assert send(firm) == Counter(sent=1)

    with working_for(cabinet_id=firm.pk):
        Reminder.objects.update(state="cancelled", spoken_on=None)
        facts = load_facts(invoice_ids=[invoice.pk], on=TODAY, now=timezone.now())[invoice.pk]
    assert (facts.last_contact_on, facts.contacts_in_30_days) == (None, 0)


def test_a_reminder_is_a_contact_and_waits_for_the_cap(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    _, invoice = reminded(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        other = make_case(invoice=make_invoice(client=Client.objects.get(pk=invoice.client_id)))
        make_reminder(other)
        Reminder.objects.update(state="accepted", spoken_on=MONDAY - dt.timedelta(days=CONTACT_GAP_DAYS - 1))
    with at(MONDAY):
        assert send(firm) == Counter(left=1)
    assert states(firm)[-1] == ("reminder", "waiting", "CONTACT_CAP")

    with at(MONDAY + dt.timedelta(days=1)):
        assert send(firm) == Counter(sent=1)
    with working_for(cabinet_id=firm.pk):
        on = MONDAY + dt.timedelta(days=1)
        facts = load_facts(invoice_ids=[other.invoice_id], on=on, now=timezone.now())[other.invoice_id]
    assert (facts.last_contact_on, facts.contacts_in_30_days) == (on, 2)


def test_the_night_counts_the_reminder_of_an_instalment_as_a_contact_and_no_answer(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    _, invoice = reminded(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        client = Client.objects.get(pk=invoice.client_id)
        other = make_case(invoice=make_invoice(client=client), next_action_on=MONDAY)
        answered = agreed_with_nobody_else(firm)
    with at(MONDAY):
        assert send(firm) == Counter(sent=1)
    with time_machine.travel(dt.datetime.combine(MONDAY, dt.time(20), tzinfo=dt.UTC), tick=False):
        plan_nights.evaluate(nights.firms_due(now=timezone.now()))

    with working_for(cabinet_id=firm.pk):
        codes = dict(Decision.objects.values_list("invoice", "code"))
    assert codes[other.invoice_id] == "CONTACT_CAP"
    assert codes[answered.pk] == "SEND"


def agreed_with_nobody_else(firm: Cabinet) -> Invoice:
    """Return an invoice due tonight of a client who was only answered about a plan, today."""
    client = make_client(kind=ClientKind.CONSUMER)
    first = make_invoice(dossier=make_dossier(client=client, kind=ClientKind.CONSUMER))
    plan = plans.propose(link=links.link_for(client=client), count=2, first_on=FIRST, today=TODAY)
    PlanMessage(
        plan=plan, client=client, kind=PlanMail.REFUSED, state=MailState.SENT, spoken_on=MONDAY, depart_at=firm.now()
    ).save(force_insert=True)
    due = make_invoice(dossier=first.dossier)
    make_case(invoice=due, next_action_on=MONDAY)
    return due


@pytest.mark.parametrize(
    ("stage", "behaviour", "state", "kind"),
    [
        (RCPT, Reply("550 5.1.1 no such user"), "rejected", TaskKind.REJECTED_ADDRESS),
        (END, Drop(keep=True), "unknown", TaskKind.PLAN_REQUEST),
    ],
)
def test_what_did_not_surely_arrive_is_shown_to_a_person_and_never_said_again(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink, stage: str, behaviour: Reply | Drop, state: str, kind: TaskKind
) -> None:
    plan, _ = agreed(firm, lawyer)
    sink.on(stage, behaviour)

    assert send(firm) == Counter({state: 1})
    assert send(firm) == Counter()

    assert states(firm) == [("confirmed", state, "")]
    assert tasks(firm) == [(kind, plan.pk)]
    assert chained(firm) == [{"rejected": "message.rejected", "unknown": "message.uncertain"}[state]]


def test_a_server_that_is_busy_is_tried_again(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer)
    sink.on(DATA, Reply("451 4.3.0 later"))

    assert send(firm) == Counter(waiting=1)
    assert chained(firm) == []
    with at(TODAY, 14):
        assert send(firm) == Counter(sent=1)
    assert len(sink.caught) == 1


def test_a_process_killed_before_it_spoke_leaves_a_question(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    plan, _ = agreed(firm, lawyer)
    with (
        mock.patch("dunning.channels.smtp.session.SmtpSession.send", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        send(firm)

    later = timezone.now() + dt.timedelta(minutes=3)
    [stuck] = plan_mail.expired(now=later)[firm.pk]
    assert plan_mail.settle_expired(cabinet_id=firm.pk, message_ids=[stuck], now=later) == 1

    assert send(firm) == Counter()
    assert sink.caught == []
    assert states(firm) == [("confirmed", "unknown", "")]
    assert tasks(firm) == [(TaskKind.PLAN_REQUEST, plan.pk)]
    assert chained(firm) == ["message.uncertain"]


def test_two_workers_say_it_once(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer)
    sink.delay = 0.05
    ids = plan_mail.due(now=timezone.now())[firm.pk]
    ready, tallies = threading.Barrier(4), []

    def work() -> None:
        try:
            ready.wait()
            tallies.append(plan_mail.send_batch(cabinet_id=firm.pk, message_ids=ids))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(tallies, Counter()) == Counter(sent=1, left=3)
    assert len(sink.caught) == 1


def test_nobody_to_write_to_is_told_on_the_plan(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer)
    with working_for(cabinet_id=firm.pk):
        Client.objects.update(email_refused_at=timezone.now())

    assert send(firm) == Counter(left=1)

    assert states(firm) == [("confirmed", "cancelled", "BOUNCED")]
    assert sink.caught == []


def test_an_englishman_reads_english(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    agreed(firm, lawyer, language="en")

    send(firm)

    assert "Instalment 1 of 3, on 2 December 2026: €480.00" in words(sink)[0]


def test_an_offer_and_a_refusal_are_written_too(firm: Cabinet, lawyer: Membership, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        invoice = owed()
        client = Client.objects.get(pk=invoice.client_id)
        proposed = plans.propose(link=links.link_for(client=client), count=3, first_on=FIRST, today=TODAY)
        plans.refuse(plan_id=proposed.pk, by=lawyer, text="Deux versements au plus.")
        plans.offer(by=lawyer, client=client, invoice_ids=[invoice.pk], count=2, first_on=FIRST, today=TODAY)

    assert send(firm) == Counter(sent=2)

    offer, refusal = sorted(words(sink), key=lambda text: "étudié" in text)
    assert "nous ne pouvons pas les accepter" in refusal
    assert "Facture : F-2026-0412" in refusal
    # What the firm answers is read behind the link, and not in a mailbox.
    assert "Deux versements au plus" not in refusal
    assert "Nous vous proposons de payer 1 440,00 € en plusieurs fois" in offer


def collected(firm: Cabinet, plan: PaymentPlan, *, state: CheckoutState | None) -> None:
    """Have a plan collected by a mandate in force, its first debit in this state, or not written at all."""
    account = make_account(firm, provider="gocardless")
    with working_for(cabinet_id=firm.pk):
        mandate = Mandate(
            account=account, plan=plan, client_id=plan.client_id, state=MandateState.SIGNED, mandate_ref="MD1"
        )
        mandate.save(force_insert=True)
        if state is None:
            return
        first = Instalment.objects.get(plan=plan, rank=1)
        debit = Checkout(
            account=account,
            client_id=plan.client_id,
            mandate=mandate,
            instalment=first,
            means=PaymentMeans.DEBIT,
            cents=first.cents,
            state=state,
        )
        debit.save(force_insert=True)
        line = PlanLine.objects.get(plan=plan)
        CheckoutLine(checkout=debit, invoice_id=line.invoice_id, cents=first.cents).save(force_insert=True)
        if state == CheckoutState.PROCESSING:
            standstill.declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=line.invoice, origin="online")


def test_the_reminder_of_a_date_that_is_collected_asks_for_nothing(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    plan, _ = reminded(firm, lawyer)
    collected(firm, plan, state=CheckoutState.PROCESSING)

    with at(MONDAY):
        assert send(firm) == Counter(sent=1)

    told = words(sink)[-1]
    for expected in ("sera prélevé le 2 décembre 2026", "Vous n’avez rien à faire", "480,00 €", "Voir l’échéancier"):
        assert expected in told.replace("\u202f", " ").replace("\u00a0", " ")
    for never in ("à payer", "déjà payé", "Payer"):
        assert never not in told


@pytest.mark.parametrize("state", [None, CheckoutState.OPENING, CheckoutState.OPEN], ids=str)
def test_nothing_is_said_of_a_date_while_its_debit_is_not_sure(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink, state: CheckoutState | None
) -> None:
    plan, _ = reminded(firm, lawyer)
    collected(firm, plan, state=state)

    with at(MONDAY):
        assert send(firm) == Counter(left=1)

    assert states(firm)[-1] == ("reminder", "waiting", "PAYMENT_IN_FLIGHT")
    assert len(sink.caught) == 1  # the confirmation


def test_a_date_whose_debit_was_refused_is_to_be_paid_by_hand(
    firm: Cabinet, lawyer: Membership, sink: SmtpSink
) -> None:
    plan, _ = reminded(firm, lawyer)
    collected(firm, plan, state=CheckoutState.FAILED)

    with at(MONDAY):
        assert send(firm) == Counter(sent=1)

    assert "est à payer le 2 décembre 2026" in words(sink)[-1].replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_text_is_lawful_for_every_reader_in_both_languages(kind: Kind) -> None:
    found = {
        (about, language): lint_version(plan_text(about=about, kind=kind, language=language))
        for about in (*(kind.value for kind in PlanMail), COLLECTED)
        for language in ("fr", "en")
    }

    assert found == {key: [] for key in found}
    assert len(plan_texts()) == len(found) == 10


def test_money_and_the_night_do_not_cross(firm: Cabinet, lawyer: Membership) -> None:
    plan, invoice = agreed(firm, lawyer)
    ready = threading.Barrier(2)

    def pay() -> None:
        try:
            with acting_for(cabinet_id=firm.pk):
                ready.wait()
                with working_for(cabinet_id=firm.pk):
                    settlement.settle(invoice_id=invoice.pk, cents=144_000)
        finally:
            connections.close_all()

    def look() -> None:
        try:
            with acting_for(cabinet_id=firm.pk):
                ready.wait()
                plan_following.watch(on=dt.date(2026, 12, 10))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=pay), threading.Thread(target=look)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with working_for(cabinet_id=firm.pk):
        plan.refresh_from_db()
        assert (plan.state, plan.closed_at is not None) in {(PlanState.KEPT, True), (PlanState.BROKEN, True)}
        held = invoice.standstills.filter(released_at=None)
        assert list(held) == []
    assert tasks(firm) == []
    assert MailState.WAITING in {state for _, state, _ in states(firm)}


@pytest.mark.parametrize("act", ["propose", "accept"])
def test_two_people_at_once_make_one_plan(firm: Cabinet, lawyer: Membership, act: str) -> None:
    with working_for(cabinet_id=firm.pk):
        client = Client.objects.get(pk=owed().client_id)
        link = links.link_for(client=client)
        plan = plans.propose(link=link, count=3, first_on=FIRST, today=TODAY) if act == "accept" else None
    ready, failures = threading.Barrier(4), []

    def work() -> None:
        try:
            ready.wait()
            with working_for(cabinet_id=firm.pk):
                if plan is None:
                    plans.propose(link=link, count=3, first_on=FIRST, today=TODAY)
                else:
                    plans.accept(plan_id=plan.pk, by=lawyer, today=TODAY)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
            failures.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert failures == []
    with working_for(cabinet_id=firm.pk):
        assert PaymentPlan.objects.count() == 1
        kinds = list(Task.objects.values_list("kind", flat=True))
        assert kinds == [TaskKind.PLAN_REQUEST]
        assert PlanMessage.objects.count() == (1 if act == "accept" else 0)
