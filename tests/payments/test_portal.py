"""The debtor's pages: what they show and hide, what they change, and what every other token gets."""

import datetime as dt
import html
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.middleware.csrf import get_token
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from cabinets.enums import ClientKind
from cabinets.models import Cabinet, Client
from cabinets.scoping import working_for
from cabinets.wall import walled_models
from config.logging import HouseFormatter
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from invoices.services import settlement, standstill
from payments.enums import PaymentState, RequestOutcome
from payments.links import token_for
from payments.models import Allocation, DebtorRequest, LinkVisit, Payment, PaymentLink
from payments.services import links, requests
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_contact, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice

NBSP = "\u00a0"
READ = (
    *("", "deja-paye/", "probleme/", "pas-pour-moi/", "demande/", "donnees/", "recours/", "canal/"),
    *("detail/", "detail/code/"),
)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"
PAID = {"paid_on": "2026-11-20", "means": "transfer", "message": ""}


@pytest.fixture(autouse=True)
def _no_count_survives() -> None:
    cache.clear()


def place(link: PaymentLink, page: str = "") -> str:
    return f"/p/{token_for(link.pk, link.version, settings.LINK_KEY)}/{page}"


def read(response: Any) -> str:
    """Return the words of a page, without its markup."""
    body = re.sub(r"<(script|style|head).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", " ", html.unescape(re.sub(r"<[^>]+>", "\n", body))).strip()


def unmasked(response: Any) -> str:
    """Return a page without the token of its form, which is another each time."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", response.content.decode())


def tables() -> dict[str, int]:
    counts = {}
    for model in walled_models():
        counts[model._meta.db_table] = model.objects.count() if model._meta.model_name != "cabinet" else 1  # type: ignore[attr-defined]
    return counts


def everything_written() -> str:
    with connection.cursor() as cursor:
        texts = []
        for model in walled_models():
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")
            texts += [row[0] for row in cursor.fetchall()]
    return " ".join(texts)


@pytest.fixture
def debtor(browse: Callable[..., FirmBrowser]) -> FirmBrowser:
    """Return the browser of somebody without an account."""
    browser = browse()
    browser.defaults["HTTP_USER_AGENT"] = PHONE
    return browser


def test_shows_the_firm_the_number_the_dates_and_how_to_pay(
    debtor: FirmBrowser, cabinet: Cabinet, link: PaymentLink
) -> None:
    response = debtor.get(place(link))

    words = read(response)
    assert response.status_code == 200
    for expected in (
        cabinet.name,
        "Avocats au barreau de Nantes",
        "Facture F-2026-0412",
        f"1{NBSP}440,00{NBSP}€",
        "Échue depuis 10 jours",
        "L’échéance était le 14 novembre 2026",
        "15 octobre 2026",
        "FR76 3000 6000 0112 3456 7890 189",
        "AGRIFRPP",
        "Référence à indiquer obligatoirement",
    ):
        assert expected in words
    assert "<title>Espace de règlement</title>" in response.content.decode()
    assert response.content.decode().count('<img src="data:image/svg+xml') == 1


def test_never_names_the_debtor_nor_the_matter(debtor: FirmBrowser, client: Client) -> None:
    dossier = make_dossier(client=client, title="Divorce Leclerc", reference="LECL-DIV", practice_area="Famille")
    make_invoice(dossier=dossier, number="F-1", note="Audience du 3 mars")
    link = links.link_for(client=client)

    for page in READ:
        body = debtor.get(place(link, page)).content.decode()
        for secret in ("Menuiserie", "Leclerc", "sophie@", "LECL-DIV", "Divorce", "Famille", "Audience"):
            assert secret not in body, (page, secret)


def test_no_page_is_kept_indexed_or_told_to_another_site(debtor: FirmBrowser, link: PaymentLink) -> None:
    for page, referrer in (("", "no-referrer"), ("demande/", "no-referrer"), ("deja-paye/", "same-origin")):
        response = debtor.get(place(link, page))
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert response["Referrer-Policy"] == referrer
        assert "noindex" in response.content.decode()


def test_reading_adds_one_visit_and_nothing_else(debtor: FirmBrowser, link: PaymentLink) -> None:
    before = tables()

    for page in ("", *READ, "verification/"):
        debtor.get(place(link, page))

    assert {name: count - before[name] for name, count in tables().items() if count != before[name]} == {
        "payments_linkvisit": 1
    }


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_prefetch_or_a_head_is_no_visit(debtor: FirmBrowser, link: PaymentLink, headers: dict[str, str]) -> None:
    assert debtor.get(place(link), headers=headers).status_code == 200
    assert debtor.head(place(link)).status_code == 200

    assert not LinkVisit.objects.exists()


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "WhatsApp/2.24.6.77 A",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 BingPreview/1.0b",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (Windows NT 6.1) SkypeUriPreview Preview/0.5",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)",
        "python-requests/2.32",
    ],
)
def test_a_machine_that_says_so_changes_nothing_at_all(debtor: FirmBrowser, link: PaymentLink, agent: str) -> None:
    short = f"/s/{links.short_url_of(link).split('/s/')[1]}"
    before = tables()

    for page in (*READ, "verification/", f"detail/{UUID(int=7)}/"):
        for method in ("get", "head", "options"):
            assert getattr(debtor, method)(place(link, page), headers={"User-Agent": agent}).status_code < 500
    for method in ("get", "head"):
        assert getattr(debtor, method)(short, headers={"User-Agent": agent}).status_code == 302

    assert tables() == before


def test_a_later_reading_is_another_visit(debtor: FirmBrowser, link: PaymentLink) -> None:
    debtor.get(place(link))
    with time_machine.travel(dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC), tick=False):
        debtor.get(place(link))

    assert LinkVisit.objects.count() == 2


def test_a_signed_in_person_of_another_firm_opens_the_link_and_is_no_visit(
    cabinet: Cabinet, link: PaymentLink, other_cabinet: Cabinet, browse: Callable[..., FirmBrowser]
) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        stranger = make_member()

    response = browse(stranger).get(place(link))

    assert (response.status_code, cabinet.name in read(response)) == (200, True)
    assert not LinkVisit.objects.exists()


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"due_on": TODAY + dt.timedelta(days=5)}, "À échoir"),
        ({"due_on": TODAY}, "À échoir"),
        ({"due_on": TODAY - dt.timedelta(days=1)}, "Échue depuis hier"),
        ({"settled_cents": 44_000}, "Partiellement payée"),
        ({"settled_cents": 144_000}, "Payée"),
        ({"credited_cents": 144_000}, "Payée"),
        ({"state": InvoiceState.CANCELLED}, "Annulée"),
    ],
)
def test_says_where_the_invoice_is_in_words(
    debtor: FirmBrowser, client: Client, facts: dict[str, Any], word: str
) -> None:
    make_invoice(client=client, **facts)

    assert word in read(debtor.get(place(links.link_for(client=client))))


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (StopKind.DISPUTE, "Contestée"),
        (StopKind.PAYMENT_IN_FLIGHT, "Paiement en cours"),
        (StopKind.PLAN, "Échéancier"),
        (StopKind.CLAIMED_PAID, "Paiement signalé, en cours de vérification"),
        (StopKind.HOLD, "Échue depuis 10 jours"),
    ],
)
def test_says_what_stops_it_and_keeps_the_firms_own_decisions(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, kind: StopKind, word: str
) -> None:
    standstill.declare(kind=kind, target=invoice, reason="Note interne")

    words = read(debtor.get(place(link)))

    assert word in words
    assert "Note interne" not in words


def test_f8_a_payment_on_its_way_is_neither_paid_nor_asked_again(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice
) -> None:
    payment = Payment(client_id=invoice.client_id, received_on=TODAY, cents=144_000, state=PaymentState.PROCESSING)
    payment.save(force_insert=True)
    Allocation(payment=payment, invoice=invoice, cents=144_000).save(force_insert=True)

    words = read(debtor.get(place(link)))

    assert "Paiement en cours" in words
    assert "Payée" not in words
    assert "IBAN" not in words


@pytest.mark.parametrize("kind", [StopKind.INSOLVENCY, StopKind.OVER_INDEBTEDNESS])
def test_collective_proceedings_hide_every_way_to_pay(
    debtor: FirmBrowser, link: PaymentLink, client: Client, invoice: Invoice, kind: StopKind
) -> None:
    standstill.declare(kind=kind, target=client)

    response = debtor.get(place(link))

    assert "F-2026-0412" in read(response)
    assert "Aucun paiement n’est attendu ici" in read(response)
    for way in ("IBAN", "FR76", "AGRIFRPP", "data:image", "échéance était"):
        assert way not in response.content.decode()


def test_several_invoices_are_paid_with_one_transfer_that_names_them_all(
    debtor: FirmBrowser, client: Client, link: PaymentLink
) -> None:
    make_invoice(client=client, number="F-2026-0500", total_cents=10_000)
    make_invoice(client=client, number="F-2026-0600", due_on=TODAY + dt.timedelta(days=9))

    words = read(debtor.get(place(link)))

    assert "3 factures" in words
    assert f"1{NBSP}540,00{NBSP}€" in words
    assert "F-2026-0412 F-2026-0500" in words
    assert "F-2026-0412 F-2026-0500 F-2026-0600" not in words


def test_the_code_of_the_transfer_holds_the_account_the_amount_and_the_reference(
    debtor: FirmBrowser, link: PaymentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Drawn()
    monkeypatch.setattr("payments.portal.account.helpers.make_epc_qr", drawn)

    debtor.get(place(link))

    assert [(facts["iban"], str(facts["amount"]), facts["text"], facts["bic"]) for facts in drawn.asked] == [
        ("FR7630006000011234567890189", "1440.00", "F-2026-0412", "AGRIFRPP")
    ]


class Drawn:
    """Keeps what codes were asked for, and draws nothing."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, **facts: Any) -> "Drawn":
        """Keep the facts of a code."""
        self.asked.append(facts)
        return self

    def svg_data_uri(self, **_: object) -> str:
        """Draw nothing."""
        return "data:image/svg+xml,"


def test_without_an_account_the_page_says_to_ask(debtor: FirmBrowser, cabinet: Cabinet, link: PaymentLink) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(iban="")

    words = read(debtor.get(place(link)))

    assert "Demandez au cabinet ses coordonnées bancaires" in words
    assert "IBAN" not in words


def test_every_token_that_opens_nothing_gets_the_same_bytes(
    debtor: FirmBrowser, cabinet: Cabinet, client: Client, link: PaymentLink, invoice: Invoice
) -> None:
    renewed = place(link)
    links.renew(link_id=link.pk)
    revoked = links.link_for(client=client, contact=make_contact(client=client))
    links.revoke(link_id=revoked.pk)
    settled = make_client()
    expired = links.link_for(client=settled)
    PaymentLink.objects.filter(pk=expired.pk).update(settled_on=TODAY - dt.timedelta(days=61))

    unknown = "/p/" + "a" * 43 + "/"
    responses = [
        debtor.get(unknown),
        debtor.get(unknown + "deja-paye/"),
        debtor.post(unknown + "probleme/", {"reason": "amount"}),
        debtor.get("/p/é%00/"),
        debtor.get(renewed),
        debtor.get(place(revoked)),
        debtor.get(place(expired)),
    ]
    for response in responses:
        del response["X-Request-Id"]
    answers = {(answer.status_code, unmasked(answer), tuple(sorted(answer.items()))) for answer in responses}

    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert "Ce lien n’ouvre plus rien" in next(iter(answers))[1]


def test_guessing_is_counted_and_never_closes_a_live_link(
    debtor: FirmBrowser, link: PaymentLink, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answers = [debtor.get(f"/p/{rank:043}/") for rank in range(11)]

    assert [response.status_code for response in answers] == [*[404] * 10, 429]
    assert len({unmasked(response) for response in answers}) == 1
    assert "link.unknown_too_often" in caplog.messages
    assert debtor.get(place(link)).status_code == 200


def test_a_link_of_another_firm_shows_that_firm_alone(
    debtor: FirmBrowser, cabinet: Cabinet, link: PaymentLink, other_cabinet: Cabinet
) -> None:
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = make_invoice(number="AUTRE-1")
        address = place(links.link_for(client=Client.objects.get(pk=theirs.client_id)))

    words = read(debtor.get(address))

    assert "Autre cabinet" in words
    assert "AUTRE-1" in words
    assert cabinet.name not in words
    assert "F-2026-0412" not in words


def test_an_invoice_of_another_client_cannot_be_said_paid(
    debtor: FirmBrowser, client: Client, link: PaymentLink, invoice: Invoice
) -> None:
    make_invoice(client=client)
    stranger = make_invoice()

    response = debtor.post(place(link, "deja-paye/"), PAID | {"invoices": [str(stranger.pk)]})

    assert "n’est plus à régler" in read(response)
    assert not Standstill.objects.exists()


def test_already_paid_stops_the_ladder_and_is_followed(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice
) -> None:
    response = debtor.post(place(link, "deja-paye/"), PAID | {"message": "Compte au nom de ma mère."}, follow=True)

    asked = DebtorRequest.objects.get()
    assert (asked.invoice_id, asked.paid_on, asked.paid_by) == (invoice.pk, dt.date(2026, 11, 20), "transfer")
    assert asked.message == "Compte au nom de ma mère."
    assert Standstill.objects.get().kind == StopKind.CLAIMED_PAID
    assert response.redirect_chain == [(place(link, "demande/"), 302)]
    assert "J’ai déjà payé – facture F-2026-0412" in read(response)
    assert "IBAN" not in read(debtor.get(place(link)))


def test_posting_again_changes_nothing_more(debtor: FirmBrowser, client: Client, link: PaymentLink) -> None:
    for _ in range(3):
        debtor.post(place(link, "deja-paye/"), PAID)
        debtor.post(place(link, "probleme/"), {"reason": "amount"})

    assert sorted(DebtorRequest.objects.values_list("kind", flat=True)) == ["already_paid", "problem"]
    assert Standstill.objects.count() == 2


@pytest.mark.parametrize(
    ("page", "facts", "error"),
    [
        ("deja-paye/", {}, "Indiquez la date de votre paiement."),
        ("deja-paye/", PAID | {"means": ""}, "Choisissez le moyen de paiement utilisé."),
        ("deja-paye/", PAID | {"paid_on": "hier"}, "Indiquez une date au format 24/11/2026."),
        ("deja-paye/", PAID | {"paid_on": "25/11/2026"}, "Cette date n’est pas encore passée"),
        ("deja-paye/", PAID | {"paid_on": "2016-11-20"}, "plus de trois ans"),
        ("deja-paye/", PAID | {"message": "a" * 1001}, "1 000 caractères"),
        ("probleme/", {"message": "Bonjour"}, "Choisissez ce qui correspond le mieux"),
        ("probleme/", {"reason": "other"}, "Décrivez le problème"),
        ("probleme/", {"reason": "other", "message": "a" * 1001}, "1 000 caractères"),
        ("pas-pour-moi/", {}, "Choisissez la réponse qui convient."),
    ],
)
def test_a_post_without_a_valid_answer_changes_nothing(
    debtor: FirmBrowser, link: PaymentLink, page: str, facts: dict[str, str], error: str
) -> None:
    before = tables()

    response = debtor.post(place(link, page), facts)

    assert error in read(response)
    assert tables() == before


def test_a_machine_that_posts_to_every_address_changes_nothing(debtor: FirmBrowser, link: PaymentLink) -> None:
    before = tables()

    codes = {page: debtor.post(place(link, page)).status_code for page in READ}

    assert codes == {
        "": 405,
        "deja-paye/": 422,
        "probleme/": 422,
        "pas-pour-moi/": 422,
        "demande/": 405,
        "donnees/": 422,
        "recours/": 405,
        "canal/": 422,
        "detail/": 200,
        "detail/code/": 422,
    }
    assert tables() == before


def test_a_form_needs_its_own_page(link: PaymentLink, cabinet: Cabinet) -> None:
    strict = FirmBrowser(enforce_csrf_checks=True)
    secret = get_token(RequestFactory().get("/"))
    strict.cookies["csrftoken"] = secret

    refused = strict.post(place(link, "deja-paye/"), PAID)
    foreign = strict.post(
        place(link, "deja-paye/"),
        PAID | {"csrfmiddlewaretoken": secret},
        headers={"Origin": "https://ailleurs.example"},
    )
    assert [refused.status_code, foreign.status_code, DebtorRequest.objects.count()] == [403, 403, 0]

    taken = strict.post(
        place(link, "deja-paye/"), PAID | {"csrfmiddlewaretoken": secret}, headers={"Origin": "http://testserver"}
    )
    assert [taken.status_code, DebtorRequest.objects.count()] == [302, 1]


def test_a_problem_stops_every_invoice_of_the_client(
    debtor: FirmBrowser, client: Client, link: PaymentLink, invoice: Invoice
) -> None:
    other = make_invoice(client=client)

    debtor.post(place(link, "probleme/"), {"invoice": str(other.pk), "reason": "service", "message": "Rien reçu."})

    assert DebtorRequest.objects.get().invoice_id == other.pk
    assert set(Standstill.objects.values_list("invoice_id", flat=True)) == {invoice.pk, other.pk}


def test_whoever_is_not_concerned_sees_nothing_more(debtor: FirmBrowser, client: Client, link: PaymentLink) -> None:
    debtor.post(place(link, "deja-paye/"), PAID)

    debtor.post(place(link, "pas-pour-moi/"), {"why": "left", "message": "Voyez la direction."})

    assert DebtorRequest.objects.get(kind="wrong_recipient").message == (
        "Je ne m’occupe plus de ces factures.\n\nVoyez la direction."
    )
    assert Client.objects.get().email_stopped_at is not None
    for page in ("", "deja-paye/", "probleme/", "pas-pour-moi/", "demande/"):
        response = debtor.get(place(link, page), follow=True)
        assert "Votre signalement est enregistré" in read(response)
        assert "F-2026" not in response.content.decode()


def test_the_answer_of_the_firm_is_read_on_the_page(debtor: FirmBrowser, link: PaymentLink, invoice: Invoice) -> None:
    [asked] = requests.say_already_paid(link=link, invoices=[invoice], today=TODAY)
    requests.answer(request_id=asked.pk, outcome=RequestOutcome.STILL_DUE, text="Ce chèque nous est <inconnu>.")

    assert "Ce chèque nous est <inconnu>." in read(debtor.get(place(link, "demande/")))
    assert "IBAN" in read(debtor.get(place(link)))


def test_a_settled_link_is_read_and_takes_nothing(debtor: FirmBrowser, link: PaymentLink, invoice: Invoice) -> None:
    settlement.settle(invoice_id=invoice.pk, cents=144_000)
    links.note_settled(on=TODAY)
    before = tables()

    with time_machine.travel(dt.datetime(2027, 1, 23, 9, tzinfo=dt.UTC), tick=False):
        words = read(debtor.get(place(link)))
        for page, facts in (
            ("deja-paye/", PAID),
            ("probleme/", {"reason": "amount"}),
            ("pas-pour-moi/", {"why": "unknown"}),
        ):
            assert debtor.post(place(link, page), facts)["Location"] == place(link, "demande/")
    with time_machine.travel(dt.datetime(2027, 1, 24, 9, tzinfo=dt.UTC), tick=False):
        assert debtor.get(place(link)).status_code == 404

    assert "Payée" in words
    assert "IBAN" not in words
    assert tables() == before | {"payments_linkvisit": 1}


def test_a_sensitive_invoice_first_asks_a_known_fact(debtor: FirmBrowser, cabinet: Cabinet) -> None:
    client = make_client(postcode="44000")
    make_invoice(client=client, number="F-9", is_sensitive=True)
    link = links.link_for(client=client)

    for page in ("", "deja-paye/", "probleme/", "demande/"):
        response = debtor.get(place(link, page), follow=True)
        assert "Code postal de l’adresse de facturation" in read(response)
        assert "F-9" not in response.content.decode()
    assert "ne correspond pas" in read(debtor.post(place(link, "verification/"), {"answer": "75001"}))
    assert debtor.post(place(link, "verification/"), {"answer": " 44 000 "})["Location"] == place(link)

    assert "F-9" in read(debtor.get(place(link)))
    with time_machine.travel(dt.datetime(2026, 11, 24, 10, 1, tzinfo=dt.UTC), tick=False):
        assert debtor.get(place(link)).status_code == 302


def test_a_known_fact_is_tried_five_times(debtor: FirmBrowser, cabinet: Cabinet) -> None:
    client = make_client()
    make_invoice(client=client, number="F-9", is_sensitive=True)
    link = links.link_for(client=client)

    codes = [debtor.post(place(link, "verification/"), {"answer": "F-8"}).status_code for _ in range(5)]
    last = debtor.post(place(link, "verification/"), {"answer": "F-9"})

    assert [*codes, last.status_code] == [422, 422, 422, 422, 422, 429]
    assert "réessayez dans une heure" in read(last)


@pytest.mark.parametrize(
    ("kind", "mediator", "batonnier"),
    [
        (ClientKind.CONSUMER, True, True),
        (ClientKind.UNKNOWN, True, True),
        (ClientKind.NON_PRO_LEGAL, False, True),
        (ClientKind.PROFESSIONAL, False, True),
        (ClientKind.PUBLIC, False, False),
    ],
)
def test_says_the_recourse_of_each_kind_of_client(
    debtor: FirmBrowser, cabinet: Cabinet, kind: ClientKind, mediator: bool, batonnier: bool
) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(mediator_name="Médiateur de la profession")
    client = make_client(kind=kind)
    make_invoice(client=client)
    link = links.link_for(client=client)

    words = read(debtor.get(place(link, "recours/")))

    assert ("Médiateur de la profession" in words) == mediator
    assert ("bâtonnier de l’ordre des avocats au barreau de Nantes" in words) == batonnier
    assert ("Vos recours" in read(debtor.get(place(link)))) == batonnier


def test_says_what_becomes_of_the_data(debtor: FirmBrowser, cabinet: Cabinet, link: PaymentLink) -> None:
    words = read(debtor.get(place(link, "donnees/")))

    assert f"{cabinet.name}, responsable du traitement" in words
    assert cabinet.email in words


def test_the_token_is_written_nowhere(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice, caplog: pytest.LogCaptureFixture
) -> None:
    token = token_for(link.pk, 1, settings.LINK_KEY)
    with caplog.at_level(logging.DEBUG):
        debtor.get(place(link))
        debtor.post(place(link, "deja-paye/"), PAID)
        debtor.post(place(link, "probleme/"), {"reason": "amount", "message": "Trop."})
        debtor.get(place(link, "demande/"))

        debtor.post(place(link))
        debtor.get(place(link, "inconnu/"))

    written = " ".join(HouseFormatter().format(record) for record in caplog.records)
    assert "Method Not Allowed" in written
    assert token not in written
    assert token not in everything_written()


@pytest.fixture
def theirs(other_cabinet: Cabinet) -> str:
    """Return the number of an invoice of another firm."""
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        make_invoice(number="AUTRE-777")
    return "AUTRE-777"


PAGES = st.sampled_from([*READ, "verification/", "x", f"detail/{UUID(int=7)}/"])
NAMES = st.sampled_from(
    [
        *("invoices", "invoice", "paid_on", "means", "message", "reason", "why", "answer", "csrf", "proof"),
        *("address", "is_addressee", "code", "right", "refuses_sms", "preference", "choix"),
    ]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["transfer", "amount", "other", "left", "all", "on", "access", "no", "letter", "000000"]),
    st.sampled_from(["2026-11-20", "0001-01-01", "9999-12-31", "\x00", "a@b.fr", "06 12 34 56 78"]),
)


@given(
    page=PAGES,
    token=st.one_of(st.none(), st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=50)),
    tail=st.text(alphabet=st.characters(codec="utf-8"), max_size=20),
    method=st.sampled_from(["get", "post", "head", "put", "options", "delete", "patch"]),
    facts=st.dictionaries(NAMES, st.lists(VALUES, max_size=3), max_size=6),
)
@budget(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_breaks_a_public_page_or_shows_another_firm(
    debtor: FirmBrowser,
    link: PaymentLink,
    theirs: str,
    page: str,
    token: str | None,
    tail: str,
    method: str,
    facts: dict[str, list[str]],
) -> None:
    cache.clear()
    send = getattr(debtor, method)
    data = facts if method in {"get", "post", "head"} else None
    mine = place(link, page)
    addresses = [mine, mine[:-1] + tail]
    if token is not None:
        addresses += [f"/p/{quote(token, safe='')}/{page}", f"/s/{quote(token, safe='')}/"]

    for address in addresses:
        response = send(address, data)
        # 400: a null character in the address.
        assert response.status_code in {200, 301, 302, 400, 404, 405, 422, 429}
        assert theirs not in response.content.decode()


@given(body=st.binary(max_size=400), page=PAGES, kind=st.sampled_from(["multipart", "form", "json"]))
@budget(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_breaks_a_public_page(
    debtor: FirmBrowser, link: PaymentLink, body: bytes, page: str, kind: str
) -> None:
    types = {
        "multipart": "multipart/form-data; boundary=b",
        "form": "application/x-www-form-urlencoded",
        "json": "application/json",
    }

    assert debtor.post(place(link, page), body, content_type=types[kind]).status_code < 500


def test_never_says_that_reminders_are_suspended_once_the_firm_resumed(
    debtor: FirmBrowser, link: PaymentLink, invoice: Invoice
) -> None:
    requests.say_already_paid(link=link, invoices=[invoice], today=TODAY)
    for page in ("", "demande/"):
        assert "sont suspendus" in read(debtor.get(place(link, page)))

    standstill.release(standstill_id=Standstill.objects.get().pk)

    for page in ("", "demande/"):
        text = read(debtor.get(place(link, page)))
        assert "Le cabinet l’étudie et vous répond ici." in text
        assert "suspendus" not in text
