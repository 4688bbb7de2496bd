"""A request may come from somebody reached for a client."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0012_dpo_and_operator_news"),
        ("gdpr", "0004_what_the_operator_owes"),
    ]

    operations = [
        migrations.AddField(
            model_name="rightsrequest",
            name="contact",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.contact"
            ),
        ),
    ]
