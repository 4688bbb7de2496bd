"""Whether a change of account takes a second partner is written when it is proposed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0016_intermediate_archive"),
    ]

    operations = [
        migrations.AddField(
            model_name="bankchange",
            name="needs_somebody",
            field=models.BooleanField(db_default=True, default=True, verbose_name="demande un second associé"),
        ),
    ]
