"""Every address, walked by people who have no business there: a stranger's object is a 404, and nothing changes.

The list comes from the resolver itself: a new address whose arguments nobody described here fails the first test.
"""

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.urls import URLPattern, reverse

from cabinets.enums import NotificationKind, Role, TaskKind
from cabinets.models import (
    BankChange,
    Cabinet,
    Client,
    Hearing,
    Invitation,
    Membership,
    Note,
    Notification,
    PasskeyDevice,
    SavedView,
    SupportRequest,
    Task,
    TransferRecord,
)
from cabinets.scoping import working_for
from cabinets.wall import walled_models
from dunning.enums import InboundKind, InboundState, Medium
from dunning.models import (
    ChannelAccount,
    DocumentJob,
    InboundMessage,
    Letter,
    LetterConsent,
    LetterProof,
    NightlyRun,
    Scenario,
)
from gdpr.models import Agreement, Breach, ComplianceStatement, FirmCopy, IncidentNotice, ProcessorNotice, RightsRequest
from invoices.enums import DocumentKind
from invoices.models import CreditNote, Document, ImportBatch, Invoice
from payments.enums import RequestKind
from payments.models import (
    BankAccount,
    BankFile,
    BankGuess,
    BankLine,
    BankStatement,
    DebtorRequest,
    Payment,
    PaymentPlan,
    Proof,
    ProviderAccount,
    ProviderNotice,
    Refund,
)
from payments.services.links import link_for
from tests.architecture.test_urls import PATTERNS
from tests.conftest import FirmBrowser
from tests.factories.cabinets import (
    make_cabinet,
    make_client,
    make_contact,
    make_dossier,
    make_member,
    outside_any_firm,
)
from tests.factories.dunning import make_case, make_print_run, make_reminder
from tests.factories.invoices import make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
CANARY = "CANARI"
TODAY = dt.date(2026, 11, 24)
# What a debtor's or a guest's token opens is walked by their own tests; the rest of these name nobody's row.
TOKENS = {"token", "place", "reference", "key", "filename", "kind", "step", "mark"}
# Words of an address that choose among what a page does.
WORDS = {
    "fact": "protection",
    "claim": "penalites",
    "kind": "training",
    "step": "scenario",
    "mark": "done",
    "provider": "ovh",
}
# Kept by the product itself, whatever the answer: a line for the refusal, a session for the visit.
UNCOUNTED = {"cabinets_journalentry"}


def arguments_of(entry: URLPattern) -> dict[str, str]:
    return {name: type(converter).__name__ for name, converter in entry.pattern.converters.items()}


# Under a link's token, an id is one the link shows or nobody's: its own tests walk them too.
WITH_ROWS = [
    (address, entry)
    for address, entry in PATTERNS
    if set(arguments_of(entry)) - TOKENS and not address.startswith("p/<")
]


def populate_bank(client: Client, invoice: Invoice) -> dict[str, uuid.UUID]:
    """Make a line of the bank that may pay an invoice."""
    bank_account = BankAccount(number=CANARY, number_index=b"x")
    bank_account.save(force_insert=True)
    file = BankFile(format="csv", file_name=CANARY, stored_as="nowhere", digest=b"x")
    file.save(force_insert=True)
    bank_statement = BankStatement(
        file=file, account=bank_account, starts_on=dt.date(2026, 11, 2), ends_on=dt.date(2026, 11, 2)
    )
    bank_statement.save(force_insert=True)
    line = BankLine(
        account=bank_account, statement=bank_statement, line_index=b"x", booked_on=dt.date(2026, 11, 2),
        value_on=dt.date(2026, 11, 2), cents=1, label=CANARY,
    )  # fmt: skip
    line.save(force_insert=True)
    guess = BankGuess(
        line=line, outcome="record", rank=0, key="x",
        shares=[{"client": str(client.pk), "invoices": [str(invoice.pk)], "cents": 1}],
    )  # fmt: skip
    guess.save(force_insert=True)
    return {"line_id": line.pk, "file_id": file.pk, "bank_account_id": bank_account.pk}


def make_right(client: Client) -> uuid.UUID:
    right = RightsRequest(claim="access", origin="email", client=client, words=CANARY, received_on=TODAY, due_on=TODAY)
    right.save(force_insert=True)
    return right.pk


def make_compliance(member: Membership) -> dict[str, uuid.UUID]:
    breach = Breach(known_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC), what=CANARY, recorded_by=member)
    breach.save(force_insert=True)
    signed = Agreement(
        version="1", signed_by=member, signed_at=breach.known_at, stored_as="accords/x", size=1, digest=b"x" * 32
    )
    signed.save(force_insert=True)
    state = ComplianceStatement(
        signed_by=member, signed_at=breach.known_at, met=1, of=7, stored_as="conformite/x", size=1, digest=b"x" * 32
    )
    state.save(force_insert=True)
    copy = FirmCopy(asked_by=member, asked_at=breach.known_at, state="ready", stored_as="reversibilite/x")
    copy.save(force_insert=True)
    account = BankChange(
        iban=f"FR76{CANARY}", iban_before="FR76", proposed_by=member, proposed_at=breach.known_at, account_holder=CANARY
    )
    account.save(force_insert=True)
    asked = SupportRequest(
        operator_id=uuid.uuid4(), operator_name=CANARY, reason=CANARY, looks_at=CANARY, asked_at=breach.known_at
    )
    asked.save(force_insert=True)
    # A company of the operator's is nobody of the firm's: its name stays as proof once the firm is erased.
    told = ProcessorNotice(
        version_ref=uuid.uuid4(), name="Relais", country="FR", role="Relais des e-mails", data="Messages",
        applies_on=TODAY, told_at=breach.known_at, told_to=CANARY, objection=CANARY,
    )  # fmt: skip
    told.save(force_insert=True)
    IncidentNotice(
        breach=breach, incident_ref=uuid.uuid4(), statement_ref=uuid.uuid4(), number=1, known_at=breach.known_at,
        what=CANARY, whose=CANARY, contact=CANARY, told_at=breach.known_at, told_to=CANARY,
    ).save(force_insert=True)  # fmt: skip
    return {
        "rgpd/sous-traitants/": told.pk,
        "request_id": asked.pk,
        "rgpd/violations/": breach.pk,
        "rgpd/accord/": signed.pk,
        "rgpd/etat/": state.pk,
        "rgpd/export/": copy.pk,
        "parametres/cabinet/iban/": account.pk,
    }


def make_passkey(member: Membership) -> uuid.UUID:
    """Make a passkey of a colleague."""
    key_id = uuid.uuid4()
    key = PasskeyDevice(
        id=key_id, user=member.user, name=CANARY, credential_id=b"x", credential_hash=key_id.hex, public_key=b"x"
    )
    key.save(force_insert=True)
    return key_id


def populate_notes(client: Client, member: Membership) -> dict[str, uuid.UUID]:
    """Make a note about a client, and what its author was told."""
    note = Note(client=client, author=member, text=CANARY)
    note.save(force_insert=True)
    told = Notification(member=member, kind=NotificationKind.MENTION, client=client, subject_id=note.pk)
    told.save(force_insert=True)
    view = SavedView(member=member, name=CANARY, query="etat=echue")
    view.save(force_insert=True)
    return {"note_id": note.pk, "notification_id": told.pk, "view_id": view.pk}


def populate() -> dict[str, uuid.UUID]:
    """Make one of everything in the firm acted for; return the id each argument stands for, by place where needed."""
    client = make_client(company=f"{CANARY} SARL", email="canari@canari.example")
    contact = make_contact(client=client, last_name=CANARY)
    dossier = make_dossier(client=client, reference=f"{CANARY}-D", title=f"{CANARY} titre")
    hearing = Hearing(dossier=dossier, held_on=dt.date(2027, 1, 12))
    hearing.save(force_insert=True)
    invoice = make_invoice(dossier=dossier, number=f"{CANARY}-0001")
    reminder = make_reminder(make_case(invoice=invoice))
    member = make_member(role=Role.LAWYER)
    credit = CreditNote(
        client=client,
        invoice=invoice,
        number=f"{CANARY}-A",
        number_key=f"{CANARY}-A",
        issued_on=invoice.issued_on,
        cents=1,
    )
    credit.save(force_insert=True)
    document = Document(
        client=client,
        dossier=dossier,
        invoice=invoice,
        kind=DocumentKind.INVOICE,
        file_name=CANARY,
        media_type="application/pdf",
        size=1,
        digest=hashlib.sha256(b"x").digest(),
        stored_as="nowhere",
    )
    document.save(force_insert=True)
    payment = Payment(client=client, received_on=dt.date(2026, 11, 2), cents=1)
    payment.save(force_insert=True)
    refund = Refund(client=client, paid_on=dt.date(2026, 11, 2), cents=1)
    refund.save(force_insert=True)
    joined = Proof(
        client=client,
        file_name=CANARY,
        media_type="application/pdf",
        size=1,
        digest=hashlib.sha256(b"x").digest(),
        stored_as="nowhere",
    )
    joined.save(force_insert=True)
    link = link_for(client=client)
    said = DebtorRequest(link=link, client=client, invoice=invoice, kind=RequestKind.PROBLEM, proof=joined)
    said.save(force_insert=True)
    invited = Invitation(
        email="canari@canari.example",
        role=Role.LAWYER,
        token_hash=CANARY.encode(),
        expires_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    )
    invited.save(force_insert=True)
    batch = ImportBatch(digest=b"x", uploaded_by=member, file_name=CANARY)
    batch.save(force_insert=True)
    night = NightlyRun.objects.get()
    task = Task(kind=TaskKind.REJECTED_ADDRESS, client=client, subject_id=reminder.pk, due_on=dt.date(2026, 11, 24))
    task.save(force_insert=True)
    letter = Letter(reminder=reminder, client=client, route="post_desk", recipient=CANARY, stored_as="nowhere")
    letter.save(force_insert=True)
    proof = LetterProof(
        letter=letter,
        reminder=reminder,
        client=client,
        kind="deposit",
        file_name=CANARY,
        media_type="application/pdf",
        size=1,
        digest=hashlib.sha256(b"x").digest(),
        stored_as="nowhere",
    )
    proof.save(force_insert=True)
    consent = LetterConsent(client=client, email="canari@canari.example", given_on=dt.date(2026, 11, 2), scope="Toutes")
    consent.save(force_insert=True)
    transfer = TransferRecord(
        provider="twilio", country="US", basis="dpf", reference="x", data_sent="x", assessed_on=dt.date(2026, 11, 2)
    )
    transfer.save(force_insert=True)
    job = DocumentJob(kind="batonnier", client=client, invoice=invoice, file_name=CANARY)
    job.save(force_insert=True)
    run = make_print_run(reminder)
    account = ChannelAccount(medium=Medium.SMS, provider="ovh", sender=CANARY)
    account.save(force_insert=True)
    paid_at = ProviderAccount(provider="stripe", hook_hash=CANARY.encode(), label=CANARY)
    paid_at.save(force_insert=True)
    notice = ProviderNotice(account=paid_at, event_id=CANARY, kind=CANARY)
    notice.save(force_insert=True)
    received = InboundMessage(
        kind=InboundKind.REPLY,
        state=InboundState.TO_CLASSIFY,
        client=client,
        digest=hashlib.sha256(b"x").digest(),
        subject=CANARY,
        received_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    )
    received.save(force_insert=True)
    plan = PaymentPlan(
        client=client,
        origin="debtor",
        kind=client.kind,
        language=client.language,
        total_cents=invoice.total_cents,
        dossier_ids=[dossier.pk],
        proposed_on=dt.date(2026, 11, 24),
        message=CANARY,
    )
    plan.save(force_insert=True)
    return {
        **populate_bank(client, invoice),
        **make_compliance(member),
        "rgpd/demandes/": make_right(client), "rgpd/demandes/prendre/": said.pk,
        "message_id": received.pk, "notice_id": notice.pk, "plan_id": plan.pk,
        "account_id": account.pk, "consent_id": consent.pk, "transfer_id": transfer.pk,
        "client_id": client.pk, "contact_id": contact.pk, "dossier_id": dossier.pk, "hearing_id": hearing.pk,
        "invoice_id": invoice.pk, "reminder_id": reminder.pk, "member_id": member.pk, "credit_note_id": credit.pk,
        "document_id": document.pk, "payment_id": payment.pk, "refund_id": refund.pk, "night_id": night.pk,
        "batch_id": batch.pk,
        "parametres/equipe/": member.pk, "parametres/equipe/invitations/": invited.pk, "demandes/": said.pk,
        **populate_notes(client, member),
        "passkey_id": make_passkey(member), "asked_id": said.pk,
        "run_id": run.pk, "task_id": task.pk, "proof_id": proof.pk, "job_id": job.pk, "standstill_id": uuid.uuid4(),
        "scenario_id": Scenario.objects.get(is_default=True).pk,
    }  # fmt: skip


def address_of(address: str, entry: URLPattern, rows: dict[str, uuid.UUID]) -> str:
    """Write an address with the ids of these rows."""
    start = re.split("<", address)[0]
    known = {**rows, **WORDS}
    values = {name: known[name] if name in known else known[start] for name in arguments_of(entry)}
    return reverse(str(entry.name), kwargs=values)


@pytest.fixture
def stranger(db: None) -> Membership:
    """Return the partner of another firm."""
    other = make_cabinet(name="Cabinet étranger")
    with outside_any_firm(), working_for(cabinet_id=other.pk):
        return make_member(role=Role.OWNER)


def fingerprint() -> dict[str, str]:
    """Return what every table of the firm acted for holds."""
    found = {}
    with connection.cursor() as cursor:
        for model in walled_models():
            table = model._meta.db_table
            if table not in UNCOUNTED:
                cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t")
                found[table] = str(cursor.fetchone()[0])
    return found


def walk(browser: FirmBrowser, rows: dict[str, uuid.UUID]) -> Iterator[tuple[str, str, int, bool]]:
    """Ask every address for these rows, by GET and by POST; give the status and whether a canary sang."""
    for address, entry in WITH_ROWS:
        url = address_of(address, entry, rows)
        for method in ("get", "post"):
            answer = getattr(browser, method)(url)
            body = b"".join(answer) if answer.streaming else answer.content
            yield method, address, answer.status_code, CANARY.encode() in body


def test_knows_what_every_argument_stands_for(cabinet: Cabinet) -> None:
    rows = populate()

    unknown = [
        address
        for address, entry in WITH_ROWS
        if any(name not in {*rows, *WORDS} and re.split("<", address)[0] not in rows for name in arguments_of(entry))
    ]

    assert unknown == []


def test_gives_another_firm_nothing_and_lets_it_change_nothing(
    cabinet: Cabinet, stranger: Membership, browse: Browse
) -> None:
    rows = populate()
    before = fingerprint()

    answers = list(walk(browse(stranger), rows))

    assert [answer for answer in answers if answer[2] not in {404, 405} or answer[3]] == []
    assert fingerprint() == before
    assert len(answers) == 2 * len(WITH_ROWS)


def test_gives_a_colleague_nothing_of_a_file_that_is_not_theirs(cabinet: Cabinet, browse: Browse) -> None:
    rows = populate()
    assistant = make_member(role=Role.ASSISTANT)
    before = fingerprint()

    answers = list(walk(browse(assistant), rows))

    assert [answer for answer in answers if answer[2] not in {403, 404, 405} or answer[3]] == []
    assert fingerprint() == before


def test_sends_a_visitor_to_the_door(cabinet: Cabinet, browse: Browse) -> None:
    rows = populate()
    before = fingerprint()

    answers = list(walk(browse(None), rows))

    assert [answer for answer in answers if answer[2] not in {302, 405} or answer[3]] == []
    assert fingerprint() == before


@pytest.mark.django_db(databases=["default", "owner", "scheduler"])
def test_shows_a_colleague_no_name_on_any_list(cabinet: Cabinet, browse: Browse) -> None:
    populate()
    browser = browse(make_member(role=Role.ASSISTANT))
    lists = [
        address
        for address, entry in PATTERNS
        if not arguments_of(entry) and getattr(entry.callback, "required_right", None)
    ]

    answers = {address: browser.get(f"/{address}", {"q": CANARY}) for address in lists}

    pages = {
        address: answer.content.decode(errors="replace") for address, answer in answers.items() if not answer.streaming
    }
    # What the person typed themselves comes back in a field, or in the address of the list they came from.
    echo, link = f'value="{CANARY}"', f"?q={CANARY}"
    shown = {address: page.replace(link, "") for address, page in pages.items()}
    assert [address for address, page in shown.items() if CANARY in page and echo not in page] == []
