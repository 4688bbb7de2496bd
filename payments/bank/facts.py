"""What matching looks at, and what it answers: frozen facts, no row."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from payments.bank.references import NumberIndex

MOST_CONSIDERED = 24
CERTAIN = 100


class Outcome(StrEnum):
    """What taking a guess would do."""

    RECORD = "record"
    LINK = "link"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Owed:
    """An open invoice."""

    invoice_id: UUID
    client_id: UUID
    number: str
    cents: int


@dataclass(frozen=True, slots=True)
class Known:
    """A payment already recorded, of the days around the line, that no line of the bank explains yet."""

    payment_id: UUID
    client_id: UUID
    cents: int
    invoice_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Line:
    """What the bank says of one line; `payer_key` stands for the payer's account."""

    cents: int
    texts: tuple[str, ...]
    payer: str = ""
    payer_key: bytes = b""
    is_foreign: bool = False
    is_reversal: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a line for one client's invoices."""

    client_id: UUID
    invoice_ids: tuple[UUID, ...]
    cents: int


@dataclass(frozen=True, slots=True)
class Guess:
    """One way to explain a line, why, and how sure: 100 alone is certain."""

    outcome: Outcome
    shares: tuple[Share, ...]
    score: int
    reasons: tuple[str, ...]
    payment_id: UUID | None = None

    @property
    def is_certain(self) -> bool:
        """Tell whether no person is needed."""
        return self.score == CERTAIN

    @property
    def key(self) -> str:
        """Name the same explanation the same way, to remember that a person undid it."""
        said = [f"{share.client_id}:{','.join(sorted(map(str, share.invoice_ids)))}" for share in self.shares]
        return "|".join([self.outcome.value, str(self.payment_id or ""), *sorted(said)])


@dataclass(slots=True)
class Book:
    """What the firm knows when it looks at its bank: open invoices, every number it gave, names, payers' accounts.

    Names are bare ones; a payer's account stands under its key, with every client it was confirmed for.
    """

    owed: dict[UUID, Owed]
    index: NumberIndex
    numbers: dict[UUID, tuple[str, UUID]] = field(default_factory=dict)
    names: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    payers: dict[bytes, frozenset[UUID]] = field(default_factory=dict)

    def of_client(self, client_id: UUID) -> list[Owed]:
        """Return a client's open invoices, as many as are worth combining."""
        return [one for one in self.owed.values() if one.client_id == client_id][:MOST_CONSIDERED]
