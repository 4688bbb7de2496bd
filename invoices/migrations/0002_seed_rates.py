"""Give every installation the rates published so far; a half-year nobody published stays missing."""

from typing import Any

from django.db import migrations
from django.utils import timezone

from invoices.law.rates import published_rates


def seed(apps: Any, schema_editor: Any) -> None:
    rates = apps.get_model("invoices", "InterestRate").objects.using(schema_editor.connection.alias)
    rates.bulk_create(
        [
            rates.model(
                year=rate.half.year,
                half=rate.half.half,
                legal_percent=rate.legal,
                ecb_percent=rate.ecb_mro,
                source=f"{rate.source_legal} ; {rate.source_ecb}"[:300],
                confirmed_at=timezone.now(),
            )
            for rate in published_rates()
            if rate.legal is not None and rate.ecb_mro is not None
        ],
        ignore_conflicts=True,
    )


def forget(apps: Any, schema_editor: Any) -> None:
    rates = apps.get_model("invoices", "InterestRate").objects.using(schema_editor.connection.alias)
    for rate in published_rates():
        rates.filter(year=rate.half.year, half=rate.half.half).delete()


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]
    operations = [migrations.RunPython(seed, forget)]
