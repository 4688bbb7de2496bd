"""What pages of the floor show of the floors above: rates the operators' desk awaits, how the BODACC answers."""

from django import template

from cabinets.admin import OPERATOR
from gdpr.services import incident_news, processor_news
from invoices.law.rates import HalfYear
from invoices.services.insolvency import Watch, watch_state
from invoices.services.rates import halves_to_confirm, paris_day

register = template.Library()


@register.simple_tag
def missing_rates() -> list[HalfYear]:
    """Return the half-years begun that have no confirmed rate."""
    return halves_to_confirm(on=paris_day(), using=OPERATOR)


@register.simple_tag
def owed_to_firms() -> tuple[int, int]:
    """Return how many objections wait for an answer, and how many incidents were told to nobody."""
    return processor_news.waiting(), incident_news.untold_incidents()


@register.simple_tag
def bodacc_watch() -> Watch:
    """Return how the look for collective proceedings goes in the firm acted for."""
    return watch_state()
