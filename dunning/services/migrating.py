"""Move cases in flight to another ladder: where each stands, where it would land, and the move, never a step twice."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.enums import SPOKEN, Tone
from dunning.models import DunningCase, ReminderLine, ScenarioVersion, Step
from dunning.rungs import landing
from dunning.services.ladder import UNSETTLED, day_of_next_step, schedule
from dunning.services.scenarios import rungs_of
from invoices.enums import InvoiceState
from invoices.locks import lock_invoices

MOVED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One case: the step it waits for, the one it would wait for, and when; busy, it stays where it is."""

    case: DunningCase
    here: Step | None
    there: Step | None
    rank: int
    there_on: dt.date | None
    is_busy: bool


def movable(*, to: ScenarioVersion) -> QuerySet[DunningCase]:
    """Return the open cases that follow an older version of this scenario."""
    left = F("invoice__total_cents") - F("invoice__credited_cents")
    cases = DunningCase.objects.filter(version__scenario=to.scenario_id, invoice__state=InvoiceState.OPEN)
    return cases.exclude(version=to).filter(invoice__settled_cents__lt=left)


def standings(*, to: ScenarioVersion, cases: Sequence[DunningCase], on: dt.date) -> list[Standing]:
    """Say of each case where it stands and where it would land, in four queries; the cases come with their invoice."""
    ids = [case.pk for case in cases]
    steps: dict[tuple[UUID, int], Step] = {}
    for step in Step.objects.filter(version__in={to.pk, *(case.version_id for case in cases)}):
        steps[step.version_id, step.rank] = step
    ladder = [
        step for (version_id, _), step in sorted(steps.items(), key=lambda pair: pair[0][1]) if version_id == to.pk
    ]
    lines = ReminderLine.objects.filter(case__in=ids, is_claimed=True, counts=True)
    busy = set(lines.filter(reminder__state__in=UNSETTLED).values_list("case_id", flat=True))
    said: dict[UUID, Counter[Tone]] = {case.pk: Counter() for case in cases}
    for case_id, tone in lines.filter(reminder__state__in=SPOKEN).values_list("case_id", "reminder__step__tone"):
        said[case_id][Tone(tone)] += 1
    return [_standing(case, to, ladder, steps, said[case.pk], is_busy=case.pk in busy, on=on) for case in cases]


@transaction.atomic
def move(*, case_ids: Collection[UUID], to: ScenarioVersion, by: Membership) -> int:
    """Move these cases to the newest version of their scenario; return how many moved. A busy case stays."""
    ensure(by, Right.EDIT_TEXTS)
    return carry(cases=movable(to=to).filter(pk__in=list(case_ids)[:MOVED_AT_ONCE]), to=to)


def carry(*, cases: QuerySet[DunningCase], to: ScenarioVersion) -> int:
    """Put these cases on a version, after what was really said of each, and date their next step by the gap."""
    # The invoices first, as whoever sends a reminder or records a payment does.
    lock_invoices(cases.values_list("invoice_id", flat=True))
    held = list(cases.select_for_update(of=("self",)).select_related("invoice", "version").order_by("pk"))
    on = Cabinet.objects.get().today()
    moved = [one for one in standings(to=to, cases=held, on=on) if not one.is_busy]
    for one in moved:
        one.case.version, one.case.next_rank = to, one.rank
    rows = [one.case for one in moved]
    # Ranks of the ladder that is left are no ranks of the new one.
    ReminderLine.objects.filter(case__in=[row.pk for row in rows]).update(is_current=False)
    schedule(rows, moved=("version", "next_rank"))
    journal.record_many("invoice.ladder_changed", [row.invoice for row in rows], version=str(to.pk), number=to.number)
    return len(rows)


def _standing(
    case: DunningCase,
    to: ScenarioVersion,
    ladder: Sequence[Step],
    steps: dict[tuple[UUID, int], Step],
    said: Counter[Tone],
    *,
    is_busy: bool,
    on: dt.date,
) -> Standing:
    # A step a person skipped is done all the same: its rank is behind the case.
    passed = Counter(
        Tone(step.tone) for (version_id, rank), step in steps.items()
        if version_id == case.version_id and rank < case.next_rank and step.tone != Tone.NOTICE
    )  # fmt: skip
    place = landing(rungs_of(ladder), said=said | passed, notices_over=on > case.invoice.due_on)
    there = ladder[place] if place < len(ladder) else None
    rank = there.rank if there is not None else len(ladder) + 1
    return Standing(
        case=case,
        here=steps.get((case.version_id, case.next_rank)),
        there=there,
        rank=rank,
        there_on=_day(case, to, rank, steps),
        is_busy=is_busy,
    )


def _day(case: DunningCase, to: ScenarioVersion, rank: int, steps: dict[tuple[UUID, int], Step]) -> dt.date | None:
    asked = DunningCase(
        version_id=to.pk, next_rank=rank, last_step_on=case.last_step_on, entry=case.entry, entered_on=case.entered_on
    )
    return day_of_next_step(asked, case.invoice, to, steps)
