"""What happens to an invoice of the story: each act is one the product lets a person or a debtor do."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cabinets.enums import LegalAid, Role
from cabinets.models import Client, Dossier, Membership
from cabinets.services import dossiers
from cabinets.services.dossiers import DossierFacts
from dunning.enums import Tone
from dunning.models import DunningCase, Scenario, ScenarioVersion, Step
from dunning.rungs import DEFAULT_LADDER, Rung
from dunning.services.scenarios import publish
from invoices.enums import StopKind
from invoices.models import Invoice
from invoices.services import credit_notes, editing, standstill
from payments.enums import PaymentMeans, ProblemReason
from payments.models import PaymentPlan
from payments.services import links, plans, requests
from payments.services.recording import Receipt, record_payment


@dataclass(frozen=True, slots=True)
class Scene:
    """One invoice on one day of the story, in its firm's scope."""

    today: dt.date
    client: Client
    dossier: Dossier
    facts: DossierFacts
    invoice: Invoice

    def day(self, after: int) -> dt.date:
        """Return the day this many days after."""
        return self.today + dt.timedelta(days=after)


Act = Callable[[Scene], object]


def pays(part: int = 100, *, cents: int = 0, on: dt.date | None = None, days_ago: int = 0) -> Act:
    """Record a transfer of a sum, or of a share in per cent of what is owed, received today, days ago or on a date."""

    def act(scene: Scene) -> None:
        owed = Invoice.objects.get(pk=scene.invoice.pk).outstanding_cents
        receipt = Receipt(
            client_id=scene.client.pk,
            invoice_ids=(scene.invoice.pk,),
            cents=cents or owed * part // 100,
            received_on=on or scene.day(-days_ago),
            means=PaymentMeans.TRANSFER,
        )
        record_payment(receipt=receipt, on=scene.today)

    return act


def stops(kind: StopKind, *, days: int | None = None, over: str = "invoice", reason: str = "") -> Act:
    """Declare a fact that stops the invoice, its dossier, client or lawyer, for some days or until lifted."""

    def act(scene: Scene) -> None:
        target: Invoice | Dossier | Client | Membership | None = scene.invoice
        if over != "invoice":
            target = {"dossier": scene.dossier, "client": scene.client, "lawyer": scene.dossier.lawyer}[over]
        until_on = scene.day(days) if days is not None else None
        standstill.declare(kind=kind, target=target, until_on=until_on, reason=reason)

    return act


def says_already_paid(scene: Scene) -> None:
    """The debtor says, from the link, that the invoice is paid."""
    link = links.link_for(client=scene.client)
    requests.say_already_paid(
        link=link,
        invoices=[scene.invoice],
        today=scene.today,
        paid_on=scene.day(-2),
        means=PaymentMeans.TRANSFER,
        message="Virement fait avant-hier depuis mon compte.",
    )


def contests(scene: Scene) -> None:
    """The debtor contests, from the link."""
    link = links.link_for(client=scene.client)
    requests.report_problem(
        link=link,
        invoice=scene.invoice,
        reason=ProblemReason.AMOUNT,
        today=scene.today,
        message="Le nombre d’heures ne correspond pas à ce qui était convenu.",
    )


def proposes_dates(scene: Scene) -> PaymentPlan:
    """The debtor proposes three dates from the link: somebody has to answer."""
    return plans.propose(
        link=links.link_for(client=scene.client),
        count=3,
        first_on=scene.day(7),
        today=scene.today,
        message="Trois versements me permettraient de tout régler sans retard.",
    )


def agrees_on_dates(scene: Scene) -> None:
    """The debtor proposes dates, and a lawyer of the firm accepts them."""
    lawyer = Membership.objects.filter(role__in=[Role.OWNER, Role.LAWYER]).order_by("joined_at").first()
    assert lawyer is not None  # noqa: S101 - every firm of the story has one
    plans.accept(plan_id=proposes_dates(scene).pk, by=lawyer, today=scene.today)


def is_not_the_one(scene: Scene) -> None:
    """Somebody else received the message, and says so from the link."""
    requests.wrong_recipient(link=links.link_for(client=scene.client), today=scene.today)


def is_cancelled(scene: Scene) -> None:
    """The firm cancels an invoice made twice."""
    editing.cancel_invoice(invoice_id=scene.invoice.pk, reason="Facture établie deux fois")


def gets_a_credit(scene: Scene) -> None:
    """The client holds a credit that covers the debt."""
    credit_notes.create_credit_note(
        client_id=scene.client.pk,
        invoice_id=None,
        number=f"AV-{scene.invoice.number}",
        issued_on=scene.today,
        cents=scene.invoice.total_cents,
    )


def gets_full_legal_aid(scene: Scene) -> None:
    """Full legal aid is granted after the invoice."""
    facts = replace(scene.facts, legal_aid=LegalAid.TOTAL)
    dossiers.update_dossier(dossier_id=scene.dossier.pk, facts=facts)


def is_heard(*, after: int) -> Act:
    """Note a hearing of the dossier."""
    return lambda scene: dossiers.add_hearing(dossier_id=scene.dossier.pk, held_on=scene.day(after))


def follows(name: str) -> Act:
    """Move the invoice's case to another scenario of the firm; the next night looks at it."""

    def act(scene: Scene) -> None:
        case = DunningCase.objects.get(invoice=scene.invoice)
        case.version, case.next_action_on = SCENARIOS[name](), scene.day(1)
        case.save(update_fields=["version", "next_action_on"])

    return act


def _spaced() -> ScenarioVersion:
    return _published("Relance espacée", DEFAULT_LADDER, min_gap_days=21)


def _short() -> ScenarioVersion:
    return _published("Deux rappels", DEFAULT_LADDER[:2])


def _refused() -> ScenarioVersion:
    version = _published("Texte du cabinet à revoir", DEFAULT_LADDER)
    Step.objects.filter(version=version, rank=1).update(text_fault="Menace interdite")
    return version


def _computed() -> ScenarioVersion:
    version = _published("Pénalités chiffrées", DEFAULT_LADDER)
    Step.objects.filter(version=version, rank=3).update(needs_rate=True)
    return version


def _noticed() -> ScenarioVersion:
    notice = Rung(offset_days=-7, tone=Tone.NOTICE)
    return _published("Avec un avis avant l’échéance", (notice, *DEFAULT_LADDER))


SCENARIOS: dict[str, Callable[[], ScenarioVersion]] = {
    "spaced": _spaced,
    "short": _short,
    "refused": _refused,
    "computed": _computed,
    "noticed": _noticed,
}


def _published(name: str, ladder: Sequence[Rung], *, min_gap_days: int = 7) -> ScenarioVersion:
    scenario = Scenario(name=name)
    scenario.save(force_insert=True)
    return publish(scenario=scenario, ladder=ladder, min_gap_days=min_gap_days)
