import uuid

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0002_segment_journal"),
    ]

    operations = [
        migrations.AddField(
            model_name="cabinet",
            name="allocation_rule",
            field=models.CharField(
                choices=[("principal_first", "Le principal d’abord"), ("interest_first", "Les intérêts d’abord")],
                default="principal_first",
                max_length=16,
                verbose_name="imputation d’un paiement partiel",
            ),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="batonnier_articles",
            field=models.CharField(
                default="articles 174 et suivants",
                max_length=60,
                verbose_name="articles de la procédure devant le bâtonnier",
            ),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="insurance_policy",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="n° de police"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="insurer_email",
            field=models.EmailField(blank=True, default="", max_length=254, verbose_name="e-mail de l’assureur"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="insurer_name",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="assureur de responsabilité"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="matter_words",
            field=models.TextField(blank=True, default="", verbose_name="mots à garder au cabinet"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="sending_mode",
            field=models.CharField(
                choices=[
                    ("approve_all", "Tout valider"),
                    ("from_firm", "Valider dès J+30"),
                    ("automatic", "Automatique"),
                ],
                db_default="automatic",
                default="automatic",
                max_length=12,
                verbose_name="mode d’envoi",
            ),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="signature_image",
            field=models.BinaryField(blank=True, null=True, verbose_name="signature manuscrite"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="signature_image_type",
            field=models.CharField(blank=True, default="", max_length=20, verbose_name="format de la signature"),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="sms_amount_to_consumers",
            field=models.BooleanField(default=False, verbose_name="montant écrit dans les SMS aux particuliers"),
        ),
        migrations.AddField(
            model_name="client",
            name="has_phone",
            field=models.BooleanField(default=False, editable=False, verbose_name="a un téléphone"),
        ),
        migrations.AddField(
            model_name="client",
            name="has_postal",
            field=models.BooleanField(default=False, editable=False, verbose_name="a une adresse postale"),
        ),
        migrations.AddField(
            model_name="client",
            name="mobile_refused_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="mobile refusé le"),
        ),
        migrations.AddField(
            model_name="client",
            name="postal_refused_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="adresse postale refusée le"),
        ),
        migrations.AddField(
            model_name="client",
            name="sending_mode",
            field=models.CharField(
                blank=True,
                choices=[
                    ("approve_all", "Tout valider"),
                    ("from_firm", "Valider dès J+30"),
                    ("automatic", "Automatique"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="mode d’envoi",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="has_mobile",
            field=models.BooleanField(default=False, editable=False, verbose_name="a un mobile"),
        ),
        migrations.AddField(
            model_name="contact",
            name="has_phone",
            field=models.BooleanField(default=False, editable=False, verbose_name="a un téléphone"),
        ),
        migrations.AddField(
            model_name="contact",
            name="mobile_refused_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="mobile refusé le"),
        ),
        migrations.AddField(
            model_name="dossier",
            name="is_triple_legal_rate",
            field=models.BooleanField(default=False, verbose_name="trois fois le taux légal"),
        ),
        migrations.AddField(
            model_name="membership",
            name="gets_morning_mail",
            field=models.BooleanField(default=True, verbose_name="reçoit l’e-mail du matin"),
        ),
        migrations.AlterField(
            model_name="task",
            name="kind",
            field=models.CharField(
                choices=[
                    ("review_old_debt", "Dette ancienne à examiner"),
                    ("already_paid", "Vérifier un paiement annoncé"),
                    ("dispute", "Répondre à une contestation"),
                    ("wrong_recipient", "Corriger un destinataire"),
                    ("unknown_outcome", "Vérifier un envoi incertain"),
                    ("rejected_address", "Corriger une adresse refusée"),
                    ("no_answer", "Client sans réponse après 48 h"),
                    ("abnormal_night", "Confirmer une nuit inhabituelle"),
                    ("provision_end", "Provision impayée : décider de la suite"),
                    ("classify_reply", "Classer une réponse"),
                    ("unmatched_reply", "Rattacher un message reçu"),
                    ("call", "Appeler un client"),
                    ("post_letter", "Poster un courrier"),
                    ("letter_returned", "Courrier refusé, non réclamé ou revenu"),
                    ("one_time_code", "Saisir le code d’envoi d’une lettre électronique"),
                    ("watch_file", "Dossier à surveiller"),
                    ("formal_phase", "Passage en phase contentieuse"),
                    ("second_accord", "Donner un second accord"),
                    ("plan_request", "Étudier un échéancier"),
                    ("promise_over", "Promesse de paiement échue"),
                    ("declare_claim", "Déclarer la créance au mandataire"),
                    ("check_insolvency", "Vérifier l’absence de procédure collective"),
                    ("limitation", "Prescription proche"),
                    ("batonnier_deadline", "Échéance devant le bâtonnier"),
                    ("insurer_notice", "Informer l’assureur"),
                ],
                max_length=20,
                verbose_name="nature",
            ),
        ),
        migrations.CreateModel(
            name="TransferRecord",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=20, verbose_name="prestataire")),
                ("country", models.CharField(max_length=2, verbose_name="pays")),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("dpf", "Inscription au Data Privacy Framework"),
                            ("scc", "Clauses contractuelles types"),
                            ("adequacy", "Décision d’adéquation"),
                        ],
                        max_length=10,
                        verbose_name="fondement",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        help_text="Entrée du registre, date des clauses", max_length=200, verbose_name="référence"
                    ),
                ),
                ("data_sent", models.CharField(max_length=300, verbose_name="données transmises")),
                ("assessed_on", models.DateField(verbose_name="examiné le")),
                ("recorded_at", models.DateTimeField(auto_now_add=True, verbose_name="enregistré le")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="retiré le")),
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
                "verbose_name": "transfert hors de l’Union européenne",
                "verbose_name_plural": "transferts hors de l’Union européenne",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("cabinet", "provider"),
                        name="one_transfer_record_in_force",
                        violation_error_message="Un transfert est déjà enregistré pour ce prestataire.",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
    ]
