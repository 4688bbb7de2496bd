"""R50–R66: hours, pressure, SMS, and what the data rules ask of the product today."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from cabinets.models import Cabinet, TransferRecord
from cabinets.scoping import working_for
from cabinets.territories import Territory
from dunning.enums import Code
from dunning.models import MailServer
from dunning.policy import CONTACT_GAP_DAYS, CONTACTS_PER_30_DAYS, Facts, decide
from dunning.window import EARLIEST, LATEST, SendWindow, WindowError, next_opening
from invoices.calendar import holidays, next_working_day
from invoices.models import Invoice
from templates_lib.enums import Channel, Kind, Step
from templates_lib.gsm7 import foreign_characters, septets
from templates_lib.lint import lint, lint_sender
from tests.factories.cabinets import make_cabinet
from tests.factories.invoices import make_invoice

D = dt.date
ON = D(2026, 11, 24)
PARIS = ZoneInfo("Europe/Paris")


def test_r50_messages_leave_by_the_firms_own_server() -> None:
    assert MailServer._meta.get_field("cabinet").null is False


def test_r51_t51_a_message_waits_for_the_next_working_morning() -> None:
    after = dt.datetime(2026, 5, 14, 4, 30, tzinfo=PARIS)

    opens = next_opening(after, zone=PARIS, territory=Territory.METROPOLE)
    assert opens.astimezone(PARIS) == dt.datetime(2026, 5, 15, 9, tzinfo=PARIS)
    with pytest.raises(WindowError):
        SendWindow(opens=dt.time(7), closes=LATEST)
    assert dt.time(8) == EARLIEST


def test_r52_t52_an_sms_has_no_stop_code() -> None:
    faults = lint("[Cabinet] : facture à régler. STOP au 36111", kind=Kind.CONSUMER, channel=Channel.SMS, step=Step.J10)

    assert "R52" in {fault.rule for fault in faults}


@pytest.mark.parametrize(("sender", "accepted"), [("Cabinet Dupont", False), ("0612345678", False), ("AUBRY", True)])
def test_r53_t53_a_sender_is_eleven_plain_characters_and_no_mobile(sender: str, accepted: bool) -> None:
    assert (lint_sender(sender) == []) is accepted


def test_r54_t54_one_contact_in_seven_days_and_four_in_thirty() -> None:
    assert (CONTACT_GAP_DAYS, CONTACTS_PER_30_DAYS) == (7, 4)
    four_days_ago = Facts(settlements_declared_on=ON, last_contact_on=ON - dt.timedelta(days=4))
    four_in_a_month = Facts(
        settlements_declared_on=ON, last_contact_on=ON - dt.timedelta(days=8), contacts_in_30_days=4
    )
    assert {decide(facts, on=ON).code for facts in (four_days_ago, four_in_a_month)} == {Code.CONTACT_CAP}


def test_r55_t55_the_holidays_are_those_of_the_debtors_territory() -> None:
    assert {D(2026, 4, 6), D(2026, 5, 14), D(2026, 5, 25)} <= holidays(2026, Territory.METROPOLE)
    friday = D(2026, 4, 3)
    assert next_working_day(friday, territory=Territory.ALSACE_MOSELLE) == D(2026, 4, 7)
    assert next_working_day(friday, territory=Territory.METROPOLE) == friday


@pytest.mark.parametrize("text", ["bâtonnier", "reçu", "n° 12", "l’échéance"])
def test_r56_t56_what_gsm7_does_not_know_is_found(text: str) -> None:
    assert foreign_characters(text)
    assert septets("10 €") == 5


def test_r57_t57_a_firm_never_sees_anothers_debts(other_cabinet: Cabinet) -> None:
    mine = make_cabinet()
    with working_for(cabinet_id=mine.pk):
        make_invoice()

    with working_for(cabinet_id=other_cabinet.pk):
        assert list(Invoice.objects.all()) == []
    with working_for(cabinet_id=mine.pk):
        assert Invoice.objects.count() == 1


def test_r66_a_transfer_outside_the_union_rests_on_a_record() -> None:
    required = {field.name for field in TransferRecord._meta.fields if not field.null and not field.blank}

    assert {"provider", "country", "basis", "reference", "data_sent", "assessed_on"} <= required
