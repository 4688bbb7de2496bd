"""What the operators' desk asks for on its first page."""

from django import template

from cabinets.admin import OPERATOR
from invoices.law.rates import HalfYear
from invoices.services.rates import halves_to_confirm, paris_day

register = template.Library()


@register.simple_tag
def missing_rates() -> list[HalfYear]:
    """Return the half-years begun that have no confirmed rate."""
    return halves_to_confirm(on=paris_day(), using=OPERATOR)
