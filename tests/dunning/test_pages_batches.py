"""Acts on many invoices: said before, done once, to what the person sees and nothing else."""

import datetime as dt
import html
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from cabinets.enums import Role
from cabinets.models import Assignment, Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from dunning.enums import ReminderState
from dunning.models import Reminder
from dunning.services import batches
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from templates_lib.rendering import day_words
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_dossier, make_member, outside_any_firm
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
LOT = "/factures/lot/"


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode()).replace("\u00a0", " ")


def chosen(action: str, invoices: list[Invoice], **more: Any) -> dict[str, Any]:
    return {"action": action, "facture": [str(row.pk) for row in invoices], **more}


def held(**more: Any) -> dict[str, Any]:
    return {"repondu": "1", "accord": "1", "reason": "Négociation en cours", "until_on": "", **more}


def holds() -> dict[uuid.UUID | None, int]:
    found: dict[uuid.UUID | None, int] = {}
    for pk in Standstill.objects.filter(kind=StopKind.HOLD, released_at=None).values_list("invoice_id", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return found


def lines(event: str) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(event=event))


def test_says_what_will_be_held_and_what_is_left_out_with_its_reason(browse: Browse, owner: Membership) -> None:
    owed, paid = make_invoice(), make_invoice(settled_cents=144_000)
    lost, cancelled = make_invoice(state=InvoiceState.WRITTEN_OFF), make_invoice(state=InvoiceState.CANCELLED)
    until, with_client = make_invoice(), make_invoice()
    day = TODAY + dt.timedelta(days=20)
    Standstill(kind=StopKind.HOLD, invoice=until, until_on=day).save(force_insert=True)
    Standstill(kind=StopKind.HOLD, client=with_client.client).save(force_insert=True)
    before = holds()

    answer = browse(owner).post(LOT, chosen("hold", [owed, paid, lost, cancelled, until, with_client]))

    page = text_of(answer)
    seen = answer.context["seen"]
    assert [row.pk for row in seen.taken] == [owed.pk]
    assert {why: [row.pk for row in rows] for why, rows in seen.left} == {
        "Déjà payées": [paid.pk],
        "Passées en perte": [lost.pk],
        "Annulées": [cancelled.pk],
        f"Déjà suspendues jusqu’au {day_words(day)}": [until.pk],
        "Déjà suspendues, sans date de fin": [with_client.pk],
    }
    assert ("1 facture, " in page, "1 440,00 €" in page) == (True, True)
    assert "Suspendre 1 facture" in page
    assert holds() == before


def test_holds_each_invoice_once_however_often_it_is_confirmed(browse: Browse, owner: Membership) -> None:
    rows = [make_invoice() for _ in range(3)]
    waiting = make_reminder(make_case(invoice=rows[0]), state=ReminderState.AWAITING_APPROVAL)
    browser = browse(owner)
    until = TODAY + dt.timedelta(days=30)
    data = chosen("hold", rows, **held(until_on=until.isoformat(), filtre="etat=echue"))

    first, second = browser.post(LOT, data), browser.post(LOT, data)

    assert (first.status_code, first["Location"]) == (302, "/factures/?etat=echue")
    assert (second.status_code, second["Location"]) == (302, "/factures/?etat=echue")
    assert holds() == {row.pk: 1 for row in rows}
    assert {(stop.until_on, str(stop.reason)) for stop in Standstill.objects.all()} == {(until, "Négociation en cours")}
    assert Reminder.objects.get(pk=waiting.pk).state == ReminderState.CANCELLED
    assert {line.subject_id for line in lines("hold.declared")} == {row.pk for row in rows}
    assert [line.facts for line in lines("invoice.batch_acted")] == [
        {"action": "hold", "count": 3, "left": 0, "gone": 0}
    ]
    assert "Rien n’a changé" in text_of(browser.get("/factures/"))


def test_a_hold_without_a_reason_is_refused_and_holds_nothing(browse: Browse, owner: Membership) -> None:
    row = make_invoice()

    answer = browse(owner).post(LOT, chosen("hold", [row], **held(reason="")))

    assert answer.status_code == 422
    assert str(row.pk) in text_of(answer)
    assert (holds(), lines("invoice.batch_acted")) == ({}, [])


def test_resumes_what_is_held_itself_and_says_what_another_fact_stops(browse: Browse, owner: Membership) -> None:
    own, disputed, with_client, free = make_invoice(), make_invoice(), make_invoice(), make_invoice()
    for row in (own, disputed):
        Standstill(kind=StopKind.HOLD, invoice=row).save(force_insert=True)
    Standstill(kind=StopKind.DISPUTE, invoice=disputed).save(force_insert=True)
    Standstill(kind=StopKind.HOLD, client=with_client.client).save(force_insert=True)
    browser = browse(owner)
    rows = [own, disputed, with_client, free]

    summary = browser.post(LOT, chosen("resume", rows))
    browser.post(LOT, chosen("resume", rows, repondu="1", accord="1"))
    browser.post(LOT, chosen("resume", rows, repondu="1", accord="1"))

    assert {row.pk for row in summary.context["seen"].taken} == {own.pk, disputed.pk}
    assert summary.context["seen"].still == 1
    assert sorted(why for why, _ in summary.context["seen"].left) == [
        batches.NOT_HELD, batches.HELD_WITH["client"],
    ]  # fmt: skip
    assert holds() == {None: 1}
    assert Standstill.objects.filter(kind=StopKind.DISPUTE, released_at=None).count() == 1
    assert {line.subject_id for line in lines("hold.released")} == {own.pk, disputed.pk}
    assert [line.facts for line in lines("invoice.batch_acted")] == [
        {"action": "resume", "count": 2, "left": 2, "gone": 0}
    ]


def test_assigns_each_dossier_once_after_naming_the_colleague(browse: Browse, owner: Membership) -> None:
    colleague = make_member(role=Role.LAWYER)
    shared = make_dossier()
    rows = [make_invoice(dossier=shared), make_invoice(dossier=shared), make_invoice()]
    known = make_invoice()
    assign(dossier=known.dossier, member=colleague)
    browser = browse(owner)
    named = {"repondu": "1", "colleague": str(colleague.pk)}

    asked = browser.post(LOT, chosen("assign", [*rows, known]))
    summary = browser.post(LOT, chosen("assign", [*rows, known], **named))
    untouched = Assignment.objects.filter(member=colleague).count()
    browser.post(LOT, chosen("assign", [*rows, known], **named, accord="1"))
    browser.post(LOT, chosen("assign", [*rows, known], **named, accord="1"))

    assert 'name="accord"' not in text_of(asked)
    assert "Affecter 2 dossiers" in text_of(summary)
    assert [(why, [row.pk for row in left]) for why, left in summary.context["seen"].left] == [
        (batches.IN_CHARGE, [known.pk])
    ]
    assert untouched == 1
    assert set(Assignment.objects.filter(member=colleague).values_list("dossier_id", flat=True)) == {
        shared.pk, rows[2].dossier_id, known.dossier_id,
    }  # fmt: skip
    assert sorted(str(line.subject_id) for line in lines("dossier.assigned")) == sorted(
        [str(shared.pk), str(rows[2].dossier_id)]
    )


@pytest.mark.parametrize("written_as", ["csv", "xlsx"])
def test_exports_the_selection_alone(browse: Browse, owner: Membership, written_as: str) -> None:
    row = make_invoice(client=make_client(company="=Atelier Nord SAS"))
    other = make_invoice()

    answer = browse(owner).post(LOT, chosen("export", [row], repondu="1", accord="1", written_as=written_as))

    if written_as == "csv":
        text = answer.content.decode("utf-8-sig")
        assert (row.number in text, other.number in text, "1440,00" in text, "'=Atelier" in text) == (
            True, False, True, True,
        )  # fmt: skip
    else:
        sheet = list(load_workbook(io.BytesIO(answer.content))["Factures"].iter_rows(values_only=True))
        assert len(sheet) == 2
        assert (sheet[1][0], sheet[1][1], str(sheet[1][5])[:10], sheet[1][6]) == (
            row.number, "'=Atelier Nord SAS", row.due_on.isoformat(), 1440,
        )  # fmt: skip
    assert [line.facts for line in lines("invoice.exported")] == [{"count": 1}]


def test_leaves_out_what_the_person_does_not_see(browse: Browse, owner: Membership, other_cabinet: Cabinet) -> None:
    lawyer = make_member(role=Role.LAWYER)
    mine, hidden = make_invoice(), make_invoice()
    assign(dossier=mine.dossier, member=lawyer)
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        theirs = make_invoice()
    browser = browse(lawyer)
    rows = [mine, hidden, theirs]

    summary = browser.post(LOT, chosen("hold", rows))
    browser.post(LOT, chosen("hold", rows, **held()))

    page = text_of(summary)
    assert (hidden.number in page, theirs.number in page, summary.context["seen"].gone) == (False, False, 2)
    assert holds() == {mine.pk: 1}
    with outside_any_firm(), working_for(cabinet_id=other_cabinet.pk):
        assert holds() == {}


@pytest.mark.parametrize(
    ("role", "action"),
    [(Role.ACCOUNTANT, "hold"), (Role.ACCOUNTANT, "resume"), (Role.ASSISTANT, "export"), (Role.LAWYER, "assign")],
)
def test_refuses_an_act_the_role_does_not_hold(browse: Browse, cabinet: Cabinet, role: Role, action: str) -> None:
    member = make_member(role=role)
    row = make_invoice()
    assign(dossier=row.dossier, member=member)
    data = chosen(action, [row], **held(written_as="csv", colleague=str(member.pk)))

    answer = browse(member).post(LOT, data)

    assert answer.status_code == 403
    assert (holds(), lines("invoice.exported"), lines("invoice.batch_acted")) == ({}, [], [])
    assert len(lines("access.refused")) == 1


def test_offers_what_each_role_may_do(browse: Browse, cabinet: Cabinet) -> None:
    make_invoice()

    offered = {role: [value for value, _ in batches.actions_of(make_member(role=role))] for role in Role}

    assert offered == {
        Role.OWNER: ["hold", "resume", "assign", "export"],
        Role.ADMIN: ["hold", "resume", "assign", "export"],
        Role.LAWYER: ["hold", "resume", "export"],
        Role.ASSISTANT: ["hold", "resume"],
        Role.ACCOUNTANT: ["export"],
    }


def test_takes_all_of_the_filter_up_to_the_limit_and_says_it(
    browse: Browse, owner: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [make_invoice(due_on=TODAY - dt.timedelta(days=40 - place)) for place in range(4)]
    make_invoice(due_on=TODAY + dt.timedelta(days=4))
    monkeypatch.setattr(batches, "MOST", 3)

    answer = browse(owner).post(LOT, {"action": "hold", "toutes": "1", "filtre": "etat=echue"})

    assert [row.pk for row in answer.context["seen"].taken] == [row.pk for row in late[:3]]
    said = "Un lot s’arrête à 3 factures, les plus anciennes d’abord : 1 autre facture attend un second lot."
    assert said in text_of(answer)


def test_an_address_opened_by_hand_goes_back_to_the_list(browse: Browse, owner: Membership) -> None:
    answer = browse(owner).get(LOT)

    assert (answer.status_code, answer["Location"]) == (302, "/factures/")


def test_a_summary_may_be_an_address_and_does_nothing(browse: Browse, owner: Membership) -> None:
    row = make_invoice()

    answer = browse(owner).get(f"{LOT}?action=hold&facture={row.pk}&repondu=1&accord=1&reason=Motif&until_on=")

    assert [one.pk for one in answer.context["seen"].taken] == [row.pk]
    assert (answer.status_code, holds()) == (200, {})


def test_costs_the_same_for_one_invoice_and_for_five(browse: Browse, owner: Membership) -> None:
    browser = browse(owner)

    def cost(count: int, **more: Any) -> int:
        rows = [make_invoice(client=make_client(company=f"Société {place}")) for place in range(count)]
        with CaptureQueriesContext(connection) as asked:
            browser.post(LOT, chosen("hold", rows, **more))
        return len(asked)

    cost(1), cost(1, **held())
    browser.get("/factures/")  # what was told is read, and leaves the session

    assert cost(1) == cost(5)
    assert cost(1, **held()) == cost(5, **held())
