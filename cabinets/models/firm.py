"""The firm, and the platform it stands on."""

import datetime as dt
import uuid
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cabinets.enums import AllocationRule, SendingMode, SettlementSource
from cabinets.territories import Territory
from cabinets.wall import Grant, Wall

PLANNER_COLUMNS = (
    "id", "slug", "is_demo", "demo_on", "territory", "zone_name", "night_at", "opens_at", "closes_at", "weekdays",
    "activated_on", "subscription_suspended_at", "suspended_at", "settled_through_on", "settlements_declared_on",
    "feed_fresh_until_on",
    "approval_threshold_cents", "grace_hours", "hearing_days", "daily_cap", "sending_mode", "created_at",
)  # fmt: skip
# What the operators' desk shows of a firm, and the little it changes: neither its account nor its words.
DESK_READS = ("id", "subscription_suspended_at", "suspended_at", "is_demo", "created_at", "zone_name")
DESK_WRITES = ("name", "slug", "siren", "bar", "email", "phone", "activated_on")


class Platform(models.Model):
    """The one row of the installation: its kill switch."""

    one = models.BooleanField(primary_key=True, default=True)
    suspended_at = models.DateTimeField("envois suspendus le", null=True, blank=True)
    suspension_reason = models.CharField("motif", max_length=200, blank=True)

    class Meta:
        verbose_name = "plateforme"
        verbose_name_plural = "plateforme"
        constraints = [
            models.CheckConstraint(
                name="one_platform",
                condition=Q(one=True),
                violation_error_message="La plateforme n’a qu’une ligne de réglages.",
            ),
        ]

    def __str__(self) -> str:
        return "Plateforme"


class Cabinet(models.Model):
    """A law firm: who it is, when it speaks, what it lets leave without a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField("identifiant", unique=True)
    name = models.CharField("nom", max_length=120)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    vat_number = models.CharField("n° de TVA", max_length=20, blank=True)
    bar = models.CharField("barreau", max_length=60, blank=True)
    address = models.CharField("adresse", max_length=200, blank=True)
    postcode = models.CharField("code postal", max_length=10, blank=True)
    city = models.CharField("ville", max_length=80, blank=True)
    email = models.EmailField("e-mail de contact", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    signature = models.CharField("signature des messages", max_length=120, blank=True)
    logo = models.BinaryField("logo", null=True, blank=True)
    logo_type = models.CharField("format du logo", max_length=20, blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    # Whom people write to about their data (GDPR art. 37); empty: the firm itself.
    dpo_name = models.CharField("délégué à la protection des données", max_length=120, blank=True, default="")
    dpo_email = models.EmailField("e-mail du délégué", blank=True, default="")
    account_holder = models.CharField("titulaire du compte", max_length=70, blank=True)
    mediator_name = models.CharField("médiateur", max_length=120, blank=True)
    mediator_address = models.CharField("adresse du médiateur", max_length=200, blank=True)
    mediator_site = models.CharField("site du médiateur", max_length=120, blank=True)

    territory = models.CharField("territoire", max_length=20, choices=Territory, default=Territory.METROPOLE)
    zone_name = models.CharField("fuseau horaire", max_length=40, default="Europe/Paris")
    night_at = models.TimeField("heure de la planification", default=dt.time(4, 30))
    opens_at = models.TimeField("début des envois", default=dt.time(9))
    closes_at = models.TimeField("fin des envois", default=dt.time(18))
    weekdays = models.CharField("jours d’envoi", max_length=7, default="12345", help_text="1 = lundi … 5 = vendredi")
    approval_threshold_cents = models.BigIntegerField("seuil de validation (centimes)", default=500_000)
    grace_hours = models.PositiveSmallIntegerField("attente après un paiement (heures)", default=24)
    hearing_days = models.PositiveSmallIntegerField("silence autour d’une audience (jours)", default=3)
    daily_cap = models.PositiveIntegerField("messages par jour au plus", default=200, validators=[MinValueValidator(1)])
    sending_mode = models.CharField(
        "mode d’envoi", max_length=12, choices=SendingMode, default=SendingMode.AUTOMATIC, db_default="automatic"
    )
    allocation_rule = models.CharField(
        "imputation d’un paiement partiel",
        max_length=16,
        choices=AllocationRule,
        default=AllocationRule.PRINCIPAL_FIRST,
    )
    allows_part_payments = models.BooleanField("paiement partiel en ligne", default=False, db_default=False)
    sms_amount_to_consumers = models.BooleanField("montant écrit dans les SMS aux particuliers", default=False)
    # One a line: words of the firm's own that no message may hold (R34c).
    matter_words = models.TextField("mots à garder au cabinet", blank=True, default="")
    # « articles 174 et suivants » or « 175 et suivants » (R20): editable without a release.
    batonnier_articles = models.CharField(
        "articles de la procédure devant le bâtonnier", max_length=60, default="articles 174 et suivants"
    )
    signature_image = models.BinaryField("signature manuscrite", null=True, blank=True)
    signature_image_type = models.CharField("format de la signature", max_length=20, blank=True, default="")
    insurer_name = models.CharField("assureur de responsabilité", max_length=120, blank=True, default="")
    insurer_email = models.EmailField("e-mail de l’assureur", blank=True, default="")
    insurance_policy = models.CharField("n° de police", max_length=40, blank=True, default="")
    late_entry_days = models.PositiveSmallIntegerField(
        "dette ancienne à partir de (jours)", default=90, validators=[MaxValueValidator(365)]
    )

    activated_on = models.DateField("activé le", null=True, blank=True)
    subscription_suspended_at = models.DateTimeField("abonnement suspendu le", null=True, blank=True)
    suspended_at = models.DateTimeField("envois suspendus le", null=True, blank=True)
    suspended_by = models.ForeignKey(
        "cabinets.Membership",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    settled_through_on = models.DateField("règlements connus jusqu’au", null=True, blank=True)
    settlements_declared_on = models.DateField("règlements déclarés le", null=True, blank=True)
    settlements_source = models.CharField(
        "origine", max_length=10, choices=SettlementSource, default=SettlementSource.DECLARED, db_default="declared"
    )
    # The last day the bank's own deposits answer for; without one, nobody deposits and a person declares.
    feed_fresh_until_on = models.DateField("relevés de la banque valables jusqu’au", null=True, blank=True)
    is_demo = models.BooleanField("démonstration", default=False, editable=False)
    demo_on = models.DateField("jour de la démonstration", null=True, blank=True, editable=False)
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(select=PLANNER_COLUMNS),
        operator=Grant(select=(*DESK_READS, *DESK_WRITES), update=DESK_WRITES),
    )

    class Meta:
        verbose_name = "cabinet"
        constraints = [
            models.CheckConstraint(
                name="cabinet_window_within_the_day",
                condition=Q(opens_at__gte=dt.time(8), closes_at__lte=dt.time(20), opens_at__lt=F("closes_at")),
                violation_error_message="Les envois se font entre 8 h et 20 h : choisissez une plage entre elles.",
            ),
            models.CheckConstraint(
                name="cabinet_weekdays_without_weekend",
                condition=Q(weekdays__regex=r"^[1-5]{1,5}$"),
                violation_error_message="Choisissez au moins un jour d’envoi, du lundi au vendredi.",
            ),
            models.CheckConstraint(
                name="cabinet_threshold_positive",
                condition=Q(approval_threshold_cents__gt=0),
                violation_error_message="Le seuil de validation est un montant positif.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """Return the firm's time zone."""
        return ZoneInfo(self.zone_name)

    def now(self) -> dt.datetime:
        """Return the instant the firm lives in: the real one, or the demonstration's day between 10:00 and 17:45."""
        real = timezone.now()
        if not (self.is_demo and self.demo_on):
            return real
        hour = max(dt.time(10), min(real.astimezone(self.zone).time(), dt.time(17, 45)))
        return dt.datetime.combine(self.demo_on, hour, tzinfo=self.zone).astimezone(dt.UTC)

    def today(self) -> dt.date:
        """Return the firm's day; every "today" of the product comes from here."""
        return self.now().astimezone(self.zone).date()

    @property
    def is_live(self) -> bool:
        """Say whether the firm may speak at all: activated, and its subscription in force."""
        return self.activated_on is not None and self.subscription_suspended_at is None
