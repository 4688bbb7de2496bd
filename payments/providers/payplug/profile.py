"""PayPlug as the settings page presents it."""

from payments.enums import Mode, PaymentMeans
from payments.providers.protocol import Profile, Setting

PROFILE = Profile(
    slug="payplug",
    label="PayPlug",
    country="FR",
    custody="Contrat avec PayPlug SAS, établissement français. À confirmer sur votre contrat.",
    means=(PaymentMeans.CARD,),
    settings=(
        Setting(
            name="secret_key",
            label="Clé secrète",
            hint="Elle commence par sk_test_ ou sk_live_.",
            pattern=r"sk_(test|live)_[A-Za-z0-9]{8,240}",
            mistake="Ce n’est pas une clé secrète de PayPlug : elle commence par sk_test_ ou sk_live_.",
        ),
    ),
    prefixes={"sk_test_": Mode.TEST, "sk_live_": Mode.LIVE},
    proven="documentation seule",
    proves=(
        "Carte : l’accord de la banque du client, le plus souvent avec authentification forte ; contestable ensuite "
        "auprès d’elle. PayPlug ne dit pas ici les contestations : suivez-les dans son portail."
    ),
    steps=(
        "Dans le portail PayPlug, Configuration > Clés : copiez la clé secrète d’essai, puis la clé réelle.",
        "Rien à déclarer pour les annonces : chaque paiement porte leur adresse. Elles ne sont pas signées, chaque "
        "paiement est donc relu chez PayPlug avant d’être cru.",
    ),
    is_hooked=False,
)
NAME = PROFILE.label
