"""Before a firm step is said to a professional, somebody looked for collective proceedings."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone

from cabinets.enums import ClientKind, TaskKind
from cabinets.models import Cabinet, Client, Membership, Task
from dunning.enums import Code, Reason, ReminderState
from dunning.models import Reminder
from dunning.services.claiming import check
from dunning.services.lookups import look_before_speaking
from invoices.models import InsolvencyCheck, Standstill
from invoices.services import insolvency
from tests.dunning.channels.web_double import WebDouble
from tests.factories.cabinets import make_client, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.invoices.test_bodacc import PATH, SIREN, answer, notice


@pytest.fixture
def web(settings: object) -> Iterator[WebDouble]:
    with WebDouble() as double:
        settings.BODACC_URL = double.url + PATH  # type: ignore[attr-defined]
        yield double


def prepared(rank: int, *, kind: ClientKind = ClientKind.PROFESSIONAL, siren: str = SIREN) -> Reminder:
    """Make a reminder of a rank, approved, about an invoice on an agreed dossier."""
    client = make_client(siren=siren, kind=kind)
    dossier = make_dossier(client=client, kind=kind, fee_agreement_on=dt.date(2026, 1, 5))
    case = make_case(invoice=make_invoice(dossier=dossier, due_on=TODAY - dt.timedelta(days=46)), rank=rank)
    reasons = [Reason.FORMAL, Reason.NO_ANSWER, Reason.NEW_FIRM]
    return make_reminder(case, state=ReminderState.APPROVED, reasons=[reason.value for reason in reasons])


def test_a_formal_notice_nobody_looked_for_goes_back_to_a_person(cabinet: Cabinet, owner: Membership) -> None:
    notice_ = prepared(4)

    assert check(reminder_id=notice_.pk, at_any_hour=True) is None

    notice_.refresh_from_db()
    assert (notice_.state, Reason.UNCHECKED in notice_.reasons, notice_.approved_by) == (
        ReminderState.AWAITING_APPROVAL,
        True,
        None,
    )


def test_a_formal_notice_somebody_looked_for_leaves(cabinet: Cabinet, owner: Membership) -> None:
    notice_ = prepared(4)
    insolvency.state_by_hand(client=Client.objects.get(), by=owner, on=TODAY)

    assert check(reminder_id=notice_.pk, at_any_hour=True) is not None


def test_a_consumers_formal_notice_needs_no_look(cabinet: Cabinet) -> None:
    assert check(reminder_id=prepared(4, kind=ClientKind.CONSUMER).pk, at_any_hour=True) is not None


def test_a_proceeding_found_just_before_leaving_cancels_what_was_approved(cabinet: Cabinet, web: WebDouble) -> None:
    reminder = prepared(2)
    answer(web, notice("Jugement d'ouverture de liquidation judiciaire", on="2026-11-20", judged="2026-11-12"))

    look_before_speaking(reminder_ids=[reminder.pk])

    reminder.refresh_from_db()
    assert (reminder.state, reminder.cancel_code) == (ReminderState.CANCELLED, Code.INSOLVENCY)
    assert Standstill.objects.get().origin == "bodacc"


def test_the_first_reminder_and_a_consumers_look_for_nobody(cabinet: Cabinet, web: WebDouble) -> None:
    look_before_speaking(reminder_ids=[prepared(1).pk, prepared(2, kind=ClientKind.CONSUMER).pk])

    assert web.asked == []


def test_no_answer_asks_a_person_for_a_formal_notice_alone_and_is_not_tried_again_at_once(
    cabinet: Cabinet, web: WebDouble
) -> None:
    firm, formal = prepared(2), prepared(4)

    look_before_speaking(reminder_ids=[firm.pk])
    look_before_speaking(reminder_ids=[firm.pk])
    assert (len(web.asked), InsolvencyCheck.objects.count(), Task.objects.exists()) == (1, 1, False)
    look_before_speaking(reminder_ids=[formal.pk])

    assert list(Task.objects.values_list("kind", "subject_id")) == [(TaskKind.CHECK_INSOLVENCY, formal.client_id)]
    assert insolvency.is_checked(client=firm.client, now=timezone.now()) is False
