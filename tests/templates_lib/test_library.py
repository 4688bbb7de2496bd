"""The library holds every text of the legal page, word for word, and lends none to a kind it would wrong."""

import re

import pytest

from templates_lib.enums import Channel, Kind, Step
from templates_lib.errors import NoTextError
from templates_lib.library import Form, TextVersion, Variant, library, text_by_ref, text_for
from templates_lib.lint import lint_version
from templates_lib.rendering import typeset
from tests.templates_lib.law_texts import SMS, WRITTEN

LADDER = (Step.J3, Step.J10, Step.J30, Step.J45)
EVERY = [(step, kind, channel) for step in LADDER for kind in Kind for channel in Channel]
# Set out as a table on paper, or written with a field whose value is the legal page's.
ELSEWHERE = ("se décomposant ainsi", "L. 441-10, II, C. com.", "D. 441-5)")
CITATION = ("articles 174 et suivants", "[Articles_bâtonnier]")


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", typeset(text)).strip().casefold()


def sentences(text: str) -> list[str]:
    return [one.rstrip(". ") for one in re.split(r"(?<=[.?]) (?=[A-ZÀ«\[])", re.sub(r"\s+", " ", text))]


@pytest.mark.parametrize(("key", "law"), WRITTEN.items(), ids=str)
def test_every_sentence_of_the_legal_page_is_in_the_library(key: tuple[Kind, Step, Channel], law: str) -> None:
    kind, step, channel = key
    said = plain(text_for(step=step, kind=kind, channel=channel).one.body)

    absent = [
        one
        for one in sentences(law.replace(*CITATION))
        if plain(one).removeprefix("[civilité_nom], ") not in said and not any(words in one for words in ELSEWHERE)
    ]

    assert absent == []


@pytest.mark.parametrize(("key", "expected"), SMS.items(), ids=str)
def test_every_text_message_of_the_legal_page_is_in_the_library(
    key: tuple[Kind, Step], expected: tuple[int, str]
) -> None:
    (kind, step), (_, law) = key, expected
    version = text_for(step=step, kind=kind, channel=Channel.SMS)

    assert law in {form.body for form in version.forms.values()}


@pytest.mark.parametrize(("step", "kind", "channel"), EVERY)
def test_every_step_speaks_to_every_kind_on_every_channel(step: Step, kind: Kind, channel: Channel) -> None:
    version = text_for(step=step, kind=kind, channel=channel)

    assert version.several is not None
    assert (version.step, version.channel, version.language) == (step, channel, "fr")


@pytest.mark.parametrize(("step", "kind", "channel"), EVERY)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_text_passes_for_the_kind_that_reads_it(step: Step, kind: Kind, channel: Channel, language: str) -> None:
    lent = text_for(step=step, kind=kind, channel=channel, language=language)
    read = TextVersion(
        slug=lent.slug, step=step, kind=kind, channel=channel, language=lent.language, version=1, one=lent.one,
        several=lent.several, variants=lent.variants,
    )  # fmt: skip

    assert [str(fault) for fault in lint_version(read)] == []


@pytest.mark.parametrize("step", LADDER)
def test_emails_and_text_messages_have_their_english_and_letters_stay_french(step: Step) -> None:
    found = {
        (kind, channel): text_for(step=step, kind=kind, channel=channel, language="en").language
        for kind in Kind
        for channel in Channel
    }

    assert {key: one for key, one in found.items() if one != ("fr" if key[1] is Channel.LETTER else "en")} == {}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_notice_before_the_due_date_claims_nothing(kind: Kind, language: str) -> None:
    body = text_for(step=Step.J0, kind=kind, language=language).one.body

    assert ("sera à régler" in body) is (language == "fr")
    assert re.findall(r"impayée|en retard|unpaid|overdue|pénalités|40.€", body) == []


def test_nobody_but_a_consumer_reads_of_the_mediator_and_no_public_buyer_of_the_batonnier() -> None:
    told = {
        (kind, words)
        for step, kind, channel in EVERY
        for form in text_for(step=step, kind=kind, channel=channel).forms.values()
        for words in ("Médiateur_nom", "bâtonnier", "40\u00a0€", "L. 441-10", "D. 2192-35")
        if words in form.body
    }

    assert told == {
        (Kind.CONSUMER, "Médiateur_nom"),
        (Kind.CONSUMER, "bâtonnier"),
        (Kind.NON_PRO_LEGAL, "bâtonnier"),
        (Kind.PROFESSIONAL, "bâtonnier"),
        (Kind.PROFESSIONAL, "40\u00a0€"),
        (Kind.PROFESSIONAL, "L. 441-10"),
        (Kind.PUBLIC, "40\u00a0€"),
        (Kind.PUBLIC, "D. 2192-35"),
    }


@pytest.mark.parametrize("kind", [Kind.PROFESSIONAL, Kind.PUBLIC])
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.LETTER])
@pytest.mark.parametrize("invoices", [1, 2])
def test_without_a_rate_the_amount_of_interest_is_not_written(kind: Kind, channel: Channel, invoices: int) -> None:
    version = text_for(step=Step.J30, kind=kind, channel=channel)

    rated = version.form_for(invoices=invoices).body
    unrated = version.form_for(invoices=invoices, variant=Variant.UNRATED).body
    bare = version.form_for(invoices=invoices, variant=Variant.BARE).body

    assert "[Pénalités]" in rated
    assert "[Pénalités]" not in unrated
    assert "40\u00a0€" in unrated
    assert [words for words in ("[Pénalités]", "40\u00a0€", "intérêts", "pénalités") if words in bare] == []


@pytest.mark.parametrize(
    ("kind", "shows"),
    [(Kind.CONSUMER, False), (Kind.NON_PRO_LEGAL, False), (Kind.PROFESSIONAL, True), (Kind.PUBLIC, True)],
)
@pytest.mark.parametrize("step", [Step.J3, Step.J10, Step.J30])
def test_a_text_message_hides_the_amount_from_who_is_no_professional(kind: Kind, shows: bool, step: Step) -> None:
    version = text_for(step=step, kind=kind, channel=Channel.SMS)

    assert ("[Montant_dû]" in version.form_for(invoices=1).body) is shows
    assert "[Montant_dû]" in version.form_for(invoices=1, variant=Variant.AMOUNT).body


def test_a_form_a_text_lacks_is_said_and_never_replaced_by_another_number() -> None:
    alone = TextVersion(
        slug="x", step=Step.J3, kind=Kind.CONSUMER, channel=Channel.EMAIL, language="fr", version=1, one=Form("", "Un")
    )

    with pytest.raises(NoTextError, match="plusieurs factures"):
        alone.form_for(invoices=2)


def test_every_text_is_found_by_its_name_and_no_name_is_borne_twice() -> None:
    assert [text_by_ref(text.ref) for text in library()] == list(library())
    assert len({text.ref for text in library()}) == len(library())
    with pytest.raises(NoTextError):
        text_by_ref("library:x:fr:1")
