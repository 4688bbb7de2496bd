"""The pages of the bank: a statement taken in or refused, what waits first, one click to accept, undo remembered."""

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from invoices.models import Invoice
from invoices.sealed_files import remove_sealed
from payments.enums import BankSource, LineState
from payments.models import BankFile, BankGuess, BankLine, BankMatch, Payment
from payments.services.bank_intake import take_in
from tests.conftest import FirmBrowser
from tests.factories.cabinets import make_client, make_member
from tests.factories.invoices import TODAY, make_invoice
from tests.payments.bank.files import camt, entry

Browse = Callable[[Membership | None], FirmBrowser]


def upload(data: bytes, name: str = "releve.xml") -> dict[str, object]:
    return {"file": SimpleUploadedFile(name, data), "account": ""}


def take(data: bytes) -> None:
    take_in(data=data, file_name="releve.xml", today=TODAY, source=BankSource.UPLOAD)


def text_of(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())  # type: ignore[attr-defined]  # a test response


def test_takes_a_statement_in_and_says_what_it_brought(
    cabinet: Cabinet, owner: Membership, browse: Browse, invoice: Invoice
) -> None:
    browser = browse(owner)
    data = camt(entry("1440.00", "F-2026-0412"), entry("77.00", "DON"), entry("5.00", "FRAIS", side="DBIT"))

    answer = browser.post("/banque/deposer/", upload(data), follow=True)

    page = text_of(answer)
    assert "Relevé pris en compte : 3 lignes nouvelles. 1 ligne rapprochée, 0 à confirmer." in page
    assert "77,00\u00a0€ reçus attendent de savoir ce qu’ils paient" in answer.content.decode()
    assert "DON" in page
    assert "F-2026-0412" not in page
    invoice.refresh_from_db()
    assert invoice.outstanding_cents == 0


def test_refuses_a_broken_statement_with_its_reason_on_the_page(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    answer = browse(owner).post("/banque/deposer/", upload(camt(entry("12..4", "x"))))

    assert answer.status_code == 422
    assert "le montant « 12..4 » n’est pas lisible. Rien n’a été enregistré." in answer.content.decode()
    assert (BankFile.objects.count(), BankLine.objects.count()) == (0, 0)


def test_accepts_a_suggestion_in_one_click_and_tells_the_second_person(
    cabinet: Cabinet, owner: Membership, browse: Browse, invoice: Invoice
) -> None:
    take(camt(entry("1440.00", "REGLEMENT", payer="MENUISERIE LECLERC")))
    line, guess = BankLine.objects.get(), BankGuess.objects.get(rank=0)
    first, second = browse(owner), browse(make_member(role=Role.ADMIN))
    page = first.get("/banque/").content.decode()

    answers = [who.post(f"/banque/lignes/{line.pk}/accepter/", {"guess": str(guess.pk)}) for who in (first, second)]

    told = second.get(answers[1]["Location"]).content.decode()
    assert "certitude 80 sur 100" in page
    assert "Le nom du payeur est celui du client." in page
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Payment.objects.count() == 1
    assert "Cette ligne vient d’être rapprochée ou écartée par une autre personne" in told


def test_remembers_what_a_person_undid(cabinet: Cabinet, owner: Membership, browse: Browse, invoice: Invoice) -> None:
    take(camt(entry("1440.00", "F-2026-0412")))
    line, browser = BankLine.objects.get(), browse(owner)

    asked = browser.get(f"/banque/lignes/{line.pk}/annuler/").content.decode()
    browser.post(f"/banque/lignes/{line.pk}/annuler/")
    take(camt(entry("1.00", "AUTRE")))

    line.refresh_from_db()
    invoice.refresh_from_db()
    page = browser.get("/banque/").content.decode()
    assert "Annuler le rapprochement de 1\u00a0440,00\u00a0€ ?" in asked
    assert (line.state, invoice.outstanding_cents) == (LineState.UNMATCHED, 144_000)
    assert "Vous aviez annulé" in page
    assert BankMatch.objects.filter(undone_at=None).count() == 0


def test_shares_a_line_between_invoices_by_hand(
    cabinet: Cabinet, owner: Membership, browse: Browse, invoice: Invoice
) -> None:
    other = make_invoice(client=make_client(company="Boulangerie Roux"), number="F-2026-0500", total_cents=50_000)
    take(camt(entry("1000.00", "PAIEMENT")))
    line, browser = BankLine.objects.get(), browse(owner)
    address = f"/banque/lignes/{line.pk}/"

    found = browser.get(address, {"q": "F-2026-0"}).content.decode()
    too_much = browser.post(
        f"{address}?q=F-2026-0", {f"part_{invoice.pk}": "900", f"part_{other.pk}": "500", "surplus": "refuse"}
    )
    too_little = browser.post(
        f"{address}?q=F-2026-0", {f"part_{invoice.pk}": "500", f"part_{other.pk}": "400", "surplus": "credit"}
    )
    assert (too_much.status_code, too_little.status_code, Payment.objects.count()) == (422, 422, 0)
    done = browser.post(
        f"{address}?q=F-2026-0", {f"part_{invoice.pk}": "500", f"part_{other.pk}": "500", "surplus": "refuse"}
    )

    assert "F-2026-0412" in found
    assert "F-2026-0500" in found
    assert done.status_code == 302
    assert sorted(Payment.objects.values_list("client", "cents")) == sorted(
        [(invoice.client_id, 50_000), (other.client_id, 50_000)]
    )
    invoice.refresh_from_db()
    assert invoice.outstanding_cents == 94_000


def test_sets_a_line_aside_with_a_reason_and_takes_it_up_again(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    take(camt(entry("50.00", "REMBOURSEMENT ASSURANCE")))
    line, browser = BankLine.objects.get(), browse(owner)

    browser.post(f"/banque/lignes/{line.pk}/ecarter/", {"reason": ""})
    assert BankLine.objects.get().state == LineState.UNMATCHED
    browser.post(f"/banque/lignes/{line.pk}/ecarter/", {"reason": "not_fees"})
    assert BankLine.objects.get().state == LineState.IGNORED
    page = browser.get("/banque/?etat=ecartees").content.decode()
    browser.post(f"/banque/lignes/{line.pk}/reprendre/")

    assert "Ne concerne pas des honoraires" in page
    assert BankLine.objects.get().state == LineState.UNMATCHED


@pytest.mark.parametrize("address", ["/banque/", "/banque/deposer/"])
def test_is_for_who_sees_every_file(cabinet: Cabinet, browse: Browse, address: str) -> None:
    answer = browse(make_member(role=Role.LAWYER)).get(address)

    assert answer.status_code == 403
    assert JournalEntry.objects.filter(event="access.refused").exists()


def test_gives_five_lines_for_the_queries_of_one(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    browser = browse(owner)

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get("/banque/")
        return len(asked)

    make_invoice(client=make_client(company="Boulangerie Un"))
    take(camt(entry("1440.00", "REGLEMENT", payer="BOULANGERIE UN")))
    count()
    one = count()
    for number in ("DEUX", "TROIS", "QUATRE", "CINQ"):
        make_invoice(client=make_client(company=f"Boulangerie {number}"))
        take(camt(entry("1440.00", "REGLEMENT", payer=f"BOULANGERIE {number}")))
    count()

    assert BankGuess.objects.values("line").distinct().count() == 5
    assert count() == one


def test_gives_a_statement_back_as_the_bank_wrote_it(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    data = camt(entry("77.00", "DON"))
    take(data)
    file, browser = BankFile.objects.get(), browse(owner)
    assert f"/banque/fichiers/{file.pk}/" in browser.get("/banque/deposer/").content.decode()
    assert (
        f"/banque/fichiers/{file.pk}/" in browser.get(f"/banque/lignes/{BankLine.objects.get().pk}/").content.decode()
    )

    answer = browser.get(f"/banque/fichiers/{file.pk}/")

    assert (answer.status_code, answer.content) == (200, data)
    assert answer["Content-Disposition"] == 'attachment; filename="releve.xml"'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert JournalEntry.objects.filter(event="bankfile.downloaded", subject_id=file.pk).count() == 1


def test_gives_no_statement_to_who_does_not_see_every_file(cabinet: Cabinet, browse: Browse) -> None:
    take(camt(entry("77.00", "DON")))
    file = BankFile.objects.get()

    answer = browse(make_member(role=Role.ASSISTANT, sees_every_file=False)).get(f"/banque/fichiers/{file.pk}/")

    assert answer.status_code == 403
    assert not JournalEntry.objects.filter(event="bankfile.downloaded").exists()


def test_says_that_a_statement_left_the_disk(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    take(camt(entry("77.00", "DON")))
    file = BankFile.objects.get()
    remove_sealed(file.stored_as)

    answer = browse(owner).get(f"/banque/fichiers/{file.pk}/", follow=True)

    assert (answer.status_code, "Ce fichier ne peut pas être remis" in answer.content.decode()) == (410, True)
    assert not JournalEntry.objects.filter(event="bankfile.downloaded").exists()
