"""The post desk: print, post, type the number of the receipt. No contract, no network; the default."""

from dunning.channels.letters import Profile, Proven
from dunning.channels.post_desk.tracking import TrackingError, read_tracking, show_tracking

__all__ = ["PROFILE", "STEPS", "TrackingError", "read_tracking", "show_tracking"]

STEPS = (
    "Imprimez le courrier et signez-le.",
    "Glissez-le dans une enveloppe à fenêtre.",
    "Au guichet, demandez une lettre recommandée avec avis de réception.",
    "Recopiez ici le numéro du récépissé, ou lisez son code-barres.",
    "Photographiez le récépissé, puis l’avis de réception à son retour : chacun devient une preuve.",
)

PROFILE = Profile(
    slug="post_desk",
    label="Guichet de poste",
    kinds=("LRAR papier",),
    is_electronic=False,
    is_paper=True,
    is_qualified=False,
    proven=Proven.NO_NETWORK,
    to_do=("Rien : cette voie fonctionne sans contrat.",),
    proofs="Vous déposez la photographie du récépissé, puis celle de l’avis de réception.",
    countries=frozenset(),
)
