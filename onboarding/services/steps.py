"""The first steps of a firm: what is done is read in its rows, never ticked for it."""

from dataclasses import dataclass

from django.db import transaction

from cabinets import journal
from cabinets.enums import Right
from cabinets.models import Cabinet, Membership
from cabinets.permissions import ensure
from dunning.services.activation import missing_before_activation
from dunning.services.roads import sender_of
from invoices.models import Invoice
from onboarding.enums import SAID, SKIPPABLE, Mark, Step
from onboarding.errors import OnboardingError
from onboarding.models import Baseline, StepMark

MINUTES = {
    Step.AUDIT: 5,
    Step.FIRM: 5,
    Step.COLLECTION: 3,
    Step.INVOICES: 12,
    Step.SCENARIO: 4,
    Step.TEXTS: 6,
    Step.SENDER: 5,
    Step.TRIAL: 5,
}
PLACES = {
    Step.AUDIT: "/demarrage/audit/",
    Step.FIRM: "/parametres/cabinet/",
    Step.COLLECTION: "/parametres/cabinet/",
    Step.INVOICES: "/factures/importer/",
    Step.SCENARIO: "/scenarios/",
    Step.TEXTS: "/modeles/",
    Step.SENDER: "/parametres/delivrabilite/",
    Step.TRIAL: "/demarrage/essai/",
}
TEXTS = {
    Step.AUDIT: "Comment vous relancez aujourd’hui : ce sera votre point de comparaison.",
    Step.FIRM: "Adresse, téléphone et e-mail : vos clients doivent pouvoir répondre.",
    Step.COLLECTION: "L’IBAN où vos clients paient. La carte et le prélèvement peuvent attendre.",
    Step.INVOICES: "Un fichier CSV ou Excel de votre logiciel, avec l’historique si vous l’avez.",
    Step.SCENARIO: "J+3, J+10, J+30, J+45 : gardez-le, ou réglez-le.",
    Step.TEXTS: "Les messages de chaque étape, tels qu’ils partiront. Relisez-les.",
    Step.SENDER: "D’où partent les e-mails : l’adresse du service tout de suite, la vôtre quand le DNS est prêt.",
    Step.TRIAL: "Ce qui partirait, à qui, et ce qui est retenu. Puis vous activez.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One step as shown."""

    step: Step
    text: str
    minutes: int
    url: str
    is_done: bool
    is_skipped: bool
    detail: str

    @property
    def may_say_done(self) -> bool:
        """Say whether only a person can say that it is done."""
        return self.step in SAID and not self.is_done

    @property
    def may_skip(self) -> bool:
        """Say whether it can be left out without harm."""
        return self.step in SKIPPABLE and not (self.is_done or self.is_skipped)


def lines(*, cabinet: Cabinet) -> list[Line]:
    """Return the steps in order, each as it stands."""
    marks = dict(StepMark.objects.values_list("step", "mark"))
    facts = _facts(cabinet, marks)
    return [
        Line(
            step=step,
            text=TEXTS[step],
            minutes=MINUTES[step],
            url=PLACES[step],
            is_done=facts[step][0],
            is_skipped=not facts[step][0] and marks.get(step) == Mark.SKIPPED,
            detail=facts[step][1],
        )
        for step in Step
    ]


@transaction.atomic
def say(*, by: Membership, step: Step, mark: Mark) -> None:
    """Note what a person says of a step; refused for one that is read in the firm's rows."""
    ensure(by, Right.MANAGE_FIRM)
    allowed = SAID if mark == Mark.DONE else SKIPPABLE
    if step not in allowed:
        raise OnboardingError("Cette étape se constate : elle ne se coche pas. Rien n’a été changé.")
    StepMark.objects.update_or_create(step=step, defaults={"mark": mark, "by": by})
    journal.record("onboarding.step_said", None, step=step.value, mark=mark.value)


def _facts(cabinet: Cabinet, marks: dict[str, str]) -> dict[Step, tuple[bool, str]]:
    count = Invoice.objects.count()
    sender = sender_of(cabinet, with_key=False)
    missing = missing_before_activation(cabinet)
    is_live = cabinet.activated_on is not None
    return {
        Step.AUDIT: (Baseline.objects.exists(), ""),
        Step.FIRM: (bool(cabinet.email and cabinet.phone and cabinet.address), ""),
        Step.COLLECTION: (bool(cabinet.iban), ""),
        Step.INVOICES: (count > 0, f"{count} facture{'s' if count > 1 else ''}" if count else ""),
        Step.SCENARIO: (marks.get(Step.SCENARIO) == Mark.DONE, ""),
        Step.TEXTS: (marks.get(Step.TEXTS) == Mark.DONE, ""),
        Step.SENDER: (sender is not None, sender.address if sender else ""),
        Step.TRIAL: (is_live, "" if is_live else (missing[0] if missing else "Tout est prêt.")),
    }
