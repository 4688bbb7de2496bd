"""The debtor's way through paying: the button, the provider's page, the way back, the receipt; what may go wrong."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import settlement, standstill
from payments.enums import CheckoutState, Mode, PaymentMeans
from payments.models import Checkout, Payment, PaymentPlan, ProviderAccount
from payments.providers.protocol import Stage
from payments.services import plans
from payments.services.plan_reading import next_due
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_member
from tests.factories.invoices import TODAY
from tests.factories.payments import make_payment
from tests.payments.online import Online, online_world
from tests.payments.test_portal import place, read

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _no_count_survives() -> None:
    cache.clear()


@pytest.fixture
def online(committed: None) -> Iterator[Online]:
    with online_world() as world:
        yield world


@pytest.fixture
def two(committed: None) -> Iterator[Online]:
    with online_world(invoices=2) as world:
        yield world


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    return browse()


def fields_of(response: Any) -> dict[str, Any]:
    """Return what the form of a page would send by its first button."""
    body = response.content.decode()
    form = body[body.index('<form method="post" action') :]
    found: dict[str, Any] = {"part": re.findall(r'name="part" value="([^"]+)"', form)}
    for name in ("formulaire", "moyen"):
        found[name] = re.search(rf'name="{name}" value="([^"]+)"', form).group(1)  # type: ignore[union-attr]
    return found


def tap(debtor: FirmBrowser, online: Online, page: str = "", **changed: Any) -> Any:
    """Open a page, press its first button and follow to the page that leaves."""
    fields = {**fields_of(debtor.get(place(online.link, page))), **changed}
    return debtor.post(place(online.link, "payer/"), fields, follow=True)


def test_shows_the_button_first_and_leads_to_the_providers_page(debtor: FirmBrowser, online: Online) -> None:
    home = debtor.get(place(online.link))
    assert f"Payer 1{NBSP}440,00{NBSP}€ par carte" in read(home)
    assert home["Referrer-Policy"] == "same-origin"

    left = tap(debtor, online)

    (held,) = online.provider.held.values()
    body = left.content.decode()
    assert [status for _, status in left.redirect_chain] == [302]
    assert f'<meta http-equiv="refresh" content="0;url={held.page.url}">' in body
    assert f'href="{held.page.url}"' in body
    assert "form-action 'self';" in left["Content-Security-Policy"] + ";"


def test_never_names_the_debtor_nor_the_matter_while_paying(debtor: FirmBrowser, two: Online) -> None:
    checkout = two.begin()
    two.provider.move(Stage.SETTLED)
    pages = ("", "factures/", f"factures/?facture={two.invoices[0].pk}", "virement/", f"retour/{checkout.pk}/")

    for page in pages:
        body = debtor.get(place(two.link, page)).content.decode()
        assert [one for one in ("Menuiserie", "Leclerc", "sophie@", "Divorce") if one in body] == [], page


@pytest.mark.parametrize(
    ("stage", "title", "words"),
    [
        (Stage.SETTLED, "Paiement reçu", "Télécharger le reçu"),
        (Stage.PROCESSING, "Paiement en cours", "Ne payez pas une seconde fois"),
        (Stage.FAILED, "Paiement refusé", "Reprendre le paiement"),
        (Stage.EXPIRED, "Paiement abandonné", "Reprendre le paiement"),
        (Stage.OPEN, "Paiement en attente", "se met à jour toute seule"),
    ],
)
def test_says_on_the_way_back_what_the_provider_says(
    debtor: FirmBrowser, online: Online, stage: Stage, title: str, words: str
) -> None:
    checkout = online.begin()
    online.provider.move(stage)

    back = debtor.get(place(online.link, f"retour/{checkout.pk}/"))

    said = read(back)
    assert title in said
    assert words in said
    assert ("reçu" in said.lower()) == (stage is Stage.SETTLED)
    assert ('http-equiv="refresh"' in back.content.decode()) == (stage in {Stage.OPEN, Stage.PROCESSING})


def test_a_silent_provider_is_not_a_payment_and_not_a_refusal(debtor: FirmBrowser, online: Online) -> None:
    checkout = online.begin()
    online.provider.silent = 1

    back = debtor.get(place(online.link, f"retour/{checkout.pk}/"))

    assert "Réponse attendue" in read(back)
    assert "ne payez pas une seconde fois" in read(back)


def test_stops_refreshing_after_a_while_and_asks_no_more_than_every_three_seconds(
    debtor: FirmBrowser, online: Online
) -> None:
    checkout = online.begin()
    last = debtor.get(place(online.link, f"retour/{checkout.pk}/?n=20"))
    debtor.get(place(online.link, f"retour/{checkout.pk}/?n=20"))

    assert 'http-equiv="refresh"' not in last.content.decode()
    assert [act for act, _ in online.provider.calls] == ["open", "fetch"]


def test_who_gives_up_reads_that_nothing_was_paid(debtor: FirmBrowser, online: Online) -> None:
    checkout = online.begin()

    back = debtor.get(place(online.link, f"retour/{checkout.pk}/?abandon=1"))

    assert "Paiement abandonné" in read(back)
    assert online.read(checkout).state == CheckoutState.OPEN


def test_a_provider_that_does_not_answer_leaves_the_transfer_and_records_nothing(
    debtor: FirmBrowser, online: Online
) -> None:
    online.provider.silent = 1

    answer = tap(debtor, online)

    assert answer.status_code == 503
    assert "Rien n’a été payé ni enregistré" in read(answer)
    assert "FR76 3000 6000 0112 3456 7890 189" in read(answer)
    with working_for(cabinet_id=online.cabinet.pk):
        assert not Payment.objects.exists()


def test_a_double_tap_opens_one_page(debtor: FirmBrowser, online: Online) -> None:
    fields = fields_of(debtor.get(place(online.link)))

    places = {debtor.post(place(online.link, "payer/"), fields)["Location"] for _ in range(2)}

    assert (len(places), len(online.provider.held)) == (1, 1)


def test_opens_no_page_after_page_without_end(debtor: FirmBrowser, online: Online) -> None:
    fields = {**fields_of(debtor.get(place(online.link))), "part": "x"}

    statuses = [debtor.post(place(online.link, "payer/"), fields).status_code for _ in range(31)]

    assert (set(statuses[:30]), statuses[30]) == ({422}, 429)


def test_refuses_the_sum_of_an_old_page(debtor: FirmBrowser, online: Online) -> None:
    fields = fields_of(debtor.get(place(online.link)))
    with working_for(cabinet_id=online.cabinet.pk):
        settlement.settle(invoice_id=online.invoices[0].pk, cents=44_000)

    answer = debtor.post(place(online.link, "payer/"), fields)

    assert (answer.status_code, len(online.provider.held)) == (422, 0)
    assert f"Il reste 1{NBSP}000,00{NBSP}€ à payer" in read(answer)


def test_tells_who_pays_twice_that_it_is_paid(debtor: FirmBrowser, online: Online) -> None:
    fields = fields_of(debtor.get(place(online.link)))
    checkout = online.begin(form_id=uuid4())
    online.provider.move(Stage.SETTLED)
    online.ask(checkout)

    answer = debtor.post(place(online.link, "payer/"), fields)

    assert (answer.status_code, "n’attend plus de paiement" in read(answer)) == (422, True)


def test_pays_the_chosen_invoices_in_two_plain_steps(debtor: FirmBrowser, two: Online) -> None:
    chosen = two.invoices[1]
    assert "Choisir les factures à payer" in read(debtor.get(place(two.link)))
    boxes = debtor.get(place(two.link, "factures/")).content.decode()
    assert re.findall(r'name="facture" value="([^"]+)"', boxes) == [str(row.pk) for row in two.invoices]

    tap(debtor, two, f"factures/?facture={chosen.pk}")

    with working_for(cabinet_id=two.cabinet.pk):
        lines = [(line.invoice_id, line.cents) for line in Checkout.objects.get().lines.all()]
    assert lines == [(chosen.pk, 144_000)]


def test_says_that_nothing_is_chosen(debtor: FirmBrowser, two: Online) -> None:
    for query in ("facture=", f"facture={uuid4()}", "facture=x"):
        assert "Aucune facture n’est choisie" in read(debtor.get(place(two.link, f"factures/?{query}")))


@pytest.mark.parametrize(
    ("typed", "status", "cents"),
    [("500,00", 302, 50_000), ("500", 302, 50_000), ("2 000,00 €", 422, 0), ("0,50", 422, 0), ("mille", 422, 0)],
)
def test_pays_a_part_where_the_firm_allows_it(
    debtor: FirmBrowser, online: Online, typed: str, status: int, cents: int
) -> None:
    page = f"factures/?facture={online.invoices[0].pk}"
    assert "Montant à payer maintenant" not in read(debtor.get(place(online.link, page)))
    with working_for(cabinet_id=online.cabinet.pk):
        Cabinet.objects.update(allows_part_payments=True)
    fields = fields_of(debtor.get(place(online.link, page)))

    answer = debtor.post(place(online.link, "payer/"), {**fields, "montant": typed})

    assert (answer.status_code, sum(one.order.cents for one in online.provider.held.values())) == (status, cents)


def test_offers_no_button_when_nobody_may_pay(debtor: FirmBrowser, online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        standstill.declare(kind=StopKind.INSOLVENCY, target=Invoice.objects.get())

    home = debtor.get(place(online.link))

    assert "Payer en ligne" not in read(home)
    assert debtor.get(place(online.link, "factures/")).status_code == 302
    assert debtor.get(place(online.link, "virement/")).status_code == 302


def test_says_that_a_test_is_a_test(committed: None, debtor: FirmBrowser) -> None:
    with online_world(activated_on=None) as online:
        with working_for(cabinet_id=online.cabinet.pk):
            ProviderAccount.objects.update(mode=Mode.TEST)
            online.account.refresh_from_db()
        assert "aucun argent ne sera déplacé" in read(debtor.get(place(online.link)))
        tap(debtor, online)
        online.provider.move(Stage.SETTLED)
        with working_for(cabinet_id=online.cabinet.pk):
            checkout = Checkout.objects.get()

        said = read(debtor.get(place(online.link, f"retour/{checkout.pk}/")))

        assert "aucun argent n’a été déplacé, et la facture reste due" in said
        assert online.invoice.outstanding_cents == 144_000


def test_gives_a_receipt_of_what_is_in_and_of_nothing_else(debtor: FirmBrowser, online: Online, tmp_path: Any) -> None:
    checkout = online.begin()
    online.provider.move(Stage.SETTLED)
    online.ask(checkout)
    payment = online.read(checkout).payment
    assert payment is not None

    answer = debtor.get(place(online.link, f"recu/{payment.pk}/"))

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    (tmp_path / "r.pdf").write_bytes(answer.content)
    said = " ".join(PdfReader(tmp_path / "r.pdf").pages[0].extract_text().split())
    for words in (online.cabinet.name, "F-2026-0400", "1 440,00 €", "24 novembre 2026", "Carte", f"pi_{checkout.ref}"):
        assert words in said.replace(NBSP, " "), words
    assert [one for one in ("Leclerc", "Divorce") if one in said] == []

    online.provider.move(Stage.SETTLED, refunded=144_000)
    online.ask(checkout)
    assert debtor.get(place(online.link, f"recu/{payment.pk}/")).status_code == 302


def test_gives_no_receipt_of_somebody_else(debtor: FirmBrowser, online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        mine = make_payment(invoice=Invoice.objects.get(), on=online.cabinet.today())
    with online_world() as other:
        assert debtor.get(place(other.link, f"recu/{mine.pk}/")).status_code == 302
        assert debtor.get(place(other.link, f"recu/{uuid4()}/")).status_code == 302
    assert debtor.get(place(online.link, f"recu/{mine.pk}/")).status_code == 200


def test_shows_nobody_the_checkout_of_another_link(debtor: FirmBrowser, online: Online) -> None:
    checkout = online.begin()
    with online_world() as other:
        for page in ("payer", "retour"):
            answer = debtor.get(place(other.link, f"{page}/{checkout.pk}/"))
            assert (answer.status_code, answer["Location"]) == (302, place(other.link))


def test_weighs_little(debtor: FirmBrowser, two: Online) -> None:
    assert len(debtor.get(place(two.link)).content) < 12_000
    assert len(debtor.get(place(two.link, "factures/")).content) < 12_000


TEXT = st.text(max_size=40)
ODD = st.one_of(TEXT, st.uuids().map(str), st.integers(-(10**20), 10**20).map(str), st.sampled_from(["card", "debit"]))


@budget(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    page=st.sampled_from(["payer/", "factures/", "virement/", "recu/{0}/", "retour/{0}/", "payer/{0}/"]),
    name=st.uuids(),
    fields=st.dictionaries(st.sampled_from(["part", "formulaire", "moyen", "montant", "facture", "n", "abandon"]), ODD),
    parts=st.lists(ODD, max_size=3),
    posts=st.booleans(),
)
def test_answers_anything_without_breaking(
    debtor: FirmBrowser, online: Online, page: str, name: Any, fields: dict[str, str], parts: list[str], posts: bool
) -> None:
    cache.clear()
    address = place(online.link, page.format(name))
    fields = {name: text.replace("\x00", "") for name, text in fields.items()}
    asked = {**fields, "part": [f"{online.invoices[0].pk}:{one}" for one in parts] + parts}

    answer = debtor.post(address, asked) if posts else debtor.get(address, asked)

    assert answer.status_code < 500
    assert PaymentMeans.CARD in online.account.means


@budget(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), hook=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_an_announcement_of_anything_breaks_nothing(online: Online, body: bytes, hook: str) -> None:
    cache.clear()
    address = f"/retours/paiement/{hook.replace('/', '_').replace('?', '_').replace('#', '_')}/"

    answer = FirmBrowser().post(address, data=body, content_type="application/json")

    assert answer.status_code in {400, 404}


def test_an_instalment_is_paid_online_and_the_plan_goes_on(debtor: FirmBrowser, online: Online) -> None:
    with working_for(cabinet_id=online.cabinet.pk):
        lawyer = make_member(role=Role.LAWYER, sees_every_file=True)
        proposed = plans.propose(link=online.link, count=3, first_on=dt.date(2026, 12, 1), today=TODAY)
        plans.accept(plan_id=proposed.pk, by=lawyer, today=TODAY)

    home = read(debtor.get(place(online.link)))
    tap(debtor, online)
    with working_for(cabinet_id=online.cabinet.pk):
        checkout = Checkout.objects.get()
    online.provider.move(Stage.SETTLED)
    online.ask(checkout)

    assert "Versement 1 sur 3" in home
    assert (checkout.cents, online.settled(), online.invoice.outstanding_cents) == (48_000, 48_000, 96_000)
    with working_for(cabinet_id=online.cabinet.pk):
        following = next_due(online.link, TODAY)
        assert following is not None
        assert (following.rank, following.cents) == (2, 48_000)
        assert PaymentPlan.objects.get().state == "active"
