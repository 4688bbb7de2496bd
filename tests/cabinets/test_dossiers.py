"""Dossiers: a neutral reference, what the law needs, hearings."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from cabinets.enums import ClientKind, LegalAid
from cabinets.errors import InputError
from cabinets.models import Cabinet, Dossier, Hearing, JournalEntry
from cabinets.services.dossiers import (
    DossierFacts,
    add_hearing,
    neutral_dossier,
    open_dossier,
    remove_hearing,
    update_dossier,
)
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.invoices import make_invoice
from tests.factories.ladder import RecordingLadder

FACTS = DossierFacts(reference="AUB-12", kind=ClientKind.PROFESSIONAL)
NOVEMBER = dt.date(2026, 11, 2)


def test_opens_a_dossier_under_a_neutral_reference_of_its_own(cabinet: Cabinet) -> None:
    dossier = open_dossier(client_id=make_client().pk, facts=DossierFacts(kind=ClientKind.CONSUMER))

    assert (dossier.reference, dossier.kind) == (f"D-{dossier.pk.hex[:8].upper()}", ClientKind.CONSUMER)


def test_refuses_a_reference_taken_even_by_a_dossier_nobody_sees(cabinet: Cabinet) -> None:
    make_dossier(reference="AUB-12")

    with pytest.raises(InputError, match="Un autre dossier porte déjà cette référence") as refusal:
        open_dossier(client_id=make_client().pk, facts=FACTS)

    assert (refusal.value.field, Dossier.objects.count()) == ("reference", 1)


def test_gives_a_client_one_neutral_dossier_however_often_it_is_asked(cabinet: Cabinet) -> None:
    client = make_client(kind=ClientKind.CONSUMER)

    first, second = neutral_dossier(client=client), neutral_dossier(client=client)

    assert (first.pk, Dossier.objects.count()) == (second.pk, 1)
    assert (first.kind, first.reference) == (ClientKind.CONSUMER, f"D-{client.pk.hex[:8].upper()}")


@pytest.mark.parametrize(
    ("change", "told_of"),
    [
        ({"legal_aid": LegalAid.TOTAL}, ("stop", "LEGAL_AID_TOTAL")),
        ({"is_never_reminded": True}, ("stop", "NEVER")),
        ({"kind": ClientKind.CONSUMER}, ("stop", "NEEDS_APPROVAL")),
        ({"mandate_ended_on": NOVEMBER}, ("wake", "")),
        ({"fee_agreement_on": NOVEMBER}, ("wake", "")),
    ],
)
def test_a_change_reaches_the_invoices_of_the_dossier_alone(
    cabinet: Cabinet, told: RecordingLadder, change: dict[str, Any], told_of: tuple[str, str]
) -> None:
    client = make_client()
    dossier = open_dossier(client_id=client.pk, facts=FACTS)
    invoice = make_invoice(dossier=dossier)
    make_invoice(client=client)

    update_dossier(dossier_id=dossier.pk, facts=replace(FACTS, **change))

    assert told.calls == [(told_of[0], [invoice.pk], told_of[1])]
    assert JournalEntry.objects.get(event="dossier.changed").facts == {"fields": list(change)}


def test_refuses_a_notice_to_the_batonnier_before_the_agreement(cabinet: Cabinet, told: RecordingLadder) -> None:
    dossier = open_dossier(client_id=make_client().pk, facts=FACTS)

    with pytest.raises(InputError, match="précède la convention"):
        update_dossier(
            dossier_id=dossier.pk,
            facts=replace(FACTS, fee_agreement_on=NOVEMBER, batonnier_notified_on=dt.date(2026, 11, 1)),
        )

    dossier.refresh_from_db()
    assert (dossier.fee_agreement_on, dossier.batonnier_notified_on, told.calls) == (None, None, [])


def test_bills_only_a_contact_of_the_client(cabinet: Cabinet) -> None:
    client = make_client()
    dossier = open_dossier(client_id=client.pk, facts=FACTS)
    stranger, accounts = make_contact(client=make_client()), make_contact(client=client)

    with pytest.raises(InputError, match="Le contact de facturation est un contact de ce client"):
        update_dossier(dossier_id=dossier.pk, facts=replace(FACTS, billing_contact_id=stranger.pk))
    update_dossier(dossier_id=dossier.pk, facts=replace(FACTS, billing_contact_id=accounts.pk))

    dossier.refresh_from_db()
    assert dossier.billing_contact_id == accounts.pk


def test_a_hearing_is_noted_once_and_the_next_night_looks_again(cabinet: Cabinet, told: RecordingLadder) -> None:
    dossier = make_dossier()
    invoice = make_invoice(dossier=dossier)

    hearing = add_hearing(dossier_id=dossier.pk, held_on=dt.date(2026, 12, 3))
    with pytest.raises(InputError, match="L’audience du 03/12/2026 est déjà notée"):
        add_hearing(dossier_id=dossier.pk, held_on=dt.date(2026, 12, 3))
    remove_hearing(hearing_id=hearing.pk)

    assert Hearing.objects.count() == 0
    assert told.calls == [("wake", [invoice.pk], ""), ("wake", [invoice.pk], "")]
