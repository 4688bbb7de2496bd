"""The demonstration on any day: three firms whose last six weeks show every rule, every kind and every step."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import override_settings
from stdnum import iban
from stdnum.fr import siren, tva

from cabinets import sealing
from cabinets.enums import ClientKind
from cabinets.models import Cabinet, TotpDevice, User
from cabinets.scoping import working_for
from config.demo import story as tales
from config.demo.days import DEPARTURE, TERRITORIES, demo_day
from config.demo.firms import FIRMS, PASSWORD, Firm
from config.demo.invoices import LATE_AND_RATED, cast
from config.management.commands import demo
from dunning.channels.catcher import is_reserved, list_messages, open_message
from dunning.enums import SPOKEN, Code, LetterState, Reason, ReminderState
from dunning.management import night_table
from dunning.models import Decision, DunningCase, Letter, LetterProof, NightlyRun, Reminder, ReminderLine
from dunning.services import evidence
from dunning.window import SendWindow, is_open
from gdpr.services import centre
from invoices.calendar import is_working_day
from invoices.enums import InvoiceKind
from invoices.law.rates import HalfYear
from invoices.models import InterestRate, Invoice
from invoices.money import show_euros
from payments.enums import LineState
from payments.models import BankLine, Payment
from tests.emptying import empty_every_table
from tests.factories.cabinets import make_cabinet
from tests.reporting.by_hand import check_the_figures

HOLIDAYS = [
    pytest.param(dt.date(2026, 12, 20), id="Noël, et la Saint-Étienne en Alsace"),
    pytest.param(dt.date(2027, 3, 24), id="Vendredi saint en Alsace, lundi de Pâques"),
    pytest.param(dt.date(2028, 5, 15), id="22 mai en Martinique"),
    pytest.param(dt.date(2026, 5, 1), id="deux fêtes de mai et l’Ascension"),
]
# The seven items of the checklist: every demonstration firm meets them all.
COMPLIANCE = ("accord", "confidentialite", "durees", "droits", "securite", "formation", "audit")
# A plain Tuesday; the Monday after a four-day closure in Alsace. The pages are walked on the day of the run besides.
DAYS = [dt.date(2026, 11, 24), dt.date(2026, 12, 28)]


@pytest.mark.parametrize("first", HOLIDAYS)
def test_lives_on_a_day_that_is_worked_in_the_three_territories(first: dt.date) -> None:
    for today in (first + dt.timedelta(days=after) for after in range(14)):
        day = demo_day(today)

        assert all(is_working_day(day, territory=place) for place in TERRITORIES)
        assert 0 <= (today - day).days <= 5
        later = (day + dt.timedelta(days=after) for after in range(1, (today - day).days + 1))
        assert not any(all(is_working_day(one, territory=place) for place in TERRITORIES) for one in later)


@pytest.mark.parametrize("first", HOLIDAYS)
@pytest.mark.parametrize("firm", FIRMS, ids=lambda firm: firm.slug)
def test_sends_at_an_hour_inside_the_window_of_the_firm(firm: Firm, first: dt.date) -> None:
    zone, window = ZoneInfo(firm.zone_name), SendWindow(opens=DEPARTURE)
    for after in range(14):
        leaves = dt.datetime.combine(demo_day(first + dt.timedelta(days=after)), DEPARTURE, tzinfo=zone)

        assert is_open(leaves, zone=zone, territory=firm.territory, window=window)


@pytest.mark.parametrize("firm", FIRMS, ids=lambda firm: firm.slug)
def test_invents_firms_whose_numbers_are_well_formed_and_reach_nobody(firm: Firm) -> None:
    assert siren.is_valid(firm.siren)
    assert tva.is_valid(firm.vat_number)
    assert iban.is_valid(firm.iban)
    assert firm.iban[4:9] == "99999"
    assert is_reserved(firm.owner.email(firm.domain))
    assert sum(len(part.bills) for part in cast(firm)) == 100


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Path]:
    with override_settings(VAR=tmp_path, DEMO_CATCHER=""):
        yield tmp_path / "catcher"


def seed(day: dt.date, *words: str) -> str:
    out = io.StringIO()
    with time_machine.travel(dt.datetime.combine(day, dt.time(7, 12), tzinfo=dt.UTC), tick=False):
        call_command("demo", *words, stdout=out)
    return out.getvalue()


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_shows_every_rule_every_kind_and_every_step(day: dt.date, box: Path) -> None:
    table = seed(day)

    told = story()
    codes: set[str] = set()
    kinds: set[str] = set()
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            cabinet = Cabinet.objects.get()
            codes |= set(Decision.objects.values_list("code", flat=True))
            kinds |= set(Invoice.objects.values_list("dossier__kind", flat=True))
            check_the_night(cabinet, day, table)
            assert {one.slug: one.is_met for one in centre.checks(cabinet=cabinet)} == dict.fromkeys(COMPLIANCE, True)
    assert codes == set(Code)
    assert kinds == set(ClientKind)
    check_the_mailbox(box)
    check_the_bank()
    check_the_figures()
    check_it_runs_once(day)
    check_the_person_can_sign_in()
    check_it_moves_on(day)
    assert max(len(line) for line in table.splitlines()) <= 100
    if day == DAYS[0]:
        check_the_same_story_is_told_again(day, (table, told))


def check_the_night(cabinet: Cabinet, day: dt.date, table: str) -> None:
    """One firm: its hour, an ordinary night, a step of each rank, and the amounts of the table."""
    night = NightlyRun.objects.get(on=day)
    tonight = Reminder.objects.filter(on=day)
    departures = set(tonight.filter(state__in=SPOKEN).values_list("spoken_at", flat=True))

    assert (cabinet.is_demo, cabinet.demo_on, night.is_abnormal) == (True, day, False)
    assert {one.astimezone(cabinet.zone) for one in departures if one} == {
        dt.datetime.combine(day, DEPARTURE, tzinfo=cabinet.zone)
    }
    assert 0 < tonight.count() <= 20
    assert set(Decision.objects.filter(on=day).values_list("rank", flat=True)) >= {1, 2, 3, 4}
    assert Invoice.objects.count() == 100
    assert tonight.filter(state=ReminderState.AWAITING_APPROVAL, reasons__contains=[Reason.FORMAL]).exists()
    notice = Letter.objects.get(state__in=[LetterState.DEPOSITED, LetterState.DELIVERED])
    assert LetterProof.objects.filter(letter=notice, kind="deposit").exists()
    assert evidence.verify().holds
    for reminder in tonight.exclude(state=ReminderState.CANCELLED):
        claimed = ReminderLine.objects.filter(reminder=reminder, is_claimed=True).select_related("invoice")
        assert reminder.total_cents == sum(line.invoice.outstanding_cents for line in claimed)
        assert show_euros(reminder.total_cents) in table
        assert all(line.invoice.number in table for line in claimed)
    check_the_rated_debt()


def check_the_rated_debt() -> None:
    """One professional debt was late, and wholly within half-years whose rates are known."""
    due_on, paid_on = LATE_AND_RATED
    invoice = Invoice.objects.get(due_on=due_on)
    known = {(rate.year, rate.half) for rate in InterestRate.objects.all()}

    assert invoice.dossier.kind == ClientKind.PROFESSIONAL
    assert (invoice.outstanding_cents, invoice.kind) == (0, InvoiceKind.INVOICE)
    assert Payment.objects.filter(client=invoice.client_id, received_on=paid_on).exists()
    assert {(HalfYear.of(one).year, HalfYear.of(one).half) for one in (due_on + dt.timedelta(days=1), paid_on)} <= known
    assert (2026, 2) not in known


def check_the_mailbox(box: Path) -> None:
    messages = list_messages(box)
    identifiers = [message.message_id for message in messages]

    assert len(messages) > 60
    assert len(set(identifiers)) == len(identifiers)
    assert [message.recipient for message in messages if not is_reserved(message.recipient)] == []
    opened = open_message(box, messages[0].key)
    assert opened is not None
    assert "Démonstration" in opened.html


def check_the_bank() -> None:
    """A month of the bank: certain lines alone, doubtful ones suggested, one nobody's, and none of them wrong."""
    with working_for(cabinet_id=FIRMS[0].pk):
        lines = list(BankLine.objects.prefetch_related("matches__payment__allocations__invoice", "guesses"))
        matched = [line for line in lines if line.state == LineState.MATCHED]
        waiting = [line for line in lines if line.state == LineState.UNMATCHED]

        assert {line.state for line in lines} == {LineState.MATCHED, LineState.UNMATCHED, LineState.OUTGOING}
        assert len(matched) > 4
        for line in matched:
            [match] = line.matches.all()
            assert (match.is_automatic, match.payment.cents) == (True, line.cents)
            assert all(part.invoice.number in line.label for part in match.payment.allocations.all())
        assert {match.outcome for line in matched for match in line.matches.all()} == {"record", "link"}
        assert sorted(bool(line.guesses.all()) for line in waiting) == [False, True, True]


def check_it_moves_on(day: dt.date) -> None:
    """On a later day the demonstration has that day's night, once."""
    later = demo_day(day + dt.timedelta(days=4))

    said = seed(later, "--if-empty")

    assert f"La démonstration passe au {night_table.day_words(later)}." in said
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            assert Cabinet.objects.get().demo_on == later
            assert NightlyRun.objects.filter(on=later, finished_at__isnull=False).count() == 1
    before = counts()
    seed(later, "--if-empty")
    assert counts() == before


def check_it_runs_once(day: dt.date) -> None:
    """A second night, a second start and a second asking add nothing."""
    before = counts()

    call_command("night", stdout=io.StringIO(), stderr=io.StringIO())
    again = seed(day, "--if-empty")
    with pytest.raises(CommandError, match="Des cabinets existent déjà"):
        seed(day)

    assert counts() == before
    assert "Se connecter à la démonstration" in again
    assert "Six semaines" not in again


def check_the_person_can_sign_in() -> None:
    user = User.objects.get(email="claire.aubry@aubry-lemaire.example")
    out = io.StringIO()
    call_command("demo_code", stdout=out)

    assert user.check_password(PASSWORD)
    assert TotpDevice.objects.filter(user=user, confirmed=True).exists()
    assert out.getvalue().startswith("claire.aubry@aubry-lemaire.example\u00a0: ")


def counts() -> list[tuple[int, ...]]:
    rows = []
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            models: tuple[Any, ...] = (Decision, Reminder, ReminderLine, NightlyRun, Invoice, DunningCase)
            rows.append(tuple(model.objects.count() for model in models))
    return rows


def check_the_same_story_is_told_again(day: dt.date, first: tuple[str, list[tuple[object, ...]]]) -> None:
    empty_every_table()
    sealing.forget_keys()

    assert (seed(day), story()) == first


def story() -> list[tuple[object, ...]]:
    """Return what anybody can read of the three firms, without an identifier drawn at random."""
    told: list[tuple[object, ...]] = []
    for firm in FIRMS:
        with working_for(cabinet_id=firm.pk):
            for invoice in Invoice.objects.select_related("client", "dossier").order_by("number"):
                codes = Decision.objects.filter(invoice=invoice).order_by("on", "round")
                facts = (invoice.number, invoice.client.display_name, invoice.client.email, invoice.dossier.reference)
                money = (invoice.total_cents, invoice.settled_cents, invoice.due_on, invoice.state)
                told.append((*facts, *money, tuple(codes.values_list("on", "code", "rank"))))
    return told


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_is_told_again_from_the_start_when_it_was_cut_short(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(stages: Any, offset: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tales, "_live", cut)
        with pytest.raises(KeyboardInterrupt):
            seed(DAYS[0])
    patched: list[dt.date] = []
    monkeypatch.setattr(tales, "tell", lambda *, demo_on, progress: patched.append(demo_on))
    monkeypatch.setattr(demo, "enrol_everybody", lambda: None)

    said = seed(DAYS[0], "--if-empty")

    assert "La démonstration avait été interrompue avant sa fin : elle est refaite." in said
    assert patched == [DAYS[0]]
    assert list(Cabinet.objects.using("scheduler").only("slug")) == []


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_adds_nothing_where_a_real_firm_works(box: Path) -> None:
    make_cabinet(slug="reel")

    assert seed(DAYS[0], "--if-empty") == ""
    assert Cabinet.objects.using("scheduler").only("slug").get().slug == "reel"
