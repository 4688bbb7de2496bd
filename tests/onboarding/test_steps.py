"""The first steps: done because it is so, never because somebody ticked it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from cabinets.enums import Role
from cabinets.models import Cabinet, JournalEntry, Membership
from cabinets.scoping import working_for
from onboarding.enums import Mark, Step
from onboarding.errors import OnboardingError
from onboarding.models import Baseline, StepMark
from onboarding.services import baselines, steps
from onboarding.services.worth import worth_of
from reporting.figures import position
from tests.conftest import FirmBrowser
from tests.factories.cabinets import assign, make_dossier, make_member
from tests.factories.invoices import make_invoice
from tests.factories.payments import make_payment

Browse = Callable[[Membership | None], FirmBrowser]


def done(cabinet: Cabinet) -> dict[str, bool]:
    return {one.step.value: one.is_done for one in steps.lines(cabinet=Cabinet.objects.get(pk=cabinet.pk))}


def fill(cabinet: Cabinet, **facts: Any) -> None:
    Cabinet.objects.filter(pk=cabinet.pk).update(**facts)


@pytest.fixture
def newborn(cabinet: Cabinet, owner: Membership, settings: Any) -> Cabinet:
    settings.SENDING_DOMAIN = settings.EMAIL_HOST = ""
    empty: dict[str, Any] = dict.fromkeys(("email", "phone", "address", "iban"), "")
    fill(cabinet, **empty, activated_on=None)
    return Cabinet.objects.get(pk=cabinet.pk)


def test_begins_with_nothing_done(newborn: Cabinet) -> None:
    assert done(newborn) == dict.fromkeys(Step.values, False)


def test_finds_each_step_done_in_the_firm_s_own_rows(newborn: Cabinet, owner: Membership, settings: Any) -> None:
    baselines.keep(by=owner, dso_days=60)
    fill(
        newborn, email="a@b.example", phone="0102030405", address="1 rue de la Paix", iban="FR7630006000011234567890189"
    )
    make_invoice()
    settings.SENDING_DOMAIN, settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "envoi.example", "smtp.example", True
    steps.say(by=owner, step=Step.SCENARIO, mark=Mark.DONE)
    steps.say(by=owner, step=Step.TEXTS, mark=Mark.DONE)
    before = done(newborn)
    fill(newborn, activated_on=newborn.today())

    assert [step for step, is_done in before.items() if not is_done] == ["trial"]
    assert all(done(newborn).values())


@pytest.mark.parametrize("step", [Step.FIRM, Step.COLLECTION, Step.INVOICES, Step.SENDER, Step.TRIAL, Step.AUDIT])
def test_ticks_nothing_that_is_not_so(newborn: Cabinet, owner: Membership, step: Step) -> None:
    with pytest.raises(OnboardingError, match="ne se coche pas"):
        steps.say(by=owner, step=step, mark=Mark.DONE)

    assert not StepMark.objects.exists()


def test_passes_the_audit_alone(newborn: Cabinet, owner: Membership) -> None:
    steps.say(by=owner, step=Step.AUDIT, mark=Mark.SKIPPED)
    with pytest.raises(OnboardingError):
        steps.say(by=owner, step=Step.TEXTS, mark=Mark.SKIPPED)

    line = steps.lines(cabinet=newborn)[0]
    assert (line.is_done, line.is_skipped, line.may_skip) == (False, True, False)
    assert StepMark.objects.count() == 1


def test_keeps_the_first_starting_point_beside_what_the_history_says(cabinet: Cabinet, owner: Membership) -> None:
    today = cabinet.today()
    dossier = make_dossier()
    late = make_invoice(
        dossier=dossier, issued_on=today - dt.timedelta(60), due_on=today - dt.timedelta(31), total_cents=100_000
    )
    paid = make_invoice(
        dossier=dossier, issued_on=today - dt.timedelta(80), due_on=today - dt.timedelta(50), total_cents=300_000
    )
    make_payment(invoice=paid, on=today - dt.timedelta(45))

    kept = baselines.keep(by=owner, dso_days=75, weekly_minutes=180, frictions="les oublis")
    make_payment(invoice=late, on=today)

    fresh = Baseline.objects.get(pk=kept.pk)
    # 100 000 owed out of 400 000 billed over 90 days; one invoice of two unpaid 30 days after its due date.
    assert (fresh.dso_days, fresh.measured_dso, fresh.measured_unpaid_percent) == (75, 23, 50)
    assert fresh.measured_on == today
    assert position(on=today).dso() == 0


def test_compares_the_eve_of_the_activation_with_what_followed(cabinet: Cabinet, owner: Membership) -> None:
    today = cabinet.today()
    start = today - dt.timedelta(days=40)
    fill(cabinet, activated_on=start)
    invoice = make_invoice(issued_on=start - dt.timedelta(50), due_on=start - dt.timedelta(20), total_cents=200_000)
    make_payment(invoice=invoice, on=start + dt.timedelta(days=10))

    found = baselines.comparison(cabinet=Cabinet.objects.get())

    assert [(one.title, one.on, one.dso, one.is_reached) for one in found.columns] == [
        ("Avant", start - dt.timedelta(days=1), 90, True),
        ("Après 30 jours", start + dt.timedelta(days=30), 0, True),
        ("Après 60 jours", start + dt.timedelta(days=60), None, False),
        ("Après 90 jours", start + dt.timedelta(days=90), None, False),
        ("Aujourd’hui", today, None, True),
    ]
    assert found.gained_days == 90


def test_says_what_the_change_is_worth_in_the_firms_own_figures(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    today = cabinet.today()
    start = today - dt.timedelta(days=40)
    fill(cabinet, activated_on=start)
    early = make_invoice(issued_on=start - dt.timedelta(50), due_on=start - dt.timedelta(20), total_cents=200_000)
    make_payment(invoice=early, on=start + dt.timedelta(days=10))
    make_invoice(issued_on=today - dt.timedelta(10), due_on=today + dt.timedelta(20), total_cents=90_000)
    assert "Ce que cela vaut" in browse(owner).get("/rapports/avant-apres/").content.decode()
    comparison = baselines.comparison(cabinet=Cabinet.objects.get())

    silent = worth_of(comparison, cabinet=Cabinet.objects.get(), hourly_cents=15_000)
    assert silent is not None
    after = comparison.columns[-1].dso
    assert after is not None
    # Ninety days billed 900 €, or 2 900 € with the one before: by hand, whichever falls within the ninety days.
    billed = sum(cents for days, cents in ((90, 200_000), (10, 90_000)) if days < 90)
    assert (silent.revenue_cents, silent.dso_before, silent.dso_after) == (billed * 365 // 90, 90, after)
    assert (silent.counts_time, silent.case.time_cents, silent.case.net_cents) == (False, 0, 0)
    assert silent.case.cash_freed_cents == round(billed * 365 // 90 * (90 - after) / 365)


def test_walks_the_first_steps(newborn: Cabinet, owner: Membership, browse: Browse) -> None:
    desk = browse(owner)

    first = desk.get("/demarrage/").content.decode()
    desk.post("/demarrage/audit/", {"dso_days": "60", "hours": "2,5", "who": "lawyer", "frictions": "la gêne"})
    desk.post("/demarrage/scenario/done/")
    desk.post("/demarrage/invoices/done/")
    after = desk.get("/demarrage/").content.decode()
    trial = desk.get("/demarrage/essai/").content.decode()

    kept = Baseline.objects.get()
    assert "0 étape sur 8" in first
    assert "2 étapes sur 8" in after
    assert (kept.dso_days, kept.weekly_minutes, kept.who, kept.frictions) == (60, 150, "lawyer", "la gêne")
    assert "Aucune facture encore" in trial
    assert list(StepMark.objects.values_list("step", flat=True)) == [Step.SCENARIO]
    assert JournalEntry.objects.filter(event="baseline.kept").count() == 1


def test_shows_the_trial_and_what_is_missing_before_the_first_message(
    newborn: Cabinet, owner: Membership, browse: Browse
) -> None:
    make_invoice()

    trial = browse(owner).get("/demarrage/essai/").content.decode()

    assert "Indiquez l’IBAN du cabinet" in trial
    assert "Activer les envois" not in trial


def test_refuses_a_share_beyond_the_whole(newborn: Cabinet, owner: Membership, browse: Browse) -> None:
    refused = browse(owner).post("/demarrage/audit/", {"unpaid_percent": "140"})

    assert (refused.status_code, Baseline.objects.exists()) == (422, False)
    assert "Une part va de 0 à 100" in refused.content.decode()


def test_tells_what_the_firm_said_of_itself_to_who_sees_every_file_alone(
    cabinet: Cabinet, owner: Membership, browse: Browse
) -> None:
    baselines.keep(by=owner, dso_days=77, unpaid_percent=43, weekly_minutes=185)
    lawyer = make_member(role=Role.LAWYER)
    assign(dossier=make_invoice().dossier, member=lawyer)

    narrow, wide = (
        browse(one).get("/rapports/avant-apres/").content.decode().replace("\u00a0", " ") for one in (lawyer, owner)
    )

    told = ("Ce que vous disiez au départ", "77 jours", "43 %", "185 minutes")
    assert [words in narrow for words in told] == [False] * 4
    assert [words in wide for words in told] == [True] * 4
    assert "affectées" in narrow
    with working_for(cabinet_id=cabinet.pk, member_id=lawyer.pk):
        assert not Baseline.objects.exists()


def test_gives_the_partners_their_pdf(cabinet: Cabinet, owner: Membership, browse: Browse) -> None:
    document = browse(owner).get("/rapports/avant-apres/pdf/")

    assert (document.status_code, document.content[:5]) == (200, b"%PDF-")


@pytest.mark.parametrize("address", ["/demarrage/", "/demarrage/audit/", "/demarrage/essai/"])
def test_is_for_those_who_run_the_firm(cabinet: Cabinet, address: str, browse: Browse) -> None:
    assert browse(make_member(role=Role.ASSISTANT)).get(address).status_code == 403
