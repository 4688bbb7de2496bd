"""Facts a person declares: said before, done at once, in the words of the page."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from cabinets.enums import ClientKind, Role, TaskKind, TaskState
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from invoices.enums import StopKind
from invoices.models import AccessoryClaim, InsolvencyCheck, Invoice, LimitationEvent, Standstill
from invoices.services import standstill
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder

Browse = Callable[[Membership | None], FirmBrowser]
D = dt.date


def owe(kind: ClientKind = ClientKind.PROFESSIONAL, **facts: Any) -> Invoice:
    return make_invoice(dossier=make_dossier(client=make_client(kind=kind, siren="552100554"), kind=kind), **facts)


def clerk(role: Role = Role.ASSISTANT) -> Membership:
    return make_member(role=role, sees_every_file=True)


def fact_url(invoice: Invoice, fact: str) -> str:
    return f"/factures/{invoice.pk}/faits/{fact}/"


def client_url(invoice: Invoice, fact: str) -> str:
    return f"/clients/{invoice.client_id}/faits/{fact}/"


CASES: list[tuple[str, str, dict[str, str], StopKind]] = [
    ("invoice", "contestation", {"grounds": "service", "on": "2026-11-20", "reason": "Trop cher"}, StopKind.DISPUTE),
    ("invoice", "contestation", {"grounds": "already_paid", "on": "2026-11-20"}, StopKind.CLAIMED_PAID),
    ("invoice", "promesse", {"until_on": "2026-12-01", "cents": "500,00"}, StopKind.PROMISE),
    ("invoice", "mediation", {"agreed_on": "2026-11-20"}, StopKind.MEDIATION),
    ("invoice", "batonnier", {"seised_on": "2026-11-20", "is_by_firm": "firm"}, StopKind.BATONNIER_SEISED),
    (
        "client",
        "procedure-collective",
        {"grounds": "liquidation", "judged_on": "2026-11-12", "published_on": "2026-11-20", "mandataire": "Me X"},
        StopKind.INSOLVENCY,
    ),
    ("client", "surendettement", {"admitted_on": "2026-11-20"}, StopKind.OVER_INDEBTEDNESS),
    ("client", "protection", {"grounds": "death"}, StopKind.PROTECTED_PERSON),
]


@pytest.mark.parametrize(("reach", "fact", "values", "kind"), CASES)
def test_a_fact_is_said_then_stops_at_once_and_is_journalled(
    cabinet: Cabinet,
    told: RecordingLadder,
    browse: Browse,
    reach: str,
    fact: str,
    values: dict[str, str],
    kind: StopKind,
) -> None:
    invoice = owe(ClientKind.UNKNOWN)
    url = fact_url(invoice, fact) if reach == "invoice" else client_url(invoice, fact)
    browser = browse(clerk())

    page = browser.get(url)
    assert (page.status_code, page.content.decode().count("<h1")) == (200, 1)
    assert not Standstill.objects.exists()
    answer = browser.post(url, values)

    assert (answer.status_code, answer.headers["location"]) == (302, url.split("faits/")[0])
    stop = Standstill.objects.get()
    assert (stop.kind, stop.created_by is not None) == (kind, True)
    assert [code for code, _ in told.stopped] == [kind.value.upper()]
    assert JournalEntry.objects.filter(event=f"{kind.value}.declared").count() == 1


def test_the_days_of_a_fact_become_tasks(cabinet: Cabinet, told: RecordingLadder, browse: Browse) -> None:
    browser = browse(clerk())
    slow, fast, promised, seised = owe(ClientKind.CONSUMER), owe(), owe(), owe()

    for invoice in (slow, fast):
        browser.post(fact_url(invoice, "contestation"), {"grounds": "amount", "on": "2026-11-20"})
    browser.post(fact_url(promised, "promesse"), {"until_on": "2026-12-01", "cents": "1 440,00"})
    browser.post(fact_url(seised, "batonnier"), {"seised_on": "2026-11-20", "is_by_firm": "client"})

    due = {task.subject_id: (task.kind, task.due_on) for task in Task.objects.all()}
    # Two months for a consumer (R31), the Friday before the week-end for a fortnight.
    assert due[slow.pk] == (TaskKind.DISPUTE, D(2027, 1, 20))
    assert due[fast.pk] == (TaskKind.DISPUTE, D(2026, 12, 4))
    assert due[promised.pk] == (TaskKind.PROMISE_OVER, D(2026, 12, 2))
    stop = Standstill.objects.get(kind=StopKind.BATONNIER_SEISED)
    assert due[stop.pk] == (TaskKind.BATONNIER_DEADLINE, D(2027, 3, 19))
    assert (stop.dossier_id, stop.answer_by) == (seised.dossier_id, D(2027, 4, 20))
    assert not LimitationEvent.objects.exists()


def test_lifting_a_fact_closes_what_it_asked_and_ends_the_suspension(
    cabinet: Cabinet, told: RecordingLadder, browse: Browse
) -> None:
    browser, invoice = browse(clerk(Role.LAWYER)), owe()
    browser.post(fact_url(invoice, "contestation"), {"grounds": "amount", "on": "2026-11-20"})
    browser.post(fact_url(invoice, "mediation"), {"agreed_on": "2026-11-20"})

    for stop in Standstill.objects.all():
        standstill.release(standstill_id=stop.pk)

    assert Task.objects.get().state == TaskState.DONE
    event = LimitationEvent.objects.get()
    assert (event.effect, event.on, event.until_on) == ("suspend", D(2026, 11, 20), TODAY)


def test_a_new_promise_takes_the_place_of_the_one_before(
    cabinet: Cabinet, told: RecordingLadder, browse: Browse
) -> None:
    browser, invoice = browse(clerk()), owe()

    for day in ("2026-12-01", "2026-12-10"):
        browser.post(fact_url(invoice, "promesse"), {"until_on": day, "cents": "500,00"})

    assert list(Standstill.objects.filter(released_at=None).values_list("until_on", "promised_cents")) == [
        (D(2026, 12, 10), 50_000)
    ]
    assert [(task.state, task.due_on) for task in Task.objects.order_by("due_on")] == [
        (TaskState.DONE, D(2026, 12, 2)),
        (TaskState.OPEN, D(2026, 12, 11)),
    ]


@pytest.mark.parametrize(
    ("fact", "values", "words"),
    [
        ("promesse", {"until_on": "2026-11-23", "cents": "500,00"}, "La date promise est passée"),
        ("promesse", {"until_on": "2026-12-01", "cents": "1440,01"}, "Le montant promis est compris"),
        ("promesse", {"until_on": "2026-12-01", "cents": "0"}, "Le montant promis est compris"),
        ("mediation", {"agreed_on": "2026-11-25"}, "dans l’avenir"),
        ("batonnier", {"seised_on": "2026-11-20"}, "Dites qui l’a saisi"),
        ("contestation", {"on": "2026-11-20"}, "Dites ce qui est contesté"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_stops(
    cabinet: Cabinet, told: RecordingLadder, browse: Browse, fact: str, values: dict[str, str], words: str
) -> None:
    invoice = owe()

    answer = browse(clerk()).post(fact_url(invoice, fact), values)

    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert (Standstill.objects.exists(), Task.objects.exists(), told.calls) == (False, False, [])


def test_a_proceeding_published_before_its_judgment_is_refused(
    cabinet: Cabinet, told: RecordingLadder, browse: Browse
) -> None:
    answer = browse(clerk()).post(
        client_url(owe(), "procedure-collective"),
        {"grounds": "recovery", "judged_on": "2026-11-12", "published_on": "2026-11-10"},
    )

    assert answer.status_code == 422
    assert not Standstill.objects.exists()


def test_the_batonnier_hears_no_public_contract(cabinet: Cabinet, told: RecordingLadder, browse: Browse) -> None:
    answer = browse(clerk()).post(
        fact_url(owe(ClientKind.PUBLIC), "batonnier"), {"seised_on": "2026-11-20", "is_by_firm": "firm"}
    )

    assert (answer.status_code, "juge administratif" in answer.content.decode()) == (422, True)
    assert not Standstill.objects.exists()


def test_what_the_batonnier_did_moves_the_deadline(cabinet: Cabinet, told: RecordingLadder, browse: Browse) -> None:
    browser, invoice = browse(clerk(Role.LAWYER)), owe()
    browser.post(fact_url(invoice, "batonnier"), {"seised_on": "2026-06-15", "is_by_firm": "firm"})
    stop = Standstill.objects.get()
    url = fact_url(invoice, f"batonnier/{stop.pk}")

    browser.post(url, {"extended_months": "2"})
    stop.refresh_from_db()
    assert (stop.answer_by, Task.objects.get().due_on) == (D(2027, 1, 15), D(2026, 12, 15))
    browser.post(url, {"extended_months": "0", "notified_on": "2026-11-24"})
    stop.refresh_from_db()

    assert (stop.answer_by, Task.objects.get().due_on) == (D(2026, 12, 24), D(2026, 12, 24))
    assert LimitationEvent.objects.get().effect == "interrupt"


def test_an_unknown_fact_is_no_page(cabinet: Cabinet, browse: Browse) -> None:
    browser, invoice = browse(clerk(Role.LAWYER)), owe()

    assert [browser.get(url).status_code for url in (
        fact_url(invoice, "greve"), client_url(invoice, "promesse"), fact_url(invoice, "renoncer/tout"),
        client_url(invoice, "declaration"),
    )] == [404] * 4  # fmt: skip


@pytest.mark.parametrize(("role", "status"), [(Role.ACCOUNTANT, 403), (Role.ASSISTANT, 200)])
def test_the_desk_declares_and_the_accountant_does_not(
    cabinet: Cabinet, browse: Browse, role: Role, status: int
) -> None:
    browser, invoice = browse(clerk(role)), owe()

    assert browser.get(fact_url(invoice, "contestation")).status_code == status
    assert browser.get(client_url(invoice, "protection")).status_code == status


def test_a_lawyer_gives_up_the_indemnity_and_the_invoice_page_says_so(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    invoice = owe(due_on=D(2026, 5, 15))
    browser = browse(owner)
    before = Invoice.objects.values().get()

    assert "Renoncer à l’indemnité" in browser.get(f"/factures/{invoice.pk}/").content.decode()
    refused = browser.post(fact_url(invoice, "renoncer/indemnite"), {"reason": ""})
    browser.post(fact_url(invoice, "renoncer/indemnite"), {"reason": "Client fidèle"})

    page = browser.get(f"/factures/{invoice.pk}/").content.decode()
    assert refused.status_code == 422
    assert "abandonnée" in page
    assert "Client fidèle" in page
    assert AccessoryClaim.objects.get(kind="indemnity").waived_by == owner
    assert Invoice.objects.values().get() == before


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.ADMIN])
def test_who_is_no_lawyer_waives_nothing_and_states_no_check(cabinet: Cabinet, browse: Browse, role: Role) -> None:
    browser, invoice = browse(clerk(role)), owe()

    urls = (
        fact_url(invoice, "renoncer/indemnite"),
        fact_url(invoice, "prescription"),
        client_url(invoice, "verification"),
    )
    assert [browser.post(url, {"reason": "x"}).status_code for url in urls] == [403, 403, 403]
    assert not AccessoryClaim.objects.exists()


def test_the_page_says_which_rate_is_awaited_and_prints_no_amount(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    page = browse(owner).get(f"/factures/{owe().pk}/").content.decode()

    assert "Taux du second semestre 2026\u00a0: en attente." in page
    assert "non calculées" in page


def test_a_consumer_owes_nothing_more_and_the_page_says_why(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    page = browse(owner).get(f"/factures/{owe(ClientKind.CONSUMER).pk}/").content.decode()

    assert "ne doit rien de plus avant la présentation d’une mise en demeure" in page
    assert "Indemnité forfaitaire" not in page


def test_a_lawyer_records_what_interrupts_limitation(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser, invoice = browse(owner), owe(ClientKind.CONSUMER)
    assert "Dernier jour\u00a0: <b>15 octobre 2028</b>" in browser.get(f"/factures/{invoice.pk}/").content.decode()

    browser.post(fact_url(invoice, "prescription"), {"nature": "acknowledgement", "on": "2026-11-20", "note": "Lettre"})
    refused = browser.post(
        fact_url(invoice, "prescription"), {"nature": "acknowledgement", "on": "2026-11-20", "until_on": "2026-11-21"}
    )

    page = browser.get(f"/factures/{invoice.pk}/").content.decode()
    assert "Dernier jour\u00a0: <b>20 novembre 2028</b>" in page
    assert "Lettre" in page
    assert (refused.status_code, LimitationEvent.objects.count()) == (422, 1)


def test_the_claim_to_declare_is_stopped_on_the_eve_and_counts_earlier_debts_alone(
    cabinet: Cabinet, told: RecordingLadder, owner: Membership, browse: Browse
) -> None:
    client = make_client(kind=ClientKind.PROFESSIONAL)
    dossier = make_dossier(client=client, kind=ClientKind.PROFESSIONAL)
    make_invoice(dossier=dossier, due_on=D(2025, 3, 31), total_cents=800_000, number="AVANT")
    make_invoice(dossier=dossier, due_on=D(2025, 8, 31), issued_on=D(2025, 6, 1), number="APRES")
    browser = browse(owner)
    browser.post(
        f"/clients/{client.pk}/faits/procedure-collective/",
        {"grounds": "liquidation", "judged_on": "2025-05-10", "published_on": "2025-05-20", "mandataire": "Me Exemple"},
    )

    page = browser.get(f"/clients/{client.pk}/faits/declaration/").content.decode()

    assert ("AVANT" in page, "APRES" in page, "Me Exemple" in page) == (True, False, True)
    for amount in ("8\u00a0000,00", "112,41", "40,00", "8\u00a0152,41"):
        assert amount in page
    assert "vendredi 18 juillet 2025" in page
    task = Task.objects.get()
    assert browser.get(f"/taches/{task.pk}/").content.decode().count(f"/clients/{client.pk}/faits/declaration/") == 1


def test_a_lawyer_states_a_check_made_by_hand(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser, invoice = browse(owner), owe()
    url = f"/clients/{invoice.client_id}/"
    assert "Pas encore cherchée au BODACC" in browser.get(url).content.decode()

    browser.post(f"{url}faits/verification/", {"on": "2026-11-24"})

    assert "vérifié par" in browser.get(url).content.decode()
    assert InsolvencyCheck.objects.get().origin == "manual"
