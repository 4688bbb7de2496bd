"""What a firm says of itself before its address is proven."""

from django import forms

LONGEST_NAME = 120
LONGEST_BAR = 60


class SignUpForm(forms.Form):
    """Three answers; the password is chosen once the address is proven."""

    firm = forms.CharField(
        label="Nom du cabinet",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": "Indiquez le nom de votre cabinet."},
    )
    bar = forms.CharField(
        label="Barreau",
        max_length=LONGEST_BAR,
        help_text="Le barreau dont dépend le cabinet, comme Paris ou Lyon.",
        error_messages={"required": "Indiquez votre barreau."},
    )
    email = forms.EmailField(
        label="Votre adresse e-mail professionnelle",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": "Indiquez votre adresse e-mail.",
            "invalid": "Cette adresse e-mail est incomplète.",
        },
    )

    def clean_email(self) -> str:
        """Write addresses one way."""
        return str(self.cleaned_data["email"]).strip().lower()
