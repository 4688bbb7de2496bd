"""Another account for the firm's clients to pay on: two partners and a day, and no route around them."""

import datetime as dt
import html
from collections.abc import Callable
from unittest.mock import Mock, patch

import pytest
import time_machine
from django.core import mail
from pytest_django.fixtures import Settings

from cabinets import tasks
from cabinets.admin import _tell_of_member
from cabinets.bank_changes import Facts, Next, next_of, settled_since
from cabinets.enums import BankChangeEnd, Role
from cabinets.models import AccountMail, BankChange, Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from cabinets.services import bank_account, people
from cabinets.services.bank_account import BankChangeError
from cabinets.services.people import PeopleError
from tests.cabinets.test_firm import FIRM, OTHER_IBAN, values_of
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import PASSWORD, make_cabinet, make_member

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Browse = Callable[..., FirmBrowser]
NEW, OLD = "FR1420041010050500013M02606", "FR7630006000011234567890189"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TABLE = [
    (False, True, HOUR, Next.WAITS_FOR_SOMEBODY),
    (False, True, 6 * DAY, Next.WAITS_FOR_SOMEBODY),
    (False, True, 7 * DAY, Next.LAPSES),
    (True, True, HOUR, Next.WAITS_FOR_ITS_DAY),
    (True, True, DAY, Next.APPLIES),
    (False, False, 23 * HOUR, Next.WAITS_FOR_ITS_DAY),
    (False, False, DAY, Next.APPLIES),
]


@pytest.mark.parametrize(("is_confirmed", "needs_somebody", "after", "expected"), TABLE, ids=str)
def test_says_what_becomes_of_a_proposed_account(
    is_confirmed: bool, needs_somebody: bool, after: dt.timedelta, expected: Next
) -> None:
    facts = Facts(proposed_at=NOW, is_confirmed=is_confirmed, needs_somebody=needs_somebody)

    assert next_of(facts, now=NOW + after) is expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(dt.timedelta(0), dt.timedelta(0)), (DAY, 12 * HOUR), (14 * DAY, 7 * DAY), (400 * DAY, 7 * DAY)],
    ids=str,
)
def test_the_second_partner_is_one_for_a_week_or_half_the_age_of_a_young_firm(
    age: dt.timedelta, expected: dt.timedelta
) -> None:
    assert settled_since(opened_at=NOW - age, proposed_at=NOW) == NOW - expected


@pytest.fixture(autouse=True)
def _sends(settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.quittance.example"


@pytest.fixture
def firm(committed: None) -> Cabinet:
    return make_cabinet()


@pytest.fixture
def claire(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


@pytest.fixture
def paul(firm: Cabinet, claire: Membership) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER)


@pytest.fixture
def browser(browse: Browse, firm: Cabinet, claire: Membership) -> FirmBrowser:
    return browse(claire)


def iban(firm: Cabinet) -> str:
    with working_for(cabinet_id=firm.pk):
        return str(Cabinet.objects.get().iban)


def change(firm: Cabinet) -> BankChange:
    with working_for(cabinet_id=firm.pk):
        return BankChange.objects.order_by("-proposed_at", "pk")[0]


def ask(browser: FirmBrowser, firm: Cabinet) -> str:
    with working_for(cabinet_id=firm.pk):
        values = values_of(firm, iban=OTHER_IBAN, password=PASSWORD)
    page = browser.post(FIRM, values, follow=True)
    assert page.status_code == 200
    tasks.sweep_account_mails()
    return str(page.content.decode())


def later(hours: int) -> None:
    with time_machine.travel(NOW + hours * HOUR, tick=False):
        tasks.settle_bank_changes()
        tasks.sweep_account_mails()


def test_two_partners_and_a_day(browser: FirmBrowser, firm: Cabinet, paul: Membership, browse: Browse) -> None:
    page = ask(browser, firm)
    assert "un autre associé doit le confirmer" in page
    assert "…2606" in page
    assert (iban(firm), len(mail.outbox)) == (OLD, 2)
    assert "…0189 deviendrait …2606" in mail.outbox[0].body
    assert NEW not in mail.outbox[0].body
    later(48)
    assert iban(firm) == OLD

    second = browse(paul)
    address = f"{FIRM}iban/{change(firm).pk}/confirmer/"
    assert "Appelez cette personne avant de confirmer" in second.get(address).content.decode()
    assert second.post(address, {"current": "faux"}).status_code == 422
    second.post(address, {"current": PASSWORD})

    assert iban(firm) == OLD
    later(23)
    assert iban(firm) == OLD
    later(24)
    assert iban(firm) == NEW
    assert change(firm).end == BankChangeEnd.APPLIED
    assert "paient désormais sur le compte …2606" in mail.outbox[-1].body
    with working_for(cabinet_id=firm.pk):
        told = JournalEntry.objects.filter(event__startswith="cabinet.iban").order_by("pk")
        assert list(told.values_list("event", flat=True)) == [
            "cabinet.iban_proposed", "cabinet.iban_confirmed", "cabinet.iban_changed",
        ]  # fmt: skip


def test_who_proposes_does_not_confirm(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, claire: Membership
) -> None:
    ask(browser, firm)
    page = browser.post(f"{FIRM}iban/{change(firm).pk}/confirmer/", {"current": PASSWORD})

    assert page.status_code == 422
    assert "Un autre associé que celui qui le propose" in page.content.decode()
    assert change(firm).confirmed_by_id is None
    with working_for(cabinet_id=firm.pk):
        admin = make_member(role=Role.ADMIN)
        with pytest.raises(BankChangeError):
            bank_account.confirm(change_id=change(firm).pk, by=admin)
    later(24 * 7)
    assert (iban(firm), change(firm).end) == (OLD, BankChangeEnd.LAPSED)


def test_a_partner_alone_waits_a_day_and_may_stop_it(browser: FirmBrowser, firm: Cabinet) -> None:
    assert "dans vingt-quatre heures" in ask(browser, firm)
    later(23)
    assert iban(firm) == OLD
    later(24)
    assert iban(firm) == NEW


@pytest.mark.parametrize("confirmed", [False, True], ids=["proposed", "confirmed"])
def test_anybody_in_charge_stops_it_until_it_applies(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, browse: Browse, confirmed: bool
) -> None:
    ask(browser, firm)
    one = change(firm)
    second = browse(paul)
    if confirmed:
        second.post(f"{FIRM}iban/{one.pk}/confirmer/", {"current": PASSWORD})

    second.post(f"{FIRM}iban/{one.pk}/refuser/")

    later(48)
    assert (iban(firm), change(firm).end) == (OLD, BankChangeEnd.REFUSED)
    assert "toujours sur le compte …0189" in mail.outbox[-1].body
    assert "n’attend plus rien" in second.post(f"{FIRM}iban/{one.pk}/refuser/", follow=True).content.decode()


def test_another_proposal_takes_the_place_of_the_first(browser: FirmBrowser, firm: Cabinet, paul: Membership) -> None:
    ask(browser, firm)
    first = change(firm)
    ask(browser, firm)

    with working_for(cabinet_id=firm.pk):
        assert BankChange.objects.get(pk=first.pk).end == BankChangeEnd.WITHDRAWN
        assert BankChange.objects.filter(ended_at=None).count() == 1


def test_the_first_account_and_a_firm_not_yet_live_wait_for_nobody(browse: Browse) -> None:
    for facts in ({"iban": ""}, {"activated_on": None}):
        firm = make_cabinet(**facts)
        with working_for(cabinet_id=firm.pk):
            owner = make_member(role=Role.OWNER)
            make_member(role=Role.OWNER)
        ask(browse(owner), firm)
        assert iban(firm) == NEW


def test_the_rest_of_the_form_is_kept_at_once(browser: FirmBrowser, firm: Cabinet, paul: Membership) -> None:
    with working_for(cabinet_id=firm.pk):
        values = values_of(firm, iban=OTHER_IBAN, password=PASSWORD, name="Aubry Lenoir", bic="BNPAFRPP")
    browser.post(FIRM, values)

    with working_for(cabinet_id=firm.pk):
        now = Cabinet.objects.get()
    assert (now.name, now.iban, now.bic) == ("Aubry Lenoir", OLD, "AGRIFRPP")
    assert change(firm).bic == "BNPAFRPP"


@pytest.mark.parametrize(("name", "value"), [("bic", "BNPAFRPP"), ("account_holder", "Quelqu’un d’autre")])
def test_the_bank_and_the_holder_take_two_partners_and_a_day_too(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, browse: Browse, name: str, value: str
) -> None:
    def kept() -> str:
        with working_for(cabinet_id=firm.pk):
            return str(getattr(Cabinet.objects.get(), name))

    before = kept()
    with working_for(cabinet_id=firm.pk):
        values = values_of(firm, **{name: value})
    unproved = browser.post(FIRM, values)
    asked = browser.post(FIRM, {**values, "password": PASSWORD}, follow=True).content.decode()
    second = browse(paul)
    address = f"{FIRM}iban/{change(firm).pk}/confirmer/"

    assert unproved.status_code == 422
    assert "un autre associé doit le confirmer" in asked
    assert value in html.unescape(second.get(address).content.decode())
    later(48)
    assert kept() == before
    second.post(address, {"current": PASSWORD})
    later(23)
    assert kept() == before
    later(24)
    assert (kept(), iban(firm), change(firm).end) == (value, OLD, BankChangeEnd.APPLIED)
    assert "…0189" in mail.outbox[-1].body
    assert value not in "".join(str(message.body) for message in mail.outbox)


def test_a_change_whose_bank_was_changed_meanwhile_is_let_go(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, claire: Membership
) -> None:
    ask(browser, firm)
    with working_for(cabinet_id=firm.pk):
        bank_account.confirm(change_id=change(firm).pk, by=paul)
        Cabinet.objects.update(account_holder="Écrit à la main")

    later(24)

    assert (iban(firm), change(firm).end) == (OLD, BankChangeEnd.LAPSED)


def test_a_dead_mail_server_neither_stops_nor_delays_an_act(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, browse: Browse, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    spoken = Mock(side_effect=ConnectionRefusedError)
    with patch("smtplib.SMTP.connect", spoken), working_for(cabinet_id=firm.pk):
        values = values_of(firm, iban=OTHER_IBAN, password=PASSWORD)
    with patch("smtplib.SMTP.connect", spoken):
        proposed = browser.post(FIRM, values)
        confirmed = browse(paul).post(f"{FIRM}iban/{change(firm).pk}/confirmer/", {"current": PASSWORD})
        told_in_a_request = spoken.call_count
        left = tasks.sweep_account_mails()

    assert (proposed.status_code, confirmed.status_code, told_in_a_request) == (302, 302, 0)
    assert (left, spoken.call_count, AccountMail.objects.count()) == (0, 4, 4)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    later(24)
    assert iban(firm) == NEW
    assert (len(mail.outbox), AccountMail.objects.count()) == (6, 0)


def propose(firm: Cabinet, by: Membership) -> BankChange:
    with working_for(cabinet_id=firm.pk):
        return bank_account.propose(by=by, iban=NEW, bic="AGRIFRPP", account_holder="")


def told(person: Membership) -> list[str]:
    return [str(message.body) for message in mail.outbox if message.to == [person.user.email]]


def test_a_mail_is_for_who_was_a_partner_when_it_was_asked_for(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, claire: Membership
) -> None:
    """Whoever is let go before the mail leaves is told all the same: nobody else may be left to refuse."""
    with working_for(cabinet_id=firm.pk):
        values = values_of(firm, iban=OTHER_IBAN, password=PASSWORD)
    browser.post(FIRM, values)
    with working_for(cabinet_id=firm.pk):
        Membership.objects.filter(pk=paul.pk).update(is_active=False)

    tasks.sweep_account_mails()

    assert (len(mail.outbox), AccountMail.objects.count()) == (2, 0)
    [to_claire], [to_paul] = told(claire), told(paul)
    assert ("/parametres/cabinet/" in to_claire, "/parametres/cabinet/" in to_paul) == (True, False)
    assert "Vous étiez associé il y a peu" in to_paul
    later(24)
    assert (iban(firm), change(firm).ended_at) == (OLD, None)
    later(24 * 7)
    assert (iban(firm), change(firm).end) == (OLD, BankChangeEnd.LAPSED)


def test_who_proposes_lets_no_partner_go_until_it_is_over(
    browser: FirmBrowser, firm: Cabinet, paul: Membership, claire: Membership
) -> None:
    ask(browser, firm)
    page = f"/parametres/equipe/{paul.pk}/"

    removed = browser.post(f"{page}retirer/", {"current": PASSWORD}, follow=True).content.decode()
    demoted = browser.post(page, {"role": "lawyer", "password": PASSWORD})

    assert "aucun associé n’est retiré" in html.unescape(removed)
    assert (demoted.status_code, "aucun associé n’est retiré" in html.unescape(demoted.content.decode())) == (422, True)
    with working_for(cabinet_id=firm.pk):
        kept = Membership.objects.get(pk=paul.pk)
        assert (kept.role, kept.is_active) == ("owner", True)
        with pytest.raises(PeopleError):
            people.deactivate(member=kept, by=claire)
        bank_account.refuse(change_id=change(firm).pk, by=claire)
        people.deactivate(member=kept, by=claire)
        assert not Membership.objects.get(pk=paul.pk).is_active


@pytest.mark.parametrize("demoted", [False, True], ids=["let-go", "demoted"])
def test_a_partner_let_go_first_counts_for_a_week_and_is_told(
    firm: Cabinet, claire: Membership, paul: Membership, demoted: bool
) -> None:
    with working_for(cabinet_id=firm.pk):
        if demoted:
            people.change_role(member=paul, role=Role.LAWYER, wider=False, by=claire)
        else:
            people.deactivate(member=paul, by=claire)

    assert propose(firm, claire).needs_somebody
    later(24)
    assert (iban(firm), change(firm).ended_at) == (OLD, None)
    assert ["…0189 deviendrait …2606" in body for body in told(paul)] == [False, True]
    later(24 * 7)
    assert (iban(firm), change(firm).end) == (OLD, BankChangeEnd.LAPSED)

    with time_machine.travel(NOW + 7 * DAY + HOUR, tick=False):
        assert not propose(firm, claire).needs_somebody


def test_a_partner_let_go_by_the_operator_counts_too(firm: Cabinet, claire: Membership, paul: Membership) -> None:
    with working_for(cabinet_id=firm.pk):
        Membership.objects.filter(pk=paul.pk).update(role=Role.LAWYER)
        paul.refresh_from_db()
    _tell_of_member(paul, fields=["role"], role_before="owner")

    assert propose(firm, claire).needs_somebody


@pytest.mark.parametrize(("days", "confirms"), [(6, False), (8, True)])
def test_a_partner_added_to_confirm_does_not(firm: Cabinet, claire: Membership, days: int, confirms: bool) -> None:
    month = NOW + 30 * DAY
    with time_machine.travel(month - days * DAY, tick=False):
        with working_for(cabinet_id=firm.pk):
            offer = people.invite(email="deux@cabinet.example", role=Role.OWNER, by=claire)
        person = people.join(
            token=people.token_of(invitation_id=offer.pk), user=None, first_name="Zoé", last_name="Dain",
            password="lampe-verger-cuivre-nuage",
        )  # fmt: skip
    with time_machine.travel(month, tick=False):
        one = propose(firm, claire)
        with working_for(cabinet_id=firm.pk):
            added = Membership.objects.get(user=person)
            if confirms:
                bank_account.confirm(change_id=one.pk, by=added)
            else:
                with pytest.raises(BankChangeError, match="depuis sept jours"):
                    bank_account.confirm(change_id=one.pk, by=added)
    later(31 * 24)

    assert one.needs_somebody
    assert (iban(firm), change(firm).confirmed_by_id is not None) == ((NEW, True) if confirms else (OLD, False))


def test_a_partner_back_after_being_let_go_stands_for_nobody_yet(
    firm: Cabinet, claire: Membership, paul: Membership
) -> None:
    with time_machine.travel(NOW + 30 * DAY, tick=False), working_for(cabinet_id=firm.pk):
        people.deactivate(member=paul, by=claire)
        people.reactivate(member=paul, by=claire)
        one = bank_account.propose(by=claire, iban=NEW, bic="", account_holder="")

        assert not bank_account.may_confirm(one, paul)


def test_two_partners_of_a_firm_opened_yesterday_confirm_one_another(
    firm: Cabinet, claire: Membership, paul: Membership
) -> None:
    with time_machine.travel(NOW + HOUR, tick=False), working_for(cabinet_id=firm.pk):
        people.change_role(member=paul, role=Role.LAWYER, wider=False, by=claire)
        people.change_role(member=paul, role=Role.OWNER, wider=False, by=claire)
    with time_machine.travel(NOW + DAY, tick=False), working_for(cabinet_id=firm.pk):
        one = bank_account.propose(by=claire, iban=NEW, bic="", account_holder="")

        assert bank_account.may_confirm(one, paul)


def test_another_firms_change_is_nobodys_business(browser: FirmBrowser, firm: Cabinet, browse: Browse) -> None:
    ask(browser, firm)
    other = make_cabinet()
    with working_for(cabinet_id=other.pk):
        stranger = make_member(role=Role.OWNER)
    visitor = browse(stranger)

    assert visitor.get(f"{FIRM}iban/{change(firm).pk}/confirmer/").status_code == 404
    visitor.post(f"{FIRM}iban/{change(firm).pk}/refuser/")
    assert change(firm).ended_at is None
