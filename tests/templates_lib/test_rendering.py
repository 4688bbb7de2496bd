"""Filling a text is one pass over a whitelist."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates_lib.enums import Channel, Kind, Step, kind_of
from templates_lib.errors import (
    BrokenTextError,
    MissingValueError,
    NoTextError,
    RefusedFieldError,
    UnknownPlaceholderError,
)
from templates_lib.fields import FIELDS, SAMPLES
from templates_lib.library import Form, TextVersion, library, text_for
from templates_lib.lint import lint_version
from templates_lib.rendering import blocks, day_words, fields_of, period_words, render, render_html, typeset


def test_a_field_and_its_alias_take_the_same_value() -> None:
    text = "[Montant_dû] €, [Montant] €, [Nom du cabinet]"

    filled = render(text, {"Montant_dû": "1\u00a0440,00", "Nom_cabinet": "Aubry"})

    assert filled == "1\u00a0440,00 €, 1\u00a0440,00 €, Aubry"


def test_an_unknown_name_stops_the_message_and_suggests_the_nearest() -> None:
    with pytest.raises(UnknownPlaceholderError, match=r"\[Montant_du\].*\[Montant_dû\]"):
        render("[Montant_du]", SAMPLES)


@pytest.mark.parametrize("value", ["", "   ", "\u200b\u00a0", "\n"])
def test_a_hole_stops_the_message(value: str) -> None:
    with pytest.raises(MissingValueError, match="Montant_dû"):
        render("[Montant_dû]", {"Montant_dû": value})


@pytest.mark.parametrize("name", ["Nom_dossier", "Numéro_dossier"])
def test_the_matter_never_leaves_even_with_a_value(name: str) -> None:
    with pytest.raises(RefusedFieldError, match="Référence_dossier"):
        render(f"[{name}]", {name: "Divorce Martin"})


@pytest.mark.parametrize("text", ["{{ x }}", "{% x %}", "[Montant_dû", "Montant]", "[a[Montant_dû]]", "[a\nb]"])
def test_a_broken_text_is_refused(text: str) -> None:
    with pytest.raises(BrokenTextError):
        render(text, SAMPLES)
    with pytest.raises(BrokenTextError):
        render_html(text, SAMPLES)


@pytest.mark.parametrize("value", ["[Lien_paiement]", "{{ settings.SECRET_KEY }}", r"\g<0>", "%(x)s {0}"])
def test_a_value_is_never_read_as_text(value: str) -> None:
    assert render("Bonjour [Civilité_nom]", {**SAMPLES, "Civilité_nom": value}) == f"Bonjour {value}"


def test_html_escapes_words_and_values_and_makes_links_of_links_only() -> None:
    html = render_html(
        "A < B & [Civilité_nom]\n[Lien_paiement] [Lien_gestion]",
        {
            "Civilité_nom": '<b>"X"</b>',
            "Lien_paiement": "https://payer.example/p/a?b=1&c=2",
            "Lien_gestion": "https://payer.example/p/a",
        },
        link_labels={"Lien_gestion": "votre espace"},
    )

    assert html == (
        "A &lt; B &amp; &lt;b&gt;&quot;X&quot;&lt;/b&gt;<br>"
        '<a href="https://payer.example/p/a?b=1&amp;c=2">payer.example</a> '
        '<a href="https://payer.example/p/a">votre espace</a>'
    )


def test_a_link_leads_to_a_page_and_nowhere_else() -> None:
    with pytest.raises(BrokenTextError):
        render_html("[Lien_paiement]", {"Lien_paiement": "javascript:alert(1)"})


def test_what_does_not_show_is_taken_out_of_values() -> None:
    assert render("[Nom_client].", {"Nom_client": " Mar\u202etin\x07 \ufeff"}) == "Martin."


@given(st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.text(max_size=30)))
def test_filling_never_loses_a_word_of_the_text(values: dict[str, str]) -> None:
    try:
        filled = render("Avant [Civilité_nom] après", values)
    except MissingValueError:
        return
    assert filled.startswith("Avant ")
    assert filled.endswith(" après")


@given(st.text(alphabet="[]{}%abé _\n", max_size=40))
def test_a_text_is_refused_or_leaves_without_a_bracket(text: str) -> None:
    try:
        filled = render(text, SAMPLES)
    except (BrokenTextError, UnknownPlaceholderError):
        return
    assert not set("[]") & set(filled)
    assert "{{" not in filled


def test_paragraphs_are_cut_at_blank_lines() -> None:
    assert blocks("\r\nUn\r\n \t\r\n\r\nDeux\r\ndeux\r\n") == ("Un", "Deux\ndeux")


def test_typesetting_gives_no_break_spaces_and_real_apostrophes() -> None:
    assert typeset("L'échéance : « 10 € » ; d'ici [Date] ? 12 % l'[Nom]") == (
        "L’échéance\u00a0: «\u00a010\u00a0€\u00a0»\u00a0; d’ici [Date]\u00a0? 12\u00a0% l’[Nom]"
    )
    assert typeset("à 10:30, https://a.example/?b") == "à 10:30, https://a.example/?b"


@pytest.mark.parametrize("version", library(), ids=lambda version: version.slug)
def test_the_library_is_typeset_and_shows_the_sums_once(version: TextVersion) -> None:
    for form in version.forms.values():
        tables = [field.name for field in fields_of(form.body) if field.alone]
        if version.channel is Channel.SMS:
            assert (form.subject, tables) == ("", [])
            continue
        assert len(tables) == 1
        if version.language == "fr":
            assert (typeset(form.subject), typeset(form.body)) == (form.subject, form.body)


WRITTEN = [
    (step, kind, channel, language)
    for step in Step
    for kind in Kind
    for channel in Channel
    for language in ("fr", "en")
    if not (step is Step.J0 and channel is not Channel.EMAIL) and not (channel is Channel.LETTER and language == "en")
]


@pytest.mark.parametrize(("step", "kind", "channel", "language"), WRITTEN)
def test_every_step_speaks_to_every_kind_on_every_channel(
    step: Step, kind: Kind, channel: Channel, language: str
) -> None:
    version = text_for(step=step, kind=kind, channel=channel, language=language)

    assert (version.step, version.channel, version.language) == (step, channel, language)
    assert version.several is not None
    assert lint_version(version) == []


@pytest.mark.parametrize("step", [Step.J30, Step.J45])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_firm_steps_have_words_of_their_own_for_every_kind(step: Step, kind: Kind) -> None:
    assert text_for(step=step, kind=kind, channel=Channel.LETTER).kind is kind


@pytest.mark.parametrize(
    ("kind", "step", "slug"),
    [
        (Kind.PROFESSIONAL, Step.J3, "j3-professional-email"),
        (Kind.PUBLIC, Step.J10, "j10-professional-email"),
        (Kind.CONSUMER, Step.J10, "j10-consumer-email"),
        (Kind.NON_PRO_LEGAL, Step.J3, "j3-consumer-email"),
        (kind_of(None), Step.J3, "j3-consumer-email"),
        (kind_of("unknown"), Step.J10, "j10-consumer-email"),
    ],
)
def test_each_kind_of_client_reads_the_text_meant_for_it(kind: Kind, step: Step, slug: str) -> None:
    assert text_for(step=step, kind=kind).slug == slug


def test_a_debt_that_enters_late_first_meets_the_courteous_text() -> None:
    late = text_for(step=Step.J10, kind=Kind.PROFESSIONAL, late_entry=True)

    assert late == text_for(step=Step.J3, kind=Kind.PROFESSIONAL)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.LETTER])
def test_a_text_that_is_not_written_is_not_replaced_by_another(channel: Channel) -> None:
    with pytest.raises(NoTextError):
        text_for(step=Step.J0, kind=Kind.PROFESSIONAL, channel=channel)


def test_a_letter_is_in_french_for_every_client() -> None:
    assert text_for(step=Step.J45, kind=Kind.CONSUMER, channel=Channel.LETTER, language="en").language == "fr"


def test_several_invoices_are_not_told_with_the_words_for_one() -> None:
    text = text_for(step=Step.J3, kind=Kind.CONSUMER)

    assert isinstance(text.several, Form)
    assert (text.form_for(invoices=1), text.form_for(invoices=2)) == (text.one, text.several)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (dt.date(2026, 11, 14), dt.date(2026, 11, 14), "14\u00a0novembre 2026"),
        (dt.date(2026, 11, 3), dt.date(2026, 11, 14), "3 au 14\u00a0novembre 2026"),
        (dt.date(2026, 9, 1), dt.date(2026, 11, 14), "1er\u00a0septembre au 14\u00a0novembre 2026"),
        (dt.date(2025, 12, 31), dt.date(2026, 1, 1), "31\u00a0décembre 2025 au 1er\u00a0janvier 2026"),
    ],
)
def test_a_span_of_days_reads_after_du(first: dt.date, last: dt.date, words: str) -> None:
    assert period_words(first, last) == words


def test_the_first_of_a_month_is_ordinal() -> None:
    assert day_words(dt.date(2026, 8, 1)) == "1er\u00a0août 2026"
