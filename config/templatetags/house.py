"""The tags and filters of the house's templates; docs/components.md shows each of them at work."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from django import template
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from dunning.enums import Channel
from invoices.money import show_euros

register = template.Library()

NBSP = "\u00a0"
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
NOT_A_NAME = {"cabinet", "selarl", "selas", "scp", "aarpi", "sarl", "me", "maître", "avocats", "et", "&"}

# The word on screen → its tone and its icon. A word nobody listed is shown, in neutral.
STATUSES = {
    "Brouillon": ("neutral", "file-pen"),
    "À échoir": ("info", "calendar-clock"),
    "À encaisser": ("info", "calendar-clock"),
    "Échue": ("late", "clock"),
    "Partiellement payée": ("wait", "circle-dot"),
    "Paiement en cours": ("info", "hourglass"),
    "Payée": ("ok", "circle-check"),
    "Contestée": ("dispute", "scale"),
    "Échéancier": ("ok", "calendar-check"),
    "Suspendue": ("wait", "circle-pause"),
    "Irrécouvrable": ("neutral", "ban"),
    "Annulée": ("neutral", "ban"),
    "Archivée": ("neutral", "folder"),
    # Reminders
    "Prévue": ("info", "calendar-clock"),
    "Automatique": ("info", "send"),
    "À valider": ("wait", "clipboard-check"),
    "Approuvée": ("ok", "check"),
    "En cours d’envoi": ("info", "send"),
    "Envoyée": ("ok", "send"),
    "Remise": ("ok", "mail-check"),
    "Revenue": ("late", "mail-x"),
    "Refusée par le serveur": ("late", "mail-x"),
    "Entre vos mains": ("wait", "hand"),
    "Refusée par le destinataire": ("late", "x"),
    "Non réclamée": ("wait", "mail-warning"),
    "Issue incertaine": ("wait", "circle-question-mark"),
    "Écartée": ("neutral", "ban"),
    "Reportée": ("wait", "calendar-plus"),
    # The rest
    "À faire": ("wait", "circle-dashed"),
    "À traiter": ("wait", "circle-dashed"),
    "À classer": ("wait", "circle-dashed"),
    "À rattacher": ("wait", "circle-question-mark"),
    "Classée": ("ok", "circle-check"),
    "Notée": ("neutral", "check"),
    "Sans rapport": ("neutral", "ban"),
    "Fait": ("ok", "circle-check"),
    "Traitée": ("ok", "circle-check"),
    "Sans objet": ("neutral", "ban"),
    "En cours": ("info", "hourglass"),
    "Encaissé": ("ok", "circle-check"),
    "Échoué": ("late", "circle-x"),
    "Annulé": ("neutral", "undo-2"),
    "Fichier reçu": ("info", "file-up"),
    "Contrôle en cours": ("info", "hourglass"),
    "Contrôlé": ("wait", "file-check"),
    "Import en cours": ("info", "hourglass"),
    "Annulation en cours": ("wait", "hourglass"),
    "Terminé": ("ok", "circle-check"),
    "Interrompu": ("late", "circle-x"),
}
CHANNELS = {
    Channel.EMAIL: "mail",
    Channel.SMS: "message-square-text",
    Channel.LETTER: "mail-open",
    Channel.REGISTERED: "file-check",
    Channel.PHONE: "phone",
}


class Bucket(Protocol):
    """One age of what is owed: its label, its cents, and the list that shows its invoices."""

    @property
    def label(self) -> str: ...
    @property
    def cents(self) -> int: ...
    @property
    def url(self) -> str: ...


class Point(Protocol):
    """One month of a curve: its short label and its number of days."""

    @property
    def label(self) -> str: ...
    @property
    def days(self) -> int: ...


@dataclass(frozen=True)
class Segment:
    """A bucket as drawn: where it starts, how wide, and the share it is."""

    rank: int
    label: str
    cents: int
    url: str
    share: int
    x: str
    width: str


@dataclass(frozen=True)
class Mark:
    """A point or a line of a chart, in the units of its drawing."""

    label: str
    days: int
    x: str
    y: str


# Words


@register.filter
def euros(cents: int) -> str:
    """Show cents as "1 440,00 €"."""
    return show_euros(cents)


@register.filter
def euros_short(cents: int) -> str:
    """Show cents as "1 440 €", and keep the decimals only when there are some."""
    return show_euros(cents).replace(",00", "")


@register.filter
def account(number: str) -> str:
    """Show an account number by groups of four: "FR76 3000 6000…"."""
    return NBSP.join(number[start : start + 4] for start in range(0, len(number), 4))


@register.filter
def day(value: dt.date | None) -> str:
    """Show a date as "mardi 24 novembre 2026"."""
    return "" if value is None else f"{DAYS[value.weekday()]} {_number(value)} {MONTHS[value.month - 1]} {value.year}"


@register.filter
def plain_day(value: dt.date | None) -> str:
    """Show a date as "24 novembre 2026"."""
    return "" if value is None else f"{_number(value)} {MONTHS[value.month - 1]} {value.year}"


@register.filter
def short_day(value: dt.date | None) -> str:
    """Show a date as "jeu. 26 nov."."""
    return "" if value is None else f"{DAYS[value.weekday()][:3]}. {_number(value)} {SHORT_MONTHS[value.month - 1]}"


def _number(value: dt.date) -> str:
    return "1er" if value.day == 1 else str(value.day)


@register.filter
def hour(value: dt.datetime | dt.time | None, zone: dt.tzinfo | str | None = None) -> str:
    """Show an instant in the firm's zone, or a time of day, as "9 h 30"."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime) and zone:
        value = value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    minutes = f"{NBSP}{value.minute:02d}" if value.minute else ""
    return f"{value.hour}{NBSP}h{minutes}"


@register.filter
def local_day(value: dt.datetime | None, zone: dt.tzinfo | str) -> dt.date | None:
    """Give the day an instant falls on in the firm's zone, for the filters that show a day."""
    if value is None:
        return None
    return value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).date()


@register.filter
def initials(name: str) -> str:
    """Give the two letters of a monogram: "Cabinet Aubry Lenoir" is AL."""
    words = [word for word in name.replace("-", " ").split() if word.lower().strip(".") not in NOT_A_NAME]
    return "".join(word[0] for word in (words or name.split())[:2]).upper()


# Parts


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw an icon of the sprite, silent to screen readers: the word stands beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(tone: str, glyph: str, words: str) -> SafeString:
    """Draw a status by hand: tone (ok, wait, late, dispute, info, neutral), icon and words."""
    return format_html('<span class="badge badge-{}">{}{}</span>', tone, icon(glyph), words)


@register.simple_tag
def status_badge(status: object) -> SafeString:
    """Draw the badge of a status, given as a member of a TextChoices or as its French word."""
    words = str(getattr(status, "label", status))
    tone, glyph = STATUSES.get(words, ("neutral", "circle"))
    return badge(tone, glyph, words)


@register.simple_tag
def channel(value: str) -> SafeString:
    """Draw the square of a channel, with its name for who does not see it."""
    known = Channel(value)
    return format_html(
        '<span class="channel">{}<span class="visually-hidden">{}</span></span>', icon(CHANNELS[known]), known.label
    )


@register.simple_tag
def url_with(request: HttpRequest, **changes: object) -> str:
    """Give the query string of this page with some parameters changed; None or "" removes one."""
    query = request.GET.copy()
    for name, value in changes.items():
        if value in {None, ""}:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_block_tag
def sheet(
    content: str,
    title: str,
    *,
    note: str = "",
    link: str = "",
    link_label: str = "",
    name: str = "",
    flush: bool = False,
) -> SafeString:
    """Lay content on a white sheet under a heading; `flush` leaves the inside margins to the content."""
    return format_html(
        '<section class="sheet" aria-labelledby="{0}"><header><h2 id="{0}">{1}</h2>{2}{3}</header>{4}</section>',
        name or f"s-{slugify(title)}",
        title,
        format_html("<p>{}</p>", note) if note else "",
        format_html('<a class="more-link" href="{}">{}{}</a>', link, link_label, icon("chevron-right")) if link else "",
        content if flush else format_html('<div class="sheet-body">{}</div>', content),
    )


@register.simple_block_tag
def section(content: str, title: str, *, name: str = "") -> SafeString:
    """Group content under a heading, on the page's own ground."""
    return format_html(
        '<section class="column" aria-labelledby="{0}"><h2 id="{0}">{1}</h2>{2}</section>',
        name or f"s-{slugify(title)}",
        title,
        content,
    )


@register.simple_block_tag
def decision(content: str, figure: object, title: str, *, text: str = "") -> SafeString:
    """Draw the dark band of the decision to take: figure, title, text; its buttons are the content."""
    return format_html(
        '<section class="decision" aria-labelledby="decision">'
        '<span class="decision-figure" aria-hidden="true">{0}</span>'
        '<div><h2 id="decision"><span class="visually-hidden">{0} </span>{1}</h2>{2}</div>'
        '<div class="actions">{3}</div></section>',
        figure,
        title,
        format_html("<p>{}</p>", text) if text else "",
        content,
    )


# Charts

BAR_WIDTH, BAR_GAP = 1000.0, 4.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 444.0, 28.0, 222.0
STEPS = (5, 10, 20, 50, 100)
MOST_STEPS = 3
MONTH_LABELS = 5


@register.simple_tag
def aging_chart(buckets: Sequence[Bucket]) -> SafeString:
    """Draw what is owed by age: five objects with `label`, `cents` and `url`, the youngest first.

    Each bucket is a link to its list, with its amount and its share; the table repeats them.
    """
    total = sum(bucket.cents for bucket in buckets)
    drawn = [bucket.cents for bucket in buckets if bucket.cents > 0]
    room = BAR_WIDTH - BAR_GAP * max(len(drawn) - 1, 0)
    segments, x = [], 0.0
    for rank, bucket in enumerate(buckets):
        width = room * bucket.cents / total if total and bucket.cents > 0 else 0.0
        share = round(100 * bucket.cents / total) if total else 0
        segments.append(
            Segment(
                rank,
                bucket.label,
                bucket.cents,
                bucket.url,
                share,
                f"{x:.1f}",
                f"{width:.1f}" if width else "",
            )
        )
        x += width + BAR_GAP if width else 0.0
    return render_to_string("_aging_chart.html", {"segments": segments, "total": total})


@register.simple_tag
def dso_curve(points: Sequence[Point], target: int, *, name: str = "dso", title: str = "") -> SafeString:
    """Draw days month by month: objects with `label` ("nov.") and `days`, the oldest first, and the target.

    Fewer than two points draw nothing: the page says « pas encore assez de données » itself.
    """
    if len(points) < 2:  # noqa: PLR2004 -- a curve needs two points
        return SafeString("")
    low, high, step = _scale([*(point.days for point in points), target])

    def height(days: int) -> float:
        return BOTTOM - (BOTTOM - TOP) * (days - low) / (high - low)

    pace = (RIGHT - LEFT) / (len(points) - 1)
    marks = [
        Mark(point.label, point.days, f"{LEFT + pace * rank:.1f}", f"{height(point.days):.1f}")
        for rank, point in enumerate(points)
    ]
    return render_to_string(
        "_dso_curve.html",
        {
            "name": name,
            "title": title or "Délai moyen de paiement, mois par mois",
            "marks": marks,
            "first": marks[0],
            "last": marks[-1],
            "line": " ".join(f"{mark.x},{mark.y}" for mark in marks),
            "grid": [Mark(str(days), days, "26", f"{height(days):.1f}") for days in range(low, high + 1, step)],
            "target": Mark("", target, f"{LEFT + 4:.0f}", f"{height(target):.1f}"),
            "target_label_y": f"{height(target) - 6:.1f}",
            "first_label_y": f"{float(marks[0].y) - 10:.1f}",
            "last_label_y": f"{float(marks[-1].y) - 11:.1f}",
            "months": _spread(marks),
        },
    )


def _scale(values: Sequence[int]) -> tuple[int, int, int]:
    """Choose round bounds and a step that hold every value in a handful of lines."""
    step = next((s for s in STEPS if (max(values) - min(values)) / s <= MOST_STEPS), STEPS[-1])
    low = (min(values) - 1) // step * step
    high = -(-max(values) // step) * step
    return low, max(high, low + step), step


def _spread(marks: Sequence[Mark]) -> list[Mark]:
    """Keep the months that can be written without touching each other; the last is always one of them."""
    every = max(-(-len(marks) // MONTH_LABELS), 1)
    kept = list(marks[::every])
    if kept[-1] is marks[-1]:
        return kept
    room = every * 2 / 3
    ranks = {mark: rank for rank, mark in enumerate(marks)}
    if any(ranks[b] - ranks[a] < room for a, b in pairwise([kept[-1], marks[-1]])):
        kept.pop()
    return [*kept, marks[-1]]
