"""Who owes what in the story, and what happened to it; days are counted from the demonstration's, which is day 0."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cabinets.enums import ClientKind, LegalAid
from config.demo import acts, heard
from config.demo.acts import Act
from config.demo.firms import Firm
from invoices.enums import InvoiceKind, StopKind

# The story begins here: older invoices were brought in by the firm's first file.
START = -46
YESTERDAY = -1

PRO, PERSON, BODY, PUBLIC, UNKNOWN = (
    ClientKind.PROFESSIONAL,
    ClientKind.CONSUMER,
    ClientKind.NON_PRO_LEGAL,
    ClientKind.PUBLIC,
    ClientKind.UNKNOWN,
)
KINDS = (PRO, PERSON, BODY, PUBLIC, UNKNOWN)
TERM = 30
CROWD = 100
MONTHLY, MONTHLY_PAID = 21, 18
AREAS = ("Bail commercial", "Droit du travail", "Famille", "Construction", "Sociétés", "Successions", "Fiscal")
# All of its lateness lies in half-years whose rates are published.
LATE_AND_RATED = (dt.date(2026, 2, 16), dt.date(2026, 5, 29))


WHO_ORDERED = "Bonjour Maître,\n\nPouvez-vous me dire qui, chez nous, a demandé cette consultation ?\n\nCordialement"
SENT_TWICE = "Bonjour,\n\nLe virement part en fin de semaine. Merci de votre patience."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An invoice: when it falls due, when it is entered, what happens to it on which day."""

    due: int
    entered: int | None = None
    cents: int | None = None
    kind: InvoiceKind = InvoiceKind.INVOICE
    due_on: dt.date | None = None
    acts: tuple[tuple[int, Act], ...] = ()
    # Its formal notice was approved, printed and posted.
    is_put_on_notice: bool = False
    # The process that was sending it died: nobody knows whether it left.
    is_lost: bool = False

    @property
    def day_entered(self) -> int:
        """Return the day of entry: unless said, the day it was issued, within the story."""
        return self.entered if self.entered is not None else min(YESTERDAY, max(START, self.due - TERM))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A client of the story with a dossier and its invoices."""

    kind: ClientKind
    bills: tuple[Bill, ...]
    client: dict[str, Any] = field(default_factory=dict)
    dossier: dict[str, Any] = field(default_factory=dict)
    has_agreement: bool = True
    has_billing_contact: bool = False


def cast(firm: Firm) -> list[Part]:
    """Return everybody of a firm's story, the same every time."""
    draw = random.Random(f"{firm.slug} bills")  # noqa: S311 - invented amounts
    parts = [*_everywhere(), *_ONLY[firm.slug]()]
    return [*parts, *_crowd(draw, CROWD - sum(len(part.bills) for part in parts))]


def fresh(*happened: Act, late: int = 5, **facts: Any) -> Bill:
    """An invoice brought in yesterday, some days late: tonight is its first night."""
    return Bill(due=-late, entered=YESTERDAY, acts=tuple((YESTERDAY, act) for act in happened), **facts)


def waiting(*happened: Act, **facts: Any) -> Bill:
    """An invoice reminded two weeks ago, promised for yesterday: tonight its second step is due."""
    promised = (-9, acts.stops(StopKind.PROMISE, days=8, reason="Promesse faite au téléphone"))
    return Bill(due=-17, acts=(promised, *((YESTERDAY, act) for act in happened)), **facts)


def third(*happened: Act, **facts: Any) -> Bill:
    """An invoice whose third step falls tonight."""
    return Bill(due=-30, entered=-27, acts=tuple((YESTERDAY, act) for act in happened), **facts)


def _one(kind: ClientKind, bill: Bill, **facts: Any) -> Part:
    return Part(kind=kind, bills=(bill,), **facts)


def _everywhere() -> Iterator[Part]:
    for kind in KINDS:
        yield _one(kind, Bill(due=-3, entered=-20), has_billing_contact=kind == PRO)
    yield _one(PRO, waiting(), has_billing_contact=True)
    yield _one(PERSON, waiting())
    yield Part(kind=PRO, bills=(waiting(), Bill(due=-3, entered=-20)))
    yield _one(PRO, third())
    yield _one(PERSON, Bill(due=-45, entered=-36))
    yield _one(PERSON, Bill(due=-54, entered=START, is_put_on_notice=True))
    yield _one(PRO, Bill(due=-40, entered=YESTERDAY))
    yield _one(PRO, Bill(due=-140, entered=YESTERDAY))
    yield _one(PERSON, fresh(acts.stops(StopKind.DISPUTE, reason="Conteste les diligences, au téléphone")))
    yield _one(PERSON, fresh(acts.pays()))
    yield _one(PRO, fresh(acts.pays(40)))
    yield _one(PERSON, fresh(acts.stops(StopKind.PROMISE, days=6, reason="Paiement promis pour la semaine prochaine")))
    yield _one(PERSON, waiting(acts.says_already_paid))
    due_on, paid_on = LATE_AND_RATED
    yield _one(PRO, Bill(due=-280, entered=START, due_on=due_on, acts=((START, acts.pays(on=paid_on)),)))


def _paris() -> Iterator[Part]:
    yield _one(PRO, fresh(acts.is_cancelled))
    yield _one(PERSON, fresh(), client={"is_never_reminded": True})
    yield _one(PRO, fresh(acts.stops(StopKind.PAYMENT_IN_FLIGHT, days=4, reason="Prélèvement présenté à la banque")))
    yield _one(PRO, fresh(acts.gets_a_credit))
    yield _one(
        PRO, fresh(acts.stops(StopKind.INSOLVENCY, over="client", reason="Redressement judiciaire, avis au BODACC"))
    )
    yield _one(
        PERSON, fresh(acts.stops(StopKind.OVER_INDEBTEDNESS, over="client", reason="Recevabilité, Banque de France"))
    )
    yield _one(PERSON, fresh(acts.gets_full_legal_aid))
    yield _one(PERSON, fresh(), dossier={"legal_aid": LegalAid.PARTIAL})
    yield _one(PERSON, fresh(acts.stops(StopKind.PROTECTED_PERSON, reason="Tutelle")))
    yield _one(PERSON, waiting(acts.is_not_the_one))
    yield _one(PERSON, Bill(due=-780, entered=YESTERDAY), dossier={"mandate_ended_on": -800})
    yield _one(PRO, waiting(acts.contests))
    yield _one(PERSON, fresh(acts.stops(StopKind.MEDIATION, reason="Médiateur de la consommation saisi")))
    yield _one(PRO, fresh(acts.stops(StopKind.BATONNIER_SEISED, reason="Contestation portée devant le bâtonnier")))
    yield _one(PERSON, fresh(acts.is_heard(after=3)))
    yield _one(PRO, fresh(acts.stops(StopKind.HOLD, days=10, reason="Négociation en cours")))
    yield _one(PERSON, fresh(acts.agrees_on_dates, cents=96_000))
    yield _one(PERSON, waiting(acts.proposes_dates, cents=72_000))
    # Dates agreed two weeks ago: the first was kept, a reminder announced it, two are to come.
    kept = ((-14, acts.agrees_on_dates), (-8, acts.pays(cents=40_000)))
    yield _one(PERSON, Bill(due=-24, cents=120_000, acts=kept))
    # The first of these was not: a person has to decide.
    yield _one(PERSON, Bill(due=-30, cents=90_000, acts=((-16, acts.agrees_on_dates),)))
    yield _one(PRO, waiting(heard.answers(WHO_ORDERED)))
    yield _one(PERSON, fresh(), client={"email": ""})
    yield _one(PRO, Bill(due=-9, entered=-8), client={"email": "comptabilite@adresse-disparue.invalid"})
    yield Part(kind=PERSON, bills=(Bill(due=-8, entered=-6), fresh()))
    yield _one(PUBLIC, waiting(acts.follows("spaced")))
    yield _one(PERSON, third(kind=InvoiceKind.PROVISION))
    yield _one(BODY, fresh(acts.follows("refused")))
    yield _one(PRO, third(acts.follows("computed")))
    yield _one(PRO, third(acts.follows("short")))
    yield _one(PRO, fresh(acts.follows("noticed"), late=2))
    yield _one(PRO, fresh(cents=1_284_000), client={"is_strategic": True}, has_billing_contact=True)
    yield _one(PRO, fresh(cents=864_000), client={"needs_two_approvals": True})
    yield _one(PERSON, third(), client={"country": "BE", "postcode": "1000", "city": "Bruxelles", "phone": ""})
    yield _one(UNKNOWN, third(cents=756_000), has_agreement=False)
    yield _one(PRO, Bill(due=-18, entered=-30, acts=((YESTERDAY, heard.is_away),)))
    yield _one(PRO, Bill(due=-14, entered=-25, is_lost=True))


def _strasbourg() -> Iterator[Part]:
    # The monthly bills of one day: more messages in one night than in the weeks before.
    for number in range(MONTHLY):
        paid = ((-19 + number % 2, acts.pays()),) if number < MONTHLY_PAID else ()
        yield _one(KINDS[number % 3], Bill(due=-27, acts=paid))
    yield _one(PRO, Bill(due=-15, entered=-30, acts=((YESTERDAY, heard.bounces),)))
    yield _one(PRO, fresh(acts.stops(StopKind.INSOLVENCY, over="client", reason="Liquidation judiciaire")))
    yield _one(PERSON, fresh(acts.is_heard(after=2)))
    yield _one(PRO, fresh(acts.stops(StopKind.HOLD, days=7, over="dossier", reason="Dossier en cours de clôture")))
    yield _one(PERSON, fresh(), client={"email": ""})
    yield _one(PRO, fresh(cents=978_000), client={"is_strategic": True})
    yield _one(PUBLIC, waiting())


def _fort_de_france() -> Iterator[Part]:
    yield _one(PERSON, Bill(due=-34, entered=-36))
    yield _one(PERSON, fresh(acts.stops(StopKind.HOLD, days=14, over="client", reason="À la demande de l’associée")))
    yield _one(PERSON, fresh(acts.agrees_on_dates, cents=66_000))
    yield _one(PRO, fresh(heard.answers(SENT_TWICE)))
    yield _one(PERSON, fresh(), dossier={"legal_aid": LegalAid.PARTIAL})
    yield _one(PRO, fresh(cents=612_000), client={"needs_two_approvals": True})
    yield _one(PUBLIC, third(cents=1_140_000))


_ONLY = {"aubry-lemaire": _paris, "cabinet-kessler": _strasbourg, "celestine-associes": _fort_de_france}


def _crowd(draw: random.Random, number: int) -> Iterator[Part]:
    """The other invoices: not due yet, paid in time, paid after a reminder, and a few on their way."""
    for position in range(number):
        kind = draw.choices(KINDS, weights=(42, 38, 8, 7, 5))[0]
        match position % 8:
            case 0 | 1 | 2:
                bill = Bill(due=draw.randint(1, 29))
            case 5:
                # Paid before the firm came here: its file told both the invoice and the payment.
                due, late = draw.randint(-110, -50), draw.randint(-6, 9)
                bill = Bill(due=due, acts=((START, acts.pays(days_ago=START - due - late)),))
            case 3 | 4:
                due = draw.randint(-36, -4)
                bill = Bill(due=due, acts=((due + draw.randint(-2, 2), acts.pays()),))
            case 6:
                due = draw.randint(-32, -16)
                bill = Bill(due=due, acts=((due + 9, acts.pays()),))
            case _:
                bill = Bill(due=draw.randint(-26, -22))
        yield _one(kind, bill, has_agreement=draw.random() < 0.9, has_billing_contact=draw.random() < 0.3)  # noqa: PLR2004


def amount(draw: random.Random, kind: ClientKind) -> int:
    """Draw an amount of whole half-hours at a rate of the bar, VAT included."""
    hours = draw.randint(2, 12) if kind in {PERSON, UNKNOWN} else draw.randint(3, 26)
    return hours * draw.choice((150, 180, 210)) * 120 // 2
