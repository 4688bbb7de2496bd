"""Compose an e-mail from a text and its values, then wrap it in headers that hold no surprise."""

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import css_inline
from django.template import Context, Engine, Template

from templates_lib.enums import Step
from templates_lib.errors import AddressError, BrokenTextError, HeaderInjectionError
from templates_lib.library import TextVersion, Variant
from templates_lib.rendering import blocks, domain_of, render, render_html, typeset
from templates_lib.words import WORDS, Words

LAYOUTS = Path(__file__).parent / "layouts"
SUMMARY = "[Récapitulatif]"
# Without it a phone fills its preview, on the lock screen, with the first words and the amount.
PADDING = "\u034f\u200c\u00a0" * 90

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"(?=.{{1,64}}$){_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One invoice as the debtor reads it: its amount is what is left to pay, written with its currency."""

    number: str
    due_on: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """The firm as it signs its messages: « Avocats au barreau de Nantes » is a tagline, « Nantes » a bar."""

    name: str
    address: str
    phone: str
    email: str
    bar: str
    tagline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The pages a message leads to; the optional ones are shown when they exist."""

    pay: str
    manage: str
    already_paid: str
    problem: str
    instalments: str = ""
    rights: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """A message as it will be read."""

    subject: str
    html: str
    text: str
    language: str = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who writes to whom, and how the message is known and threaded."""

    sender_name: str
    sender_address: str
    recipient: str
    reply_to: str
    message_id: str
    sent_at: dt.datetime
    references: tuple[str, ...] = ()
    feedback_id: str = ""


def compose_email(  # noqa: PLR0913 - one argument per part of the message
    *,
    version: TextVersion,
    values: Mapping[str, str],
    lines: Sequence[InvoiceLine],
    firm: Firm,
    links: Links,
    also_due: Sequence[InvoiceLine] = (),
    demo: bool = False,
    variant: Variant | None = None,
    labels: Words | None = None,
) -> Composed:
    """Write the message that claims these invoices, and lists the others as « également à régler ».

    `values` brings what neither the firm, the links nor the lines tell; a field left without a value raises. `labels`
    names the lines otherwise: the dates of a payment plan are no invoices.
    """
    if not lines:
        raise BrokenTextError("Un message réclame au moins une facture.")
    several = len(lines) > 1
    form, words = version.form_for(invoices=len(lines), variant=variant), labels or WORDS[version.language]
    filled = {**values, **_known_values(lines, firm, links)}
    subject = render(_typeset(form.subject, version), filled).replace("\n", " ")
    paragraphs = blocks(_typeset(form.body, version))
    cut = paragraphs.index(SUMMARY) if SUMMARY in paragraphs else len(paragraphs)
    before, after = paragraphs[:cut], paragraphs[cut + 1 :]
    rights = links.rights or links.manage
    context = {
        "subject": subject,
        "language": version.language,
        "words": words,
        "preheader": (words.about_several if several else words.about_one).format(firm=firm.name),
        "padding": PADDING,
        "demo": words.demo if demo else "",
        "firm": firm,
        "several": several,
        "lines": lines,
        "also_due": also_due,
        "total": words.money(filled.get("Montant_dû", "")),
        "links": links,
        "button": words.pay_several if several else words.pay_one,
        "choices": _choices(links, version.step, words),
        "answer": words.answer,
        "signature": f"{firm.name}, {firm.address}",
        "notice": (words.notice_several if several else words.notice_one).format(firm=firm.name),
        "rights": rights,
        "rights_domain": domain_of(rights),
    }

    def paragraphs_of(part: Sequence[str]) -> list[str]:
        return [render_html(paragraph, filled, link_labels={"Lien_gestion": words.manage}) for paragraph in part]

    html = _layout("email.html").render(
        Context({**context, "before": paragraphs_of(before), "after": paragraphs_of(after)})
    )
    text = _layout("email.txt").render(
        Context(
            {
                **context,
                "before": [render(paragraph, filled) for paragraph in before],
                "after": [render(paragraph, filled) for paragraph in after],
            },
            autoescape=False,
        )
    )
    return Composed(subject=subject, html=_inliner().inline(html), text=text.strip() + "\n", language=version.language)


def build_message(composed: Composed, envelope: Envelope) -> EmailMessage:
    """Wrap a message in its headers; the same message in the same envelope gives the same bytes."""
    sent_at = envelope.sent_at
    if sent_at.tzinfo is None:
        raise ValueError("The instant a message leaves names its zone.")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(
        display_name=_clean_header(envelope.sender_name), addr_spec=mail_address(envelope.sender_address)
    )
    message["To"] = Address(addr_spec=mail_address(envelope.recipient))
    message["Reply-To"] = Address(display_name=envelope.sender_name, addr_spec=mail_address(envelope.reply_to))
    message["Subject"] = _clean_header(composed.subject)
    message["Date"] = sent_at
    message["Message-ID"] = _message_id(envelope.message_id)
    if envelope.references:
        message["In-Reply-To"] = _message_id(envelope.references[-1])
        message["References"] = " ".join(_message_id(reference) for reference in envelope.references)
    message["Auto-Submitted"] = "auto-generated"
    if envelope.feedback_id:
        message["Feedback-ID"] = _clean_header(envelope.feedback_id)
    message.set_content(composed.text, cte="quoted-printable")
    message.add_alternative(composed.html, subtype="html", cte="quoted-printable")
    # Set last: making the alternative takes every Content-* header down into its first part.
    message["Content-Language"] = composed.language
    # Quoted-printable writes "=" as "=3D": this boundary can stand in no part.
    message.set_boundary(f"=_{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]}")
    return message


def mail_address(address: str) -> str:
    """Return an address every server takes: a plain local part, an accented domain in its ASCII form."""
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressError(f"«\u00a0{address}\u00a0» n’est pas une adresse e-mail.") from error
    if at and local and not local.isascii():
        raise AddressError(
            f"«\u00a0{address}\u00a0»\u00a0: tous les serveurs n’acceptent pas une lettre accentuée avant "
            "l’arobase. Demandez une autre adresse."
        )
    if not (at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain)):
        raise AddressError(f"«\u00a0{address}\u00a0» n’est pas une adresse e-mail.")
    return f"{local}@{ascii_domain}"


def _known_values(lines: Sequence[InvoiceLine], firm: Firm, links: Links) -> dict[str, str]:
    known = {
        "Nom_cabinet": firm.name,
        "Téléphone_cabinet": firm.phone,
        "Email_cabinet": firm.email,
        "Barreau": firm.bar,
        "Lien_paiement": links.pay,
        "Lien_gestion": links.manage,
        "Nombre_factures": str(len(lines)),
    }
    if len(lines) == 1:
        known |= {"Numéro_facture": lines[0].number, "Date_échéance": lines[0].due_on}
    return known


def _typeset(text: str, version: TextVersion) -> str:
    """Give a French text its typography; an English one keeps its own."""
    return typeset(text) if version.language == "fr" else text


def _choices(links: Links, step: Step, words: Words) -> list[tuple[str, str]]:
    instalments = links.instalments if step is Step.J10 else ""
    choices = [
        (words.instalments, instalments),
        (words.problem, links.problem),
        (words.already_paid, links.already_paid),
    ]
    return [(label, url) for label, url in choices if url]


def _clean_header(value: str) -> str:
    if _CONTROL.search(value):
        raise HeaderInjectionError(f"Un saut de ligne n’a pas sa place dans un en-tête\u00a0: {value!r}.")
    return value


def _message_id(value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise HeaderInjectionError(f"Un identifiant de message s’écrit <…@…>\u00a0: {value!r}.")
    return value


@functools.cache
def _layout(name: str) -> Template:
    return Engine(dirs=[str(LAYOUTS)], autoescape=True, string_if_invalid="").get_template(name)


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
