"""A firm's subscription: a table of standings, what is agreed, and what its end silences and does not."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.admin import OPERATOR, readable
from cabinets.enums import Role
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, JournalEntry, Membership, Offer, Subscription
from cabinets.ports import meter
from cabinets.scoping import acting_for, tenant_atomic, working_for
from cabinets.services import subscription as subscriptions
from cabinets.services.people import open_firm
from cabinets.services.subscription import SubscriptionError
from cabinets.subscriptions import Standing, Terms, first_day, last_day_paid, standing_of
from dunning.enums import Code
from dunning.models import Decision
from dunning.services import nights, plan_nights
from invoices.services import settlement
from tests.cabinets.test_admin import DESK, desk, operator
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_member, outside_any_firm
from tests.factories.dunning import make_case
from tests.factories.invoices import TODAY, make_invoice

__all__ = ["desk", "operator"]

pytestmark = pytest.mark.committed
Browse = Callable[..., FirmBrowser]
PAGE = "/parametres/abonnement/"
YESTERDAY, TOMORROW = TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=1)
TABLE = [
    (Terms(is_sold=False), Standing.FREE),
    (Terms(is_sold=False, is_unpaid=True), Standing.UNPAID),
    (Terms(is_sold=True, trial_ends_on=TODAY), Standing.TRIAL),
    (Terms(is_sold=True, trial_ends_on=YESTERDAY), Standing.OVER),
    (Terms(is_sold=True), Standing.OVER),
    (Terms(is_sold=True, trial_ends_on=YESTERDAY, began_on=TODAY), Standing.ACTIVE),
    (Terms(is_sold=True, trial_ends_on=TODAY, began_on=TOMORROW), Standing.TRIAL),
    (Terms(is_sold=True, began_on=YESTERDAY, ends_on=TODAY), Standing.ENDING),
    (Terms(is_sold=True, began_on=YESTERDAY, ends_on=YESTERDAY), Standing.OVER),
    (Terms(is_sold=True, began_on=YESTERDAY, is_unpaid=True), Standing.UNPAID),
    (Terms(is_sold=True, trial_ends_on=TODAY, is_unpaid=True), Standing.UNPAID),
]


@pytest.mark.parametrize(("terms", "standing"), TABLE, ids=str)
def test_says_where_a_firm_stands(terms: Terms, standing: Standing) -> None:
    assert standing_of(terms, on=TODAY) is standing


def test_a_trial_is_lived_to_its_end() -> None:
    assert first_day(trial_ends_on=TODAY, on=TODAY) == TOMORROW
    assert first_day(trial_ends_on=YESTERDAY, on=TODAY) == TODAY
    assert first_day(trial_ends_on=None, on=TODAY) == TODAY


@pytest.mark.parametrize(
    ("began_on", "on", "last"),
    [
        (dt.date(2026, 11, 1), dt.date(2026, 11, 24), dt.date(2026, 11, 30)),
        (dt.date(2026, 11, 24), dt.date(2026, 11, 24), dt.date(2026, 12, 23)),
        (dt.date(2026, 10, 25), dt.date(2026, 11, 24), dt.date(2026, 11, 24)),
        (dt.date(2026, 1, 31), dt.date(2026, 2, 10), dt.date(2026, 2, 27)),
        (dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 30)),
        (dt.date(2025, 12, 15), dt.date(2026, 1, 14), dt.date(2026, 1, 14)),
    ],
)
def test_a_month_begun_runs_to_its_end(began_on: dt.date, on: dt.date, last: dt.date) -> None:
    assert last_day_paid(began_on=began_on, on=on) == last


@pytest.fixture(autouse=True)
def _sends(settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.quittance.example"


@pytest.fixture
def cabinet(committed: None) -> Iterator[Cabinet]:
    """Return a firm that is acted for; committed, since what is sold is written by the operators' own role."""
    firm = make_cabinet()
    with acting_for(cabinet_id=firm.pk), tenant_atomic():
        yield firm


@pytest.fixture
def offer(committed: None) -> Offer:
    return Offer.objects.using(OPERATOR).create(name="Cabinet", monthly_cents=9_900, invoices=200, is_public=True)


@pytest.fixture
def trial(cabinet: Cabinet) -> Subscription:
    return subscriptions.begin_trial(on=TODAY)


def events() -> list[str]:
    rows = JournalEntry.objects.filter(event__contains="ubscription")
    return sorted(rows.exclude(event__endswith=".seen").values_list("event", flat=True))


def silent(cabinet: Cabinet) -> bool:
    return Cabinet.objects.values_list("subscription_suspended_at", flat=True).get(pk=cabinet.pk) is not None


def set_to(**facts: Any) -> None:
    Subscription.objects.update(**facts)


def test_a_new_firm_has_thirty_days(committed: None) -> None:
    firm = make_cabinet()
    with outside_any_firm():
        open_firm(cabinet_id=Cabinet().pk, name="Martel", slug="martel", owner="claire@martel.example")
    new = readable(Cabinet).exclude(pk=firm.pk).get()
    with outside_any_firm(), working_for(cabinet_id=new.pk):
        assert Subscription.objects.get().trial_ends_on == dt.date(2026, 12, 23)
        assert subscriptions.begin_trial(on=TOMORROW).trial_ends_on == dt.date(2026, 12, 23)


def test_nothing_lapses_where_nothing_is_sold(cabinet: Cabinet, trial: Subscription) -> None:
    set_to(trial_ends_on=YESTERDAY)

    assert subscriptions.settle(cabinet=cabinet) is Standing.FREE

    assert not silent(cabinet)


def test_a_demonstration_never_lapses(committed: None, offer: Offer) -> None:
    firm = make_cabinet(is_demo=True)
    with outside_any_firm(), working_for(cabinet_id=firm.pk):
        subscriptions.begin_trial(on=TODAY - dt.timedelta(days=90))
        assert subscriptions.settle(cabinet=firm) is Standing.FREE


def test_a_partner_agrees_at_the_price_that_was_read(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    row = subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

    assert (row.offer, row.monthly_cents, row.began_on, row.agreed_by) == (offer, 9_900, dt.date(2026, 12, 24), owner)
    again = subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)
    assert again.agreed_at == row.agreed_at
    assert events() == ["subscription.chosen", "subscription.trial_begun"]


@pytest.mark.parametrize("change", [{"monthly_cents": 10_900}, {"is_public": False}], ids=str)
def test_an_offer_that_changed_meanwhile_is_not_agreed_to(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer, change: dict[str, Any]
) -> None:
    Offer.objects.using(OPERATOR).update(**change)

    with pytest.raises(SubscriptionError, match="Rien n’a été enregistré"):
        subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

    assert Subscription.objects.get().offer is None


def test_only_a_partner_agrees_and_leaves(cabinet: Cabinet, offer: Offer, trial: Subscription) -> None:
    for role in set(Role) - {Role.OWNER}:
        member = make_member(role=role)
        with pytest.raises(RightMissingError):
            subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=member)
        with pytest.raises(RightMissingError):
            subscriptions.cancel(by=member)

    assert Subscription.objects.get().offer is None


def test_leaves_at_the_end_of_the_month_begun_and_may_come_back(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    set_to(trial_ends_on=YESTERDAY)
    subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

    row = subscriptions.cancel(by=owner)

    assert row.ends_on == dt.date(2026, 12, 23)
    assert subscriptions.view_of(cabinet).standing is Standing.ENDING
    with pytest.raises(SubscriptionError):
        subscriptions.cancel(by=owner)
    assert subscriptions.take_back(by=owner).ends_on is None
    assert subscriptions.view_of(cabinet).standing is Standing.ACTIVE


def test_what_was_not_begun_is_dropped_and_the_trial_goes_on(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

    row = subscriptions.cancel(by=owner)

    assert (row.offer, row.began_on, row.ends_on) == (None, None, None)
    assert subscriptions.view_of(cabinet).standing is Standing.TRIAL


def test_its_end_silences_the_firm_and_choosing_gives_it_back_its_voice(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    set_to(trial_ends_on=YESTERDAY)
    assert subscriptions.settle(cabinet=cabinet) is Standing.OVER
    assert silent(cabinet)
    assert subscriptions.settle(cabinet=cabinet) is Standing.OVER

    subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

    assert not silent(cabinet)
    assert events() == [
        "cabinet.subscription_restored", "cabinet.subscription_suspended", "subscription.chosen",
        "subscription.trial_begun",
    ]  # fmt: skip


def test_a_firm_silenced_before_there_were_subscriptions_stays_silent(cabinet: Cabinet, offer: Offer) -> None:
    Cabinet.objects.update(subscription_suspended_at=NOW)
    assert subscriptions.settle(cabinet=cabinet) is Standing.FREE
    assert silent(cabinet)

    row = subscriptions.begin_trial(on=TODAY)

    assert row.unpaid_since == TODAY
    assert subscriptions.settle(cabinet=cabinet) is Standing.UNPAID
    assert silent(cabinet)


def test_what_was_agreed_stays_what_it_was(
    cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)
    Offer.objects.using(OPERATOR).update(invoices=1, monthly_cents=99_900)

    row = Subscription.objects.get()
    assert (row.invoices, row.monthly_cents) == (200, 9_900)


def test_a_demonstration_agrees_to_nothing(committed: None, offer: Offer) -> None:
    firm = make_cabinet(is_demo=True)
    with outside_any_firm(), working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        with pytest.raises(SubscriptionError, match="démonstration"):
            subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)
        assert not Subscription.objects.exists()


def test_counts_what_was_to_pay_on_a_day_of_the_month(cabinet: Cabinet) -> None:
    make_invoice()
    paid, before = make_invoice(), make_invoice()
    settlement.settle(invoice_id=paid.pk, cents=paid.outstanding_cents)
    with time_machine.travel(NOW - dt.timedelta(days=60), tick=False):
        settlement.settle(invoice_id=before.pk, cents=before.outstanding_cents)

    assert meter().followed(since=TODAY.replace(day=1)) == 2


def test_the_page_lets_a_partner_choose_and_leave_in_two_clicks(
    browse: Browse, cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    browser = browse(owner)
    page = browser.get(PAGE).content.decode()
    assert "encore 30 jours" in page
    chosen = browser.post(f"{PAGE}choisir/", {"offre": str(offer.pk), "prix": "9900"}, follow=True).content.decode()
    assert "Votre accord est enregistré : Cabinet, à partir du 24/12/2026." in chosen.replace("\u00a0", " ")
    assert "prend la suite le 24 décembre 2026" in chosen.replace("\u00a0", " ")

    asked = browser.get(f"{PAGE}resilier/").content.decode().replace("\u00a0", " ")
    assert "jusqu’au 23/12/2026, puis s’arrêtent. L’offre n’a pas commencé" in asked
    left = browser.post(f"{PAGE}resilier/", follow=True).content.decode().replace("\u00a0", " ")

    assert "L’abonnement est résilié. Les envois continuent jusqu’au 23/12/2026." in left


@pytest.mark.parametrize("given", [{}, {"offre": "x", "prix": "9900"}, {"offre": "", "prix": ""}], ids=str)
def test_nonsense_changes_nothing(
    browse: Browse, cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer, given: dict[str, str]
) -> None:
    page = browse(owner).post(f"{PAGE}choisir/", given, follow=True)

    assert "Rien n’a été enregistré" in page.content.decode()
    assert Subscription.objects.get().offer is None


def test_a_silent_firm_still_reads_and_exports_everything(
    browse: Browse, cabinet: Cabinet, owner: Membership, trial: Subscription, offer: Offer
) -> None:
    invoice = make_invoice()
    set_to(trial_ends_on=YESTERDAY)
    subscriptions.settle(cabinet=cabinet)
    browser = browse(owner)

    for address in (f"/factures/{invoice.pk}/", "/factures/", "/parametres/journal/export.csv", "/rapports/dso/", PAGE):
        assert browser.get(address).status_code == 200
    shown = browser.get("/factures/").content.decode()
    assert "L’abonnement du cabinet est arrêté." in shown
    assert 'href="/parametres/abonnement/"' in shown


@pytest.mark.usefixtures("committed")
class TestNights:
    """What the clock does, every act committed."""

    def test_a_firm_from_before_has_its_trial_then_is_warned_once_then_is_silent(self) -> None:
        firm = make_cabinet()
        with working_for(cabinet_id=firm.pk):
            make_member(role=Role.OWNER)
        tasks.settle_subscriptions()
        with working_for(cabinet_id=firm.pk):
            assert Subscription.objects.count() == 0
        Offer.objects.using(OPERATOR).create(name="Cabinet", monthly_cents=9_900, invoices=200, is_public=True)

        told = []
        for days in (0, 22, 23, 24, 30):
            with time_machine.travel(NOW + dt.timedelta(days=days), tick=False):
                told.append((tasks.settle_subscriptions(), len(mail.outbox)))

        assert told == [(0, 0), (0, 0), (0, 1), (0, 1), (1, 1)]
        assert "se termine le 23 décembre 2026" in mail.outbox[0].body.replace("\u00a0", " ")
        with working_for(cabinet_id=firm.pk):
            assert silent(firm)

    def test_what_waits_is_looked_at_again_once_the_voice_is_back(self) -> None:
        firm = make_cabinet()
        Offer.objects.using(OPERATOR).create(name="Cabinet", monthly_cents=9_900, invoices=200, is_public=True)
        with working_for(cabinet_id=firm.pk):
            owner = make_member(role=Role.OWNER)
            make_case(invoice=make_invoice())
            subscriptions.begin_trial(on=TODAY - dt.timedelta(days=30))
            subscriptions.settle(cabinet=Cabinet.objects.get())
        codes = []
        for days, on in enumerate((TODAY, TOMORROW)):
            now = NOW + dt.timedelta(days=days)
            with working_for(cabinet_id=firm.pk):
                night = nights.FirmNight(cabinet=Cabinet.objects.get(), on=on, now=now)
            plan_nights.evaluate([night])
            with working_for(cabinet_id=firm.pk):
                codes.append(list(Decision.objects.filter(on=on).values_list("code", flat=True)))
                if on == TODAY:
                    offer = Offer.objects.get()
                    subscriptions.choose(offer_id=offer.pk, monthly_cents=9_900, by=owner)

        assert codes[0] == [Code.NOT_LIVE]
        assert codes[1] != [Code.NOT_LIVE]
        assert len(codes[1]) == 1

    def test_the_operator_says_what_is_unpaid_and_the_firm_is_silent_at_once(self, desk: Browser) -> None:
        firm = make_cabinet()
        offer = Offer.objects.using(OPERATOR).create(name="Cabinet", monthly_cents=9_900, invoices=9, is_public=True)
        with working_for(cabinet_id=firm.pk):
            subscriptions.begin_trial(on=TODAY - dt.timedelta(days=30))
            row = subscriptions.choose(
                offer_id=offer.pk, monthly_cents=9_900, by=make_member(role=Role.OWNER, sees_every_file=True)
            )
        address = f"{DESK}cabinets/subscription/{row.pk}/change/"
        seen = []
        for day in ("24/11/2026", ""):
            desk.post(address, {"trial_ends_on": "", "unpaid_since": day})
            with working_for(cabinet_id=firm.pk):
                seen.append(silent(firm))

        assert seen == [True, False]
