"""What a firm was last told became of the day a sub-processor was announced for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gdpr", "0006_compliance_statement"),
    ]

    operations = [
        migrations.AddField(
            model_name="processornotice",
            name="moved_to",
            field=models.CharField(blank=True, default="", max_length=10, verbose_name="dernière suite annoncée"),
        ),
    ]
