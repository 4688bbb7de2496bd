"""The filters of Factures: each is a word of the URL, so that an address is a view one can keep."""

import datetime as dt
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet

from cabinets.enums import ClientKind, Role
from cabinets.models import Client, Membership
from cabinets.services.search import find_clients
from dunning.models import DunningCase, Step
from dunning.presenting import offset_words
from invoices.enums import InvoiceState, StopKind
from invoices.models import Invoice, Standstill
from invoices.money import AmountError, parse_euros, to_cents
from invoices.services.entering import number_key

TO_COLLECT, EVERY = "a-encaisser", "toutes"
MOST_NAMES = 200
STATES = (
    (TO_COLLECT, "À encaisser"),
    ("a-echoir", "À échoir"),
    ("echue", "Échue"),
    ("partielle", "Partiellement payée"),
    ("en-cours", "Paiement en cours"),
    ("contestee", "Contestée"),
    ("echeancier", "Échéancier"),
    ("suspendue", "Suspendue"),
    ("payee", "Payée"),
    ("irrecouvrable", "Irrécouvrable"),
    ("annulee", "Annulée"),
    (EVERY, "Toutes"),
)
# Days late: the five ages of the aging balance, the youngest first.
AGES = (
    ("0", "À échoir"),
    ("1", "1 à 30 jours"),
    ("2", "31 à 60 jours"),
    ("3", "61 à 90 jours"),
    ("4", "Plus de 90 jours"),
)
BOUNDS = {"1": (1, 30), "2": (31, 60), "3": (61, 90), "4": (91, None)}
DISPUTED = (StopKind.DISPUTE, StopKind.MEDIATION, StopKind.BATONNIER_SEISED)
# In the order of `invoices.status`: the first kind in force gives the word.
_WORDS = (
    ("en-cours", (StopKind.PAYMENT_IN_FLIGHT,)),
    ("contestee", DISPUTED),
    ("echeancier", (StopKind.PLAN,)),
    ("suspendue", tuple(StopKind)),
)


class Euros(forms.CharField):
    """An amount typed as a person types it, kept in cents."""

    def to_python(self, value: Any) -> Any:
        """Read the amount; an empty field asks nothing."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return to_cents(parse_euros(text))
        except AmountError as error:
            raise forms.ValidationError(str(error)) from error


class EurosFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter carries no types
    """A bound on what is still owed."""

    field_class = Euros


class InvoiceFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter carries no types
    """Which invoices the list shows."""

    q = django_filters.CharFilter(label="Client ou numéro", method="search")
    etat = django_filters.ChoiceFilter(label="État", choices=STATES, method="in_state", empty_label="À encaisser")
    age = django_filters.ChoiceFilter(label="Retard", choices=AGES, method="of_age", empty_label="Tous")
    avocat = django_filters.ChoiceFilter(label="Avocat", method="of_lawyer", empty_label="Tous")
    etape = django_filters.ChoiceFilter(label="Prochaine étape", method="at_step", empty_label="Toutes")
    min = EurosFilter(label="Reste dû, au moins", method="at_least")
    max = EurosFilter(label="Reste dû, au plus", method="at_most")
    client = django_filters.UUIDFilter(label="Client", field_name="client_id", widget=forms.HiddenInput)
    # The reports link here with the cut they are about.
    qualite = django_filters.ChoiceFilter(
        label="Clients", field_name="dossier__kind", choices=ClientKind.choices, widget=forms.HiddenInput
    )
    domaine = django_filters.CharFilter(label="Domaine", field_name="dossier__practice_area", widget=forms.HiddenInput)

    class Meta:
        model = Invoice
        fields: list[str] = []

    def __init__(self, *args: Any, on: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        # The result of an import links here; the word is Python's, so no attribute can bear it.
        self.filters["import"] = django_filters.UUIDFilter(field_name="batch_id", widget=forms.HiddenInput)
        self.filters["avocat"].extra["choices"] = _lawyers()
        self.filters["etape"].extra["choices"] = _steps()

    def filter_queryset(self, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Apply the filters; with no state asked, a search looks everywhere and a list shows what is to collect."""
        values = self.form.cleaned_data
        found: QuerySet[Invoice] = super().filter_queryset(queryset)
        if any(values.get(name) for name in ("etat", "q", "client", "import")):
            return found
        return found & self.in_state(queryset, "etat", TO_COLLECT)

    def search(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        """Keep the invoices whose number holds the text, or whose client's name begins like it."""
        named: list[UUID] = [found.client.pk for found in find_clients(value, limit=MOST_NAMES)]
        return rows.filter(Q(number_key__contains=number_key(value)) | Q(client__in=named))

    def in_state(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        """Keep the invoices that wear this word on screen."""
        left = F("total_cents") - F("credited_cents")
        decided = {
            EVERY: Q(),
            "irrecouvrable": Q(state=InvoiceState.WRITTEN_OFF),
            "annulee": Q(state=InvoiceState.CANCELLED),
            "payee": Q(state=InvoiceState.OPEN, settled_cents__gte=left),
            TO_COLLECT: Q(state=InvoiceState.OPEN, settled_cents__lt=left),
        }
        if value in decided:
            return rows.filter(decided[value])
        return self._owed_in_state(rows.filter(decided[TO_COLLECT]), value)

    def _owed_in_state(self, owed: QuerySet[Invoice], value: str) -> QuerySet[Invoice]:
        for word, kinds in _WORDS:
            stopped = self._stopped(kinds)
            if value == word:
                return owed.filter(stopped)
            owed = owed.exclude(stopped)
        if value == "partielle":
            return owed.filter(settled_cents__gt=0)
        due = Q(due_on__lt=self.on) if value == "echue" else Q(due_on__gte=self.on)
        return owed.filter(due, settled_cents__lte=0)

    def of_age(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        """Keep what is owed and this late."""
        owed = rows.filter(state=InvoiceState.OPEN, settled_cents__lt=F("total_cents") - F("credited_cents"))
        if value not in BOUNDS:
            return owed.filter(due_on__gte=self.on)
        first, last = BOUNDS[value]
        owed = owed.filter(due_on__lte=self.on - dt.timedelta(days=first))
        return owed if last is None else owed.filter(due_on__gte=self.on - dt.timedelta(days=last))

    def of_lawyer(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        """Keep the dossiers of one lawyer."""
        return rows.filter(dossier__lawyer=UUID(value))

    def at_step(self, rows: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        """Keep the invoices whose next step is this one."""
        cases = DunningCase.objects.filter(version__steps__rank=F("next_rank"), version__steps__offset_days=int(value))
        return rows.filter(pk__in=cases.values("invoice"))

    def at_least(self, rows: QuerySet[Invoice], name: str, value: int | None) -> QuerySet[Invoice]:
        """Keep what is owed from this amount on."""
        return rows if value is None else rows.filter(settled_cents__lte=F("total_cents") - F("credited_cents") - value)

    def at_most(self, rows: QuerySet[Invoice], name: str, value: int | None) -> QuerySet[Invoice]:
        """Keep what is owed up to this amount."""
        return rows if value is None else rows.filter(settled_cents__gte=F("total_cents") - F("credited_cents") - value)

    def _stopped(self, kinds: tuple[StopKind, ...]) -> Q:
        stops = Standstill.objects.filter(Q(until_on=None) | Q(until_on__gte=self.on), released_at=None, kind__in=kinds)
        if stops.filter(invoice=None, dossier=None, client=None, lawyer=None).exists():
            return Q(pk__isnull=False)
        return (
            Q(pk__in=stops.filter(invoice__isnull=False).values("invoice"))
            | Q(dossier__in=stops.filter(dossier__isnull=False).values("dossier"))
            | Q(client__in=stops.filter(client__isnull=False).values("client"))
            | Q(dossier__lawyer__in=stops.filter(lawyer__isnull=False).values("lawyer"))
        )


def _lawyers() -> list[tuple[str, str]]:
    rows = Membership.objects.filter(role__in=[Role.OWNER, Role.LAWYER]).select_related("user")
    return sorted(((str(row.pk), row.user.get_full_name()) for row in rows), key=lambda pair: pair[1].casefold())


def _steps() -> list[tuple[str, str]]:
    days = Step.objects.order_by("offset_days").values_list("offset_days", flat=True).distinct()
    return [(str(offset), offset_words(offset)) for offset in days]


def name_of(client_id: UUID | None) -> str:
    """Return the name of the client a list is narrowed to; nothing when the person does not see them."""
    client = Client.objects.filter(pk=client_id).first() if client_id else None
    return client.display_name if client else ""
