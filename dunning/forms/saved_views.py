"""The name of a saved view, and who uses it."""

from django import forms

from dunning.services.saved_views import LONGEST_NAME


class ViewForm(forms.Form):
    """A name, and whether the firm shares it."""

    name = forms.CharField(
        label="Nom de la vue", max_length=LONGEST_NAME, error_messages={"required": "Donnez un nom à cette vue."}
    )
    is_shared = forms.BooleanField(
        label="Partager avec le cabinet",
        required=False,
        help_text="Chacun n’y voit que ses factures. Une vue qui cherche un client ne se partage pas.",
    )
