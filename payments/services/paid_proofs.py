"""The receipt of a payment: the firm, the invoices by their numbers, the day, the sum, the means. Never the matter."""

from dataclasses import dataclass
from uuid import UUID

from cabinets.models import Cabinet
from invoices.money import show_euros
from payments.enums import PaymentState
from payments.models import Allocation, Checkout, Payment, PaymentLink
from payments.services import links
from templates_lib.pdf import render_document
from templates_lib.rendering import day_words

STYLES = ("fonts.css", "document.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a receipt says."""

    payment: Payment
    parts: tuple[tuple[str, int], ...]
    reference: str

    @property
    def number(self) -> str:
        """Return the receipt's own number: the day, and the beginning of the payment's identifier."""
        return f"{self.payment.received_on:%Y%m%d}-{str(self.payment.pk)[:8].upper()}"

    @property
    def file_name(self) -> str:
        """Return the name of its file."""
        return f"recu-{self.number}.pdf"


def proof_of(*, link: PaymentLink, payment_id: UUID) -> Proof | None:
    """Return what the receipt of a payment says; nothing unless it is in, and pays only what this link opens."""
    payment = Payment.objects.filter(pk=payment_id, client=link.client_id, state=PaymentState.SETTLED).first()
    if payment is None:
        return None
    shares = list(Allocation.objects.filter(payment=payment).select_related("invoice").order_by("invoice__number_key"))
    opened = set(links.opened_by(link).values_list("pk", flat=True))
    checkout = Checkout.objects.filter(payment=payment).first()
    is_mine = checkout is not None and checkout.link_id == link.pk
    if not (shares or is_mine) or not {share.invoice_id for share in shares} <= opened:
        return None
    return Proof(
        payment=payment,
        parts=tuple((share.invoice.number, share.cents + share.accessory_cents) for share in shares),
        reference="" if checkout is None else checkout.payment_ref or checkout.ref,
    )


def write(proof: Proof, *, cabinet: Cabinet) -> bytes:
    """Return the receipt as a PDF."""
    payment = proof.payment
    rest = payment.cents - sum(cents for _, cents in proof.parts)
    facts = {
        "number": proof.number,
        "firm": cabinet.name,
        "bar": cabinet.bar,
        "address": [line for line in (cabinet.address, f"{cabinet.postcode} {cabinet.city}".strip()) if line],
        "siren": cabinet.siren,
        "day": day_words(payment.received_on),
        "amount": show_euros(payment.cents),
        "means": str(payment.get_means_display()),
        "reference": proof.reference,
        "parts": [(number, show_euros(cents)) for number, cents in proof.parts],
        "rest": show_euros(rest) if rest > 0 else "",
        "demo": cabinet.is_demo,
    }
    return render_document("receipt.html", facts, styles=STYLES).content
