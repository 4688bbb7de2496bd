"""The post desk: every rule asked again before a letter is printed, its deposit and its proofs kept as they were."""

import datetime as dt
import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from cabinets.enums import Role, TaskState
from cabinets.models import Cabinet, Client, Membership, Task
from dunning.channels.post_desk.tracking import french_key
from dunning.enums import LetterState, ProofKind, ReminderState
from dunning.errors import DunningError, TooLateError
from dunning.models import DunningCase, EvidenceEntry, Letter, LetterProof, Reminder
from dunning.services import evidence, post_desk
from dunning.services.letter_composing import write_letter
from dunning.services.letters import take_in_hand
from dunning.services.post_desk import Slip
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.sealed_files import open_sealed_stream
from invoices.services import standstill
from invoices.services.documents import Upload
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_dossier, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.files import make_pdf
from tests.factories.invoices import TODAY, make_check, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
NUMBER = f"1A1234567890{french_key('1234567890')}"
SLIP = Upload(name="recepisse.pdf", data=make_pdf(b"recepisse"))


def looked_for() -> Client:
    """Make a professional nobody found in collective proceedings."""
    client = make_client(company="Martin")
    make_check(client=client)
    return client


@pytest.fixture
def reminder(cabinet: Cabinet) -> Reminder:
    """A formal notice, approved and between the hands of a person."""
    Cabinet.objects.filter(pk=cabinet.pk).update(
        bar="Nantes", city="Nantes", postcode="44000", address="1 rue Crébillon"
    )
    case = make_case(invoice=make_invoice(client=looked_for(), due_on=TODAY - dt.timedelta(days=46)), rank=4)
    author = make_member()
    row = make_reminder(
        case,
        state=ReminderState.APPROVED,
        channel="registered",
        approved_by=author,
        approved_at=cabinet.now(),
        reasons=["formal", "no_answer"],
    )
    assert take_in_hand(reminder_id=row.pk, compose=write_letter) is not None
    return Reminder.objects.get(pk=row.pk)


def text_of_letter(letter: Letter) -> str:
    content = b"".join(open_sealed_stream(letter.stored_as, bound_to=letter.bound_to("pdf")))
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_prints_the_letter_of_the_day_with_what_the_law_wants(reminder: Reminder, owner: Membership) -> None:
    why = post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    letter = Letter.objects.get()
    said = text_of_letter(letter)
    assert (why, letter.state, letter.dated_on, letter.printed_by_id) == ("", LetterState.PRINTED, TODAY, owner.pk)
    for words in (
        "MISE EN DEMEURE",
        "Lettre recommandée avec avis de réception",
        "dans un délai de 8 jours à compter de la première présentation de ce courrier",
        "bâtonnier de l’ordre des avocats au barreau de Nantes",
        "articles 174 et suivants du décret n° 91-1197",
        "le 24 novembre 2026",
        "40,00 €",
    ):
        assert words in said.replace("\u00a0", " "), words
    assert "médiateur" not in said


def test_the_letter_of_a_day_is_made_once_unless_it_is_asked_for_again(
    reminder: Reminder, owner: Membership, browse: Browse
) -> None:
    browser, url = browse(owner), f"/courrier/{reminder.pk}/"

    def made() -> str:
        return Letter.objects.get().stored_as

    browser.post(f"{url}imprimer/")
    first = made()
    assert "Préparer de nouveau la lettre du jour" in browser.get(url).content.decode()

    browser.post(f"{url}imprimer/")
    assert made() == first

    browser.post(f"{url}imprimer/", {"again": "1"})
    assert made() != first


def test_a_consumer_is_asked_nothing_but_the_invoice(cabinet: Cabinet, owner: Membership) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(
        bar="Nantes", mediator_name="Médiateur", mediator_address="180 bd Haussmann", mediator_site="m.example"
    )
    client = make_client(kind="consumer", company="", last_name="Martin")
    case = make_case(
        invoice=make_invoice(dossier=make_dossier(client=client), due_on=TODAY - dt.timedelta(days=46)), rank=4
    )
    row = make_reminder(
        case, state=ReminderState.APPROVED, channel="registered", approved_by=owner, approved_at=cabinet.now(),
        reasons=["formal", "no_answer"],
    )  # fmt: skip
    take_in_hand(reminder_id=row.pk, compose=write_letter)

    said = text_of_letter(Letter.objects.get()).replace("\u00a0", " ")

    assert "dans un délai de 15 jours" in said
    assert "médiateur de la consommation" in said
    assert "Aucun autre frais ne vous est réclamé" in said
    for words in ("40 €", "pénalités", "L. 441-10", "indemnité"):
        assert words not in said, words


def test_a_payment_before_printing_stops_the_letter(reminder: Reminder, owner: Membership) -> None:
    invoice = Invoice.objects.get()
    standstill.declare(kind=StopKind.CLAIMED_PAID, target=invoice)

    with pytest.raises(TooLateError, match="Ne postez pas"):
        post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    assert Letter.objects.get().state == LetterState.READY
    assert EvidenceEntry.objects.count() == 0


def test_a_fact_after_printing_is_said_in_red_and_the_letter_destroyed(
    reminder: Reminder, owner: Membership, browse: Browse
) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)
    standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get())

    page = browse(owner).get("/courrier/").content.decode()
    post_desk.destroy(reminder_id=reminder.pk, by=owner)

    assert "Ne postez pas ces lettres" in page
    assert Letter.objects.get().state == LetterState.VOID
    assert not Task.objects.filter(kind="post_letter", state=TaskState.OPEN).exists()
    assert DunningCase.objects.get().next_rank == 4


def test_a_deposit_does_the_step_and_starts_the_chain(reminder: Reminder, owner: Membership) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    letter = post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)

    reminder.refresh_from_db()
    assert (letter.state, letter.tracking, letter.deposited_on) == (LetterState.DEPOSITED, NUMBER, TODAY)
    assert (reminder.state, reminder.spoken_on, reminder.route) == (ReminderState.ACCEPTED, TODAY, "post_desk")
    assert DunningCase.objects.get().next_rank == 5
    assert list(EvidenceEntry.objects.order_by("seq").values_list("event", flat=True)) == [
        "message.departed",
        "letter.deposited",
    ]
    assert not Task.objects.filter(kind="post_letter", state=TaskState.OPEN).exists()
    assert [one.channel for one in Reminder.objects.filter(accompanies=reminder)] == ["email"]


def test_a_receipt_dates_the_presentation_and_proves_in_the_chain(reminder: Reminder, owner: Membership) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)
    post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)

    post_desk.keep_slip(
        reminder_id=reminder.pk,
        by=owner,
        slip=Slip(kind=ProofKind.RECEIPT, upload=SLIP, presented_on=TODAY, ended_on=TODAY),
    )

    letter, proof = Letter.objects.get(), LetterProof.objects.get()
    assert (letter.state, letter.answer_by) == (LetterState.DELIVERED, TODAY + dt.timedelta(days=8))
    assert b"".join(open_sealed_stream(proof.stored_as, bound_to=proof.bound_to("file"))) == SLIP.data
    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.DELIVERED
    assert evidence.verify().holds
    assert EvidenceEntry.objects.get(event="proof.kept").digests == {"file": bytes(proof.digest).hex()}


@pytest.mark.parametrize(
    ("tracking", "posted_on", "words"),
    [
        (NUMBER, TODAY + dt.timedelta(days=1), "à venir"),
        (NUMBER, TODAY - dt.timedelta(days=1), "date passée"),
    ],
)
def test_a_deposit_that_cannot_be_is_refused(
    reminder: Reminder, owner: Membership, tracking: str, posted_on: dt.date, words: str
) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)

    with pytest.raises(DunningError, match=words):
        post_desk.post(reminder_id=reminder.pk, by=owner, tracking=tracking, posted_on=posted_on)

    assert Letter.objects.get().state == LetterState.PRINTED
    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.IN_HAND


def test_is_posted_once(reminder: Reminder, owner: Membership) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)
    post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)

    with pytest.raises(TooLateError):
        post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)

    assert EvidenceEntry.objects.filter(event="message.departed").count() == 1


def test_a_letter_posted_before_the_fact_was_known_is_told_as_it_was(reminder: Reminder, owner: Membership) -> None:
    post_desk.print_letter(reminder_id=reminder.pk, by=owner)
    standstill.declare(kind=StopKind.DISPUTE, target=Invoice.objects.get())

    post_desk.post(reminder_id=reminder.pk, by=owner, tracking=NUMBER, posted_on=TODAY)

    assert Reminder.objects.get(pk=reminder.pk).state == ReminderState.ACCEPTED
    assert DunningCase.objects.get().next_rank == 5


def test_the_pages_carry_a_letter_from_print_to_proof(reminder: Reminder, owner: Membership, browse: Browse) -> None:
    browser, url = browse(owner), f"/courrier/{reminder.pk}/"

    assert "Préparer la lettre du jour" in browser.get(url).content.decode()
    assert browser.post(f"{url}imprimer/").status_code == 302
    wrong = browser.post(f"{url}poste/", {"posted_on": TODAY.isoformat(), "tracking": "12"})
    assert (wrong.status_code, Letter.objects.get().state) == (422, LetterState.PRINTED)
    assert browser.post(f"{url}poste/", {"posted_on": TODAY.isoformat(), "tracking": NUMBER}).status_code == 302
    pdf = browser.get(f"{url}lettre.pdf")
    assert (pdf["Content-Type"], pdf.getvalue()[:5]) == ("application/pdf", b"%PDF-")
    slip = io.BytesIO(SLIP.data)
    slip.name = "recu.pdf"
    sent = browser.post(
        f"{url}preuves/", {"kind": "receipt", "file": slip, "presented_on": TODAY.isoformat(), "ended_on": ""}
    )
    assert (sent.status_code, Letter.objects.get().state) == (302, LetterState.DELIVERED)


def test_an_accountant_reads_and_does_nothing(reminder: Reminder, browse: Browse) -> None:
    browser = browse(make_member(role=Role.ACCOUNTANT))

    assert browser.get(f"/courrier/{reminder.pk}/").status_code == 200
    assert browser.post(f"/courrier/{reminder.pk}/imprimer/").status_code == 403
    assert Letter.objects.get().state == LetterState.READY
