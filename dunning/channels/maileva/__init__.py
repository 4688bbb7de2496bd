"""Maileva: registered letters printed, posted and tracked by La Poste's subsidiary (LReL, paper)."""

from dunning.channels.maileva.provider import PROFILE, Maileva

__all__ = ["PROFILE", "Maileva"]
