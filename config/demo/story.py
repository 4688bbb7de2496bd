"""Tell the last six weeks of the three firms day by day: real nights, real departures, real decisions of people."""

import datetime as dt
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connections, transaction
from django.db.models import Q

from cabinets import segments, wall
from cabinets.enums import ContactRole, Role
from cabinets.models import Cabinet, Client, Dossier, Membership, User
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import clients, dossiers, journal_seals
from cabinets.services import firm as firm_services
from cabinets.services.clients import ContactFacts
from cabinets.services.dossiers import DossierFacts
from config.demo.acts import Scene
from config.demo.bank import bring_a_month
from config.demo.days import DEPARTURE, PLANNING, at, told_at
from config.demo.firms import FIRMS, PASSWORD, Firm, Person
from config.demo.invoices import AREAS, START, TERM, YESTERDAY, Bill, Part, amount, cast
from config.demo.people import Directory
from dunning.channels.post_desk.tracking import french_key
from dunning.enums import ProofKind, Reason, ReminderState, Tone
from dunning.models import NightlyRun, Reminder, ReminderLine
from dunning.services import activation, approving, dispatch, nights, plan_mail, plan_nights, post_desk, roads
from dunning.services.claiming import take
from dunning.services.composing import write_email
from dunning.services.post_desk import Slip
from gdpr.enums import Attested
from gdpr.services import agreement, centre, retention
from invoices.models import Invoice
from invoices.services.documents import Upload
from invoices.services.entering import InvoiceFacts, enter_invoice
from templates_lib.pdf import render_pdf

# Days between a deposit and its receipt.
RECEIPT_AFTER = 1
AFTERNOON = dt.time(15)
LATER = dt.time(16, 30)
SUSPENDED, RESUMED = -16, -15
# The day before which nobody in Strasbourg had said, for more than a week, that the payments were recorded.
STALE_UNTIL = -12
DECLARES_EVERY = 5
LOST_FOR = dt.timedelta(minutes=5)
# The firms of a demonstration live by its day; at this instant no other firm has anything to send.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

PRIVACY_PAGE = "Page « Confidentialité » du site de démonstration, rubrique « Relances d’honoraires »"
AUDIT_REPORT = "Rapport de démonstration : registre relu, durées appliquées, accès revus avec l’équipe"
TRAINING = "Module d’une heure : secret professionnel, relances et données personnelles"

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Placed:
    """An invoice of the story once it is entered."""

    bill: Bill
    scene_ids: tuple[UUID, UUID, UUID]
    facts: DossierFacts


@dataclass(slots=True)
class Stage:
    """One firm while its story is told."""

    firm: Firm
    demo_on: dt.date
    owner: Membership
    second: Membership
    clerk: Membership
    lawyer: Membership
    assistant: Membership
    parts: list[Part]
    numbers: dict[tuple[int, int], str]
    amounts: dict[tuple[int, int], int]
    directory: Directory
    placed: dict[tuple[int, int], Placed] = field(default_factory=dict)
    files: dict[int, tuple[Client, Dossier, DossierFacts]] = field(default_factory=dict)

    def day(self, offset: int) -> dt.date:
        """Return a day of the story."""
        return self.demo_on + dt.timedelta(days=offset)

    def bills(self) -> Iterator[tuple[tuple[int, int], Part, Bill]]:
        """Give every invoice with its place in the cast."""
        for part_number, part in enumerate(self.parts):
            for bill_number, bill in enumerate(part.bills):
                yield (part_number, bill_number), part, bill


def tell(*, demo_on: dt.date, progress: Progress = lambda done, total: None) -> None:
    """Make the three firms and play their story up to the eve of the demonstration's day."""
    _keep_the_journal_of(demo_on + dt.timedelta(days=START))
    with told_at(at(demo_on + dt.timedelta(days=START), dt.time(9))):
        stages = [_open(firm, demo_on) for firm in FIRMS]
    for done, offset in enumerate(range(START, 0), start=1):
        _live(stages, offset)
        progress(done, -START)
    _turn_to(stages, demo_on)


def play_tonight(*, progress: Progress = lambda done, total: None) -> None:
    """Plan the night of the demonstration's day; a firm that has had it is left alone."""
    cabinets = [cabinet for cabinet in demo_cabinets() if cabinet.demo_on and not _had_its_night(cabinet)]
    planned = [_night(cabinet, cabinet.today(), PLANNING) for cabinet in cabinets]
    if planned:
        with told_at(max(night.now for night in planned)):
            _evaluate(planned, progress)


def send_what_departs(*, progress: Progress = lambda done, total: None) -> None:
    """Send what is due at the demonstration's ten o'clock."""
    cabinets = demo_cabinets()
    for done, cabinet in enumerate(cabinets, start=1):
        if cabinet.demo_on:
            with told_at(at(cabinet.demo_on, DEPARTURE, cabinet.zone)):
                _sweep(only={cabinet.pk})
        progress(done, len(cabinets))


def move_to(day: dt.date) -> bool:
    """Advance the demonstration to a day; False when it is already there or later."""
    moved = False
    for cabinet in demo_cabinets():
        if cabinet.demo_on is None or cabinet.demo_on < day:
            with working_for(cabinet_id=cabinet.pk):
                moved |= bool(Cabinet.objects.filter(pk=cabinet.pk).update(demo_on=day))
    return moved


def seal_the_journals() -> None:
    """Seal the finished months of the story, as each night does of every firm."""
    for cabinet in demo_cabinets():
        with working_for(cabinet_id=cabinet.pk):
            journal_seals.seal_finished_months(on=journal_seals.sealing_day(cabinet))


def demo_cabinets() -> list[Cabinet]:
    """Return the firms of the demonstration that exist here, in their order."""
    found: list[Cabinet] = []
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            found += Cabinet.objects.filter(pk=firm.pk, is_demo=True)
    return found


def forget() -> None:
    """Empty every table of the firms: for a story whose telling was cut short, where no other firm lives."""
    tables = ", ".join(sorted(model._meta.db_table for model in wall.walled_models()))
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


def _had_its_night(cabinet: Cabinet) -> bool:
    with working_for(cabinet_id=cabinet.pk):
        return NightlyRun.objects.filter(on=cabinet.today(), finished_at__isnull=False).exists()


def _keep_the_journal_of(day: dt.date) -> None:
    """Make the monthly segments of the journal that the story writes into."""
    with transaction.atomic(using="owner"):
        segments.make_segments(connections["owner"], on=day)
        wall.build(connections["owner"])


def _open(firm: Firm, demo_on: dt.date) -> Stage:
    start = demo_on + dt.timedelta(days=START)
    is_new = firm.opened_at(demo_on) > start
    cabinet = Cabinet(
        id=firm.pk,
        slug=firm.slug,
        name=firm.name,
        siren=firm.siren,
        vat_number=firm.vat_number,
        bar=firm.bar,
        address=firm.address,
        postcode=firm.postcode,
        city=firm.city,
        email=f"facturation@{firm.domain}",
        phone=firm.phone,
        signature=f"Maître {firm.owner.first_name} {firm.owner.last_name}",
        iban=firm.iban,
        bic="DEMOFRPP",
        account_holder=firm.name,
        mediator_name="Médiateur de démonstration",
        mediator_address="1 place de l’Exemple, 75000 Paris",
        mediator_site="mediateur.example",
        territory=firm.territory,
        zone_name=firm.zone_name,
        opens_at=DEPARTURE,
        activated_on=None if is_new else firm.opened_at(demo_on),
        settled_through_on=start,
        settlements_declared_on=start,
        is_demo=True,
        demo_on=start,
    )
    with working_for(cabinet_id=firm.pk):
        cabinet.save(force_insert=True)
        members = []
        for minute, person in enumerate((firm.owner, *firm.people)):
            with told_at(at(start, dt.time(9, minute))):
                members.append(_member(firm, person))
        with told_at(at(start, dt.time(9, 30))):
            _comply(members)
    numbers, amounts = _numbered(firm, demo_on)
    return Stage(
        firm=firm,
        demo_on=demo_on,
        owner=members[0],
        second=_of(members, Role.OWNER, Role.LAWYER),
        clerk=_of(members, Role.ADMIN),
        lawyer=_of(members, Role.LAWYER),
        assistant=_of(members, Role.ASSISTANT, Role.LAWYER),
        parts=cast(firm),
        numbers=numbers,
        amounts=amounts,
        directory=Directory(firm),
    )


def _comply(members: Sequence[Membership]) -> None:
    """Sign and vouch for what the compliance page asks of a firm, as its people do on their first day."""
    owner, today = members[0], Cabinet.objects.get().today()
    agreement.sign(by=owner)
    retention.save_settings(by=owner, accounting_years=10, fiscal_month=12, purges=True)
    centre.attest(by=owner, kind=Attested.PRIVACY, on=today, note=PRIVACY_PAGE)
    centre.attest(by=owner, kind=Attested.AUDIT, on=today, note=AUDIT_REPORT)
    for member in members:
        centre.attest(by=member, kind=Attested.TRAINING, on=today, note=TRAINING)


def _member(firm: Firm, person: Person) -> Membership:
    # One hash for all: hashing a password is slow on purpose, and everybody here has the same.
    named = {"password": _password_hash(), "first_name": person.first_name, "last_name": person.last_name}
    user, _ = User.objects.get_or_create(email=person.email(firm.domain), defaults=named)
    member = Membership(user=user, role=person.role, sees_every_file=person.sees_every_file)
    member.save(force_insert=True)
    return member


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)


def _of(members: Sequence[Membership], *roles: Role) -> Membership:
    """Return the first member after the owner who has the first of these roles that anybody has."""
    return next(member for role in roles for member in members[1:] if member.role == role)


def _numbered(firm: Firm, demo_on: dt.date) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], int]]:
    """Number the invoices in the order in which they were issued, and draw their amounts."""
    draw = random.Random(f"{firm.slug} amounts")  # noqa: S311 - invented amounts
    rows, amounts = [], {}
    for part_number, part in enumerate(cast(firm)):
        for bill_number, bill in enumerate(part.bills):
            place = (part_number, bill_number)
            amounts[place] = bill.cents or amount(draw, part.kind)
            rows.append((_dates(bill, demo_on)[0], place))
    numbers: dict[tuple[int, int], str] = {}
    last: dict[int, int] = defaultdict(int)
    for issued_on, place in sorted(rows):
        last[issued_on.year] += 1
        numbers[place] = f"{firm.prefix}{issued_on.year}-{last[issued_on.year]:04}"
    return numbers, amounts


def _dates(bill: Bill, demo_on: dt.date) -> tuple[dt.date, dt.date]:
    due_on = bill.due_on or demo_on + dt.timedelta(days=bill.due)
    return due_on - dt.timedelta(days=TERM), due_on


def _live(stages: Sequence[Stage], offset: int) -> None:
    """One day: the night, the morning's departures, what people do, the afternoon's departures."""
    day = stages[0].day(offset)
    _turn_to(stages, day)
    with told_at(at(day, PLANNING)):
        _evaluate([_night(_cabinet(stage), day, PLANNING) for stage in stages])
    lost = {
        stage.placed[place].scene_ids[2]
        for stage in stages
        for place, _, bill in stage.bills()
        if bill.is_lost and place in stage.placed
    }
    with told_at(at(day, DEPARTURE)):
        _lose(stages, lost)
        _sweep()
    for stage in stages:
        with told_at(at(day, AFTERNOON, _cabinet(stage).zone)):
            _work(stage, offset)
    with told_at(at(day, AFTERNOON)):
        _confirm(stages, day)
    with told_at(at(day, LATER)):
        _sweep()


def _turn_to(stages: Sequence[Stage], day: dt.date) -> None:
    for stage in stages:
        with working_for(cabinet_id=stage.firm.pk):
            Cabinet.objects.filter(pk=stage.firm.pk).update(demo_on=day)


def _cabinet(stage: Stage) -> Cabinet:
    with working_for(cabinet_id=stage.firm.pk):
        return Cabinet.objects.get()


def _night(cabinet: Cabinet, on: dt.date, hour: dt.time) -> nights.FirmNight:
    return nights.FirmNight(cabinet=cabinet, on=on, now=at(on, hour, cabinet.zone))


def _evaluate(asked: Sequence[nights.FirmNight], progress: Progress = lambda done, total: None) -> None:
    """Evaluate these nights, waiting for the one that may be running."""
    for _ in range(100):
        if plan_nights.evaluate(asked, progress=progress):
            return
        time.sleep(0.1)
    raise TimeoutError("another night has been running for ten seconds")


def _sweep(*, only: set[UUID] | None = None) -> None:
    firms = {firm.pk for firm in FIRMS} if only is None else only
    for cabinet_id, ids in dispatch.due_reminders(now=LONG_AGO).items():
        if cabinet_id in firms:
            dispatch.send_batch(cabinet_id=cabinet_id, reminder_ids=ids)
    for cabinet_id, ids in plan_mail.due(now=LONG_AGO).items():
        if cabinet_id in firms:
            plan_mail.send_batch(cabinet_id=cabinet_id, message_ids=ids)


def _lose(stages: Sequence[Stage], invoice_ids: set[UUID]) -> None:
    """Take the reminders of these invoices for sending and never speak, as a killed process does."""
    for stage in stages:
        with working_for(cabinet_id=stage.firm.pk):
            cabinet = Cabinet.objects.get()
            named = ReminderLine.objects.filter(invoice__in=invoice_ids).values("reminder")
            ready = Q(state=ReminderState.PLANNED, depart_at__lte=cabinet.now())
            ids = list(Reminder.objects.filter(ready, pk__in=named).values_list("pk", flat=True))
            road = roads.road_of(cabinet) if ids else None
        for reminder_id in ids:
            with acting_for(cabinet_id=stage.firm.pk), tenant_atomic(durable=True):
                if road is not None:
                    take(reminder_id=reminder_id, write=partial(write_email, sender=road.sender))
            dispatch.settle_expired(cabinet_id=stage.firm.pk, reminder_ids=[reminder_id], now=cabinet.now() + LOST_FOR)


def _work(stage: Stage, offset: int) -> None:
    """What the people of a firm do on one day."""
    today = stage.day(offset)
    with working_for(cabinet_id=stage.firm.pk, member_id=stage.clerk.pk):
        _enter(stage, offset, today)
        _happen(stage, offset, today)
        _declare(stage, offset, today)
        if offset == YESTERDAY and stage.firm.slug == "aubry-lemaire":
            bring_a_month(firm_iban=stage.firm.iban, today=today)
    with working_for(cabinet_id=stage.firm.pk, member_id=stage.owner.pk):
        _decide(stage)
        if offset < 0:
            _post(stage, today)
        _govern(stage, offset, today)


def _enter(stage: Stage, offset: int, today: dt.date) -> None:
    for place, part, bill in stage.bills():
        if bill.day_entered != offset:
            continue
        client, dossier, facts = _file_of(stage, place[0], part)
        issued_on, due_on = _dates(bill, stage.demo_on)
        invoice = enter_invoice(
            facts=InvoiceFacts(
                dossier_id=dossier.pk,
                number=stage.numbers[place],
                kind=bill.kind,
                issued_on=issued_on,
                due_on=due_on,
                total_cents=stage.amounts[place],
            ),
            on=today,
        )
        stage.placed[place] = Placed(bill=bill, scene_ids=(client.pk, dossier.pk, invoice.pk), facts=facts)


def _file_of(stage: Stage, number: int, part: Part) -> tuple[Client, Dossier, DossierFacts]:
    """Return a part's client and dossier, opened the first time."""
    if number in stage.files:
        return stage.files[number]
    client = clients.create_client(facts=stage.directory.client(part.kind, **part.client))
    contact = None
    if part.has_billing_contact and client.company and client.email:
        domain = client.email.partition("@")[2]
        contact = clients.create_contact(
            client_id=client.pk,
            facts=ContactFacts(role=ContactRole.BILLING, last_name="Service comptable", email=f"factures@{domain}"),
        )
    facts = DossierFacts(
        reference=f"D{stage.demo_on.year % 100}-{number + 101:04}",
        title=AREAS[number % len(AREAS)],
        practice_area=AREAS[number % len(AREAS)],
        kind=part.kind,
        lawyer_id=(stage.lawyer if number % 2 else stage.owner).pk,
        billing_contact_id=contact.pk if contact else None,
        fee_agreement_on=stage.day(START - 60) if part.has_agreement else None,
    )
    told: dict[str, Any] = {
        name: stage.day(value) if name.endswith("_on") else value for name, value in part.dossier.items()
    }
    facts = replace(facts, **told)
    dossier = dossiers.open_dossier(client_id=client.pk, facts=facts)
    if number % 2:
        dossiers.assign(dossier_id=dossier.pk, member_id=stage.lawyer.pk)
    if number % 3 == 0 and stage.assistant != stage.lawyer:
        dossiers.assign(dossier_id=dossier.pk, member_id=stage.assistant.pk)
    stage.files[number] = (client, dossier, facts)
    return stage.files[number]


def _happen(stage: Stage, offset: int, today: dt.date) -> None:
    for place, placed in stage.placed.items():
        for day, act in placed.bill.acts:
            if max(day, placed.bill.day_entered) == offset:
                client, dossier, facts = stage.files[place[0]]
                invoice = Invoice.objects.get(pk=placed.scene_ids[2])
                act(Scene(today=today, client=client, dossier=dossier, facts=facts, invoice=invoice))


def _declare(stage: Stage, offset: int, today: dt.date) -> None:
    """Say, every five days and yesterday, that the payments are recorded; Strasbourg forgot once."""
    declares = offset % DECLARES_EVERY == 0 or offset == -1
    if stage.firm.slug == "cabinet-kessler":
        declares = (declares and not STALE_UNTIL - 7 < offset < STALE_UNTIL) or offset == STALE_UNTIL
    if declares:
        firm_services.declare_settlements(cabinet=Cabinet.objects.get(), through_on=today, today=today)


def _decide(stage: Stage) -> None:
    """Approve what the owner may, with a colleague where two accords are asked, and one formal notice of all."""
    on_notice = {placed.scene_ids[2] for placed in stage.placed.values() if placed.bill.is_put_on_notice}
    for reminder in (
        Reminder.objects.filter(state=ReminderState.AWAITING_APPROVAL).select_related("step").order_by("on", "pk")
    ):
        claimed = ReminderLine.objects.filter(reminder=reminder, is_claimed=True)
        if reminder.step.tone == Tone.FORMAL and not claimed.filter(invoice__in=on_notice).exists():
            continue
        approving.approve(reminder_id=reminder.pk, by=stage.owner)
        if Reason.TWO_PEOPLE in reminder.reasons:
            approving.approve(reminder_id=reminder.pk, by=stage.second)


def _post(stage: Stage, today: dt.date) -> None:
    """Print and post what is between the firm's hands, and keep the slips the post office gives back."""
    carried = Reminder.objects.filter(channel__in=post_desk.LETTERS)
    for place, reminder in enumerate(carried.filter(state=ReminderState.IN_HAND).order_by("on", "pk")):
        if post_desk.print_letter(reminder_id=reminder.pk, by=stage.owner):
            continue
        digits = f"{stage.demo_on:%y}{today:%m%d}{place:04}"
        number = f"1A{digits}{french_key(digits)}"
        post_desk.post(reminder_id=reminder.pk, by=stage.owner, tracking=number, posted_on=today)
        _keep(stage, reminder, ProofKind.DEPOSIT, f"Preuve de dépôt du recommandé {number}, {today:%d/%m/%Y}.")
    delivered_on = today - dt.timedelta(days=RECEIPT_AFTER)
    for reminder in carried.filter(state=ReminderState.ACCEPTED, spoken_on__lte=delivered_on):
        _keep(stage, reminder, ProofKind.RECEIPT, f"Avis de réception signé le {today:%d/%m/%Y}.", ended_on=today)


def _keep(stage: Stage, reminder: Reminder, kind: ProofKind, words: str, *, ended_on: dt.date | None = None) -> None:
    page = f"<html lang='fr'><head><title>{kind.label}</title></head><body><p>{words}</p></body></html>"
    upload = Upload(name=f"{kind.value}.pdf", data=render_pdf(page, styles=("fonts.css",)).content)
    slip = Slip(kind=kind, upload=upload, presented_on=ended_on, ended_on=ended_on)
    post_desk.keep_slip(reminder_id=reminder.pk, by=stage.owner, slip=slip)


def _govern(stage: Stage, offset: int, today: dt.date) -> None:
    """Suspend and resume the sendings of Paris; activate Fort-de-France on its day."""
    cabinet = Cabinet.objects.get()
    if stage.firm.slug == "aubry-lemaire" and offset == SUSPENDED:
        firm_services.suspend_all(cabinet=cabinet, by=stage.owner, at=cabinet.now())
    if stage.firm.slug == "aubry-lemaire" and offset == RESUMED:
        firm_services.resume_all(cabinet=cabinet)
    if cabinet.activated_on is None and stage.firm.opened_at(stage.demo_on) <= today:
        activation.activate(by=stage.owner)


def _confirm(stages: Sequence[Stage], day: dt.date) -> None:
    """Let the owner confirm an unusual night, and evaluate it again at once."""
    again = []
    for stage in stages:
        with working_for(cabinet_id=stage.firm.pk, member_id=stage.owner.pk):
            run = NightlyRun.objects.filter(on=day, is_abnormal=True, confirmed_at=None).first()
            if run is not None:
                approving.confirm_night(night_id=run.pk, by=stage.owner)
                again.append(_night(Cabinet.objects.get(), day, AFTERNOON))
    if again:
        _evaluate(again)
