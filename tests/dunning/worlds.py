"""Firms full of facts drawn at random from a seed: what the planner and the policy must agree on."""

import datetime as dt
import random
from typing import Any

from cabinets.enums import ClientKind, LegalAid, SendingMode
from cabinets.models import Cabinet, Client, Hearing
from dunning.enums import Channel, Entry, Medium, ReminderState, Tone
from dunning.models import ChannelAccount, DunningCase, NightlyRun, Reminder, Scenario, Step
from dunning.rungs import DEFAULT_LADDER, Rung
from dunning.services.scenarios import publish
from invoices.enums import InvoiceKind, InvoiceState, StopKind
from invoices.models import Standstill
from tests.factories.cabinets import make_client, make_contact, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice

SOMETIMES = 0.4
NOTICE = Rung(offset_days=-7, tone=Tone.NOTICE)
SPARSE = (
    Rung(offset_days=3, tone=Tone.COURTEOUS, companions=(Channel.SMS, Channel.PHONE), needs_approval=True),
    Rung(offset_days=15, tone=Tone.FIRM, channel=Channel.LETTER, companions=(Channel.EMAIL,)),
    Rung(offset_days=30, tone=Tone.FORMAL, channel=Channel.REGISTERED, companions=(Channel.EMAIL,)),
)


def draw_firm(cabinet: Cabinet, *, seed: int, clients: int, calm: float = 0.86) -> None:
    """Fill the firm acted for with clients, invoices, facts and past contacts; most facts are calm."""
    draw = random.Random(seed)
    scenario = Scenario(name="Tirée", is_default=True)
    scenario.save(force_insert=True)
    version = publish(scenario=scenario, ladder=DEFAULT_LADDER, min_gap_days=draw.choice([5, 7, 9]))
    noticed = publish(scenario=scenario, ladder=(NOTICE, *SPARSE), min_gap_days=5)
    ChannelAccount(medium=Medium.SMS, provider="ovh_sms", is_enabled=draw.random() > SOMETIMES).save(force_insert=True)
    strict = Scenario(name="Exigeante")
    strict.save(force_insert=True)
    rated = publish(scenario=strict, ladder=DEFAULT_LADDER)
    Step.objects.filter(version=rated, rank=3).update(needs_rate=True)
    Step.objects.filter(version=rated, rank=2).update(text_fault="R12")
    lawyer = make_member()
    night = NightlyRun(on=TODAY - dt.timedelta(days=40), started_at=cabinet.now(), finished_at=cabinet.now())
    night.save(force_insert=True)
    for _ in range(clients):
        _draw_client(draw, cabinet, calm, [version, rated, noticed], lawyer, night)
    if draw.random() > calm:
        Standstill(kind=StopKind.HOLD, until_on=_day(draw, -3, 9)).save(force_insert=True)
    if draw.random() > calm:
        Standstill(kind=StopKind.HOLD, lawyer=lawyer).save(force_insert=True)


def _draw_client(
    draw: random.Random, cabinet: Cabinet, calm: float, versions: list[Any], lawyer: Any, night: Any
) -> None:
    def rare() -> bool:
        return draw.random() > calm

    client = make_client(
        has_email=not rare(),
        is_strategic=rare(),
        needs_two_approvals=rare(),
        is_never_reminded=rare() and rare(),
        has_mobile=rare() or rare(),
        has_phone=rare(),
        has_postal=not rare(),
        accepts_sms=not rare(),
        email_refused_at=cabinet.now() if rare() else None,
        mobile_refused_at=cabinet.now() if rare() and rare() else None,
        postal_refused_at=cabinet.now() if rare() and rare() else None,
        sending_mode=draw.choice(list(SendingMode)) if rare() else "",
        email_stopped_at=cabinet.now() if rare() and rare() else None,
        territory=None if rare() else draw.choice(["metropole", "alsace_moselle", "reunion"]),
        credit_cents=draw.choice([10_000, 900_000]) if rare() else 0,
    )
    dossiers = [_draw_dossier(draw, client, rare, lawyer) for _ in range(draw.randint(1, 2))]
    for _ in range(draw.randint(1, 3)):
        _draw_invoice(draw, cabinet, client, draw.choice(dossiers), rare, versions)
    if rare():
        _stop(draw, client=client)
    if rare():
        _stop(draw, dossier=dossiers[0])
    _draw_contacts(draw, client, dossiers[0], versions[0], night, rare)


def _draw_dossier(draw: random.Random, client: Client, rare: Any, lawyer: Any) -> Any:
    contact = (
        make_contact(client=client, has_email=not rare(), has_mobile=rare(), is_archived=rare()) if rare() else None
    )
    dossier = make_dossier(
        client=client,
        kind=draw.choice(list(ClientKind)),
        lawyer=lawyer if rare() else None,
        billing_contact=contact,
        fee_agreement_on=None if rare() else dt.date(2026, 3, 2),
        batonnier_notified_on=draw.choice([None, dt.date(2026, 3, 17), dt.date(2026, 3, 18)]),
        legal_aid=draw.choice(list(LegalAid)) if rare() else LegalAid.NONE,
        mandate_ended_on=draw.choice([_day(draw, -760, -700), _day(draw, -1900, -1800)]) if rare() else None,
        is_never_reminded=rare() and rare(),
    )
    if rare():
        Hearing(dossier=dossier, held_on=_day(draw, -5, 6)).save(force_insert=True)
    return dossier


def _draw_invoice(
    draw: random.Random, cabinet: Cabinet, client: Client, dossier: Any, rare: Any, versions: list[Any]
) -> None:
    total = draw.choice([90_000, 500_000, 500_001, 800_000])
    settled = draw.choice([total, total // 2]) if rare() else 0
    due_on = _day(draw, -60, -3) if not rare() else _day(draw, -1000, -500)
    invoice = make_invoice(
        dossier=dossier,
        due_on=due_on,
        total_cents=total,
        settled_cents=settled,
        last_payment_at=cabinet.now() - dt.timedelta(hours=draw.choice([2, 23, 24, 25, 90]))
        if settled or rare()
        else None,
        kind=InvoiceKind.PROVISION if rare() else InvoiceKind.INVOICE,
        state=draw.choice(list(InvoiceState)) if rare() else InvoiceState.OPEN,
        is_never_reminded=rare() and rare(),
    )
    case = DunningCase(
        invoice=invoice,
        client=client,
        version=draw.choice(versions[1:]) if rare() else versions[0],
        next_rank=draw.choice([1, 1, 2, 2, 3, 4, 5]),
        next_action_on=draw.choice(
            [TODAY, TODAY, TODAY, TODAY - dt.timedelta(days=3), TODAY + dt.timedelta(days=1), None]
        ),
        last_step_on=_day(draw, -10, -4) if draw.random() < 0.3 else None,
        entry=draw.choice(list(Entry)) if rare() else Entry.NORMAL,
        entered_on=due_on,
    )
    case.save(force_insert=True)
    if rare():
        _stop(draw, invoice=invoice)


def _stop(draw: random.Random, **target: Any) -> None:
    Standstill(
        kind=draw.choice(list(StopKind)),
        until_on=draw.choice([None, _day(draw, -4, -1), TODAY, _day(draw, 1, 5)]),
        released_at=draw.choice([None, None, dt.datetime(2026, 11, 1, tzinfo=dt.UTC)]),
        **target,
    ).save(force_insert=True)


def _draw_contacts(draw: random.Random, client: Client, dossier: Any, version: Any, night: Any, rare: Any) -> None:
    step = Step.objects.get(version=version, rank=1)
    states = [
        ReminderState.ACCEPTED,
        ReminderState.DELIVERED,
        ReminderState.ACCEPTED,
        ReminderState.UNKNOWN,
        ReminderState.REJECTED,
        ReminderState.CANCELLED,
    ]
    for days in draw.sample([6, 7, 8, 12, 20, 25, 29, 30, 31], draw.choice([0, 0, 0, 0, 2, 4, 5, 6])):
        _past(client, dossier, step, night, draw.choice(states), TODAY - dt.timedelta(days=days))
    if rare() and rare():
        _past(client, dossier, step, night, ReminderState.AWAITING_APPROVAL, None)


def _past(
    client: Client, dossier: Any, step: Step, night: Any, state: ReminderState, spoken_on: dt.date | None
) -> None:
    Reminder(
        client=client,
        client_kind=dossier.kind,
        language="fr",
        step=step,
        rank=1,
        channel="email",
        state=state,
        night=night,
        on=night.on,
        depart_at=dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC),
        total_cents=90_000,
        dossier_ids=[dossier.pk],
        spoken_on=spoken_on,
    ).save(force_insert=True)


def _day(draw: random.Random, low: int, high: int) -> dt.date:
    return TODAY + dt.timedelta(days=draw.randint(low, high))


__all__ = ["Tone", "draw_firm"]
