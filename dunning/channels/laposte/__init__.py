"""La Poste's own interfaces: letters ordered online (LReL), and where any registered letter is (Suivi)."""

from dunning.channels.laposte.provider import PROFILE, LaPoste
from dunning.channels.laposte.tracking import Suivi

__all__ = ["PROFILE", "LaPoste", "Suivi"]
