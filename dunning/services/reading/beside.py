"""What stands beside an invoice on its page: accessories, limitation, and the words of the facts that stop it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cabinets.enums import ClientKind, Right
from cabinets.models import Cabinet, Membership
from cabinets.sealing import open_together
from cabinets.territories import Territory
from dunning.presenting import Event, moment_words
from dunning.services.reading.said import Told, author_of
from invoices.enums import ClaimKind, InvoiceKind, StopKind
from invoices.law.interest import RateMode
from invoices.law.limitation import Limitation, Nature
from invoices.law.rates import HalfYear
from invoices.models import AccessoryClaim, Invoice, LimitationEvent, Standstill
from invoices.money import NBSP, show_euros
from invoices.services.claims import Statement, statement_of
from invoices.services.limitation import NATURE_WORDS, clocks_of, events_of
from templates_lib.rendering import day_words

_RATES = {
    RateMode.BCE10: "taux de la BCE majoré de dix points",
    RateMode.BCE8_FROZEN: "taux de la BCE majoré de huit points",
    RateMode.CONTRACT: "taux de la convention",
    RateMode.LEGAL_TRIPLE: "trois fois le taux légal",
    RateMode.LEGAL: "taux légal",
}
_DATED = {
    StopKind.INSOLVENCY: "Jugement du",
    StopKind.OVER_INDEBTEDNESS: "Recevabilité du",
    StopKind.MEDIATION: "Convenue le",
    StopKind.BATONNIER_SEISED: "Saisi le",
    StopKind.PROTECTED_PERSON: "Depuis le",
}
_DUE = {
    StopKind.INSOLVENCY: "Créance à déclarer avant le",
    StopKind.DISPUTE: "Réponse attendue avant le",
    StopKind.CLAIMED_PAID: "À vérifier avant le",
    StopKind.BATONNIER_SEISED: "Prochain recours avant le",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What lateness adds, how long the fee may be claimed, and who may act on both."""

    statement: Statement
    rate_words: str
    awaited: HalfYear | None
    clock: Limitation
    moves: tuple[tuple[str, LimitationEvent], ...]
    may_waive: bool
    may_record: bool
    is_late: bool
    is_run_out: bool
    is_close: bool

    @property
    def shows_accessories(self) -> bool:
        """Say whether lateness adds, or may add, anything."""
        said = self.statement
        adds = said.accessories_cents > 0 or not said.is_interest_known
        return self.is_late and (adds or said.is_interest_waived or said.is_indemnity_waived)

    @property
    def why_nothing(self) -> str:
        """Say why lateness adds nothing to this invoice, when it is late all the same."""
        if not self.is_late or self.shows_accessories:
            return ""
        if self.statement.kind in {ClientKind.PROFESSIONAL, ClientKind.PUBLIC}:
            return "Une provision ne porte ni pénalité ni indemnité."
        return "Ce client ne doit rien de plus avant la présentation d’une mise en demeure."


def beside(*, invoice: Invoice, cabinet: Cabinet, member: Membership) -> Beside:
    """Return what stands beside an invoice; its dossier is loaded with it."""
    on = cabinet.today()
    said = statement_of(invoices=[invoice], on=on)[invoice.pk]
    clock = clocks_of(invoices=[invoice], territory=Territory(cabinet.territory))[invoice.pk]
    moves = open_together(events_of(dossier_id=invoice.dossier_id))
    # A provision closes nothing: nobody waives what was never due.
    may_waive = member.can(Right.APPROVE_FORMAL_NOTICES) and said.kind != ClientKind.PUBLIC
    return Beside(
        statement=said,
        rate_words=rate_words(said),
        awaited=said.missing_half,
        clock=clock,
        moves=tuple((NATURE_WORDS[Nature(one.nature)], one) for one in moves),
        may_waive=may_waive and invoice.kind == InvoiceKind.INVOICE,
        may_record=member.can(Right.RELEASE_DISPUTES),
        is_late=invoice.due_on < on,
        is_run_out=clock.has_run_out(on=on),
        is_close=bool(clock.alarms) and clock.alarms[0] <= on,
    )


def rate_words(said: Statement) -> str:
    """Say the rate of a statement, its percentage when it is known."""
    words = _RATES[said.rate_mode]
    if said.rate_percent is None:
        return words
    percent = f"{said.rate_percent.normalize():f}".replace(".", ",")
    return f"{words}, {percent}{NBSP}% l’an"


def fact_words(stop: Standstill) -> str:
    """Say what a fact carries beside its kind: its grounds, its days, what was promised."""
    kind, said = StopKind(stop.kind), []
    if stop.grounds:
        said.append(stop.get_grounds_display())
    if stop.promised_cents is not None:
        said.append(f"{show_euros(stop.promised_cents)} promis")
    if stop.started_on is not None and kind in _DATED:
        said.append(f"{_DATED[kind]} {day_words(stop.started_on)}")
    if stop.published_on is not None:
        said.append(f"Publication du {day_words(stop.published_on)}")
    if stop.answer_by is not None and stop.released_at is None:
        said.append(f"{_DUE.get(kind, 'À traiter avant le')} {day_words(stop.answer_by)}")
    return " ".join(f"{one}." for one in said)


def claim_events(*, invoices: Sequence[Invoice], zone: dt.tzinfo) -> Iterable[Told]:
    """Return what was given up of the accessories of these invoices, and by whom."""
    waived = AccessoryClaim.objects.filter(invoice__in=invoices, waived_at__isnull=False)
    for row in open_together(waived.select_related("waived_by__user")):
        if row.waived_at is not None:
            event = Event(
                at=row.waived_at,
                tone="neutral",
                icon="hand",
                title=f"{ClaimKind(row.kind).label}{NBSP}: abandon",
                when=moment_words(row.waived_at, zone),
                text=f"Par {author_of(row.waived_by)}. «{NBSP}{row.waiver_reason}{NBSP}»",
            )
            yield row.invoice_id, event
