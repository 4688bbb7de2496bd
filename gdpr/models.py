"""What the firm does about personal data: its lengths, the requests it answered, what was let go of."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cabinets.models import Client, Contact, Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField
from cabinets.wall import Grant, Wall
from gdpr.enums import (
    Attested,
    BreachOrigin,
    Claim,
    CopyState,
    IdentityProof,
    RequestOrigin,
    RightsState,
    Risk,
    Verdict,
)
from gdpr.terms import ARCHIVE_MONTHS, LEAST_ACCOUNTING_YEARS, USUAL_ACCOUNTING_YEARS, USUAL_ARCHIVE_MONTHS
from payments.models import DebtorRequest

DECEMBER = 12


class RetentionSettings(CabinetOwned):
    """The lengths a firm may choose, within the law."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    accounting_years = models.PositiveSmallIntegerField(
        "années de conservation des pièces", default=USUAL_ACCOUNTING_YEARS
    )
    fiscal_month = models.PositiveSmallIntegerField("mois de fin d’exercice", default=DECEMBER)
    archive_months = models.PositiveSmallIntegerField("mois avant l’archive", default=USUAL_ARCHIVE_MONTHS)
    purges = models.BooleanField("effacement chaque nuit", default=False)
    changed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    changed_at = models.DateTimeField("réglé le", auto_now=True)

    wall: ClassVar[Wall] = Wall()

    class Meta(CabinetOwned.Meta):
        verbose_name = "durées de conservation"
        constraints = [
            models.UniqueConstraint(
                name="retention_once",
                fields=["cabinet"],
                violation_error_message="Les durées du cabinet sont déjà réglées.",
            ),
            models.CheckConstraint(
                name="retention_within_the_law",
                condition=Q(accounting_years__gte=LEAST_ACCOUNTING_YEARS)
                & Q(fiscal_month__range=(1, DECEMBER))
                & Q(archive_months__in=ARCHIVE_MONTHS),
                violation_error_message="La loi demande six ans au moins, et l’exercice finit un mois de l’année.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.accounting_years)


class RightsRequest(SealedModel):
    """What a person asked about their data, from the day it arrived to the proof of the answer.

    Sealed under the firm's key: the proof outlives the client's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    claim = models.CharField("droit", max_length=14, choices=Claim)
    origin = models.CharField("reçue par", max_length=8, choices=RequestOrigin)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    # The person who asks when it is not the client: their answer holds what concerns them, and nothing of the client.
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+", null=True)
    asked = models.OneToOneField(DebtorRequest, on_delete=models.PROTECT, related_name="+", null=True)
    words = SealedTextField("ce qui est demandé")
    received_on = models.DateField("reçue le")
    due_on = models.DateField("à répondre avant le")
    extended_on = models.DateField("prolongée le", null=True)
    extension_reason = SealedTextField("motif de la prolongation")
    identity = models.CharField("identité", max_length=10, choices=IdentityProof, blank=True, default="")
    identity_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    identity_at = models.DateTimeField("identité vérifiée le", null=True)
    state = models.CharField("état", max_length=9, choices=RightsState, default=RightsState.OPEN)
    answer = SealedTextField("réponse")
    # What erasure kept and why; never a value that was erased.
    report = models.JSONField("compte rendu", default=list)
    stored_as = models.CharField("rangé sous", max_length=120, blank=True, default="")
    size = models.PositiveIntegerField("taille (octets)", null=True)
    digest = models.BinaryField("empreinte SHA-256", null=True)
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistrée le", auto_now_add=True)
    answered_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    answered_at = models.DateTimeField("répondue le", null=True)

    wall: ClassVar[Wall] = Wall(by="client")

    class Meta(SealedModel.Meta):
        verbose_name = "demande de droits"
        verbose_name_plural = "demandes de droits"
        indexes = [models.Index(fields=["cabinet", "state", "due_on"], name="rights_request_open")]

    def __str__(self) -> str:
        return str(self.get_claim_display())

    @property
    def is_open(self) -> bool:
        """Say whether an answer is still due."""
        return self.state == RightsState.OPEN


class Purge(CabinetOwned):
    """What one night let go of, by table: counts alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    on = models.DateField("jour")
    counts = models.JSONField("lignes par table", default=dict)
    clients = models.PositiveIntegerField("clients effacés", default=0)
    made_at = models.DateTimeField("fait le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(append_only=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "effacement d’une nuit"
        verbose_name_plural = "effacements des nuits"
        indexes = [models.Index(fields=["cabinet", "-on"], name="purge_by_day")]

    def __str__(self) -> str:
        return self.on.isoformat()


class SubProcessor(models.Model):
    """Who processes firms' data for whoever runs the installation, as last declared; its versions say from when."""

    name = models.CharField("nom", max_length=120)
    country = models.CharField("pays", max_length=2)
    role = models.CharField("ce qu’il fait", max_length=200)
    data = models.CharField("données reçues", max_length=300)
    guarantee = models.CharField("ce qui permet le transfert", max_length=200, blank=True, default="")
    since_on = models.DateField("à partir du")
    until_on = models.DateField("jusqu’au", null=True, blank=True)

    class Meta:
        verbose_name = "sous-traitant ultérieur"
        verbose_name_plural = "sous-traitants ultérieurs"

    def __str__(self) -> str:
        return self.name


class ProcessorVersion(models.Model):
    """What a company does with which data, from a day: announced to the firms thirty days ahead (art. 28-2)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    processor = models.ForeignKey(SubProcessor, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField("version")
    name = models.CharField("nom", max_length=120)
    country = models.CharField("pays", max_length=2)
    role = models.CharField("ce qu’il fait", max_length=200)
    data = models.CharField("données reçues", max_length=300)
    guarantee = models.CharField("ce qui permet le transfert", max_length=200, blank=True, default="")
    applies_on = models.DateField("à partir du")
    # None: declared before firms were told of anything; it is in their agreement.
    published_at = models.DateTimeField("annoncée le", null=True)
    # A firm objects, and nobody has answered yet: it does not begin.
    held_at = models.DateTimeField("suspendue par une opposition le", null=True)
    given_up_at = models.DateTimeField("abandonnée le", null=True)

    class Meta:
        verbose_name = "version d’un sous-traitant"
        verbose_name_plural = "versions de sous-traitants"
        constraints = [
            models.UniqueConstraint(
                name="processor_version_once",
                fields=["processor", "number"],
                violation_error_message="Cette version du sous-traitant existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class ProcessorNotice(SealedModel):
    """The proof that a firm was told of a sub-processor, when and to whom; and what it objected, if it did.

    It holds what was announced, so that the proof reads without the operator's tables.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version_ref = models.UUIDField("version annoncée")
    name = models.CharField("nom", max_length=120)
    country = models.CharField("pays", max_length=2)
    role = models.CharField("ce qu’il fait", max_length=200)
    data = models.CharField("données reçues", max_length=300)
    guarantee = models.CharField("ce qui permet le transfert", max_length=200, blank=True, default="")
    is_change = models.BooleanField("changement d’un sous-traitant connu", default=False)
    applies_on = models.DateField("annoncé à partir du")
    told_at = models.DateTimeField("annoncé au cabinet le")
    told_to = SealedTextField("personnes prévenues")
    mailed_at = models.DateTimeField("e-mails partis le", null=True)
    # What the firm was last told became of the day it was announced: another one, or why there is none.
    moved_to = models.CharField("dernière suite annoncée", max_length=10, blank=True, default="")
    objected_at = models.DateTimeField("opposition le", null=True)
    objected_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    # Written to the operator, who reads it: not sealed under the firm's key.
    objection = models.TextField("motif de l’opposition", blank=True, default="")
    relayed_at = models.DateTimeField("opposition transmise le", null=True)
    verdict = models.CharField("réponse", max_length=10, choices=Verdict, blank=True, default="")
    answer = models.TextField("motif de la réponse", blank=True, default="")
    answered_at = models.DateTimeField("répondu le", null=True)
    answer_told_at = models.DateTimeField("réponse annoncée au cabinet le", null=True)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(
            select=(
                "id", "cabinet_id", "version_ref", "applies_on", "told_at", "mailed_at", "moved_to", "objected_at",
                "relayed_at", "answered_at", "answer_told_at",
            )
        ),
        operator=Grant(
            select=(
                "id", "cabinet_id", "version_ref", "name", "applies_on", "told_at", "mailed_at", "objected_at",
                "objection", "verdict", "answer", "answered_at",
            ),
            update=("verdict", "answer", "answered_at"),
        ),
    )  # fmt: skip

    class Meta(SealedModel.Meta):
        verbose_name = "annonce d’un sous-traitant"
        verbose_name_plural = "annonces de sous-traitants"
        indexes = [models.Index(fields=["cabinet", "-told_at"], name="processor_notice_by_day")]
        constraints = [
            models.UniqueConstraint(
                name="processor_notice_once",
                fields=["cabinet", "version_ref"],
                violation_error_message="Cette annonce a déjà été faite au cabinet.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Agreement(SealedModel):
    """The agreement of article 28 as a firm signed it: the very PDF, sealed, with its digest. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.CharField("version", max_length=20)
    signed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField("signé le")
    stored_as = models.CharField("rangé sous", max_length=120)
    size = models.PositiveIntegerField("taille (octets)")
    digest = models.BinaryField("empreinte SHA-256")

    wall: ClassVar[Wall] = Wall(append_only=True, erased=Grant(update=("stored_as",)))

    class Meta(SealedModel.Meta):
        verbose_name = "accord de sous-traitance signé"
        verbose_name_plural = "accords de sous-traitance signés"
        indexes = [models.Index(fields=["cabinet", "-signed_at"], name="agreement_by_day")]

    def __str__(self) -> str:
        return self.version


class ComplianceStatement(SealedModel):
    """The state of the checklist as somebody signed it on a day: the very PDF, sealed, with its digest. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    signed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField("signé le")
    met = models.PositiveSmallIntegerField("points tenus")
    of = models.PositiveSmallIntegerField("points")
    stored_as = models.CharField("rangé sous", max_length=120)
    size = models.PositiveIntegerField("taille (octets)")
    digest = models.BinaryField("empreinte SHA-256")

    wall: ClassVar[Wall] = Wall(append_only=True, erased=Grant(update=("stored_as",)))

    class Meta(SealedModel.Meta):
        verbose_name = "état de conformité signé"
        verbose_name_plural = "états de conformité signés"
        indexes = [models.Index(fields=["cabinet", "-signed_at"], name="statement_by_day")]

    def __str__(self) -> str:
        return f"{self.met} / {self.of}"


class Attestation(SealedModel):
    """What somebody vouched for, and when. Append-only: a new one takes the place of the last."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("objet", max_length=10, choices=Attested)
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    on = models.DateField("jour")
    note = SealedTextField("précision")
    at = models.DateTimeField("enregistrée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(append_only=True, erased=Grant(update=("note",)))

    class Meta(SealedModel.Meta):
        verbose_name = "attestation"
        indexes = [models.Index(fields=["cabinet", "kind", "-on"], name="attestation_by_day")]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Breach(SealedModel):
    """A breach of personal data, from the hour somebody knew to its end (art. 33-5: every one is recorded)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    known_at = models.DateTimeField("connue le")
    what = SealedTextField("ce qui s’est passé")
    whose = SealedTextField("personnes et données touchées")
    consequences = SealedTextField("conséquences probables")
    measures = SealedTextField("mesures prises")
    risk = models.CharField("risque", max_length=8, choices=Risk, default=Risk.UNKNOWN)
    told_authority_at = models.DateTimeField("notifiée à la CNIL le", null=True)
    late_reason = SealedTextField("motif du retard")
    told_people_at = models.DateTimeField("personnes prévenues le", null=True)
    closed_at = models.DateTimeField("close le", null=True)
    origin = models.CharField("origine", max_length=8, choices=BreachOrigin, default=BreachOrigin.FIRM)
    # The operator's incident it comes from, whose words are in its notices.
    incident_ref = models.UUIDField("incident de l’exploitant", null=True)
    # Nobody of the firm, when the operator told it.
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    recorded_at = models.DateTimeField("enregistrée le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall()

    class Meta(SealedModel.Meta):
        verbose_name = "violation de données"
        verbose_name_plural = "violations de données"
        indexes = [models.Index(fields=["cabinet", "-known_at"], name="breach_by_day")]
        constraints = [
            models.UniqueConstraint(
                name="breach_once_an_incident",
                fields=["cabinet", "incident_ref"],
                condition=Q(incident_ref__isnull=False),
                violation_error_message="La violation née de cet incident est déjà enregistrée.",
            ),
            models.CheckConstraint(
                name="breach_says_who_knew_first",
                condition=Q(origin=BreachOrigin.FIRM, incident_ref=None, recorded_by__isnull=False)
                | Q(origin=BreachOrigin.OPERATOR, incident_ref__isnull=False),
                violation_error_message="Une violation est constatée par une personne du cabinet, ou signalée par"
                " l’exploitant.",
            ),
        ]

    def __str__(self) -> str:
        return self.known_at.isoformat()


class InstallationIncident(models.Model):
    """A breach of the installation, as its operator knows it now; firms read what was published of it, never this."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    known_at = models.DateTimeField("connu le")
    what = models.TextField("ce qui s’est passé")
    whose = models.TextField("données et personnes touchées")
    consequences = models.TextField("conséquences probables", blank=True, default="")
    measures = models.TextField("mesures prises ou proposées", blank=True, default="")
    contact = models.CharField("où en savoir plus", max_length=200)
    is_everyone = models.BooleanField("tous les cabinets", default=False)
    firm_ids = ArrayField(models.UUIDField(), verbose_name="cabinets concernés", default=list, blank=True)
    recorded_at = models.DateTimeField("enregistré le", auto_now_add=True)

    class Meta:
        verbose_name = "incident de l’installation"
        verbose_name_plural = "incidents de l’installation"

    def __str__(self) -> str:
        return f"{self.known_at:%d/%m/%Y %H:%M} UTC"


class IncidentStatement(models.Model):
    """What was published of an incident, and for whom: the first opens a breach in each firm, the others complete it.

    Append-only: what firms were told is never rewritten.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(InstallationIncident, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField("rang")
    what = models.TextField("ce qui s’est passé")
    whose = models.TextField("données et personnes touchées")
    consequences = models.TextField("conséquences probables", blank=True, default="")
    measures = models.TextField("mesures prises ou proposées", blank=True, default="")
    contact = models.CharField("où en savoir plus", max_length=200)
    is_everyone = models.BooleanField("tous les cabinets", default=False)
    firm_ids = ArrayField(models.UUIDField(), verbose_name="cabinets concernés", default=list, blank=True)
    published_at = models.DateTimeField("publié le")

    class Meta:
        verbose_name = "annonce d’un incident"
        verbose_name_plural = "annonces d’incidents"
        constraints = [
            models.UniqueConstraint(
                name="incident_statement_once",
                fields=["incident", "number"],
                violation_error_message="Cette annonce de l’incident existe déjà.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class IncidentNotice(SealedModel):
    """The proof that a firm was told of an incident of the installation, when, to whom and in which words."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="+")
    incident_ref = models.UUIDField("incident de l’exploitant")
    statement_ref = models.UUIDField("annonce de l’exploitant")
    number = models.PositiveSmallIntegerField("rang")
    known_at = models.DateTimeField("connu de l’exploitant le")
    what = SealedTextField("ce qui s’est passé")
    whose = SealedTextField("données et personnes touchées")
    consequences = SealedTextField("conséquences probables")
    measures = SealedTextField("mesures prises ou proposées")
    contact = SealedTextField("où en savoir plus")
    told_at = models.DateTimeField("annoncé au cabinet le")
    told_to = SealedTextField("personnes prévenues")
    mailed_at = models.DateTimeField("e-mails partis le", null=True)
    opened_at = models.DateTimeField("ouvert le", null=True)
    opened_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(select=("id", "cabinet_id", "statement_ref", "told_at", "mailed_at")),
        operator=Grant(
            select=("id", "cabinet_id", "incident_ref", "statement_ref", "number", "told_at", "mailed_at", "opened_at")
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "incident annoncé au cabinet"
        verbose_name_plural = "incidents annoncés au cabinet"
        indexes = [models.Index(fields=["cabinet", "breach", "number"], name="incident_notice_of_breach")]
        constraints = [
            models.UniqueConstraint(
                name="incident_notice_once",
                fields=["cabinet", "statement_ref"],
                violation_error_message="Cette annonce a déjà été faite au cabinet.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class FirmCopy(SealedModel):
    """The whole of a firm in one archive, sealed, kept a few days; its digest and its date stay as proof."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField("état", max_length=7, choices=CopyState, default=CopyState.ASKED)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("demandée le")
    started_at = models.DateTimeField("commencée le", null=True)
    made_at = models.DateTimeField("prête le", null=True)
    until_at = models.DateTimeField("gardée jusqu’au", null=True)
    rows = models.PositiveIntegerField("lignes", default=0)
    files = models.PositiveIntegerField("fichiers", default=0)
    missing = models.PositiveIntegerField("fichiers absents du disque", default=0)
    stored_as = models.CharField("rangée sous", max_length=120, blank=True, default="")
    size = models.PositiveBigIntegerField("taille (octets)", null=True)
    digest = models.BinaryField("empreinte SHA-256", null=True)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(select=("id", "cabinet_id", "state", "asked_at", "started_at", "until_at"))
    )

    class Meta(SealedModel.Meta):
        verbose_name = "archive du cabinet"
        verbose_name_plural = "archives du cabinet"
        indexes = [models.Index(fields=["cabinet", "-asked_at"], name="firm_copy_by_day")]
        constraints = [
            models.UniqueConstraint(
                name="one_firm_copy_at_a_time",
                fields=["cabinet"],
                condition=Q(state__in=["asked", "making"]),
                violation_error_message="Une archive du cabinet est déjà en préparation.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_state_display())


class Closing(CabinetOwned):
    """The end of a firm's account: asked, taken back, or done once its days are over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("demandée le")
    due_on = models.DateField("effacement à partir du")
    withdrawn_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    withdrawn_at = models.DateTimeField("reprise le", null=True)
    erased_at = models.DateTimeField("effacé le", null=True)
    # Rows by table that were emptied or deleted: counts alone.
    counts = models.JSONField("lignes par table", default=dict)

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(select=("id", "cabinet_id", "due_on", "withdrawn_at", "erased_at")),
        operator=Grant(select=("*",)),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "clôture d’un compte"
        verbose_name_plural = "clôtures de comptes"
        constraints = [
            models.UniqueConstraint(
                name="one_closing_at_a_time",
                fields=["cabinet"],
                condition=Q(withdrawn_at=None),
                violation_error_message="La clôture du compte est déjà demandée.",
            ),
        ]

    def __str__(self) -> str:
        return self.due_on.isoformat()

    @property
    def is_pending(self) -> bool:
        """Say whether the account still waits for its end, and may be taken back."""
        return self.withdrawn_at is None and self.erased_at is None
