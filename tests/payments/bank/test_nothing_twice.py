"""Whatever the order and the company in which files come, money is counted once and adds up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import connections, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from invoices.models import Invoice
from payments.enums import BankSource, GuessOutcome, LineState, PaymentState
from payments.errors import AlreadyTakenError
from payments.models import Allocation, BankLine, BankMatch, Payment
from payments.services.bank_intake import take_in
from tests.factories.cabinets import make_cabinet, make_client, make_dossier
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.bank.files import camt, entry

# A movement: the invoice it names (0: none), its share of what that owes, its payer, its day.
movements = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([100, 100, 50, 130]), st.integers(0, 2), st.integers(18, 20)),
    min_size=1,
    max_size=6,
)
PAYERS = ("", "DE89370400440532013000", "FR1420041010050500013M02606")


class _UndoneError(Exception):
    pass


@contextmanager
def forgotten() -> Iterator[None]:
    """Undo in the database what the block did, so that the next example starts from nothing."""
    with suppress(_UndoneError), transaction.atomic():
        yield
        raise _UndoneError


def written(drawn: list[tuple[int, int, int, int]]) -> list[str]:
    return [
        entry(
            f"{100 * max(number, 1) * share // 100}.00",
            f"F-{number}" if number else "VIREMENT",
            payer_iban=PAYERS[payer],
            day=f"2026-11-{day}",
        )
        for number, share, payer, day in drawn
    ]


def take(entries: list[str]) -> None:
    with suppress(AlreadyTakenError):
        take_in(data=camt(*entries), file_name="r.xml", today=TODAY, source=BankSource.UPLOAD)


def bills() -> None:
    dossier = make_dossier(client=make_client(company="Menuiserie Leclerc"))
    for number in (1, 2):
        make_invoice(dossier=dossier, number=f"F-{number}", total_cents=10_000 * number)
    make_invoice(dossier=make_dossier(client=make_client(company="Boulangerie Roux")), number="F-3", total_cents=30_000)


def check_that_it_adds_up() -> None:
    live = BankMatch.objects.filter(undone_at=None).exclude(outcome=GuessOutcome.REVERSE)
    settled = Payment.objects.filter(state=PaymentState.SETTLED)
    for line in BankLine.objects.filter(state=LineState.MATCHED):
        assert live.filter(line=line).aggregate(sum=Sum("payment__cents"))["sum"] == line.cents
    matched = BankLine.objects.filter(state=LineState.MATCHED).aggregate(sum=Sum("cents"))["sum"]
    assert matched == settled.aggregate(sum=Sum("cents"))["sum"]
    assert live.values("payment").distinct().count() == settled.count()
    shared = Allocation.objects.filter(payment__in=settled).aggregate(sum=Sum("cents"))["sum"]
    assert shared == (Invoice.objects.aggregate(sum=Sum("settled_cents"))["sum"] or None)
    assert shared == matched


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=movements, cut=st.integers(0, 6), order=st.permutations([0, 1, 2]))
def test_adds_up_in_any_order_of_overlapping_files(
    cabinet: Cabinet, drawn: list[tuple[int, int, int, int]], cut: int, order: list[int]
) -> None:
    entries = written(drawn)
    files = [entries[: cut + 1], entries[max(cut - 1, 0) :] or entries, entries]

    said = sorted(100 * (100 * max(number, 1) * share // 100) for number, share, _, _ in drawn)

    with forgotten():
        bills()
        for place in [*order, *order]:
            take(files[place])

        assert sorted(BankLine.objects.values_list("cents", flat=True)) == said
        check_that_it_adds_up()


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_counts_once_what_comes_at_the_same_moment() -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        bills()
    entries = written([(1, 100, 1, 18), (2, 100, 1, 19), (3, 100, 2, 20), (0, 50, 0, 20)])
    files = [entries, entries[:3], entries[1:], entries]
    start, faults = threading.Barrier(len(files)), list[BaseException]()

    def bring(file: list[str]) -> None:
        try:
            start.wait()
            with working_for(cabinet_id=cabinet.pk):
                take(file)
        except BaseException as fault:  # noqa: BLE001 - told to the thread that asserts
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bring, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert faults == []
    with working_for(cabinet_id=cabinet.pk):
        assert BankLine.objects.count() == 4
        assert Payment.objects.count() == 3
        check_that_it_adds_up()
