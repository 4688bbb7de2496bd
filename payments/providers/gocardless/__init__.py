"""GoCardless: SEPA debits by a mandate signed online, and instant transfers, with the official client."""

from payments.providers.gocardless.profile import PROFILE
from payments.providers.gocardless.provider import GoCardlessProvider

__all__ = ["PROFILE", "GoCardlessProvider"]
