import uuid

import django.contrib.postgres.fields
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
            name="FailedJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="tâche")),
                ("subject_id", models.UUIDField(null=True, verbose_name="identifiant")),
                ("error", models.CharField(max_length=200, verbose_name="erreur")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="instant")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="close le")),
            ],
            options={
                "verbose_name": "tâche en échec",
                "verbose_name_plural": "tâches en échec",
            },
        ),
        migrations.CreateModel(
            name="DunningCase",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("next_rank", models.PositiveSmallIntegerField(default=1, verbose_name="prochaine étape")),
                ("next_action_on", models.DateField(null=True, verbose_name="prochain examen")),
                ("last_step_on", models.DateField(null=True, verbose_name="dernière étape partie le")),
                (
                    "entry",
                    models.CharField(
                        choices=[("normal", "À l’échéance"), ("late", "Déjà en retard"), ("old", "Dette ancienne")],
                        default="normal",
                        max_length=8,
                        verbose_name="entrée",
                    ),
                ),
                (
                    "code",
                    models.CharField(
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
                            ("LADDER_DONE", "Toutes les étapes sont faites"),
                            ("NEEDS_APPROVAL", "Attend un accord"),
                            ("SEND", "Part"),
                        ],
                        max_length=20,
                        verbose_name="dernière décision",
                    ),
                ),
                ("entered_on", models.DateField(verbose_name="entrée le")),
                (
                    "cabinet",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.client",
                    ),
                ),
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice"
                    ),
                ),
            ],
            options={
                "verbose_name": "suivi de relance",
                "verbose_name_plural": "suivis de relance",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="NightlyRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("on", models.DateField(verbose_name="nuit du")),
                ("round", models.PositiveSmallIntegerField(default=1, verbose_name="tour")),
                ("started_at", models.DateTimeField(verbose_name="commencée le")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="terminée le")),
                ("due", models.PositiveIntegerField(default=0, verbose_name="examinées")),
                ("planned", models.PositiveIntegerField(default=0, verbose_name="prévues")),
                ("awaiting", models.PositiveIntegerField(default=0, verbose_name="à valider")),
                ("held", models.PositiveIntegerField(default=0, verbose_name="retenues")),
                ("is_abnormal", models.BooleanField(default=False, verbose_name="inhabituelle")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="confirmée le")),
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
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "nuit",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "client_kind",
                    models.CharField(
                        choices=[
                            ("professional", "Professionnel"),
                            ("consumer", "Particulier"),
                            ("non_pro_legal", "Personne morale non professionnelle"),
                            ("public", "Acheteur public"),
                            ("unknown", "À préciser"),
                        ],
                        max_length=16,
                        verbose_name="qualité du client",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("fr", "Français"), ("en", "Anglais")], max_length=2, verbose_name="langue"
                    ),
                ),
                ("rank", models.PositiveSmallIntegerField(verbose_name="rang")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("letter", "Lettre"),
                            ("registered", "Lettre recommandée"),
                            ("phone", "Appel"),
                        ],
                        max_length=12,
                        verbose_name="canal",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Prévue"),
                            ("awaiting_approval", "À valider"),
                            ("approved", "Approuvée"),
                            ("sending", "En cours d’envoi"),
                            ("accepted", "Envoyée"),
                            ("delivered", "Remise"),
                            ("bounced", "Revenue"),
                            ("rejected", "Refusée par le serveur"),
                            ("unknown", "Issue incertaine"),
                            ("declined", "Écartée"),
                            ("cancelled", "Annulée"),
                        ],
                        max_length=20,
                        verbose_name="état",
                    ),
                ),
                ("on", models.DateField(verbose_name="planifiée le")),
                ("depart_at", models.DateTimeField(verbose_name="départ")),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
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
                (
                    "dossier_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None, verbose_name="dossiers"
                    ),
                ),
                ("total_cents", models.BigIntegerField(verbose_name="montant réclamé (centimes)")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="créée le")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approuvée le")),
                ("seconded_at", models.DateTimeField(null=True, verbose_name="seconde validation le")),
                (
                    "cancel_code",
                    models.CharField(
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
                            ("LADDER_DONE", "Toutes les étapes sont faites"),
                            ("NEEDS_APPROVAL", "Attend un accord"),
                            ("SEND", "Part"),
                        ],
                        max_length=20,
                        verbose_name="annulée par",
                    ),
                ),
                ("generation", models.PositiveIntegerField(default=0, verbose_name="prise")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="prise jusqu’à")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="essais")),
                ("spoken_at", models.DateTimeField(null=True, verbose_name="dite le")),
                ("spoken_on", models.DateField(null=True, verbose_name="jour de l’envoi")),
                ("message_id", models.CharField(blank=True, max_length=120, verbose_name="Message-ID")),
                ("provider_code", models.CharField(blank=True, max_length=12, verbose_name="réponse du serveur")),
                ("failure", models.CharField(blank=True, max_length=300, verbose_name="incident")),
                ("subject", cabinets.sealing.SealedTextField(blank=True, default="", null=True, verbose_name="objet")),
                ("html", cabinets.sealing.SealedTextField(blank=True, default="", null=True, verbose_name="message")),
                (
                    "text",
                    cabinets.sealing.SealedTextField(
                        blank=True, default="", null=True, verbose_name="message en texte"
                    ),
                ),
                (
                    "recipient",
                    cabinets.sealing.SealedTextField(blank=True, default="", null=True, verbose_name="destinataire"),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "cabinet",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.client",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.contact",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
                (
                    "night",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="dunning.nightlyrun",
                    ),
                ),
                (
                    "seconded_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "relance",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ReminderLine",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("rank", models.PositiveSmallIntegerField(verbose_name="rang")),
                ("is_claimed", models.BooleanField(verbose_name="réclamée")),
                ("owed_cents", models.BigIntegerField(verbose_name="reste dû (centimes)")),
                ("counts", models.BooleanField(default=True, verbose_name="compte")),
                (
                    "cabinet",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="dunning.dunningcase",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoices.invoice",
                    ),
                ),
                (
                    "reminder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="dunning.reminder",
                    ),
                ),
            ],
            options={
                "verbose_name": "ligne de relance",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Scenario",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, verbose_name="nom")),
                (
                    "client_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("professional", "Professionnel"),
                            ("consumer", "Particulier"),
                            ("non_pro_legal", "Personne morale non professionnelle"),
                            ("public", "Acheteur public"),
                            ("unknown", "À préciser"),
                        ],
                        max_length=16,
                        verbose_name="qualité du client",
                    ),
                ),
                ("is_default", models.BooleanField(default=False, verbose_name="par défaut")),
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
            ],
            options={
                "verbose_name": "scénario",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ScenarioVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="version")),
                (
                    "min_gap_days",
                    models.PositiveSmallIntegerField(default=7, verbose_name="écart minimal entre deux étapes (jours)"),
                ),
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
                    "scenario",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="dunning.scenario"
                    ),
                ),
            ],
            options={
                "verbose_name": "version de scénario",
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="dunningcase",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dunning.scenarioversion",
            ),
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("rank", models.PositiveSmallIntegerField(verbose_name="rang")),
                ("offset_days", models.SmallIntegerField(verbose_name="jours après l’échéance")),
                (
                    "tone",
                    models.CharField(
                        choices=[
                            ("courteous", "Rappel courtois"),
                            ("solutions", "Rappel avec solutions"),
                            ("firm", "Relance ferme"),
                            ("formal", "Mise en demeure"),
                        ],
                        max_length=10,
                        verbose_name="ton",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("letter", "Lettre"),
                            ("registered", "Lettre recommandée"),
                            ("phone", "Appel"),
                        ],
                        default="email",
                        max_length=12,
                        verbose_name="canal",
                    ),
                ),
                ("answer_days", models.PositiveSmallIntegerField(default=7, verbose_name="délai de réponse (jours)")),
                ("needs_rate", models.BooleanField(default=False, verbose_name="exige le taux du semestre")),
                ("is_written", models.BooleanField(default=True, verbose_name="texte publié")),
                ("text_fault", models.CharField(blank=True, max_length=60, verbose_name="texte refusé par")),
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
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="dunning.scenarioversion"
                    ),
                ),
            ],
            options={
                "verbose_name": "étape",
                "ordering": ["rank"],
                "abstract": False,
                "base_manager_name": "all_cabinets",
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="reminder",
            name="step",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dunning.step"
            ),
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("on", models.DateField(verbose_name="nuit du")),
                ("round", models.PositiveSmallIntegerField(default=1, verbose_name="tour")),
                (
                    "code",
                    models.CharField(
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
                            ("LADDER_DONE", "Toutes les étapes sont faites"),
                            ("NEEDS_APPROVAL", "Attend un accord"),
                            ("SEND", "Part"),
                        ],
                        max_length=20,
                        verbose_name="règle",
                    ),
                ),
                ("rank", models.PositiveSmallIntegerField(null=True, verbose_name="étape")),
                ("reminder_id", models.UUIDField(null=True, verbose_name="relance")),
                ("again_on", models.DateField(null=True, verbose_name="prochain examen")),
                ("facts", models.JSONField(default=dict, verbose_name="faits")),
                (
                    "cabinet",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cabinets.cabinet",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoices.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "décision",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "indexes": [models.Index(fields=["cabinet", "on"], name="decision_of_night")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "on", "round"),
                        name="one_decision_a_night",
                        violation_error_message="Cette facture a déjà été décidée cette nuit.",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="MailServer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=120, verbose_name="serveur")),
                ("port", models.PositiveIntegerField(default=587, verbose_name="port")),
                (
                    "security",
                    models.CharField(
                        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "Aucune")],
                        default="starttls",
                        max_length=8,
                        verbose_name="sécurité",
                    ),
                ),
                ("username", models.CharField(blank=True, max_length=120, verbose_name="identifiant")),
                ("password", cabinets.sealing.SealedTextField(blank=True, default="", verbose_name="mot de passe")),
                ("sender", models.EmailField(max_length=254, verbose_name="adresse d’expédition")),
                ("reply_to", models.EmailField(blank=True, max_length=254, verbose_name="adresse de réponse")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="vérifié le")),
                ("failure", models.CharField(blank=True, max_length=200, verbose_name="incident")),
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
                "verbose_name": "serveur d’envoi",
                "verbose_name_plural": "serveurs d’envoi",
                "abstract": False,
                "base_manager_name": "all_cabinets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cabinet",),
                        name="one_mail_server",
                        violation_error_message="Un serveur est déjà réglé.",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_cabinets", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddConstraint(
            model_name="nightlyrun",
            constraint=models.UniqueConstraint(
                fields=("cabinet", "on"),
                name="one_night_a_day",
                violation_error_message="Cette nuit a déjà été évaluée.",
            ),
        ),
        migrations.AddIndex(
            model_name="reminderline",
            index=models.Index(fields=["reminder"], name="line_of_reminder"),
        ),
        migrations.AddIndex(
            model_name="reminderline",
            index=models.Index(fields=["invoice"], name="line_of_invoice"),
        ),
        migrations.AddConstraint(
            model_name="reminderline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("counts", True), ("is_claimed", True)),
                fields=("invoice", "rank"),
                name="one_step_once",
                violation_error_message="Cette étape a déjà été faite pour cette facture.",
            ),
        ),
        migrations.AddConstraint(
            model_name="scenario",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("cabinet",),
                name="one_default_scenario",
                violation_error_message="Le cabinet a déjà un scénario par défaut.",
            ),
        ),
        migrations.AddConstraint(
            model_name="scenarioversion",
            constraint=models.UniqueConstraint(
                fields=("scenario", "number"),
                name="scenario_version_once",
                violation_error_message="Version déjà créée.",
            ),
        ),
        migrations.AddIndex(
            model_name="dunningcase",
            index=models.Index(
                condition=models.Q(("next_action_on__isnull", False)),
                fields=["next_action_on", "cabinet", "client"],
                name="case_due",
            ),
        ),
        migrations.AddIndex(
            model_name="dunningcase",
            index=models.Index(fields=["cabinet", "client"], name="case_of_client"),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(
                fields=("version", "rank"), name="step_rank_once", violation_error_message="Ce rang est déjà pris."
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("state__in", ["planned", "approved", "sending"])),
                fields=["depart_at"],
                name="reminder_to_send",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(fields=["cabinet", "state", "depart_at"], name="reminder_state"),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(fields=["cabinet", "client", "spoken_on"], name="reminder_contacts"),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["planned", "awaiting_approval", "approved", "sending"])),
                fields=("cabinet", "client"),
                name="one_pending_reminder_per_debtor",
                violation_error_message="Une relance est déjà en préparation pour ce client.",
            ),
        ),
    ]
