"""The firm's settings: who it is, where it is paid, where it lives."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from stdnum import bic as bic_number
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as siren_number
from stdnum.fr import tva as vat_number

from cabinets.forms.sign_in import PasswordAskedForm, password_again
from cabinets.models import Cabinet
from cabinets.received import Flaw, FlawedFileError, redrawn
from cabinets.territories import Territory, territory_of, zone_of

LARGEST_LOGO = 200 * 1024
LONGEST_SIDE, LOGO_QUALITY = 1600, 92
NOTHING_SAVED = "Rien n’a été enregistré"
TOO_BIG = "Ce logo dépasse 200 ko. Rien n’a été enregistré : enregistrez-le en plus petit, puis déposez-le."
NO_PICTURE = (
    "Ce fichier n’est ni un PNG ni un JPEG. Exportez votre logo dans l’un de ces formats : un SVG n’est pas accepté."
)

IDENTITY = ("name", "bar", "siren", "vat_number", "email", "phone", "address", "postcode", "city", "signature")
BANK = ("account_holder", "iban", "bic")
MEDIATOR = ("mediator_name", "mediator_address", "mediator_site")
PRIVACY = ("dpo_name", "dpo_email")
PLACE = ("territory", "zone_name")


class FirmForm(PasswordAskedForm, forms.ModelForm[Cabinet]):
    """Who the firm is and where it is paid; another account takes the person's password, then a second partner."""

    # Wider than their columns: people paste these numbers in groups.
    siren = forms.CharField(label="SIREN", required=False, max_length=30)
    vat_number = forms.CharField(label="N° de TVA", required=False, max_length=30)
    iban = forms.CharField(label="IBAN", required=False, max_length=60)
    bic = forms.CharField(label="BIC", required=False, max_length=30)
    logo_file = forms.FileField(
        label="Logo",
        required=False,
        help_text="PNG ou JPEG, 200 ko au plus. Il figure en tête des messages et de l’espace de règlement.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )
    remove_logo = forms.BooleanField(label="Retirer le logo", required=False)
    territory = forms.ChoiceField(
        label="Territoire",
        required=False,
        choices=[("", "D’après le code postal"), *Territory.choices],
        help_text="Il fixe les jours fériés du cabinet.",
    )
    zone_name = forms.CharField(
        label="Fuseau horaire",
        required=False,
        max_length=40,
        help_text="Vide : celui du territoire. Sinon un nom comme Europe/Paris ou America/Martinique.",
    )
    password = password_again(
        "Demandé seulement pour changer l’IBAN, le BIC ou le titulaire : vos clients paient sur ce compte. Une fois "
        "les envois activés, un autre associé le confirme aussi, et un jour passe."
    )

    class Meta:
        model = Cabinet
        fields = (*IDENTITY, *BANK, *MEDIATOR, *PRIVACY)
        labels: ClassVar[dict[str, str]] = {"name": "Nom du cabinet"}
        help_texts: ClassVar[dict[str, str]] = {
            "bar": "Par exemple : Nantes.",
            "signature": "Le nom sous les messages, par exemple : Claire Aubry, avocate.",
            "mediator_name": "Le médiateur de la consommation de la profession, rappelé aux particuliers.",
            "dpo_name": "S’il y en a un. Il figure au registre et sur la page « Vos données » de vos clients.",
            "dpo_email": "Vide : les personnes écrivent à l’e-mail du cabinet.",
        }

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        firm = self.instance
        self.bank_before = {name: getattr(firm, name) for name in BANK}
        self.takes_two = bool(firm.iban) and firm.activated_on is not None
        self.initial["iban"] = iban_number.format(firm.iban) if firm.iban else ""
        derived = territory_of(firm.postcode) or Territory.METROPOLE
        self.initial["territory"] = "" if derived == firm.territory else firm.territory
        standard = str(zone_of(Territory(firm.territory)))
        self.initial["zone_name"] = "" if standard == firm.zone_name else firm.zone_name

    def clean_siren(self) -> str:
        """Read nine figures, whatever separates them, and check their key."""
        return _number(
            self.cleaned_data["siren"],
            siren_number.validate,
            "Ce SIREN n’est pas valable : il compte neuf chiffres et se termine par une clé. Recopiez-le depuis "
            "votre avis de situation.",
        )

    def clean_vat_number(self) -> str:
        """Read a French VAT number and check its key."""
        wrong = (
            "Ce numéro de TVA n’est pas valable : FR, deux caractères, puis le SIREN. Recopiez-le depuis une de vos "
            "factures."
        )
        number = _number(self.cleaned_data["vat_number"], vat_number.validate, wrong)
        return f"FR{number}" if number else ""

    def clean_iban(self) -> str:
        """Read an IBAN and check its keys, the country's own included."""
        return _number(
            self.cleaned_data["iban"],
            iban_number.validate,
            "Cet IBAN n’est pas valable : un caractère manque ou est faux. Recopiez-le depuis votre relevé d’identité "
            "bancaire.",
        )

    def clean_bic(self) -> str:
        """Read a BIC of eight or eleven characters."""
        return _number(
            self.cleaned_data["bic"],
            bic_number.validate,
            "Ce BIC n’est pas valable : il compte 8 ou 11 caractères. Recopiez-le depuis votre relevé d’identité "
            "bancaire.",
        )

    def clean_zone_name(self) -> str:
        """Refuse a name that no clock follows."""
        name: str = self.cleaned_data["zone_name"].strip()
        if name and name not in available_timezones():
            raise forms.ValidationError(
                "Ce fuseau n’existe pas. Laissez vide pour celui du territoire, ou écrivez par exemple Europe/Paris."
            )
        return name

    def clean_logo_file(self) -> UploadedFile[Any] | None:
        """Draw the picture again; refuse what is too big, or is no picture."""
        file: UploadedFile[Any] | None = self.cleaned_data["logo_file"]
        if file is None:
            return None
        if (file.size or 0) > LARGEST_LOGO:
            raise forms.ValidationError(TOO_BIG)
        try:
            self.logo_type, self.logo = redrawn(file.read(), longest_side=LONGEST_SIDE, quality=LOGO_QUALITY)
        except FlawedFileError as refusal:
            raise forms.ValidationError(
                NO_PICTURE if refusal.flaw == Flaw.UNKNOWN else refusal.told(NOTHING_SAVED)
            ) from refusal
        if len(self.logo) > LARGEST_LOGO:
            raise forms.ValidationError(TOO_BIG)
        return file

    def clean(self) -> dict[str, Any]:
        """Derive the place from the postcode, and ask for the password when the account changes."""
        values = super().clean() or {}
        postcode = values.get("postcode", "")
        territory = values.get("territory") or (territory_of(postcode) if postcode else self.instance.territory)
        if territory is None:
            self.add_error("territory", "Ce code postal ne désigne aucun territoire connu : choisissez-le.")
        else:
            values["territory"] = Territory(territory)
            values["zone_name"] = values.get("zone_name") or str(zone_of(values["territory"]))
        if self._changes_bank(values):
            self.ask_password(
                values.get("password", ""),
                why="Vous changez le compte sur lequel vos clients paient (IBAN, BIC ou titulaire) : saisissez votre "
                "mot de passe. Rien n’a été enregistré.",
            )
        return values

    def _changes_bank(self, values: dict[str, Any]) -> bool:
        return any(name in values and values[name] != before for name, before in self.bank_before.items())

    def _post_clean(self) -> None:
        # The columns the form writes in its own words take part in the model's constraints.
        values = self.cleaned_data
        for name in ("territory", "zone_name"):
            if values.get(name):
                setattr(self.instance, name, values[name])
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, absent from the stubs

    @property
    def proposed(self) -> dict[str, str] | None:
        """Return the account that takes two partners and a day; nothing when none does."""
        values = self.cleaned_data
        if not self.takes_two or not self._changes_bank(values):
            return None
        return {name: values[name] for name in BANK}

    @property
    def changes(self) -> list[str]:
        """Return the columns whose value is no longer the database's."""
        firm, before = self.instance, Cabinet.objects.get(pk=self.instance.pk)
        if self.cleaned_data.get("logo_file"):
            firm.logo, firm.logo_type = self.logo, self.logo_type
        elif self.cleaned_data.get("remove_logo"):
            firm.logo, firm.logo_type = None, ""
        if self.proposed is not None:
            # Another account waits for a second partner, and for its day: the firm keeps the one it has.
            firm.iban, firm.bic, firm.account_holder = before.iban, before.bic, before.account_holder
        names = [*self.Meta.fields, *PLACE, "logo", "logo_type"]
        return [name for name in names if _plain(getattr(firm, name)) != _plain(getattr(before, name))]


def _number(text: str, validate: Callable[[str], str], wrong: str) -> str:
    if not text.strip():
        return ""
    try:
        return str(validate(text.strip()))
    except NumberError as error:
        raise forms.ValidationError(wrong) from error


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


class SettledForm(forms.Form):
    """The day through which every payment is recorded."""

    on = forms.DateField(
        label="Règlements à jour au",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Indiquez une date.", "invalid": "Indiquez une date, par exemple 23/11/2026."},
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_on(self) -> dt.date:
        """Refuse a day to come: nobody knows its payments."""
        on: dt.date = self.cleaned_data["on"]
        if on > self.today:
            raise forms.ValidationError("Cette date est à venir : indiquez au plus tard aujourd’hui.")
        return on
