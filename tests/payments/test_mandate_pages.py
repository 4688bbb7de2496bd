"""« Prélever mes versements » as pages: what each state offers, what a refusal says, what the firm reads and stops."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache

from cabinets.enums import Role
from cabinets.models import JournalEntry, Membership
from cabinets.scoping import working_for
from payments.enums import MandateEnd, MandateState
from payments.models import Mandate, ProviderAccount
from payments.providers.protocol import MandateStage
from payments.services.links import link_for
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.payments.test_mandates import HANDED_OVER, Collected, new_world
from tests.payments.test_portal import place, read

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
ASK, AGREE, STOP = "echeancier/prelevement/", "echeancier/prelevement/autoriser/", "echeancier/prelevement/arreter/"


@pytest.fixture
def world(committed: None) -> Iterator[Collected]:
    cache.clear()
    with new_world() as found:
        yield found


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    return browse()


def agree(debtor: FirmBrowser, world: Collected, **given: str) -> object:
    said = {"texte": world.consent(), "accord": "on", **given}
    return debtor.post(place(world.online.link, AGREE), said)


def mandates_of(world: Collected) -> list[Mandate]:
    with working_for(cabinet_id=world.cabinet.pk):
        return list(Mandate.objects.order_by("agreed_at"))


def test_a_plan_offers_it_where_the_firm_has_a_provider_that_collects(debtor: FirmBrowser, world: Collected) -> None:
    assert "Autoriser le prélèvement" in read(debtor.get(place(world.online.link, "echeancier/")))
    with working_for(cabinet_id=world.cabinet.pk):
        ProviderAccount.objects.update(provider="stripe")

    assert "rélèvement" not in read(debtor.get(place(world.online.link, "echeancier/")))
    assert debtor.get(place(world.online.link, ASK)).status_code == 302
    assert agree(debtor, world).status_code == 302  # type: ignore[attr-defined]
    assert mandates_of(world) == []


def test_what_is_read_is_what_is_sent(debtor: FirmBrowser, world: Collected) -> None:
    page = debtor.get(place(world.online.link, ASK))

    assert world.consent() in read(page)
    assert "GoCardless" in read(page)
    assert page.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("given", "said", "status"),
    [
        ({"accord": ""}, "Cochez la case", 422),
        ({"texte": "Autre chose."}, "a changé pendant votre lecture", 422),
    ],
    ids=["unticked", "other words"],
)
def test_nothing_is_asked_without_an_agreement(
    debtor: FirmBrowser, world: Collected, given: dict[str, str], said: str, status: int
) -> None:
    answer = agree(debtor, world, **given)

    assert (answer.status_code, said in read(answer)) == (status, True)  # type: ignore[attr-defined]
    assert (mandates_of(world), world.online.provider.calls) == ([], [])


def test_a_silent_provider_is_told_in_a_sentence(debtor: FirmBrowser, world: Collected) -> None:
    world.online.provider.silent = 1

    answer = agree(debtor, world)

    assert answer.status_code == 503  # type: ignore[attr-defined]
    assert "La page de signature ne répond pas" in read(answer)


def test_leads_to_the_signature_and_says_what_stands(debtor: FirmBrowser, world: Collected) -> None:
    answer = agree(debtor, world)
    [mandate] = mandates_of(world)
    leave = place(world.online.link, f"{ASK}{mandate.pk}/")
    assert answer.headers["Location"] == leave  # type: ignore[attr-defined]
    page = debtor.get(leave)
    assert mandate.url in page.content.decode()
    assert "Rien n’est prélevé avant les dates" in read(page)

    back = place(world.online.link, "echeancier/retour/")
    assert "n’est pas encore confirmée" in read(debtor.get(back, follow=True))
    world.online.provider.move_mandate(MandateStage.SIGNED)
    assert "Chaque versement est prélevé à sa date" in read(debtor.get(back, follow=True))
    assert debtor.get(leave).status_code == 302


def test_the_debtor_stops_it(debtor: FirmBrowser, world: Collected) -> None:
    world.sign()

    page = debtor.post(place(world.online.link, STOP), follow=True)

    assert "Le prélèvement est arrêté" in read(page)
    assert [(one.state, one.ended_by) for one in mandates_of(world)] == [(MandateState.ENDED, MandateEnd.DEBTOR)]


def test_another_debtor_stops_nothing_and_sees_nothing(debtor: FirmBrowser, world: Collected) -> None:
    world.sign()
    with working_for(cabinet_id=world.cabinet.pk):
        client = make_client(email="autre@client.example")
        make_invoice(dossier=make_dossier(client=client))
        stranger = link_for(client=client)

    debtor.post(place(stranger, STOP))
    [mandate] = mandates_of(world)

    assert mandate.state == MandateState.SIGNED
    assert debtor.get(place(stranger, f"{ASK}{mandate.pk}/")).status_code == 302


def test_the_home_page_asks_nothing_of_what_is_being_collected(debtor: FirmBrowser, world: Collected) -> None:
    world.sign()
    world.watch(HANDED_OVER)
    world.sweep()

    words = read(debtor.get(place(world.online.link)))

    assert "Paiement en cours" in words
    assert "Chaque versement est prélevé à sa date" in words
    assert "Payer 480" not in words.replace("\u00a0", " ")


@pytest.fixture
def firm(browse: Callable[..., FirmBrowser], world: Collected) -> FirmBrowser:
    return browse(world.lawyer)


def test_the_firm_reads_what_was_agreed_and_what_was_collected_and_stops_it(
    firm: FirmBrowser, world: Collected
) -> None:
    mandate = world.sign()
    world.watch(HANDED_OVER)
    world.sweep()
    address = f"/echeanciers/{world.plan_id}/"

    words = read(firm.get(address))

    for expected in ("GoCardless, référence RUM-42", mandate.consent, "remis à la banque", "Arrêter le prélèvement"):
        assert expected in words
    page = firm.post(f"{address}prelevement/arreter/", follow=True)
    assert "Le prélèvement est arrêté. Les dates restent les mêmes" in read(page)
    assert "par\u00a0: le cabinet" in read(page)
    assert [one.ended_by for one in mandates_of(world)] == [MandateEnd.FIRM]
    with working_for(cabinet_id=world.cabinet.pk):
        entry = JournalEntry.objects.get(event="mandate.ended")
        assert entry.member_id == world.lawyer.pk


def test_who_may_not_hold_reminders_may_not_stop_it(browse: Callable[..., FirmBrowser], world: Collected) -> None:
    world.sign()
    with working_for(cabinet_id=world.cabinet.pk):
        reader: Membership = make_member(role=Role.ACCOUNTANT, sees_every_file=True)

    answer = browse(reader).post(f"/echeanciers/{world.plan_id}/prelevement/arreter/")

    assert answer.status_code == 403
    assert [one.state for one in mandates_of(world)] == [MandateState.SIGNED]
