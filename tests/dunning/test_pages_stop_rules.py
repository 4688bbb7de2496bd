"""« Quand rien ne part »: every rule has its words, and an invoice shows which one decides."""

import datetime as dt
import html
import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from dunning.enums import Code, Reason, ReminderState
from dunning.policy import RULES
from dunning.presenting import RULE_MEANS, WHY_A_PERSON
from dunning.stop_rules import FAMILIES, STOP_RULES
from invoices.enums import StopKind
from invoices.models import Standstill
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_client, make_member
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice

Browse = Callable[[Membership | None], FirmBrowser]
PAGE = "/relances/quand-rien-ne-part/"


def text_of(browser: FirmBrowser, number: str = "") -> str:
    answer = browser.get(PAGE, {"facture": number} if number else {})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode()).replace("\u00a0", " ")


def test_the_document_holds_every_rule_in_order_on_tagged_pages(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    answer = browse(owner).get("/relances/quand-rien-ne-part.pdf")

    reader = PdfReader(io.BytesIO(answer.content))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ").split())
    places = [text.index(code.label.replace("\u00a0", " ")) for code in list(Code)[:8]]
    assert answer.headers["Content-Type"] == "application/pdf"
    assert [code.label for code in Code if code.label.replace("\u00a0", " ") not in text] == []
    assert places == sorted(places)
    assert cabinet.name in text
    assert "/StructTreeRoot" in reader.root_object


def test_every_code_has_its_sentences() -> None:
    assert set(STOP_RULES) == set(Code)
    assert set(RULE_MEANS) == set(Code)
    assert set(WHY_A_PERSON) == set(Reason)
    for rule in STOP_RULES.values():
        for sentence in (rule.when, rule.ends, rule.who):
            assert sentence.endswith((".", "…"))


def test_the_page_reads_in_the_order_in_which_the_night_reads() -> None:
    written = [rule.code for family in FAMILIES for rule in family.rules]

    assert written == list(Code)
    assert [code for code, _ in RULES] == [code for code in written if code in dict(RULES)]


def test_shows_every_rule_to_whoever_reads_invoices(cabinet: Cabinet, browse: Browse) -> None:
    page = text_of(browse(make_member(role=Role.ACCOUNTANT)))

    assert [code.label for code in Code if code.label not in page] == []
    assert "Décide aujourd’hui" not in page


def test_says_which_rules_hold_an_invoice_and_which_decides(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    client = make_client(company="Atelier Nord", is_never_reminded=True)
    invoice = make_invoice(client=client, number="F-2026-077")
    make_case(invoice=invoice)
    Standstill(kind=StopKind.DISPUTE, client=client).save(force_insert=True)

    page = text_of(browse(owner), "f-2026-077")

    assert "<b>Ne jamais relancer</b> · le 24 novembre 2026" in page
    assert "Atelier Nord" in page
    assert "S’appliquent aussi : contestation." in page
    assert page.count("Décide aujourd’hui") == 1
    assert page.index('id="NEVER" class="is-current"') < page.index("Décide aujourd’hui") < page.index('id="PAID"')
    assert JournalEntry.objects.filter(event="invoice.seen", subject_id=invoice.pk).count() == 1


def test_says_when_a_free_invoice_would_speak(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    invoice = make_invoice(number="F-1")
    make_case(invoice=invoice)

    page = text_of(browse(owner), "F-1")

    assert "Part : aucune règle ne retient cette facture" in page
    assert "La prochaine nuit prépare le message, qui part à partir du 24 novembre 2026 à 10 h 30." in page


def test_says_that_a_person_reads_first_and_why(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    make_case(invoice=make_invoice(client=make_client(is_strategic=True), number="F-1"))

    page = text_of(browse(owner), "F-1")

    assert "Client stratégique : chaque message est relu." in page
    assert "La prochaine nuit prépare le message, qui attend un accord sur « À valider »." in page


def test_says_that_the_step_is_not_due_or_that_a_message_is_ready(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    make_case(invoice=make_invoice(number="F-1"), next_action_on=TODAY + dt.timedelta(days=3))
    make_reminder(make_case(invoice=make_invoice(number="F-2")), state=ReminderState.AWAITING_APPROVAL)
    make_invoice(number="F-3")
    browser = browse(owner)

    pages = {number: text_of(browser, number) for number in ("F-1", "F-2", "F-3")}

    assert "L’étape n’est pas encore due : la nuit du 27 novembre 2026 l’examine." in pages["F-1"]
    assert "Un message est déjà prêt : il attend son départ ou votre accord." in pages["F-2"]
    assert "Hors scénario" in pages["F-3"]


@pytest.mark.parametrize("number", ["INCONNU-9", "F-AUTRE"])
def test_tells_nothing_of_an_invoice_the_person_does_not_see(cabinet: Cabinet, browse: Browse, number: str) -> None:
    assistant = make_member(role=Role.ASSISTANT)
    assign(dossier=make_case().invoice.dossier, member=assistant)
    make_case(invoice=make_invoice(client=make_client(company="Client secret"), number="F-AUTRE"))

    page = text_of(browse(assistant), number)

    assert f"Aucune facture ne porte le numéro « {number} » parmi celles que vous voyez." in page.replace("</b>", "")
    assert "Client secret" not in page
    assert JournalEntry.objects.filter(event="invoice.seen").count() == 0
