"""The words of a message about a payment plan: its dates as lines, its text from the library, linted as any other."""

import datetime as dt

from cabinets.models import Cabinet, Client, Contact
from dunning.channels.protocol import Outgoing
from dunning.services.claiming import Words
from dunning.services.composing import Sender, firm_of, greeting, lint_of, matter_words_of, refuse_faults
from payments.enums import PlanMail
from payments.models import PlanMessage
from payments.plans import Standing
from payments.services import links as payment_links
from payments.services.debiting import Collecting, collecting_of
from payments.services.plan_reading import View
from templates_lib.email import Composed, Envelope, InvoiceLine, Links, build_message, compose_email
from templates_lib.enums import kind_of
from templates_lib.library import TextVersion
from templates_lib.lint import lint_rendered
from templates_lib.plan_texts import COLLECTED, plan_text, plan_words, rank_words
from templates_lib.rendering import amount_words, day_words
from templates_lib.words import WORDS


def write(message: PlanMessage, view: View, *, cabinet: Cabinet, sender: Sender, now: dt.datetime) -> Words[Outgoing]:
    """Compose a message about a plan from how it stands today; raise TextError when it may not leave."""
    plan, addressee = message.plan, addressee_of(message)
    link = payment_links.url_of(payment_links.link_for(client=plan.client, contact=plan.contact))
    version = _text_of(message)
    matter_words = matter_words_of(cabinet)
    refuse_faults(lint_of(version, matter_words))
    composed = compose(message, view, cabinet=cabinet, link=link)
    refuse_faults(lint_rendered(composed.html, composed.text, payment_link=link, matter_words=matter_words))
    message_id = f"<{message.pk}@{sender.address.rpartition('@')[2]}>"
    envelope = Envelope(
        sender_name=cabinet.name,
        sender_address=sender.address,
        recipient=addressee.email,
        reply_to=sender.reply_to or cabinet.email or sender.address,
        message_id=message_id,
        sent_at=now.astimezone(cabinet.zone),
        feedback_id=f"plan:{cabinet.slug}:quittance",
    )
    return Words(
        subject=composed.subject,
        html=composed.html,
        text=composed.text,
        recipient=addressee.email,
        message_id=message_id,
        text_ref=version.ref,
        sent_from=sender.address,
        payload=sender.parcel(
            message=build_message(composed, envelope).as_bytes(), recipient=addressee.email, message_id=message_id
        ),
    )


def compose(message: PlanMessage, view: View, *, cabinet: Cabinet, link: str) -> Composed:
    """Fill the text of a message: the instalments it is about, or the invoices when the dates are refused."""
    kind, version = PlanMail(message.kind), _text_of(message)
    language, is_refusal = version.language, kind == PlanMail.REFUSED
    is_collected = version.slug == f"plan-{COLLECTED}"
    parts = [one for one in view.parts if message.instalment is None or one.rank == message.instalment.rank]
    owed = [one for one in view.invoices if one.outstanding_cents > 0]
    lines = (
        [_line(one.number, one.due_on, one.outstanding_cents, language) for one in owed]
        if is_refusal
        else [_line(rank_words(one.rank, len(view.parts), language), one.due_on, _due(one), language) for one in parts]
    )
    cents = sum(one.outstanding_cents for one in owed) if is_refusal else sum(_due(one) for one in parts)
    return compose_email(
        version=version,
        values={
            "Civilité_nom": greeting(addressee_of(message), language),
            "Montant_dû": amount_words(cents, language),
            "Signature_avocat": cabinet.signature or cabinet.name,
        },
        lines=lines,
        firm=firm_of(cabinet),
        links=Links(
            pay=link,
            manage=link,
            already_paid="" if is_refusal or is_collected else f"{link}deja-paye/",
            problem=f"{link}probleme/",
            rights=f"{link}donnees/",
        ),
        demo=cabinet.is_demo,
        labels=None if is_refusal else plan_words(language, is_collected=is_collected),
    )


def _text_of(message: PlanMessage) -> TextVersion:
    """Return the text of a message; nobody is told to pay what a mandate collects."""
    kind, part = PlanMail(message.kind), message.instalment
    is_collected = (
        kind == PlanMail.REMINDER and part is not None and collecting_of(message.plan, part) is Collecting.SURE
    )
    about = COLLECTED if is_collected else kind.value
    return plan_text(about=about, kind=kind_of(message.plan.kind), language=message.plan.language)


def addressee_of(message: PlanMessage) -> Client | Contact:
    """Return who a message is written to: the contact in charge of the invoices where there is one, else the client."""
    contact: Contact | None = message.plan.contact
    client: Client = message.plan.client
    return contact if contact is not None and not contact.is_archived else client


def _due(part: Standing) -> int:
    return part.left_cents or part.cents


def _line(number: str, due_on: dt.date, cents: int, language: str) -> InvoiceLine:
    return InvoiceLine(
        number=number,
        due_on=day_words(due_on, language),
        amount=WORDS[language].money(amount_words(cents, language)),
    )
