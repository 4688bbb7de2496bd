"""« Essayer sur une facture »: which rules apply to one invoice today, which decides, and what comes next."""

import datetime as dt
from dataclasses import dataclass

from cabinets.models import Cabinet
from cabinets.territories import Territory, zone_of
from dunning.enums import PENDING, Code
from dunning.models import DunningCase, Reminder
from dunning.policy import RULES, Facts, Verdict, decide
from dunning.presenting import hour_words, offset_words, reasons_of
from dunning.services.facts import load_facts
from dunning.services.nights import opening, window_of
from dunning.stop_rules import STOP_RULES, StopRule
from invoices.models import Invoice
from invoices.services.entering import number_key
from templates_lib.rendering import day_words

SPEAKING = (Code.SEND, Code.NEEDS_APPROVAL)
OFF_LADDER = "Cette facture n’est suivie par aucun scénario : rien ne part à son sujet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the rules answer for one invoice today."""

    invoice: Invoice
    client_name: str
    step: str
    applying: tuple[StopRule, ...]
    decides: StopRule | None
    reasons: tuple[str, ...]
    comes_next: str


def find(*, number: str) -> Invoice | None:
    """Return the invoice that bears this number, however it is typed, among those the person sees."""
    key = number_key(" ".join(number.split()))
    return Invoice.objects.filter(number_key=key).select_related("client").first() if key else None


def try_on(*, invoice: Invoice, cabinet: Cabinet) -> Trial:
    """Ask every rule about an invoice today, as the night does, and say what comes next."""
    on, now = cabinet.today(), cabinet.now()
    pending = Reminder.objects.filter(lines__invoice=invoice, state__in=PENDING).values_list("pk", flat=True).first()
    facts = load_facts(invoice_ids=[invoice.pk], on=on, now=now, apart_from=pending).get(invoice.pk)
    case = DunningCase.objects.filter(invoice=invoice).first()
    if facts is None or case is None:
        return _trial(invoice, None, (), None, OFF_LADDER)
    applying = tuple(STOP_RULES[code] for code, applies in RULES if applies(facts, on))
    verdict = decide(facts, on=on)
    if verdict.code not in SPEAKING:
        return _trial(invoice, facts, applying, verdict, STOP_RULES[verdict.code].ends)
    if pending is not None:
        comes_next = "Un message est déjà prêt : il attend son départ ou votre accord."
    elif case.next_action_on is not None and case.next_action_on > on:
        comes_next = f"L’étape n’est pas encore due : la nuit du {day_words(case.next_action_on)} l’examine."
    elif verdict.code == Code.NEEDS_APPROVAL:
        comes_next = "La prochaine nuit prépare le message, qui attend un accord sur « À valider »."
    else:
        comes_next = f"La prochaine nuit prépare le message, qui part à partir du {_leaves(invoice, cabinet, now)}."
    return _trial(invoice, facts, applying, verdict, comes_next)


def _trial(
    invoice: Invoice, facts: Facts | None, applying: tuple[StopRule, ...], verdict: Verdict | None, comes_next: str
) -> Trial:
    step = facts.step if facts is not None else None
    return Trial(
        invoice=invoice,
        client_name=invoice.client.display_name,
        step=f"{offset_words(step.offset_days)}, {step.tone.label.lower()}" if step else "aucune",
        applying=applying,
        decides=STOP_RULES[verdict.code] if verdict is not None else None,
        reasons=tuple(reasons_of(verdict.reasons)) if verdict is not None else (),
        comes_next=comes_next,
    )


def _leaves(invoice: Invoice, cabinet: Cabinet, now: dt.datetime) -> str:
    known = invoice.client.territory
    place = Territory(known or cabinet.territory)
    zone_name = zone_of(place).key if known else cabinet.zone_name
    at = opening(now, zone_name, place, window_of(cabinet)).astimezone(cabinet.zone)
    return f"{day_words(at.date())} à {hour_words(at, cabinet.zone)}"
