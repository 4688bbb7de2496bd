"""GoCardless as the settings page presents it."""

from payments.enums import Mode, PaymentMeans
from payments.providers.protocol import Profile, Setting

PROFILE = Profile(
    slug="gocardless",
    label="GoCardless",
    country="FR",
    custody=(
        "Contrat avec GoCardless SAS, établissement français, dont la maison mère est britannique (pays reconnu "
        "adéquat). À confirmer sur votre contrat."
    ),
    means=(PaymentMeans.DEBIT, PaymentMeans.TRANSFER),
    settings=(
        Setting(
            name="access_token",
            label="Jeton d’accès",
            hint="Il commence par sandbox_ ou live_, et lit et écrit.",
            pattern=r"(sandbox|live)_[A-Za-z0-9_-]{8,240}",
            mistake="Ce n’est pas un jeton de GoCardless : il commence par sandbox_ ou live_.",
        ),
        Setting(
            name="webhook_secret",
            label="Secret du point de terminaison",
            hint="Celui que GoCardless montre, ou que vous choisissez, en déclarant l’adresse des annonces.",
            pattern=r"[\x21-\x7e]{16,240}",
            mistake="Ce secret compte au moins seize caractères, sans espace.",
            is_asked_first=False,
        ),
    ),
    prefixes={"sandbox_": Mode.TEST, "live_": Mode.LIVE},
    proven="client officiel + contrat officiel",
    proves=(
        "Prélèvement SEPA : un mandat signé en ligne, encaissé en quelques jours ; la banque peut le rendre huit "
        "semaines durant. Virement instantané : l’ordre du client à sa banque, confirmé aussitôt."
    ),
    steps=(
        "Dans GoCardless, Développeurs > Créer > Jeton d’accès : donnez-lui lecture et écriture.",
        "Dans Développeurs > Créer > Point de terminaison : déclarez l’adresse des annonces ci-dessous, puis "
        "recopiez ici son secret.",
        "Le virement instantané n’est proposé que par les banques que GoCardless relie en France.",
    ),
)
NAME = PROFILE.label
