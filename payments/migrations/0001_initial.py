import uuid

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cabinets.sealing


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cabinets", "0001_initial"),
        ("invoices", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("received_on", models.DateField(verbose_name="reçu le")),
                ("cents", models.BigIntegerField(verbose_name="montant (centimes)")),
                (
                    "means",
                    models.CharField(
                        choices=[
                            ("transfer", "Virement"),
                            ("cheque", "Chèque"),
                            ("card", "Carte"),
                            ("debit", "Prélèvement"),
                            ("cash", "Espèces"),
                            ("other", "Autre"),
                        ],
                        default="transfer",
                        max_length=10,
                        verbose_name="moyen",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("processing", "En cours"),
                            ("settled", "Encaissé"),
                            ("failed", "Échoué"),
                            ("reversed", "Annulé"),
                        ],
                        default="settled",
                        max_length=12,
                        verbose_name="état",
                    ),
                ),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
                ("recorded_at", models.DateTimeField(auto_now_add=True, verbose_name="enregistré le")),
                ("reversed_at", models.DateTimeField(null=True, verbose_name="annulé le")),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoices.importbatch",
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
                "verbose_name": "paiement",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("cents", models.BigIntegerField(verbose_name="montant (centimes)")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="affecté le")),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice"
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="payments.payment"
                    ),
                ),
            ],
            options={
                "verbose_name": "affectation d’un paiement",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="PaymentLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("version", models.PositiveSmallIntegerField(default=1, verbose_name="version")),
                ("token_hash", models.BinaryField(unique=True, verbose_name="empreinte du jeton")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="révoqué le")),
                ("settled_on", models.DateField(null=True, verbose_name="plus rien n’est dû depuis le")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créé le")),
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
                (
                    "contact",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.contact"
                    ),
                ),
            ],
            options={
                "verbose_name": "lien de paiement",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="LinkVisit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="instant")),
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
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="visits", to="payments.paymentlink"
                    ),
                ),
            ],
            options={
                "verbose_name": "visite",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="DebtorRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("already_paid", "J’ai déjà payé"),
                            ("problem", "Signaler un problème"),
                            ("wrong_recipient", "Ce n’est pas pour moi"),
                        ],
                        max_length=16,
                        verbose_name="nature",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("amount", "Le montant"),
                            ("service", "La prestation"),
                            ("paid", "Déjà réglée"),
                            ("recipient", "Je ne suis pas le bon destinataire"),
                            ("other", "Autre raison"),
                        ],
                        max_length=10,
                        verbose_name="raison",
                    ),
                ),
                ("paid_on", models.DateField(null=True, verbose_name="payée le")),
                ("paid_by", models.CharField(blank=True, max_length=10, verbose_name="moyen")),
                ("message", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="message")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "À traiter"), ("answered", "Traitée")],
                        default="open",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("answer", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="réponse")),
                ("received_at", models.DateTimeField(auto_now_add=True, verbose_name="reçue le")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="traitée le")),
                (
                    "answered_by",
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
                (
                    "invoice",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice"
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="payments.paymentlink"
                    ),
                ),
            ],
            options={
                "verbose_name": "demande d’un client",
                "verbose_name_plural": "demandes des clients",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["cabinet", "client", "received_on"], name="payment_of_client"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("cents__gt", 0)),
                name="payment_positive",
                violation_error_message="Le montant du paiement doit être supérieur à zéro.",
            ),
        ),
        migrations.AddIndex(
            model_name="allocation",
            index=models.Index(fields=["cabinet", "invoice"], name="allocation_of_invoice"),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("cents__gt", 0)),
                name="allocation_positive",
                violation_error_message="Le montant affecté doit être supérieur à zéro.",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.UniqueConstraint(
                fields=("payment", "invoice"),
                name="allocation_once",
                violation_error_message="Ce paiement est déjà affecté à cette facture.",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentlink",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)),
                fields=("cabinet", "client", "contact"),
                name="one_live_link_per_addressee",
                nulls_distinct=False,
                violation_error_message="Un lien est déjà ouvert pour ce destinataire.",
            ),
        ),
        migrations.AddIndex(
            model_name="debtorrequest",
            index=models.Index(fields=["cabinet", "state", "received_at"], name="request_open"),
        ),
    ]
