"""Write the message of a reminder: its text, its values, its links, and the headers it leaves with."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from cabinets.addresses import show_typed_phone
from cabinets.enums import Civility, ClientKind
from cabinets.models import Cabinet, Client, Contact
from dunning.channels.protocol import Outgoing
from dunning.channels.signing import Signer
from dunning.channels.sms import OutgoingSms
from dunning.enums import SPOKEN, Entry, Origin
from dunning.models import Mailbox, Reminder, ReminderLine
from dunning.services.claiming import Checked, Words
from dunning.services.reply_marks import reply_address
from dunning.services.sums import CHARGED, Sums, rate_of, sums_of
from invoices.models import Invoice
from payments.models import PaymentLink
from payments.services import links as payment_links
from templates_lib.email import Composed, Envelope, Firm, InvoiceLine, Links, build_message, compose_email
from templates_lib.enums import Channel, Step, kind_of
from templates_lib.errors import TextRefusedError
from templates_lib.library import Form, TextVersion, Variant
from templates_lib.lint import Fault, lint_rendered, lint_version
from templates_lib.rendering import amount_words, day_words, period_words
from templates_lib.services import text_by_ref, text_in_force
from templates_lib.sms import Sms, compose_sms
from templates_lib.words import WORDS

GREETINGS = {
    "fr": (
        {Civility.MADAME: "Madame", Civility.MONSIEUR: "Monsieur", Civility.MAITRE: "Maître"},
        "Madame, Monsieur",
    ),
    "en": ({Civility.MADAME: "Ms", Civility.MONSIEUR: "Mr", Civility.MAITRE: "Maître"}, "Sir or Madam"),
}
IBAN_SHOWN = 4


def write_email(checked: Checked, *, sender: "Sender") -> Words[Outgoing]:
    """Compose an e-mail from its frozen invoices and amounts; raise TextError when it may not leave."""
    reminder, cabinet = checked.reminder, checked.cabinet
    claimed, mentioned = in_order(checked.lines)
    addressee = addressee_of(reminder)
    link, version = link_of(reminder), version_of(reminder, claimed)
    composed = compose(reminder=reminder, cabinet=cabinet, claimed=claimed, mentioned=mentioned, link=link)
    refuse_faults(lint_of(version, matter_words_of(cabinet)))
    refuse_faults(lint_rendered(composed.html, composed.text, payment_link=link, matter_words=matter_words_of(cabinet)))
    message_id = message_id_of(reminder, sender.address)
    reply_to = sender.reply_to or cabinet.email or sender.address
    envelope = Envelope(
        sender_name=cabinet.name,
        sender_address=sender.address,
        recipient=addressee.email,
        reply_to=reply_address(address=reply_to, reminder=reminder) if sender.takes_marks else reply_to,
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
        text_ref=version.ref,
        sent_from=sender.address,
        payload=sender.parcel(message=message.as_bytes(), recipient=addressee.email, message_id=message_id),
    )


def write_sms(checked: Checked, *, sender: str) -> Words[OutgoingSms]:
    """Compose a text message of one part; raise TextError when it may not leave."""
    reminder, cabinet = checked.reminder, checked.cabinet
    claimed, _ = in_order(checked.lines)
    version = version_of(reminder, claimed)
    refuse_faults(lint_of(version, matter_words_of(cabinet)))
    addressee = addressee_of(reminder)
    said = compose_text(reminder, cabinet, claimed, link=payment_links.short_url_of(link_row_of(reminder)))
    return Words(
        subject="",
        html="",
        text=said.text,
        recipient=addressee.phone,
        text_ref=version.ref,
        segments=said.segments,
        payload=OutgoingSms(to=addressee.phone, sender=sender, text=said.text, reference=str(reminder.pk)),
    )


def compose_text(reminder: Reminder, cabinet: Cabinet, claimed: Sequence[ReminderLine], *, link: str) -> Sms:
    """Fill the text message of a step: to a consumer, without the amount unless the firm chose to write it."""
    version = version_of(reminder, claimed)
    sums = sums_of(reminder, claimed, on=cabinet.today())
    variant = Variant.BARE if sums.variant is Variant.BARE else None
    if reminder.client_kind not in CHARGED and cabinet.sms_amount_to_consumers:
        variant = Variant.AMOUNT
    due_on = claimed[0].invoice.due_on
    values = {
        **values_of(reminder, cabinet, claimed, sums, language=version.language),
        "Nom_cabinet": cabinet.name,
        "Téléphone_cabinet": show_typed_phone(cabinet.phone).replace(" ", "").replace("\u00a0", ""),
        "Numéro_facture": claimed[0].invoice.number,
        "Nombre_factures": str(len(claimed)),
        "Date_échéance": f"{due_on:%d/%m/%Y}",
        "Montant_dû": amount_words(sums.principal_cents, version.language).replace("\u00a0", ""),
        "Lien_paiement": link,
    }
    return compose_sms(version=version, values=values, invoices=len(claimed), variant=variant)


def matter_words_of(cabinet: Cabinet) -> tuple[str, ...]:
    """Return the firm's own words that no message may hold."""
    return tuple(word.strip() for word in cabinet.matter_words.splitlines() if word.strip())


@lru_cache(maxsize=512)
def lint_of(version: TextVersion, matter_words: tuple[str, ...]) -> tuple[Fault, ...]:
    """Return the faults of a text, asked once for all the messages that bear it."""
    return tuple(lint_version(version, matter_words=matter_words))


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Raise what the linter found, so that the message does not leave."""
    if faults:
        raise TextRefusedError("\n".join(str(fault) for fault in faults))


@dataclass(frozen=True, slots=True)
class Sender:
    """From which address a firm writes, and where answers go."""

    address: str
    reply_to: str = ""
    takes_marks: bool = False
    """The mailbox that is read accepts addresses in +: the answer's own names the reminder."""
    origin: Origin = Origin.OWN_SERVER
    envelope_from: str = ""
    """Where bounces return, when it is not the address itself."""
    signer: Signer | None = field(default=None, repr=False)

    def parcel(self, *, message: bytes, recipient: str, message_id: str) -> Outgoing:
        """Return a message as its channel is handed it: signed where the firm's domain is, bounces where they go."""
        return Outgoing(
            message=message if self.signer is None else self.signer.sign(message),
            recipient=recipient,
            envelope_from=self.envelope_from or self.address,
            message_id=message_id,
        )


def takes_marks() -> bool:
    """Say whether the mailbox the firm's debtors answer to accepts addresses in +."""
    return Mailbox.objects.filter(is_enabled=True, takes_tokens=True).exists()


def compose(
    *,
    reminder: Reminder,
    cabinet: Cabinet,
    claimed: Sequence[ReminderLine],
    mentioned: Sequence[ReminderLine],
    link: str,
    on: dt.date | None = None,
) -> Composed:
    """Fill the text of the reminder's step with its invoices, as of a day (today); the preview is what will leave."""
    version = version_of(reminder, claimed)
    sums = sums_of(reminder, claimed, on=on or cabinet.today())
    return compose_email(
        version=version,
        values=values_of(reminder, cabinet, claimed, sums, language=version.language),
        lines=[line_of(line, version.language) for line in claimed],
        also_due=[line_of(line, version.language) for line in mentioned],
        firm=firm_of(cabinet),
        links=Links(
            pay=link,
            manage=link,
            already_paid=f"{link}deja-paye/",
            problem=f"{link}probleme/",
            rights=f"{link}donnees/",
        ),
        demo=cabinet.is_demo,
        variant=sums.variant,
    )


def firm_of(cabinet: Cabinet) -> Firm:
    """Return the firm as it signs its messages."""
    return Firm(
        name=cabinet.name,
        address=", ".join(part for part in (cabinet.address, f"{cabinet.postcode} {cabinet.city}".strip()) if part),
        phone=show_typed_phone(cabinet.phone),
        email=cabinet.email,
        bar=cabinet.bar,
        tagline=f"Avocats au barreau de {cabinet.bar}" if cabinet.bar else "",
    )


def version_of(reminder: Reminder, claimed: Sequence[ReminderLine], *, channel: str = "") -> TextVersion:
    """Return the text of the reminder's step: frozen at approval, in force, or a person's own words.

    A debt entered late first meets J+3's text.
    """
    spoken = Channel.LETTER if (channel or reminder.channel) == "registered" else Channel(channel or reminder.channel)
    if reminder.text_ref and not channel:
        version = text_by_ref(reminder.text_ref)
    else:
        version = text_in_force(
            step=Step(reminder.step.tone),
            kind=kind_of(reminder.client_kind),
            channel=spoken,
            language=reminder.language,
            late_entry=any(line.case.entry == Entry.LATE and line.case.last_step_on is None for line in claimed),
        )
    if reminder.edited_at is None or channel:
        return version
    form = Form(subject=reminder.edited_subject or version.one.subject, body=reminder.edited_body)
    return replace(version, one=form, several=form, variants={})


def link_of(reminder: Reminder) -> str:
    """Return the address of the debtor's own page, the same whenever it is written again."""
    return payment_links.url_of(link_row_of(reminder))


def link_row_of(reminder: Reminder) -> PaymentLink:
    """Return the debtor's way in, made the first time."""
    return payment_links.link_for(client=reminder.client, contact=reminder.contact)


def values_of(
    reminder: Reminder, cabinet: Cabinet, claimed: Sequence[ReminderLine], sums: Sums, *, language: str = "fr"
) -> dict[str, str]:
    """Return the merge fields the lines, the firm and the links do not tell by themselves."""
    addressee = addressee_of(reminder)
    invoices: list[Invoice] = [line.invoice for line in claimed]
    due = [invoice.due_on for invoice in invoices]
    values = {
        "Civilité_nom": greeting(addressee, language),
        "Prénom_client": addressee.first_name,
        "Nom_client": addressee.last_name,
        "Date_facture": day_words(invoices[0].issued_on, language),
        "Montant_dû": amount_words(sums.principal_cents, language),
        "Montant_facture": amount_words(sum(invoice.total_cents for invoice in invoices), language),
        "Période_échéances": period_words(min(due), max(due), language),
        "Référence_dossier": reference_for(addressee, invoices[0]),
        "IBAN_masqué": f"…{cabinet.iban[-IBAN_SHOWN:]}" if cabinet.iban else "",
        "Signature_avocat": signature_of(reminder, cabinet),
        "Délai_jours": str(answer_days(reminder)),
        "Date_calcul": day_words(sums.on, language),
        "Total": amount_words(sums.total_cents, language),
        "Articles_bâtonnier": cabinet.batonnier_articles,
        "Médiateur_nom": cabinet.mediator_name,
        "Médiateur_adresse": cabinet.mediator_address,
        "Médiateur_site": cabinet.mediator_site,
    }
    if sums.statements:
        values["Taux_libellé"] = rate_of(sums, claimed, language)
        values["Pénalités"] = amount_words(sums.interest_cents, language)
    return values


def reference_for(addressee: Client | Contact, invoice: Invoice) -> str:
    """Return how a file is named to whom a message is for: to who pays for somebody else, by the invoice alone."""
    is_third_party = isinstance(addressee, Contact) and addressee.is_third_party
    return str(invoice.number if is_third_party else invoice.dossier.reference)


def answer_days(reminder: Reminder) -> int:
    """Return how long the debtor has to answer: a formal notice gives longer to who is no professional."""
    others = reminder.step.answer_days_others
    is_professional = reminder.client_kind == ClientKind.PROFESSIONAL
    return reminder.step.answer_days if is_professional or others is None else others


def signature_of(reminder: Reminder, cabinet: Cabinet) -> str:
    """Return who signs: the lawyer the step names, else the firm."""
    signer = reminder.step.signed_by
    return signer.user.get_full_name() if signer is not None else cabinet.signature or cabinet.name


def greeting(addressee: Client | Contact, language: str = "fr") -> str:
    """Return "Madame Martin", or "Madame, Monsieur" where nobody is named."""
    words, nobody = GREETINGS[language]
    civility = words.get(Civility(addressee.civility), "")
    return f"{civility} {addressee.last_name}" if civility and addressee.last_name else nobody


def lines_of(reminder: Reminder) -> tuple[list[ReminderLine], list[ReminderLine]]:
    """Return the lines a reminder claims and those it mentions, oldest due date first.

    What accompanies a message has no lines of its own: it speaks of those of its lead.
    """
    lead = reminder.accompanies_id or reminder.pk
    rows = ReminderLine.objects.filter(reminder=lead).select_related("invoice__dossier", "case")
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


def line_of(line: ReminderLine, language: str = "fr") -> InvoiceLine:
    """Return an invoice as the debtor reads it."""
    return InvoiceLine(
        number=line.invoice.number,
        due_on=day_words(line.invoice.due_on, language),
        amount=WORDS[language].money(amount_words(line.owed_cents, language)),
    )
