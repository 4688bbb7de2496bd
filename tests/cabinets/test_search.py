"""Finding a client: exactly by address or telephone, by the beginning of the words of a name."""

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from cabinets.services.clients import ClientFacts, ContactFacts, create_client, create_contact
from cabinets.services.search import find_clients
from tests.factories.cabinets import assign, make_dossier, make_member, outside_any_firm


@pytest.fixture
def _clients(cabinet: Cabinet) -> None:
    create_client(facts=ClientFacts(company="Menuiserie Le Goff", email="compta@legoff.example", phone="0612345678"))
    create_client(facts=ClientFacts(first_name="Hélène", last_name="Œuvrard-Léger", email="h.leger@mail.example"))
    boat = create_client(facts=ClientFacts(company="Bateaux de l’Erdre"))
    create_contact(client_id=boat.pk, facts=ContactFacts(last_name="Le Bris", email="paie@erdre.example"))


@pytest.mark.usefixtures("_clients")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("COMPTA@legoff.example", [("Menuiserie Le Goff", "Adresse e-mail")]),
        ("compta@legoff", []),
        ("paie@erdre.example", [("Bateaux de l’Erdre", "E-mail d’un contact")]),
        ("06 12 34 56 78", [("Menuiserie Le Goff", "Téléphone")]),
        ("helene oeuv", [("Hélène Œuvrard-Léger", "")]),
        ("LEGER", [("Hélène Œuvrard-Léger", "")]),
        ("le", [("Hélène Œuvrard-Léger", ""), ("Menuiserie Le Goff", "")]),
        ("goff menu", [("Menuiserie Le Goff", "")]),
        ("nuiserie", []),
        ("x", []),
        ("", []),
    ],
)
def test_finds_the_clients_a_person_means(text: str, found: list[tuple[str, str]]) -> None:
    assert [(answer.name, answer.why) for answer in find_clients(text)] == found


def test_an_assistant_finds_only_the_clients_of_their_dossiers(cabinet: Cabinet) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    mine = create_client(facts=ClientFacts(company="Le Goff", email="un@legoff.example"))
    create_client(facts=ClientFacts(company="Le Gall", email="deux@legall.example"))
    assign(dossier=make_dossier(client=mine), member=assistant)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=assistant.pk):
        by_name = [answer.name for answer in find_clients("le g")]
        by_email = find_clients("deux@legall.example")

    assert (by_name, by_email) == (["Le Goff"], [])
