"""Collective proceedings: looked for, declared by themselves, never assumed absent when nobody answers."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from cabinets.enums import ClientKind, Role, TaskKind, TaskState
from cabinets.errors import RightMissingError
from cabinets.models import Cabinet, Client, JournalEntry, Membership, Task
from cabinets.territories import Territory
from invoices.enums import Grounds, StopKind
from invoices.errors import InvoiceError
from invoices.models import InsolvencyCheck, Standstill
from invoices.services import insolvency, standstill
from tests.conftest import FirmBrowser
from tests.dunning.channels.web_double import WebDouble
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.ladder import RecordingLadder
from tests.invoices.test_bodacc import PATH, SIREN, answer, notice

D = dt.date
Browse = Callable[[Membership | None], FirmBrowser]
LIQUIDATION = notice("Jugement d'ouverture de liquidation judiciaire", on="2026-11-20", judged="2026-11-12")


@pytest.fixture
def web(settings: object) -> Iterator[WebDouble]:
    with WebDouble() as double:
        settings.BODACC_URL = double.url + PATH  # type: ignore[attr-defined]
        yield double


def company(*, siren: str = SIREN, kind: ClientKind = ClientKind.PROFESSIONAL) -> Client:
    client = make_client(siren=siren)
    make_invoice(dossier=make_dossier(client=client, kind=kind))
    return client


def test_the_watch_finds_a_proceeding_and_stops_everything(
    cabinet: Cabinet, told: RecordingLadder, web: WebDouble
) -> None:
    client = company()
    answer(web, LIQUIDATION)

    assert insolvency.watch(now=timezone.now()) == 1

    stop = Standstill.objects.get()
    assert (stop.kind, stop.client_id, stop.origin, stop.grounds) == ("insolvency", client.pk, "bodacc", "liquidation")
    assert (stop.started_on, stop.published_on, stop.answer_by) == (D(2026, 11, 12), D(2026, 11, 20), D(2027, 1, 20))
    assert "Me Exemple" in stop.reason
    assert [code for code, _ in told.stopped] == ["INSOLVENCY"]
    task = Task.objects.get()
    assert (task.kind, task.subject_id, task.due_on) == (TaskKind.DECLARE_CLAIM, stop.pk, D(2027, 1, 20))
    check = InsolvencyCheck.objects.get()
    assert (check.is_found, check.notice_id, check.failure) == (True, "A202611201", "")
    assert JournalEntry.objects.filter(event="insolvency.declared", subject_id=client.pk).count() == 1


def test_a_client_looked_for_today_or_stopped_already_is_not_asked_again(
    cabinet: Cabinet, told: RecordingLadder, web: WebDouble
) -> None:
    company()
    answer(web, LIQUIDATION)
    now = timezone.now()

    assert [insolvency.watch(now=now + dt.timedelta(hours=hours)) for hours in (0, 1, 48)] == [1, 0, 0]
    assert len(web.asked) == 1


def test_what_a_lawyer_lifted_is_not_declared_again_by_the_same_notice(
    cabinet: Cabinet, told: RecordingLadder, web: WebDouble
) -> None:
    client = company()
    answer(web, LIQUIDATION)
    now = timezone.now()
    insolvency.watch(now=now)
    standstill.release(standstill_id=Standstill.objects.get().pk)

    insolvency.watch(now=now + dt.timedelta(hours=30))

    assert Standstill.objects.filter(released_at=None).count() == 0
    assert insolvency.is_checked(client=client, now=now + dt.timedelta(hours=31))
    assert Task.objects.get().state == TaskState.DONE


def test_nobody_is_looked_for_who_cannot_be_in_one_or_owes_nothing_late(
    cabinet: Cabinet, told: RecordingLadder, web: WebDouble
) -> None:
    company(kind=ClientKind.CONSUMER)
    make_invoice(dossier=make_dossier(client=make_client(siren=SIREN), kind=ClientKind.PROFESSIONAL), due_on=TODAY)

    assert insolvency.watch(now=timezone.now()) == 0
    assert web.asked == []


def test_no_answer_proves_nothing_and_asks_a_person(cabinet: Cabinet, told: RecordingLadder, web: WebDouble) -> None:
    client = company()
    now = timezone.now()

    insolvency.ensure_checked(client_ids=[client.pk], now=now)

    assert not insolvency.is_checked(client=client, now=now)
    check = InsolvencyCheck.objects.get()
    assert (check.is_found, check.failure) == (None, "Le BODACC répond une erreur 404.")
    assert list(Task.objects.values_list("kind", "subject_id", "due_on")) == [
        (TaskKind.CHECK_INSOLVENCY, client.pk, TODAY)
    ]
    assert (insolvency.watch_state().is_failing, insolvency.watch_state().answered_at) == (True, None)
    answer(web)
    insolvency.ensure_checked(client_ids=[client.pk], now=now)

    assert insolvency.is_checked(client=client, now=now)
    assert Task.objects.get().state == TaskState.DONE
    assert not Standstill.objects.exists()


def test_a_look_is_good_for_a_day(cabinet: Cabinet, told: RecordingLadder, web: WebDouble) -> None:
    client = company()
    answer(web)
    now = timezone.now()
    insolvency.ensure_checked(client_ids=[client.pk], now=now)

    assert insolvency.is_checked(client=client, now=now + dt.timedelta(hours=24))
    assert not insolvency.is_checked(client=client, now=now + dt.timedelta(hours=24, seconds=1))


def test_a_switched_off_interface_and_a_missing_siren_are_said(cabinet: Cabinet, told: RecordingLadder) -> None:
    named, unnamed = company(), company(siren="")

    insolvency.ensure_checked(client_ids=[named.pk, unnamed.pk], now=timezone.now())

    assert InsolvencyCheck.objects.get().failure == insolvency.SWITCHED_OFF
    assert set(Task.objects.values_list("subject_id", flat=True)) == {named.pk, unnamed.pk}


def test_a_demonstration_asks_nobody(cabinet: Cabinet, told: RecordingLadder, web: WebDouble) -> None:
    client = company()
    Cabinet.objects.update(is_demo=True)

    insolvency.ensure_checked(client_ids=[client.pk], now=timezone.now())

    assert web.asked == []
    assert not insolvency.is_checked(client=client, now=timezone.now())


def test_a_lawyer_says_who_looked_by_hand_and_when(cabinet: Cabinet, owner: Membership) -> None:
    client = company()

    check = insolvency.state_by_hand(client=client, by=owner, on=TODAY)

    assert (check.origin, check.is_found, check.by) == ("manual", False, owner)
    assert insolvency.is_checked(client=client, now=timezone.now())
    for day in (TODAY + dt.timedelta(days=1), TODAY - dt.timedelta(days=2)):
        with pytest.raises(InvoiceError, match="aujourd’hui ou d’hier"):
            insolvency.state_by_hand(client=client, by=owner, on=day)
    with pytest.raises(RightMissingError):
        insolvency.state_by_hand(client=client, by=make_member(role=Role.ASSISTANT), on=TODAY)
    assert InsolvencyCheck.objects.count() == 1


def test_a_consumer_needs_no_look(cabinet: Cabinet) -> None:
    assert insolvency.is_checked(client=company(kind=ClientKind.CONSUMER), now=timezone.now())


@pytest.mark.parametrize(
    ("home", "there", "due"),
    [
        (Territory.METROPOLE, Territory.ALSACE_MOSELLE, D(2027, 1, 20)),
        (Territory.METROPOLE, Territory.REUNION, D(2027, 3, 19)),
        (Territory.REUNION, Territory.METROPOLE, D(2027, 3, 19)),
        (Territory.REUNION, Territory.REUNION, D(2027, 1, 20)),
        (Territory.METROPOLE, None, D(2027, 1, 20)),
    ],
)
def test_the_claim_is_due_two_months_later_and_four_across_the_sea(
    cabinet: Cabinet, home: Territory, there: Territory | None, due: dt.date
) -> None:
    Cabinet.objects.update(territory=home)

    found = insolvency.claim_due(
        client=make_client(territory=there), judged_on=D(2026, 11, 12), published_on=D(2026, 11, 20)
    )

    assert found == due


def test_a_person_declares_a_proceeding_and_interest_stops_there(cabinet: Cabinet, told: RecordingLadder) -> None:
    client = company()

    stops = insolvency.declare(
        client=client, grounds=Grounds.SAFEGUARD, judged_on=D(2026, 11, 12), published_on=None, details="Me Exemple"
    )
    again = insolvency.declare(
        client=client, grounds=Grounds.SAFEGUARD, judged_on=D(2026, 11, 12), published_on=None, details="Me Exemple"
    )

    assert (len(stops), again, Standstill.objects.filter(kind=StopKind.INSOLVENCY).count()) == (1, [], 1)
    assert stops[0].answer_by == D(2027, 1, 12)


def test_the_settings_say_how_the_bodacc_answers(
    cabinet: Cabinet, told: RecordingLadder, web: WebDouble, owner: Membership, browse: Browse
) -> None:
    client, browser = company(), browse(owner)
    assert "Aucune recherche au BODACC" in browser.get("/parametres/envois/").content.decode()

    insolvency.ensure_checked(client_ids=[client.pk], now=timezone.now())
    assert "Le BODACC répond une erreur 404." in browser.get("/parametres/envois/").content.decode()
    answer(web)
    insolvency.ensure_checked(client_ids=[client.pk], now=timezone.now() + dt.timedelta(minutes=1))

    assert "BODACC consulté" in browser.get("/parametres/envois/").content.decode()
