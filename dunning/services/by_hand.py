"""« Relancer maintenant »: a person asks for a message before its turn, and overrules the calendar alone."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Client, Contact, Membership
from cabinets.permissions import ensure
from cabinets.scoping import whole_firm
from dunning.enums import PENDING, Channel, Code, Medium, Reason, ReminderState, Tone
from dunning.errors import DunningError, StoppedError
from dunning.models import ChannelAccount, DunningCase, Reminder, ReminderLine, Step
from dunning.policy import Verdict, decide, out_of_turn
from dunning.presenting import RULE_MEANS
from dunning.reach import best_way
from dunning.services import outcomes
from dunning.services.facts import addressee_in, load_facts, reach_of
from invoices.locks import lock_invoices
from invoices.models import Invoice

# What a person may overrule, with a reason: when to speak, never whether.
CALENDAR = frozenset({Code.CONTACT_CAP, Code.MIN_GAP})
PENDING_ALREADY = "Une relance est déjà en préparation pour ce client : une seule à la fois. Rien n’a été créé."


@dataclass(frozen=True, slots=True)
class Asked:
    """A step a person asks for, of one invoice."""

    case: DunningCase
    step: Step
    cabinet: Cabinet


def steps_for(*, invoice: Invoice) -> tuple[list[Step], int]:
    """Return the steps a person may ask for, the latest first, and which is next; none for what is on no ladder."""
    case = DunningCase.objects.filter(invoice=invoice.pk).first()
    if case is None:
        return [], 0
    offered = Step.objects.filter(version=case.version_id, rank__lte=case.next_rank).exclude(tone=Tone.NOTICE)
    return list(offered.order_by("-rank")), case.next_rank


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules answer to a person who asks: a verdict, and the rule of the calendar it would overrule."""

    verdict: Verdict
    too_soon: Code | None


def answer_on(*, invoice: Invoice, step: Step) -> Answer:
    """Return what the rules answer about a step of an invoice, everything said at the whole firm counted."""
    cabinet = Cabinet.objects.get()
    with whole_firm():
        facts = load_facts(invoice_ids=[invoice.pk], on=cabinet.today(), now=cabinet.now(), step=step)[invoice.pk]
    first = decide(facts, on=cabinet.today())
    if first.code not in CALENDAR:
        return Answer(verdict=first, too_soon=None)
    return Answer(verdict=decide(out_of_turn(facts), on=cabinet.today()), too_soon=first.code)


@transaction.atomic
def prepare(*, invoice_id: UUID, by: Membership, rank: int, reason: str = "") -> Reminder:
    """Prepare one step of one invoice for a person to read and approve; StoppedError, and nothing written, otherwise.

    Every stop rule is asked. The contact cap and the minimum gap give way to a reason; nothing else ever does.
    """
    ensure(by, Right.APPROVE_REMINDERS)
    # Whoever asks for another invoice of the same client waits here: one message in preparation a debtor.
    lock_invoices([invoice_id])
    invoice: Invoice = Invoice.objects.select_related("dossier__billing_contact", "client").get(pk=invoice_id)
    asked = _asked(invoice, rank)
    _refuse_pending(invoice.client_id)
    answer = answer_on(invoice=invoice, step=asked.step)
    code = answer.verdict.code
    if code not in {Code.SEND, Code.NEEDS_APPROVAL}:
        raise StoppedError(code, f"{RULE_MEANS[code]} Aucun message n’est préparé.")
    if answer.too_soon and not reason.strip():
        raise StoppedError(answer.too_soon, f"{RULE_MEANS[answer.too_soon]} Dites pourquoi ce message n’attend pas.")
    reminder = _write(asked, invoice, answer.verdict)
    journal.record(
        "reminder.asked_by_hand",
        reminder,
        rank=rank,
        repeats=rank < asked.case.next_rank,
        overruled=answer.too_soon.value if answer.too_soon else None,
    )
    if answer.too_soon:
        invoice.note = f"{invoice.note}\nÉtape {asked.step} demandée sans attendre : {reason.strip()}".strip()
        invoice.save(update_fields=["note"])
    return reminder


def _asked(invoice: Invoice, rank: int) -> Asked:
    case = (
        DunningCase.objects.filter(invoice=invoice.pk)
        .select_related("client", "invoice__dossier__billing_contact")
        .first()
    )
    if case is None:
        raise DunningError("Cette facture n’est suivie par aucun scénario. Rien n’a été créé.")
    cabinet = Cabinet.objects.get()
    step = Step.objects.filter(version=case.version_id, rank=rank).first()
    if step is None or rank > case.next_rank:
        raise DunningError("Choisissez l’étape suivante, ou une étape déjà faite. Rien n’a été créé.")
    # The texts of these steps say that the due date is over.
    if step.tone != Tone.NOTICE and invoice.due_on >= cabinet.today():
        raise DunningError("Cette facture n’est pas encore échue : rien n’est à relancer. Rien n’a été créé.")
    return Asked(case=case, step=step, cabinet=cabinet)


def _refuse_pending(client_id: UUID) -> None:
    """One message in preparation a debtor, and none while nobody knows what became of another."""
    with whole_firm():
        states = (*PENDING, ReminderState.UNKNOWN)
        waits = Reminder.objects.filter(client=client_id, state__in=states).exists()
    if waits:
        raise DunningError(PENDING_ALREADY)


def _write(asked: Asked, invoice: Invoice, verdict: Verdict) -> Reminder:
    contact, channel = _way(asked, invoice)
    reminder = Reminder(
        client=invoice.client,
        contact=contact,
        client_kind=invoice.dossier.kind,
        language=invoice.client.language,
        step=asked.step,
        rank=asked.step.rank,
        channel=channel,
        state=ReminderState.AWAITING_APPROVAL,
        on=asked.cabinet.today(),
        depart_at=asked.cabinet.now(),
        reasons=sorted({*(one.value for one in verdict.reasons), Reason.BY_HAND.value}),
        dossier_ids=[invoice.dossier_id],
        total_cents=invoice.outstanding_cents,
    )
    reminder.depart_at = outcomes.next_departure(reminder, asked.cabinet, after=asked.cabinet.now())
    try:
        with transaction.atomic():
            reminder.save(force_insert=True)
    except IntegrityError as error:
        raise DunningError(PENDING_ALREADY) from error
    ReminderLine(
        reminder=reminder,
        case=asked.case,
        invoice=invoice,
        rank=asked.step.rank,
        is_claimed=True,
        owed_cents=invoice.outstanding_cents,
        # A step said again is no second step: the first one still counts.
        counts=asked.step.rank == asked.case.next_rank,
    ).save(force_insert=True)
    return reminder


def _way(asked: Asked, invoice: Invoice) -> tuple[Contact | None, Channel]:
    addressee = addressee_in(asked.case)
    has_sms = asked.cabinet.is_demo or ChannelAccount.objects.filter(medium=Medium.SMS, is_enabled=True).exists()
    channel, _ = best_way(
        reach_of(invoice.client, addressee, has_sms=has_sms),
        channel=Channel(asked.step.channel),
        companions=[Channel(one) for one in asked.step.companions],
        tone=Tone(asked.step.tone),
    )
    return (None if isinstance(addressee, Client) else addressee), channel
