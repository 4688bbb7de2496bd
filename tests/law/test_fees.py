"""R17–R34: lawyers' fees, the bâtonnier, limitation, legal aid, provisions."""

import datetime as dt

import pytest

from cabinets.enums import ClientKind, LegalAid
from cabinets.models import Cabinet
from dunning.enums import Code, Reason, Tone
from dunning.policy import Facts, StepFacts, decide
from invoices.enums import InvoiceKind
from invoices.law.batonnier import (
    Act,
    Deadline,
    Forum,
    Referral,
    deadlines,
    forum_for,
    is_enforceable_at_once,
    seises,
)
from invoices.law.interest import Debt, accessories
from invoices.law.legal_aid import is_complement_in_order, may_ask_a_fee, notice_by
from invoices.law.limitation import EFFECTS, Effect, LimitationEvent, Nature, limitation
from invoices.law.provisions import Next, next_for
from invoices.law.rates import published_rates
from templates_lib.enums import Channel, Kind, Step
from templates_lib.lint import lint
from tests.templates_lib.law_texts import ARTICLE_J30, ARTICLE_J45

D = dt.date
ON = D(2026, 11, 24)
J30 = StepFacts(offset_days=30, tone=Tone.FIRM)
J45 = StepFacts(offset_days=45, tone=Tone.FORMAL)


def facts(**given: object) -> Facts:
    return Facts(**{"settlements_declared_on": ON, "has_answered": True, **given})  # type: ignore[arg-type]  # a table


def broken(
    text: str, kind: Kind = Kind.PROFESSIONAL, channel: Channel = Channel.EMAIL, step: Step = Step.J30
) -> set[str]:
    return {fault.rule for fault in lint(text, kind=kind, channel=channel, step=step)}


def clock(kind: ClientKind, *events: LimitationEvent) -> dt.date | None:
    return limitation(kind=kind, mandate_end_on=D(2024, 3, 15), prudent_start_on=D(2023, 9, 1), events=events).last_day


def test_r17_t21_without_a_fee_agreement_a_person_reads_what_leaves_from_j30() -> None:
    verdict = decide(facts(fee_agreement_on=None, step=J30), on=ON)

    assert (verdict.code, Reason.NO_AGREEMENT in verdict.reasons) == (Code.NEEDS_APPROVAL, True)


def test_r18_fees_rest_on_an_agreement_and_not_on_general_terms() -> None:
    assert "R18" in broken("Selon les conditions générales de notre contrat de prestation, vous devez cette somme.")
    assert "R18" in broken(ARTICLE_J30)


def test_r19_t22_no_court_is_ever_named() -> None:
    faults = lint(ARTICLE_J45, kind=Kind.PROFESSIONAL, channel=Channel.LETTER, step=Step.J45)

    assert len([fault for fault in faults if fault.rule in {"R19", "R23"}]) >= 2
    assert all("R19" in broken(f"Nous saisirons le {word} sans délai.") for word in ("tribunal", "huissier"))


def test_r20_the_articles_cited_are_a_setting_of_the_firm() -> None:
    assert Cabinet._meta.get_field("batonnier_articles").default == "articles 174 et suivants"


def test_r21_t23_a_plain_letter_does_not_seise_the_batonnier() -> None:
    assert {referral for referral in Referral if seises(referral)} == {
        Referral.REGISTERED_LETTER,
        Referral.HAND_DELIVERY,
    }


def test_r22_four_months_then_one_to_seise_the_first_president() -> None:
    assert deadlines(seised_on=D(2026, 1, 15)) == (
        Deadline(Act.DECISION, D(2026, 5, 15), D(2026, 5, 15)),
        Deadline(Act.SEISE_PRESIDENT, D(2026, 6, 15), D(2026, 6, 15)),
    )
    assert deadlines(seised_on=D(2026, 1, 15), extended_months=4)[1].last_day == D(2026, 10, 15)


def test_r22_a_decision_is_notified_in_fifteen_days_and_appealed_within_a_month() -> None:
    decided = deadlines(seised_on=D(2026, 1, 15), decided_on=D(2026, 4, 1))
    notified = deadlines(seised_on=D(2026, 1, 15), decided_on=D(2026, 4, 1), notified_on=D(2026, 4, 9))

    assert decided == (Deadline(Act.NOTIFICATION, D(2026, 4, 16), D(2026, 4, 16)),)
    # 9 May 2026 is a Saturday and the 8th is a holiday: act on the 7th.
    assert notified == (Deadline(Act.APPEAL, D(2026, 5, 9), D(2026, 5, 7)),)


@pytest.mark.parametrize("months", [-1, 5])
def test_r22_he_may_take_four_months_more_and_no_longer(months: int) -> None:
    with pytest.raises(ValueError, match="four months"):
        deadlines(seised_on=D(2026, 1, 15), extended_months=months)


def test_r23_a_decision_is_enforceable_at_once_up_to_a_sum_and_nothing_says_forced_recovery() -> None:
    assert (is_enforceable_at_once(fixed_cents=150_000), is_enforceable_at_once(fixed_cents=150_001)) == (True, False)
    assert is_enforceable_at_once(fixed_cents=300_000, undisputed_cents=300_000)
    assert broken("À défaut, nous engagerons le recouvrement forcé.") & {"R19", "R23"}


def test_r24_the_referral_may_be_the_formal_notice() -> None:
    referred = Debt(
        kind=ClientKind.CONSUMER, principal_cents=120_000, due_on=D(2025, 4, 1), presented_on=D(2025, 5, 20)
    )

    assert accessories(referred, as_of=D(2025, 6, 10), rates=published_rates()).interest.cents == 256


def test_r25_t25_a_public_contract_goes_to_the_administrative_judge() -> None:
    assert forum_for(ClientKind.PUBLIC) is Forum.ADMINISTRATIVE_JUDGE
    assert {forum_for(kind) for kind in ClientKind if kind != ClientKind.PUBLIC} == {Forum.BATONNIER}
    assert "R25" in broken("Nous pourrons saisir le bâtonnier.", Kind.PUBLIC, Channel.LETTER, Step.J45)


def test_r26_t26_a_consumer_is_free_after_two_years_and_the_firm_acts_before_the_week_end() -> None:
    answer = limitation(kind=ClientKind.CONSUMER, mandate_end_on=D(2024, 3, 15), prudent_start_on=D(2023, 9, 1))

    assert (answer.last_day, answer.act_by) == (D(2026, 3, 15), D(2026, 3, 13))
    assert answer.alarms == (D(2025, 9, 15), D(2025, 12, 15), D(2026, 2, 15), D(2026, 3, 1))


def test_r27_t27_the_others_after_five() -> None:
    others = (ClientKind.PROFESSIONAL, ClientKind.NON_PRO_LEGAL, ClientKind.PUBLIC)

    assert {clock(kind) for kind in others} == {D(2029, 3, 15)}


def test_r28_t28_while_the_mission_is_not_over_the_date_is_prudent() -> None:
    answer = limitation(kind=ClientKind.CONSUMER, mandate_end_on=None, prudent_start_on=D(2023, 9, 1))

    assert (answer.last_day, answer.provisional) == (D(2025, 9, 1), True)


@pytest.mark.parametrize(
    ("nature", "last_day"),
    [
        (Nature.ACKNOWLEDGEMENT, D(2027, 1, 10)),
        (Nature.PLAN_ACCEPTED, D(2027, 1, 10)),
        (Nature.BATONNIER, D(2027, 1, 10)),
        (Nature.COURT_CLAIM, D(2027, 1, 10)),
        (Nature.ENFORCEMENT, D(2027, 1, 10)),
        (Nature.MEDIATION, None),
        (Nature.REGISTERED_LETTER, D(2026, 3, 15)),
        (Nature.REMINDER, D(2026, 3, 15)),
    ],
)
def test_r29_only_what_the_code_names_moves_the_last_day(nature: Nature, last_day: dt.date | None) -> None:
    assert clock(ClientKind.CONSUMER, LimitationEvent(D(2025, 1, 10), EFFECTS[nature])) == last_day


def test_r29_every_nature_has_an_effect() -> None:
    assert set(EFFECTS) == set(Nature)
    assert {effect for nature, effect in EFFECTS.items() if nature.value.startswith("re")} == {Effect.NONE}


@pytest.mark.parametrize("step", [J30, J45])
def test_r30_t30_nothing_is_asked_once_the_claim_is_prescribed(step: StepFacts) -> None:
    over = {"kind": ClientKind.CONSUMER, "mandate_ended_on": D(2024, 11, 23), "step": step}

    assert decide(facts(**over), on=ON).code == Code.PRESCRIBED
    assert decide(facts(**{**over, "mandate_ended_on": D(2024, 11, 24)}), on=ON).code != Code.PRESCRIBED


def test_r31_t31_a_consumer_is_told_of_the_mediator_and_a_professional_is_not() -> None:
    bare = "MISE EN DEMEURE. Réglez [Montant_dû] €, facture [Référence]."

    assert "R31" in broken(bare, Kind.CONSUMER, Channel.LETTER, Step.J45)
    assert "R31" not in broken(bare, Kind.PROFESSIONAL, Channel.LETTER, Step.J45)


def test_r32_t32_full_legal_aid_allows_no_fee() -> None:
    assert [aid for aid in LegalAid if not may_ask_a_fee(aid)] == [LegalAid.TOTAL]
    assert decide(facts(legal_aid=LegalAid.TOTAL), on=ON).code == Code.LEGAL_AID_TOTAL


@pytest.mark.parametrize(
    ("agreed", "notified", "in_order"),
    [
        pytest.param(D(2026, 3, 2), D(2026, 3, 20), False, id="T33"),
        (D(2026, 3, 2), D(2026, 3, 17), True),
        (D(2026, 3, 2), None, False),
        (None, D(2026, 3, 2), False),
    ],
)
def test_r33_a_complement_is_agreed_and_notified_within_fifteen_days(
    agreed: dt.date | None, notified: dt.date | None, in_order: bool
) -> None:
    asked = decide(facts(legal_aid=LegalAid.PARTIAL, fee_agreement_on=agreed, batonnier_notified_on=notified), on=ON)

    assert is_complement_in_order(agreement_on=agreed, notified_on=notified) is in_order
    assert (asked.code == Code.LEGAL_AID_PARTIAL) is not in_order
    assert notice_by(D(2026, 3, 2)) == D(2026, 3, 17)


def test_r34_t34_a_provision_bears_nothing_and_a_person_decides_after_j10() -> None:
    unpaid = Debt(kind=ClientKind.PROFESSIONAL, principal_cents=120_000, due_on=D(2025, 3, 1), provision=True)

    assert accessories(unpaid, as_of=D(2025, 3, 31), rates=published_rates()).total_cents == 0
    assert [next_for(offset_days=days) for days in (3, 10, 11, 45)] == [
        Next.REMIND, Next.REMIND, Next.PERSON, Next.PERSON,
    ]  # fmt: skip
    assert decide(facts(invoice_kind=InvoiceKind.PROVISION, step=J30), on=ON).code == Code.PROVISION_END
