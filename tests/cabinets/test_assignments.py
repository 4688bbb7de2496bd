"""Who is in charge: without the wider right, a person sees what is assigned to them, at once and no longer."""

import pytest

from cabinets.enums import Role
from cabinets.errors import InputError
from cabinets.models import Assignment, Cabinet, Client, Dossier, JournalEntry
from cabinets.scoping import working_for
from cabinets.services.dossiers import DossierFacts, assign, open_dossier, unassign
from invoices.models import Invoice
from tests.factories.cabinets import assign as put_in_charge
from tests.factories.cabinets import make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import make_invoice


def test_an_assignment_opens_and_closes_the_dossier_at_once(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    invoice = make_invoice()
    make_invoice()

    def seen() -> tuple[int, int, int]:
        with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
            return Client.objects.count(), Dossier.objects.count(), Invoice.objects.count()

    before = seen()
    assign(dossier_id=invoice.dossier_id, member_id=assistant.pk)
    during = seen()
    unassign(dossier_id=invoice.dossier_id, member_id=assistant.pk)

    assert (before, during, seen()) == ((0, 0, 0), (1, 1, 1), (0, 0, 0))


def test_assigns_a_person_once_and_journals_who(cabinet: Cabinet) -> None:
    lawyer, dossier = make_member(role=Role.LAWYER), make_dossier()

    assign(dossier_id=dossier.pk, member_id=lawyer.pk)
    assign(dossier_id=dossier.pk, member_id=lawyer.pk)

    assert Assignment.objects.count() == 1
    assert JournalEntry.objects.get().facts == {"member": str(lawyer.pk)}


def test_refuses_to_assign_somebody_who_left(cabinet: Cabinet) -> None:
    gone, dossier = make_member(role=Role.LAWYER, is_active=False), make_dossier()

    with pytest.raises(InputError, match="ne fait plus partie du cabinet"):
        assign(dossier_id=dossier.pk, member_id=gone.pk)

    assert Assignment.objects.count() == 0


def test_a_lawyer_is_in_charge_of_the_dossier_they_open(cabinet: Cabinet) -> None:
    lawyer, client = make_member(role=Role.LAWYER), make_client()
    put_in_charge(dossier=make_dossier(client=client), member=lawyer)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=lawyer.pk):
        opened = open_dossier(client_id=client.pk, facts=DossierFacts())

    assert Assignment.objects.filter(dossier=opened).values_list("member_id", flat=True).get() == lawyer.pk
