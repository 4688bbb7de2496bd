import uuid

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cabinets", "0003_reach_modes_and_transfers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Template",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("notice", "Avis avant échéance"),
                            ("courteous", "J+3, rappel courtois"),
                            ("solutions", "J+10, rappel avec solutions"),
                            ("firm", "J+30, relance ferme"),
                            ("formal", "J+45, mise en demeure"),
                        ],
                        max_length=10,
                        verbose_name="étape",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("professional", "Professionnel"),
                            ("consumer", "Consommateur"),
                            ("non_pro_legal", "Personne morale non professionnelle"),
                            ("public", "Acheteur public"),
                        ],
                        max_length=16,
                        verbose_name="qualité du client",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "E-mail"), ("sms", "SMS"), ("letter", "Lettre")],
                        max_length=8,
                        verbose_name="canal",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("fr", "Français"), ("en", "Anglais")],
                        default="fr",
                        max_length=2,
                        verbose_name="langue",
                    ),
                ),
                ("draft", models.JSONField(null=True, verbose_name="brouillon")),
                (
                    "draft_origin",
                    models.CharField(blank=True, default="", max_length=90, verbose_name="brouillon parti de"),
                ),
                ("draft_at", models.DateTimeField(null=True, verbose_name="brouillon du")),
                ("is_in_force", models.BooleanField(default=False, verbose_name="texte du cabinet en vigueur")),
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
                    "draft_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "modèle",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="version")),
                ("forms", models.JSONField(verbose_name="formes")),
                ("origin", models.CharField(blank=True, default="", max_length=90, verbose_name="parti de")),
                ("note", models.CharField(blank=True, default="", max_length=200, verbose_name="ce qui change")),
                ("published_at", models.DateTimeField(auto_now_add=True, verbose_name="publiée le")),
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
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="templates_lib.template",
                    ),
                ),
            ],
            options={
                "verbose_name": "version d’un modèle",
                "verbose_name_plural": "versions des modèles",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SignOff",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text_ref", models.CharField(max_length=90, verbose_name="version")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="signée le")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
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
            ],
            options={
                "verbose_name": "approbation d’un texte",
                "verbose_name_plural": "approbations des textes",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cabinet", "text_ref", "by"),
                        name="sign_off_once",
                        violation_error_message="Vous avez déjà approuvé cette version.",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "step", "kind", "channel", "language"),
                name="one_template_a_place",
                violation_error_message="Ce modèle existe déjà.",
            ),
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.UniqueConstraint(
                fields=("template", "number"),
                name="template_version_once",
                violation_error_message="Cette version existe déjà.",
            ),
        ),
    ]
