import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cabinets.sealing


class Migration(migrations.Migration):
    dependencies = [
        ("cabinets", "0003_reach_modes_and_transfers"),
        ("dunning", "0001_initial"),
        ("invoices", "0003_claims_and_facts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("result", models.CharField(max_length=14, verbose_name="issue")),
                ("promised_on", models.DateField(null=True, verbose_name="promis pour le")),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
                ("at", models.DateTimeField(verbose_name="instant")),
            ],
            options={
                "verbose_name": "appel",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ChannelAccount",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "medium",
                    models.CharField(
                        choices=[("sms", "SMS"), ("letter", "Courrier")], max_length=8, verbose_name="support"
                    ),
                ),
                ("provider", models.CharField(max_length=20, verbose_name="prestataire")),
                ("is_enabled", models.BooleanField(default=False, verbose_name="en service")),
                ("sender", models.CharField(blank=True, default="", max_length=40, verbose_name="expéditeur")),
                ("options", models.JSONField(default=dict, verbose_name="réglages")),
                ("secrets", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="identifiants")),
                (
                    "unit_price_thousandths",
                    models.PositiveIntegerField(null=True, verbose_name="prix unitaire (millièmes d’euro)"),
                ),
                (
                    "hook_hash",
                    models.BinaryField(null=True, unique=True, verbose_name="empreinte de l’adresse de retour"),
                ),
                ("session_until", models.DateTimeField(null=True, verbose_name="session ouverte jusqu’à")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="vérifié le")),
                ("failure", models.CharField(blank=True, default="", max_length=200, verbose_name="incident")),
                ("changed_at", models.DateTimeField(auto_now=True, verbose_name="réglé le")),
            ],
            options={
                "verbose_name": "compte d’un prestataire",
                "verbose_name_plural": "comptes des prestataires",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="DocumentJob",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("batonnier", "Dossier du bâtonnier"),
                            ("chronology", "Chronologie"),
                            ("account", "Relevé de compte"),
                            ("print_run", "Lot à imprimer"),
                        ],
                        max_length=12,
                        verbose_name="nature",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "Demandé"), ("done", "Prêt"), ("failed", "Interrompu")],
                        default="asked",
                        max_length=8,
                        verbose_name="état",
                    ),
                ),
                ("file_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom du fichier")),
                ("media_type", models.CharField(blank=True, default="", max_length=60, verbose_name="type")),
                ("stored_as", models.CharField(blank=True, default="", max_length=120, verbose_name="rangé sous")),
                (
                    "archive_as",
                    models.CharField(blank=True, default="", max_length=120, verbose_name="archive rangée sous"),
                ),
                ("size", models.PositiveIntegerField(null=True, verbose_name="taille (octets)")),
                ("digest", models.BinaryField(null=True, verbose_name="empreinte SHA-256")),
                ("failure", models.CharField(blank=True, default="", max_length=200, verbose_name="incident")),
                ("asked_at", models.DateTimeField(auto_now_add=True, verbose_name="demandé le")),
                ("done_at", models.DateTimeField(null=True, verbose_name="prêt le")),
            ],
            options={
                "verbose_name": "document préparé",
                "verbose_name_plural": "documents préparés",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="EvidenceEntry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seq", models.PositiveBigIntegerField(verbose_name="rang")),
                ("at", models.DateTimeField(verbose_name="instant")),
                ("event", models.CharField(max_length=40, verbose_name="événement")),
                ("subject_type", models.CharField(blank=True, default="", max_length=40, verbose_name="objet")),
                ("subject_id", models.UUIDField(null=True, verbose_name="identifiant")),
                ("facts", models.JSONField(default=dict, verbose_name="faits")),
                ("digests", models.JSONField(default=dict, verbose_name="empreintes")),
                ("previous", models.BinaryField(verbose_name="maillon précédent")),
                ("hash", models.BinaryField(verbose_name="maillon")),
            ],
            options={
                "verbose_name": "élément de preuve",
                "verbose_name_plural": "éléments de preuve",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reply", "Réponse"),
                            ("bounce", "Adresse refusée"),
                            ("soft_bounce", "Remise retardée"),
                            ("automatic", "Réponse automatique"),
                            ("unreadable", "Illisible"),
                        ],
                        max_length=12,
                        verbose_name="nature",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("to_classify", "À classer"),
                            ("unmatched", "À rattacher"),
                            ("classified", "Classée"),
                            ("logged", "Notée"),
                            ("unrelated", "Sans rapport"),
                        ],
                        max_length=12,
                        verbose_name="état",
                    ),
                ),
                (
                    "candidate_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None, verbose_name="clients possibles"
                    ),
                ),
                ("digest", models.BinaryField(verbose_name="empreinte")),
                ("mailbox_uid", models.BigIntegerField(null=True, verbose_name="UID")),
                ("sender", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="expéditeur")),
                ("subject", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="objet")),
                ("text", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="texte")),
                ("raw", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="message entier")),
                ("bounce_code", models.CharField(blank=True, default="", max_length=12, verbose_name="code de refus")),
                ("received_at", models.DateTimeField(verbose_name="reçu le")),
                ("stored_at", models.DateTimeField(auto_now_add=True, verbose_name="relevé le")),
                (
                    "reply_class",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("paid", "Dit avoir payé"),
                            ("dispute", "Conteste"),
                            ("plan", "Demande un échéancier"),
                            ("promise", "Promet de payer"),
                            ("wrong_person", "Mauvais destinataire"),
                            ("other", "Autre"),
                        ],
                        default="",
                        max_length=12,
                        verbose_name="classement",
                    ),
                ),
                ("handled_at", models.DateTimeField(null=True, verbose_name="traité le")),
                ("note", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="note")),
            ],
            options={
                "verbose_name": "message reçu",
                "verbose_name_plural": "messages reçus",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("route", models.CharField(max_length=20, verbose_name="voie")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "À préparer"),
                            ("printed", "Imprimée, à poster"),
                            ("submitted", "Confiée au prestataire"),
                            ("deposited", "Déposée"),
                            ("presented", "Présentée"),
                            ("delivered", "Distribuée"),
                            ("refused", "Refusée"),
                            ("unclaimed", "Non réclamée"),
                            ("returned", "Revenue : adresse inconnue"),
                            ("void", "Annulée avant l’envoi"),
                        ],
                        default="ready",
                        max_length=12,
                        verbose_name="état",
                    ),
                ),
                ("is_registered", models.BooleanField(default=True, verbose_name="recommandée")),
                ("is_electronic", models.BooleanField(default=False, verbose_name="électronique")),
                (
                    "recipient",
                    cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="adresse du destinataire"),
                ),
                ("stored_as", models.CharField(blank=True, default="", max_length=120, verbose_name="rangée sous")),
                ("digest", models.BinaryField(null=True, verbose_name="empreinte SHA-256 du PDF")),
                ("pages", models.PositiveSmallIntegerField(null=True, verbose_name="pages")),
                ("dated_on", models.DateField(null=True, verbose_name="datée du")),
                ("printed_at", models.DateTimeField(null=True, verbose_name="imprimée le")),
                ("tracking", models.CharField(blank=True, default="", max_length=40, verbose_name="n° de suivi")),
                (
                    "provider_ref",
                    models.CharField(blank=True, default="", max_length=80, verbose_name="référence du prestataire"),
                ),
                ("deposited_on", models.DateField(null=True, verbose_name="déposée le")),
                ("presented_on", models.DateField(null=True, verbose_name="présentée le")),
                ("ended_on", models.DateField(null=True, verbose_name="distribuée, refusée ou revenue le")),
                ("answer_by", models.DateField(null=True, verbose_name="réponse attendue le")),
                ("poll_at", models.DateTimeField(null=True, verbose_name="prochaine interrogation")),
                ("cost_cents", models.BigIntegerField(null=True, verbose_name="coût (centimes)")),
                ("failure", models.CharField(blank=True, default="", max_length=300, verbose_name="incident")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créée le")),
            ],
            options={
                "verbose_name": "lettre",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="LetterConsent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="adresse e-mail")),
                ("given_on", models.DateField(verbose_name="donné le")),
                ("scope", models.CharField(max_length=200, verbose_name="portée")),
                ("recorded_at", models.DateTimeField(auto_now_add=True, verbose_name="enregistré le")),
                ("withdrawn_on", models.DateField(null=True, verbose_name="retiré le")),
            ],
            options={
                "verbose_name": "consentement à la lettre électronique",
                "verbose_name_plural": "consentements à la lettre électronique",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="LetterProof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("deposit", "Preuve de dépôt"),
                            ("receipt", "Accusé de réception"),
                            ("refusal", "Preuve de refus"),
                            ("unclaimed", "Preuve de non-réclamation"),
                            ("return", "Retour à l’expéditeur"),
                            ("other", "Autre justificatif"),
                        ],
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                ("file_name", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="nom du fichier")),
                ("media_type", models.CharField(max_length=60, verbose_name="type")),
                ("size", models.PositiveIntegerField(verbose_name="taille (octets)")),
                ("digest", models.BinaryField(verbose_name="empreinte SHA-256")),
                ("stored_as", models.CharField(max_length=120, verbose_name="rangé sous")),
                ("source", models.CharField(max_length=20, verbose_name="provenance")),
                ("added_at", models.DateTimeField(auto_now_add=True, verbose_name="reçu le")),
            ],
            options={
                "verbose_name": "preuve de courrier",
                "verbose_name_plural": "preuves de courrier",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=120, verbose_name="serveur")),
                ("port", models.PositiveIntegerField(default=993, verbose_name="port")),
                (
                    "security",
                    models.CharField(
                        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "Aucune")],
                        default="tls",
                        max_length=8,
                        verbose_name="sécurité",
                    ),
                ),
                ("username", models.CharField(max_length=120, verbose_name="identifiant")),
                ("password", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="mot de passe")),
                ("folder", models.CharField(default="INBOX", max_length=120, verbose_name="dossier")),
                ("takes_tokens", models.BooleanField(default=False, verbose_name="accepte les adresses en +")),
                ("is_enabled", models.BooleanField(default=True, verbose_name="relevée")),
                ("uid_validity", models.BigIntegerField(null=True, verbose_name="UIDVALIDITY")),
                ("last_uid", models.BigIntegerField(default=0, verbose_name="dernier message lu")),
                ("read_at", models.DateTimeField(null=True, verbose_name="relevée le")),
                ("failure", models.CharField(blank=True, default="", max_length=200, verbose_name="incident")),
            ],
            options={
                "verbose_name": "boîte de réception",
                "verbose_name_plural": "boîtes de réception",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ScenarioChoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("chosen_at", models.DateTimeField(auto_now=True, verbose_name="choisi le")),
            ],
            options={
                "verbose_name": "scénario d’un dossier",
                "verbose_name_plural": "scénarios des dossiers",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SmsCatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=80, unique=True, verbose_name="référence")),
                ("recipient", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="numéro")),
                ("sender", models.CharField(max_length=20, verbose_name="expéditeur")),
                ("text", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="texte")),
                ("at", models.DateTimeField(verbose_name="instant")),
            ],
            options={
                "verbose_name": "SMS de démonstration",
                "verbose_name_plural": "SMS de démonstration",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="StaffMail",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("morning", "E-mail du matin"),
                            ("test", "Envoi d’essai"),
                            ("test_sms", "SMS d’essai"),
                            ("insurer", "Projet d’information de l’assureur"),
                        ],
                        max_length=10,
                        verbose_name="nature",
                    ),
                ),
                ("key", models.CharField(max_length=80, verbose_name="clé")),
                ("subject", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="objet")),
                ("html", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="message")),
                ("text", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="message en texte")),
                ("asked_at", models.DateTimeField(auto_now_add=True, verbose_name="demandé le")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="envoyé le")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
                ("failure", models.CharField(blank=True, default="", max_length=200, verbose_name="incident")),
            ],
            options={
                "verbose_name": "message à l’équipe",
                "verbose_name_plural": "messages à l’équipe",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="reminder",
            name="one_pending_reminder_per_debtor",
        ),
        migrations.AddField(
            model_name="reminder",
            name="accompanies",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="companions",
                to="dunning.reminder",
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="delivered_at",
            field=models.DateTimeField(null=True, verbose_name="remise le"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="edited_at",
            field=models.DateTimeField(null=True, verbose_name="modifiée le"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="edited_body",
            field=cabinets.sealing.SealedTextField(blank=True, default=None, null=True, verbose_name="texte modifié"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="edited_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cabinets.membership",
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="edited_subject",
            field=cabinets.sealing.SealedTextField(blank=True, default=None, null=True, verbose_name="objet modifié"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="provider_ref",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=80, verbose_name="référence du prestataire"
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="route",
            field=models.CharField(blank=True, db_default="", default="", max_length=20, verbose_name="prestataire"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="segments",
            field=models.PositiveSmallIntegerField(null=True, verbose_name="parties du SMS"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="text_ref",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=90, verbose_name="version du texte"
            ),
        ),
        migrations.AddField(
            model_name="scenario",
            name="practice_area",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="domaine"),
        ),
        migrations.AddField(
            model_name="scenarioversion",
            name="note",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="ce qui change"),
        ),
        migrations.AddField(
            model_name="step",
            name="answer_days_others",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="délai des non-professionnels (jours)"
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="companions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("email", "E-mail"),
                        ("sms", "SMS"),
                        ("letter", "Lettre"),
                        ("registered", "Lettre recommandée"),
                        ("phone", "Appel"),
                    ],
                    max_length=12,
                ),
                blank=True,
                default=list,
                size=None,
                verbose_name="canaux qui l’accompagnent",
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="needs_approval",
            field=models.BooleanField(default=False, verbose_name="demande toujours un accord"),
        ),
        migrations.AddField(
            model_name="step",
            name="signed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cabinets.membership",
                verbose_name="signataire",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="code",
            field=models.CharField(
                choices=[
                    ("KILL_SWITCH", "Tous les envois sont suspendus"),
                    ("NOT_LIVE", "Le cabinet n’est pas activé"),
                    ("NIGHT_ABNORMAL", "Nuit inhabituelle, à confirmer"),
                    ("CLOSED", "Facture close"),
                    ("NEVER", "Ne jamais relancer"),
                    ("PAID", "Plus rien n’est dû"),
                    ("PAYMENT_IN_FLIGHT", "Un paiement est en cours"),
                    ("CLAIMED_PAID", "Le client dit avoir payé"),
                    ("CLIENT_IN_CREDIT", "Les avoirs du client couvrent la dette"),
                    ("GRACE", "Un paiement vient d’être enregistré"),
                    ("STALE_SOURCE", "Les règlements ne sont pas à jour"),
                    ("INSOLVENCY", "Procédure collective"),
                    ("OVER_INDEBTEDNESS", "Surendettement"),
                    ("LEGAL_AID_TOTAL", "Aide juridictionnelle totale"),
                    ("LEGAL_AID_PARTIAL", "Aide juridictionnelle partielle sans ses formalités"),
                    ("PROTECTED_PERSON", "Personne protégée"),
                    ("WRONG_RECIPIENT", "Mauvais destinataire"),
                    ("PRESCRIBED", "Créance prescrite"),
                    ("DISPUTE", "Contestation"),
                    ("MEDIATION", "Médiation"),
                    ("BATONNIER_SEISED", "Bâtonnier saisi"),
                    ("HEARING", "Audience proche"),
                    ("HOLD", "Relances suspendues"),
                    ("PROMISE", "Promesse de paiement"),
                    ("PLAN", "Échéancier en cours"),
                    ("REPLIED", "Réponse du client à classer"),
                    ("NO_ADDRESS", "Aucune adresse utilisable"),
                    ("BOUNCED", "Adresse refusée"),
                    ("CONTACT_CAP", "Client déjà contacté récemment"),
                    ("MIN_GAP", "Trop tôt après l’étape précédente"),
                    ("PROVISION_END", "Provision : une personne décide de la suite"),
                    ("TEXT_REFUSED", "Le texte de l’étape est refusé"),
                    ("RATE_MISSING", "Le taux du semestre manque"),
                    ("NOTICE_OVER", "L’échéance est passée : l’avis n’a plus d’objet"),
                    ("LADDER_DONE", "Toutes les étapes sont faites"),
                    ("NEEDS_APPROVAL", "Attend un accord"),
                    ("SEND", "Part"),
                ],
                max_length=20,
                verbose_name="règle",
            ),
        ),
        migrations.AlterField(
            model_name="dunningcase",
            name="code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("KILL_SWITCH", "Tous les envois sont suspendus"),
                    ("NOT_LIVE", "Le cabinet n’est pas activé"),
                    ("NIGHT_ABNORMAL", "Nuit inhabituelle, à confirmer"),
                    ("CLOSED", "Facture close"),
                    ("NEVER", "Ne jamais relancer"),
                    ("PAID", "Plus rien n’est dû"),
                    ("PAYMENT_IN_FLIGHT", "Un paiement est en cours"),
                    ("CLAIMED_PAID", "Le client dit avoir payé"),
                    ("CLIENT_IN_CREDIT", "Les avoirs du client couvrent la dette"),
                    ("GRACE", "Un paiement vient d’être enregistré"),
                    ("STALE_SOURCE", "Les règlements ne sont pas à jour"),
                    ("INSOLVENCY", "Procédure collective"),
                    ("OVER_INDEBTEDNESS", "Surendettement"),
                    ("LEGAL_AID_TOTAL", "Aide juridictionnelle totale"),
                    ("LEGAL_AID_PARTIAL", "Aide juridictionnelle partielle sans ses formalités"),
                    ("PROTECTED_PERSON", "Personne protégée"),
                    ("WRONG_RECIPIENT", "Mauvais destinataire"),
                    ("PRESCRIBED", "Créance prescrite"),
                    ("DISPUTE", "Contestation"),
                    ("MEDIATION", "Médiation"),
                    ("BATONNIER_SEISED", "Bâtonnier saisi"),
                    ("HEARING", "Audience proche"),
                    ("HOLD", "Relances suspendues"),
                    ("PROMISE", "Promesse de paiement"),
                    ("PLAN", "Échéancier en cours"),
                    ("REPLIED", "Réponse du client à classer"),
                    ("NO_ADDRESS", "Aucune adresse utilisable"),
                    ("BOUNCED", "Adresse refusée"),
                    ("CONTACT_CAP", "Client déjà contacté récemment"),
                    ("MIN_GAP", "Trop tôt après l’étape précédente"),
                    ("PROVISION_END", "Provision : une personne décide de la suite"),
                    ("TEXT_REFUSED", "Le texte de l’étape est refusé"),
                    ("RATE_MISSING", "Le taux du semestre manque"),
                    ("NOTICE_OVER", "L’échéance est passée : l’avis n’a plus d’objet"),
                    ("LADDER_DONE", "Toutes les étapes sont faites"),
                    ("NEEDS_APPROVAL", "Attend un accord"),
                    ("SEND", "Part"),
                ],
                max_length=20,
                verbose_name="dernière décision",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="cancel_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("KILL_SWITCH", "Tous les envois sont suspendus"),
                    ("NOT_LIVE", "Le cabinet n’est pas activé"),
                    ("NIGHT_ABNORMAL", "Nuit inhabituelle, à confirmer"),
                    ("CLOSED", "Facture close"),
                    ("NEVER", "Ne jamais relancer"),
                    ("PAID", "Plus rien n’est dû"),
                    ("PAYMENT_IN_FLIGHT", "Un paiement est en cours"),
                    ("CLAIMED_PAID", "Le client dit avoir payé"),
                    ("CLIENT_IN_CREDIT", "Les avoirs du client couvrent la dette"),
                    ("GRACE", "Un paiement vient d’être enregistré"),
                    ("STALE_SOURCE", "Les règlements ne sont pas à jour"),
                    ("INSOLVENCY", "Procédure collective"),
                    ("OVER_INDEBTEDNESS", "Surendettement"),
                    ("LEGAL_AID_TOTAL", "Aide juridictionnelle totale"),
                    ("LEGAL_AID_PARTIAL", "Aide juridictionnelle partielle sans ses formalités"),
                    ("PROTECTED_PERSON", "Personne protégée"),
                    ("WRONG_RECIPIENT", "Mauvais destinataire"),
                    ("PRESCRIBED", "Créance prescrite"),
                    ("DISPUTE", "Contestation"),
                    ("MEDIATION", "Médiation"),
                    ("BATONNIER_SEISED", "Bâtonnier saisi"),
                    ("HEARING", "Audience proche"),
                    ("HOLD", "Relances suspendues"),
                    ("PROMISE", "Promesse de paiement"),
                    ("PLAN", "Échéancier en cours"),
                    ("REPLIED", "Réponse du client à classer"),
                    ("NO_ADDRESS", "Aucune adresse utilisable"),
                    ("BOUNCED", "Adresse refusée"),
                    ("CONTACT_CAP", "Client déjà contacté récemment"),
                    ("MIN_GAP", "Trop tôt après l’étape précédente"),
                    ("PROVISION_END", "Provision : une personne décide de la suite"),
                    ("TEXT_REFUSED", "Le texte de l’étape est refusé"),
                    ("RATE_MISSING", "Le taux du semestre manque"),
                    ("NOTICE_OVER", "L’échéance est passée : l’avis n’a plus d’objet"),
                    ("LADDER_DONE", "Toutes les étapes sont faites"),
                    ("NEEDS_APPROVAL", "Attend un accord"),
                    ("SEND", "Part"),
                ],
                max_length=20,
                verbose_name="annulée par",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="reasons",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("amount", "Montant au-dessus du seuil"),
                        ("strategic", "Client stratégique"),
                        ("formal", "Mise en demeure"),
                        ("no_answer", "Aucune réponse depuis le premier rappel"),
                        ("no_agreement", "Aucune convention d’honoraires enregistrée"),
                        ("new_firm", "Quatorze premiers jours"),
                        ("two_people", "Double validation"),
                        ("late_entry", "Retard déjà important à l’entrée"),
                        ("kind_unknown", "Qualité du client à préciser"),
                        ("far_territory", "Territoire sans calendrier connu"),
                        ("no_text", "Texte et canal à venir"),
                        ("firm_mode", "Mode d’envoi du cabinet"),
                        ("step_asks", "L’étape demande un accord"),
                        ("by_hand", "Relance demandée par une personne"),
                        ("edited", "Texte modifié pour ce message"),
                        ("limitation", "Prescription à vérifier"),
                        ("changed", "Les faits ont changé depuis l’accord"),
                    ],
                    max_length=20,
                ),
                default=list,
                size=None,
                verbose_name="motifs d’accord",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="state",
            field=models.CharField(
                choices=[
                    ("planned", "Prévue"),
                    ("awaiting_approval", "À valider"),
                    ("approved", "Approuvée"),
                    ("sending", "En cours d’envoi"),
                    ("in_hand", "Entre vos mains"),
                    ("accepted", "Envoyée"),
                    ("delivered", "Remise"),
                    ("bounced", "Revenue"),
                    ("refused", "Refusée par le destinataire"),
                    ("unclaimed", "Non réclamée"),
                    ("rejected", "Refusée par le serveur"),
                    ("unknown", "Issue incertaine"),
                    ("declined", "Écartée"),
                    ("cancelled", "Annulée"),
                ],
                max_length=20,
                verbose_name="état",
            ),
        ),
        migrations.AlterField(
            model_name="step",
            name="tone",
            field=models.CharField(
                choices=[
                    ("notice", "Avis avant échéance"),
                    ("courteous", "Rappel courtois"),
                    ("solutions", "Rappel avec solutions"),
                    ("firm", "Relance ferme"),
                    ("formal", "Mise en demeure"),
                ],
                max_length=10,
                verbose_name="ton",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("accompanies__isnull", False)), fields=["accompanies"], name="reminder_wake"
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=["route", "provider_ref"],
                name="reminder_receipt",
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("accompanies", None),
                    ("state__in", ["planned", "awaiting_approval", "approved", "sending", "in_hand"]),
                ),
                fields=("cabinet", "client"),
                name="one_pending_reminder_per_debtor",
                violation_error_message="Une relance est déjà en préparation pour ce client.",
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="reminder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="dunning.reminder"
            ),
        ),
        migrations.AddField(
            model_name="channelaccount",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="channelaccount",
            name="changed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="documentjob",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="documentjob",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="documentjob",
            name="client",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="documentjob",
            name="invoice",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice"
            ),
        ),
        migrations.AddField(
            model_name="evidenceentry",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="evidenceentry",
            name="client",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="evidenceentry",
            name="reminder",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.reminder"
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="client",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="contact",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.contact"
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="handled_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="reminder",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.reminder"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="printed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="reminder",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="letter", to="dunning.reminder"
            ),
        ),
        migrations.AddField(
            model_name="letterconsent",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="letterconsent",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="letterconsent",
            name="contact",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.contact"
            ),
        ),
        migrations.AddField(
            model_name="letterconsent",
            name="proof",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.document"
            ),
        ),
        migrations.AddField(
            model_name="letterconsent",
            name="recorded_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="consent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.letterconsent"
            ),
        ),
        migrations.AddField(
            model_name="letterproof",
            name="added_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="letterproof",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="letterproof",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.client"
            ),
        ),
        migrations.AddField(
            model_name="letterproof",
            name="letter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="proofs", to="dunning.letter"
            ),
        ),
        migrations.AddField(
            model_name="letterproof",
            name="reminder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.reminder"
            ),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="scenariochoice",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="scenariochoice",
            name="chosen_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddField(
            model_name="scenariochoice",
            name="dossier",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.dossier"
            ),
        ),
        migrations.AddField(
            model_name="scenariochoice",
            name="scenario",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.scenario"
            ),
        ),
        migrations.AddField(
            model_name="smscatch",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="staffmail",
            name="cabinet",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.cabinet"
            ),
        ),
        migrations.AddField(
            model_name="staffmail",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cabinets.membership"
            ),
        ),
        migrations.AddConstraint(
            model_name="channelaccount",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "medium", "provider"),
                name="one_account_a_provider",
                violation_error_message="Ce prestataire est déjà réglé.",
            ),
        ),
        migrations.AddConstraint(
            model_name="channelaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_enabled", True), ("medium", "sms")),
                fields=("cabinet",),
                name="one_sms_provider_at_a_time",
                violation_error_message="Un prestataire de SMS est déjà en service.",
            ),
        ),
        migrations.AddIndex(
            model_name="documentjob",
            index=models.Index(condition=models.Q(("state", "asked")), fields=["asked_at"], name="job_to_do"),
        ),
        migrations.AddIndex(
            model_name="evidenceentry",
            index=models.Index(fields=["reminder"], name="evidence_of_reminder"),
        ),
        migrations.AddIndex(
            model_name="evidenceentry",
            index=models.Index(fields=["cabinet", "client", "at"], name="evidence_of_client"),
        ),
        migrations.AddConstraint(
            model_name="evidenceentry",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "seq"),
                name="evidence_in_one_line",
                violation_error_message="Ce rang de la chaîne est déjà pris.",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["cabinet", "state", "received_at"], name="inbound_state"),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "digest"),
                name="inbound_once",
                violation_error_message="Ce message a déjà été relevé.",
            ),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("poll_at__isnull", False)), fields=["poll_at"], name="letter_to_poll"
            ),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(fields=["cabinet", "state"], name="letter_state"),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tracking", ""), _negated=True),
                fields=("cabinet", "tracking"),
                name="letter_tracking_once",
                violation_error_message="Ce numéro de suivi appartient déjà à un autre courrier.",
            ),
        ),
        migrations.AddConstraint(
            model_name="letterproof",
            constraint=models.UniqueConstraint(
                fields=("letter", "digest"),
                name="proof_once",
                violation_error_message="Cette preuve est déjà enregistrée.",
            ),
        ),
        migrations.AddConstraint(
            model_name="mailbox",
            constraint=models.UniqueConstraint(
                fields=("cabinet",),
                name="one_mailbox",
                violation_error_message="Une boîte de réception est déjà réglée.",
            ),
        ),
        migrations.AddIndex(
            model_name="staffmail",
            index=models.Index(condition=models.Q(("sent_at", None)), fields=["asked_at"], name="staff_mail_to_send"),
        ),
        migrations.AddConstraint(
            model_name="staffmail",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "member", "kind", "key"),
                name="staff_mail_once",
                violation_error_message="Ce message a déjà été demandé.",
            ),
        ),
    ]
