"""What a debtor chooses to pay, from which buttons: the page says the sums, and the sums it said come back."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import QueryDict

from cabinets.models import Cabinet
from invoices.money import AmountError, parse_euros, to_cents
from payments.enums import Mode, PaymentMeans
from payments.errors import CheckoutError
from payments.portal.account import Account, Line
from payments.services import roads
from payments.services.recording import Debt, spread

STALE = "Cette page a changé depuis son affichage. Rien n’a été payé : reprenez-la."
LABELS = {
    PaymentMeans.CARD: "Payer par carte",
    PaymentMeans.DEBIT: "Payer par prélèvement",
    PaymentMeans.TRANSFER: "Payer depuis ma banque",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One button."""

    means: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """A form that pays: its buttons, its sums, and the identifier that makes a second tap the first one."""

    form_id: UUID
    cents: int
    shares: tuple[tuple[UUID, int], ...]
    buttons: tuple[Way, ...]
    providers: tuple[str, ...]
    is_test: bool
    may_part: bool
    """Whether another amount may be typed: of one invoice, where the firm allows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked to be paid."""

    form_id: UUID
    shares: dict[UUID, int]
    means: PaymentMeans


def ways_to_pay(account: Account, lines: Sequence[Line], cabinet: Cabinet) -> Ways | None:
    """Return the buttons that pay these lines; nothing when nothing may be paid, or no way is open."""
    cents = account.asked_cents if tuple(lines) == account.asked else sum(line.owed_cents for line in lines)
    if not (account.may_pay and lines and cents > 0):
        return None
    found = roads.offers(cabinet)
    if not found:
        return None
    shares = spread(cents, [Debt(line.invoice.pk, line.owed_cents) for line in lines])
    accounts = list(dict.fromkeys(found.values()))
    return Ways(
        form_id=uuid4(),
        cents=cents,
        shares=tuple((share.invoice_id, share.cents) for share in shares),
        buttons=tuple(Way(means=means, label=LABELS[means]) for means in found),
        providers=tuple(str(one.get_provider_display()) for one in accounts),
        is_test=any(one.mode == Mode.TEST for one in accounts),
        may_part=cabinet.allows_part_payments and len(lines) == 1,
    )


def read_wish(posted: QueryDict, *, offered: Container[PaymentMeans]) -> Wish:
    """Read what a form asks to pay; CheckoutError for what no page of ours sends, or no longer."""
    try:
        shares = dict(_share(text) for text in posted.getlist("part"))
        form_id = UUID(posted.get("formulaire", ""))
        means = PaymentMeans(posted.get("moyen", ""))
    except ValueError as error:
        raise CheckoutError(STALE) from error
    if means not in offered:
        raise CheckoutError("Ce moyen de paiement n’est plus proposé. Rien n’a été payé : choisissez-en un autre.")
    if (typed := posted.get("montant", "").strip()) and len(shares) == 1:
        shares = dict.fromkeys(shares, _typed(typed))
    return Wish(form_id=form_id, shares=shares, means=means)


def chosen_among(lines: Iterable[Line], ids: Sequence[str]) -> tuple[Line, ...]:
    """Return the payable lines whose boxes were ticked, in the page's order; a foreign id chooses nothing."""
    wanted = set(ids)
    return tuple(line for line in lines if line.is_payable and str(line.invoice.pk) in wanted)


def _share(text: str) -> tuple[UUID, int]:
    invoice_id, _, cents = text.partition(":")
    return UUID(invoice_id), int(cents[:15])


def _typed(text: str) -> int:
    try:
        return to_cents(parse_euros(text))
    except AmountError as error:
        raise CheckoutError(f"{error} Rien n’a été payé.") from error
