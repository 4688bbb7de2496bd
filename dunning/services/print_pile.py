"""The PDF of a print run: the letters as they are kept, one a sheet, under the list of what is to be posted."""

from dataclasses import dataclass

from cabinets import journal
from cabinets.enums import Right
from cabinets.errors import SealBrokenError
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.errors import DunningError
from dunning.presenting import plural
from dunning.services.reading.print_run import Run, RunLetter, without
from invoices.sealed_files import open_sealed_file
from templates_lib.errors import TextError
from templates_lib.pdf import Pdf, Pile, render_document
from templates_lib.rendering import NBSP, day_words

STYLES = ("fonts.css", "document.css")
EMPTY = "Plus aucune lettre de ce tirage n’est à poster : son PDF serait vide."
LOST = "Son PDF conservé ne s’ouvre pas : imprimez-la de nouveau."


@dataclass(frozen=True, slots=True)
class Made:
    """The PDF of a run, and what it holds in the end."""

    pdf: Pdf
    run: Run


def make(*, run: Run, cabinet: Cabinet, by: Membership) -> Made:
    """Join the letters of a run as they were kept, and note it; one whose file does not open is named apart.

    Raise DunningError when no letter is left.
    """
    ensure(by, Right.APPROVE_REMINDERS)
    pile, lost = Pile(), []
    for one in run.letters:
        try:
            _add(pile, one)
        except (TextError, SealBrokenError, OSError):
            lost.append(one.refused(LOST))
    told = without(run, lost)
    if not told.letters:
        raise DunningError(EMPTY)
    cover = render_document("print_run.html", _context(told, cabinet), styles=STYLES)
    made = pile.bound(cover)
    journal.record("print_run.downloaded", run.job, letters=len(told.letters), apart=len(told.apart))
    return Made(made, told)


def _add(pile: Pile, one: RunLetter) -> None:
    with open_sealed_file(one.letter.stored_as, bound_to=one.letter.bound_to("pdf")) as document:
        pile.add(one.client, document)


def _context(run: Run, cabinet: Cabinet) -> dict[str, object]:
    now = cabinet.now().astimezone(cabinet.zone)
    ordinary = len(run.letters) - run.registered
    kinds = [
        *([plural(run.registered, "recommandé", "recommandés")] if run.registered else []),
        *([plural(ordinary, "lettre simple", "lettres simples")] if ordinary else []),
    ]
    return {
        "title": "Bordereau du courrier",
        "demo": f"Démonstration{NBSP}: ces lettres ne sont à poster pour personne." if cabinet.is_demo else "",
        "firm": cabinet.name,
        "on": f"{day_words(now.date())} à {now.hour}{NBSP}h{NBSP}{now:%M}",
        "letters": run.letters,
        "apart": run.apart,
        "count": plural(len(run.letters), "lettre", "lettres"),
        "pages": plural(run.pages, "page", "pages"),
        "kinds": " et ".join(kinds),
    }
