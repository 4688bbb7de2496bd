"""What debtors and their servers send back in the story: raw messages, received as the mailbox gives them."""

import datetime as dt
from email.message import EmailMessage
from email.utils import format_datetime

from cabinets.models import Cabinet
from cabinets.scoping import whole_firm
from config.demo.acts import Act, Scene
from dunning.enums import SPOKEN, Channel
from dunning.models import Reminder
from dunning.services.receiving import receive

AFTER = dt.timedelta(hours=3)


def answers(text: str) -> Act:
    """The debtor answers the last e-mail, or writes of their own accord."""

    def act(scene: Scene) -> None:
        _arrives(scene, _message(scene, text).as_bytes())

    return act


def is_away(scene: Scene) -> None:
    """The debtor's server answers by itself."""
    message = _message(scene, "Je suis absente du bureau jusqu’à lundi. Votre message sera lu à mon retour.")
    message.replace_header("Subject", f"Réponse automatique : {message['Subject']}")
    message["Auto-Submitted"] = "auto-replied"
    _arrives(scene, message.as_bytes())


def bounces(scene: Scene) -> None:
    """The last e-mail comes back: the mailbox was closed meanwhile."""
    reminder = _last_email(scene)
    if reminder is None:
        raise RuntimeError("nothing left yet about this invoice: nothing can come back")
    address = reminder.recipient or ""
    report = "\r\n".join(
        (
            "Return-Path: <>",
            "From: MAILER-DAEMON@relais.example",
            f"To: {Cabinet.objects.get().email}",
            "Subject: Message non remis",
            f"Message-ID: <retour-{reminder.pk}@relais.example>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=retour",
            "",
            "--retour",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "This is the mail system at host relais.example.",
            "--retour",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; relais.example",
            "",
            f"Final-Recipient: rfc822; {address}",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 mailbox unavailable",
            "",
            "--retour",
            "Content-Type: text/rfc822-headers",
            "",
            f"Message-ID: {reminder.message_id}",
            "",
            "--retour--",
            "",
        )
    )
    _arrives(scene, report.encode())


def _message(scene: Scene, text: str) -> EmailMessage:
    reminder, cabinet = _last_email(scene), Cabinet.objects.get()
    message = EmailMessage()
    message["From"] = (reminder.recipient if reminder else "") or scene.client.email
    message["To"] = cabinet.email
    message["Subject"] = f"Re: {(reminder.subject if reminder else '') or 'Votre facture'}"
    message["Date"] = format_datetime(cabinet.now())
    message["Message-ID"] = f"<{scene.invoice.pk}.{scene.today:%Y%m%d}@client.example>"
    if reminder is not None:
        message["In-Reply-To"] = reminder.message_id
    message.set_content(text)
    return message


def _last_email(scene: Scene) -> Reminder | None:
    said = Reminder.objects.filter(lines__invoice=scene.invoice, state__in=SPOKEN, channel=Channel.EMAIL)
    return said.exclude(message_id="").order_by("-spoken_at").first()


def _arrives(scene: Scene, raw: bytes) -> None:
    # The product itself takes it in: nobody of the firm acts.
    with whole_firm():
        receive(raw=raw, received_at=Cabinet.objects.get().now())
