"""Raw messages as mailboxes give them, about a reminder of the firm."""

from email.message import EmailMessage
from uuid import uuid4

from dunning.models import Reminder


def identifier_of(reminder: Reminder) -> str:
    """Return the Message-ID a reminder left with."""
    return f"<{reminder.pk}@cabinet.example>"


def answer(
    *, sender: str = "facturation@client.example", to: Reminder | None = None, text: str = "Je paie lundi.", **more: str
) -> bytes:
    """Return what a person writes back; `more` are headers, with _ for -."""
    message = EmailMessage()
    message["From"], message["To"] = sender, "reponses@cabinet.example"
    message["Subject"], message["Message-ID"] = "Re: Votre facture", f"<{uuid4()}@client.example>"
    message["Date"] = "Tue, 24 Nov 2026 10:00:00 +0100"
    if to is not None:
        message["In-Reply-To"] = identifier_of(to)
    for name, value in more.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def bounce(reminder: Reminder, *, address: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    """Return a server's report about a reminder."""
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@relais.example\r\nTo: contact@cabinet.example\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <{uuid4()}@relais.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
        "--r\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relais.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} unknown user\r\n\r\n"
        f"--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {identifier_of(reminder)}\r\n\r\n--r--\r\n"
    ).encode()


def absence(*, to: Reminder) -> bytes:
    """Return what a machine answers."""
    return answer(to=to, text="Je suis absent.", Auto_Submitted="auto-replied")
