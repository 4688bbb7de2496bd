"""The dashboard as each person reads it."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role, TaskKind, TaskState
from cabinets.models import Cabinet, JournalEntry, Membership, Task
from cabinets.sealing import forget_keys
from dunning.enums import ReminderState
from dunning.errors import TaskError
from dunning.services.todo import finish
from reporting import board, queries
from reporting.queries import Cohort, Dso, DsoPoint, Effort
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]
DAY = dt.timedelta(days=1)
PAGE = "/tableau-de-bord/"


def words(response: object) -> str:
    """The page as read: no tags, no-break spaces as spaces."""
    content = response.content.decode()  # type: ignore[attr-defined]
    body = content[content.index("<main") : content.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " "))


def make_task(kind: TaskKind = TaskKind.REJECTED_ADDRESS, **facts: object) -> Task:
    task = Task(
        **{"kind": kind, "client": make_client(company="Atelier Nord"), "subject_id": uuid4(), "due_on": TODAY, **facts}
    )
    task.save(force_insert=True)
    return task


def test_greets_and_says_the_firms_day_and_how_fresh_the_figures_are(owner: Membership, browse: Browse) -> None:
    make_invoice()

    page = words(browse(owner).get(PAGE))

    assert "Bonjour Claire" in page
    assert "Mardi 24 novembre 2026 · données à jour à 10 h 30" in page


def test_leads_with_the_decision_to_take(owner: Membership, browse: Browse) -> None:
    make_reminder(make_case(rank=4), state=ReminderState.AWAITING_APPROVAL)
    make_reminder(make_case(rank=3), state=ReminderState.AWAITING_APPROVAL)

    response = browse(owner).get(PAGE)

    assert "2 relances attendent votre accord dont 1 mise en demeure · rien ne partira sans accord" in words(response)
    assert 'href="/a-valider/"' in response.content.decode()


def test_says_that_nothing_waits_and_when_the_next_message_leaves(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    make_reminder(depart_at=cabinet.now() + DAY)

    page = words(browse(owner).get(PAGE))

    assert "Rien n’attend votre accord. Prochain envoi : mercredi 25 novembre 2026 à 10 h 30." in page


def test_shows_no_figure_it_cannot_know(owner: Membership, browse: Browse) -> None:
    make_invoice()

    page = words(browse(owner).get(PAGE))

    assert page.count("Pas encore assez de données") == 4
    assert "il faut 30 jours de factures et de règlements" in page
    assert "Temps administratif" in page


def test_shows_the_figures_their_formula_and_their_target(owner: Membership, browse: Browse) -> None:
    paid = make_invoice(total_cents=900_00, due_on=TODAY - 50 * DAY)
    make_payment(invoice=paid, on=TODAY - 40 * DAY)
    make_invoice(total_cents=100_00, due_on=TODAY - 31 * DAY)

    page = words(browse(owner).get(PAGE))

    # Owed 100, billed 1 000 in the 81 days known: 8.1.
    assert "8 jours Objectif atteint" in page.replace("Atteint. Objectif : moins de 35 jours", "Objectif atteint")
    assert "Ici : 100 € ÷ 1 000 € des 81 derniers jours × 81." in page
    assert "50 % Objectif : moins de 15 %" in page
    assert "1 facture sur 2 · 100 €" in page
    assert "900 € reçus sur 900 €" in page
    assert "100 € d’encours, dont 100 % échus" in page


def test_links_each_age_to_its_invoices(owner: Membership, browse: Browse) -> None:
    make_invoice()

    content = browse(owner).get(PAGE).content.decode()

    assert re.findall(r'href="(/factures/\?age=\d)"', content) == [f"/factures/?age={rank}" for rank in range(5)]


def test_lists_the_next_sendings_and_the_largest_debts(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client = make_client(company="Boulangerie Marchetti")
    invoice = make_invoice(client=client, number="F-2026-0412", total_cents=1_440_00)
    make_reminder(make_case(invoice=invoice), depart_at=cabinet.now() + dt.timedelta(hours=4))

    page = words(browse(owner).get(PAGE))

    assert "Aujourd’hui 14 h 30 E-mail Boulangerie Marchetti J+3 · rappel courtois · F-2026-0412 · 1 440 €" in page
    assert "Boulangerie Marchetti F-2026-0412 10 j 1 440 € J+3 prévue" in page


def test_says_what_was_last_said_of_a_debt(owner: Membership, browse: Browse) -> None:
    make_reminder(state=ReminderState.ACCEPTED, spoken_on=TODAY - 7 * DAY)

    assert "J+3 partie le 17/11" in words(browse(owner).get(PAGE))


def test_leads_a_new_firm_through_its_beginnings(owner: Membership, browse: Browse) -> None:
    response = browse(owner).get(PAGE)

    assert "Pour commencer" in words(response)
    assert 'href="/factures/importer/"' in response.content.decode()
    assert "Balance âgée" not in words(response)


def test_shows_a_lawyer_their_portfolio_and_says_so(browse: Browse, owner: Membership) -> None:
    lawyer = make_member(role=Role.LAWYER)
    mine = make_dossier(client=make_client(company="Mon Client"))
    assign(dossier=mine, member=lawyer)
    make_invoice(dossier=mine, total_cents=120_00)
    make_invoice(client=make_client(company="Un Autre Client"), total_cents=999_00)

    page = words(browse(lawyer).get(PAGE))

    assert "120 € d’encours" in page
    assert "portent sur les dossiers qui vous sont affectés" in page
    assert ("Mon Client" in page, "Un Autre Client" in page, "999" in page) == (True, False, False)


def test_tells_a_lawyer_without_files_what_to_expect(browse: Browse, owner: Membership) -> None:
    make_invoice()

    page = words(browse(make_member(role=Role.LAWYER)).get(PAGE))

    assert "Aucune facture dans vos dossiers" in page
    assert "Pour commencer" not in page


def test_offers_an_accountant_nothing_they_may_not_do(browse: Browse, owner: Membership) -> None:
    make_reminder(make_case(rank=3), state=ReminderState.AWAITING_APPROVAL)
    make_task()

    response = browse(make_member(role=Role.ACCOUNTANT)).get(PAGE)

    assert "1 relance attend un accord" in words(response)
    content = response.content.decode()
    assert ("/factures/importer/" in content, "/faite/" in content, "reglements/a-jour" in content) == (False,) * 3


def test_says_when_undeclared_payments_hold_everything_back(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    make_invoice()
    Cabinet.objects.filter(pk=cabinet.pk).update(settlements_declared_on=TODAY - 8 * DAY)

    response = browse(owner).get(PAGE)

    assert "Personne ne les a déclarés depuis le 16 novembre 2026 : aucune relance ne part" in words(response)
    assert 'action="/reglements/a-jour/"' in response.content.decode()


def test_says_when_a_firm_is_not_activated(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    make_invoice()
    Cabinet.objects.filter(pk=cabinet.pk).update(activated_on=None)

    response = browse(owner).get(PAGE)

    assert "Les envois ne sont pas activés. Rien ne part." in words(response)
    assert 'href="/ce-soir/"' in response.content.decode()


def test_notes_in_the_journal_whose_names_were_read(owner: Membership, browse: Browse) -> None:
    make_invoice()
    make_task()

    browse(owner).get(PAGE)

    line = JournalEntry.objects.get(event="client.listed")
    assert (line.facts, line.member_id) == ({"page": "dashboard", "count": 2}, owner.pk)


def fill(number: int) -> None:
    for _ in range(number):
        make_reminder(make_case(rank=3), state=ReminderState.AWAITING_APPROVAL, depart_at=make_later())
        make_payment(invoice=make_invoice(due_on=TODAY - 60 * DAY), on=TODAY, cents=10_00)
        make_task()


def make_later() -> dt.datetime:
    return dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)


def test_asks_the_same_number_of_questions_whatever_there_is_to_show(owner: Membership, browse: Browse) -> None:
    browser = browse(owner)
    counts = []
    for more in (1, 4):
        fill(more)
        browser.get(PAGE)
        forget_keys()
        with CaptureQueriesContext(connection) as asked:
            browser.get(PAGE)
        counts.append(len(asked))

    assert counts[0] == counts[1]
    assert counts[1] <= 40


def test_marks_a_task_as_done_once(owner: Membership, browse: Browse) -> None:
    make_invoice()
    task = make_task()
    browser = browse(owner)
    assert f"/taches/{task.pk}/faite/" in browser.get(PAGE).content.decode()

    answers = [browser.post(f"/taches/{task.pk}/faite/", follow=True) for _ in range(2)]

    task.refresh_from_db()
    assert (task.state, task.closed_by_id) == (TaskState.DONE, owner.pk)
    assert "« Corriger une adresse refusée » est marquée comme faite." in words(answers[0])
    assert JournalEntry.objects.filter(event="task.done").count() == 1


@pytest.mark.parametrize("kind", [TaskKind.CALL, TaskKind.ABNORMAL_NIGHT, TaskKind.UNKNOWN_OUTCOME])
def test_leaves_a_task_to_the_act_that_ends_it(owner: Membership, browse: Browse, kind: TaskKind) -> None:
    make_invoice()
    task = make_task(kind)
    browser = browse(owner)
    assert "/faite/" not in browser.get(PAGE).content.decode()

    answer = browser.post(f"/taches/{task.pk}/faite/", follow=True)

    task.refresh_from_db()
    assert (task.state, task.closed_at) == (TaskState.OPEN, None)
    assert "n’a pas été marquée comme faite : elle se termine" in words(answer)


def test_does_not_know_a_task_of_a_client_one_does_not_see(owner: Membership, browse: Browse) -> None:
    task = make_task()

    response = browse(make_member(role=Role.LAWYER)).post(f"/taches/{task.pk}/faite/")

    task.refresh_from_db()
    assert (response.status_code, task.state) == (404, TaskState.OPEN)


def test_refuses_an_accountant_who_marks_a_task(browse: Browse, owner: Membership) -> None:
    task = make_task()

    response = browse(make_member(role=Role.ACCOUNTANT)).post(f"/taches/{task.pk}/faite/")

    task.refresh_from_db()
    assert (response.status_code, task.state) == (403, TaskState.OPEN)


@pytest.mark.parametrize("kind", TaskKind)
def test_leads_each_task_to_one_page(cabinet: Cabinet, owner: Membership, browse: Browse, kind: TaskKind) -> None:
    invoice = make_invoice()
    make_task(kind, subject_id=invoice.pk)

    content = browse(owner).get(PAGE).content.decode()

    place = re.search(r'<ol role="list" class="tasks">.*?<a [^>]*href="([^"]+)"', content, re.DOTALL)
    assert place is not None
    assert place[1].startswith(("/factures/", "/demandes/", "/a-valider/", "/clients/"))


def test_takes_the_ends_of_the_months_for_its_curve() -> None:
    assert [day.isoformat() for day in board.month_ends(dt.date(2028, 3, 31))[-3:]] == [
        "2028-01-31", "2028-02-29", "2028-03-31",
    ]  # fmt: skip
    assert len(board.month_ends(TODAY)) == 12
    assert board.month_ends(TODAY)[0] == dt.date(2025, 12, 31)


def test_says_how_the_dso_moved(cabinet: Cabinet) -> None:
    first, last = DsoPoint(TODAY - 200 * DAY, 520_00, 900_00, 90), DsoPoint(TODAY, 410_00, 900_00, 90)

    fallen = board.dso_kpi(Dso((first, last), TODAY), on=TODAY)
    risen = board.dso_kpi(Dso((replace(last, on=first.on), replace(first, on=TODAY)), TODAY), on=TODAY)

    assert (fallen.value, fallen.trend, fallen.trend_up, fallen.note, fallen.met) == (
        "41", "11\u00a0j", False, "depuis mai", False,
    )  # fmt: skip
    assert (risen.trend, risen.trend_up, risen.trend_bad) == ("11\u00a0j", True, True)


@pytest.mark.parametrize(
    ("share", "met"), [(Cohort(100, 15), False), (Cohort(100, 14), True), (Cohort(0, 0), None), (Cohort(3, 0), True)]
)
def test_meets_the_target_of_unpaid_invoices_under_fifteen_per_cent(share: Cohort, met: bool | None) -> None:
    assert board.unpaid_kpi(share, Cohort()).met is met


def test_tells_a_better_recovery_from_a_worse_one() -> None:
    now, before = Cohort(billed_cents=100, recovered_cents=87), Cohort(billed_cents=100, recovered_cents=81)

    better, worse = board.recovery_kpi(now, before), board.recovery_kpi(before, now)

    assert (better.value, better.met, better.trend, better.trend_bad) == ("87", True, "6\u00a0pts", False)
    assert (worse.value, worse.met, worse.trend, worse.trend_bad) == ("81", False, "6\u00a0pts", True)


def test_states_what_each_act_is_taken_to_cost() -> None:
    kpi = board.effort_kpi(Effort({"reminder.approved": 30, "payment.recorded": 10}))

    assert (kpi.value, kpi.unit, kpi.met) == ("1", "h\u00a020", False)
    assert "30\u00a0relances approuvées (2\u00a0min), 10\u00a0paiements enregistrés (2\u00a0min)" in kpi.hint
    assert "jamais par personne" in kpi.hint
    assert board.effort_kpi(Effort({})).value == "0"
    assert board.effort_kpi(None).value is None


def test_rounds_halves_upwards() -> None:
    assert [queries.rounded(amount, 2) for amount in (1, 2, 3, 4)] == [1, 1, 2, 2]


def test_explains_a_night_with_the_hours_of_the_firm(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(night_at=dt.time(5), opens_at=dt.time(9, 30), closes_at=dt.time(17))

    page = words(browse(owner).get("/aide/"))

    assert "À 5 h, le produit examine les factures échues" in page
    assert "Entre 9 h 30 et 17 h, les messages partent" in page
    assert "un montant au-dessus de 5 000 €" in page


@pytest.mark.django_db
def test_leads_a_visitor_to_the_door(browse: Browse) -> None:
    response = browse(None).get(PAGE)

    assert (response.status_code, response["Location"]) == (302, "/connexion/?next=/tableau-de-bord/")


def test_an_unusual_night_that_is_over_is_marked_done_by_hand(owner: Membership) -> None:
    tonight = make_task(TaskKind.ABNORMAL_NIGHT, client=None)
    over = make_task(TaskKind.ABNORMAL_NIGHT, client=None, due_on=TODAY - DAY)

    with pytest.raises(TaskError):
        finish(task_id=tonight.pk, by=owner)
    assert finish(task_id=over.pk, by=owner).pk == over.pk

    assert set(Task.objects.filter(state=TaskState.DONE)) == {over}
