"""A partner takes everything away, closes the account, or keeps it: who may, what stops, what is erased, what stays."""

import datetime as dt
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connections, models, transaction

from cabinets.enums import KeyPurpose, Role
from cabinets.errors import RightMissingError, SealBrokenError
from cabinets.models import Cabinet, Client, DataKey, JournalEntry, Membership, Subscription, User
from cabinets.scoping import working_for
from cabinets.sealing import SealedModel
from cabinets.services import subscription as subscriptions
from cabinets.wall import walled_models
from config.celery import app
from dunning.enums import Code
from dunning.errors import DunningError
from dunning.models import MailServer, Reminder
from dunning.services import activation, dispatch, evidence
from gdpr import tasks
from gdpr.enums import CopyState
from gdpr.errors import GdprError
from gdpr.models import Closing, FirmCopy
from gdpr.services import closing, firm_copies, firm_export
from gdpr.services.firm_format import MANIFEST
from invoices.models import Document, Invoice
from invoices.sealed_files import write_sealed
from payments.models import PaymentLink
from tests.architecture.test_walk import populate
from tests.conftest import NOW, FirmBrowser
from tests.factories.cabinets import make_cabinet, make_client, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import SmtpSink

Browse = Callable[[Membership | None], FirmBrowser]
PASSWORD = "une longue phrase de passe"
PAGE, CLOSE, KEEP = "/rgpd/export/", "/rgpd/cloture/", "/rgpd/cloture/reprendre/"
DUE = NOW.date() + dt.timedelta(days=30)
CANARY = "CANARI"


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path / "documents"


@pytest.fixture
def partner(owner: Membership) -> Membership:
    """Return a partner who knows their password."""
    owner.user.set_password(PASSWORD)
    owner.user.save(update_fields=["password"])
    return owner


def events() -> list[str]:
    found = JournalEntry.objects.filter(event__regex="^(firmcopy|closing)").exclude(event__endswith="page_seen")
    return list(found.order_by("pk").values_list("event", flat=True))


# The copy.


def test_asks_for_the_copy_once_the_password_is_given_again(partner: Membership, browse: Browse) -> None:
    browser = browse(partner)

    refused = browser.post(PAGE, {"current": "autre chose"})
    assert (refused.status_code, FirmCopy.objects.count(), events()) == (422, 0, [])
    assert "Ce n’est pas votre mot de passe actuel" in refused.content.decode()

    first = browser.post(PAGE, {"current": PASSWORD})
    again = browser.post(PAGE, {"current": PASSWORD})

    assert (first.status_code, again.status_code, FirmCopy.objects.count()) == (302, 302, 1)
    assert events() == ["firmcopy.asked"]
    page = browser.get(PAGE).content.decode()
    assert "L’archive se prépare" in page
    assert "Tout exporter</button>" not in page


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LAWYER, Role.ASSISTANT, Role.ACCOUNTANT])
@pytest.mark.parametrize("url", [PAGE, CLOSE, KEEP])
def test_is_for_partners_alone(cabinet: Cabinet, browse: Browse, role: Role, url: str) -> None:
    member = make_member(role=role)
    browser = browse(member)

    assert (browser.get(url).status_code, browser.post(url, {"current": "x"}).status_code) == (403, 403)
    with pytest.raises(RightMissingError):
        firm_copies.ask(by=member)
    with pytest.raises(RightMissingError):
        closing.ask(by=member, name=cabinet.name)
    assert (FirmCopy.objects.count(), Closing.objects.count()) == (0, 0)


@pytest.fixture
def leaving(committed: None) -> tuple[UUID, UUID]:
    """Return a real firm with a row in nearly every table, and its partner."""
    firm = make_cabinet(name="Cabinet Lambert", slug="lambert", activated_on=dt.date(2026, 1, 5), iban="FR76X")
    with working_for(cabinet_id=firm.pk):
        owner = make_member(role=Role.OWNER)
        rows = populate()
        document = Document.objects.get(pk=rows["document_id"])
        stored = write_sealed(
            io.BytesIO(CANARY.encode()),
            folder="documents",
            bound_to=document.bound_to("file"),
            subject_id=document.client_id,
        )
        document.stored_as = stored.stored_as
        document.save(update_fields=["stored_as"])
        MailServer(host="smtp.canari.example", sender="canari@canari.example", password=CANARY).save(force_insert=True)
        FirmCopy.objects.all().delete()
    return firm.pk, owner.pk


def as_owner(member_id: UUID) -> Membership:
    return Membership.objects.select_related("user").get(pk=member_id)


def asked(leaving: tuple[UUID, UUID]) -> UUID:
    cabinet_id, member_id = leaving
    with working_for(cabinet_id=cabinet_id):
        return firm_copies.ask(by=as_owner(member_id)).pk


@pytest.mark.committed
def test_is_made_once_kept_seven_days_and_each_download_is_noted(leaving: tuple[UUID, UUID], disk: Path) -> None:
    cabinet_id, member_id = leaving
    copy_id = asked(leaving)
    assert firm_copies.due() == [(cabinet_id, copy_id)]

    first = firm_copies.make(cabinet_id=cabinet_id, copy_id=copy_id)
    again = firm_copies.make(cabinet_id=cabinet_id, copy_id=copy_id)

    assert (first, again, firm_copies.due()) == ("ready", "left", [])
    with working_for(cabinet_id=cabinet_id):
        copy, opened = firm_copies.open_archive(copy_id=copy_id, by=as_owner(member_id))
        content = opened.read()
        assert (copy.size, bytes(copy.digest or b"")) == (len(content), hashlib.sha256(content).digest())
        assert (copy.until_at, copy.rows > 50) == (NOW + dt.timedelta(days=7), True)
        assert MANIFEST in zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert events() == ["firmcopy.asked", "firmcopy.made", "firmcopy.downloaded"]
    # On disk it says nothing.
    sealed = (disk / str(cabinet_id) / copy.stored_as).read_bytes()
    assert (sealed[:3], b"manifeste" in sealed, CANARY.encode() in sealed) == (b"QF1", False, False)

    with time_machine.travel(NOW + dt.timedelta(days=7), tick=False):
        with working_for(cabinet_id=cabinet_id), pytest.raises(GdprError, match="n’est plus gardée"):
            firm_copies.open_archive(copy_id=copy_id, by=as_owner(member_id))
        assert firm_copies.firms_with_old_ones() == [cabinet_id]
        tasks.sweep_copies()
        assert firm_copies.firms_with_old_ones() == []
    with working_for(cabinet_id=cabinet_id):
        assert (FirmCopy.objects.get().state, FirmCopy.objects.get().stored_as) == (CopyState.GONE, "")
    assert not (disk / str(cabinet_id) / copy.stored_as).exists()


@pytest.mark.committed
def test_shows_one_instant_of_the_database(leaving: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the firm writes while its copy is being made is in none of its tables."""
    cabinet_id, member_id = leaving
    copy_id = asked(leaving)
    write = firm_export.write_archive

    def somebody_works() -> None:
        with working_for(cabinet_id=cabinet_id):
            Client.objects.update(siren="999999999")
            make_client(company="Arrivé pendant la copie")
        connections["default"].close()

    def meanwhile(target: Any) -> Any:
        worker = threading.Thread(target=somebody_works)
        worker.start()
        worker.join()
        return write(target)

    monkeypatch.setattr(firm_copies, "write_archive", meanwhile)
    firm_copies.make(cabinet_id=cabinet_id, copy_id=copy_id)

    with working_for(cabinet_id=cabinet_id):
        _, opened = firm_copies.open_archive(copy_id=copy_id, by=as_owner(member_id))
        clients = zipfile.ZipFile(opened).read("donnees/cabinets.Client.jsonl").splitlines()
        assert (len(clients), b"999999999" in clients[0], Client.objects.count()) == (1, False, 2)


@pytest.mark.committed
def test_says_so_when_it_could_not_be_made_and_leaves_nothing_on_disk(
    leaving: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch, disk: Path
) -> None:
    cabinet_id, _ = leaving
    copy_id = asked(leaving)
    before = sorted(disk.rglob("*"))

    def fail(target: Any) -> None:
        target.write(b"x" * 100_000)
        raise OSError("disk full")

    monkeypatch.setattr(firm_copies, "write_archive", fail)
    with pytest.raises(OSError, match="disk full"):
        firm_copies.make(cabinet_id=cabinet_id, copy_id=copy_id)

    with working_for(cabinet_id=cabinet_id):
        assert FirmCopy.objects.get().state == CopyState.FAILED
        assert events() == ["firmcopy.asked", "firmcopy.failed"]
    assert [path for path in disk.rglob("*") if path.is_file() and path not in before] == []


@pytest.mark.committed
def test_gives_up_on_a_worker_that_was_killed(leaving: tuple[UUID, UUID], disk: Path) -> None:
    cabinet_id, member_id = leaving
    half = disk / str(cabinet_id) / "reversibilite" / "moitie.partial"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"x")
    copy_id = asked(leaving)
    with working_for(cabinet_id=cabinet_id):
        FirmCopy.objects.update(state=CopyState.MAKING, started_at=NOW - dt.timedelta(hours=3))

    tasks.sweep_copies()

    with working_for(cabinet_id=cabinet_id):
        assert FirmCopy.objects.get(pk=copy_id).state == CopyState.FAILED
        assert firm_copies.ask(by=as_owner(member_id)).pk != copy_id
    assert half.exists() is False


# The closing.


def test_stops_sending_at_once_and_is_taken_back(partner: Membership, cabinet: Cabinet, browse: Browse) -> None:
    browser = browse(partner)

    wrong = browser.post(CLOSE, {"name": "Un autre cabinet", "current": PASSWORD})
    unproved = browser.post(CLOSE, {"name": cabinet.name, "current": "autre chose"})
    assert (wrong.status_code, unproved.status_code, Closing.objects.count()) == (422, 422, 0)
    assert Cabinet.objects.get().subscription_suspended_at is None

    done = browser.post(CLOSE, {"name": f"  {cabinet.name.upper()} ", "current": PASSWORD})

    assert done.status_code == 302
    row = Closing.objects.get()
    assert (row.due_on, row.is_pending, Cabinet.objects.get().subscription_suspended_at) == (DUE, True, NOW)
    for url in (PAGE, CLOSE, "/factures/", "/clients/"):
        told = browser.get(url).content.decode()
        assert "La clôture du compte est demandée." in told
        assert "L’abonnement du cabinet est arrêté." not in told

    # No page offers what the closing forbids, and asking for it all the same says so.
    assert "Les envois ne sont pas activés" not in browser.get("/tableau-de-bord/").content.decode()
    with pytest.raises(DunningError, match="en cours de clôture"):
        activation.activate(by=partner)

    kept = browser.post(KEEP)

    assert (kept.status_code, Cabinet.objects.get().subscription_suspended_at) == (302, None)
    assert "La clôture du compte est demandée." not in browser.get("/factures/").content.decode()
    assert events() == ["closing.asked", "closing.taken_back"]
    assert "Aucune clôture" in browser.post(KEEP, follow=True).content.decode()


def test_leaves_an_account_the_operator_suspended_as_it_was(partner: Membership, cabinet: Cabinet) -> None:
    before = NOW - dt.timedelta(days=3)
    Cabinet.objects.update(subscription_suspended_at=before)

    closing.ask(by=partner, name=cabinet.name)
    with pytest.raises(GdprError, match="déjà demandée"):
        closing.ask(by=partner, name=cabinet.name)
    closing.take_back(by=partner)

    assert Cabinet.objects.get().subscription_suspended_at is not None
    assert Subscription.objects.get().unpaid_since == before.date()


def close(leaving: tuple[UUID, UUID]) -> None:
    cabinet_id, member_id = leaving
    with working_for(cabinet_id=cabinet_id):
        closing.ask(by=as_owner(member_id), name="Cabinet Lambert")


@pytest.mark.committed
def test_erases_nothing_before_its_day(leaving: tuple[UUID, UUID], disk: Path) -> None:
    cabinet_id, member_id = leaving
    close(leaving)

    with time_machine.travel(dt.datetime.combine(DUE, dt.time(23), tzinfo=dt.UTC), tick=False):
        assert closing.firms_due(now=dt.datetime.combine(DUE, dt.time(23), tzinfo=dt.UTC)) == []
        assert closing.erase(cabinet_id=cabinet_id) == {}
        with working_for(cabinet_id=cabinet_id):
            assert Client.objects.get().company == f"{CANARY} SARL"
            closing.take_back(by=as_owner(member_id))
    with time_machine.travel(NOW + dt.timedelta(days=40), tick=False):
        assert closing.firms_due(now=NOW + dt.timedelta(days=40)) == []
        assert closing.erase(cabinet_id=cabinet_id) == {}
    with working_for(cabinet_id=cabinet_id):
        assert Client.objects.get().company == f"{CANARY} SARL"
    assert [path for path in disk.rglob("*") if path.is_file()] != []


@pytest.mark.committed
def test_erases_everything_once_its_days_are_over_and_says_what_stays(leaving: tuple[UUID, UUID], disk: Path) -> None:
    cabinet_id, member_id = leaving
    other = make_cabinet(name="Cabinet voisin", slug="voisin")
    with working_for(cabinet_id=cabinet_id):
        shared = as_owner(member_id).user
        alone = Membership.objects.select_related("user").exclude(pk=member_id).order_by("pk")[0].user
        keys = set(DataKey.objects.values_list("pk", flat=True))
    with working_for(cabinet_id=other.pk):
        neighbour = Membership(user=shared, role=Role.LAWYER)
        neighbour.save(force_insert=True)
        Client(company="Client du voisin").save(force_insert=True)
    close(leaving)

    with time_machine.travel(
        dt.datetime.combine(DUE, dt.time(3, 50), tzinfo=dt.UTC) + dt.timedelta(days=1), tick=False
    ):
        assert closing.firms_due(now=dt.datetime.combine(DUE, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1)) == [
            cabinet_id
        ]
        first = closing.erase(cabinet_id=cabinet_id)
        again = closing.erase(cabinet_id=cabinet_id)
        assert closing.firms_due(now=NOW + dt.timedelta(days=60)) == []

    assert (sum(first.values()) > 20, again) == (True, {})
    assert (disk / str(cabinet_id)).exists() is False
    # A provider's own codes name nobody (« neutral » in the register); the walk wrote its canary there too.
    assert singing(cabinet_id) == ["payments.ProviderNotice"]
    assert readable(cabinet_id) == []
    with working_for(cabinet_id=cabinet_id):
        left = DataKey.objects.get()
        assert (left.purpose, left.pk in keys) == (KeyPurpose.FIRM, False)
        assert Client.objects.get().display_name == "Client sans nom"
        assert evidence.verify().holds
        assert set(PaymentLink.objects.values_list("revoked_at", flat=True)) != {None}
        assert Membership.objects.filter(is_active=True).count() == 0
        firm = Cabinet.objects.get()
        assert (firm.name, firm.iban, firm.activated_on) == ("Cabinet Lambert", "", None)
        row = Closing.objects.get()
        assert (row.erased_at is not None, row.counts["cabinets.Client"]) == (True, 1)
        assert events()[-1] == "closing.erased"
    gone = User.objects.get(pk=alone.pk)
    assert (gone.email, gone.is_active, gone.get_full_name()) == (f"{alone.pk.hex}@clos.invalid", False, "")
    # Who belongs to another firm stays themselves, and that firm loses nothing.
    assert User.objects.get(pk=shared.pk).email == shared.email
    with working_for(cabinet_id=other.pk):
        assert (Client.objects.get().company, Membership.objects.get(user=shared).is_active) == (
            "Client du voisin",
            True,
        )
    assert Closing.all_cabinets.using("operator").get().erased_at is not None


def singing(cabinet_id: UUID) -> list[str]:
    """Every walled table in which something of the firm is still readable: in clear, or under a key that is left."""
    found = []
    with working_for(cabinet_id=cabinet_id), transaction.atomic(), connections["default"].cursor() as cursor:
        for model in walled_models():
            cursor.execute(
                f'SELECT count(*) FROM "{model._meta.db_table}" t WHERE upper(t::text) LIKE %s', ["%CANARI%"]
            )
            if cursor.fetchone()[0]:
                found.append(model._meta.label)
    return found


@pytest.mark.committed
def test_erases_a_firm_of_the_demonstration_and_no_task_of_the_clock_stumbles_over_it(
    demo: Path, settings: Any
) -> None:
    """Six weeks of real rows: every constraint holds while they are emptied, and the nights after find nothing."""
    settings.MEDIA_ROOT, settings.VAR, settings.DEMO_CATCHER = demo / "documents", demo, ""
    firms = dict(Cabinet.objects.using("operator").order_by("slug").values_list("slug", "pk"))
    cabinet_id, others = firms.pop("aubry-lemaire"), firms
    with working_for(cabinet_id=cabinet_id):
        words = {one.email for one in Client.objects.all()} | {one.number for one in Invoice.objects.all()}
        sent = Reminder.objects.exclude(spoken_at=None).count()
        owner = Membership.objects.filter(role=Role.OWNER).select_related("user")[0]
        words |= {owner.user.email, owner.user.last_name}
        closing.ask(by=owner, name=Cabinet.objects.get().name)
    night = dt.datetime.combine(DUE, dt.time(4, 30), tzinfo=dt.UTC) + dt.timedelta(days=1)

    with at_once(), time_machine.travel(night, tick=False) as clock:
        assert tasks.close_firms() == 1
        clock.shift(dt.timedelta(days=1))
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            app.tasks[entry["task"]]()

    assert readable(cabinet_id) == []
    # The name of the firm, which proves the erasure, is its partner's.
    assert spoken(cabinet_id, words - {""}) == ["cabinets.Cabinet"]
    with working_for(cabinet_id=cabinet_id):
        verdict = evidence.verify()
        assert (verdict.holds, verdict.erased > 20) == (True, True)
        assert Reminder.objects.exclude(spoken_at=None).count() == sent
        assert Invoice.objects.count() == 100
    for other in others.values():
        with working_for(cabinet_id=other):
            assert Client.objects.exclude(has_email=False).order_by("pk")[0].email != ""
            assert evidence.verify().holds


@contextmanager
def at_once() -> Iterator[None]:
    """Do in this process, and let fail here, what is handed to a worker."""
    before = app.conf.task_always_eager
    app.loader.import_default_modules()
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    try:
        yield
    finally:
        app.conf.update(task_always_eager=before, task_eager_propagates=False)


def spoken(cabinet_id: UUID, words: set[str]) -> list[str]:
    """Every walled table, and the people, in which one of these words is still in clear."""
    found = []
    with working_for(cabinet_id=cabinet_id), connections["default"].cursor() as cursor:
        every: list[type[models.Model]] = [*walled_models(), User]
        for model in every:
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
            if any(word in text for (text,) in cursor.fetchall() for word in words):
                found.append(model._meta.label)
    return found


def readable(cabinet_id: UUID) -> list[str]:
    """Every sealed column that still says something, under a key that is left."""
    found = []
    with working_for(cabinet_id=cabinet_id):
        for model in walled_models():
            for row in model._base_manager.filter(cabinet_id=cabinet_id) if issubclass(model, SealedModel) else ():
                found += [f"{model._meta.label}.{name}" for name in row.sealed_names if opens(row, name)]
    return found


def opens(row: SealedModel, name: str) -> bool:
    try:
        return bool(getattr(row, name))
    except SealBrokenError:
        return False


@pytest.mark.committed
def test_sends_nothing_that_waited_once_the_closing_is_asked(committed: None) -> None:
    firm = make_cabinet(name="Cabinet Lambert")
    with SmtpSink() as sink:
        with working_for(cabinet_id=firm.pk):
            owner = make_member(role=Role.OWNER)
            MailServer(host="127.0.0.1", port=sink.port, security="none", sender=firm.email).save(force_insert=True)
            reminder = make_reminder(make_case(invoice=make_invoice(due_on=TODAY - dt.timedelta(days=3))))
            closing.ask(by=owner, name="Cabinet Lambert")

        said = dispatch.send_batch(cabinet_id=firm.pk, reminder_ids=[reminder.pk])

        assert (said["accepted"], sum(sink.message_ids.values())) == (0, 0)
    with working_for(cabinet_id=firm.pk):
        assert Reminder.objects.get().cancel_code == Code.NOT_LIVE


def test_what_something_else_silenced_is_not_given_back(cabinet: Cabinet, partner: Membership) -> None:
    subscriptions.begin_trial(on=TODAY)
    row = closing.ask(by=partner, name=cabinet.name)

    # On trial, its subscription has nothing against the firm; its leaving has.
    subscriptions.settle(cabinet=Cabinet.objects.get())
    assert Cabinet.objects.get().subscription_suspended_at == row.asked_at

    Subscription.objects.update(unpaid_since=TODAY)
    closing.take_back(by=partner)

    # It stays, and what is unpaid silences it as it would have.
    assert Cabinet.objects.get().subscription_suspended_at is not None
    assert Subscription.objects.get().silenced_at is not None
