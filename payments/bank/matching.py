"""Whose money a line is: what is owed and what is known of payers in, scored guesses out; no row is touched.

A guess is certain in two cases only: the words name our invoices in full and the amount is theirs to the cent, or a
payer's account already confirmed for one client pays exactly what one set of its invoices owes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from rapidfuzz import fuzz

from invoices.money import show_euros
from payments.bank.facts import CERTAIN, MOST_CONSIDERED, Book, Guess, Known, Line, Outcome, Owed, Share
from payments.bank.references import flat

MOST_SUMMED = 4
MOST_GUESSES = 4
MOST_FEES = 3_000
LIKE = 88
# Below this a guess is not worth a person's time; from WORTH_WAITING on, reminders wait for the person.
WORTH_SHOWING, WORTH_WAITING = 30, 60
_LEGAL_FORMS = frozenset({
    "SARL", "SAS", "SASU", "SA", "EURL", "SCI", "SELARL", "SELAS", "SNC", "SCP", "EI", "EARL", "GMBH", "LTD",
    "ASSOCIATION", "STE", "SOCIETE",
})  # fmt: skip
_TITLES = frozenset({
    "M", "MR", "MME", "MLLE", "MONSIEUR", "MADAME", "OU", "ET", "VIR", "VIREMENT", "SEPA", "DE",
})  # fmt: skip


def guesses(line: Line, book: Book, known: Sequence[Known] = ()) -> list[Guess]:
    """Return the explanations of a line, the best first, one of them at most certain."""
    if line.cents < 0:
        return _of_money_out(line, book, known)
    signs = _Signs.of(line, book)
    twins = [one for one in known if one.cents == line.cents]
    found = [*_by_number(line, book, signs), *_by_payer(line, book, signs), *_by_amount(line, book)]
    return _ranked([*_of_twins(twins, signs, book), *(_less_sure(guess, twins) for guess in found)])


def remarks(line: Line, book: Book) -> list[str]:
    """Say what the words name that is no longer owed."""
    found, _ = book.index.find(line.texts)
    return [
        f"La facture {book.numbers[one.invoice_id][0]} est citée, mais elle n’est plus due."
        for one in found
        if one.invoice_id not in book.owed and one.invoice_id in book.numbers
    ]


@dataclass(frozen=True, slots=True)
class _Signs:
    """What a line shows: numbers, the payer's account, the payer's name."""

    exact: tuple[Owed, ...]
    loose: tuple[Owed, ...]
    closed: frozenset[UUID]
    closed_clients: frozenset[UUID]
    is_ambiguous: bool
    payers: frozenset[UUID]
    named: dict[UUID, str]

    @classmethod
    def of(cls, line: Line, book: Book) -> "_Signs":
        found, is_ambiguous = book.index.find(line.texts)
        closed = frozenset(one.invoice_id for one in found if one.invoice_id not in book.owed)
        return cls(
            exact=tuple(book.owed[one.invoice_id] for one in found if one.is_exact and one.invoice_id in book.owed),
            loose=tuple(book.owed[one.invoice_id] for one in found if not one.is_exact and one.invoice_id in book.owed),
            closed=closed,
            closed_clients=frozenset(book.numbers[pk][1] for pk in closed if pk in book.numbers),
            is_ambiguous=is_ambiguous,
            payers=book.payers.get(line.payer_key, frozenset()) if line.payer_key else frozenset(),
            named=_named(line, book),
        )

    @property
    def clients(self) -> frozenset[UUID]:
        """Return the clients that a number or the account points at."""
        named = {one.client_id for one in (*self.exact, *self.loose)}
        return frozenset(named) | self.payers | self.closed_clients


def _named(line: Line, book: Book) -> dict[UUID, str]:
    """Return the clients whose name the payer bears, with that name."""
    said = bare_name(line.payer) or bare_name(line.texts[0] if line.texts else "")
    return {pk: name for pk, names in book.names.items() for name in names if name and said and _alike(name, said)}


def _alike(name: str, said: str) -> bool:
    words, heard = set(name.split()), set(said.split())
    # One word in common is a given name or a trade, unless it is the whole name.
    if words <= heard:
        return len(name) >= 4  # noqa: PLR2004 - « SA », « EDF » prove nothing
    return fuzz.token_sort_ratio(name, said) >= LIKE


def bare_name(name: str) -> str:
    """Reduce a name to the words that tell it from others."""
    words = "".join(mark if mark.isalnum() else " " for mark in flat(name)).split()
    return " ".join(word for word in words if word not in _LEGAL_FORMS | _TITLES)


def _by_number(line: Line, book: Book, signs: _Signs) -> list[Guess]:
    """Explain a line by the invoices it names."""
    named = signs.exact or signs.loose
    if not named:
        return []
    numbers = ", ".join(sorted(one.number for one in named))
    several = len(named) > 1
    if signs.exact:
        reason = f"Le libellé cite {'les factures' if several else 'la facture'} {numbers}."
    else:
        reason = f"Le libellé ressemble {'aux numéros' if several else 'au numéro'} {numbers}."
    owed = sum(one.cents for one in named)
    clients = {one.client_id for one in named}
    if len(clients) > 1:
        shares = _shares_of(named) if owed == line.cents else ()
        score, told = 90, f"Le montant est le total des factures de {len(clients)} clients : un paiement chacun."
        return [Guess(Outcome.RECORD, shares, score, (reason, told))] if shares else []
    score, told = _against(line, owed, several=several)
    if signs.exact and score == CERTAIN and (signs.is_ambiguous or signs.closed or signs.loose):
        score, told = 92, f"{told} Le libellé cite aussi autre chose : vérifiez."
    if not signs.exact:
        score = min(score, 85) - (20 if signs.is_ambiguous else 0)
    share = Share(next(iter(clients)), tuple(one.invoice_id for one in named), line.cents)
    return [Guess(Outcome.RECORD, (share,), score, (reason, told, *_payer_said(signs, share.client_id)))]


def _against(line: Line, owed: int, *, several: bool) -> tuple[int, str]:
    """Compare an amount with what the invoices named owe."""
    gap = line.cents - owed
    whole = "leur reste dû" if several else "son reste dû"
    if gap == 0:
        return CERTAIN, f"Le montant est exactement {whole}."
    if gap > 0:
        return 75, f"Le montant dépasse {whole} de {show_euros(gap)}."
    if line.is_foreign and -gap <= MOST_FEES:
        return 85, f"Il manque {show_euros(-gap)} : des frais bancaires sur un virement de l’étranger, sans doute."
    if -gap <= MOST_FEES:
        return 80, f"Il manque {show_euros(-gap)} sur {whole} : paiement partiel, ou frais retenus par la banque."
    return 78, f"Paiement partiel : {show_euros(line.cents)} sur {show_euros(owed)}."


def _by_payer(line: Line, book: Book, signs: _Signs) -> list[Guess]:
    """Explain a line by who pays it: an account already confirmed, or a name."""
    others = {one.client_id for one in (*signs.exact, *signs.loose)}
    found: list[Guess] = []
    for client_id in sorted(signs.payers | signs.named.keys(), key=str):
        sums = list(_sums(line.cents, book.of_client(client_id)))
        by_account = client_id in signs.payers
        said = _payer_said(signs, client_id)
        for picked in sums:
            is_certain = (
                by_account
                and len(signs.payers) == 1
                and not (others - {client_id} or signs.closed or signs.is_ambiguous or signs.exact or signs.loose)
                and len(book.of_client(client_id)) < MOST_CONSIDERED
            )
            base = CERTAIN if is_certain else 80 if by_account or len(signs.named) == 1 else 65
            score = base if len(sums) == 1 else 65
            share = Share(client_id, tuple(one.invoice_id for one in picked), line.cents)
            found.append(Guess(Outcome.RECORD, (share,), score, (*said, _sum_said(picked, len(sums)))))
        if not sums and (oldest := book.of_client(client_id)):
            found.append(_on_account(line, client_id, oldest, said, by_account=by_account))
    return found


def _on_account(line: Line, client_id: UUID, owed: Sequence[Owed], said: Sequence[str], *, by_account: bool) -> Guess:
    """Propose a client's oldest invoices when none of their sums is the amount."""
    picked, left = [], line.cents
    for one in owed:
        if left <= 0:
            break
        picked.append(one.invoice_id)
        left -= one.cents
    told = (
        f"Aucune somme de ses factures ne fait {show_euros(line.cents)} : "
        + ("la plus ancienne d’abord." if left <= 0 else f"toutes seraient réglées, {show_euros(left)} en trop.")
    )  # fmt: skip
    share = Share(client_id, tuple(picked), line.cents)
    return Guess(Outcome.RECORD, (share,), 55 if by_account else 45, (*said, told))


def _by_amount(line: Line, book: Book) -> list[Guess]:
    """Explain a line by an amount that one invoice alone, or a few, still owe."""
    same = [one for one in book.owed.values() if one.cents == line.cents]
    if not same or len(same) > MOST_GUESSES - 1:
        return []
    told = (
        f"Seule la facture {same[0].number} a ce reste dû."
        if len(same) == 1
        else f"{len(same)} factures ont ce reste dû."
    )
    return [
        Guess(
            Outcome.RECORD,
            (Share(one.client_id, (one.invoice_id,), line.cents),),
            40 if len(same) == 1 else WORTH_SHOWING,
            (told,),
        )
        for one in same
    ]


def _of_twins(twins: Sequence[Known], signs: _Signs, book: Book) -> list[Guess]:
    """Recognise a payment recorded by hand: linking it counts the money once."""
    told = "Un paiement du même montant est déjà enregistré à quelques jours près : la ligne lui est rattachée."
    cited = {one.invoice_id for one in signs.exact} | signs.closed
    found = []
    for one in twins:
        by_sign, by_name = one.client_id in signs.clients, one.client_id in signs.named
        is_certain = by_sign and len(twins) == 1 and not signs.is_ambiguous and len(signs.payers) <= 1
        # Without a number, an open invoice of that very amount may be what this money is for.
        explained = cited <= one.invoice_ids if cited else not any(_sums(one.cents, book.of_client(one.client_id)))
        is_certain = is_certain and explained
        score = CERTAIN if is_certain else 88 if by_sign else 82 if by_name else 50
        share = Share(one.client_id, tuple(sorted(one.invoice_ids, key=str)), one.cents)
        found.append(Guess(Outcome.LINK, (share,), score, (told,), payment_id=one.payment_id))
    return found


def _less_sure(guess: Guess, twins: Sequence[Known]) -> Guess:
    """Leave to a person what could count the same money twice."""
    clients = {share.client_id for share in guess.shares}
    if not any(one.client_id in clients for one in twins):
        return guess
    told = "Un paiement du même montant est déjà enregistré pour ce client : ne le comptez pas deux fois."
    return Guess(guess.outcome, guess.shares, min(guess.score, 70), (*guess.reasons, told), guess.payment_id)


def _of_money_out(line: Line, book: Book, known: Sequence[Known]) -> list[Guess]:
    """Recognise a payment that comes back unpaid."""
    if not line.is_reversal:
        return []
    signs = _Signs.of(line, book)
    same = [one for one in known if one.cents == -line.cents]
    found = []
    for one in same:
        is_named = one.client_id in signs.clients or one.client_id in signs.named
        told = f"Un paiement de {show_euros(one.cents)} de ce client a été encaissé : la banque le reprend."
        share = Share(one.client_id, tuple(sorted(one.invoice_ids, key=str)), one.cents)
        score = 90 if is_named and len(same) == 1 else 70 if is_named else 50
        found.append(Guess(Outcome.REVERSE, (share,), score, (told,), payment_id=one.payment_id))
    return _ranked(found)


def _sums(cents: int, owed: Sequence[Owed]) -> Iterable[tuple[Owed, ...]]:
    """Give every set of one to four invoices that owe exactly this."""
    for size in range(1, MOST_SUMMED + 1):
        for picked in combinations(owed, size):
            if sum(one.cents for one in picked) == cents:
                yield picked


def _sum_said(picked: Sequence[Owed], ways: int) -> str:
    numbers = ", ".join(one.number for one in picked)
    told = (
        f"Le montant est le reste dû de la facture {numbers}."
        if len(picked) == 1
        else f"Le montant est la somme des factures {numbers}."
    )
    return told if ways == 1 else f"{told} {ways} façons d’arriver à ce montant existent."


def _payer_said(signs: _Signs, client_id: UUID) -> tuple[str, ...]:
    if client_id in signs.payers:
        if len(signs.payers) > 1:
            return ("Ce compte a déjà payé pour plusieurs clients.",)
        return ("Ce compte a déjà payé pour ce client.",)
    if client_id in signs.named:
        return ("Le nom du payeur est celui du client.",)
    return ()


def _shares_of(named: Sequence[Owed]) -> tuple[Share, ...]:
    by_client: dict[UUID, list[Owed]] = {}
    for one in named:
        by_client.setdefault(one.client_id, []).append(one)
    return tuple(
        Share(client_id, tuple(one.invoice_id for one in found), sum(one.cents for one in found))
        for client_id, found in by_client.items()
    )


def _ranked(found: Iterable[Guess]) -> list[Guess]:
    """Keep the best of each explanation; two that are certain contradict each other, and neither is."""
    best: dict[str, Guess] = {}
    for guess in found:
        if guess.key not in best or best[guess.key].score < guess.score:
            best[guess.key] = guess
    ranked = sorted(best.values(), key=lambda guess: (-guess.score, guess.key))
    if sum(guess.is_certain for guess in ranked) > 1:
        ranked = [Guess(one.outcome, one.shares, min(one.score, 90), one.reasons, one.payment_id) for one in ranked]
    return [guess for guess in ranked if guess.score >= WORTH_SHOWING][:MOST_GUESSES]
