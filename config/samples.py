"""People, amounts and dates of the /style/ page; none of them exists."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django import forms


@dataclass(frozen=True)
class Bucket:
    """An age of the sample."""

    label: str
    cents: int
    url: str


@dataclass(frozen=True)
class Point:
    """A month of the sample."""

    label: str
    days: int


@dataclass(frozen=True)
class Event:
    """A line of the sample timeline."""

    tone: str
    icon: str
    title: str
    when: str
    text: str = ""
    future: bool = False


@dataclass(frozen=True)
class Tab:
    """A tab of the sample."""

    label: str
    url: str
    current: bool = False
    count: int = 0


class SampleForm(forms.Form):
    """One field of each kind."""

    KINDS: ClassVar = [("professional", "Professionnel"), ("consumer", "Particulier")]

    number = forms.CharField(label="Numéro de facture", help_text="Tel qu’il figure sur la facture.")
    amount = forms.CharField(label="Montant TTC")
    due_on = forms.DateField(label="Échéance", widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(label="Le client est", choices=KINDS, widget=forms.RadioSelect)
    channel = forms.ChoiceField(label="Canal", choices=[("email", "E-mail"), ("letter", "Lettre")], required=False)
    note = forms.CharField(label="Note interne", widget=forms.Textarea, required=False)
    paused = forms.BooleanField(label="Suspendre les relances de cette facture", required=False)


BUCKETS = [
    Bucket("À échoir", 6_240_000, "/factures/?age=0"),
    Bucket("1 à 30 j", 2_135_000, "/factures/?age=1"),
    Bucket("31 à 60 j", 1_418_000, "/factures/?age=2"),
    Bucket("61 à 90 j", 793_000, "/factures/?age=3"),
    Bucket("Plus de 90 j", 480_000, "/factures/?age=4"),
]
MONTHS = ("déc.", "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.")
DAYS = (52, 51, 50, 50, 49, 47, 46, 46, 48, 45, 43, 41)
POINTS = [Point(label, days) for label, days in zip(MONTHS, DAYS, strict=True)]
EVENTS = [
    Event("wait", "clipboard-check", "Relance ferme à valider", "jeudi 26 novembre 2026, 9 h 30", future=True),
    Event("info", "eye", "Lien de paiement ouvert", "lundi 23 novembre 2026, 18 h 12"),
    Event("ok", "mail-check", "Rappel avec solutions envoyé", "mardi 24 novembre 2026, 10 h", "E-mail · J+10"),
    Event("dispute", "scale", "Contestation levée par Me Aubry", "vendredi 20 novembre 2026, 16 h 40"),
    Event("late", "mail-x", "Adresse refusée", "mardi 17 novembre 2026, 10 h", "Corrigez l’adresse du client."),
    Event("neutral", "receipt-text", "Facture importée", "lundi 16 novembre 2026, 8 h 55"),
]
STATUSES = (
    "À échoir", "Échue", "Partiellement payée", "Paiement en cours", "Payée", "Contestée", "Échéancier",
    "Suspendue", "Irrécouvrable", "Annulée", "À valider", "Prévue", "Envoyée",
    "Refusée par le serveur", "Issue incertaine", "Écartée",
)  # fmt: skip
TABS = [
    Tab("Toutes", "?", current=True, count=37),
    Tab("Échues", "?etat=echue", count=21),
    Tab("Contestées", "?etat=contestee"),
    Tab("Payées", "?etat=payee"),
]


def style_context(*, errors: bool) -> dict[str, object]:
    """Give the /style/ page its data; with `errors`, the form comes back refused."""
    return {
        "form": SampleForm({"number": "F-2026-0412"}) if errors else SampleForm(initial={"kind": "professional"}),
        "buckets": BUCKETS,
        "empty_buckets": [Bucket(bucket.label, 0, bucket.url) for bucket in BUCKETS],
        "points": POINTS,
        "events": EVENTS,
        "statuses": STATUSES,
        "tabs": TABS,
        "today": dt.date(2026, 11, 24),
        "instant": dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC),
    }
