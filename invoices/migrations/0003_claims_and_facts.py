import uuid

import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

import cabinets.sealing


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0003_reach_modes_and_transfers"),
        ("invoices", "0002_seed_rates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="interestrate",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="standstill",
            name="answer_by",
            field=models.DateField(blank=True, null=True, verbose_name="à traiter avant le"),
        ),
        migrations.AddField(
            model_name="standstill",
            name="grounds",
            field=models.CharField(
                blank=True,
                choices=[
                    ("amount", "Montant contesté"),
                    ("service", "Prestation contestée"),
                    ("already_paid", "Déjà réglé selon le client"),
                    ("agreement", "Convention d’honoraires contestée"),
                    ("safeguard", "Sauvegarde"),
                    ("recovery", "Redressement judiciaire"),
                    ("liquidation", "Liquidation judiciaire"),
                    ("death", "Décès"),
                    ("guardianship", "Tutelle ou curatelle"),
                    ("minor", "Minorité"),
                    ("other", "Autre raison"),
                ],
                default="",
                max_length=20,
                verbose_name="raison",
            ),
        ),
        migrations.AddField(
            model_name="standstill",
            name="promised_cents",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="montant promis (centimes)"),
        ),
        migrations.AddField(
            model_name="standstill",
            name="published_on",
            field=models.DateField(blank=True, null=True, verbose_name="publié le"),
        ),
        migrations.AddField(
            model_name="standstill",
            name="started_on",
            field=models.DateField(blank=True, null=True, verbose_name="date du fait"),
        ),
        migrations.CreateModel(
            name="LimitationEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("on", models.DateField(verbose_name="date")),
                ("until_on", models.DateField(blank=True, null=True, verbose_name="jusqu’au")),
                (
                    "effect",
                    models.CharField(
                        choices=[("none", "Sans effet"), ("interrupt", "Interrompt"), ("suspend", "Suspend")],
                        max_length=10,
                        verbose_name="effet",
                    ),
                ),
                ("nature", models.CharField(max_length=40, verbose_name="nature")),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
                ("recorded_at", models.DateTimeField(auto_now_add=True, verbose_name="enregistré le")),
                (
                    "cabinet",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.dossier"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "événement de prescription",
                "verbose_name_plural": "événements de prescription",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="AccessoryClaim",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("interest", "Pénalités ou intérêts"), ("indemnity", "Indemnité forfaitaire de 40 €")],
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                ("opened_on", models.DateField(verbose_name="née le")),
                ("cents", models.BigIntegerField(default=0, verbose_name="montant (centimes)")),
                ("computed_on", models.DateField(verbose_name="arrêtée au")),
                ("asked_cents", models.BigIntegerField(null=True, verbose_name="réclamé (centimes)")),
                ("asked_on", models.DateField(null=True, verbose_name="réclamé le")),
                ("settled_cents", models.BigIntegerField(default=0, verbose_name="réglé (centimes)")),
                ("waived_at", models.DateTimeField(null=True, verbose_name="abandonnée le")),
                (
                    "waiver_reason",
                    cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="motif de l’abandon"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="enregistrée le")),
                (
                    "cabinet",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="claims", to="invoices.invoice"
                    ),
                ),
                (
                    "waived_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "accessoire",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "kind"),
                        name="one_claim_of_a_kind_per_invoice",
                        violation_error_message="Cet accessoire existe déjà pour la facture.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cents__gte", 0), ("settled_cents__gte", 0), ("settled_cents__lte", models.F("cents"))
                        ),
                        name="claim_settled_within_its_sum",
                        violation_error_message="Le règlement dépasse l’accessoire.",
                    ),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InsolvencyCheck",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("siren", models.CharField(max_length=9, verbose_name="SIREN")),
                (
                    "origin",
                    models.CharField(
                        choices=[("api", "Interrogation du BODACC"), ("manual", "Vérification par une personne")],
                        max_length=8,
                        verbose_name="origine",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="instant")),
                ("is_found", models.BooleanField(null=True, verbose_name="procédure trouvée")),
                (
                    "grounds",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("amount", "Montant contesté"),
                            ("service", "Prestation contestée"),
                            ("already_paid", "Déjà réglé selon le client"),
                            ("agreement", "Convention d’honoraires contestée"),
                            ("safeguard", "Sauvegarde"),
                            ("recovery", "Redressement judiciaire"),
                            ("liquidation", "Liquidation judiciaire"),
                            ("death", "Décès"),
                            ("guardianship", "Tutelle ou curatelle"),
                            ("minor", "Minorité"),
                            ("other", "Autre raison"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="procédure",
                    ),
                ),
                ("judged_on", models.DateField(null=True, verbose_name="jugement du")),
                ("published_on", models.DateField(null=True, verbose_name="publiée le")),
                ("notice_id", models.CharField(blank=True, default="", max_length=60, verbose_name="annonce")),
                ("failure", models.CharField(blank=True, default="", max_length=200, verbose_name="incident")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "cabinet",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
                    ),
                ),
            ],
            options={
                "verbose_name": "vérification d’une procédure collective",
                "verbose_name_plural": "vérifications d’une procédure collective",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "indexes": [models.Index(fields=["cabinet", "client", "-at"], name="check_of_client")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
    ]
