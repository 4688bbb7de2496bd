"""PayPlug: cards on its hosted page, by a small client of ours: its official one is no longer kept."""

from payments.providers.payplug.profile import PROFILE
from payments.providers.payplug.provider import PayPlugProvider

__all__ = ["PROFILE", "PayPlugProvider"]
