"""Forms of a dossier, its hearings and who is in charge of it."""

from typing import Any
from uuid import UUID

from django import forms

from cabinets.enums import ClientKind, LegalAid
from cabinets.forms.fields import DayField
from cabinets.models import Client, Contact, Dossier, Membership
from cabinets.sealing import open_together
from cabinets.services.dossiers import DossierFacts

NOBODY = ("", "—")


class DossierForm(forms.Form):
    """What the firm agreed, and what the law asks before a word is said."""

    reference = forms.CharField(
        label="Référence neutre",
        max_length=30,
        required=False,
        help_text="Le seul nom du dossier qui sorte du cabinet : ni partie, ni objet. Vide, elle est attribuée.",
    )
    title = forms.CharField(label="Intitulé", max_length=200, required=False, help_text="Il reste au cabinet.")
    kind = forms.ChoiceField(
        label="Le client est, dans ce dossier",
        choices=ClientKind.choices,
        help_text="Un indépendant qui divorce est un particulier. De cette qualité dépend ce qui peut être réclamé.",
    )
    practice_area = forms.CharField(label="Domaine", max_length=60, required=False)
    lawyer = forms.TypedChoiceField(label="Avocat responsable", required=False, coerce=UUID, empty_value=None)
    billing_contact = forms.TypedChoiceField(
        label="Contact de facturation",
        required=False,
        coerce=UUID,
        empty_value=None,
        help_text="Les relances lui sont adressées. Sans contact, elles vont au client.",
    )
    fee_agreement_on = DayField(label="Convention d’honoraires signée le", required=False)
    contract_rate = forms.DecimalField(
        label="Taux de retard convenu (% l’an)",
        max_digits=5,
        decimal_places=2,
        required=False,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": "Écrivez le taux sous la forme 12,5."},
    )
    mandate_ended_on = DayField(
        label="Fin de la mission", required=False, help_text="La prescription court de ce jour."
    )
    legal_aid = forms.ChoiceField(
        label="Aide juridictionnelle",
        choices=LegalAid.choices,
        help_text="Totale : aucun honoraire ne peut être demandé, les relances s’arrêtent.",
    )
    batonnier_notified_on = DayField(
        label="Convention notifiée au bâtonnier le",
        required=False,
        help_text="Pour l’aide partielle : dans les quinze jours de la convention.",
    )
    is_never_reminded = forms.BooleanField(label="Ne jamais relancer ce dossier", required=False)
    is_archived = forms.BooleanField(label="Dossier archivé", required=False)

    def __init__(self, *args: Any, client: Client, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["lawyer"].choices = [NOBODY, *member_choices()]  # type: ignore[attr-defined]  # a choice field
        self.fields["billing_contact"].choices = [NOBODY, *_contact_choices(client)]  # type: ignore[attr-defined]

    def facts(self) -> DossierFacts:
        """Return what a valid form says."""
        values = dict(self.cleaned_data)
        lawyer, contact = values.pop("lawyer"), values.pop("billing_contact")
        return DossierFacts(lawyer_id=lawyer, billing_contact_id=contact, **values)


class HearingForm(forms.Form):
    """The day of a hearing or of a judgment."""

    held_on = DayField(label="Date d’audience ou de délibéré")


class AssignmentForm(forms.Form):
    """Whom to put in charge of a dossier."""

    member = forms.TypedChoiceField(label="Personne", coerce=UUID)

    def __init__(self, *args: Any, dossier: Dossier, **options: Any) -> None:
        super().__init__(*args, **options)
        taken = set(dossier.assignments.values_list("member_id", flat=True))
        people = [choice for choice in member_choices() if choice[0] not in taken]
        self.fields["member"].choices = people  # type: ignore[attr-defined]  # a choice field


def initial_of(dossier: Dossier) -> dict[str, Any]:
    """Return a dossier as its form shows it."""
    stated = ("reference", "title", "kind", "practice_area", "fee_agreement_on", "contract_rate", "mandate_ended_on",
              "legal_aid", "batonnier_notified_on", "is_never_reminded", "is_archived")  # fmt: skip
    values = {name: getattr(dossier, name) for name in stated}
    return {**values, "lawyer": dossier.lawyer_id, "billing_contact": dossier.billing_contact_id}


def member_choices() -> list[tuple[UUID, str]]:
    """Return the people of the firm by name."""
    members = Membership.objects.filter(is_active=True).select_related("user")
    return sorted(((member.pk, str(member.user)) for member in members), key=lambda choice: choice[1].casefold())


def _contact_choices(client: Client) -> list[tuple[UUID, str]]:
    contacts = open_together(Contact.objects.filter(client=client, is_archived=False))
    return [(contact.pk, f"{contact.first_name} {contact.last_name}".strip() or contact.email) for contact in contacts]
