"""Who is not in charge of a file reads nothing of it anywhere; who is reads it, and loses it at the next page.

Two files of two clients, and two files of one client, each with words found nowhere else. A person in charge of the
first alone opens every address of the product, and what each answer holds is searched: the page, the headers, the file,
whatever it is. What they should read is searched for as well: a net that catches nothing proves nothing.
"""

import datetime as dt
import hashlib
import html
import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from pypdf import PdfReader

from cabinets.enums import ContactRole, NotificationKind, Right, Role, TaskKind
from cabinets.models import Cabinet, Dossier, Membership, Note, Notification, Task
from cabinets.scoping import acting_for, tenant_atomic, working_for
from config.context import counts_of
from dunning.enums import InboundKind, InboundState, ReminderState
from dunning.models import InboundMessage, StaffMail
from dunning.services import morning
from invoices.models import Invoice
from invoices.services.documents import Upload, attach_to_dossier, attach_to_invoice
from payments.enums import RequestKind
from payments.models import DebtorRequest
from payments.services.links import link_for
from reporting import monthly
from tests.architecture.test_urls import PATTERNS
from tests.architecture.test_walk import WORDS, arguments_of
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_cabinet, make_client, make_contact, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.files import make_pdf
from tests.factories.invoices import TODAY, make_invoice
from tests.factories.payments import make_payment

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("committed")]
Browse = Callable[[Membership | None], FirmBrowser]
MINE, THEIRS, BESIDE = "MIENNE", "AUTRUI", "VOISINE"
NARROW = [Role.LAWYER, Role.ASSISTANT]
# A word that may stand alone is one that no page writes by itself.
KINDS = ("societe", "titre", "ref", "facture", "note", "contact", "fichier", "reponse", "demande")
# What only the person it is for reads, or what a person answers for in the whole firm.
APART = ("deconnexion/", "p/<", "s/<", "veto/", "retours/", "invitation/", "exploitation/", "profil/securite/sessions/")


def words_of(name: str) -> dict[str, str]:
    return {kind: f"{name}{kind.upper()}" for kind in KINDS}


def plant(name: str, *, client: Any = None) -> dict[str, uuid.UUID]:
    """Make one of everything a file holds, each with its own word; return the ids an address takes."""
    word = words_of(name)
    is_new = client is None
    client = client or make_client(company=word["societe"], note=word["note"])
    if is_new:
        contact = make_contact(client=client, role=ContactRole.BILLING, last_name=word["contact"])
    else:
        contact = client.contacts.get()
    dossier = make_dossier(client=client, title=word["titre"], reference=word["ref"])
    invoice = make_invoice(dossier=dossier, number=word["facture"], due_on=TODAY - dt.timedelta(days=40))
    attach_to_invoice(invoice_id=invoice.pk, upload=Upload(f"{word['fichier']}.pdf", make_pdf(name.encode())))
    document = attach_to_dossier(
        dossier_id=dossier.pk, upload=Upload(f"{word['fichier']}.pdf", make_pdf(b"convention" + name.encode()))
    )
    settled = make_invoice(dossier=dossier, number=f"{word['facture']}2", total_cents=60_000)
    payment = make_payment(invoice=settled, on=TODAY - dt.timedelta(days=3))
    # One message at a time waits for a client: the second file's has left.
    state = ReminderState.AWAITING_APPROVAL if is_new else ReminderState.ACCEPTED
    reminder = make_reminder(make_case(invoice=invoice, rank=2), state=state)
    made = {
        "client_id": client.pk, "contact_id": contact.pk, "dossier_id": dossier.pk, "invoice_id": invoice.pk,
        "document_id": document.pk, "payment_id": payment.pk, "reminder_id": reminder.pk,
    }  # fmt: skip
    return {**made, **plant_said(client, invoice, word, is_new=is_new)}


def plant_said(client: Any, invoice: Invoice, word: dict[str, str], *, is_new: bool) -> dict[str, uuid.UUID]:
    """Add what was said of the file: a note, a task, a reply, a request; of a client's second file, what names it."""
    said = DebtorRequest(
        link=link_for(client=client), client=client, invoice=invoice, kind=RequestKind.PROBLEM, message=word["demande"]
    )
    task = Task(kind=TaskKind.CALL, client=client, subject_id=invoice.pk, due_on=TODAY)
    if not is_new:
        return {}
    said.save(force_insert=True)
    task.save(force_insert=True)
    author = Membership.objects.order_by("joined_at", "pk")[0]
    note = Note(client=client, author=author, text=word["note"])
    note.save(force_insert=True)
    received = InboundMessage(
        kind=InboundKind.REPLY, state=InboundState.TO_CLASSIFY, client=client, subject=word["reponse"],
        digest=hashlib.sha256(word["reponse"].encode()).digest(), received_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    )  # fmt: skip
    received.save(force_insert=True)
    return {"note_id": note.pk, "task_id": task.pk, "message_id": received.pk, "demandes/": said.pk}


@pytest.fixture
def firm(tmp_path: Path, settings: Any) -> Cabinet:
    settings.MEDIA_ROOT = tmp_path
    return make_cabinet()


@pytest.fixture
def owner(firm: Cabinet) -> Membership:
    with working_for(cabinet_id=firm.pk):
        return make_member(role=Role.OWNER, gets_monthly_figures=True)


@pytest.fixture
def files(firm: Cabinet, owner: Membership) -> dict[str, dict[str, uuid.UUID]]:
    """Return three files: one to be in charge of, another client's, and the same client's second one."""
    with working_for(cabinet_id=firm.pk):
        mine = plant(MINE)
        theirs = plant(THEIRS)
        beside = plant(BESIDE, client=Invoice.objects.get(pk=mine["invoice_id"]).client)
    return {MINE: mine, THEIRS: theirs, BESIDE: beside}


@pytest.fixture(params=NARROW, ids=str)
def person(request: pytest.FixtureRequest, firm: Cabinet, files: dict[str, dict[str, uuid.UUID]]) -> Membership:
    """Return somebody in charge of one file, in each role that sees no other."""
    with working_for(cabinet_id=firm.pk):
        member = make_member(role=request.param, gets_monthly_figures=True)
        dossier = Dossier.objects.get(pk=files[MINE]["dossier_id"])
        assign(dossier=dossier, member=member)
        for name in (MINE, THEIRS):
            Notification(
                member=member, kind=NotificationKind.REQUEST, client_id=files[name]["client_id"],
                subject_id=files[name]["demandes/"], task_kind=TaskKind.DISPUTE,
            ).save(force_insert=True)  # fmt: skip
    return member


def everything_in(answer: Any) -> str:
    """Return all an answer says: its headers, its page, the cells of its sheet, the words of its document."""
    body = b"".join(answer) if answer.streaming else answer.content
    return f"{dict(answer.headers)} {unpacked(body)}"


def unpacked(body: bytes) -> str:
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return " ".join(f"{name} {unpacked(archive.read(name))}" for name in archive.namelist())
    if body.startswith(b"%PDF"):
        try:
            return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
        except Exception:  # noqa: BLE001 - what is not a real document is read as it is
            return body.decode(errors="replace")
    return html.unescape(body.decode(errors="replace"))


def addresses(rows: dict[str, uuid.UUID]) -> Iterator[str]:
    """Give every address these rows open, and every one that takes no row."""
    for address, entry in PATTERNS:
        start, wanted = address.split("<")[0], arguments_of(entry)
        known = {**rows, **WORDS}
        values = {name: known[name] if name in known else known.get(start) for name in wanted}
        if not address.startswith(APART) and all(value is not None for value in values.values()):
            yield reverse(str(entry.name), kwargs=values)


def read_all(browser: FirmBrowser, rows: dict[str, uuid.UUID]) -> dict[str, str]:
    return {url: everything_in(browser.get(url)) for url in addresses(rows)}


def leaks(answers: dict[str, str], *names: str) -> dict[str, list[str]]:
    told = {
        url: [word for name in names for word in words_of(name).values() if word in text]
        for url, text in answers.items()
    }
    return {url: found for url, found in told.items() if found}


def test_reads_all_of_their_file_and_nothing_of_another_at_any_address(
    browse: Browse, files: dict[str, dict[str, uuid.UUID]], person: Membership
) -> None:
    answers = read_all(browse(person), files[MINE])

    assert leaks(answers, THEIRS, BESIDE) == {}
    everything = " ".join(answers.values())
    assert [word for word in words_of(MINE).values() if word not in everything] == []
    assert len(answers) > 120


def test_the_net_catches_what_a_partner_reads(
    browse: Browse, files: dict[str, dict[str, uuid.UUID]], owner: Membership
) -> None:
    answers = read_all(browse(owner), files[THEIRS])

    everything = " ".join(answers.values())
    assert [word for word in words_of(THEIRS).values() if word not in everything] == []
    caught = leaks(answers, THEIRS)
    for part in (
        "/factures/",
        "/clients/",
        "/a-valider/",
        "/demandes/",
        "/reponses/",
        "/paiements/",
        "/factures/export.csv",
    ):
        assert part in caught, part
    assert [url for url in caught if url.endswith((".pdf", ".csv"))] != []


def test_their_files_addresses_are_those_of_nobody_to_who_is_not_in_charge(
    browse: Browse, files: dict[str, dict[str, uuid.UUID]], person: Membership
) -> None:
    browser = browse(person)
    with_rows = set(addresses(files[THEIRS])) - set(addresses({}))

    answers = {url: browser.get(url) for url in with_rows}

    assert {
        url: answer.status_code for url, answer in answers.items() if answer.status_code not in {403, 404, 405}
    } == {}
    assert leaks({url: everything_in(answer) for url, answer in answers.items()}, THEIRS) == {}
    assert len(answers) > 40


def test_lists_searches_counts_and_exports_hold_exactly_what_is_assigned(
    browse: Browse, firm: Cabinet, files: dict[str, dict[str, uuid.UUID]], owner: Membership, person: Membership
) -> None:
    every = {word for name in (MINE, THEIRS, BESIDE) for word in (f"{name}FACTURE", f"{name}SOCIETE")}
    every -= {f"{BESIDE}SOCIETE"}

    def told(member: Membership, url: str, **query: str) -> set[str]:
        text = everything_in(browse(member).get(url, query))
        return {word for word in every if word in text}

    mine = {f"{MINE}FACTURE", f"{MINE}SOCIETE"}
    assert (told(person, "/factures/", etat="toutes"), told(owner, "/factures/", etat="toutes")) == (mine, every)
    sheet = mine if person.can(Right.EXPORT) else set()
    exported = (told(person, "/factures/export.csv", etat="toutes"), told(owner, "/factures/export.csv", etat="toutes"))
    assert exported == (sheet, every)
    assert told(person, "/a-valider/") == mine
    assert told(owner, "/a-valider/") >= {f"{MINE}SOCIETE", f"{THEIRS}SOCIETE"}
    assert told(person, "/clients/") == {f"{MINE}SOCIETE"}
    for name in (THEIRS, BESIDE):
        assert told(person, "/recherche/", q=f"{name}FACTURE") - {f"{name}FACTURE"} == set()
        assert "/factures/" + str(files[name]["invoice_id"]) not in everything_in(
            browse(person).get("/recherche/", {"q": f"{name}FACTURE"})
        )
        assert "/factures/" + str(files[name]["invoice_id"]) in everything_in(
            browse(owner).get("/recherche/", {"q": f"{name}FACTURE"})
        )


def counted(firm: Cabinet, member: Membership) -> dict[str, int]:
    with acting_for(cabinet_id=firm.pk, member_id=member.pk), tenant_atomic():
        found = counts_of(cabinet_id=firm.pk, member_id=member.pk)
    return {name: found[name] for name in ("approvals", "requests", "tasks", "replies", "notifications")}


def test_the_counts_of_the_menu_are_those_of_the_assigned_files(
    firm: Cabinet, files: dict[str, dict[str, uuid.UUID]], owner: Membership, person: Membership
) -> None:
    assert len(files) == 3
    mine, whole = counted(firm, person), counted(firm, owner)

    assert mine == {"approvals": 1, "requests": 1, "tasks": 1, "replies": 1, "notifications": 1}
    assert {name: whole[name] for name in ("approvals", "requests", "tasks", "replies")} == {
        "approvals": 2, "requests": 2, "tasks": 2, "replies": 2,
    }  # fmt: skip


def test_a_file_taken_away_is_gone_at_the_next_page(
    browse: Browse, firm: Cabinet, files: dict[str, dict[str, uuid.UUID]], owner: Membership, person: Membership
) -> None:
    browser, invoice = browse(person), f"/factures/{files[MINE]['invoice_id']}/"
    assert browser.get(invoice).status_code == 200

    browse(owner).post(f"/dossiers/{files[MINE]['dossier_id']}/affectations/{person.pk}/retirer/")

    assert browser.get(invoice).status_code == 404
    assert leaks(read_all(browser, files[MINE]), MINE) == {}
    assert counted(firm, person) == dict.fromkeys(("approvals", "requests", "tasks", "replies", "notifications"), 0)


def test_mails_to_people_name_the_files_they_see_and_no_other(
    firm: Cabinet, files: dict[str, dict[str, uuid.UUID]], owner: Membership, person: Membership
) -> None:
    morning.write(cabinet_id=firm.pk)
    monthly.write(cabinet_id=firm.pk)

    with working_for(cabinet_id=firm.pk):
        rows = list(StaffMail.objects.order_by("asked_at", "pk"))
        mails = {who.pk: " ".join(f"{one.subject} {one.text} {one.html}" for one in rows if one.member_id == who.pk)
                 for who in (owner, person)}  # fmt: skip
    links = {name: f"/a-valider/{files[name]['reminder_id']}/" for name in (MINE, THEIRS, BESIDE)}
    seen = {MINE: True, THEIRS: False, BESIDE: False}
    assert {name: link in mails[person.pk] for name, link in links.items()} == seen
    assert {name: link in mails[owner.pk] for name, link in links.items()} == {**seen, THEIRS: True}
    told = {who.pk: " ".join(leaks({"mail": mails[who.pk]}, THEIRS, BESIDE).get("mail", [])) for who in (owner, person)}
    assert (told[person.pk], f"{THEIRS}FACTURE" in told[owner.pk]) == ("", True)
    assert f"{MINE}FACTURE" in mails[person.pk]
    # No client is named by these mails, whoever reads them.
    assert [name for name in (MINE, THEIRS) for text in mails.values() if f"{name}SOCIETE" in text] == []
