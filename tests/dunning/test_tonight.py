"""« Ce soir », and the day a firm goes live."""

from collections.abc import Callable

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.models import DunningCase, MailServer
from tests.conftest import FirmBrowser
from tests.factories.cabinets import PASSWORD, assign, make_cabinet, make_client, make_member
from tests.factories.dunning import make_case
from tests.factories.invoices import make_invoice

Browse = Callable[[Membership | None], FirmBrowser]


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_shows_what_the_night_would_send_hold_and_why(browse: Browse) -> None:
    cabinet = make_cabinet(activated_on=None)
    with working_for(cabinet_id=cabinet.pk):
        owner = make_member()
        make_case(invoice=make_invoice(client=make_client(company="Atelier Nord"), number="F-1"))
        make_case(invoice=make_invoice(client=make_client(company="Garage Sud", is_strategic=True), number="F-2"))
        make_case(invoice=make_invoice(client=make_client(company="Pharmacie Est", has_email=False), number="F-3"))

    page = browse(owner).get("/ce-soir/").content.decode()

    assert "Les envois ne sont pas activés" in page
    assert [page.count(name) for name in ("Atelier Nord", "Garage Sud", "Pharmacie Est")] == [1, 1, 1]
    assert "Client stratégique" in page
    assert "Aucune adresse utilisable · 1" in page
    with working_for(cabinet_id=cabinet.pk):
        assert DunningCase.objects.filter(code="").count() == 3
        assert JournalEntry.objects.filter(event="invoice.listed").count() == 1


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_shows_an_assistant_the_night_of_their_own_files(browse: Browse) -> None:
    cabinet = make_cabinet()
    with working_for(cabinet_id=cabinet.pk):
        assistant = make_member(role=Role.ASSISTANT)
        mine = make_case(invoice=make_invoice(number="F-1"))
        make_case(invoice=make_invoice(number="F-2"))
        assign(dossier=mine.invoice.dossier, member=assistant)

    page = browse(assistant).get("/ce-soir/").content.decode()

    assert ("F-1" in page, "F-2" in page) == (True, False)


def test_refuses_to_activate_a_firm_that_cannot_write(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    Cabinet.objects.update(activated_on=None)

    browse(owner).post("/envois/activer/")

    cabinet.refresh_from_db()
    assert cabinet.activated_on is None


def test_activates_a_firm_that_has_all_a_debtor_needs(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    Cabinet.objects.update(activated_on=None)
    MailServer(host="127.0.0.1", port=2525, security="none", sender="a@b.example").save(force_insert=True)

    browse(owner).post("/envois/activer/")

    cabinet.refresh_from_db()
    assert cabinet.activated_on == cabinet.today()
    assert JournalEntry.objects.filter(event="cabinet.activated").count() == 1


def test_lets_no_lawyer_activate_the_firm(cabinet: Cabinet, browse: Browse) -> None:
    Cabinet.objects.update(activated_on=None)
    lawyer = make_member(role=Role.LAWYER)

    assert browse(lawyer).post("/envois/activer/").status_code == 403

    cabinet.refresh_from_db()
    assert cabinet.activated_on is None


def test_keeps_a_mail_server_with_its_password_sealed(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    answer = browse(owner).post(
        "/parametres/serveur/",
        {
            "sender": "factures@cabinet.example",
            "host": "smtp.cabinet.example",
            "port": "587",
            "security": "starttls",
            "username": "factures",
            "new_password": "tres-secret",
            "password": PASSWORD,
        },
    )

    server = MailServer.objects.get()
    assert (answer.status_code, server.password, server.checked_at) == (302, "tres-secret", None)
    assert "tres-secret" not in browse(owner).get("/parametres/serveur/").content.decode()


def test_refuses_a_distant_server_without_tls(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    answer = browse(owner).post(
        "/parametres/serveur/",
        {"sender": "a@cabinet.example", "host": "smtp.cabinet.example", "port": "25", "security": "none"},
    )

    assert answer.status_code == 422
    assert "Sans TLS, seul un serveur de cette machine" in answer.content.decode()
    assert MailServer.objects.count() == 0
