"""Show nights on a terminal, one hundred columns wide, and as the same figures in JSON."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TextIO, cast
from zoneinfo import ZoneInfo

from django.core.management.base import OutputWrapper
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dunning.enums import ReminderState
from dunning.services.reporting_night import Message, Night
from invoices.money import show_euros

WIDTH = 100
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def console_for(stream: OutputWrapper) -> Console:
    """Return a console of our width on a command's output, colourless when nobody looks."""
    # The wrapper ends every piece it is given with a line: what it wraps does not.
    return Console(file=cast("TextIO", stream._out), width=WIDTH, highlight=False, soft_wrap=False)


def show(console: Console, nights: Sequence[Night]) -> None:
    """Print each firm's night, then the sums."""
    for night in nights:
        _show_one(console, night)
    _show_sums(console, nights)


def show_expected(console: Console, night: Night) -> None:
    """Print what a night would answer, without a word of it being written."""
    console.print(_title(night))
    console.print(
        f"  Essai : rien n’est écrit, rien ne part. Messages qui partiraient : {night.would_send} ; "
        f"qui attendraient un accord : {night.would_ask}."
    )
    _show_held(console, night)
    console.print()


def as_json(nights: Sequence[Night]) -> list[dict[str, Any]]:
    """Return the figures of the table, amounts in cents and instants in ISO 8601."""
    return [
        {
            "cabinet": night.slug,
            "on": night.on.isoformat(),
            "examined": night.examined,
            "is_abnormal": night.is_abnormal,
            "sent": [_plain(message, night) for message in night.said],
            "planned": [_plain(message, night) for message in night.planned],
            "awaiting_approval": [_plain(message, night) for message in night.awaiting],
            "dropped": [_plain(message, night) for message in night.dropped],
            "held": {code.value: number for code, number in night.held},
            "would_send": night.would_send,
            "would_ask": night.would_ask,
        }
        for night in nights
    ]


def day_words(day: dt.date) -> str:
    """Write « mardi 24 novembre 2026 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]} {day.year}"


def count(number: int, one: str, several: str = "") -> str:
    """Write « 1 message », « 6 messages », « aucun message »."""
    if not number:
        return f"aucun {one}" if not several else f"0 {several}"
    return f"{number} {one if number == 1 else several or one + 's'}"


def _title(night: Night) -> Text:
    title = Text(f"\n{night.firm}", style="bold")
    title.append(f" · nuit du {day_words(night.on)}", style="not bold")
    return title


def _show_one(console: Console, night: Night) -> None:
    console.print(_title(night))
    if night.is_abnormal:
        console.print(
            Text(
                "  Nuit inhabituelle : rien n’est préparé tant qu’une personne ne l’a pas confirmée.",
                style="bold yellow",
            )
        )
    _show_messages(console, night, "Envoyés", night.said, "green")
    _show_messages(console, night, "Prévus", night.planned, "cyan")
    _show_messages(console, night, "À valider", night.awaiting, "yellow")
    _show_messages(console, night, "Non partis", night.dropped, "red")
    _show_held(console, night)


def _show_messages(console: Console, night: Night, title: str, messages: Sequence[Message], style: str) -> None:
    if not messages:
        return
    asked = any(message.reasons or message.cancelled_by for message in messages)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", pad_edge=False)
    table.add_column(Text(f"{title} ({len(messages)})", style=f"bold {style}"), width=26 if asked else 32)
    table.add_column("Étape", width=5)
    table.add_column("Factures", width=15 if asked else 31)
    table.add_column("Montant", justify="right", width=12)
    table.add_column("Motif" if asked else "Heure", width=30 if asked else 7)
    for message in messages:
        table.add_row(
            message.client,
            message.step,
            _numbers(message),
            show_euros(message.cents),
            _why(message) if asked else _when(message, night),
        )
    console.print(table)


def _numbers(message: Message) -> Text:
    text = Text(", ".join(message.numbers))
    if message.mentioned:
        text.append(f" (et {', '.join(message.mentioned)})", style="dim")
    return text


def _why(message: Message) -> str:
    if message.cancelled_by:
        return message.cancelled_by.label
    if message.state == ReminderState.AWAITING_APPROVAL:
        return " ; ".join(reason.label for reason in message.reasons)
    return message.state.label


def _when(message: Message, night: Night) -> str:
    local = message.at.astimezone(ZoneInfo(night.zone_name))
    hour = f"{local.hour} h {local:%M}"
    return hour if local.date() == night.on else f"{local:%d/%m} {hour}"


def _show_held(console: Console, night: Night) -> None:
    if not night.held:
        return
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    total = sum(number for _, number in night.held)
    table.add_column(Text(f"Retenues ({total})", style="bold"))
    table.add_column("", justify="right")
    table.add_column("")
    table.add_column("", justify="right")
    rows = [(code.label, str(number)) for code, number in night.held]
    half = (len(rows) + 1) // 2
    for left, right in zip(rows[:half], [*rows[half:], ("", "")], strict=False):
        table.add_row(*left, *right)
    console.print(table)


def _show_sums(console: Console, nights: Sequence[Night]) -> None:
    said = sum(len(night.said) for night in nights)
    planned = sum(len(night.planned) for night in nights)
    awaiting = sum(len(night.awaiting) for night in nights)
    held = sum(number for night in nights for _, number in night.held)
    line = Text("\nEn tout : ", style="bold")
    line.append(f"{count(said, 'message envoyé', 'messages envoyés')} ", style="green")
    line.append(f"({show_euros(sum(night.said_cents for night in nights))})", style="not bold")
    if planned:
        line.append(f", {planned} à partir plus tard", style="cyan")
    line.append(f", {awaiting} à valider ", style="yellow")
    line.append(f"({show_euros(sum(night.awaiting_cents for night in nights))})", style="not bold")
    line.append(f", {count(held, 'facture retenue', 'factures retenues')}.", style="not bold")
    console.print(line)


def _plain(message: Message, night: Night) -> dict[str, Any]:
    return {
        "client": message.client,
        "step": message.step,
        "invoices": list(message.numbers),
        "mentioned": list(message.mentioned),
        "cents": message.cents,
        "state": message.state.value,
        "at": message.at.astimezone(ZoneInfo(night.zone_name)).isoformat(),
        "reasons": [reason.value for reason in message.reasons],
        "cancelled_by": message.cancelled_by.value if message.cancelled_by else None,
    }
