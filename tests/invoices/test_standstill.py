"""Facts that stop: at once, at their own reach, once, and lifted one by one."""

import datetime as dt

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from invoices.enums import StopKind
from invoices.errors import InvoiceError
from invoices.models import Standstill
from invoices.services.standstill import CLIENT_WIDE, declare, inherit, release
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

DECEMBER = dt.date(2026, 12, 31)


@pytest.mark.parametrize("kind", sorted(CLIENT_WIDE))
def test_a_client_wide_fact_stops_every_open_invoice_of_the_client(
    cabinet: Cabinet, told: RecordingLadder, kind: StopKind
) -> None:
    client = make_client()
    first, second = make_invoice(client=client), make_invoice(client=client)
    make_invoice(client=client, state="cancelled")
    make_invoice()

    declare(kind=kind, target=first, reason="Il conteste")

    assert set(Standstill.objects.values_list("invoice_id", "kind")) == {(first.pk, kind), (second.pk, kind)}
    assert told.calls == [("stop", sorted([first.pk, second.pk]), kind.value.upper())]


def test_a_dispute_reaches_the_dossiers_its_author_does_not_see(cabinet: Cabinet, told: RecordingLadder) -> None:
    assistant, client = make_member(role=Role.ASSISTANT), make_client()
    seen, hidden = make_invoice(dossier=make_dossier(client=client)), make_invoice(dossier=make_dossier(client=client))
    assign(dossier=seen.dossier, member=assistant)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        declare(kind=StopKind.DISPUTE, target=seen)
        in_sight = list(Standstill.objects.values_list("invoice_id", flat=True))

    assert in_sight == [seen.pk]
    assert Standstill.objects.filter(invoice=hidden, created_by=assistant).count() == 1


def test_is_lifted_one_invoice_at_a_time(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client()
    first, second = make_invoice(client=client), make_invoice(client=client)
    declare(kind=StopKind.DISPUTE, target=client)
    stop = Standstill.objects.get(invoice=first)

    release(standstill_id=stop.pk)
    release(standstill_id=stop.pk)

    assert list(Standstill.objects.filter(released_at=None).values_list("invoice_id", flat=True)) == [second.pk]
    assert told.calls[1:] == [("wake", [first.pk], "")]
    assert JournalEntry.objects.filter(event="dispute.released").count() == 1


def test_declaring_twice_writes_once(cabinet: Cabinet, told: RecordingLadder) -> None:
    invoice = make_invoice()

    first = declare(kind=StopKind.HOLD, target=invoice)
    second = declare(kind=StopKind.HOLD, target=invoice)

    assert (len(first), second, Standstill.objects.count()) == (1, [], 1)
    assert JournalEntry.objects.filter(event="hold.declared").count() == 1


def test_a_payment_on_its_way_holds_until_each_who_announced_it_is_done(
    cabinet: Cabinet, told: RecordingLadder
) -> None:
    invoice = make_invoice()
    for origin in ("bank", "online", "online"):
        declare(kind=StopKind.PAYMENT_IN_FLIGHT, target=invoice, origin=origin)

    release(standstill_id=Standstill.objects.get(origin="bank").pk)

    assert list(Standstill.objects.filter(released_at=None).values_list("origin", flat=True)) == ["online"]


def test_reaches_what_its_target_holds(cabinet: Cabinet, owner: Membership, told: RecordingLadder) -> None:
    of_lawyer = make_invoice(dossier=make_dossier(lawyer=owner))
    other = make_invoice()

    declare(kind=StopKind.HOLD, target=owner, until_on=DECEMBER)
    declare(kind=StopKind.HOLD, target=other.dossier, until_on=DECEMBER)
    declare(kind=StopKind.INSOLVENCY, target=other.client)
    declare(kind=StopKind.HOLD, target=None)

    assert [(ids, code) for _, ids, code in told.calls] == [
        ([of_lawyer.pk], "HOLD"),
        ([other.pk], "HOLD"),
        ([other.pk], "INSOLVENCY"),
        (sorted([of_lawyer.pk, other.pk]), "HOLD"),
    ]


def test_a_client_wide_fact_needs_a_client(cabinet: Cabinet, owner: Membership, told: RecordingLadder) -> None:
    with pytest.raises(InvoiceError, match="vise un client, un dossier ou une facture"):
        declare(kind=StopKind.DISPUTE, target=owner)

    assert (Standstill.objects.count(), told.calls) == (0, [])


def test_a_new_invoice_inherits_once_and_no_longer_than_its_client(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = make_client()
    old = make_invoice(client=client)
    declare(kind=StopKind.MEDIATION, target=old, until_on=DECEMBER)
    declare(kind=StopKind.DISPUTE, target=old)
    declare(kind=StopKind.HOLD, target=old)
    new, stranger = make_invoice(client=client), make_invoice()

    inherit(invoice_ids=[new.pk, stranger.pk])
    inherit(invoice_ids=[new.pk, stranger.pk])

    inherited = Standstill.objects.filter(origin="inherited").order_by("kind")
    assert list(inherited.values_list("invoice_id", "kind", "until_on")) == [
        (new.pk, "dispute", None),
        (new.pk, "mediation", DECEMBER),
    ]
