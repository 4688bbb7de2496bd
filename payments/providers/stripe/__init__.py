"""Stripe: cards and SEPA debits on its Checkout page, with the official client."""

from payments.providers.stripe.profile import PROFILE
from payments.providers.stripe.provider import StripeProvider

__all__ = ["PROFILE", "StripeProvider"]
