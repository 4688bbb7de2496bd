"""Notifications: told where the fact is, to who sees its client; read by one person, one by one or all at once."""

import datetime as dt
import html
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import NotificationKind, Role, TaskKind
from cabinets.models import Cabinet, Membership, Notification, Task
from cabinets.scoping import working_for
from cabinets.services import notifications
from cabinets.services.notifications import tell, tell_of_task
from dunning.services import todo
from invoices.services.chores import open_chore
from payments.enums import ProblemReason
from payments.services.links import link_for
from payments.services.requests import report_problem
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]


def text_of(browser: FirmBrowser, url: str) -> str:
    return html.unescape(browser.get(url).content.decode()).replace("\u00a0", " ")


def told() -> set[tuple[object, str, str]]:
    return {(one.member_id, one.kind, one.task_kind) for one in Notification.objects.all()}


def test_a_request_tells_the_lawyer_of_its_invoice(cabinet: Cabinet, owner: Membership) -> None:
    lawyer = make_member(role=Role.LAWYER)
    dossier = make_dossier(client=make_client(), lawyer=lawyer)
    assign(dossier=dossier, member=lawyer)
    invoice = make_invoice(dossier=dossier)

    report_problem(link=link_for(client=invoice.client), invoice=invoice, reason=ProblemReason.AMOUNT, today=TODAY)

    assert told() == {(lawyer.pk, NotificationKind.REQUEST, TaskKind.DISPUTE)}


@pytest.mark.parametrize(
    ("kind", "news"),
    [
        (TaskKind.PLAN_REQUEST, NotificationKind.PLAN),
        (TaskKind.PAYMENT_REVERSED, NotificationKind.PAYMENT_REVERSED),
        (TaskKind.CLASSIFY_REPLY, NotificationKind.REPLY),
        (TaskKind.REJECTED_ADDRESS, NotificationKind.ADDRESS),
    ],
)
def test_with_no_owner_whoever_sees_the_client_and_acts_is_told_once(
    cabinet: Cabinet, owner: Membership, kind: TaskKind, news: NotificationKind
) -> None:
    client, mine, other = make_client(), make_member(role=Role.ASSISTANT), make_member(role=Role.ASSISTANT)
    make_member(role=Role.ACCOUNTANT)
    assign(dossier=make_dossier(client=client), member=mine)
    subject = uuid4()

    for _ in range(2):
        open_chore(kind, subject_id=subject, client_id=client.pk, due_on=TODAY)
        todo.open_once(kind, client_id=client.pk, subject_id=subject, owner_id=None, due_on=TODAY)

    assert told() == {(owner.pk, news, kind), (mine.pk, news, kind)}
    assert Notification.objects.count() == 2
    assert not Notification.objects.filter(member=other).exists()


def test_a_task_that_is_no_news_tells_nobody(cabinet: Cabinet, owner: Membership) -> None:
    tell_of_task(TaskKind.CALL, client_id=make_client().pk, subject_id=uuid4(), owner_id=owner.pk)

    assert told() == set()


def test_a_task_entrusted_tells_its_new_owner_and_not_oneself(cabinet: Cabinet, owner: Membership) -> None:
    colleague, client = make_member(role=Role.OWNER), make_client()
    task = Task(kind=TaskKind.CALL, client=client, subject_id=uuid4(), due_on=TODAY)
    task.save(force_insert=True)

    with outside_any_firm(), working_for(cabinet_id=cabinet.pk, member_id=owner.pk):
        todo.entrust(task_id=task.pk, by=owner, to=colleague, due_on=TODAY)
        todo.entrust(task_id=task.pk, by=owner, to=colleague, due_on=TODAY + dt.timedelta(days=1))
        todo.entrust(task_id=task.pk, by=owner, to=owner, due_on=TODAY)

    assert told() == {(colleague.pk, NotificationKind.ASSIGNED, TaskKind.CALL)}
    assert Notification.objects.count() == 1


def test_the_page_shows_one_s_own_and_marks_them_read(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    client, colleague = make_client(company="Atelier Nord SAS"), make_member(role=Role.OWNER)
    invoice = make_invoice(client=client)
    for subject in (invoice.pk, uuid4()):
        tell(
            NotificationKind.PLAN, member_ids=[owner.pk, colleague.pk], client_id=client.pk, subject_id=subject,
            task_kind=TaskKind.PLAN_REQUEST,
        )  # fmt: skip
    browser, theirs = browse(owner), Notification.objects.filter(member=colleague)

    page = text_of(browser, "/notifications/")
    one = Notification.objects.get(member=owner, subject_id=invoice.pk)
    other = theirs.get(subject_id=invoice.pk)

    assert ("2 non lues" in page, "Atelier Nord SAS" in page, f"/factures/{invoice.pk}/" in page) == (True, True, True)
    assert 'Notifications<span class="count">2<' in text_of(browser, "/profil/securite/")
    assert browser.post(f"/notifications/{other.pk}/lue/").status_code == 404
    browser.post(f"/notifications/{one.pk}/lue/")
    assert set(Notification.objects.filter(read_at=None).values_list("member", flat=True)) == {owner.pk, colleague.pk}
    assert Notification.objects.filter(member=owner, read_at=None).count() == 1
    browser.post("/notifications/toutes-lues/")
    assert (Notification.objects.filter(member=owner, read_at=None).count(), theirs.filter(read_at=None).count()) == (
        0, 2,
    )  # fmt: skip
    assert "Tout est lu" in text_of(browser, "/notifications/")
    assert text_of(browser, "/notifications/?vue=toutes").count("Un échéancier est à examiner") == 2


def test_a_client_out_of_sight_is_told_of_no_more(cabinet: Cabinet, browse: Browse) -> None:
    assistant, client = make_member(role=Role.ASSISTANT), make_client(company="Atelier Nord SAS")
    charge = assign(dossier=make_dossier(client=client), member=assistant)
    tell(NotificationKind.MENTION, member_ids=[assistant.pk], client_id=client.pk, subject_id=uuid4())
    browser = browse(assistant)
    before = text_of(browser, "/notifications/")

    charge.delete()

    after = text_of(browser, "/notifications/")
    assert ("Atelier Nord SAS" in before, "Atelier Nord SAS" in after, "Tout est lu" in after) == (True, False, True)


def test_the_page_costs_the_same_however_long(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser, counts = browse(owner), []
    for many in (2, 12):
        for _ in range(many):
            open_chore(TaskKind.PLAN_REQUEST, subject_id=uuid4(), client_id=make_client().pk, due_on=TODAY)
        browser.get("/notifications/")
        with CaptureQueriesContext(connection) as asked:
            browser.get("/notifications/")
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_a_long_list_goes_on_page_after_page(
    cabinet: Cabinet, owner: Membership, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dunning.services.reading.notifications.PAGE", 2)
    for _ in range(5):
        tell(NotificationKind.MENTION, member_ids=[owner.pk], client_id=make_client().pk, subject_id=uuid4())
    browser, url, seen = browse(owner), "/notifications/", 0
    pages = 0
    while url:
        page = browser.get(url)
        seen += page.content.decode().count("data-row")
        pages += 1
        after = page.context["listed"].after
        url = f"/notifications/?apres={after.replace('+', '%2B')}" if after else ""

    assert (seen, pages) == (5, 3)
    assert notifications.mark_read(by=owner) == 5
