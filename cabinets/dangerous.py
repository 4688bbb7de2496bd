"""The acts that ask the password again, whoever is signed in: a session left open must not be enough for them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """One act: the name of the address that performs it, and the field its password comes in."""

    address: str
    label: str
    field: str = "current"


# Walked by tests/architecture/test_dangerous.py: each of these refuses a wrong password and counts it as a try.
ACTS: tuple[Act, ...] = (
    Act("password_change", "Changer votre mot de passe"),
    Act("passkey_add", "Ajouter une clé d’accès"),
    Act("passkey_remove", "Retirer une clé d’accès"),
    Act("change_application", "Changer d’application d’authentification"),
    Act("remove_application", "Retirer l’application d’authentification"),
    Act("renew_codes", "Renouveler les codes de secours"),
    Act("firm", "Changer l’IBAN, le BIC ou le titulaire du compte du cabinet", field="password"),
    Act("iban_confirm", "Confirmer un changement de compte proposé par un autre associé"),
    Act("team", "Inviter un associé", field="password"),
    Act("member", "Donner ou retirer le rôle d’associé", field="password"),
    Act("deactivate_member", "Retirer l’accès d’une personne au cabinet"),
    Act("reactivate_member", "Rendre l’accès au cabinet à une personne qui ne l’avait plus"),
    Act("payment_account", "Changer une clé d’encaissement en ligne", field="password"),
    Act("payment_account_switch", "Mettre en service un compte d’encaissement en ligne"),
    Act("sms_account", "Changer une clé du prestataire de SMS", field="password"),
    Act("letter_account", "Changer une clé du prestataire de courrier", field="password"),
    Act("mail_server", "Changer le serveur d’envoi du cabinet", field="password"),
    Act("mailbox", "Changer la boîte qui reçoit les réponses", field="password"),
    Act("firm_export", "Exporter tout le cabinet"),
    Act("firm_download", "Télécharger l’archive de tout le cabinet"),
    Act("firm_close", "Clore le compte du cabinet"),
    Act("rights_erase", "Effacer les données d’un client"),
    Act("support_grant", "Ouvrir les pages du cabinet à l’assistance"),
)
