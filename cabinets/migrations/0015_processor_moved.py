"""Partners are told that the day of an announced sub-processor moved."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0014_support_mails"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mention", "On vous a mentionné dans une note"),
                    ("request", "Une demande d’un client est arrivée"),
                    ("reply", "Une réponse attend d’être classée"),
                    ("assigned", "Une tâche vous est confiée"),
                    ("plan", "Un échéancier est à examiner"),
                    ("payment_reversed", "Un paiement a été repris"),
                    ("address", "Une adresse a été refusée"),
                    ("night", "Une nuit inhabituelle attend votre accord"),
                    ("audit", "L’audit annuel de conformité est à faire"),
                    ("processor", "Un sous-traitant est annoncé"),
                    ("processor_moved", "Le début d’un sous-traitant annoncé change"),
                    ("processor_answer", "L’exploitant a répondu à votre opposition"),
                    ("incident", "L’exploitant signale un incident de sécurité"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
    ]
