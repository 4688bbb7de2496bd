import datetime
import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

import cabinets.sealing


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="instant")),
                ("event", models.CharField(max_length=60, verbose_name="événement")),
                ("member_id", models.UUIDField(null=True, verbose_name="membre")),
                ("subject_type", models.CharField(max_length=40, verbose_name="objet")),
                ("subject_id", models.UUIDField(null=True, verbose_name="identifiant")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="adresse IP")),
                ("agent", models.CharField(blank=True, max_length=120, verbose_name="navigateur")),
                ("request_id", models.CharField(blank=True, max_length=32, verbose_name="requête")),
                ("facts", models.JSONField(default=dict, verbose_name="faits")),
            ],
            options={
                "verbose_name": "ligne du journal",
                "verbose_name_plural": "journal",
                "db_table": "cabinets_journalentry",
                "abstract": False,
                "managed": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Cabinet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("slug", models.SlugField(unique=True, verbose_name="identifiant")),
                ("name", models.CharField(max_length=120, verbose_name="nom")),
                ("siren", models.CharField(blank=True, max_length=9, verbose_name="SIREN")),
                ("vat_number", models.CharField(blank=True, max_length=20, verbose_name="n° de TVA")),
                ("bar", models.CharField(blank=True, max_length=60, verbose_name="barreau")),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="adresse")),
                ("postcode", models.CharField(blank=True, max_length=10, verbose_name="code postal")),
                ("city", models.CharField(blank=True, max_length=80, verbose_name="ville")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail de contact")),
                ("phone", models.CharField(blank=True, max_length=20, verbose_name="téléphone")),
                ("signature", models.CharField(blank=True, max_length=120, verbose_name="signature des messages")),
                ("logo", models.BinaryField(blank=True, null=True, verbose_name="logo")),
                ("logo_type", models.CharField(blank=True, max_length=20, verbose_name="format du logo")),
                ("iban", models.CharField(blank=True, max_length=34, verbose_name="IBAN")),
                ("bic", models.CharField(blank=True, max_length=11, verbose_name="BIC")),
                ("account_holder", models.CharField(blank=True, max_length=70, verbose_name="titulaire du compte")),
                ("mediator_name", models.CharField(blank=True, max_length=120, verbose_name="médiateur")),
                ("mediator_address", models.CharField(blank=True, max_length=200, verbose_name="adresse du médiateur")),
                ("mediator_site", models.CharField(blank=True, max_length=120, verbose_name="site du médiateur")),
                (
                    "territory",
                    models.CharField(
                        choices=[
                            ("metropole", "France métropolitaine"),
                            ("alsace_moselle", "Alsace-Moselle"),
                            ("guadeloupe", "Guadeloupe"),
                            ("martinique", "Martinique"),
                            ("guyane", "Guyane"),
                            ("reunion", "La Réunion"),
                            ("mayotte", "Mayotte"),
                            ("saint_martin", "Saint-Martin"),
                            ("saint_barthelemy", "Saint-Barthélemy"),
                        ],
                        default="metropole",
                        max_length=20,
                        verbose_name="territoire",
                    ),
                ),
                ("zone_name", models.CharField(default="Europe/Paris", max_length=40, verbose_name="fuseau horaire")),
                ("night_at", models.TimeField(default=datetime.time(4, 30), verbose_name="heure de la planification")),
                ("opens_at", models.TimeField(default=datetime.time(9, 0), verbose_name="début des envois")),
                ("closes_at", models.TimeField(default=datetime.time(18, 0), verbose_name="fin des envois")),
                (
                    "weekdays",
                    models.CharField(
                        default="12345",
                        help_text="1 = lundi … 5 = vendredi",
                        max_length=7,
                        verbose_name="jours d’envoi",
                    ),
                ),
                (
                    "approval_threshold_cents",
                    models.BigIntegerField(default=500000, verbose_name="seuil de validation (centimes)"),
                ),
                (
                    "grace_hours",
                    models.PositiveSmallIntegerField(default=24, verbose_name="attente après un paiement (heures)"),
                ),
                (
                    "hearing_days",
                    models.PositiveSmallIntegerField(default=3, verbose_name="silence autour d’une audience (jours)"),
                ),
                (
                    "daily_cap",
                    models.PositiveIntegerField(
                        default=200,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="messages par jour au plus",
                    ),
                ),
                (
                    "late_entry_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="dette ancienne à partir de (jours)",
                    ),
                ),
                ("activated_on", models.DateField(blank=True, null=True, verbose_name="activé le")),
                (
                    "subscription_suspended_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="abonnement suspendu le"),
                ),
                ("suspended_at", models.DateTimeField(blank=True, null=True, verbose_name="envois suspendus le")),
                (
                    "settled_through_on",
                    models.DateField(blank=True, null=True, verbose_name="règlements connus jusqu’au"),
                ),
                (
                    "settlements_declared_on",
                    models.DateField(blank=True, null=True, verbose_name="règlements déclarés le"),
                ),
                ("is_demo", models.BooleanField(default=False, editable=False, verbose_name="démonstration")),
                (
                    "demo_on",
                    models.DateField(blank=True, editable=False, null=True, verbose_name="jour de la démonstration"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créé le")),
            ],
            options={
                "verbose_name": "cabinet",
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("user_id", models.UUIDField(db_index=True, null=True, verbose_name="personne")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="adresse IP")),
                ("agent", models.CharField(blank=True, max_length=200, verbose_name="navigateur")),
                ("started_at", models.DateTimeField(null=True, verbose_name="ouverte le")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="vue le")),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "email",
                    models.EmailField(
                        error_messages={"unique": "Cette adresse est déjà utilisée."},
                        max_length=254,
                        unique=True,
                        verbose_name="adresse e-mail",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=60, verbose_name="prénom")),
                ("last_name", models.CharField(blank=True, max_length=60, verbose_name="nom")),
                ("is_staff", models.BooleanField(default=False, verbose_name="exploitant")),
                ("is_active", models.BooleanField(default=True, verbose_name="actif")),
                ("has_shortcuts", models.BooleanField(default=True, verbose_name="raccourcis clavier")),
                ("joined_at", models.DateTimeField(auto_now_add=True, verbose_name="inscrit le")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "personne",
            },
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "civility",
                    models.CharField(
                        choices=[
                            ("madame", "Madame"),
                            ("monsieur", "Monsieur"),
                            ("maitre", "Maître"),
                            ("none", "Madame, Monsieur"),
                        ],
                        default="none",
                        max_length=10,
                        verbose_name="civilité",
                    ),
                ),
                ("first_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="prénom")),
                ("last_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom")),
                ("company", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="société")),
                ("email", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="adresse e-mail")),
                ("phone", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="téléphone")),
                ("address", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="adresse")),
                ("postcode", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="code postal")),
                ("city", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="ville")),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
                ("siren", models.CharField(blank=True, max_length=9, verbose_name="SIREN")),
                ("country", models.CharField(default="FR", max_length=2, verbose_name="pays")),
                (
                    "language",
                    models.CharField(
                        choices=[("fr", "Français"), ("en", "Anglais")],
                        default="fr",
                        max_length=2,
                        verbose_name="langue",
                    ),
                ),
                ("email_index", models.BinaryField(null=True, verbose_name="recherche e-mail")),
                ("phone_index", models.BinaryField(null=True, verbose_name="recherche téléphone")),
                ("name_index", models.BinaryField(null=True, verbose_name="recherche nom")),
                ("has_email", models.BooleanField(default=False, editable=False, verbose_name="a une adresse e-mail")),
                ("has_mobile", models.BooleanField(default=False, editable=False, verbose_name="a un mobile")),
                (
                    "territory",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("metropole", "France métropolitaine"),
                            ("alsace_moselle", "Alsace-Moselle"),
                            ("guadeloupe", "Guadeloupe"),
                            ("martinique", "Martinique"),
                            ("guyane", "Guyane"),
                            ("reunion", "La Réunion"),
                            ("mayotte", "Mayotte"),
                            ("saint_martin", "Saint-Martin"),
                            ("saint_barthelemy", "Saint-Barthélemy"),
                        ],
                        max_length=20,
                        null=True,
                        verbose_name="territoire",
                    ),
                ),
                (
                    "email_refused_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="adresse refusée le"),
                ),
                (
                    "email_stopped_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="adresse arrêtée le"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("professional", "Professionnel"),
                            ("consumer", "Particulier"),
                            ("non_pro_legal", "Personne morale non professionnelle"),
                            ("public", "Acheteur public"),
                            ("unknown", "À préciser"),
                        ],
                        default="unknown",
                        max_length=16,
                        verbose_name="qualité par défaut",
                    ),
                ),
                ("is_strategic", models.BooleanField(default=False, verbose_name="client stratégique")),
                ("needs_two_approvals", models.BooleanField(default=False, verbose_name="double validation")),
                ("is_never_reminded", models.BooleanField(default=False, verbose_name="ne jamais relancer")),
                ("accepts_sms", models.BooleanField(default=True, verbose_name="accepte les SMS")),
                (
                    "credit_cents",
                    models.BigIntegerField(default=0, editable=False, verbose_name="avoir disponible (centimes)"),
                ),
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
            ],
            options={
                "verbose_name": "client",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("billing", "Facturation"),
                            ("manager", "Dirigeant"),
                            ("payer", "Tiers payeur"),
                            ("other", "Autre"),
                        ],
                        default="other",
                        max_length=10,
                        verbose_name="rôle",
                    ),
                ),
                (
                    "civility",
                    models.CharField(
                        choices=[
                            ("madame", "Madame"),
                            ("monsieur", "Monsieur"),
                            ("maitre", "Maître"),
                            ("none", "Madame, Monsieur"),
                        ],
                        default="none",
                        max_length=10,
                        verbose_name="civilité",
                    ),
                ),
                ("first_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="prénom")),
                ("last_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom")),
                ("email", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="adresse e-mail")),
                ("phone", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="téléphone")),
                ("email_index", models.BinaryField(null=True, verbose_name="recherche e-mail")),
                ("has_email", models.BooleanField(default=False, editable=False, verbose_name="a une adresse e-mail")),
                (
                    "email_refused_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="adresse refusée le"),
                ),
                (
                    "email_stopped_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="adresse arrêtée le"),
                ),
                ("is_archived", models.BooleanField(default=False, verbose_name="archivé")),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="contacts", to="cabinets.client"
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("firm", "Champs du cabinet"),
                            ("client", "Champs d’un client"),
                            ("index", "Recherche exacte"),
                        ],
                        max_length=8,
                        verbose_name="usage",
                    ),
                ),
                ("subject_id", models.UUIDField(null=True, verbose_name="client")),
                ("wrapped", models.BinaryField(verbose_name="clé enveloppée")),
                ("is_active", models.BooleanField(default=True, verbose_name="sert à chiffrer")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créée le")),
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
                "verbose_name": "clé de chiffrement",
                "verbose_name_plural": "clés de chiffrement",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Dossier",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=30, verbose_name="référence neutre")),
                (
                    "title",
                    cabinets.sealing.SealedTextField(
                        blank=True, default="", verbose_name="intitulé (reste au cabinet)"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("professional", "Professionnel"),
                            ("consumer", "Particulier"),
                            ("non_pro_legal", "Personne morale non professionnelle"),
                            ("public", "Acheteur public"),
                            ("unknown", "À préciser"),
                        ],
                        default="unknown",
                        max_length=16,
                        verbose_name="qualité du client",
                    ),
                ),
                ("practice_area", models.CharField(blank=True, max_length=60, verbose_name="domaine")),
                ("mandate_ended_on", models.DateField(blank=True, null=True, verbose_name="fin de mission")),
                (
                    "fee_agreement_on",
                    models.DateField(blank=True, null=True, verbose_name="convention d’honoraires signée le"),
                ),
                (
                    "contract_rate",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=5,
                        null=True,
                        verbose_name="taux de retard convenu (% l’an)",
                    ),
                ),
                (
                    "legal_aid",
                    models.CharField(
                        choices=[("none", "Aucune"), ("partial", "Partielle"), ("total", "Totale")],
                        default="none",
                        max_length=8,
                        verbose_name="aide juridictionnelle",
                    ),
                ),
                (
                    "batonnier_notified_on",
                    models.DateField(blank=True, null=True, verbose_name="convention notifiée au bâtonnier le"),
                ),
                ("is_never_reminded", models.BooleanField(default=False, verbose_name="ne jamais relancer")),
                ("is_archived", models.BooleanField(default=False, verbose_name="archivé")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créé le")),
                (
                    "billing_contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.contact",
                        verbose_name="contact de facturation",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="dossiers", to="cabinets.client"
                    ),
                ),
            ],
            options={
                "verbose_name": "dossier",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Hearing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("held_on", models.DateField(verbose_name="date d’audience")),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="hearings", to="cabinets.dossier"
                    ),
                ),
            ],
            options={
                "verbose_name": "audience",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="JournalSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="mois")),
                ("lines", models.BigIntegerField(verbose_name="lignes")),
                ("head", models.BinaryField(verbose_name="empreinte")),
                ("sealed_at", models.DateTimeField(auto_now_add=True, verbose_name="scellé le")),
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
                "verbose_name": "sceau du journal",
                "verbose_name_plural": "sceaux du journal",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Associé"),
                            ("admin", "Administrateur du cabinet"),
                            ("lawyer", "Avocat"),
                            ("assistant", "Assistant"),
                            ("accountant", "Comptable (lecture seule)"),
                        ],
                        max_length=12,
                        verbose_name="rôle",
                    ),
                ),
                ("sees_every_file", models.BooleanField(default=False, verbose_name="voit tous les dossiers")),
                ("is_active", models.BooleanField(default=True, verbose_name="actif")),
                ("joined_at", models.DateTimeField(auto_now_add=True, verbose_name="arrivé le")),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="personne",
                    ),
                ),
            ],
            options={
                "verbose_name": "membre",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, verbose_name="adresse e-mail")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Associé"),
                            ("admin", "Administrateur du cabinet"),
                            ("lawyer", "Avocat"),
                            ("assistant", "Assistant"),
                            ("accountant", "Comptable (lecture seule)"),
                        ],
                        max_length=12,
                        verbose_name="rôle",
                    ),
                ),
                ("token_hash", models.BinaryField(unique=True, verbose_name="empreinte du jeton")),
                ("expires_at", models.DateTimeField(verbose_name="valable jusqu’au")),
                ("accepted_at", models.DateTimeField(null=True, verbose_name="acceptée le")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="annulée le")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="envoyée le")),
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
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="dossier",
            name="lawyer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cabinets.membership",
                verbose_name="avocat responsable",
            ),
        ),
        migrations.AddField(
            model_name="cabinet",
            name="suspended_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cabinets.membership",
            ),
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
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
                    "dossier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assignments", to="cabinets.dossier"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
                    ),
                ),
            ],
            options={
                "verbose_name": "affectation",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="OperatorAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="instant")),
                ("event", models.CharField(max_length=60, verbose_name="événement")),
                ("subject", models.CharField(max_length=120, verbose_name="objet")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="adresse IP")),
                ("facts", models.JSONField(default=dict, verbose_name="faits")),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "acte d’exploitation",
                "verbose_name_plural": "actes d’exploitation",
            },
        ),
        migrations.CreateModel(
            name="Platform",
            fields=[
                ("one", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("suspended_at", models.DateTimeField(blank=True, null=True, verbose_name="envois suspendus le")),
                ("suspension_reason", models.CharField(blank=True, max_length=200, verbose_name="motif")),
            ],
            options={
                "verbose_name": "plateforme",
                "verbose_name_plural": "plateforme",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("one", True)),
                        name="one_platform",
                        violation_error_message="La plateforme n’a qu’une ligne de réglages.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
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
                        ],
                        max_length=20,
                        verbose_name="nature",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "À faire"), ("done", "Fait"), ("cancelled", "Sans objet")],
                        default="open",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("subject_id", models.UUIDField(null=True, verbose_name="objet")),
                ("due_on", models.DateField(verbose_name="à faire avant le")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créée le")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="close le")),
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
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "tâche",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TotpDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                ("seed", models.BinaryField(verbose_name="graine scellée")),
                ("last_step", models.BigIntegerField(default=-1, verbose_name="dernier pas accepté")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="échecs de suite")),
                ("failed_at", models.DateTimeField(null=True, verbose_name="dernier échec")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créé le")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "application d’authentification",
            },
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["cabinet", "email_index"], name="client_email"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["cabinet", "phone_index"], name="client_phone"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["cabinet", "name_index"], name="client_name"),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_cents__gte", 0)),
                name="client_credit_not_negative",
                violation_error_message="L’avoir d’un client ne peut pas être négatif.",
            ),
        ),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("cabinet", "purpose", "subject_id"),
                name="one_active_key_per_subject",
                nulls_distinct=False,
                violation_error_message="Une clé active existe déjà.",
            ),
        ),
        migrations.AddConstraint(
            model_name="hearing",
            constraint=models.UniqueConstraint(
                fields=("dossier", "held_on"),
                name="hearing_once",
                violation_error_message="Cette audience est déjà notée.",
            ),
        ),
        migrations.AddConstraint(
            model_name="journalseal",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "month"), name="one_seal_a_month", violation_error_message="Ce mois est déjà scellé."
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "user"),
                name="member_once",
                violation_error_message="Cette personne fait déjà partie du cabinet.",
            ),
        ),
        migrations.AddConstraint(
            model_name="dossier",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "reference"),
                name="dossier_reference_once",
                violation_error_message="Un autre dossier porte déjà cette référence.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cabinet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closes_at__lte", datetime.time(20, 0)),
                    ("opens_at__gte", datetime.time(8, 0)),
                    ("opens_at__lt", models.F("closes_at")),
                ),
                name="cabinet_window_within_the_day",
                violation_error_message="Les envois se font entre 8 h et 20 h : choisissez une plage entre elles.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cabinet",
            constraint=models.CheckConstraint(
                condition=models.Q(("weekdays__regex", "^[1-5]{1,5}$")),
                name="cabinet_weekdays_without_weekend",
                violation_error_message="Choisissez au moins un jour d’envoi, du lundi au vendredi.",
            ),
        ),
        migrations.AddConstraint(
            model_name="cabinet",
            constraint=models.CheckConstraint(
                condition=models.Q(("approval_threshold_cents__gt", 0)),
                name="cabinet_threshold_positive",
                violation_error_message="Le seuil de validation est un montant positif.",
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(fields=["member", "dossier"], name="assignment_of_member"),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                fields=("dossier", "member"),
                name="assignment_once",
                violation_error_message="Cette personne est déjà affectée à ce dossier.",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["cabinet", "state", "due_on"], name="task_open"),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("cabinet", "kind", "subject_id"),
                name="task_once_while_open",
                nulls_distinct=False,
                violation_error_message="Cette tâche est déjà ouverte.",
            ),
        ),
    ]
