from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0003_reach_modes_and_transfers"),
        ("invoices", "0004_rates_outlive_accounts"),
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocation_positive",
        ),
        migrations.AddField(
            model_name="allocation",
            name="accessory_cents",
            field=models.BigIntegerField(
                db_default=0, default=0, verbose_name="dont pénalités et indemnité (centimes)"
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("accessory_cents__gte", 0),
                    ("cents__gte", 0),
                    models.Q(("cents__gt", 0), ("accessory_cents__gt", 0), _connector="OR"),
                ),
                name="allocation_positive",
                violation_error_message="Le montant affecté doit être supérieur à zéro.",
            ),
        ),
    ]
