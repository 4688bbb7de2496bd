"""The figures of the month by e-mail."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.enums import StaffMailKind
from dunning.models import StaffMail
from reporting import monthly
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_cabinet, make_client, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

END = dt.date(2026, 10, 31)
DAY = dt.timedelta(days=1)
NBSP = "\u00a0"


@pytest.fixture
def firm(committed: None) -> Cabinet:
    """Make a firm whose October had a DSO of 36 days, a person who wants to know, and one who does not."""
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        make_member(gets_monthly_figures=True)
        make_member(role=Role.LAWYER)
        client = make_client(company="CANARI SARL")
        dossier = make_dossier(client=client, title="CANARI titre", practice_area="CANARI domaine")
        for cents, ago in ((600_00, 80), (400_00, 35)):
            invoice = make_invoice(
                dossier=dossier, total_cents=cents, issued_on=END - ago * DAY, due_on=END - (ago - 30) * DAY
            )
            if cents == 600_00:
                make_payment(invoice=invoice, on=END - 45 * DAY)
    return cabinet


def mails(firm: Cabinet) -> list[StaffMail]:
    with working_for(cabinet_id=firm.pk):
        return list(StaffMail.objects.filter(kind=StaffMailKind.MONTHLY).order_by("key"))


def test_writes_once_a_month_to_who_asked_and_names_nobody(firm: Cabinet) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC), tick=False):
        assert monthly.write(cabinet_id=firm.pk) == 1
        assert monthly.write(cabinet_id=firm.pk) == 0
    with time_machine.travel(dt.datetime(2026, 12, 2, 8, tzinfo=dt.UTC), tick=False):
        assert monthly.write(cabinet_id=firm.pk) == 1

    october, november = mails(firm)
    assert (october.key, november.key) == ("2026-10", "2026-11")
    with working_for(cabinet_id=firm.pk):
        assert f"Délai moyen (DSO){NBSP}: 36{NBSP}jours" in october.text
        assert "/rapports/dso/?jour=2026-10-31" in october.html
        assert "CANARI" not in october.text + october.html + october.subject


def test_killed_after_the_first_person_writes_to_the_others_and_to_nobody_twice(
    firm: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_for(cabinet_id=firm.pk):
        make_member(gets_monthly_figures=True)
    write_to = monthly._write_to
    told: list[object] = []

    def die(**facts: object) -> bool:
        if told:
            raise KeyboardInterrupt
        told.append(facts)
        return write_to(**facts)  # type: ignore[arg-type]  # passed on as it came

    with time_machine.travel(dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC), tick=False):
        monkeypatch.setattr(monthly, "_write_to", die)
        with pytest.raises(KeyboardInterrupt):
            monthly.write(cabinet_id=firm.pk)
        monkeypatch.setattr(monthly, "_write_to", write_to)
        assert monthly.write(cabinet_id=firm.pk) == 1

    assert len({mail.member_id for mail in mails(firm)}) == len(mails(firm)) == 2


def test_tells_a_person_of_their_own_dossiers_alone(firm: Cabinet) -> None:
    with working_for(cabinet_id=firm.pk):
        person = make_member(role=Role.LAWYER, gets_monthly_figures=True)
        mine = make_dossier()
        assign(dossier=mine, member=person)
        make_invoice(dossier=mine, total_cents=100_00, issued_on=END - 20 * DAY, due_on=END)
    with time_machine.travel(dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC), tick=False):
        monthly.write(cabinet_id=firm.pk)

    (told,) = [mail for mail in mails(firm) if mail.member_id == person.pk]
    with working_for(cabinet_id=firm.pk):
        assert "vos dossiers" in told.text
        assert f"Délai moyen (DSO){NBSP}: pas encore assez de données" in told.text


@pytest.mark.parametrize(
    ("day", "hour", "due"), [(1, 8, True), (7, 12, True), (8, 12, False), (2, 6, False), (2, 20, False)]
)
def test_comes_in_the_first_days_of_a_month_by_daylight(firm: Cabinet, day: int, hour: int, due: bool) -> None:
    now = dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)

    assert (firm.pk in monthly.firms_due(now=now)) is due


def test_a_person_asks_for_it_and_no_more(
    cabinet: Cabinet, owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    browser = browse(owner)

    for posted, wanted in (({"monthly": "on"}, True), ({}, False)):
        browser.post("/profil/securite/chiffres-du-mois/", posted)
        owner.refresh_from_db()
        assert owner.gets_monthly_figures is wanted
    assert JournalEntry.objects.filter(event="person.monthly_figures_chosen").count() == 2
