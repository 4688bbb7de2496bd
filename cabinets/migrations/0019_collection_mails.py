"""Partners are told of another live key, and of a live account in service."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0018_partner_mails"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accountmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password_changed", "Votre mot de passe a changé"),
                    ("passkey_added", "Une clé d’accès a été ajoutée à votre compte"),
                    ("passkey_removed", "Une clé d’accès a été retirée de votre compte"),
                    ("passkey_copied", "Une clé d’accès de votre compte a peut-être été copiée"),
                    ("application_changed", "Votre application d’authentification a changé"),
                    ("application_removed", "Votre application d’authentification a été retirée"),
                    ("codes_renewed", "Vos codes de secours ont changé"),
                    ("iban_proposed", "Un changement du compte bancaire du cabinet est proposé"),
                    ("iban_confirmed", "Le changement du compte bancaire du cabinet est confirmé"),
                    ("iban_ended", "Le changement du compte bancaire du cabinet n’aura pas lieu"),
                    ("iban_applied", "Le compte bancaire du cabinet a changé"),
                    ("partner_added", "Le cabinet compte un associé de plus"),
                    ("partner_removed", "Le cabinet compte un associé de moins"),
                    ("collection_key", "Une autre clé d’encaissement en ligne est enregistrée"),
                    ("collection_service", "Un compte d’encaissement en ligne est en service"),
                    ("support_asked", "L’assistance demande à voir les pages du cabinet"),
                    ("support_granted", "Un accès d’assistance est accordé"),
                    ("support_refused", "Un accès d’assistance est refusé"),
                    ("support_ended", "Un accès d’assistance est terminé"),
                ],
                max_length=20,
                verbose_name="objet",
            ),
        ),
    ]
