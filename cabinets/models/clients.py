"""Clients, their contacts, their dossiers, and who is in charge of them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cabinets.enums import Civility, ClientKind, ContactRole, Language, LegalAid, SendingMode
from cabinets.models.people import Membership
from cabinets.scoping import CabinetOwned
from cabinets.sealing import SealedModel, SealedTextField, Withheld
from cabinets.territories import Territory
from cabinets.wall import Grant, Wall


class Client(SealedModel):
    """A client of the firm: one debtor, sealed under a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    civility = models.CharField("civilité", max_length=10, choices=Civility, default=Civility.NONE)
    first_name = SealedTextField("prénom")
    last_name = SealedTextField("nom")
    company = SealedTextField("société")
    email = SealedTextField("adresse e-mail")
    phone = SealedTextField("téléphone")
    address = SealedTextField("adresse")
    postcode = SealedTextField("code postal")
    city = SealedTextField("ville")
    note = SealedTextField("note")
    siren = models.CharField("SIREN", max_length=9, blank=True)
    country = models.CharField("pays", max_length=2, default="FR")
    language = models.CharField("langue", max_length=2, choices=Language, default=Language.FRENCH)

    # Beside the sealed values, what planning needs to know of them.
    email_index = models.BinaryField("recherche e-mail", null=True, editable=False)
    phone_index = models.BinaryField("recherche téléphone", null=True, editable=False)
    name_index = models.BinaryField("recherche nom", null=True, editable=False)
    has_email = models.BooleanField("a une adresse e-mail", default=False, editable=False)
    has_mobile = models.BooleanField("a un mobile", default=False, editable=False)
    has_phone = models.BooleanField("a un téléphone", default=False, editable=False)
    has_postal = models.BooleanField("a une adresse postale", default=False, editable=False)
    # Unknown territory (abroad, Pacific): the firm's zone and holidays, and a person from J+30 on (R55).
    territory = models.CharField("territoire", max_length=20, choices=Territory, null=True, blank=True)
    email_refused_at = models.DateTimeField("adresse refusée le", null=True, editable=False)
    email_stopped_at = models.DateTimeField("adresse arrêtée le", null=True, editable=False)
    mobile_refused_at = models.DateTimeField("mobile refusé le", null=True, editable=False)
    postal_refused_at = models.DateTimeField("adresse postale refusée le", null=True, editable=False)

    kind = models.CharField("qualité par défaut", max_length=16, choices=ClientKind, default=ClientKind.UNKNOWN)
    is_strategic = models.BooleanField("client stratégique", default=False)
    needs_two_approvals = models.BooleanField("double validation", default=False)
    is_never_reminded = models.BooleanField("ne jamais relancer", default=False)
    accepts_sms = models.BooleanField("accepte les SMS", default=True)
    # Empty: the firm's.
    sending_mode = models.CharField(
        "mode d’envoi", max_length=12, choices=SendingMode, blank=True, default="", db_default=""
    )
    credit_cents = models.BigIntegerField("avoir disponible (centimes)", default=0, editable=False)
    created_at = models.DateTimeField("créé le", auto_now_add=True)
    # In the intermediate archive since; and the last day something brought them back from it.
    archived_on = models.DateField("en archive depuis le", null=True, editable=False)
    returned_on = models.DateField("sorti de l’archive le", null=True, editable=False)

    wall: ClassVar[Wall] = Wall(
        by="own_client",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "has_email",
                "has_mobile",
                "has_phone",
                "has_postal",
                "accepts_sms",
                "mobile_refused_at",
                "postal_refused_at",
                "sending_mode",
                "territory",
                "language",
                "is_strategic",
                "needs_two_approvals",
                "is_never_reminded",
                "email_refused_at",
                "email_stopped_at",
                "credit_cents",
            )
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "client"
        indexes = [
            models.Index(fields=["cabinet", "email_index"], name="client_email"),
            models.Index(fields=["cabinet", "phone_index"], name="client_phone"),
            models.Index(fields=["cabinet", "name_index"], name="client_name"),
        ]
        constraints = [
            models.CheckConstraint(
                name="client_credit_not_negative",
                condition=Q(credit_cents__gte=0),
                violation_error_message="L’avoir d’un client ne peut pas être négatif.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's own key."""
        return self.pk

    @property
    def display_name(self) -> str:
        """Return the company, or the civility and name, as written on screen."""
        if self.company:
            return str(self.company)
        if isinstance(self.company, Withheld):
            return "Client archivé"
        short = {Civility.MADAME: "Mme", Civility.MONSIEUR: "M.", Civility.MAITRE: "Me"}.get(
            Civility(self.civility), ""
        )
        return " ".join(part for part in (short, self.first_name, self.last_name) if part) or "Client sans nom"


class Contact(SealedModel):
    """A person reached at a client's: the one who pays, the one who runs it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="contacts")
    role = models.CharField("rôle", max_length=10, choices=ContactRole, default=ContactRole.OTHER)
    civility = models.CharField("civilité", max_length=10, choices=Civility, default=Civility.NONE)
    first_name = SealedTextField("prénom")
    last_name = SealedTextField("nom")
    email = SealedTextField("adresse e-mail")
    phone = SealedTextField("téléphone")
    email_index = models.BinaryField("recherche e-mail", null=True, editable=False)
    has_email = models.BooleanField("a une adresse e-mail", default=False, editable=False)
    has_mobile = models.BooleanField("a un mobile", default=False, editable=False)
    has_phone = models.BooleanField("a un téléphone", default=False, editable=False)
    email_refused_at = models.DateTimeField("adresse refusée le", null=True, editable=False)
    email_stopped_at = models.DateTimeField("adresse arrêtée le", null=True, editable=False)
    mobile_refused_at = models.DateTimeField("mobile refusé le", null=True, editable=False)
    is_archived = models.BooleanField("archivé", default=False)

    wall: ClassVar[Wall] = Wall(
        by="client",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "client_id",
                "role",
                "has_email",
                "has_mobile",
                "has_phone",
                "mobile_refused_at",
                "email_refused_at",
                "email_stopped_at",
                "is_archived",
            )
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "contact"

    @property
    def is_third_party(self) -> bool:
        """Say whether this person pays for somebody else's file: the sum is theirs to know, the matter is not."""
        return self.role == ContactRole.PAYER

    def __str__(self) -> str:
        return str(self.pk)

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id

    @property
    def display_name(self) -> str:
        """Return the name as written on screen."""
        if isinstance(self.last_name, Withheld):
            return "Contact archivé"
        return " ".join(part for part in (self.first_name, self.last_name) if part) or "Contact sans nom"


class Dossier(SealedModel):
    """An engagement: it says what the client is, what was agreed, and what the law requires before a word is said."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="dossiers")
    # The only name of the matter that may leave the firm.
    reference = models.CharField("référence neutre", max_length=30)
    title = SealedTextField("intitulé (reste au cabinet)")
    kind = models.CharField("qualité du client", max_length=16, choices=ClientKind, default=ClientKind.UNKNOWN)
    practice_area = models.CharField("domaine", max_length=60, blank=True)
    lawyer = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="avocat responsable",
    )
    billing_contact = models.ForeignKey(
        Contact,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="contact de facturation",
    )
    mandate_ended_on = models.DateField("fin de mission", null=True, blank=True)
    fee_agreement_on = models.DateField("convention d’honoraires signée le", null=True, blank=True)
    contract_rate = models.DecimalField(
        "taux de retard convenu (% l’an)", max_digits=5, decimal_places=2, null=True, blank=True
    )
    # With no rate of its own, the fee agreement may say « three times the legal rate ».
    is_triple_legal_rate = models.BooleanField("trois fois le taux légal", default=False)
    legal_aid = models.CharField("aide juridictionnelle", max_length=8, choices=LegalAid, default=LegalAid.NONE)
    batonnier_notified_on = models.DateField("convention notifiée au bâtonnier le", null=True, blank=True)
    is_never_reminded = models.BooleanField("ne jamais relancer", default=False)
    is_archived = models.BooleanField("archivé", default=False)
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    wall: ClassVar[Wall] = Wall(
        by="own_dossier",
        scheduler=Grant(
            select=(
                "id",
                "cabinet_id",
                "client_id",
                "kind",
                "practice_area",
                "lawyer_id",
                "billing_contact_id",
                "mandate_ended_on",
                "fee_agreement_on",
                "legal_aid",
                "batonnier_notified_on",
                "is_never_reminded",
                "is_archived",
            )
        ),
    )

    class Meta(SealedModel.Meta):
        verbose_name = "dossier"
        constraints = [
            models.UniqueConstraint(
                name="dossier_reference_once",
                fields=["cabinet", "reference"],
                violation_error_message="Un autre dossier porte déjà cette référence.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def sealing_subject(self) -> uuid.UUID:
        """Seal under the client's key."""
        return self.client_id


class Hearing(CabinetOwned):
    """A hearing or judgment day of a dossier: nothing is said too near it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="hearings")
    held_on = models.DateField("date d’audience")

    wall: ClassVar[Wall] = Wall(by="dossier", scheduler=Grant(select=("id", "cabinet_id", "dossier_id", "held_on")))

    class Meta(CabinetOwned.Meta):
        verbose_name = "audience"
        constraints = [
            models.UniqueConstraint(
                name="hearing_once",
                fields=["dossier", "held_on"],
                violation_error_message="Cette audience est déjà notée.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.held_on)


class Assignment(CabinetOwned):
    """A dossier in a person's charge: without the wider right, it is all they see."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="assignments")
    member = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField("affecté le", auto_now_add=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "affectation"
        constraints = [
            models.UniqueConstraint(
                name="assignment_once",
                fields=["dossier", "member"],
                violation_error_message="Cette personne est déjà affectée à ce dossier.",
            ),
        ]
        indexes = [models.Index(fields=["member", "dossier"], name="assignment_of_member")]

    def __str__(self) -> str:
        return str(self.pk)
