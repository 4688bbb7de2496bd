from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("dunning", "0002_channels_letters_inbound_evidence"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="step",
            name="is_written",
        ),
    ]
