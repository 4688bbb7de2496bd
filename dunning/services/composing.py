"""Write the message of a reminder: its text, its values, its links, and the headers it leaves with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cabinets.addresses import find_phone, show_phone
from cabinets.enums import Civility
from cabinets.models import Cabinet, Client, Contact
from dunning.channels.protocol import Outgoing
from dunning.enums import SPOKEN, Entry
from dunning.models import MailServer, Reminder, ReminderLine
from dunning.services.claiming import Checked, Words
from invoices.models import Invoice
from invoices.money import show_amount, show_euros
from payments.services import links as payment_links
from templates_lib.email import Composed, Envelope, Firm, InvoiceLine, Links, build_message, compose_email
from templates_lib.enums import Channel, Step, kind_of
from templates_lib.errors import TextRefusedError
from templates_lib.library import TextVersion, text_for
from templates_lib.lint import Fault, lint_rendered
from templates_lib.rendering import day_words, period_words

GREETINGS = {Civility.MADAME: "Madame", Civility.MONSIEUR: "Monsieur", Civility.MAITRE: "Maître"}
IBAN_SHOWN = 4


def write_email(checked: Checked, *, sender: "Sender") -> Words[Outgoing]:
    """Compose an e-mail from its frozen invoices and amounts; raise TextError when it may not leave."""
    reminder, cabinet = checked.reminder, checked.cabinet
    claimed, mentioned = in_order(checked.lines)
    addressee = addressee_of(reminder)
    link = link_of(reminder)
    composed = compose(reminder=reminder, cabinet=cabinet, claimed=claimed, mentioned=mentioned, link=link)
    _refuse(lint_rendered(composed.html, composed.text, payment_link=link, matter_words=matter_words_of(cabinet)))
    message_id = message_id_of(reminder, sender.address)
    envelope = Envelope(
        sender_name=cabinet.name,
        sender_address=sender.address,
        recipient=addressee.email,
        reply_to=sender.reply_to or cabinet.email or sender.address,
        message_id=message_id,
        sent_at=checked.now.astimezone(cabinet.zone),
        references=earlier_messages(reminder),
        feedback_id=f"{reminder.rank}:{cabinet.slug}:quittance",
    )
    message = build_message(composed, envelope)
    return Words(
        subject=composed.subject,
        html=composed.html,
        text=composed.text,
        recipient=addressee.email,
        message_id=message_id,
        payload=Outgoing(
            message=message.as_bytes(), recipient=addressee.email, envelope_from=sender.address, message_id=message_id
        ),
    )


def matter_words_of(cabinet: Cabinet) -> tuple[str, ...]:
    """Return the firm's own words that no message may hold."""
    return tuple(word.strip() for word in cabinet.matter_words.splitlines() if word.strip())


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise TextRefusedError("\n".join(str(fault) for fault in faults))


@dataclass(frozen=True, slots=True)
class Sender:
    """From which address a firm writes, and where answers go."""

    address: str
    reply_to: str = ""

    @classmethod
    def of(cls, server: MailServer) -> "Sender":
        """Return the sender of a mail server."""
        return cls(address=server.sender, reply_to=server.reply_to)


def compose(
    *,
    reminder: Reminder,
    cabinet: Cabinet,
    claimed: Sequence[ReminderLine],
    mentioned: Sequence[ReminderLine],
    link: str,
) -> Composed:
    """Fill the text of the reminder's step with its invoices; used for the preview and for the departure alike."""
    return compose_email(
        version=version_of(reminder, claimed),
        values=values_of(reminder, cabinet, claimed),
        lines=[_line(line) for line in claimed],
        also_due=[_line(line) for line in mentioned],
        firm=Firm(
            name=cabinet.name,
            address=", ".join(part for part in (cabinet.address, f"{cabinet.postcode} {cabinet.city}".strip()) if part),
            phone=_phone_shown(cabinet.phone),
            email=cabinet.email,
            bar=cabinet.bar,
            tagline=f"Avocats au barreau de {cabinet.bar}" if cabinet.bar else "",
        ),
        links=Links(
            pay=link,
            manage=link,
            already_paid=f"{link}deja-paye/",
            problem=f"{link}probleme/",
            rights=f"{link}donnees/",
        ),
        demo=cabinet.is_demo,
    )


def version_of(reminder: Reminder, claimed: Sequence[ReminderLine]) -> TextVersion:
    """Return the text of the reminder's step for its client kind; a debt entered late first meets J+3's text."""
    late = reminder.rank == 1 and any(line.case.entry == Entry.LATE for line in claimed)
    return text_for(
        step=Step(reminder.step.tone),
        kind=kind_of(reminder.client_kind),
        channel=Channel(reminder.channel),
        language="fr",
        late_entry=late,
    )


def link_of(reminder: Reminder) -> str:
    """Return the address of the debtor's own page, the same whenever it is written again."""
    return payment_links.url_of(payment_links.link_for(client=reminder.client, contact=reminder.contact))


def values_of(reminder: Reminder, cabinet: Cabinet, claimed: Sequence[ReminderLine]) -> dict[str, str]:
    """Return the merge fields the lines, the firm and the links do not tell by themselves."""
    addressee = addressee_of(reminder)
    invoices: list[Invoice] = [line.invoice for line in claimed]
    total = sum(line.owed_cents for line in claimed)
    return {
        "Civilité_nom": greeting(addressee),
        "Prénom_client": addressee.first_name,
        "Nom_client": addressee.last_name,
        "Date_facture": day_words(invoices[0].issued_on),
        "Montant_dû": show_amount(total),
        "Montant_facture": show_amount(sum(invoice.total_cents for invoice in invoices)),
        "Période_échéances": period_words(
            min(invoice.due_on for invoice in invoices), max(invoice.due_on for invoice in invoices)
        ),
        "Référence_dossier": invoices[0].dossier.reference,
        "IBAN_masqué": f"…{cabinet.iban[-IBAN_SHOWN:]}" if cabinet.iban else "",
        "Signature_avocat": cabinet.signature or cabinet.name,
        "Délai_jours": str(reminder.step.answer_days),
    }


def greeting(addressee: Client | Contact) -> str:
    """Return "Madame Martin", or "Madame, Monsieur" where nobody is named."""
    civility = GREETINGS.get(Civility(addressee.civility), "")
    return f"{civility} {addressee.last_name}" if civility and addressee.last_name else "Madame, Monsieur"


def lines_of(reminder: Reminder) -> tuple[list[ReminderLine], list[ReminderLine]]:
    """Return the lines a reminder claims and those it mentions, oldest due date first."""
    rows = ReminderLine.objects.filter(reminder=reminder).select_related("invoice__dossier", "case")
    return in_order(rows)


def in_order(rows: Iterable[ReminderLine]) -> tuple[list[ReminderLine], list[ReminderLine]]:
    """Sort lines into those claimed and those mentioned, oldest due date first."""
    lines = sorted(rows, key=lambda line: (line.invoice.due_on, line.invoice.number))
    return [line for line in lines if line.is_claimed], [line for line in lines if not line.is_claimed]


def addressee_of(reminder: Reminder) -> Client | Contact:
    """Return who the reminder is written to: the billing contact where there is one, else the client."""
    return reminder.contact or reminder.client


def message_id_of(reminder: Reminder, sender: str) -> str:
    """Return the one Message-ID of a reminder, the same whenever it is written again."""
    return f"<{reminder.pk}@{sender.rpartition('@')[2]}>"


def earlier_messages(reminder: Reminder) -> tuple[str, ...]:
    """Return the Message-IDs of what this debtor already received about the same invoices, oldest first."""
    invoices = ReminderLine.objects.filter(reminder=reminder, is_claimed=True).values("invoice")
    before = ReminderLine.objects.filter(
        invoice__in=invoices, is_claimed=True, reminder__state__in=SPOKEN, reminder__contact=reminder.contact
    ).exclude(reminder=reminder)
    ids = before.order_by("reminder__spoken_at").values_list("reminder__message_id", flat=True)
    return tuple(dict.fromkeys(identifier for identifier in ids if identifier))


def _phone_shown(phone: str) -> str:
    """Write the firm's number as a debtor dials it, whatever form it was entered in."""
    known = find_phone(phone)
    return phone if known is None else show_phone(known)


def _line(line: ReminderLine) -> InvoiceLine:
    return InvoiceLine(
        number=line.invoice.number, due_on=day_words(line.invoice.due_on), amount=show_euros(line.owed_cents)
    )
