"""Suivi v2: where a registered letter is, whoever printed it, by its number alone."""

from typing import Any

from cabinets.addresses import plain_name
from dunning.channels.letters import LetterStatus, Passage, follow, paris_day
from dunning.channels.protocol import DeliveryError
from dunning.channels.web import FORBIDDEN, NOT_FOUND, TOO_MANY, UNAUTHORISED, Answer, call, check_base
from dunning.enums import LetterState

NAME = "La Poste"
PRODUCTION = "https://api.laposte.fr"
KNOWN, UNKNOWN_NUMBERS = 200, frozenset({101, 104, 105, 109})

_STATES = {
    "PC1": LetterState.DEPOSITED,
    "PC2": LetterState.DEPOSITED,
    # A notice was left: the letter waits at the counter.
    "AG1": LetterState.PRESENTED,
    "DI1": LetterState.DELIVERED,
    "RE1": LetterState.RETURNED,
    "DI2": LetterState.RETURNED,
}


class Suivi:
    """La Poste's tracking, under one key."""

    def __init__(self, *, key: str, base_url: str = "") -> None:
        self._key = key
        self._base = check_base(base_url or PRODUCTION)

    def track(self, number: str) -> LetterStatus:
        """Say where a letter is; one La Poste has not seen yet is nowhere, which is no error."""
        if not number.isalnum():
            raise DeliveryError("Ce numéro de suivi n’est pas valable.", permanent=True)
        answer = call(
            "GET",
            f"{self._base}/suivi/v2/idships/{number}",
            name=NAME,
            headers={"x-okapi-key": self._key, "accept": "application/json"},
            params={"lang": "fr_FR"},
        )
        refuse_account(answer)
        found = _first(answer)
        code = found.get("returnCode")
        if code in UNKNOWN_NUMBERS or (code is None and answer.status == NOT_FOUND):
            return LetterStatus(state=LetterState.SUBMITTED, tracking=number)
        shipment = found.get("shipment")
        if code != KNOWN or not isinstance(shipment, dict) or shipment.get("idShip") != number:
            raise DeliveryError("La Poste ne dit pas où est cette lettre.", permanent=False, code=answer.status)
        status = follow(_passages(shipment.get("event")))
        return LetterStatus(
            state=status.state,
            deposited_on=status.deposited_on,
            presented_on=status.presented_on,
            ended_on=status.ended_on,
            tracking=number,
            words=status.words,
        )


def refuse_account(answer: Answer) -> None:
    """Raise what the key, or too many calls, make of an answer."""
    if answer.status in {UNAUTHORISED, FORBIDDEN}:
        raise DeliveryError("La Poste refuse la clé de l’interface.", permanent=True, code=answer.status)
    if answer.status == TOO_MANY:
        raise DeliveryError("La Poste demande d’attendre : trop d’appels.", permanent=False, code=answer.status)


def _passages(events: Any) -> list[Passage]:
    rows = [row for row in events if isinstance(row, dict)] if isinstance(events, list) else []
    waited = any(row.get("code") == "AG1" for row in rows)
    found = []
    for row in rows:
        state, on = _STATES.get(str(row.get("code", ""))), paris_day(row.get("date"))
        if state is not None and on is not None:
            words = str(row.get("label", ""))[:200]
            found.append(Passage(on=on, state=_why(words, waited=waited) if _is_back(state) else state, words=words))
    return found


def _is_back(state: LetterState) -> bool:
    return state is LetterState.RETURNED


def _why(words: str, *, waited: bool) -> LetterState:
    """Read why a letter comes back: refused, not fetched from the counter, or never presented."""
    plain = plain_name(words)
    if "refus" in plain:
        return LetterState.REFUSED
    if "reclam" in plain or "delai" in plain or (waited and "adresse" not in plain):
        return LetterState.UNCLAIMED
    return LetterState.RETURNED


def _first(answer: Answer) -> dict[str, Any]:
    found = answer.json()
    row = found[0] if isinstance(found, list) and found else found
    if not isinstance(row, dict):
        raise DeliveryError("La Poste donne une réponse inattendue.", permanent=False, code=answer.status)
    return row
