"""A reminder to who pays for somebody else claims their sum alone, and names neither the client nor the matter."""

import datetime as dt
from email import message_from_bytes, policy

import pytest

from cabinets.enums import ContactRole
from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.models import Reminder
from dunning.services.composing import lines_of, values_of
from dunning.services.sums import sums_of
from tests.dunning.test_dispatch import firm, pytestmark, send, sink
from tests.factories.cabinets import make_client, make_contact, make_dossier
from tests.factories.dunning import make_case, make_reminder
from tests.factories.invoices import TODAY, make_invoice
from tests.mail_sink import SmtpSink

__all__ = ["firm", "pytestmark", "sink"]
SECRETS = ("Leclerc", "Sophie", "Divorce", "D-SECRET-77", "F-2026-0999")


def remind(role: ContactRole) -> Reminder:
    client = make_client(company="", first_name="Sophie", last_name="Leclerc")
    contact = make_contact(client=client, role=role, last_name="Moreau", email="moreau@payeur.example")
    dossier = make_dossier(client=client, title="Divorce", reference="D-SECRET-77", billing_contact=contact)
    make_case(invoice=make_invoice(dossier=make_dossier(client=client, title="Divorce"), number="F-2026-0999"))
    paid_for = make_invoice(dossier=dossier, number="F-2026-0412", due_on=TODAY - dt.timedelta(days=3))
    return make_reminder(make_case(invoice=paid_for), contact=contact)


def test_the_mail_names_the_invoice_and_nothing_else(firm: Cabinet, sink: SmtpSink) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = remind(ContactRole.PAYER)

    send(firm, reminder)

    [caught] = sink.caught
    parts = message_from_bytes(caught.content, policy=policy.default).walk()
    text = " ".join([str(part.get_content()) for part in parts if part.get_content_maintype() == "text"])
    whole = caught.content.decode(errors="replace") + text
    assert caught.recipients == ("moreau@payeur.example",)
    assert [word for word in SECRETS if word in whole] == []
    assert "F-2026-0412" in text


@pytest.mark.parametrize(
    ("role", "expected"), [(ContactRole.PAYER, "F-2026-0412"), (ContactRole.BILLING, "D-SECRET-77")]
)
def test_the_reference_of_a_file_is_the_invoices_number_to_them(
    firm: Cabinet, role: ContactRole, expected: str
) -> None:
    with working_for(cabinet_id=firm.pk):
        reminder = remind(role)
        claimed, _ = lines_of(reminder)

        values = values_of(reminder, firm, claimed, sums_of(reminder, claimed, on=TODAY))

    assert values["Référence_dossier"] == expected
