"""What the filters, the tags and the charts of the house write."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from cabinets.enums import TaskState
from config import samples
from config.templatetags import house
from dunning.enums import Channel, ReminderState
from invoices.enums import ImportState, InvoiceState, InvoiceStatus
from payments.enums import PaymentState, RequestState

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Age:
    """A bucket of the tests."""

    label: str
    cents: int
    url: str


def rendered(source: str, **context: object) -> str:
    return Template("{% load house %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("value", "long", "plain", "short"),
    [
        (dt.date(2026, 11, 24), "mardi 24 novembre 2026", "24 novembre 2026", "mar. 24 nov."),
        (dt.date(2026, 11, 26), "jeudi 26 novembre 2026", "26 novembre 2026", "jeu. 26 nov."),
        (dt.date(2026, 12, 1), "mardi 1er décembre 2026", "1er décembre 2026", "mar. 1er déc."),
        (dt.date(2027, 8, 1), "dimanche 1er août 2027", "1er août 2027", "dim. 1er août"),
        (None, "", "", ""),
    ],
)
def test_a_day_is_written_in_french(value: dt.date | None, long: str, plain: str, short: str) -> None:
    assert (house.day(value), house.plain_day(value), house.short_day(value)) == (long, plain, short)


@pytest.mark.parametrize(
    ("value", "zone", "words"),
    [
        (dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC), "Europe/Paris", "9\u00a0h\u00a030"),
        (dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC), ZoneInfo("America/Martinique"), "4\u00a0h\u00a030"),
        (dt.datetime(2026, 7, 1, 8, 5, tzinfo=dt.UTC), PARIS, "10\u00a0h\u00a005"),
        (dt.time(14), None, "14\u00a0h"),
        (None, None, ""),
    ],
)
def test_an_hour_is_the_firms(value: dt.datetime | dt.time | None, zone: ZoneInfo | str | None, words: str) -> None:
    assert house.hour(value, zone) == words


def test_half_past_ten_in_the_evening_in_utc_is_already_tomorrow_in_paris() -> None:
    assert house.local_day(dt.datetime(2027, 3, 31, 22, 30, tzinfo=dt.UTC), PARIS) == dt.date(2027, 4, 1)


@pytest.mark.parametrize(
    ("cents", "full", "brief"),
    [
        (144_000, "1\u00a0440,00\u00a0€", "1\u00a0440\u00a0€"),
        (144_005, "1\u00a0440,05\u00a0€", "1\u00a0440,05\u00a0€"),
        (0, "0,00\u00a0€", "0\u00a0€"),
    ],
)
def test_an_amount_shows_its_cents_unless_asked_to_be_brief(cents: int, full: str, brief: str) -> None:
    assert (house.euros(cents), house.euros_short(cents)) == (full, brief)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Cabinet Aubry Lenoir", "AL"),
        ("SELARL Aubry & Lenoir", "AL"),
        ("Me Claire Aubry", "CA"),
        ("Cabinet", "C"),
        ("Jean-Luc Petit", "JL"),
    ],
)
def test_a_monogram_skips_what_is_not_a_name(name: str, letters: str) -> None:
    assert house.initials(name) == letters


def test_a_status_has_an_icon_and_its_word() -> None:
    badge = house.status_badge("Contestée")

    assert badge.startswith('<span class="badge badge-dispute"><svg class="icon"')
    assert badge.endswith('#scale"/></svg>Contestée</span>')


def test_an_unknown_status_is_shown_in_neutral() -> None:
    assert house.status_badge("Inédite").startswith('<span class="badge badge-neutral">')


def test_every_state_of_the_product_has_its_tone_and_icon() -> None:
    states = (InvoiceStatus, InvoiceState, ReminderState, TaskState, RequestState, PaymentState, ImportState)
    words = {str(label) for state in states for label in state.labels}

    assert words - set(house.STATUSES) == set()


def test_every_channel_has_its_square() -> None:
    assert [house.channel(value).count('class="channel"') for value in Channel.values] == [1] * 5


def test_a_word_of_a_firm_is_escaped() -> None:
    page = rendered("{% sheet title note=title %}{{ title }}{% endsheet %}", title="<b>L’Étude</b>")

    assert "<b>" not in page


def test_changing_one_parameter_keeps_the_filters() -> None:
    request = RequestFactory().get("/factures/", {"etat": "echue", "apres": "x", "age": ["1", "2"]})

    assert house.url_with(request, avant="y", apres=None) == "?etat=echue&age=1&age=2&avant=y"


def test_the_decision_band_reads_its_figure_once() -> None:
    page = rendered('{% decision 6 "relances attendent" text="dont 2" %}<a href="/x/">Lire</a>{% enddecision %}')

    assert '<span class="decision-figure" aria-hidden="true">6</span>' in page
    assert '<span class="visually-hidden">6 </span>relances attendent</h2><p>dont 2</p>' in page
    assert '<div class="actions"><a href="/x/">Lire</a></div>' in page


def test_the_aging_chart_is_five_links_with_amounts_and_shares() -> None:
    chart = house.aging_chart(samples.BUCKETS)

    assert chart.count("<a href=") == 5
    assert chart.count("<rect") == 5
    assert "62\u00a0400\u00a0€" in chart
    assert "56\u00a0%" in chart
    assert 'x="0.0" y="0" width="554.9"' in chart


def test_an_empty_age_draws_no_bar_and_keeps_its_link() -> None:
    chart = house.aging_chart([Age("À échoir", 0, "/a/"), Age("1 à 30 j", 500, "/b/")])

    assert (chart.count("<rect"), chart.count("<a href=")) == (1, 2)
    assert 'x="0.0" y="0" width="1000.0"' in chart


def test_nothing_owed_draws_one_empty_bar() -> None:
    chart = house.aging_chart([Age("À échoir", 0, "/a/")])

    assert chart.count('class="aging-none"') == 1
    assert "0\u00a0€" in chart


def test_the_curve_says_its_conclusion_and_gives_its_data() -> None:
    curve = house.dso_curve(samples.POINTS, 35)

    assert "De 52 jours (déc.) à 41 jours (nov.). Objectif\u00a0: 35 jours." in curve
    assert curve.count('<th scope="row">') == 12
    assert [curve.count(f'text-anchor="middle">{month}<') for month in ("déc.", "mars", "juin", "nov.")] == [1] * 4


def test_a_flat_curve_is_drawn_and_one_point_is_not() -> None:
    flat = [samples.Point("oct.", 35), samples.Point("nov.", 35)]

    assert "curve-line" in house.dso_curve(flat, 35)
    assert house.dso_curve(flat[:1], 35) == ""


def test_a_refused_field_says_why_beside_itself_and_in_the_summary() -> None:
    form = samples.SampleForm({"number": "F-1"})

    summary = rendered('{% include "_error_summary.html" with form=form only %}', form=form)
    field = str(form["amount"].as_field_group())

    assert '<a href="#id_amount">Montant TTC\u00a0: Ce champ est obligatoire.</a>' in summary
    assert 'aria-describedby="id_amount_error"' in field
    assert 'aria-invalid="true"' in field
    assert '<p class="field-error" id="id_amount_error">' in field


def test_an_optional_field_says_so_and_a_choice_is_a_fieldset() -> None:
    form = samples.SampleForm()

    assert '<span class="optional">(facultatif)</span>' in str(form["note"].as_field_group())
    assert str(form["kind"].as_field_group()).startswith('<fieldset class="field"><legend>Le client est</legend>')


@pytest.mark.parametrize(
    ("value", "endings"),
    [(0, ("", "est")), (1, ("", "est")), (2, ("s", "sont")), ([], ("", "est")), ([1, 2], ("s", "sont"))],
)
def test_zero_is_singular_in_every_template(value: object, endings: tuple[str, str]) -> None:
    found = rendered("{{ value|pluralize }} {{ value|pluralize:'est,sont' }}", value=value)

    assert tuple(found.split(" ")) == endings
