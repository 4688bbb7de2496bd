"""Merci Facteur: paper registered letters whose signed receipt comes back scanned (« lrare »)."""

from dunning.channels.merci_facteur.provider import PROFILE, MerciFacteur

__all__ = ["PROFILE", "MerciFacteur"]
