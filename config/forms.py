"""How forms are drawn."""

from django.forms.renderers import DjangoTemplates


class HouseFormRenderer(DjangoTemplates):
    """Draws fields with our markup: label, help, field, error, in the order a person needs them."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
