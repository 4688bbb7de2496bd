"""The nights let go of what had its time, once the firm says so, and the page says it before."""

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.db.models import QuerySet

from cabinets.models import Cabinet, Client, Contact, JournalEntry, Membership
from cabinets.scoping import working_for
from cabinets.sealing import forget_keys
from gdpr import tasks
from gdpr.enums import Claim, IdentityProof, RequestOrigin, RightsState
from gdpr.inventory import HOLDINGS
from gdpr.models import Purge, RetentionSettings, RightsRequest
from gdpr.services import held_back, retention
from gdpr.services import requests as rights
from gdpr.services.erasing import purge_client
from gdpr.services.retention import AGES
from invoices.enums import StopKind
from invoices.models import Standstill
from invoices.services import standstill
from payments.enums import DataRight, RequestKind
from payments.models import BankAccount, BankFile, BankLine, BankStatement, DebtorRequest, LinkVisit
from payments.services.links import link_for
from payments.services.rights import ask_about_data
from tests.conftest import FirmBrowser
from tests.factories.cabinets import (
    make_cabinet,
    make_client,
    make_contact,
    make_dossier,
    make_member,
    outside_any_firm,
)
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

DAY = dt.date(2026, 11, 24)


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"


def old_client() -> Client:
    """A client paid long ago, whose engagement is over."""
    client = make_client(company="", last_name="Ancienne", kind="consumer", phone="+33612345678")
    dossier = make_dossier(client=client, mandate_ended_on=dt.date(2014, 5, 1), fee_agreement_on=None)
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2014, 4, 1), due_on=dt.date(2014, 5, 1))
    make_payment(invoice=invoice, on=dt.date(2014, 5, 20))
    return client


def visit(client: Client, at: dt.date) -> None:
    moment = dt.datetime.combine(at, dt.time(12), tzinfo=dt.UTC)
    LinkVisit(link=link_for(client=client, contact=None), at=moment).save(force_insert=True)


def turn_on(owner: Membership) -> None:
    retention.save_settings(by=owner, accounting_years=10, fiscal_month=12, purges=True)


def test_lets_nothing_go_until_the_firm_says_so(cabinet: Cabinet) -> None:
    client = old_client()
    visit(client, dt.date(2024, 1, 1))

    gone = retention.purge(on=DAY)

    assert gone == {}
    assert Client.objects.get(pk=client.pk).last_name == "Ancienne"
    assert LinkVisit.objects.count() == 1
    assert not Purge.objects.exists()


def test_lets_go_of_what_had_its_time_and_of_nothing_else(owner: Membership) -> None:
    old, recent = old_client(), make_client(last_name="Récente", company="")
    make_invoice(dossier=make_dossier(client=recent))
    visit(recent, dt.date(2025, 11, 23))
    visit(recent, dt.date(2025, 11, 24))
    turn_on(owner)

    gone = retention.purge(on=DAY)

    assert Client.objects.get(pk=old.pk).last_name == ""
    assert Client.objects.get(pk=recent.pk).last_name == "Récente"
    assert [one.at.date() for one in LinkVisit.objects.all()] == [dt.date(2025, 11, 24)]
    assert (gone["payments.LinkVisit"], gone["cabinets.Client"], gone["cabinets.DataKey"]) == (1, 1, 1)
    told = Purge.objects.get()
    assert (told.on, told.clients, told.counts["cabinets.Client"]) == (DAY, 1, 1)
    assert "Ancienne" not in str(told.counts)


def test_lets_go_of_nothing_twice(owner: Membership) -> None:
    old_client()
    turn_on(owner)
    retention.purge(on=DAY)

    assert retention.purge(on=DAY) == {}
    assert Purge.objects.count() == 1


def test_tells_what_would_go_without_touching_it(owner: Membership) -> None:
    client = old_client()
    visit(client, dt.date(2024, 1, 1))

    coming = retention.coming(on=DAY)

    assert (coming.rows, coming.messages_of, coming.forgotten) == ((("visites", 1),), 0, 1)
    assert Client.objects.get().last_name == "Ancienne"
    assert LinkVisit.objects.count() == 1


def middle_aged_client() -> Client:
    """A client paid in 2017, whose engagement is over: their messages may go; their vouchers, once six years are."""
    client = make_client(company="", last_name="Moyenne", kind="consumer", note="appeler le soir")
    dossier = make_dossier(client=client, mandate_ended_on=dt.date(2017, 5, 1), fee_agreement_on=None)
    invoice = make_invoice(dossier=dossier, issued_on=dt.date(2017, 4, 1), due_on=dt.date(2017, 5, 1), note="vu")
    make_payment(invoice=invoice, on=dt.date(2017, 5, 20))
    return client


def bank_line(day: dt.date) -> None:
    account = BankAccount.objects.first() or BankAccount(number="FR7630006000011234567890189", number_index=b"n" * 16)
    account.save()
    digest = bytes([BankFile.objects.count()])
    file = BankFile(format="csv", source="upload", stored_as="", digest=digest * 32)
    file.save(force_insert=True)
    statement = BankStatement(file=file, account=account, starts_on=day, ends_on=day)
    statement.save(force_insert=True)
    BankLine(
        account=account, statement=statement, line_index=digest * 16, rank=0, booked_on=day, value_on=day,
        cents=100, label="VIR DELORME", counterparty="Anne Delorme",
    ).save(force_insert=True)  # fmt: skip


def test_counts_what_is_left_whatever_went_before_and_whatever_the_lengths_become(owner: Membership) -> None:
    """A shorter length reaches what was kept on the day of the last purge: nothing is subtracted for that day."""
    old_client()
    middle_aged_client()
    for year in (2014, 2017, 2018):
        bank_line(dt.date(year, 6, 1))
    turn_on(owner)
    first = retention.coming(on=DAY)
    retention.purge(on=DAY)
    second = retention.coming(on=DAY)
    retention.save_settings(by=owner, accounting_years=6, fiscal_month=12, purges=True)

    third = retention.coming(on=DAY)
    gone = retention.purge(on=DAY)

    assert (first.rows, first.messages_of, first.forgotten) == ((("lignes de banque", 1),), 1, 1)
    assert second.is_empty
    assert (third.rows, third.messages_of, third.forgotten) == ((("lignes de banque", 2),), 0, 1)
    assert (gone["payments.BankLine"], gone["cabinets.DataKey"]) == (2, 1)
    assert retention.coming(on=DAY).is_empty


def test_shortens_a_length_only_once_told_what_it_takes(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    middle_aged_client()
    turn_on(owner)
    retention.purge(on=DAY)
    desk, shorter = browse(owner), {"accounting_years": "6", "fiscal_month": "12", "archive_months": "12"}

    told = desk.post("/rgpd/durees/", {**shorter, "purges": "on"})
    other = desk.post("/rgpd/durees/", {**shorter, "purges": "on", "sure": "7/12"})
    kept = RetentionSettings.objects.get().accounting_years
    off = desk.post("/rgpd/durees/", shorter)
    on_again = desk.post("/rgpd/durees/", {**shorter, "purges": "on"})
    still_off = RetentionSettings.objects.get().purges
    sure = desk.post("/rgpd/durees/", {**shorter, "purges": "on", "sure": "6/12"})

    row = RetentionSettings.objects.get()
    page = told.content.decode()
    assert (told.status_code, other.status_code, kept) == (422, 422, 10)
    assert "Rien n’est encore enregistré." in page
    assert "<li>1 client dont plus rien n’est à garder</li>" in page
    assert 'name="sure" value="6/12"' in page
    assert (off.status_code, on_again.status_code, still_off) == (302, 422, False)
    assert (sure.status_code, row.accounting_years, row.purges) == (302, 6, True)
    assert Client.objects.get().last_name == "Moyenne"


def test_keeps_an_age_for_every_table_that_ages() -> None:
    ageing = {
        one.model
        for one in HOLDINGS
        if one.retention in {"traces", "notices", "working", "rights"} and one.model != "cabinets.Session"
    }

    assert set(AGES) == ageing


@pytest.mark.usefixtures("committed")
def test_hands_over_every_firm_and_lets_go_in_those_that_said_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    yes, no = make_cabinet(), make_cabinet()
    for firm, purges in ((yes, True), (no, False)):
        with working_for(cabinet_id=firm.pk):
            owner = make_member()
            retention.save_settings(by=owner, accounting_years=10, fiscal_month=12, purges=purges)
            old_client()
    handed: list[str] = []
    monkeypatch.setattr(tasks.purge_firm, "delay", handed.append)

    with outside_any_firm():
        assert tasks.purge() == 2
        assert tasks.purge_firm(str(yes.pk)) > 0
        assert tasks.purge_firm(str(no.pk)) == 0

    assert set(handed) == {str(yes.pk), str(no.pk)}
    with working_for(cabinet_id=no.pk):
        assert Client.objects.get().last_name == "Ancienne"


def answered(owner: Membership, client: Client, claim: Claim = Claim.ACCESS) -> RightsRequest:
    """A request for a copy, answered today."""
    row = rights.record(
        by=owner, client=client, claim=claim, origin=RequestOrigin.EMAIL, received_on=DAY, words="Tout savoir"
    )
    rights.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)
    rights.prepare(request_id=row.pk, by=owner)
    return rights.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="Voici.")


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("day", "is_kept"), [(dt.date(2027, 2, 24), True), (dt.date(2027, 2, 25), False)])
def test_destroys_the_copies_of_every_firm_after_three_months(tmp_path: Path, day: dt.date, is_kept: bool) -> None:
    """Where nothing goes by itself too: the person was told that their copy does."""
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        stored_as = answered(make_member(), old_client()).stored_as
    path = tmp_path / "documents" / str(firm.pk) / stored_as
    was_there = path.exists()

    with outside_any_firm(), time_machine.travel(dt.datetime.combine(day, dt.time(3, 20), tzinfo=dt.UTC), tick=False):
        assert tasks.purge_firm(str(firm.pk)) == 0

    with working_for(cabinet_id=firm.pk):
        row = RightsRequest.objects.get()
        assert (was_there, path.exists(), bool(row.stored_as)) == (True, is_kept, is_kept)
        assert (row.words, row.answer, Client.objects.get().last_name) == ("Tout savoir", "Voici.", "Ancienne")
        assert not Purge.objects.exists()


def test_chooses_its_lengths_within_the_law(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    desk = browse(owner)

    refused = desk.post("/rgpd/durees/", {"accounting_years": "5", "fiscal_month": "12", "archive_months": "24"})
    kept = RetentionSettings.objects.exists()
    shorter = {"accounting_years": "7", "fiscal_month": "6", "archive_months": "24"}
    desk.post("/rgpd/durees/", {**shorter, "purges": "on"})

    row = RetentionSettings.objects.get()
    assert (refused.status_code, kept) == (422, False)
    assert "six ans au moins" in refused.content.decode()
    assert (row.accounting_years, row.fiscal_month, row.archive_months, row.purges) == (7, 6, 24, True)
    shown = desk.get("/rgpd/durees/").content.decode()
    assert ("7 ans après la fin de l’exercice" in shown, "10 ans après" in shown) == (True, False)
    assert JournalEntry.objects.filter(event="retention.changed").count() == 1


def test_lets_go_of_the_bank_s_words_with_their_fiscal_year(owner: Membership) -> None:
    for day in (dt.date(2015, 12, 31), dt.date(2016, 1, 1)):
        bank_line(day)
    turn_on(owner)

    # The fiscal year 2015 goes on 2026-01-01, and 2016 a year later.
    gone = retention.purge(on=dt.date(2026, 1, 1))

    assert gone["payments.BankLine"] == 1
    kept = [(one.label, one.counterparty, one.cents) for one in BankLine.objects.order_by("booked_on")]
    assert kept == [("", "", 100), ("VIR DELORME", "Anne Delorme", 100)]


def test_says_nothing_of_what_already_went(owner: Membership) -> None:
    old_client()
    turn_on(owner)
    retention.purge(on=DAY)

    assert retention.coming(on=DAY + dt.timedelta(days=1)).is_empty


def asks(owner: Membership, client: Client, *, claim: Claim, contact: Contact | None = None) -> RightsRequest:
    """A request that was recognised, and waits for its answer."""
    row = rights.record(
        by=owner, client=client, contact=contact, claim=claim, origin=RequestOrigin.EMAIL, received_on=DAY
    )
    return rights.identify(request_id=row.pk, by=owner, proof=IdentityProof.KNOWN)


def restricted(owner: Membership, client: Client, *, contact: Contact | None = None) -> RightsRequest:
    """A restriction that was granted."""
    row = asks(owner, client, claim=Claim.RESTRICTION, contact=contact)
    rights.restrict(request_id=row.pk, by=owner)
    return rights.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="C’est fait.")


def asks_from_the_page(owner: Membership, client: Client) -> Callable[[], object]:
    asked = ask_about_data(link=link_for(client=client, contact=None), right=DataRight.ACCESS, today=DAY)
    assert asked is not None

    def end() -> None:
        row = rights.take_in(by=owner, asked_id=asked.pk)
        rights.answer(request_id=row.pk, by=owner, state=RightsState.WITHDRAWN, text="Retirée.")

    return end


def asks_by_mail(owner: Membership, client: Client) -> Callable[[], object]:
    row = asks(owner, client, claim=Claim.ACCESS)
    return lambda: rights.answer(request_id=row.pk, by=owner, state=RightsState.REFUSED, text="Non.")


def is_restricted(owner: Membership, client: Client) -> Callable[[], object]:
    restricted(owner, client)
    return lambda: standstill.release(standstill_id=Standstill.objects.get().pk)


def is_suspended_until_a_day_since(owner: Membership, client: Client) -> Callable[[], object]:
    end = is_restricted(owner, client)

    def then() -> None:
        end()
        standstill.declare(kind=StopKind.HOLD, target=client, reason="Vacances", until_on=DAY + dt.timedelta(days=9))

    return then


def has_a_restricted_contact(owner: Membership, client: Client) -> Callable[[], object]:
    contact = make_contact(client=client, last_name="Tiers")
    restricted(owner, client, contact=contact)

    def end() -> None:
        row = asks(owner, client, claim=Claim.ERASURE, contact=contact)
        rights.erase(request_id=row.pk, by=owner)
        rights.answer(request_id=row.pk, by=owner, state=RightsState.GRANTED, text="Effacé.")

    return end


@pytest.mark.parametrize(
    "held",
    [asks_from_the_page, asks_by_mail, is_restricted, is_suspended_until_a_day_since, has_a_restricted_contact],
)
def test_erases_nothing_of_who_waits_for_an_answer_or_restricted_the_use_of_their_data(
    owner: Membership, held: Callable[[Membership, Client], Callable[[], object]]
) -> None:
    client = old_client()
    visit(client, dt.date(2024, 1, 1))
    end = held(owner, client)
    turn_on(owner)

    before = retention.coming(on=DAY)
    gone = retention.purge(on=DAY)

    kept = Client.objects.get(pk=client.pk)
    assert (before.rows, before.messages_of, before.forgotten, before.held, gone) == ((), 0, 0, 1, {})
    assert (kept.last_name, LinkVisit.objects.count(), Purge.objects.exists()) == ("Ancienne", 1, False)
    end()
    after = retention.coming(on=DAY)
    gone = retention.purge(on=DAY)
    assert (after.rows, after.forgotten, after.held) == ((("visites", 1),), 1, 0)
    assert (gone["payments.LinkVisit"], gone["cabinets.DataKey"]) == (1, 1)
    assert Client.objects.get(pk=client.pk).last_name == ""


def test_a_request_of_another_kind_keeps_nobody(owner: Membership) -> None:
    client = old_client()
    link = link_for(client=client, contact=None)
    DebtorRequest(link=link, client=client, kind=RequestKind.PROBLEM).save(force_insert=True)
    restricted(owner, make_client(last_name="Autre", company=""))

    assert (retention.coming(on=DAY).forgotten, retention.coming(on=DAY).held) == (1, 0)


def test_the_page_says_of_whom_nothing_goes_and_why(
    owner: Membership, browse: Callable[[Membership | None], FirmBrowser]
) -> None:
    asks(owner, old_client(), claim=Claim.ACCESS)

    page = browse(owner).get("/rgpd/durees/").content.decode()

    assert "1 client de plus a fait son temps, et rien ne s’en efface" in page
    assert "une demande sur ses données attend une réponse, ou l’usage en est limité." in page


@pytest.mark.committed
@pytest.mark.usefixtures("committed")
def test_a_request_made_while_the_purge_reads_is_seen_or_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The purge holds the client whole: a request about them cannot slip in between its reading and its end."""
    firm = make_cabinet()
    with working_for(cabinet_id=firm.pk):
        client_id, member_id = old_client().pk, make_member().pk
    refused: list[str] = []

    def ask() -> None:
        try:
            with working_for(cabinet_id=firm.pk), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
                asks(Membership.objects.get(pk=member_id), Client.objects.get(pk=client_id), claim=Claim.ACCESS)
        except OperationalError as error:
            refused.append(str(error))
        finally:
            connection.close()

    def read_meanwhile() -> QuerySet[Client]:
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()
        return known()

    known = held_back.clients
    monkeypatch.setattr(held_back, "clients", read_meanwhile)
    with working_for(cabinet_id=firm.pk):
        gone = purge_client(client_id=client_id, on=DAY)

    assert gone["cabinets.DataKey"] == 1
    assert len(refused) == 1
    assert "lock timeout" in refused[0]


def test_keeps_the_proof_of_an_answer_longer_than_its_copy_and_than_the_client(
    owner: Membership, tmp_path: Path
) -> None:
    client = old_client()
    answered(owner, client)
    turn_on(owner)

    retention.destroy_old_copies(on=DAY + dt.timedelta(days=100))
    retention.purge(on=DAY + dt.timedelta(days=100))
    forget_keys()

    kept = RightsRequest.objects.get()
    assert Client.objects.get(pk=client.pk).last_name == ""
    assert (kept.words, kept.answer, kept.stored_as, kept.digest is not None) == ("Tout savoir", "Voici.", "", True)
    retention.purge(on=dt.date(2031, 12, 1))
    assert (RightsRequest.objects.get().words, RightsRequest.objects.get().answer) == ("", "")
