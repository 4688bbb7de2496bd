import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.manager
from django.db import migrations, models

import cabinets.sealing


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cabinets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Fichier reçu"),
                            ("checking", "Contrôle en cours"),
                            ("checked", "Contrôlé"),
                            ("importing", "Import en cours"),
                            ("done", "Terminé"),
                            ("failed", "Interrompu"),
                            ("undoing", "Annulation en cours"),
                            ("undone", "Annulé"),
                        ],
                        default="uploaded",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("file_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom du fichier")),
                ("stored_as", models.CharField(blank=True, max_length=120, verbose_name="rangé sous")),
                ("digest", models.BinaryField(verbose_name="empreinte du fichier")),
                ("mapping", models.JSONField(default=dict, verbose_name="colonnes")),
                ("layout", models.JSONField(default=dict, verbose_name="encodage, séparateur, feuille")),
                ("lines", models.PositiveIntegerField(default=0, verbose_name="lignes")),
                ("lines_done", models.PositiveIntegerField(default=0, verbose_name="lignes traitées")),
                ("ready", models.PositiveIntegerField(default=0, verbose_name="lignes prêtes")),
                ("faulty", models.PositiveIntegerField(default=0, verbose_name="lignes à corriger")),
                ("duplicates", models.PositiveIntegerField(default=0, verbose_name="déjà connues")),
                ("to_settle", models.PositiveIntegerField(default=0, verbose_name="règlements à mettre à jour")),
                ("updates_settlements", models.BooleanField(default=False, verbose_name="met à jour les règlements")),
                ("created", models.PositiveIntegerField(default=0, verbose_name="factures créées")),
                ("settled", models.PositiveIntegerField(default=0, verbose_name="règlements mis à jour")),
                ("failure", models.CharField(blank=True, max_length=200, verbose_name="incident")),
                ("uploaded_at", models.DateTimeField(auto_now_add=True, verbose_name="déposé le")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="terminé le")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="annulé le")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="pris jusqu’à")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
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
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InterestRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField(verbose_name="année")),
                ("half", models.PositiveSmallIntegerField(verbose_name="semestre")),
                (
                    "legal_percent",
                    models.DecimalField(decimal_places=2, max_digits=5, verbose_name="taux légal (% l’an)"),
                ),
                ("ecb_percent", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="taux BCE (% l’an)")),
                ("source", models.CharField(max_length=300, verbose_name="source")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="confirmé le")),
            ],
            options={
                "verbose_name": "taux du semestre",
                "verbose_name_plural": "taux des semestres",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("year", "half"),
                        name="one_rate_a_half_year",
                        violation_error_message="Ce semestre a déjà un taux.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("half__in", (1, 2))),
                        name="rate_half_is_one_or_two",
                        violation_error_message="Un semestre est le premier ou le second.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Facture"), ("provision", "Provision")],
                        default="invoice",
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Brouillon"),
                            ("open", "À encaisser"),
                            ("cancelled", "Annulée"),
                            ("written_off", "Irrécouvrable"),
                            ("archived", "Archivée"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="décision",
                    ),
                ),
                ("number", models.CharField(max_length=40, verbose_name="numéro")),
                ("number_key", models.CharField(editable=False, max_length=40, verbose_name="numéro normalisé")),
                ("issued_on", models.DateField(verbose_name="date de facture")),
                ("due_on", models.DateField(verbose_name="échéance")),
                ("is_due_date_assumed", models.BooleanField(default=False, verbose_name="échéance déduite")),
                ("performed_on", models.DateField(blank=True, null=True, verbose_name="fin de la prestation")),
                ("total_cents", models.BigIntegerField(verbose_name="montant TTC (centimes)")),
                ("settled_cents", models.BigIntegerField(default=0, editable=False, verbose_name="réglé (centimes)")),
                ("credited_cents", models.BigIntegerField(default=0, editable=False, verbose_name="avoirs (centimes)")),
                ("last_payment_at", models.DateTimeField(editable=False, null=True, verbose_name="dernier règlement")),
                ("is_never_reminded", models.BooleanField(default=False, verbose_name="ne jamais relancer")),
                ("is_sensitive", models.BooleanField(default=False, verbose_name="détail sensible")),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="saisie le")),
                (
                    "batch",
                    models.ForeignKey(
                        editable=False,
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.client",
                        verbose_name="client",
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.dossier",
                        verbose_name="dossier",
                    ),
                ),
            ],
            options={
                "verbose_name": "facture",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invoice", "Facture"),
                            ("fee_agreement", "Convention d’honoraires"),
                            ("proof", "Justificatif"),
                        ],
                        max_length=16,
                        verbose_name="nature",
                    ),
                ),
                ("file_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom du fichier")),
                ("media_type", models.CharField(max_length=60, verbose_name="type")),
                ("size", models.PositiveIntegerField(verbose_name="taille (octets)")),
                ("digest", models.BinaryField(verbose_name="empreinte SHA-256")),
                ("stored_as", models.CharField(max_length=120, verbose_name="rangé sous")),
                ("added_at", models.DateTimeField(auto_now_add=True, verbose_name="ajouté le")),
                (
                    "added_by",
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
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.dossier"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="invoices.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "document",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=40, verbose_name="numéro")),
                ("number_key", models.CharField(editable=False, max_length=40, verbose_name="numéro normalisé")),
                ("issued_on", models.DateField(verbose_name="date")),
                ("cents", models.BigIntegerField(verbose_name="montant (centimes)")),
                ("cancelled_at", models.DateTimeField(editable=False, null=True, verbose_name="annulé le")),
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
                    "batch",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoices.importbatch",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="invoices.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "avoir",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Standstill",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment_in_flight", "Paiement en cours"),
                            ("claimed_paid", "Le client dit avoir payé"),
                            ("insolvency", "Procédure collective"),
                            ("over_indebtedness", "Surendettement"),
                            ("protected_person", "Décès, tutelle ou minorité"),
                            ("wrong_recipient", "Mauvais destinataire"),
                            ("dispute", "Contestation"),
                            ("mediation", "Médiation"),
                            ("batonnier_seised", "Bâtonnier saisi"),
                            ("hold", "Suspension"),
                            ("promise", "Promesse de paiement"),
                            ("plan", "Échéancier en cours"),
                            ("replied", "Réponse à classer"),
                        ],
                        max_length=20,
                        verbose_name="nature",
                    ),
                ),
                ("until_on", models.DateField(blank=True, null=True, verbose_name="jusqu’au")),
                ("reason", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="motif")),
                ("origin", models.CharField(default="firm", max_length=20, verbose_name="origine")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="depuis le")),
                ("released_at", models.DateTimeField(null=True, verbose_name="levée le")),
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.client",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "dossier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.dossier",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="standstills",
                        to="invoices.invoice",
                    ),
                ),
                (
                    "lawyer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "arrêt",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ImportFault",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("line", models.PositiveIntegerField(verbose_name="ligne")),
                ("column", models.CharField(blank=True, max_length=80, verbose_name="colonne")),
                ("sentence", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="explication")),
                (
                    "nature",
                    models.CharField(
                        choices=[
                            ("fault", "À corriger"),
                            ("duplicate", "Déjà connue"),
                            ("difference", "Montant différent"),
                            ("settlement", "Règlement à mettre à jour"),
                            ("notice", "À vérifier"),
                        ],
                        default="fault",
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="faults", to="invoices.importbatch"
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
                "verbose_name": "ligne signalée",
                "verbose_name_plural": "lignes signalées",
                "ordering": ["line"],
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "indexes": [models.Index(fields=["batch", "nature", "line"], name="fault_of_batch")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ImportProfile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("header_key", models.BinaryField(verbose_name="empreinte de l’en-tête")),
                ("mapping", models.JSONField(verbose_name="colonnes")),
                ("used_at", models.DateTimeField(auto_now=True, verbose_name="utilisé le")),
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
                "verbose_name": "profil d’import",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cabinet", "header_key"),
                        name="one_profile_a_header",
                        violation_error_message="Profil déjà connu.",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["cabinet", "due_on", "id"], name="invoice_due"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["cabinet", "client", "due_on"], name="invoice_of_client"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["cabinet", "dossier"], name="invoice_of_dossier"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "number_key"),
                name="invoice_number_once",
                violation_error_message="Une facture porte déjà ce numéro.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("total_cents__gt", 0)),
                name="invoice_total_positive",
                violation_error_message="Le montant de la facture doit être supérieur à zéro.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credited_cents__gte", 0),
                    ("settled_cents__gte", 0),
                    (
                        "settled_cents__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("total_cents"), "-", models.F("credited_cents")
                        ),
                    ),
                ),
                name="invoice_never_settled_beyond_total",
                violation_error_message="Le règlement dépasse le montant de la facture.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("due_on__gte", models.F("issued_on"))),
                name="invoice_due_after_issue",
                violation_error_message="L’échéance précède la date de facture.",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=models.Q(("invoice__isnull", False)),
                fields=("invoice", "digest"),
                name="document_once_per_invoice",
                violation_error_message="Ce document est déjà joint à la facture.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "number_key"),
                name="credit_note_number_once",
                violation_error_message="Un avoir porte déjà ce numéro.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("cents__gt", 0)),
                name="credit_note_positive",
                violation_error_message="Le montant de l’avoir doit être supérieur à zéro.",
            ),
        ),
        migrations.AddIndex(
            model_name="standstill",
            index=models.Index(
                condition=models.Q(("released_at", None)), fields=["cabinet", "invoice"], name="stop_of_invoice"
            ),
        ),
        migrations.AddIndex(
            model_name="standstill",
            index=models.Index(
                condition=models.Q(("released_at", None)), fields=["cabinet", "client"], name="stop_of_client"
            ),
        ),
        migrations.AddIndex(
            model_name="standstill",
            index=models.Index(
                condition=models.Q(("released_at", None)), fields=["cabinet", "dossier"], name="stop_of_dossier"
            ),
        ),
        migrations.AddConstraint(
            model_name="standstill",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("client", None), ("dossier", None), ("lawyer", None)),
                    models.Q(("client", None), ("invoice", None), ("lawyer", None)),
                    models.Q(("dossier", None), ("invoice", None), ("lawyer", None)),
                    models.Q(("client", None), ("dossier", None), ("invoice", None)),
                    _connector="OR",
                ),
                name="standstill_one_target",
                violation_error_message="Un arrêt vise le cabinet, un avocat, un client, un dossier ou une facture.",
            ),
        ),
    ]
