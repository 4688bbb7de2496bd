"""Stripe as the settings page presents it."""

from payments.enums import Mode, PaymentMeans
from payments.providers.protocol import Profile, Setting

PROFILE = Profile(
    slug="stripe",
    label="Stripe",
    # The contract is with an Irish company whose American parent reads the data: the record is asked first (R66).
    country="US",
    custody=(
        "Contrat avec Stripe Payments Europe, Ltd (Irlande), qui confie aussi les données à Stripe, Inc. "
        "(États-Unis) : enregistrez d’abord le transfert. À confirmer sur votre contrat."
    ),
    means=(PaymentMeans.CARD, PaymentMeans.DEBIT),
    settings=(
        Setting(
            name="secret_key",
            label="Clé secrète ou clé restreinte",
            hint="Elle commence par sk_test_, rk_test_, sk_live_ ou rk_live_. Une clé restreinte suffit.",
            pattern=r"(sk|rk)_(test|live)_[A-Za-z0-9_]{8,240}",
            mistake="Ce n’est pas une clé secrète de Stripe : elle commence par sk_ ou rk_, puis test_ ou live_.",
        ),
        Setting(
            name="webhook_secret",
            label="Secret de signature du point de terminaison",
            hint="Il commence par whsec_. Stripe le montre après avoir déclaré l’adresse des annonces.",
            pattern=r"whsec_[A-Za-z0-9+/=_-]{8,240}",
            mistake="Ce n’est pas un secret de signature de Stripe : il commence par whsec_.",
            is_asked_first=False,
        ),
    ),
    prefixes={"sk_test_": Mode.TEST, "rk_test_": Mode.TEST, "sk_live_": Mode.LIVE, "rk_live_": Mode.LIVE},
    proven="client officiel + contrat officiel",
    proves=(
        "Carte : l’accord de la banque du client, le plus souvent avec authentification forte ; contestable ensuite "
        "auprès d’elle. Prélèvement SEPA : un mandat signé en ligne ; la banque peut le rendre huit semaines durant."
    ),
    steps=(
        "Dans Stripe, Développeurs > Clés API : créez une clé restreinte qui écrit « Checkout Sessions » et lit "
        "« PaymentIntents », « Charges », « Disputes » et « Compte ».",
        "Dans Paramètres > Moyens de paiement : activez la carte, et le prélèvement SEPA si vous l’offrez.",
        "Dans Développeurs > Webhooks : ajoutez l’adresse des annonces ci-dessous, avec les événements "
        "checkout.session.*, charge.refunded, refund.* et charge.dispute.*, puis recopiez ici son secret de signature.",
    ),
)
NAME = PROFILE.label
