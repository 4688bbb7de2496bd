"""What a day's figures were, as they were told then."""

import random

import pytest
from django.db import DatabaseError, transaction

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import acting_for, tenant_atomic
from invoices.models import Invoice
from reporting import figures, snapshots
from reporting.figures import Cut, Position
from reporting.models import Snapshot
from tests.factories.cabinets import make_dossier, make_member
from tests.factories.invoices import TODAY
from tests.factories.payments import make_payment
from tests.reporting.test_queries import DAY, bill, draw_a_year

pytestmark = pytest.mark.usefixtures("told")
YESTERDAY = TODAY - DAY


@pytest.mark.parametrize("seed", range(3))
def test_adds_up_to_a_live_computation(cabinet: Cabinet, seed: int) -> None:
    draw_a_year(random.Random(seed), invoices=30)
    lawyer = make_member()
    bill(77_00, issued=50, due=40, dossier=make_dossier(lawyer=lawyer, practice_area="Famille"))

    assert snapshots.take(on=YESTERDAY) is True

    for cut in (Cut(), Cut(lawyer=lawyer.pk), Cut(area="Famille"), Cut(area="Ailleurs")):
        (told,) = snapshots.kept(days=[YESTERDAY], cut=cut).values()
        assert told.position == figures.position(on=YESTERDAY, cut=cut)
        assert told.is_rebuilt is False


def test_never_changes_what_was_told(cabinet: Cabinet) -> None:
    invoice = bill(100_00, issued=60, due=30)
    snapshots.take(on=YESTERDAY)
    make_payment(invoice=invoice, on=TODAY - 5 * DAY)

    assert snapshots.take(on=YESTERDAY) is False

    (told,) = snapshots.kept(days=[YESTERDAY]).values()
    assert told.position.receivable_cents == 100_00
    assert figures.position(on=YESTERDAY).receivable_cents == 0


def test_lets_nobody_rewrite_a_day(cabinet: Cabinet) -> None:
    bill(100_00, issued=60, due=31)
    snapshots.take(on=YESTERDAY)

    for act in (lambda: Snapshot.objects.update(due_cents=1), lambda: Snapshot.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    assert Snapshot.objects.get().due_cents == 100_00


def test_tells_the_past_year_the_first_time_then_one_day_a_night(cabinet: Cabinet) -> None:
    bill(100_00, issued=100, due=70)

    first = snapshots.catch_up(cabinet=cabinet)

    ends = [day for day in snapshots.month_ends(YESTERDAY) if day >= TODAY - 100 * DAY]
    assert (first, len(ends)) == (len(ends) + 1, 3)
    rows = Snapshot.objects.order_by("on").values_list("on", "is_rebuilt")
    assert list(rows) == [*((day, True) for day in ends), (YESTERDAY, False)]
    assert snapshots.catch_up(cabinet=cabinet) == 0


def test_keeps_a_day_on_which_nothing_was_owed(cabinet: Cabinet) -> None:
    assert snapshots.take(on=YESTERDAY) is True

    assert snapshots.kept(days=[YESTERDAY])[YESTERDAY].position == Position(YESTERDAY)


def test_shows_no_total_to_who_sees_some_files_only(cabinet: Cabinet) -> None:
    bill(100_00, issued=60, due=30)
    snapshots.take(on=YESTERDAY)
    person = make_member(role=Role.ASSISTANT)

    with acting_for(cabinet_id=cabinet.pk, member_id=person.pk), tenant_atomic():
        assert list(Snapshot.objects.all()) == []
        assert list(Invoice.objects.all()) == []
