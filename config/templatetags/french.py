"""Built in every template, since its grammar is that of every sentence here."""

from collections.abc import Sized

from django import template
from django.template.defaultfilters import pluralize as english

register = template.Library()
PLURAL_FROM = 2


@register.filter
def pluralize(value: object, forms: str = "s") -> str:
    """Return the ending of a word after a number, or as many things as a collection has: zero is singular in French."""
    count = len(value) if isinstance(value, Sized) and not isinstance(value, str) else value
    is_one = isinstance(count, int | float) and abs(count) < PLURAL_FROM
    return str(english(1 if is_one else count, forms))
